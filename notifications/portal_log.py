"""The delivery log: everything a supplier sent and got, searched as far back as it is kept.

What names rows exactly (an id, an owner_ref, a day) is found by an index. What does not (a
type, a state, a verdict) is looked for in slices of the supplier's own log: one page reads a
bounded number of rows, says how far back it came, and the next goes on from there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from suppliers.models import Contact, InboundEvent, Mandate, OutboundEvent, Supplier

PAGE = 50
SLICE = 10_000
SLICES = 10  # of one page
HALVINGS = 50  # a day is found among 2^50 rows
M = TypeVar("M", InboundEvent, OutboundEvent)

# One look for each source a supplier names, not one for each of its events.
SOURCES = """
WITH RECURSIVE found AS (
    (SELECT source FROM suppliers_inboundevent WHERE supplier_id = %(supplier)s
     ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT e.source FROM suppliers_inboundevent e
            WHERE e.supplier_id = %(supplier)s AND e.source > found.source
            ORDER BY e.source LIMIT 1)
    FROM found WHERE found.source IS NOT NULL
)
SELECT source FROM found WHERE source IS NOT NULL LIMIT %(most)s
"""
SOURCES_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to look for; everything empty is the whole log. `since` and `until` are half-open."""

    words: str = ""  # an id, the beginning of a type, or an owner_ref
    state: str = ""
    outcome: str = ""  # what became of it for the owner; of what came in
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # where the page before ended

    @property
    def is_filtered(self) -> bool:
        """Whether rows are looked for that no index names."""
        return bool(self.words or self.state or self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[M]):
    """Some rows, the newest first."""

    rows: Sequence[M]
    next: int | None = None  # the `before` of the next page
    back_to: datetime | None = None  # there is more before this; perhaps nothing that fits


def came_in(*, supplier: Supplier, asked: Asked) -> Page[InboundEvent]:
    """Return a page of what the supplier sent."""
    rows = InboundEvent.objects.filter(supplier=supplier)
    if asked.words:
        homes = list(_mandates(supplier, asked.words).values_list("household", flat=True))
        if homes:
            by_owner = Contact.objects.filter(supplier=supplier, household__in=homes)
            rows = rows.filter(pk__in=by_owner.values("inbound"))
            asked = _without_words(asked)
        elif exact := _by_id(supplier, asked.words):
            rows, asked = rows.filter(pk__in=exact), _without_words(asked)
    wanted = Q(type__startswith=asked.words) if asked.words else Q()
    if asked.state:
        wanted &= Q(state=asked.state)
    if asked.outcome:
        wanted &= Q(Exists(Contact.objects.filter(inbound=OuterRef("pk"), outcome=asked.outcome)))
    return _page(rows, wanted, asked, at="received_at", show=_without_bytes)


def went_out(*, supplier: Supplier, asked: Asked) -> Page[OutboundEvent]:
    """Return a page of what Steward told the supplier."""
    rows = OutboundEvent.objects.filter(supplier=supplier)
    if asked.words:
        mandates = list(_mandates(supplier, asked.words).values_list("pk", flat=True))
        if mandates:
            rows, asked = rows.filter(mandate__in=mandates), _without_words(asked)
        elif is_uuid(asked.words):
            rows, asked = rows.filter(uuid=asked.words), _without_words(asked)
    wanted = Q(type__startswith=asked.words) if asked.words else Q()
    if asked.state:
        wanted &= Q(state=asked.state)
    return _page(rows, wanted, asked, at="created_at", show=_with_times)


def is_uuid(text: str) -> bool:
    """Whether a text is an id of ours."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _without_bytes(rows: QuerySet[InboundEvent]) -> QuerySet[InboundEvent]:
    return rows.defer("payload")


def _with_times(rows: QuerySet[OutboundEvent]) -> QuerySet[OutboundEvent]:
    return rows.annotate(times=Count("tries"))


def _page(
    rows: QuerySet[M],
    wanted: Q,
    asked: Asked,
    *,
    at: str,
    show: Callable[[QuerySet[M]], QuerySet[M]],
) -> Page[M]:
    low, high = _first_at(rows, asked.since, at=at), _first_at(rows, asked.until, at=at)
    if asked.before is not None:
        high = asked.before if high is None else min(high, asked.before)
    if low is not None:
        rows = rows.filter(pk__gte=low)
    found: list[M] = []
    edge: tuple[int, datetime] | None = None
    for _slice in range(SLICES):
        inside = rows if high is None else rows.filter(pk__lt=high)
        edge = inside.order_by("-pk").values_list("pk", at)[SLICE - 1 : SLICE].first()
        if edge is not None:
            inside = inside.filter(pk__gte=edge[0])
        found += show(inside.filter(wanted)).order_by("-pk")[: PAGE + 1 - len(found)]
        if len(found) > PAGE:
            return Page(rows=found[:PAGE], next=found[PAGE - 1].pk)
        if edge is None:
            return Page(rows=found)
        high = edge[0]
    return Page(rows=found, next=high, back_to=edge[1] if edge else None)


def _first_at(rows: QuerySet[M], when: datetime | None, *, at: str) -> int | None:
    """Return the first key from a time on, by halving: rows are kept in the order of time.

    One more than the last where nothing is so late; None for no time.
    """
    if when is None:
        return None
    newest = rows.order_by("-pk").values_list("pk", flat=True).first()
    oldest = rows.order_by("pk").values_list("pk", flat=True).first()
    if newest is None or oldest is None:
        return 0
    low, high = oldest, newest + 1
    for _half in range(HALVINGS):
        if low >= high:
            break
        middle = (low + high) // 2
        found = rows.filter(pk__gte=middle).order_by("pk").values_list("pk", at).first()
        if found is None or found[1] >= when:
            high = middle
        else:
            low = found[0] + 1
    return low


def _mandates(supplier: Supplier, words: str) -> QuerySet[Mandate]:
    return Mandate.objects.filter(supplier=supplier, owner_ref=words)


def _by_id(supplier: Supplier, words: str) -> list[int]:
    """Return the events with this id, whatever source they name."""
    with connection.cursor() as cursor:
        cursor.execute(SOURCES, {"supplier": supplier.pk, "most": SOURCES_MOST})
        sources = [source for (source,) in cursor.fetchall()]
    named: Any = InboundEvent.objects.filter(supplier=supplier, source__in=sources, event_id=words)
    return list(named.values_list("pk", flat=True)[:PAGE])


def _without_words(asked: Asked) -> Asked:
    return Asked(
        state=asked.state,
        outcome=asked.outcome,
        since=asked.since,
        until=asked.until,
        before=asked.before,
    )
