"""Exports: everything of one owner, put together section by section, taken within a week."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from owners import access
from owners.choices import ExportState
from owners.models import Export, ExportPart, Owner
from owners.privacy import Section, whose

TAKEN_WITHIN = timedelta(days=7)
LEASE = timedelta(seconds=90)
MOST_CLAIMS = 8  # an export that killed its worker so often is given up
PIECES = 100  # written at once


def ask(*, owner: Owner, now: datetime) -> Export:
    """Ask for an export; while one is being made, that one is returned."""
    try:
        with transaction.atomic():
            export = Export.objects.create(owner=owner, created_at=now)
            access.note(kind="export_asked", actor=owner, now=now)
    except IntegrityError:
        return Export.objects.for_owner(owner).get(state=ExportState.WAITING)
    return export


def work(*, now: datetime, sections: Mapping[str, Section]) -> int:
    """Do the next section of the export that has waited longest; return 1, or 0 without one.

    Each section is committed with the progress, so whoever goes on after a crash repeats
    at most one.
    """
    export = _claim(now=now)
    if export is None:
        return 0
    names = list(sections)
    if export.claims > MOST_CLAIMS + len(names):
        _end(export, ExportState.FAILED, now=now)
        return 1
    if export.done < len(names):
        with transaction.atomic():
            size = _write(export, sections[names[export.done]])
            Export.objects.filter(pk=export.pk).update(
                done=export.done + 1,
                total=len(names),
                size=export.size + size,
                lease_until=None,
            )
    else:
        _end(export, ExportState.READY, now=now)
    return 1


def pieces(export: Export) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a ready export, piece by piece and in order."""
    for part in export.parts.order_by("pk").iterator(chunk_size=20):
        yield part.name, part.content


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


def _write(export: Export, section: Section) -> int:
    size = 0
    waiting: list[ExportPart] = []
    for piece in section(whose(export.owner)):
        part = ExportPart(export=export, name=piece.name)
        part.set_content(piece.content)
        waiting.append(part)
        size += len(piece.content)
        if len(waiting) >= PIECES:
            ExportPart.objects.bulk_create(waiting)
            waiting = []
    ExportPart.objects.bulk_create(waiting)
    return size


def _end(export: Export, state: ExportState, *, now: datetime) -> None:
    if state == ExportState.FAILED:
        export.parts.all().delete()
    export.state = state
    export.ready_at, export.expires_at, export.lease_until = now, now + TAKEN_WITHIN, None
    export.save(update_fields=["state", "ready_at", "expires_at", "lease_until"])
