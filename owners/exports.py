"""Exports: everything of one owner, put together section by section, taken within a week."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from owners import access
from owners.choices import ExportState
from owners.models import Export, ExportPart, Owner
from owners.privacy import PIECE, Piece, Section, whose

TAKEN_WITHIN = timedelta(days=7)
LEASE = timedelta(seconds=90)
MOST_CLAIMS = 8  # an export that killed its worker so often is given up
WRITTEN = 4 * PIECE  # bytes written at once; a file comes as one piece
MOST_KEPT = 2  # ready ones of one owner; each is a whole copy


def ask(*, owner: Owner, now: datetime) -> Export:
    """Ask for an export; while one is being made, that one is returned."""
    try:
        with transaction.atomic():
            export = Export.objects.create(owner=owner, created_at=now)
            access.note(kind="export_asked", actor=owner, now=now)
    except IntegrityError:
        return Export.objects.for_owner(owner).get(state=ExportState.WAITING)
    return export


def work(
    *,
    now: datetime,
    sections: Mapping[str, Section],
    closing: Callable[[Export], Iterator[Piece]] | None = None,
) -> int:
    """Do the next section of the export that has waited longest; return 1, or 0 without one.

    `closing` writes the last file, which is about the others. Each section is committed
    with the progress, so whoever goes on after a crash repeats at most one.
    """
    export = _claim(now=now)
    if export is None:
        return 0
    names = list(sections)
    if export.claims > MOST_CLAIMS + len(names):
        _end(export, ExportState.FAILED, now=now)
        return 1
    steps = len(names) + (closing is not None)
    if export.done < steps:
        with transaction.atomic():
            # Held while it is written, as a large section outlasts its lease: nobody else
            # claims the row, and a section that somebody finished is not written again.
            rows = Export.objects.select_for_update(no_key=True)
            mine = rows.filter(pk=export.pk, claims=export.claims).first()
            if mine is None:
                return 0
            if export.done < len(names):
                pieces_ = sections[names[export.done]](whose(mine.owner))
            else:
                pieces_ = closing(mine) if closing is not None else iter(())
            size = _write(mine, pieces_)
            mine.done, mine.total = export.done + 1, steps
            mine.size, mine.lease_until = export.size + size, None
            mine.save(update_fields=["done", "total", "size", "lease_until"])
    else:
        _end(export, ExportState.READY, now=now)
    return 1


def pieces(export: Export) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a ready export, piece by piece and in order.

    Each piece is a read of its own: one may be a whole file, and whoever streams them may
    go on in another thread, with another connection.
    """
    for part in parts(export):
        yield part.name, part.content


def parts(export: Export) -> Iterator[ExportPart]:
    """Yield the pieces of an export's files in order, each a read of its own."""
    last = 0
    while (part := export.parts.filter(pk__gt=last).order_by("pk").first()) is not None:
        last = part.pk
        yield part


def cancel(*, export: Export, now: datetime) -> bool:
    """Give up an export that is being made, or throw a ready one away; False if it is gone.

    Whoever works on it at the moment finds it gone when the section is done.
    """
    with transaction.atomic():
        found = Export.objects.filter(pk=export.pk).delete()[1].get("owners.Export", 0)
        if found:
            access.note(kind="export_cancelled", actor=export.owner, now=now)
    return bool(found)


def find(*, owner: Owner, key: str, now: datetime) -> Export:
    """Return an owner's export that can be taken now; Export.DoesNotExist for any other."""
    ready = Export.objects.for_owner(owner).filter(state=ExportState.READY, expires_at__gt=now)
    return ready.get(uuid=key)


def forget_due(*, now: datetime) -> int:
    """Delete exports nobody may take any more; return how many."""
    return Export.objects.filter(expires_at__lte=now).delete()[1].get("owners.Export", 0)


def _claim(*, now: datetime) -> Export | None:
    with transaction.atomic():
        rows = Export.objects.due(now).select_related("owner")
        export = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if export is not None:
            export.lease_until = now + LEASE
            export.claims += 1
            export.save(update_fields=["lease_until", "claims"])
    return export


def _write(export: Export, pieces_: Iterator[Piece]) -> int:
    size = unwritten = 0
    waiting: list[ExportPart] = []
    for piece in pieces_:
        part = ExportPart(export=export, name=piece.name, rows=piece.rows)
        if piece.digest:
            part.digest = (piece.digest % (1 << 256)).to_bytes(32)
        part.set_content(piece.content)
        waiting.append(part)
        size += len(piece.content)
        unwritten += len(piece.content)
        if unwritten >= WRITTEN:
            ExportPart.objects.bulk_create(waiting)
            waiting, unwritten = [], 0
    ExportPart.objects.bulk_create(waiting)
    return size


def _end(export: Export, state: ExportState, *, now: datetime) -> None:
    if state == ExportState.FAILED:
        export.parts.all().delete()
    export.state = state
    export.ready_at, export.expires_at, export.lease_until = now, now + TAKEN_WITHIN, None
    export.save(update_fields=["state", "ready_at", "expires_at", "lease_until"])
    if state == ExportState.READY:
        ready = Export.objects.for_owner(export.owner).filter(state=ExportState.READY)
        older = list(ready.order_by("-pk").values_list("pk", flat=True)[MOST_KEPT:])
        Export.objects.filter(pk__in=older).delete()
