"""`manage.py mail_server`: takes mail for the aliases by LMTP or SMTP."""

import asyncio
import signal
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from suppliers import mail_listener


class Command(BaseCommand):
    """Listens until SIGTERM or Ctrl-C; docs/mail.md says how a mail server is joined to it."""

    help = "Take mail by LMTP (behind your own mail server) or SMTP until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take addresses to listen at, instead of those in MAIL_LISTEN."""
        parser.add_argument(
            "addresses",
            nargs="*",
            help="lmtp+unix:///run/steward/lmtp.sock, lmtp://127.0.0.1:2424, smtp://0.0.0.0:25",
        )

    def handle(self, *, addresses: list[str], **_options: Any) -> None:
        """Listen."""
        wanted = addresses or settings.MAIL_LISTEN
        if not wanted:
            raise CommandError("Say where to listen, or set MAIL_LISTEN.")
        try:
            where = [mail_listener.address(text) for text in wanted]
        except mail_listener.AddressError as error:
            raise CommandError(str(error)) from error
        try:
            asyncio.run(self.serve(where))
        except OSError as error:
            raise CommandError(f"Cannot listen: {error}.") from error

    async def serve(self, where: Sequence[mail_listener.Address]) -> None:
        """Serve until a signal asks to stop."""
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await mail_listener.serve(where, stopping=stopping, ready=self.say)
        self.stdout.write("Stopped; nothing was cut off.")

    def say(self, addresses: Sequence[mail_listener.Address]) -> None:
        """Say where mail is taken."""
        for where in addresses:
            self.stdout.write(f"Mail for @{settings.MAIL_DOMAIN} is taken at {where}")
