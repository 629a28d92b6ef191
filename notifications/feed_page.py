"""Reading the feed: a page is one statement, and the cards come out ready to send.

The household's index gives the page in order wherever it starts, so the first page of
ten cards and the last of ten million cost the same. Several households are merged from
one short list each.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from notifications.choices import Section
from owners.models import Owner

_PAGE = """
    SELECT card.changed_at, card.id, card.body::text
    FROM owners_membership member
    {household}
    CROSS JOIN LATERAL (
        SELECT changed_at, id, body FROM notifications_card
        WHERE household_id = member.household_id {section} {after}
        ORDER BY changed_at DESC, id DESC LIMIT %(limit)s
    ) card
    WHERE member.owner_id = %(owner)s
    ORDER BY card.changed_at DESC, card.id DESC LIMIT %(limit)s
"""
_HOUSEHOLD = """
    JOIN owners_household house
        ON house.id = member.household_id AND house.uuid = %(household)s
"""
_COUNTS = """
    SELECT coalesce(sum(house.needs_you_count), 0), coalesce(sum(member.new_count), 0)
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
class FeedPage:
    """Cards as JSON texts, the newest change first; `last` is None on the last page."""

    bodies: list[str]
    last: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Cards that wait for an owner, and cards changed since the last look."""

    needs_you: int
    new: int


def read(
    *,
    owner: Owner,
    limit: int,
    section: Section | None = None,
    household: UUID | None = None,
    after: Position | None = None,
) -> FeedPage:
    """Return one page of the owner's cards, over all households or of one."""
    statement = _PAGE.format(
        household=_HOUSEHOLD if household else "",
        section="AND section = %(section)s" if section else "",
        after="AND (changed_at, id) < (%(changed_at)s, %(id)s)" if after else "",
    )
    values = {
        "owner": owner.pk,
        "limit": limit + 1,
        "section": section.value if section else None,
        "household": household,
        "changed_at": after.changed_at if after else None,
        "id": after.pk if after else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    last = None
    if len(rows) > limit:
        rows = rows[:limit]
        last = Position(changed_at=rows[-1][0], pk=rows[-1][1])
    return FeedPage(bodies=[row[2] for row in rows], last=last)


def counts(*, owner: Owner) -> Counts:
    """Return the owner's exact counts over all households, kept with every card write."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"owner": owner.pk})
        needs_you, new = cursor.fetchone()
    return Counts(needs_you=int(needs_you), new=int(new))
