"""Brings an export into an empty account: every row and file of it, or nothing at all.

Rows are written as they are, under the public ids they have where these are free here,
else all of them under new ones. What belongs to the server and not to the owner (secrets,
sign-in, tries to reach somebody) is not in it (`export_files.NOT_RESTORED`). Journeys and
cards are then folded again from contacts and decisions, so that nothing stands on a card
which no contact says; nobody is told of anything by it, and nothing goes out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid5

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Field, ForeignKey, Model
from django.utils.translation import gettext_noop

from assets import documents, sniffing, vault
from assets.choices import FindableKind
from assets.models import (
    Asset,
    AssetIdentifier,
    AwaitedWords,
    Document,
    Label,
    RecallNotice,
    Tag,
)
from config import archives, privacy
from config.archives import Archive, ArchiveError, Part
from config.export_files import NOT_RESTORED
from notifications import feed
from notifications.choices import NotificationState
from notifications.models import Journey, Notification
from notifications.own_matters import STEWARD, steward
from owners import access, restores, sealing
from owners.choices import Rank, RestoreState
from owners.models import Household, Membership, Owner
from owners.privacy import Table, columns_of
from suppliers.announcements import Announcement
from suppliers.choices import EventState
from suppliers.models import (
    Contact,
    HomeFact,
    InboundEvent,
    Mandate,
    OutboundEvent,
    OutboundState,
    Supplier,
    new_alias,
    new_owner_ref,
)

LOT = 500
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LOST = ".lost.txt"
# What was to go out over there goes out there, and not from here as well.
STAYED = "brought in from another server, where it waited"
Progress = Callable[[int], None]


@dataclass(slots=True)
class _Way:
    """What is known while an export is brought in."""

    archive: Archive
    owner: Owner
    key: UUID  # of this import: new ids follow from it
    now: datetime
    progress: Progress
    # Whoever runs the server vouches for the file: else a row of it proves nothing of others.
    is_vouched: bool = False
    swapped: dict[str, str] = field(default_factory=dict)  # public ids that are taken here
    # Of each model: the key of the row that an id of the file stands for.
    keys: dict[type[Model], dict[str, int]] = field(default_factory=dict)
    homes: list[int] = field(default_factory=list)
    kept: list[UUID] = field(default_factory=list)  # bytes in the vault, to be forgotten again
    made: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    paths: dict[str, dict[str, str]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)


def refuse_unless_empty(owner: Owner) -> None:
    """Raise ArchiveError where something is kept that an import would stand beside."""
    homes = Household.objects.for_owner(owner)
    is_kept = (
        Asset.objects.filter(household__in=homes).exists()
        or Document.objects.filter(household__in=homes).exists()
        or Mandate.objects.filter(household__in=homes).exists()
        or Contact.objects.filter(household__in=homes).exists()
    )
    if is_kept:
        raise ArchiveError(
            "not_empty",
            gettext_noop(
                "There are things in your account already. Two households are not poured into "
                "one: sign up with another address and bring it in there."
            ),
        )
    shared = Membership.objects.filter(household__in=homes).exclude(owner=owner)
    if shared.exists():
        raise ArchiveError(
            "not_alone",
            gettext_noop("Others are in your household. Bring it in where you are alone."),
        )


def bring_in(
    *,
    archive: Archive,
    owner: Owner,
    key: UUID,
    now: datetime,
    progress: Progress,
    is_vouched: bool = False,
) -> dict[str, Any]:
    """Write an export; return how many rows were written, by section, and left out.

    Anybody can write a ZIP, so nothing in it is put down to a supplier that others know,
    unless it `is_vouched` for by whoever runs the server.

    Raises ArchiveError, with nothing written, for what cannot be brought in.
    """
    for read in archive.check_hashes():
        progress(read)
    way = _Way(
        archive=archive, owner=owner, key=key, now=now, progress=progress, is_vouched=is_vouched
    )
    try:
        with transaction.atomic():
            # One at a time for an owner, who stays as empty as was just seen.
            Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)
            refuse_unless_empty(owner)
            _write(way)
    except ArchiveError:
        _forget(way)
        raise
    except DatabaseError as error:
        _forget(way)
        raise ArchiveError(
            "unfit",
            gettext_noop("Something in it does not fit together, so nothing was brought in."),
            str(error).splitlines()[0][:200],
        ) from error
    except BaseException:
        _forget(way)
        raise
    return {"made": way.made, "left_out": way.left_out}


def _write(way: _Way) -> None:
    parts = {part.name: part for part in way.archive.plan.parts}
    tables = _in_order(
        {
            name: section
            for name, section in privacy.TABLES.items()
            if isinstance(section, Table) and name not in NOT_RESTORED
        }
    )
    for name in tables:
        if name not in parts:
            raise ArchiveError("missing", gettext_noop("A table is missing from it."), name)
    if strange := parts.keys() - privacy.TABLES.keys():
        raise ArchiveError(
            "newer",
            gettext_noop("It was made by a newer Steward. Bring this server up to date first."),
            min(strange),
        )
    _find_free_names(way, tables, parts)
    own = list(Household.objects.for_owner(way.owner).order_by("pk"))
    with pgtrigger.ignore():  # histories are in the export: nothing is new
        for name, table in tables.items():
            _write_table(way, table, parts[name])
    for home in own if way.homes else ():
        # It was empty, and another stands in its place.
        privacy.erase_household(household=home, now=way.now)
    _finish(way)


def _find_free_names(way: _Way, tables: Mapping[str, Table], parts: Mapping[str, Part]) -> None:
    """Give every row a new public id where one of them is taken here."""
    ids: list[str] = []
    is_taken = False
    for name, table in tables.items():
        if "uuid" not in {one.name for one in columns_of(table.model)} or table.model is Supplier:
            continue
        lot: list[str] = []
        for row in way.archive.rows(parts[name]):
            lot.append(_uuid_of(row.get("id"), parts[name]))
            if len(lot) >= LOT:
                is_taken = is_taken or _are_taken(table.model, lot)
                ids += lot
                lot = []
        is_taken = is_taken or _are_taken(table.model, lot)
        ids += lot
    if is_taken:
        way.swapped = {one: str(uuid5(way.key, one)) for one in ids}


def _are_taken(model: type[Model], names: Sequence[str]) -> bool:
    return bool(names) and model._base_manager.filter(uuid__in=names).exists()  # noqa: SLF001 - any model


def _uuid_of(value: Any, part: Part) -> str:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ArchiveError("row", gettext_noop("A row in it cannot be read."), part.file)
    return value


def _in_order(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Return the tables so that each comes after those it refers to."""
    of_model = {table.model: name for name, table in tables.items()}
    found: dict[str, Table] = {}

    def take(name: str) -> None:
        if name in found:
            return
        model = tables[name].model
        for column in columns_of(model):
            target = column.related_model if isinstance(column, ForeignKey) else None
            if target is not model and target in of_model:
                take(of_model[target])
        found[name] = tables[name]

    for name in tables:
        take(name)
    return found


def _write_table(way: _Way, table: Table, part: Part) -> None:
    model = table.model
    keys = way.keys.setdefault(model, {})
    later: list[tuple[str, str, str]] = []  # row, column, and the row of the table it names
    lot: list[tuple[str, Model]] = []
    written = 0
    for number, row in enumerate(_rows(way, part), start=1):
        try:
            built = _built(way, table, row, later)
        except (ValidationError, ValueError, TypeError, KeyError, ArithmeticError) as error:
            raise ArchiveError(
                "row",
                gettext_noop("A row in it cannot be read."),
                f"{part.file}, {number}: {error}",
            ) from error
        if built is None:
            if str(row["id"]) not in keys:
                way.left_out[part.name] = way.left_out.get(part.name, 0) + 1
            continue
        lot.append((str(row["id"]), built))
        if len(lot) >= LOT:
            written += _insert(model, lot, keys)
            lot = []
    written += _insert(model, lot, keys)
    for name, column, named in later:
        if name in keys and named in keys:
            row_ = model._base_manager.filter(pk=keys[name])  # noqa: SLF001 - any model
            row_.update(**{column: keys[named]})
    way.made[part.name] = written
    if model is Household:
        way.homes = list(keys.values())


def _rows(way: _Way, part: Part) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table in the names of this server."""
    me, there = str(way.owner.uuid), way.archive.plan.owner
    if not way.swapped and me == there:
        yield from way.archive.rows(part)
        return
    swapped = {**way.swapped, there: me}

    def renamed(value: Any) -> Any:
        if isinstance(value, str):
            return _UUID.sub(lambda found: swapped.get(found[0], found[0]), value)
        if isinstance(value, list):
            return [renamed(one) for one in value]
        if isinstance(value, dict):
            return {renamed(name): renamed(one) for name, one in value.items()}
        return value

    for row in way.archive.rows(part):
        yield renamed(row)


def _built(
    way: _Way, table: Table, row: Mapping[str, Any], later: list[tuple[str, str, str]]
) -> Model | None:
    """Return a row as it is written here; None for what is not brought in, or is here."""
    model = table.model
    plain, references = table.columns()
    wanted = {*plain, *references}
    if strange := row.keys() - wanted:
        raise ValueError(f"{min(strange)} is no column")
    if lacking := wanted - row.keys():
        raise ValueError(f"{min(lacking)} is missing")
    made: Any = model()
    is_version = any(column.name == "pgh_obj" for column in columns_of(model))
    for column in columns_of(model):
        if isinstance(column, ForeignKey):
            key = _reference(way, column, row[column.name], row, later)
            if key is None and not column.null:
                return None
            if key is None and column.related_model is Household and model is not RecallNotice:
                raise ValueError("household is empty")  # it would hold for everybody
            setattr(made, column.attname, key)
        elif column.name == "uuid":
            made.uuid = UUID(row["id"])
        elif column.name in table.named:
            setattr(made, column.name, _numbers(way, table, column.name, row[column.name]))
        elif column.name == "id" and is_version:
            continue  # the number of what it is a version of: see below
        elif column.name in row and not column.primary_key:
            setattr(made, column.name, _value(column, row[column.name]))
    if is_version:
        made.id = made.pgh_obj_id or 0  # of what is gone, none
    adapt = _ADAPTED.get(model)
    return made if adapt is None or adapt(way, made, row) else None


def _numbers(way: _Way, table: Table, name: str, value: Any) -> Any:
    """Return the numbers here of what public ids name; 0 for nobody's."""
    known = way.keys[table.named[name]]
    if isinstance(value, list):
        return [known[str(one)] for one in value]
    return 0 if value is None else known[str(value)]


def _reference(
    way: _Way,
    column: ForeignKey[Any, Any],
    value: Any,
    row: Mapping[str, Any],
    later: list[tuple[str, str, str]],
) -> int | None:
    if value is None:
        return None
    target = column.related_model
    if target is Owner:
        return way.owner.pk if str(value) == str(way.owner.uuid) else None
    if target is column.model:
        later.append((str(row["id"]), column.attname, str(value)))
        return None
    return way.keys.get(target, {}).get(str(value))


def _value(column: Field[Any, Any], value: Any) -> Any:
    """Return a value as its column takes it; raises ValidationError or ValueError."""
    if value is None:
        if not column.null:
            raise ValueError(f"{column.name} is empty")
        return None
    if isinstance(column, ArrayField):
        return [_value(column.base_field, one) for one in value]
    kind = column.get_internal_type()
    if kind in ("CharField", "TextField", "SlugField", "URLField", "EmailField"):
        if not isinstance(value, str) or len(value) > (column.max_length or len(value)):
            raise ValueError(f"{column.name} is no text, or too long")
    elif kind == "JSONField":
        return value
    found = column.to_python(value)
    if column.choices and found not in (None, "") and found not in dict(column.flatchoices):
        raise ValueError(f"{column.name} is none of its words")
    return found


def _insert(model: type[Model], lot: Sequence[tuple[str, Model]], keys: dict[str, int]) -> int:
    """Write rows exactly as they are: no time of now, no default, no signal."""
    if not lot:
        return 0
    columns = [column for column in columns_of(model) if not column.primary_key]
    pk = model._meta.pk  # noqa: SLF001 - any model
    rows: Any = model._base_manager.all()  # noqa: SLF001 - any model
    made = rows._insert(  # noqa: SLF001 - `bulk_create` would set times
        [row for _name, row in lot], fields=columns, returning_fields=[pk], raw=True
    )
    for (name, _row), (key, *_rest) in zip(lot, made, strict=True):
        keys[name] = key
    return len(lot)


# -- what means something else here ---------------------------------------------------------


def _household(way: _Way, row: Household, _said: Mapping[str, Any]) -> bool:
    row.intake_alias, row.is_demo, row.purged_at = f"in{token_hex(8)}", False, None
    row.needs_words = False
    return True


def _membership(way: _Way, row: Membership, _said: Mapping[str, Any]) -> bool:
    if row.owner_id is None:
        return False
    row.rank = Rank.ADMIN  # there is nobody else
    row.intake_number = row.next_digest_at = row.digested_until = row.weekly_until = None
    return True


def _supplier(way: _Way, row: Supplier, said: Mapping[str, Any]) -> bool:
    """Make any supplier this household's own word; if vouched for, use the one verified here.

    What a file says would else stand in that supplier's log and count against it, and take
    the ids of events that it has yet to send to others.
    """
    keys = way.keys[Supplier]
    if said["code"] == STEWARD:
        keys[said["id"]] = steward().pk
        return False
    known = Supplier.objects.filter(code=row.code)
    verified = known.filter(verified_at__isnull=False, is_active=True).first()
    if way.is_vouched and verified is not None and said["verified_at"]:
        keys[said["id"]] = verified.pk
        return False
    if known.exists() or not way.is_vouched:
        row.code = f"{row.code[:45]}-{token_hex(4)}"
    if Supplier.objects.filter(uuid=row.uuid).exists():
        row.uuid = uuid5(way.key, said["id"])
    row.verified_at = None
    return True


def _mandate(way: _Way, row: Mandate, _said: Mapping[str, Any]) -> bool:
    taken = Mandate.objects
    if taken.filter(owner_ref=row.owner_ref).exists():
        row.owner_ref = new_owner_ref()
    if taken.filter(alias=row.alias).exists():
        row.alias = new_alias()
    return True


def _inbound(way: _Way, row: InboundEvent, said: Mapping[str, Any]) -> bool:
    row.lease_until, row.claims = None, 0
    if row.state == EventState.STORED:
        row.state = EventState.PARKED  # it is read over there
    ours = InboundEvent.objects.filter(
        supplier=row.supplier_id, source=row.source, event_id=row.event_id
    )
    if ours.exists():
        return False  # the same message is here already
    body = way.archive.content(_paths(way, "raw/").get(_original(way, str(row.uuid)), ""))
    row.body_hash = hashlib.sha256(body or row.uuid.bytes).digest()
    row.payload = body and sealing.seal(
        body, table="suppliers_inboundevent", key=str(row.uuid), field="payload"
    )
    return True


def _outbound(way: _Way, row: Any, _said: Mapping[str, Any]) -> bool:
    if row.state == OutboundState.PENDING:
        row.state, row.detail, row.lease_until = OutboundState.FAILED, STAYED, None
    return True


def _notification(way: _Way, row: Any, _said: Mapping[str, Any]) -> bool:
    if row.state == NotificationState.PLANNED:
        row.state = NotificationState.SUPERSEDED
    return True


def _document(way: _Way, row: Document, said: Mapping[str, Any]) -> bool:
    """Keep the bytes, when they are what the row says they are."""
    if row.url:
        row.sha256 = hashlib.sha256(row.url.encode()).digest()
        return True
    row.has_thumb = row.has_text = row.awaits_reading = False
    path = _paths(way, "documents/").get(_original(way, str(row.uuid)), "")
    content = way.archive.content(path) if path and not path.endswith(_LOST) else None
    if content is None:
        row.sha256 = hashlib.sha256(b"").digest()
        return True
    if sniffing.media_type(content) != row.media_type or len(content) > sniffing.MOST:
        raise ArchiveError(
            "document", gettext_noop("A paper in it is not what its row says it is."), path
        )
    row.size, row.sha256 = len(content), hashlib.sha256(content).digest()
    try:
        vault.put(row.uuid, content)
    except vault.VaultError as error:
        raise ArchiveError(
            "no_room", gettext_noop("There is no room for it now. Try again later."), path
        ) from error
    way.kept.append(row.uuid)
    return True


def _notice(way: _Way, row: RecallNotice, said: Mapping[str, Any]) -> bool:
    """Use what the authority published, where it is known here; else it is this home's."""
    if said["household"] is None:
        known = RecallNotice.objects.filter(
            source=row.source, number=row.number, household=None
        ).first()
        if known is not None:
            way.keys[RecallNotice][said["id"]] = known.pk
            return False
        row.household_id = way.homes[0] if way.homes else None
    return True


def _home_fact(way: _Way, row: HomeFact, said: Mapping[str, Any]) -> bool:
    row.set_value(str(said["value"]))
    return True


def _announcement(way: _Way, row: Announcement, said: Mapping[str, Any]) -> bool:
    row.seal(value=str(said["value"] or ""), before="")
    return True


def _folded(name: str) -> Callable[[_Way, Any, Mapping[str, Any]], bool]:
    def fold(_way: _Way, row: Any, _said: Mapping[str, Any]) -> bool:
        row.folded = row.fold(getattr(row, name))
        return True

    return fold


def _label(way: _Way, row: Any, _said: Mapping[str, Any]) -> bool:
    return not Label.objects.filter(code=row.code).exists()


_ADAPTED: dict[type[Model], Callable[[_Way, Any, Mapping[str, Any]], bool]] = {
    Announcement: _announcement,
    AssetIdentifier: _folded("value"),
    Document: _document,
    HomeFact: _home_fact,
    Household: _household,
    InboundEvent: _inbound,
    Label: _label,
    Mandate: _mandate,
    Membership: _membership,
    Notification: _notification,
    OutboundEvent: _outbound,
    RecallNotice: _notice,
    Supplier: _supplier,
    Tag: _folded("name"),
}


def _paths(way: _Way, folder: str) -> dict[str, str]:
    """Return the paths in a folder by the public id that each one's name holds."""
    if folder not in way.paths:
        found = ((_UUID.search(path), path) for path in way.archive.under(folder))
        way.paths[folder] = {hit[0]: path for hit, path in found if hit is not None}
    return way.paths[folder]


def _original(way: _Way, name: str) -> str:
    """Return the id that a row had in the file."""
    if way.swapped and not way.origins:
        way.origins = {new: old for old, new in way.swapped.items()}
    return way.origins.get(name, name)


# -- afterwards -----------------------------------------------------------------------------


def _finish(way: _Way) -> None:
    for home in Household.objects.filter(pk__in=way.homes).order_by("pk"):
        feed.rebuild(household=home, now=way.now)
        for asset in Asset.objects.filter(household=home, removed_at=None).order_by("pk"):
            asset.note_words()
        for mandate in Mandate.objects.live().filter(household=home).select_related("supplier"):
            mandate.note_words()
        papers = Document.objects.filter(household=home).select_related("asset").order_by("pk")
        for paper in papers.iterator(chunk_size=LOT):
            documents.read_again(paper)
            way.progress(paper.size)
        for kind, rows in (
            (FindableKind.CONTACT, Contact.objects.filter(household=home)),
            (FindableKind.JOURNEY, Journey.objects.filter(household=home, is_emptied=False)),
        ):
            names = rows.order_by("pk").values_list("uuid", flat=True)
            AwaitedWords.objects.put((home.pk, kind, name) for name in names)
    access.note(
        kind="restored",
        actor=way.owner,
        what={"from": way.archive.plan.made_by, "made_at": way.archive.plan.made_at},
        now=way.now,
    )


def _forget(way: _Way) -> None:
    """Leave no bytes behind of what was not brought in."""
    for key in way.kept:
        vault.forget(key)


# -- in the background ----------------------------------------------------------------------


def work_due(now: datetime) -> int:
    """Bring in the file that has waited longest; return 1, or 0 without one."""
    done = restores.forget_due(now=now)
    restore = restores.claim(now=now)
    if restore is None:
        return done
    if restore.claims > restores.MOST_CLAIMS:
        restores.end(
            restore=restore,
            state=RestoreState.FAILED,
            code="given_up",
            detail=gettext_noop("It broke off several times. Whoever runs Steward can help."),
            now=now,
        )
        return 1
    # Every byte is read once to compare it and about once more to write it.
    total, read = max(1, 2 * int(restore.plan.get("size", 0))), 0

    def progress(size: int) -> None:
        nonlocal read
        before, read = 100 * read // total, read + size
        if before != 100 * read // total:
            restores.note_progress(restore, min(99, 100 * read // total))

    try:
        with restores.file_of(restore) as file:
            made = bring_in(
                archive=archives.look(file),
                owner=restore.owner,
                key=restore.uuid,
                now=now,
                progress=progress,
            )
    except ArchiveError as error:
        detail = f"{error.detail} ({error.what})" if error.what else error.detail
        restores.end(
            restore=restore, state=RestoreState.FAILED, code=error.code, detail=detail, now=now
        )
        return 1
    restores.end(restore=restore, state=RestoreState.DONE, made=made, now=now)
    return 1
