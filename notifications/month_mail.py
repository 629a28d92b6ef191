"""The monthly report by mail: to who asked for it, once a month, in the hour of the summary.

It is a delivery like any other and never a notification. The wish is the queue: it is
claimed when its month is over, and the delivery's key names the month, so that nobody is
mailed a month twice.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import month_words, months
from notifications.choices import DeliveryPurpose
from notifications.models import Delivery, ReportWish
from notifications.months import Month
from notifications.tongue import speaking
from owners.choices import ChannelKind
from owners.models import Channel, Household, Membership, Owner
from owners.reach import at_wall_time

GO_S = 2.0  # of making reports, in one go
ALIVE = timedelta(days=7)  # a report that could not be mailed by then is on its page only


def is_wished(*, owner: Owner, household: Household) -> bool:
    """Whether the owner is mailed this household's report."""
    mine = ReportWish.objects.for_owner(owner)
    return mine.filter(membership__household=household).exists()


def wish(*, owner: Owner, household: Household, is_on: bool, now: datetime) -> None:
    """Begin or end mailing the report; the next one is that of the month that runs now."""
    membership = Membership.objects.select_related("owner", "household").get(
        owner=owner, household=household
    )
    if not is_on:
        ReportWish.objects.filter(membership=membership).delete()
        return
    ReportWish.objects.get_or_create(
        membership=membership, defaults={"next_at": next_slot(membership, now), "made_at": now}
    )


def next_slot(membership: Membership, now: datetime) -> datetime:
    """Return when the month that runs now is told: the day after it, when summaries come."""
    zone = months.zone_of(membership.owner, membership.household)
    over = Month.holding(now, zone=zone).period.until
    return at_wall_time(over, membership.digest_at, zone)


def make_due(*, now: datetime, seconds: float = GO_S) -> int:
    """Make the mails of the months that are over; return how many wishes were seen to.

    Any number of processes may call it at once: each wish is claimed by one. A go ends
    after `seconds`, as visits that are overdue wait behind it. A month that was missed
    altogether is not made up for; the last one is, and pages have them all.
    """
    seen, until = 0, time.monotonic() + seconds
    while True:
        with transaction.atomic():
            one = (
                ReportWish.objects.due(now)
                .select_related("membership__owner", "membership__household")
                .select_for_update(skip_locked=True, of=("self",))
                .first()
            )
            if one is None:
                return seen
            _mail(one.membership, now=now)
            one.next_at = next_slot(one.membership, now)
            one.save(update_fields=["next_at"])
        seen += 1
        if time.monotonic() > until:
            return seen


def _mail(membership: Membership, *, now: datetime) -> None:
    owner, household = membership.owner, membership.household
    channel = (
        Channel.objects.usable()
        .filter(owner=owner, kind=ChannelKind.EMAIL)
        .order_by("verified_at", "pk")
        .last()
    )
    if channel is None:
        return  # the page has it all the same
    month = Month.holding(now, zone=months.zone_of(owner, household)).before
    with speaking(owner.language):
        try:
            report = months.of(owner=owner, household=household, month=month, now=now)
        except months.MonthError:
            return  # they came this month: there was none before
        subject = _("%(household)s: your report for %(month)s") % {
            "household": household.name,
            "month": month_words.title(report),
        }
        text = month_words.plain(report)
    Delivery.objects.bulk_create(
        [
            Delivery(
                key=f"report:{household.pk}:{owner.pk}:{month}",
                household=household,
                owner=owner,
                purpose=DeliveryPurpose.REPORT,
                kind=ChannelKind.EMAIL,
                channel=channel,
                subject=subject[:200],
                text=text,
                next_at=now,
                expires_at=now + ALIVE,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
