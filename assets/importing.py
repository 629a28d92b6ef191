"""Bringing in a file: read, asked about, checked, brought in, and taken back.

Every stage goes over the rows in lots. A lot is one transaction that also moves the import
on, so a worker that dies loses one lot at most, and whoever takes over goes on where it was.
Who works at an import holds a lease on it; nobody waits for anybody's lock.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import connection, transaction
from django.utils.translation import gettext_noop

from assets import documents, duedates, import_removal, import_things, import_writing, vault
from assets.import_lots import Lot
from assets.importers import files, questions
from assets.importers.drafts import NAMES, AssetDraft
from assets.importers.faults import FileError, RowError
from assets.importers.files import folded
from assets.importers.formats import FORMATS, detect
from assets.importers.questions import AnswerError, Standing
from assets.importers.rows import Answers, Ask, Format, Row
from assets.importers.values import Evidence
from assets.importers.words import ImportState, MadeKind, RowState
from assets.models import (
    Asset,
    Import,
    Imported,
    ImportRow,
)
from owners import bulk, doorbell, sealing, undo
from owners.models import Change, Household, Owner

log = structlog.get_logger(__name__)

BROUGHT_IN = "import.run"
LEASE = timedelta(seconds=30)
READ_S = 40.0  # one go at a file, which is opened anew for each
TURN_S = 2.0  # one go at one import; then others have their turn
READ_AT_ONCE, CHECK_AT_ONCE = 500, 500
# Written and taken back in lots that grow while they are quick: what a lot costs besides its
# rows is then shared by many, and a slow machine still shows every second how far it is.
LOT_LEAST, LOT_MOST, LOT_S = 250, 2000, 0.8
ROWS_AT_ONCE = 5000  # of a file, forgotten at once
TRIES = 5  # goes that came to nothing before we stop
WAITING_MOST = 10  # imports of one household that are not over
LOOKED_AT = 20  # rows that tell which columns have no place
NAMED_MOST = 300  # things that rows only name, counted for the preview
MOST = 25 * 1024 * 1024


class BringError(Exception):
    """What was asked cannot be done to this import; `code` says why, the text says it to people."""

    def __init__(self, code: str, detail: str) -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail = code, detail


ANSWERABLE = (ImportState.ASKING, ImportState.CHECKING, ImportState.READY)
NOT_NOW = ("state", gettext_noop("It is too late for that, or too early. Look at it again."))


# -- what the owner does ---------------------------------------------------------------


def begin(
    *, household: Household, owner: Owner, name: str, content: bytes, now: datetime
) -> Import:
    """Keep a file that is to be brought in, and ring for whoever reads it."""
    if len(content) > MOST:
        raise BringError("too_large", gettext_noop("The file is larger than 25 MB."))
    if not content:
        raise BringError("empty", gettext_noop("The file is empty."))
    if Import.objects.filter(household=household).under_way().count() >= WAITING_MOST:
        raise BringError(
            "too_many", gettext_noop("Finish or cancel what you are bringing in first.")
        )
    key = uuid4()
    try:
        vault.put(key, content)
    except vault.VaultError as error:
        raise BringError(
            "no_room", gettext_noop("There is no room for it now. Try again later.")
        ) from error
    try:
        with transaction.atomic():
            run = Import.objects.create(
                uuid=key,
                household=household,
                owner=owner,
                name=documents.clean_name(name),
                size=len(content),
                created_at=now,
            )
            doorbell.ring("imports")
    except Exception:
        vault.forget(key)  # no file without its row
        raise
    return run


def form_of(run: Import) -> Format:
    """Return what kind of file it is."""
    return FORMATS[run.form]


def standing_of(run: Import, answers: Mapping[str, Any] | None = None) -> Standing:
    """Return what is settled and open of a file. Raises AnswerError."""
    return questions.stand(
        form=form_of(run),
        columns=[folded(name) for name in run.columns],
        evidence=run.evidence,
        told=run.told,
        answers=run.answers if answers is None else answers,
        currency=run.household.currency,
    )


def answers_of(run: Import, answers: Mapping[str, Any] | None = None) -> Answers:
    """Return the answers by which rows are read. Raises AnswerError."""
    standing = standing_of(run, answers)
    return questions.answered(standing, form=form_of(run), vehicle=run.told.get("vehicle", ""))


def needs_target(run: Import) -> bool:
    """Whether rows are about one asset that the file does not name."""
    standing = standing_of(run)
    return Ask.ASSET in standing.open and run.asset_id is None and not run.asset_name


def answer(
    *,
    run: Import,
    said: Mapping[str, Any],
    now: datetime,
    asset: Asset | None = None,
    asset_name: str = "",
) -> Import:
    """Take the owner's answers, and have every row checked by them.

    Raises AnswerError for an answer that is none, and BringError once it is being made.
    """
    with transaction.atomic():
        run = _locked(run, *ANSWERABLE)
        kept = {name: value for name, value in said.items() if value not in ("", None)}
        if kept.pop("form", run.form) != run.form:
            raise AnswerError("form")  # other questions would have to be answered
        if asset is not None and asset.household_id != run.household_id:
            raise AnswerError("asset")
        run.answers = kept
        run.asset = asset
        run.asset_name = "" if asset else " ".join(asset_name.split())[:120]
        answers_of(run)  # they must make sense
        standing = standing_of(run)
        if Ask.ASSET in standing.open and run.asset is None and not run.asset_name:
            raise AnswerError(Ask.ASSET)
        ImportRow.objects.filter(of=run).exclude(state=RowState.WAITING).update(
            state=RowState.WAITING, fault="", column="", said=""
        )
        _turn(run, ImportState.CHECKING)
        run.plan, run.bad, run.known = {}, 0, 0
        run.save()
        doorbell.ring("imports")
    return run


def _change_form(run: Import, slug: str) -> None:
    """Read the file as another kind than it seems, when its rows can be that."""
    form = FORMATS.get(slug)
    names = frozenset(folded(name) for name in run.columns)
    if form is None or not (form.is_mapped or form.fits(names, run.told.get("section", ""))):
        raise AnswerError("form")
    run.form = slug


def read_as(*, run: Import, form: str) -> Import:
    """Read a file as another kind than it seems, and ask about it anew. Raises AnswerError."""
    with transaction.atomic():
        run = _locked(run, *ANSWERABLE)
        _change_form(run, form)
        run.answers, run.asset, run.asset_name, run.plan = {}, None, "", {}
        run.bad = run.known = 0
        _turn(run, ImportState.ASKING)
        run.save()
    return run


def start(*, run: Import, now: datetime) -> Import:
    """Begin to write what was shown. Raises BringError when it is not ready."""
    with transaction.atomic():
        run = _locked(run, ImportState.READY)
        _turn(run, ImportState.RUNNING)
        run.began_at = now
        run.made = {}
        run.save()
        doorbell.ring("imports")
    return run


def cancel(*, run: Import, now: datetime) -> Import:
    """Stop, and take back whatever was made. Raises BringError when it is over."""
    with transaction.atomic():
        run = _locked(
            run,
            ImportState.READING,
            ImportState.ASKING,
            ImportState.CHECKING,
            ImportState.READY,
            ImportState.RUNNING,
        )
        _turn(run, ImportState.CANCELLING)
        run.save()
        doorbell.ring("imports")
    return run


def take_back(change: Change, owner: Owner, now: datetime) -> None:
    """Take back what an import made; assets that have become more than that stay."""
    with transaction.atomic():
        found = Import.objects.filter(
            household=change.household_id, uuid=undo.subject_of(change)
        ).first()
        if found is None:
            raise undo.UndoError(gettext_noop("It is gone for good."))
        try:
            run = _locked(found, ImportState.DONE)
        except BringError as error:
            raise undo.UndoError(gettext_noop("It is taken back already.")) from error
        _turn(run, ImportState.UNDOING)
        run.kept = 0
        run.save()
        doorbell.ring("imports")


def _locked(run: Import, *states: ImportState) -> Import:
    found = Import.objects.select_for_update().get(pk=run.pk)
    if found.state not in states:
        raise BringError(*NOT_NOW)
    return found


def _turn(run: Import, state: ImportState) -> None:
    """Let a stage begin; whoever works at the one before notices with the next lot."""
    run.state = state
    run.at_row, run.rows_done, run.tries = 0, 0, 0
    run.lease = run.lease_until = None


# -- what a worker does ----------------------------------------------------------------


def work_due(now_fn: Callable[[], datetime], *, seconds: float = TURN_S) -> int:
    """Work at the oldest import that waits, for a while; return how many lots were done."""
    now = now_fn()
    run = _claim(now)
    if run is None:
        return 0
    until = time.monotonic() + seconds
    try:
        if run.state == ImportState.READING:
            return _read_all(run, now_fn)
        done, size = 0, LOT_LEAST
        while (began := time.monotonic()) < until:
            done += 1
            if not _next_lot(run, now_fn(), size):
                return done
            size = _next_size(size, took=time.monotonic() - began)
    except FileError as error:
        _fail(run, error.code, now_fn())
        return 1
    _let_go(run)
    return done


def _next_size(size: int, *, took: float) -> int:
    """Return how large the next lot is, by how long the last one took in seconds."""
    if took < LOT_S / 2:
        return min(size * 2, LOT_MOST)
    return max(size // 2, LOT_LEAST) if took > LOT_S * 2 else size


def work(now: datetime) -> int:
    """Do one go of the work there is: a chore for where no worker runs."""
    return work_due(lambda: now)


def is_waiting(*, now: datetime) -> bool:
    """Whether an import waits for a worker."""
    return Import.objects.due(now).exists()


def _claim(now: datetime) -> Import | None:
    """Take the lease of one import; who came to nothing too often is not tried again."""
    with transaction.atomic():
        run = Import.objects.due(now).select_for_update(skip_locked=True).first()
        if run is None:
            return None
        run.tries += 1
        if run.tries > TRIES and run.state not in (ImportState.CANCELLING, ImportState.UNDOING):
            run.fault = "stuck"
            _turn(run, ImportState.CANCELLING)
        run.lease, run.lease_until = uuid4(), now + LEASE
        run.save(
            update_fields=["tries", "fault", "state", "at_row", "rows_done", "lease", "lease_until"]
        )
    return run


def _held(run: Import, now: datetime) -> Import | None:
    """Return the import locked for one lot, while it is ours and still wants the same."""
    found = (
        Import.objects.select_for_update(of=("self",))
        .select_related("household", "owner", "asset")
        .filter(pk=run.pk, lease=run.lease, state=run.state)
        .first()
    )
    if found is not None:
        found.lease_until, found.tries = now + LEASE, 0
    return found


def _let_go(run: Import) -> None:
    Import.objects.filter(pk=run.pk, lease=run.lease).update(lease=None, lease_until=None)


def _fail(run: Import, code: str, now: datetime) -> None:
    with transaction.atomic():
        held = _held(run, now)
        if held is not None:
            ImportRow.objects.filter(of=held).delete()
            _turn(held, ImportState.FAILED)
            held.fault, held.ended_at = code, now
            held.save()
            transaction.on_commit(lambda: vault.forget(held.uuid))


def _next_lot(run: Import, now: datetime, size: int) -> bool:
    """Do one lot of the stage, of at most `size` rows; False when there is no more for us here."""
    with transaction.atomic():
        held = _held(run, now)
        if held is None:
            return False
        stage = {
            ImportState.CHECKING: _check_lot,
            ImportState.RUNNING: _write_lot,
            ImportState.CANCELLING: _take_lot,
            ImportState.UNDOING: _take_lot,
        }[ImportState(held.state)]
        goes_on = stage(held, now, size)
        held.save()
        run.state = held.state
        return goes_on


# -- reading ---------------------------------------------------------------------------


def _read_all(run: Import, now_fn: Callable[[], datetime]) -> int:
    """Read a file's rows into the database, in lots; what was read before is not read twice."""
    try:
        content = vault.get(run.uuid)
    except vault.VaultError as error:
        raise FileError("lost") from error
    except sealing.UnsealError as error:
        raise FileError("lost") from error
    evidence = {name: Evidence.of(kept) for name, kept in run.evidence.items()}
    columns = {folded(name): name for name in run.columns}
    told: dict[str, str] = dict(run.told)
    form = FORMATS[run.form] if run.form else None
    until, lots = time.monotonic() + READ_S, 0
    rows = (record for record in files.records(content) if record.number > run.rows_read)
    for lot in _lots(rows, READ_AT_ONCE):
        for record in lot:
            if form is None:
                names = [folded(name) for name in record.columns]
                form = detect(names, record.section)
                told |= {"section": record.section} if record.section else {}
            _learn(record, form, columns, evidence, told)
        with transaction.atomic():
            held = _held(run, now_fn())
            if held is None or form is None:
                return lots
            _keep(held, lot)
            held.rows_read = lot[-1].number
            held.form, held.columns, held.told = form.slug, list(columns.values()), told
            held.evidence = {name: kept for name, one in evidence.items() if (kept := one.kept())}
            held.save()
        lots += 1
        if time.monotonic() > until:
            _let_go(run)
            return lots
    with transaction.atomic():
        held = _held(run, now_fn())
        if held is None:
            return lots
        if form is None:
            raise FileError("empty")
        held.rows_read = ImportRow.objects.filter(of=held).count()
        standing = standing_of(held)
        is_clear = not standing.open and not form.is_mapped
        _turn(held, ImportState.CHECKING if is_clear else ImportState.ASKING)
        held.save()
        if not form.keeps_file:
            transaction.on_commit(lambda: vault.forget(held.uuid))
        doorbell.ring("imports")
    return lots + 1


def _lots(records: Iterator[files.Record], size: int) -> Iterator[list[files.Record]]:
    while lot := list(islice(records, size)):
        yield lot


def _learn(
    record: files.Record,
    form: Format,
    columns: dict[str, str],
    evidence: dict[str, Evidence],
    told: dict[str, str],
) -> None:
    """Take note of what a row says about the whole file."""
    new = [name for name in record.columns if folded(name) not in columns]
    if new:
        columns |= {folded(name): name for name in new}
        if form.told is not None:
            told |= form.told(frozenset(columns))
    cells = {folded(name): cell for name, cell in record.values.items()}
    if len(columns) > files.MOST_COLUMNS * 2:
        raise FileError("columns")
    for name, cell in cells.items():
        if name not in columns:
            columns[name] = name
        evidence.setdefault(name, Evidence()).take(cell)
    if form.settles is not None:
        told |= form.settles(record.section, cells)


def _keep(run: Import, lot: Sequence[files.Record]) -> None:
    ImportRow.objects.bulk_create(
        [
            ImportRow(
                household_id=run.household_id,
                of=run,
                number=record.number,
                section=record.section[:60],
                values=_storable(record.values),
            )
            for record in lot
        ],
        batch_size=READ_AT_ONCE,
    )


def _storable(values: Mapping[str, str]) -> dict[str, str]:
    """Return cells as JSON takes them: no half of a surrogate pair; a long one is cut, and told."""
    return {
        name.encode("utf-8", "replace").decode(): cell[: files.MOST_CELL + 1]
        .encode("utf-8", "replace")
        .decode()
        for name, cell in values.items()
    }


# -- checking --------------------------------------------------------------------------


def _check_lot(run: Import, now: datetime, size: int) -> bool:
    """Read some rows as drafts without writing any: what they would make, and what is wrong."""
    waiting = ImportRow.objects.filter(of=run, number__gt=run.at_row)
    rows = list(waiting.order_by("number")[: max(size, CHECK_AT_ONCE)])
    if not rows:
        _finish_check(run)
        return False
    form, answers = form_of(run), answers_of(run)
    today = duedates.today_in(run.household.zone, now)
    counts: Counter[str] = Counter(run.plan.get("makes", {}))
    named = dict.fromkeys(run.plan.get("named", []))
    for row in rows:
        row.state, row.fault, row.column, row.said = RowState.WAITING, "", "", ""
        try:
            read = import_writing.drafts_of(row, form, answers)
            if read is None:
                row.state, row.key = RowState.EMPTY, ""
                continue
            import_writing.check(read.drafts, today)
        except RowError as error:
            row.state, row.fault = RowState.BAD, error.code
            row.column, row.said, row.key = error.column[:120], error.value[:200], ""
            run.bad += 1
            continue
        row.key = read.key[:180]
        counts.update(NAMES[type(draft)] for draft in read.drafts)
        for draft in read.drafts:
            if not isinstance(draft, AssetDraft) and draft.whose.name and len(named) < NAMED_MOST:
                named[draft.whose.name] = None
    _store(rows, "key")
    run.at_row = rows[-1].number
    run.rows_done += len(rows)
    run.plan = {"makes": dict(counts), "named": list(named)}
    return True


def _store(rows: Sequence[ImportRow], *more: str) -> None:
    """Keep what became of rows, in one statement that names no row twice."""
    fields = ("id", "state", "fault", "column", "said", *more)
    bulk.update(ImportRow, [{name: getattr(row, name) for name in fields} for row in rows])


NUMBER_TURNS = """
    UPDATE assets_importrow AS r SET turn = n.turn FROM (
        SELECT id, row_number() OVER (PARTITION BY key ORDER BY number) AS turn
        FROM assets_importrow WHERE of_id = %s AND key <> ''
    ) n WHERE n.id = r.id AND r.turn <> n.turn
"""
MARK_KNOWN = """
    UPDATE assets_importrow AS r SET state = 'known' FROM assets_imported i
    WHERE r.of_id = %s AND r.state = 'waiting' AND i.household_id = r.household_id
      AND i.source = %s AND i.key = CASE WHEN r.turn > 1
          THEN left(r.key, 170) || '~' || r.turn ELSE r.key END
"""


def _finish_check(run: Import) -> None:
    """Tell rows that say the same apart, and find those that were brought in before."""
    import_removal.forget_gone(run, form_of(run).source)
    with connection.cursor() as cursor:
        cursor.execute(NUMBER_TURNS, [run.pk])
        cursor.execute(MARK_KNOWN, [run.pk, form_of(run).source])
        run.known = cursor.rowcount
    named = run.plan.get("named", [])
    here = Asset.objects.filter(household=run.household_id, removed_at=None, name__in=named)
    missing = set(named) - set(here.values_list("name", flat=True))
    missing -= {
        name
        for name in missing
        if ImportRow.objects.filter(of=run, key__in=[f"car:{name}", f"name:{name}"]).exists()
    }
    run.plan |= {"named": sorted(missing)}
    _turn(run, ImportState.READY)
    run.rows_done = run.rows_read


def sample(run: Import, limit: int = 6) -> list[tuple[ImportRow, Any]]:
    """Return the first rows with what each becomes: its drafts, or why it is left out."""
    form = form_of(run)
    try:
        answers = answers_of(run)
    except AnswerError:
        return []
    found: list[tuple[ImportRow, Any]] = []
    today = duedates.today_in(run.household.zone, run.created_at) + timedelta(days=31)
    for row in ImportRow.objects.filter(of=run).order_by("number")[:limit]:
        try:
            read = import_writing.drafts_of(row, form, answers)
            if read is not None:
                import_writing.check(read.drafts, today)
                found.append((row, read))
        except RowError as error:
            found.append((row, error))
    return found


# -- bringing in -----------------------------------------------------------------------


def _write_lot(run: Import, now: datetime, size: int) -> bool:
    """Write some rows with everything that they become."""
    waiting = ImportRow.objects.filter(of=run, state=RowState.WAITING, number__gt=run.at_row)
    rows = list(waiting.order_by("number")[: 1 if form_of(run).keeps_file else size])
    if not rows:
        return _finish(run, now)
    lot = Lot(
        run=run,
        form=form_of(run),
        answers=answers_of(run),
        now=now,
        today=duedates.today_in(run.household.zone, now),
        target=run.asset,
    )
    if run.asset_name and run.asset is None:
        run.asset = lot.target = import_things.make_target(lot, run.asset_name)
    import_writing.write(lot, rows)
    states = Counter(row.state for row in rows)
    _store([row for row in rows if row.state == RowState.BAD])
    # What was made is noted as such; its row has nothing more to say.
    import_removal.forget_rows(row.pk for row in rows if row.state != RowState.BAD)
    run.bad += states[RowState.BAD]
    run.known += states[RowState.KNOWN]
    run.made = dict(Counter(run.made) + lot.made)
    run.at_row = rows[-1].number
    run.rows_done += len(rows)
    return True


def _finish(run: Import, now: datetime) -> bool:
    """Tie parts to what they are parts of, forget the rows, and keep what undoes it all."""
    empty = ImportRow.objects.filter(of=run).exclude(state=RowState.BAD)
    if some := list(empty.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        import_removal.forget_rows(some)
        return True
    _tie(run)
    _turn(run, ImportState.DONE)
    run.rows_done, run.ended_at = run.rows_read, now
    transaction.on_commit(lambda: vault.forget(run.uuid))
    if run.made:
        undo.remember(
            kind=BROUGHT_IN,
            label=run.name,
            now=now,
            owner=run.owner,
            household=run.household,
            subject=run.uuid,
        )
    return False


def _tie(run: Import) -> None:
    """Make assets parts of others; a circle is left open where it would close."""
    mine = Imported.objects.filter(of=run, kind=MadeKind.ASSET).exclude(parent_key="")
    links = dict(mine.values_list("object", "parent_key"))
    if not links:
        return
    keys = set(links.values())
    known = Imported.objects.filter(
        household=run.household_id, source=form_of(run).source, key__in=keys, kind=MadeKind.ASSET
    )
    parents = {str(key): pk for key, pk in known.values_list("key", "object")}
    names = {key.removeprefix("name:") for key in keys if key.startswith("name:")}
    here = Asset.objects.filter(household=run.household_id, removed_at=None)
    for pk, name in here.filter(name__in=names).order_by("-pk").values_list("pk", "name"):
        parents[f"name:{name}"] = pk
    above = dict(
        Asset.objects.filter(household=run.household_id)
        .exclude(parent=None)
        .values_list("pk", "parent_id")
    )
    tied = []
    for child, key in links.items():
        parent = parents.get(key)
        if parent is None or _is_under(parent, child, above):
            continue
        above[child] = parent
        tied.append(Asset(pk=child, parent_id=parent))
    Asset.objects.bulk_update(tied, ["parent"], batch_size=500)


def _is_under(asset: int, other: int, above: Mapping[int, int | None]) -> bool:
    at: int | None = asset
    while at is not None:
        if at == other:
            return True
        at = above.get(at)
    return False


# -- taking back -----------------------------------------------------------------------


def _take_lot(run: Import, now: datetime, size: int) -> bool:
    """Take back some of what was made: records first, then assets, then words and fields."""
    if taken := import_removal.take(run, now, size):
        run.rows_done += taken
        return True
    rows = ImportRow.objects.filter(of=run)
    if some := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        import_removal.forget_rows(some)
        return True
    is_undo = run.state == ImportState.UNDOING
    over = ImportState.UNDONE if is_undo else ImportState.CANCELLED
    _turn(run, ImportState.FAILED if run.fault else over)
    run.ended_at = now
    transaction.on_commit(lambda: vault.forget(run.uuid))
    return False


def forget_due(*, before: datetime, limit: int = 20) -> int:
    """Forget the rows that were left out of imports which ended before `before`."""
    old = Import.objects.filter(ended_at__lt=before, rows__isnull=False).distinct()
    found = list(old.order_by("ended_at").values_list("pk", flat=True)[:limit])
    ImportRow.objects.filter(of__in=found).delete()
    return len(found)


def find(*, owner: Owner, key: UUID) -> Import:
    """Return one of the owner's imports; raises Import.DoesNotExist."""
    return Import.objects.for_owner(owner).select_related("household", "asset").get(uuid=key)


def kinds_for(run: Import) -> list[Format]:
    """Return the kinds of files that this one could be; any table can be mapped."""
    names = frozenset(folded(name) for name in run.columns)
    section = run.told.get("section", "")
    return [form for form in FORMATS.values() if form.fits(names, section)]


def loose_columns(run: Import) -> list[str]:
    """Return the columns, as shown, for which its kind of file has no place of their own."""
    form = form_of(run)
    if form.is_mapped:
        return list(run.columns)
    answers = replace(answers_of(run), columns={})
    found: dict[str, None] = {}
    for row in ImportRow.objects.filter(of=run).order_by("number")[:LOOKED_AT]:
        record = files.Record(row.number, row.section, row.values)
        try:
            read = Row(record, answers)
            form.read(read)
        except RowError:
            continue
        found |= dict.fromkeys(name for name, _cell in read.rest())
    return list(found)
