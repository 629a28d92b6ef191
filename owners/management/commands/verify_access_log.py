"""Check that nobody altered, cut or reordered the access log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from owners import access
from owners.models import AccessHead


class Command(BaseCommand):
    """Walk the chain of the access log from its start."""

    help = (
        "Verify the access log. Prints its end as NUMBER:HASH; keep that somewhere else and "
        "give it back with --expect to show that the log was not replaced since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --expect."""
        parser.add_argument("--expect", help="NUMBER:HASH printed by an earlier run")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print every fault and fail, or print the end of the log."""
        faults = list(access.verify())
        if options["expect"]:
            number, _, known = options["expect"].partition(":")
            if not access.passes(number=int(number), chain_hash=bytes.fromhex(known)):
                faults.append(access.Fault(number=int(number), what="the line is another one"))
        for fault in faults:
            self.stderr.write(f"{fault.number}: {fault.what}")
        if faults:
            raise CommandError(f"The access log does not hold: {len(faults)} faults.")
        head = AccessHead.objects.filter(pk=1).first()
        end = f"{head.number}:{bytes(head.chain_hash).hex()}" if head else "0:"
        self.stdout.write(f"The access log holds. Its end is {end}")
