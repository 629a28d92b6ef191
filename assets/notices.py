"""What the things say beside their care: stock that runs low, loans due back, parcels to come.

Every operation that changes a subject brings its notices in line in its transaction; the
sweep does for what time alone changes. Who listens is told of each that stands otherwise.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from assets import duedates
from assets.choices import Lifecycle, NoticeKind
from assets.models import Acquisition, Asset, Loan, Notice, Part
from owners import hearing, undo
from owners.models import Change, Household, Owner

DISMISSED = "notice.dismiss"
AT_ONCE = 500
ONE_DAY = timedelta(days=1)
LOAN_LEAD = timedelta(days=1)  # the day before, there is time to ask for it
UNSAID_DELIVERY = timedelta(days=14)  # after which an order without a day is asked about
# Of an asset's own life; where a step raises one, it holds while the asset is here.
RAISED_BY_STEP: dict[NoticeKind, tuple[Lifecycle, ...]] = {
    NoticeKind.REGISTER: (Lifecycle.RECEIVED, Lifecycle.ACTIVE, Lifecycle.LEAVING),
    NoticeKind.HAND_OVER: (Lifecycle.LEAVING,),
    NoticeKind.PARTING: (Lifecycle.ENDED,),
}
OF_ASSETS = (NoticeKind.LOAN, NoticeKind.DELIVERY, *RAISED_BY_STEP)
# A loan is one for as long as it lasts, whatever was said of it meanwhile; so is a recall.
LASTING = (NoticeKind.LOAN, NoticeKind.SCHEDULE, NoticeKind.RECALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A notice that is to hold."""

    kind: NoticeKind
    subject: UUID
    household: Household
    asset: Asset | None = None
    what: str = ""
    due_on: date | None = None
    lead: timedelta = timedelta(0)  # so long before its day it speaks; at once without a day
    data: Mapping[str, Any] = field(default_factory=dict)

    def speaks_at(self, now: datetime) -> datetime:
        """Return when it speaks first."""
        if self.due_on is None:
            return now
        return max(now, _morning(self.due_on - self.lead, self.household.zone))


def review_parts(parts: Iterable[Part], *, now: datetime) -> None:
    """Say of these parts which run low; what was bought again says nothing more."""
    kept = list(parts)
    if not kept:
        return
    low = [part for part in kept if part.is_low and part.removed_at is None]
    homes = Household.objects.in_bulk({part.household_id for part in low})
    things = {key for part in low for key in part.fits if len(part.fits) == 1}
    mine = Asset.objects.filter(uuid__in=things, removed_at=None, household__in=homes)
    by_uuid = {asset.uuid: asset for asset in mine}
    wanted = [
        Wish(
            kind=NoticeKind.STOCK,
            subject=part.uuid,
            household=homes[part.household_id],
            asset=by_uuid.get(part.fits[0]) if len(part.fits) == 1 else None,
            what=part.name,
        )
        for part in low
    ]
    bring_in_line(
        kinds=[NoticeKind.STOCK], subjects={part.uuid for part in kept}, wanted=wanted, now=now
    )


def review_asset(asset: Asset, *, now: datetime, raises: Collection[NoticeKind] = ()) -> None:
    """Bring in line what an asset says of its own life; `raises` is what a step begins."""
    is_here = asset.removed_at is None
    loans = list(Loan.objects.filter(asset=asset)) if is_here else []
    open_loans = [loan for loan in loans if loan.back_on is None]
    wanted = [_of_loan(asset, loan) for loan in open_loans]
    standing = Notice.objects.filter(asset=asset, settled_at=None)
    had = {NoticeKind(kind) for kind in standing.values_list("kind", flat=True)}
    bought = Acquisition.objects.filter(asset=asset).first()
    if is_here and asset.lifecycle == Lifecycle.ORDERED:
        wanted.append(_of_delivery(asset, bought, now=now))
    for kind, where in RAISED_BY_STEP.items():
        if is_here and asset.lifecycle in where and (kind in raises or kind in had):
            what = asset.maker or (bought.seller if bought else "")
            wanted.append(_of(asset, kind, what=what if kind == NoticeKind.REGISTER else ""))
    subjects = {asset.uuid, *(loan.uuid for loan in loans)}
    subjects |= set(standing.filter(kind=NoticeKind.LOAN).values_list("subject", flat=True))
    bring_in_line(kinds=OF_ASSETS, subjects=subjects, wanted=wanted, now=now)


def withdraw_all(assets: Collection[int], *, now: datetime) -> None:
    """Let assets that go without a trace say nothing more."""
    rows = Notice.objects.filter(asset__in=assets, settled_at=None)
    said = list(rows.select_related("household", "asset"))
    for row in said:
        row.settled_at = now
    Notice.objects.filter(pk__in=[row.pk for row in said]).update(settled_at=now)
    if said:
        hearing.tell(hearing.NOTICES, notices=said, is_time=False, now=now)


def propose(
    *, asset: Asset, subject: UUID, what: str, due_on: date, data: Mapping[str, Any], now: datetime
) -> None:
    """Ask the owner whether a day that a supplier names is to be planned."""
    wish = Wish(
        kind=NoticeKind.SCHEDULE,
        subject=subject,
        household=asset.household,
        asset=asset,
        what=what,
        data={**data, "due_on": due_on.isoformat()},
    )
    bring_in_line(kinds=[NoticeKind.SCHEDULE], subjects={subject}, wanted=[wish], now=now)


def withdraw_proposals(subjects: Collection[UUID], *, now: datetime) -> None:
    """Ask no more about days that were planned, or are of no use."""
    bring_in_line(kinds=[NoticeKind.SCHEDULE], subjects=subjects, wanted=[], now=now)


def dismiss(*, notice: Notice, owner: Owner, now: datetime) -> Change | None:
    """Hear no more of it while its reason lasts; None where it says nothing any more."""
    with transaction.atomic():
        kept = (
            Notice.objects.select_for_update(of=("self",))
            .select_related("household", "asset")
            .get(pk=notice.pk)
        )
        if not kept.is_open:
            return None
        kept.dismissed_at = now
        kept.save(update_fields=["dismissed_at"])
        hearing.tell(hearing.NOTICES, notices=[kept], is_time=False, now=now)
        return undo.remember(
            kind=DISMISSED,
            label=kept.what or kept.get_kind_display(),
            now=now,
            owner=owner,
            household=kept.household,
            subject=kept.uuid,
        )


def take_dismissal_back(notice: Notice, *, now: datetime) -> None:
    """Hear of it again, where it still holds."""
    notice.dismissed_at = None
    notice.save(update_fields=["dismissed_at"])
    hearing.tell(hearing.NOTICES, notices=[notice], is_time=False, now=now)


def sweep(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Let the notices speak whose time has come; return how many were looked at."""
    with transaction.atomic():
        due = Notice.objects.speaking(now).select_for_update(of=("self",), skip_locked=True)
        notices = list(due.select_related("household", "asset")[:limit])
        for notice in notices:
            notice.speaks_at = _speaks_next(notice, now)
        Notice.objects.bulk_update(notices, ["speaks_at"])
        if notices:
            hearing.tell(hearing.NOTICES, notices=notices, is_time=True, now=now)
        return len(notices)


def bring_in_line(
    *,
    kinds: Sequence[NoticeKind],
    subjects: Collection[UUID],
    wanted: Iterable[Wish],
    now: datetime,
) -> None:
    """Let exactly the wanted notices of these kinds hold about these subjects."""
    wishes = {(wish.kind, wish.subject): wish for wish in wanted}
    with transaction.atomic():
        rows = Notice.objects.filter(kind__in=kinds, subject__in=subjects)
        known: dict[tuple[NoticeKind, UUID], Notice] = {}
        for row in rows.select_related("household", "asset").order_by("pk"):
            known[NoticeKind(row.kind), row.subject] = row  # the newest
        changed: list[Notice] = []
        for key, row in known.items():
            if row.settled_at is None and key not in wishes:
                row.settled_at = now
                changed.append(row)
        new = []
        for key, wish in wishes.items():
            found = known.get(key)
            if found is not None and (found.settled_at is None or _is_same(found, wish, now)):
                if _update(found, wish, now):
                    changed.append(found)
            else:
                new.append(_made(wish, now))
        Notice.objects.bulk_update(
            changed, ["what", "due_on", "data", "speaks_at", "settled_at", "dismissed_at", "asset"]
        )
        Notice.objects.bulk_create(new, batch_size=1000)
        if changed:
            hearing.tell(hearing.NOTICES, notices=changed, is_time=False, now=now)


def _is_same(found: Notice, wish: Wish, now: datetime) -> bool:
    """Whether what holds again is what was settled: a loan, or anything on the same day."""
    if wish.kind in LASTING or found.settled_at is None:
        return True
    zone = wish.household.zone
    return duedates.today_in(zone, found.settled_at) == duedates.today_in(zone, now)


def _update(row: Notice, wish: Wish, now: datetime) -> bool:
    """Let a notice say what is wished; whether it says anything else now."""
    before = _said(row)
    is_moved = row.due_on != wish.due_on
    is_back = row.settled_at is not None
    row.what, row.due_on, row.asset = wish.what[:200], wish.due_on, wish.asset
    row.data = dict(wish.data)
    if is_back:
        row.settled_at = row.dismissed_at = None
    if is_moved or is_back:
        row.speaks_at = wish.speaks_at(now)
    return before != _said(row)


def _said(row: Notice) -> tuple[object, ...]:
    """Return what a notice says: when this changes, whoever listens hears of it."""
    sure = row.data.get("confidence")  # of a recall: that it is this very one is news
    return row.what, row.due_on, row.asset_id, row.settled_at, sure


def _made(wish: Wish, now: datetime) -> Notice:
    return Notice(
        household=wish.household,
        asset=wish.asset,
        kind=wish.kind,
        subject=wish.subject,
        what=wish.what[:200],
        due_on=wish.due_on,
        data=dict(wish.data),
        raised_at=now,
        speaks_at=wish.speaks_at(now),
    )


def _of(asset: Asset, kind: NoticeKind, *, what: str) -> Wish:
    return Wish(kind=kind, subject=asset.uuid, household=asset.household, asset=asset, what=what)


def _of_loan(asset: Asset, loan: Loan) -> Wish:
    return Wish(
        kind=NoticeKind.LOAN,
        subject=loan.uuid,
        household=asset.household,
        asset=asset,
        what=loan.borrower,
        due_on=loan.due_on,
        lead=LOAN_LEAD,
    )


def _of_delivery(asset: Asset, bought: Acquisition | None, *, now: datetime) -> Wish:
    ordered = bought.ordered_on if bought else None
    expected = bought.expected_on if bought else None
    today = duedates.today_in(asset.household.zone, now)
    return Wish(
        kind=NoticeKind.DELIVERY,
        subject=asset.uuid,
        household=asset.household,
        asset=asset,
        what=bought.seller if bought else "",
        due_on=expected or (ordered or today) + UNSAID_DELIVERY,
    )


def _speaks_next(notice: Notice, now: datetime) -> datetime | None:
    """Return when it has something more to say: the day after its own, that it is overdue."""
    if notice.due_on is None:
        return None
    late = _morning(notice.due_on + ONE_DAY, notice.household.zone)
    return late if late > now else None


def _morning(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))
