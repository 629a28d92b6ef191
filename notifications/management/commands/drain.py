"""Do the work without Redis: the same stages, looked for instead of rung for."""

import signal
import time
from types import FrameType
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from notifications import pipeline
from owners import clock

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Run every stage until nothing is due, or for ever."""

    help = (
        "Process the inbox, decide, tell and deliver without workers or Redis. "
        "Ends when nothing is due; with --forever it keeps looking."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --forever and --every."""
        parser.add_argument("--forever", action="store_true", help="keep looking until stopped")
        parser.add_argument(
            "--every", type=float, default=0.2, help="seconds between two looks (0.2)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Drain once, or again and again until SIGTERM or Ctrl-C."""
        if not options["forever"]:
            moved = pipeline.drain(now_fn=clock.now)
            self.stdout.write(f"Nothing is due any more; {moved} rows were moved.")
            return
        stopped = False

        def stop(_number: int, _frame: FrameType | None) -> None:
            nonlocal stopped
            stopped = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        while not stopped:
            try:
                moved = pipeline.drain(now_fn=clock.now, until_idle=False)
            except (OperationalError, InterfaceError) as error:
                # The database is away or was restarted: the rows are there when it is back.
                log.warning("drain_waits_for_the_database", error=type(error).__name__)
                connection.close()
                moved = 0
                time.sleep(1)
            close_old_connections()
            if not moved and not stopped:
                time.sleep(options["every"])
