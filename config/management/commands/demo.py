"""`manage.py demo past|live|answer`: what `manage.py run --demo` calls, step by step."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import demo
from notifications.replay.entrances import EntranceError
from owners import clock


class Command(BaseCommand):
    """Tells the demo household's story into the live database."""

    help = (
        "Replay the demo household's past, send its last steps to the running server, or answer"
        " for its suppliers whoever asks them for a visit."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what to tell, and how fast."""
        parser.add_argument("part", choices=["past", "live", "answer"])
        parser.add_argument("--pause", type=float, default=1.2, help="seconds between messages")
        parser.add_argument(
            "--visit-after", type=float, default=60, help="seconds before and during the visit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell one part; the live one notes at its end that it was told."""
        home = Path(settings.DATA_DIR)
        if options["part"] == "past":
            demo.tell_past(home, now=clock.now())
            return
        if options["part"] == "answer":
            demo.answer_bookings(home, say=self.stdout.write, pause=options["pause"] * 2)
            return
        try:
            demo.tell_live(
                home,
                say=self.stdout.write,
                pause=options["pause"],
                visit_after=options["visit_after"],
            )
        except (EntranceError, OSError) as error:
            raise CommandError(
                f"The server did not take the story's last steps: {error}"
            ) from error
        (home / "demo-told.done").touch()
