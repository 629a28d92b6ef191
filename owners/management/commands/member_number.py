"""Give a member a telephone number of this installation."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from owners import households
from owners.models import Membership


class Command(BaseCommand):
    """`manage.py member_number ana@hart.example +12125550177`."""

    help = "Give a member a number at which suppliers reach them here, or take it back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the member, the number, and which household."""
        parser.add_argument("email", help="the member's account")
        parser.add_argument("number", nargs="?", default="", help="with its country: +1 212 …")
        parser.add_argument("--household", type=UUID, help="where the member has several")
        parser.add_argument("--remove", action="store_true", help="take the number back")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Give or take back one number, and say which."""
        if bool(options["number"]) == options["remove"]:
            raise CommandError("Name a number, or --remove.")
        rows = Membership.objects.filter(owner__email__iexact=options["email"])
        if options["household"]:
            rows = rows.filter(household__uuid=options["household"])
        found = list(rows.select_related("household").order_by("pk"))
        if len(found) != 1:
            homes = ", ".join(str(row.household.uuid) for row in found) or "none"
            raise CommandError(f"One household is needed, found: {homes}. See --household.")
        try:
            given = households.give_number(membership=found[0], number=options["number"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['email']}: {given or 'no number'}")
