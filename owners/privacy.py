"""What the owners app knows of an owner: given out whole, and erased without trace.

Each app has such a module with the same three things: `SECTIONS` (what is exported),
`erase_household` and `erase_owner`. `config.privacy` puts them together.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BinaryField, ForeignKey, Model, Q, QuerySet

from owners import access
from owners.choices import Rank
from owners.models import (
    AccessEntry,
    ApiToken,
    Change,
    Channel,
    ChannelWish,
    Household,
    Invitation,
    Membership,
    Owner,
    ReachRule,
    RequestKey,
)

ROWS = 500  # read and written at once
PIECE = 1 << 20  # bytes of one piece of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose data an export holds: the owner's own, and that of these households."""

    owner: Owner
    households: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a file; pieces with one name follow each other."""

    name: str
    content: bytes


Section = Callable[[Whose], Iterator[Piece]]
Rows = Callable[[Whose], QuerySet[Any]]
# Columns that are opened for their owner: the row's property of that name.
Opened = Mapping[str, Callable[[Any], Any]]


def whose(owner: Owner) -> Whose:
    """Return what an owner may take away: households in which they act on everything."""
    acting = Membership.objects.filter(owner=owner, rank__in=(Rank.MEMBER, Rank.ADMIN))
    ids = acting.order_by("household_id").values_list("household_id", flat=True)
    return Whose(owner=owner, households=tuple(ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A section that writes rows as one JSON file, in the names of the API.

    A reference is written as the public id of what it names. Sealed columns and hashes
    are left out, unless `opened` gives them in the clear.
    """

    name: str
    rows: Rows
    opened: Opened

    def __call__(self, of: Whose) -> Iterator[Piece]:
        """Yield the file in pieces."""
        found = self.rows(of).order_by("pk")
        return json_file(f"{self.name}.json", _as_values(found, self.opened))


def table(name: str, rows: Rows, opened: Opened | None = None) -> Table:
    """Return the section that writes `rows`."""
    return Table(name=name, rows=rows, opened=opened or {})


def json_file(name: str, values: Iterator[dict[str, Any]]) -> Iterator[Piece]:
    """Yield a JSON array in pieces of about a megabyte."""
    lines, size, lead = ["["], 1, "\n"
    for value in values:
        line = lead + json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
        lines.append(line)
        size, lead = size + len(line), ",\n"
        if size >= PIECE:
            yield Piece(name=name, content="".join(lines).encode())
            lines, size = [], 0
    lines.append("\n]\n")
    yield Piece(name=name, content="".join(lines).encode())


def _as_values(rows: QuerySet[Any], opened: Opened) -> Iterator[dict[str, Any]]:
    plain, references = _columns(rows.model)
    names = [*plain, *references.values()]
    if not opened:
        found: Iterator[Any] = rows.values(*names).iterator(chunk_size=ROWS)
        for row in found:
            yield _renamed(row, references)
        return
    for row in rows.select_related(*references).iterator(chunk_size=ROWS):
        values = {name: getattr(row, name) for name in plain}
        for name, path in references.items():
            target = getattr(row, name)
            values[path] = getattr(target, path.rpartition("__")[2]) if target else None
        yield _renamed(values, references) | {name: read(row) for name, read in opened.items()}


def _columns(model: type[Model]) -> tuple[list[str], dict[str, str]]:
    """Return the plain columns, and for each reference the path to its public id."""
    plain, references = [], {}
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented way to the columns
    has_uuid = any(field.name == "uuid" for field in fields)
    for field in fields:
        if isinstance(field, BinaryField) or (field.primary_key and has_uuid):
            continue
        if isinstance(field, ForeignKey):
            others = field.related_model._meta.concrete_fields  # noqa: SLF001 - any model
            key = "uuid" if any(other.name == "uuid" for other in others) else "pk"
            references[field.name] = f"{field.name}__{key}"
        elif field.name not in ("password", "folded", "search"):
            plain.append(field.name)
    return plain, references


def _renamed(row: Mapping[str, Any], references: Mapping[str, str]) -> dict[str, Any]:
    paths = {path: name for name, path in references.items()}
    return {"id" if name == "uuid" else paths.get(name, name): row[name] for name in row}


def of_households(model: type[Model]) -> Rows:
    """Return the rows of a model that names its household."""
    return lambda of: model._default_manager.filter(household__in=of.households)  # noqa: SLF001 - any model


SECTIONS: dict[str, Section] = {
    "owner": table("owner", lambda of: Owner.objects.filter(pk=of.owner.pk)),
    "channels": table(
        "channels",
        lambda of: Channel.objects.for_owner(of.owner),
        {"address": lambda row: row.address},
    ),
    "households": table("households", lambda of: Household.objects.filter(pk__in=of.households)),
    "memberships": table("memberships", of_households(Membership)),
    "reach": table("reach", lambda of: ReachRule.objects.filter(membership__owner=of.owner)),
    "channel_wishes": table(
        "channel_wishes", lambda of: ChannelWish.objects.filter(membership__owner=of.owner)
    ),
    "invitations": table(
        "invitations",
        lambda of: Invitation.objects.for_owner(of.owner),
        {"email": lambda row: row.address},
    ),
    "tokens": table("tokens", lambda of: ApiToken.objects.for_owner(of.owner)),
    "changes": table("changes", lambda of: Change.objects.for_owner(of.owner)),
    "access-log": table("access-log", lambda of: AccessEntry.objects.for_owner(of.owner)),
}


def not_exported() -> dict[str, str]:
    """Return the tables that no export holds, each with the reason."""
    return {
        "owners_channelcode": "codes that live for ten minutes",
        "owners_requestkey": "repeats of answers that are in the other tables",
        "owners_accesshead": "the end of everybody's log",
        "owners_export": "the export itself",
        "owners_exportpart": "the export itself",
        "owners_deletion": "what is asked for is on the page, and gone when done",
    }


def erase_household(*, household: Household, now: datetime) -> None:
    """Erase what the owners app knows of a household; the last step of erasing it."""
    members = list(household.memberships.values_list("owner_id", flat=True))
    # Answers that were given to members may repeat what the household held.
    RequestKey.objects.filter(owner__in=members).delete()
    access.blank(household_ids=[household.pk], now=now)
    household.delete()


def erase_owner(*, owner: Owner, now: datetime) -> None:
    """Erase an owner's account; their own households are erased before."""
    for session in _sessions_of(owner):
        session.delete()
    invited = Q(address_index=Channel.index("email", owner.email))
    Invitation.objects.filter(invited | Q(invited_by=owner)).delete()
    # A removed member's name and wishes lie in the bin of the household they were in.
    Change.objects.filter(Q(subject=owner.uuid) | Q(owner=owner)).delete()
    access.blank(owner_ids=[owner.pk], now=now)
    owner.delete()


def _sessions_of(owner: Owner) -> Iterator[Session]:
    keys: Any = owner.usersession_set.values_list("session_key", flat=True)  # type: ignore[attr-defined]  # allauth's model
    yield from Session.objects.filter(session_key__in=list(keys))
