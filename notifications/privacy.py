"""What the notifications app knows of an owner: given out whole, and erased without trace."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from notifications import calendar, calendar_file, early_receipts, journey_log, models, passes
from notifications.models import (
    Appointment,
    Attempt,
    Card,
    Decision,
    Delivery,
    Digest,
    Fact,
    Journey,
    JourneyKey,
    Link,
    Notification,
    Promise,
    Receipt,
    Survey,
    Told,
)
from owners.models import Household, Owner
from owners.privacy import PIECE, Piece, Section, Whose, of_households, table
from suppliers.models import Supplier


def visits(of: Whose) -> Iterator[Piece]:
    """Yield every visit as a calendar file, one for each household."""
    for household in Household.objects.filter(pk__in=of.households).order_by("pk"):
        rows = Appointment.objects.filter(household=household, start__isnull=False)
        words = calendar_file.Words(
            name=household.name,
            kinds={"visit": "Visit", "delivery": "Delivery", "call": "Call"},
            summary="%(what)s: %(who)s (%(opens)s to %(closes)s)",
            alone="%(what)s: %(who)s",
            domain=settings.MAIL_DOMAIN,
            address=f"{settings.SITE_URL}/journeys/%(journey)s/",
        )
        entries = calendar.entries_of(rows.order_by("start", "pk"))
        zone = calendar.zone_or_nothing(household.zone) or "UTC"
        content = calendar_file.write(entries, zone=zone, words=words)
        yield Piece(name=f"calendar/{household.uuid}.ics", content=content)


def process_log(of: Whose) -> Iterator[Piece]:
    """Yield all that happened as process mining reads it."""
    name, held = journey_log.NAMES[journey_log.OCEL], bytearray()
    for content in journey_log.write(journey_log.OCEL, owner=of.owner, households=of.households):
        held += content
        if len(held) >= PIECE:
            yield Piece(name=name, content=bytes(held))
            held.clear()
    yield Piece(name=name, content=bytes(held))


SECTIONS: dict[str, Section] = {
    "process-log": process_log,
    "journeys": table("journeys", of_households(Journey), named={"suppliers": Supplier}),
    "journey-keys": table("journey-keys", of_households(JourneyKey), named={"issuer": Supplier}),
    "links": table("links", of_households(Link)),
    "facts": table("facts", of_households(Fact)),
    "appointments": table("appointments", of_households(Appointment)),
    "calendar": visits,
    "surveys": table("surveys", of_households(Survey)),
    "promises": table("promises", of_households(Promise)),
    # A card's version counts its changes on one server.
    "cards": table("cards", of_households(Card), passing=("version", "changed_at")),
    "decisions": table("decisions", of_households(Decision)),
    # What others in the household were told, and where, is theirs.
    "notifications": table(
        "notifications",
        lambda of: Notification.objects.filter(owner=of.owner, household__in=of.households),
        passing=("state", "lease_until"),
    ),
    "deliveries": table("deliveries", lambda of: Delivery.objects.filter(owner=of.owner)),
    "delivery-attempts": table(
        "delivery-attempts", lambda of: Attempt.objects.filter(delivery__owner=of.owner)
    ),
    "delivery-receipts": table(
        "delivery-receipts", lambda of: Receipt.objects.filter(delivery__owner=of.owner)
    ),
    "digests": table("digests", lambda of: Digest.objects.filter(owner=of.owner)),
    "report-wishes": table(
        "report-wishes", lambda of: models.ReportWish.objects.filter(membership__owner=of.owner)
    ),
    "told": table("told", lambda of: Told.objects.filter(owner=of.owner)),
    "calendar-feeds": table(
        "calendar-feeds", lambda of: models.CalendarFeed.objects.filter(owner=of.owner)
    ),
    "journey-ties": table("journey-ties", of_households(models.JourneyTie)),
    "care-calls": table("care-calls", of_households(models.CareCall)),
    "notice-calls": table("notice-calls", of_households(models.NoticeCall)),
    "passes": table("passes", of_households(models.Pass)),
    "pass-visits": table("pass-visits", of_households(models.PassVisit)),
    "push-devices": table(
        "push-devices", lambda of: models.PushDevice.objects.filter(owner=of.owner)
    ),
}


def not_exported() -> dict[str, str]:
    """Return the tables that no export holds, each with the reason."""
    return {
        "notifications_change": "a list for apps of which rows to read again",
        "notifications_passtry": "wrong codes of anybody, which name no household",
        "notifications_earlyreceipt": "names of mails at a provider, for an hour",
        "notifications_providerrest": "which providers refuse everybody at the moment",
    }


def purge_due(*, now: datetime) -> int:
    """Wipe what has served: secrets of ended passes, events of no mail; return how much."""
    return passes.purge_due(now=now) + early_receipts.purge_due(now=now)


def erase_household(*, household: Household, now: datetime) -> None:
    """Erase every matter of a household, and all that was told of it."""
    models.Pass.objects.filter(household=household).delete()
    Delivery.objects.filter(household=household).delete()
    Notification.objects.filter(household=household).delete()
    Digest.objects.filter(household=household).delete()
    Survey.objects.filter(household=household).delete()
    models.CareCall.objects.filter(household=household).delete()
    models.NoticeCall.objects.filter(household=household).delete()
    models.JourneyTie.objects.filter(household=household).delete()
    Decision.objects.filter(household=household).delete()
    Journey.objects.filter(household=household).delete()
    models.CalendarFeed.objects.filter(household=household).delete()


def erase_traces(*, household_id: int) -> None:
    """Erase the notes that rows of an erased household left on their way out."""
    models.Change.objects.filter(household_id=household_id).delete()


def erase_owner(*, owner: Owner, now: datetime) -> None:
    """Erase what one owner was told, everywhere."""
    Delivery.objects.filter(owner=owner).delete()
    Notification.objects.filter(owner=owner).delete()
    Digest.objects.filter(owner=owner).delete()
    Told.objects.filter(owner=owner).delete()
    models.CalendarFeed.objects.filter(owner=owner).delete()
    models.PushDevice.objects.filter(owner=owner).delete()
