"""`manage.py rebuild HOUSEHOLD`: folds a household's contacts and decisions again."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from notifications import feed
from notifications.models import Appointment, Card, Fact, Journey, Promise, Survey
from owners import clock
from owners.models import Household

PROJECTIONS = {
    "journeys": Journey.objects,
    "facts": Fact.objects,
    "appointments": Appointment.objects,
    "surveys": Survey.objects,
    "promises": Promise.objects,
    "cards": Card.objects,
}
# A card's version counts its changes and is the one thing that folding again may raise.
IGNORED = {"id", "version", "changed_at"}


class Command(BaseCommand):
    """Makes the projections anew and says what differs: nothing should."""

    help = "Make a household's journeys, facts, appointments, surveys, promises and cards anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the household."""
        parser.add_argument("household", help="its public UUID")

    def handle(self, *, household: str, **_options: Any) -> None:
        found = _household(household)
        before = projections(found)
        feed.rebuild(household=found, now=clock.now())
        after = projections(found)
        for name in before:
            kept = {uuid for uuid, row in before[name].items() if after[name].get(uuid) == row}
            changed = len(before[name].keys() | after[name].keys()) - len(kept)
            self.stdout.write(f"{name}: {len(kept)} the same, {changed} changed")


def _household(uuid: str) -> Household:
    try:
        return Household.objects.get(uuid=UUID(uuid))
    except (ValueError, Household.DoesNotExist) as error:
        raise CommandError(f"There is no household {uuid}.") from error


def projections(household: Household) -> dict[str, dict[str, dict[str, object]]]:
    """Return the household's projections: for each kind, rows by public UUID.

    Rows refer to each other by primary key, which a rebuild keeps or renews; so a
    reference to a journey is given by its UUID.
    """
    uuids = dict(Journey.objects.filter(household=household).values_list("pk", "uuid"))
    found: dict[str, dict[str, dict[str, object]]] = {}
    for kind, rows in PROJECTIONS.items():
        found[kind] = {
            str(row["uuid"]): {
                name: uuids.get(value) if name == "journey_id" else value
                for name, value in row.items()
                if name not in IGNORED
            }
            for row in rows.filter(household=household).values()
        }
    return found
