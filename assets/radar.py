"""Days that cost money if they pass: returns, registrations, guarantees, notice, claims.

Care, loans and parcels speak for themselves elsewhere; here stands what the papers say. What
a paper says is brought in line with it when it changes, and told on Today in time.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from assets import claims, duedates, faults, notices, worth
from assets.care_words import CareStatus
from assets.choices import CoverageKind, CoverageState, Lifecycle, NoticeKind
from assets.cover_words import ClaimState, Standing
from assets.models import (
    Acquisition,
    Asset,
    CareTask,
    Claim,
    Contract,
    Coverage,
    Issue,
    Notice,
)
from assets.models.asset import AssetQuerySet
from assets.payer_words import obligor_word
from owners.models import Owner

AHEAD = timedelta(days=366)
FAR = timedelta(days=366 * 50)
BEHIND = timedelta(days=30)  # what has just passed is still shown: some of it can be saved
MOST = 1_000
MOST_FAULTS = 200  # open at a time
# Of which a last look for faults is worth it before they end.
GUARANTEES = (
    CoverageKind.LEGAL_GUARANTEE,
    CoverageKind.COMMERCIAL_GUARANTEE,
    CoverageKind.EXTENDED_WARRANTY,
    CoverageKind.REPAIR_WARRANTY,
)


# How each is said on Today, and so long before its day.
SAID: dict[str, tuple[NoticeKind, timedelta]] = {
    "return": (NoticeKind.RETURN, timedelta(days=3)),
    "register": (NoticeKind.REGISTER, timedelta(days=7)),
    "guarantee": (NoticeKind.GUARANTEE, timedelta(days=30)),
    "cover": (NoticeKind.COVER, timedelta(days=14)),
    "notice": (NoticeKind.CANCEL, timedelta(days=14)),
    "claim": (NoticeKind.ANSWER, timedelta(0)),
    "defect": (NoticeKind.DEFECT, timedelta(days=7)),
}
OF_PAPERS = [kind for kind, _lead in SAID.values() if kind != NoticeKind.RETURN]
LATE = timedelta(days=7)  # so long after its day it is still said that it has passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """One day: what passes with it, about which asset, and where one acts."""

    kind: str  # return, register, guarantee, cover, notice, claim, defect, inspection
    on: date
    asset: Asset
    about: UUID  # the cover, contract, claim, fault or task; of a return, the asset
    text: str
    href: str
    who: str = ""  # whom it concerns

    @property
    def key(self) -> tuple[date, str, str]:
        """What orders deadlines: the next first."""
        return self.on, self.asset.name, self.text


def of_owner(owner: Owner, *, today: date) -> list[Deadline]:
    """Return the deadlines of an owner's assets, from just passed to a year ahead."""
    mine = Asset.objects.for_owner(owner).looked_after().values("pk")
    first, last = today - BEHIND, today + AHEAD
    found = _all(mine, first=first, last=last, today=today)
    found += _inspections(CareTask.objects.filter(asset__in=mine), first, last)
    return sorted(found, key=lambda deadline: deadline.key)[:MOST]


def between(mine: AssetQuerySet, *, first: date, last: date, today: date) -> list[Deadline]:
    """Return the deadlines of these assets from one day up to and with another."""
    here = mine.looked_after().values("pk")
    found = _all(here, first=first, last=last, today=today)
    return [one for one in found if first <= one.on <= last][:MOST]


def _all(mine: Any, *, first: date, last: date, today: date) -> list[Deadline]:
    found = [
        *_returns(Acquisition.objects.filter(asset__in=mine), today, last),
        *_covers(Coverage.objects.filter(asset__in=mine), first, last),
        *_contracts(Contract.objects.filter(asset__in=mine), first, last, today),
        *_claims(Claim.objects.filter(asset__in=mine), first, last),
        *_defects(Issue.objects.filter(asset__in=mine), first, last),
    ]
    return sorted(found, key=lambda deadline: deadline.key)


def heard(*, asset: Asset, now: datetime) -> None:
    """Let an asset say its deadlines as its papers are now."""
    look([asset.pk], now=now)


def look(assets: Collection[int], *, now: datetime) -> None:
    """Let assets of one household say their deadlines as their papers are now.

    What lies far ahead is noted too: it speaks when its day comes near.
    """
    rows = Asset.objects.filter(pk__in=assets).select_related("household")
    things = {asset.pk: asset for asset in rows}
    if not things:
        return
    home = next(iter(things.values())).household
    today = duedates.today_in(home.zone, now)
    mine = Asset.objects.filter(pk__in=things).looked_after().values("pk")
    found = _all(mine, first=today - LATE, last=today + FAR, today=today)
    wanted = [
        notices.Wish(
            kind=SAID[one.kind][0],
            subject=one.about,
            household=home,
            asset=one.asset,
            what=one.who,
            due_on=one.on,
            lead=SAID[one.kind][1],
        )
        for one in found
    ]
    own = {asset.uuid for asset in things.values()}
    said = Notice.objects.filter(asset__in=things, kind__in=OF_PAPERS, settled_at=None)
    papers = {*said.values_list("subject", flat=True), *(one.about for one in found)} - own
    returns = [wish for wish in wanted if wish.kind == NoticeKind.RETURN]
    others = [wish for wish in wanted if wish.kind != NoticeKind.RETURN]
    notices.bring_in_line(kinds=[NoticeKind.RETURN], subjects=own, wanted=returns, now=now)
    notices.bring_in_line(kinds=OF_PAPERS, subjects=papers, wanted=others, now=now)


def lived(*, asset: Asset, before: str, now: datetime) -> None:
    """Let an asset say its deadlines as far as it is still here."""
    heard(asset=asset, now=now)


def today_for(owner: Owner, now: Any) -> date:
    """Return the day it is for an owner: that of their first household."""
    home = owner.memberships.select_related("household").order_by("pk").first()
    return duedates.today_in(home.household.zone if home else owner.zone, now)


def _returns(rows: Any, today: date, last: date) -> Iterable[Deadline]:
    here = (Lifecycle.RECEIVED, Lifecycle.ACTIVE)
    due = rows.filter(return_by__gte=today, return_by__lte=last, asset__lifecycle__in=here)
    for row in due.select_related("asset"):
        yield Deadline(
            kind="return",
            on=row.return_by,
            asset=row.asset,
            about=row.asset.uuid,
            text=_("Last day to send it back"),
            who=row.seller,
            href=reverse("asset", args=[row.asset.uuid]),
        )


def _covers(rows: Any, first: date, last: date) -> Iterable[Deadline]:
    live = rows.exclude(state__in=[CoverageState.VOIDED, CoverageState.EXPIRED])
    ending = Q(ends_on__gte=first, ends_on__lte=last, is_lifetime=False)
    unregistered = Q(register_by__gte=first, register_by__lte=last, registered_on=None)
    for row in live.filter(ending | unregistered).select_related("asset").order_by("pk"):
        href = reverse("cover", args=[row.uuid])
        if row.register_by and row.registered_on is None and first <= row.register_by <= last:
            yield Deadline(
                kind="register",
                on=row.register_by,
                asset=row.asset,
                about=row.uuid,
                text=_("Register the guarantee"),
                who=row.obligor,
                href=href,
            )
        if row.ends_on and not row.is_lifetime and first <= row.ends_on <= last:
            is_guarantee = row.kind in GUARANTEES
            words = (
                _("%(cover)s ends: look for faults and use it before")
                if is_guarantee
                else _("%(cover)s ends")
            )
            name = " ".join(filter(None, (row.get_kind_display(), row.obligor)))
            yield Deadline(
                kind="guarantee" if is_guarantee else "cover",
                on=row.ends_on,
                asset=row.asset,
                about=row.uuid,
                text=words % {"cover": name},
                who=row.obligor,
                href=href,
            )


def _contracts(rows: Any, first: date, last: date, today: date) -> Iterable[Deadline]:
    live = rows.filter(cancelled_on=None, ends_on__isnull=False, notice_days__isnull=False)
    for row in live.select_related("asset").order_by("pk"):
        day = worth.cancel_by(row, today=today)
        if day is not None and first <= day <= last:
            yield Deadline(
                kind="notice",
                on=day,
                asset=row.asset,
                about=row.uuid,
                text=_("Last day to give notice: %(who)s") % {"who": row.party},
                who=row.party,
                href=reverse("contract", args=[row.uuid]),
            )


def _claims(rows: Any, first: date, last: date) -> Iterable[Deadline]:
    waiting = rows.filter(state__in=claims.OPEN, answer_by__gte=first, answer_by__lte=last)
    for row in waiting.exclude(state=ClaimState.DRAFT).select_related("asset"):
        yield Deadline(
            kind="claim",
            on=row.answer_by,
            asset=row.asset,
            about=row.uuid,
            text=_("An answer is expected: %(who)s")
            % {"who": row.obligor or row.get_kind_display()},
            who=row.obligor,
            href=reverse("claim", args=[row.uuid]),
        )


def _defects(rows: Any, first: date, last: date) -> Iterable[Deadline]:
    """Until when whoever pays for an open fault has to be told; a claim has told them."""
    waiting = rows.filter(removed_at=None, claims=None).open().select_related("asset__household")
    rows = list(waiting[:MOST_FAULTS])
    payers = faults.payers_for_all(rows)
    for row in rows:
        pays = (Standing.PAYS, Standing.MAYBE)
        asked = [one for one in payers[row.pk] if one.standing in pays and one.deadline]
        payer = min(asked, key=lambda one: one.deadline or date.max, default=None)
        if payer is None or payer.deadline is None or not first <= payer.deadline <= last:
            continue
        who = obligor_word(payer.obligor)
        words = _("%(fault)s: tell %(who)s") if who else _("%(fault)s: tell whoever pays")
        yield Deadline(
            kind="defect",
            on=payer.deadline,
            asset=row.asset,
            about=row.uuid,
            text=words % {"fault": row.title, "who": who},
            who=who,
            href=reverse("fault", args=[row.uuid]),
        )


def _inspections(rows: Any, first: date, last: date) -> Iterable[Deadline]:
    """When something is to be inspected; as care it speaks for itself."""
    due = rows.filter(removed_at=None, due_on__gte=first, due_on__lte=last).exclude(checklist=[])
    for row in due.exclude(status=CareStatus.PAUSED).select_related("asset"):
        yield Deadline(
            kind="inspection",
            on=row.due_on,
            asset=row.asset,
            about=row.uuid,
            text=row.name,
            href=reverse("care-task", args=[row.uuid]),
        )
