"""Reading the feed: a page is one statement, and the cards come out ready to send.

The household's index gives the page in order wherever it starts, so the first page of
ten cards and the last of ten million cost the same. Several households are merged from
one short list each. The statement is planned once on each connection.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from notifications.choices import Section
from owners.models import Owner
from owners.prepared import fetch

_PAGE = """
    SELECT counts.needs_you, counts.new, page.changed_at, page.id, page.body
    FROM ({counts}) counts
    LEFT JOIN (
        SELECT card.changed_at::text AS changed_at, card.id, card.body AS body
        FROM owners_membership member
        {household}
        CROSS JOIN LATERAL (
            SELECT changed_at, id, coalesce(translations ->> %(language)s, body::text) AS body
            FROM notifications_card
            WHERE household_id = member.household_id {section} {after}
            ORDER BY changed_at DESC, id DESC LIMIT {limit}
        ) card
        WHERE member.owner_id = %(owner)s
        ORDER BY card.changed_at DESC, card.id DESC LIMIT {limit}
    ) page ON true
"""
_HOUSEHOLD = """
    JOIN owners_household house
        ON house.id = member.household_id AND house.uuid = %(household)s
"""
_COUNTS = """
    SELECT coalesce(sum(house.needs_you_count), 0)::bigint AS needs_you,
           coalesce(sum(member.new_count), 0)::bigint AS new
    FROM owners_membership member
    JOIN owners_household house ON house.id = member.household_id
    WHERE member.owner_id = %(owner)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The card behind which a page starts."""

    changed_at: datetime
    pk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Cards that wait for an owner, and cards changed since the last look."""

    needs_you: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Cards as JSON texts, the newest change first; `last` is None on the last page."""

    bodies: list[str]
    last: Position | None
    counts: Counts


def read(
    *,
    owner: Owner,
    limit: int,
    section: Section | None = None,
    household: UUID | None = None,
    after: Position | None = None,
) -> FeedPage:
    """Return one page of the owner's cards, over all households or of one, and the counts."""
    # The number of rows stands in the text: a plan made for any number may sort them all.
    statement = _PAGE.format(
        counts=_COUNTS,
        household=_HOUSEHOLD if household else "",
        section="AND section = %(section)s" if section else "",
        after="AND (changed_at, id) < (%(changed_at)s, %(id)s)" if after else "",
        limit=int(limit) + 1,
    )
    values: dict[str, Any] = {"owner": owner.pk, "language": owner.language}
    if section:
        values["section"] = section.value
    if household:
        values["household"] = household
    if after:
        values["changed_at"], values["id"] = after.changed_at, after.pk
    rows = fetch(statement, values)
    needs_you, new = rows[0][:2]
    cards = [row[2:] for row in rows if row[3] is not None]
    last = None
    if len(cards) > limit:
        cards = cards[:limit]
        changed_at, pk, _body = cards[-1]
        last = Position(changed_at=datetime.fromisoformat(changed_at), pk=pk)
    return FeedPage(
        bodies=[body for _changed_at, _pk, body in cards],
        last=last,
        counts=Counts(needs_you=needs_you, new=new),
    )


def counts(*, owner: Owner) -> Counts:
    """Return the owner's exact counts over all households, kept with every card write."""
    ((needs_you, new),) = fetch(_COUNTS, {"owner": owner.pk})
    return Counts(needs_you=needs_you, new=new)
