"""What the owners app knows of an owner: given out whole, and erased without trace.

Each app has such a module with the same three things: `SECTIONS` (what is exported),
`erase_household` and `erase_owner`. `config.privacy` puts them together.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
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


class Exact(DjangoJSONEncoder):
    """Writes times to the microsecond: Django's own cuts them, and what is cut is lost."""

    def default(self, o: Any) -> Any:
        """Return what is no JSON as text."""
        if isinstance(o, datetime):
            return o.isoformat().replace("+00:00", "Z")
        return o.isoformat() if isinstance(o, time) else super().default(o)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose data an export holds: the owner's own, and that of these households."""

    owner: Owner
    households: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a file; pieces with one name follow each other.

    `rows` are how many rows of a table end in it, `digest` the sum of what tells them from
    others (see `digest_of`).
    """

    name: str
    content: bytes
    rows: int = 0
    digest: int = 0


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
    are left out, unless `opened` gives them in the clear. `passing` are columns that follow
    from elsewhere, or mean something on this server only: they are written, and no part of
    what two exports are compared by. `named` gives public ids for a column of internal ones.
    Of rows with an `own` column only those are compared that name the owner.
    """

    name: str
    rows: Rows
    opened: Opened
    passing: frozenset[str] = frozenset()
    named: Mapping[str, type[Model]] = field(default_factory=dict)
    own: str = ""

    def __call__(self, of: Whose) -> Iterator[Piece]:
        """Yield the file in pieces."""
        return json_file(f"{self.name}.json", self.values(of), digest=self._digest(of))

    def values(self, of: Whose) -> Iterator[dict[str, Any]]:
        """Yield the rows in the names of the API."""
        found = self.rows(of).order_by("pk")
        known: dict[str, dict[int, str]] = {name: {} for name in self.named}
        for row in _as_values(found, self.opened):
            for name, model in self.named.items():
                row[name] = _public(model, row[name], known[name])
            yield row

    def columns(self) -> tuple[list[str], list[str]]:
        """Return the columns as they are written: the plain ones, and the references."""
        plain, references = _columns(self.model)
        names = ["id" if name == "uuid" else name for name in plain]
        return list(dict.fromkeys([*names, *self.opened])), list(references)

    @property
    def model(self) -> type[Model]:
        """What its rows are."""
        nobody = Whose(owner=Owner(pk=0), households=())
        model: type[Model] = self.rows(nobody).model
        return model

    @property
    def unstable(self) -> frozenset[str]:
        """The columns that are numbers of this database, and mean nothing on another."""
        _plain, references = _columns(self.model)
        inner = {name for name, path in references.items() if path.endswith("__pk")}
        own = set() if _has_uuid(self.model) else {"id", self.model._meta.pk.name}  # noqa: SLF001
        return frozenset(inner | own)

    def _digest(self, of: Whose) -> Callable[[Mapping[str, Any]], int]:
        left_out = self.passing | self.unstable
        people = {
            column.name
            for column in self.model._meta.concrete_fields  # noqa: SLF001 - any model
            if isinstance(column, ForeignKey) and column.related_model is Owner
        }
        me = str(of.owner.uuid)

        def digest(row: Mapping[str, Any]) -> int:
            if self.own and str(row[self.own]) != me:
                return 0
            kept = {name: value for name, value in row.items() if name not in left_out}
            for name in people & kept.keys():
                kept[name] = kept[name] if str(kept[name]) == me else None
            return digest_of(kept, me=me)

        return digest


def digest_of(row: Mapping[str, Any], *, me: str) -> int:
    """Return a number that two rows share when they say the same; sums of it compare tables.

    It is SHA-256 over the row's canonical JSON, in which the owner of the export is called
    `me`: the same things brought to another account give the same number.
    """
    text = json.dumps(row, cls=Exact, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.replace(me, "me").encode()).digest())


def table(
    name: str,
    rows: Rows,
    opened: Opened | None = None,
    *,
    passing: Collection[str] = (),
    named: Mapping[str, type[Model]] | None = None,
    own: str = "",
) -> Table:
    """Return the section that writes `rows`."""
    return Table(
        name=name,
        rows=rows,
        opened=opened or {},
        passing=frozenset(passing),
        named=named or {},
        own=own,
    )


def json_file(
    name: str,
    values: Iterator[dict[str, Any]],
    *,
    digest: Callable[[Mapping[str, Any]], int] | None = None,
) -> Iterator[Piece]:
    """Yield a JSON array, a row a line, in pieces of about a megabyte."""
    lines, size, lead, rows, total = ["["], 1, "\n", 0, 0
    for value in values:
        line = lead + json.dumps(value, cls=Exact, ensure_ascii=False)
        lines.append(line)
        size, lead, rows = size + len(line), ",\n", rows + 1
        total += digest(value) if digest is not None else 0
        if size >= PIECE:
            yield Piece(name=name, content="".join(lines).encode(), rows=rows, digest=total)
            lines, size, rows, total = [], 0, 0, 0
    lines.append("\n]\n")
    yield Piece(name=name, content="".join(lines).encode(), rows=rows, digest=total)


def csv_file(
    name: str,
    columns: list[str],
    values: Iterator[Mapping[str, Any]],
    *,
    guarded: Callable[[str], str],
) -> Iterator[Piece]:
    """Yield the same as CSV (RFC 4180, UTF-8 with its mark), in pieces of about a megabyte.

    `guarded` keeps a spreadsheet from taking a cell for a formula; what has parts of its
    own is written as JSON in its cell.
    """
    written = io.StringIO(newline="")
    written.write("\ufeff")
    lines = csv.writer(written)
    lines.writerow(columns)
    for value in values:
        lines.writerow([guarded(_cell(value.get(column))) for column in columns])
        if written.tell() >= PIECE:
            yield Piece(name=name, content=written.getvalue().encode())
            written.seek(0)
            written.truncate()
    yield Piece(name=name, content=written.getvalue().encode())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, cls=Exact, ensure_ascii=False)
    text = json.dumps(value, cls=Exact, ensure_ascii=False)
    return str(json.loads(text)) if text.startswith('"') else text


def _public(
    model: type[Model], value: int | list[int], known: dict[int, str]
) -> str | list[str] | None:
    """Return the public id of a row, or of several in their order; nothing for nobody's.

    `known` grows by what is asked for.
    """
    keys = value if isinstance(value, list) else [value]
    if new := set(keys) - known.keys() - {0}:
        rows = model._default_manager.filter(pk__in=new)  # noqa: SLF001 - any model
        known |= {pk: str(uuid) for pk, uuid in rows.values_list("pk", "uuid")}
    if isinstance(value, list):
        return [known[key] for key in keys if key in known]
    return known.get(value)


def columns_of(model: type[Model]) -> list[Any]:
    """Return the columns of a model's table."""
    return list(model._meta.concrete_fields)  # noqa: SLF001 - Django's way to the columns


def _has_uuid(model: type[Model]) -> bool:
    return any(column.name == "uuid" for column in model._meta.concrete_fields)  # noqa: SLF001 - any model


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
    has_uuid = _has_uuid(model)
    for column in model._meta.concrete_fields:  # noqa: SLF001 - any model
        if isinstance(column, BinaryField) or (column.primary_key and has_uuid):
            continue
        if isinstance(column, ForeignKey):
            key = "uuid" if _has_uuid(column.related_model) else "pk"
            references[column.name] = f"{column.name}__{key}"
        elif column.name not in ("password", "folded", "search"):
            plain.append(column.name)
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
    "households": table(
        "households",
        lambda of: Household.objects.filter(pk__in=of.households),
        passing=("intake_alias", "needs_you_count", "needs_words", "purged_at"),
    ),
    "memberships": table(
        "memberships",
        of_households(Membership),
        own="owner",
        passing=(
            "intake_number",
            "new_count",
            "next_digest_at",
            "digested_until",
            "weekly_until",
            "looked_at",
        ),
    ),
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
        "owners_restore": "a file that is brought in, kept until it is or for a day",
        "owners_restorepart": "a file that is brought in, kept until it is or for a day",
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
