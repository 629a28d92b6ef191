"""What one supplier did for one household: counts with their events, never stars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import measuring, metrics
from notifications.metrics import HOUR_S, Case, Cases, Period
from notifications.month_words import money
from owners.models import Household, Owner
from suppliers.models import Supplier

OVER = timedelta(days=365)
LEAST = 5  # closed matters from which on a share is said: below, chance speaks louder


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A supplier's facts of the last year in one household.

    `figures` has the counts by the name of their measure; `closed` how many matters they
    stand on. Middle values are None where nothing was counted.
    """

    household: Household
    supplier: Supplier
    since: datetime
    closed: int
    figures: Mapping[str, Any]
    cases: Cases
    window_hours: float | None
    reply_hours: float | None
    reply_hours_90: float | None
    is_partial: bool

    @property
    def has_shares(self) -> bool:
        """Whether there are matters enough for a share to mean anything."""
        return self.closed >= LEAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One of the six facts, and price: the counts, a share, and a sentence more."""

    name: str
    title: str
    said: str  # empty where there was nothing to count
    share: int | None = None
    more: Sequence[str] = ()
    count: int = 0  # of the cases behind it


def of(*, owner: Owner, supplier: Supplier, now: datetime) -> Card:
    """Return the card of a supplier that serves a household of the owner's.

    Where it serves several, that of the newest mandate or role.
    """
    homes = Household.objects.for_owner(owner)
    household = (
        homes.filter(mandates__supplier=supplier).order_by("-mandates__pk").first()
        or homes.filter(assets__roles__supplier=supplier).order_by("-pk").first()
    )
    if household is None:
        raise Supplier.DoesNotExist
    period = Period(since=now - OVER, until=now)
    found = measuring.read(household=household, now=now, period=period, reader=owner)
    key = str(supplier.uuid)
    # A matter with several suppliers is a fact about each of them.
    theirs = {one.name for one in found.seen.journeys if key in one.suppliers}
    cases = {
        name: [case for case in counted if _is_about(case, key, theirs)]
        for name, counted in metrics.cases(found.seen, period).items()
    }
    widths = [
        (visit.end - visit.start).total_seconds() / HOUR_S
        for visit in found.seen.visits
        if visit.supplier == key and period.has(visit.start)
    ]
    hours = sorted(case.amount / HOUR_S for case in cases["replies_s"] if case.is_part)
    return Card(
        household=household,
        supplier=supplier,
        since=period.since,
        closed=len(cases["journeys_closed"]),
        figures=metrics.summed(cases),
        cases=cases,
        window_hours=round(mean(widths), 1) if widths else None,
        reply_hours=round(median(hours), 1) if hours else None,
        reply_hours_90=metrics.nine_of_ten(hours),
        is_partial=found.is_partial,
    )


def _is_about(case: Case, supplier: str, matters: set[str]) -> bool:
    return case.journey in matters if case.kind == "journey" else case.supplier == supplier


def worded(card: Card) -> list[Fact]:
    """Return the facts in words; a share only where there is enough to count."""
    figures = card.figures
    kept, promised = figures["promises_kept"], figures["promises_made"]
    first, resolved = figures["fixed_first"]
    replied, requests = figures["replied"]
    wished, received = figures["channel_respect"]
    return [
        _part(
            card,
            "promises",
            _("Arrives when promised"),
            kept,
            promised,
            more=[
                _("Its windows are %(hours)s hours wide on average.")
                % {"hours": number_format(card.window_hours)}
            ]
            if card.window_hours is not None and card.has_shares
            else [],
        ),
        _part(card, "fixed_first", _("Fixes it first time"), first, resolved),
        Fact(
            name="re_asks",
            title=_("Asks again"),
            said=ngettext("%(n)s time", "%(n)s times", figures["re_asks"])
            % {"n": figures["re_asks"]},
            more=_per_job(card, figures["re_asks"]),
            count=figures["re_asks"],
        ),
        _part(card, "replies_s", _("Replies"), replied, requests, more=_replies(card)),
        _part(
            card,
            "channel_respect",
            _("On the channel you wish"),
            wished,
            received,
            more=[
                ngettext("%(n)s said nothing new.", "%(n)s said nothing new.", figures["absorbed"])
                % {"n": figures["absorbed"]},
                *_per_job(card, received),
            ],
        ),
        Fact(
            name="surveys_requested",
            title=_("Surveys"),
            said=ngettext("%(n)s asked for", "%(n)s asked for", figures["surveys_requested"])
            % {"n": figures["surveys_requested"]},
            more=_per_job(card, figures["surveys_requested"]),
            count=figures["surveys_requested"],
        ),
        _price(card),
    ]


def _part(
    card: Card, name: str, title: str, part: int, whole: int, *, more: Sequence[str] = ()
) -> Fact:
    said = _("%(part)s of %(whole)s") % {"part": part, "whole": whole} if whole else ""
    share = round(100 * part / whole) if card.has_shares and whole else None
    return Fact(name=name, title=title, said=said, share=share, more=list(more), count=whole)


def _per_job(card: Card, count: int) -> list[str]:
    if not card.has_shares:
        return []
    each = number_format(round(count / card.closed, 1))
    return [_("%(n)s for each closed matter.") % {"n": each}]


def _replies(card: Card) -> list[str]:
    if card.reply_hours is None or card.reply_hours_90 is None or not card.has_shares:
        return []
    return [
        _("After %(n)s hours in the middle, nine of ten within %(ninety)s hours.")
        % {
            "n": number_format(card.reply_hours),
            "ninety": number_format(card.reply_hours_90),
        }
    ]


def _price(card: Card) -> Fact:
    figures, currency = card.figures, card.household.currency
    paid, quoted = figures["paid"], figures["quoted"]
    count = len(card.cases["paid"])
    said = (
        _("%(paid)s paid, %(quoted)s quoted")
        % {"paid": money(paid, currency), "quoted": money(quoted, currency)}
        if count
        else ""
    )
    kept = sum(case.is_part for case in card.cases["paid"])
    return Fact(
        name="paid",
        title=_("Costs what was said"),
        said=said,
        share=round(100 * kept / count) if card.has_shares and count else None,
        count=count,
    )
