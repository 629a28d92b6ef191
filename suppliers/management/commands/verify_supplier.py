"""`manage.py verify_supplier CODE`: an operator has proved who a supplier is."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from owners import clock
from suppliers import secrets
from suppliers.models import Supplier


class Command(BaseCommand):
    """Marks a supplier as verified, ends what was made for it before, prints a new secret."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the supplier's code, as in its webhook's address."""
        parser.add_argument("code", help="the supplier's code, as in /webhooks/CODE/")

    def handle(self, *, code: str, **_options: Any) -> None:
        """Verify, and show the secret once."""
        supplier = Supplier.objects.filter(code=code).first()
        if supplier is None:
            raise CommandError(f"There is no supplier with the code {code}.")
        made = secrets.verify(supplier=supplier, now=clock.now())
        self.stdout.write(f"{supplier.name} is verified. Its signing secret, shown once:")
        self.stdout.write(made.value)
