"""`manage.py index_words`: lets what was stored before the search existed be found by it."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from notifications import indexing
from owners import doorbell


class Command(BaseCommand):
    """Puts on the queue what cannot be found yet; the workers note its words."""

    help = "Have everything found by words that is not yet: run it once after an upgrade."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--again` notes what is found already too, as after a change of how words are read."""
        parser.add_argument("--again", action="store_true", help="all there is, anew")

    def handle(self, *, again: bool, **_options: Any) -> None:
        """Say how many of each kind."""
        seen: Counter[str] = Counter()
        for kind, number in indexing.put_all(is_again=again):
            seen[kind] += number
        doorbell.ring("feed")
        for kind, number in seen.items():
            self.stdout.write(f"{kind}: {number}")
