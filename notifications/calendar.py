"""The owner's calendar: which visits there are, and who may subscribe to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from assets import radar
from assets.care_words import CareStatus
from assets.choices import NoticeKind
from assets.models import Asset, CareTask, Notice
from assets.models.asset import AssetQuerySet
from notifications import calendar_file
from notifications.agenda import Due, Entry, with_clashes
from notifications.choices import AppointmentState
from notifications.models import Appointment, CalendarFeed, Card, Change
from owners.models import Household, Owner

OVER = (AppointmentState.CANCELLED, AppointmentState.DECLINED, AppointmentState.MISSED)
TOKEN_BYTES = 16
LONGEST_TOKEN = 64
PAST, FUTURE = timedelta(days=90), timedelta(days=730)  # what a subscription holds
MOST = 1_000  # visits in one file
# Deadlines of papers stand there by themselves; what has no day of its own does not.
IN_CALENDAR = (NoticeKind.LOAN, NoticeKind.DELIVERY)
LONGEST = timedelta(days=366)  # what a supplier says beyond is shown no longer than this
READ_EVERY = timedelta(hours=1)


def between(visits: QuerySet[Appointment], *, start: datetime, end: datetime) -> list[Entry]:
    """Return the visits that touch a span of time, with their clashes."""
    touching = (
        Q(end__gt=start) | Q(end=None, start__gte=start) | Q(end=F("start"), start__gte=start)
    )
    found = visits.filter(touching, start__lt=end, journey__is_emptied=False)
    return with_clashes(entries_of(found.order_by("start", "pk")[:MOST]))


def entries_of(visits: QuerySet[Appointment]) -> list[Entry]:
    """Return visits as values; what changed of them and their journeys is read at once."""
    rows = list(visits.select_related("household", "journey__asset", "supplier"))
    changes = {
        change.object: change
        for change in Change.objects.filter(
            kind="appointment", object__in=[row.uuid for row in rows]
        )
    }
    contested = contested_journeys({row.journey_id for row in rows})
    return [
        entry_of(row, changes.get(row.uuid), is_contested=row.journey_id in contested)
        for row in rows
        if row.start is not None
    ]


def care_between(tasks: QuerySet[CareTask], *, first: date, last: date) -> list[Due]:
    """Return the care that falls due from one day up to and with another."""
    due = tasks.filter(due_on__gte=first, due_on__lte=last).exclude(status=CareStatus.PAUSED)
    return [
        Due(
            id=str(task.uuid),
            name=task.name,
            asset=task.asset.name,
            day=task.due_on,
            path=f"/care/{task.uuid}/",
            is_estimate=task.is_estimate,
            changed_at=task.created_at,
        )
        for task in due.select_related("asset").order_by("due_on", "name", "pk")[:MOST]
        if task.due_on is not None
    ]


def deadlines_between(assets: AssetQuerySet, *, first: date, last: date, today: date) -> list[Due]:
    """Return the deadlines of these assets from one day up to and with another."""
    return [
        Due(
            id=f"{one.kind}-{one.about}",
            name=one.text,
            asset=one.asset.name,
            day=one.on,
            path=one.href,
            kind=one.kind,
        )
        for one in radar.between(assets, first=first, last=last, today=today)
    ]


def notices_between(notices: QuerySet[Notice], *, first: date, last: date) -> list[Due]:
    """Return the loans that are due back and the parcels that are to come, by their days."""
    due = notices.filter(
        kind__in=IN_CALENDAR, settled_at=None, dismissed_at=None, due_on__range=(first, last)
    )
    return [
        Due(
            id=f"notice-{row.uuid}",
            name=_("%(what)s: %(who)s") % {"what": row.get_kind_display(), "who": row.what}
            if row.what
            else row.get_kind_display(),
            asset=row.asset.name,
            day=row.due_on,
            path=f"/assets/{row.asset.uuid}/",
            kind=row.kind,
            changed_at=row.raised_at,
        )
        for row in due.select_related("asset").order_by("due_on", "pk")[:MOST]
        if row.due_on is not None and row.asset is not None
    ]


def contested_journeys(journeys: Iterable[int]) -> set[int]:
    """Return the journeys for whose visit two different times were given."""
    cards = Card.objects.filter(
        journey__in=list(journeys), body__conflicts__contains=[{"fact": "window"}]
    )
    return set(cards.values_list("journey_id", flat=True))


def entry_of(row: Appointment, change: Change | None, *, is_contested: bool) -> Entry:
    """Return a visit as a value."""
    assert row.start is not None  # noqa: S101 - the callers leave those out
    asset = row.journey.asset
    return Entry(
        id=str(row.uuid),
        journey=str(row.journey.uuid),
        household=row.household_id,
        kind=row.kind,
        state=row.state,
        start=row.start,
        end=min(max(row.end or row.start, row.start), row.start + LONGEST),
        zone=zone_or_nothing(row.zone),
        who=row.supplier.name if row.supplier else "",
        asset=asset.name if asset else "",
        asset_kind=asset.kind if asset else "",
        place=row.place,
        is_live=row.state not in OVER,
        is_contested=is_contested and row.state not in (*OVER, AppointmentState.DONE),
        version=change.version if change else 1,
        changed_at=change.changed_at if change else None,
    )


def zone_or_nothing(name: str) -> str:
    """Return the name of a zone that exists; what a supplier writes may be anything."""
    try:
        return str(ZoneInfo(name)) if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


# -- subscriptions ---------------------------------------------------------------------


def subscribe(
    *, owner: Owner, household: Household, asset: Asset | None, now: datetime
) -> CalendarFeed:
    """Return the owner's subscription to a household, or to one asset; made when missing."""
    mine = CalendarFeed.objects.for_owner(owner).filter(household=household, asset=asset)
    feed = CalendarFeed(owner=owner, household=household, asset=asset, created_at=now)
    feed.set_token(secrets.token_urlsafe(TOKEN_BYTES))
    try:
        with transaction.atomic():
            found = mine.first()
            if found is not None:
                return found
            feed.save()
    except IntegrityError:  # made by another request at this moment
        return mine.get()
    return feed


def renew(*, feed: CalendarFeed, now: datetime) -> CalendarFeed:
    """Give a subscription a new address; the old one ends at once."""
    feed.set_token(secrets.token_urlsafe(TOKEN_BYTES))
    feed.created_at, feed.read_at = now, None
    feed.save(update_fields=["sealed_token", "token_index", "created_at", "read_at"])
    return feed


def revoke(*, feed: CalendarFeed, now: datetime) -> None:
    """End a subscription; its address answers like one that never was."""
    feed.revoked_at = now
    feed.save(update_fields=["revoked_at"])


def address_of(feed: CalendarFeed) -> str:
    """Return the address that a calendar app subscribes to."""
    return f"{settings.SITE_URL}/calendar/{feed.token}.ics"


def find(token: str) -> CalendarFeed | None:
    """Return the live subscription of a token while its owner is in the household."""
    if not token or len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    return (
        CalendarFeed.objects.filter(
            token_index=CalendarFeed.index(token),
            revoked_at=None,
            owner__is_active=True,
            household__memberships__owner=F("owner"),
        )
        .select_related("owner", "household", "asset")
        .first()
    )


def read(*, feed: CalendarFeed, now: datetime) -> bytes:
    """Return the file of a subscription, and note about once an hour that it is used."""
    unnoted = Q(read_at=None) | Q(read_at__lt=now - READ_EVERY)
    CalendarFeed.objects.filter(unnoted, pk=feed.pk).update(read_at=now)
    visits = Appointment.objects.filter(household=feed.household, start__isnull=False)
    if feed.asset is not None:
        visits = visits.filter(journey__asset=feed.asset)
    tasks = CareTask.objects.for_owner(feed.owner).filter(household=feed.household)
    if feed.asset is not None:
        tasks = tasks.filter(asset=feed.asset)
    due = care_between(tasks, first=(now - PAST).date(), last=(now + FUTURE).date())
    things = Asset.objects.for_owner(feed.owner).filter(household=feed.household)
    if feed.asset is not None:
        things = things.filter(pk=feed.asset.pk)
    entries = between(visits, start=now - PAST, end=now + FUTURE)
    with translation.override(feed.owner.language):
        due += deadlines_between(
            things,
            first=(now - PAST).date(),
            last=(now + FUTURE).date(),
            today=now.astimezone(ZoneInfo(feed.household.zone)).date(),
        )
        due += notices_between(
            Notice.objects.for_owner(feed.owner).filter(asset__in=things),
            first=(now - PAST).date(),
            last=(now + FUTURE).date(),
        )
        words = calendar_file.Words(
            name=_("%(name)s visits") % {"name": (feed.asset or feed.household).name},
            kinds={"visit": _("Visit"), "delivery": _("Delivery"), "call": _("Call")},
            summary=_("%(what)s: %(who)s (%(opens)s to %(closes)s)"),
            alone=_("%(what)s: %(who)s"),
            domain=settings.MAIL_DOMAIN,
            address=f"{settings.SITE_URL}/journeys/%(journey)s/",
            site=settings.SITE_URL,
        )
    return calendar_file.write(entries, due, zone=feed_zone(feed), words=words)


def feed_zone(feed: CalendarFeed) -> str:
    """Return the zone of visits that name none: the owner's, else the household's."""
    for name in (feed.owner.zone, feed.household.zone):
        if name != "UTC" and zone_or_nothing(name):
            return name
    return "UTC"
