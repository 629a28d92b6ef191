"""`manage.py bring_in FILE OWNER`: brings an export into somebody's empty account."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from config import archives, restoring
from config.archives import ArchiveError
from owners import clock
from owners.models import Owner


class Command(BaseCommand):
    """Looks at an export, and writes all of it or nothing."""

    help = "Bring the ZIP of an export into an owner's empty account; of any size."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file and whose it becomes."""
        parser.add_argument("file", type=Path)
        parser.add_argument("owner", help="the e-mail address with which they sign in")
        parser.add_argument(
            "--vouch",
            action="store_true",
            help="it comes from a server you trust: join its suppliers to those verified here",
        )
        parser.add_argument("--look", action="store_true", help="only say what is in it")

    def handle(self, *, file: Path, owner: str, look: bool, vouch: bool, **_options: Any) -> None:
        """Bring it in, and say how many rows of what."""
        found = Owner.objects.filter(email__iexact=owner).first()
        if found is None:
            raise CommandError(f"Nobody signs in with {owner} here. They sign up first.")
        try:
            with file.open("rb") as opened:
                archive = archives.look(opened)
                self._say(archive.plan)
                if look:
                    return
                done = restoring.bring_in(
                    archive=archive,
                    owner=found,
                    key=uuid4(),
                    now=clock.now(),
                    progress=lambda _size: None,
                    is_vouched=vouch,
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        except ArchiveError as error:
            where = f" ({error.what})" if error.what else ""
            raise CommandError(f"{error.code}: {error.detail}{where}") from error
        for name, rows in done["made"].items():
            if rows:
                self.stdout.write(f"{name}: {rows}")
        for name, rows in done["left_out"].items():
            self.stdout.write(f"{name}: {rows} left out")

    def _say(self, plan: archives.Plan) -> None:
        homes = ", ".join(one["name"] for one in plan.households)
        self.stdout.write(f"{homes}: made {plan.made_at} by {plan.made_by}, version {plan.version}")
        rows = sum(part.rows for part in plan.parts if part.is_restorable)
        self.stdout.write(f"{rows} rows, {plan.papers} papers, {plan.messages} messages")
