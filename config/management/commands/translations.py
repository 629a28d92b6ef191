"""Renew the catalogues of every language, and say what they still lack."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import translations


class Command(BaseCommand):
    """`manage.py translations` renews; with `--check` it only looks."""

    help = "Gather every string into config/locale, compile it, and list what is missing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check` writes nothing and fails when a language lacks a string."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *, check: bool, **options: Any) -> None:
        """Say per language how many strings are missing, with the first of them."""
        lacks = 0
        for language in translations.LANGUAGES:
            if not check:
                translations.renew(language)
            left = translations.missing(language)
            lacks += len(left)
            self.stdout.write(f"{language}: {len(left)} missing")
            for words in left[:20]:
                self.stdout.write(f"  {words!r}")
        if check and lacks:
            raise CommandError("Some strings are not translated: see above.")
