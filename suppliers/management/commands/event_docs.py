"""Write docs/events.md anew from the catalogue of events."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from suppliers.catalogue import manual


class Command(BaseCommand):
    help = "Write the suppliers' manual (docs/events.md) from the catalogue of events."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=settings.BASE_DIR / "docs" / "events.md")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        options["file"].write_text(manual.markdown(), encoding="utf-8")
