"""`manage.py run`: the whole product on this machine."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import supervisor


class Command(BaseCommand):
    """Starts services, web, worker and beat together, and stops them together."""

    help = "Run web, worker and beat, with their services, until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the supervisor's options."""
        supervisor.add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped (manage.py calls the supervisor itself, without loading Django)."""
        arguments = ["--host", options["host"], "--port", str(options["port"])]
        sys.exit(supervisor.main([*arguments, *(["--demo"] if options["demo"] else [])]))
