"""Exports that are brought in: the file waits sealed until its owner says yes, then once."""

import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import IO, Any

from django.core.cache import cache
from django.db import transaction

from owners.choices import RestoreState
from owners.models import Owner, Restore, RestorePart

PIECE = 1 << 20
KEPT = timedelta(days=1)  # an unanswered file; what was done is remembered for a month
REMEMBERED = timedelta(days=30)
LEASE = timedelta(minutes=30)  # the writing is one transaction: nobody takes it over sooner
MOST_CLAIMS = 3
MOST_WAITING = 2  # files of one owner that wait for an answer


def keep(
    *, owner: Owner, name: str, pieces: Iterable[bytes], plan: Mapping[str, Any], now: datetime
) -> Restore:
    """Keep a file that was looked at; an earlier one that was not answered goes."""
    with transaction.atomic():
        waiting = Restore.objects.for_owner(owner).filter(state=RestoreState.LOOKED_AT)
        old = list(waiting.order_by("-pk").values_list("pk", flat=True)[MOST_WAITING - 1 :])
        Restore.objects.filter(pk__in=old).delete()
        restore = Restore.objects.create(
            owner=owner,
            name=name[:200],
            size=0,
            plan=dict(plan),
            created_at=now,
            expires_at=now + KEPT,
        )
        size = 0
        for piece in pieces:
            part = RestorePart(restore=restore)
            part.set_content(piece)
            part.save()
            size += len(piece)
        restore.size = size
        restore.save(update_fields=["size"])
    return restore


def start(*, restore: Restore, now: datetime) -> bool:
    """Have a file brought in; again is nothing. False where it is over or gone."""
    waiting = Restore.objects.filter(pk=restore.pk, state=RestoreState.LOOKED_AT)
    if waiting.update(state=RestoreState.WAITING, expires_at=now + REMEMBERED):
        return True
    return Restore.objects.filter(pk=restore.pk, state=RestoreState.WAITING).exists()


def cancel(*, restore: Restore) -> bool:
    """Throw a file away that nobody has begun to bring in; False for any other."""
    found = Restore.objects.filter(pk=restore.pk, lease_until=None)
    idle = found.filter(state__in=(RestoreState.LOOKED_AT, RestoreState.WAITING))
    return bool(idle.delete()[1].get("owners.Restore", 0))


def claim(*, now: datetime) -> Restore | None:
    """Take the file that has waited longest; None without one."""
    with transaction.atomic():
        rows = Restore.objects.due(now).select_related("owner")
        restore = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if restore is not None:
            restore.lease_until, restore.claims = now + LEASE, restore.claims + 1
            restore.save(update_fields=["lease_until", "claims"])
    return restore


def file_of(restore: Restore) -> IO[bytes]:
    """Return the file as it came, on disk; whoever asks closes it, and it is gone."""
    found = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it
    last = 0
    while (part := restore.parts.filter(pk__gt=last).order_by("pk").first()) is not None:
        last = part.pk
        found.write(part.content)
    found.seek(0)
    return found


def end(
    *,
    restore: Restore,
    state: RestoreState,
    now: datetime,
    made: Mapping[str, Any] | None = None,
    code: str = "",
    detail: str = "",
) -> None:
    """Note what became of it; the file is not needed any more."""
    with transaction.atomic():
        restore.parts.all().delete()
        Restore.objects.filter(pk=restore.pk).update(
            state=state,
            made=dict(made or {}),
            code=code[:40],
            detail=detail[:500],
            ended_at=now,
            lease_until=None,
        )
    cache.delete(_key(restore))


def forget_due(*, now: datetime) -> int:
    """Forget files that nobody answered, and old results; return how many."""
    old = Restore.objects.filter(expires_at__lte=now)
    return old.delete()[1].get("owners.Restore", 0)


def note_progress(restore: Restore, percent: int) -> None:
    """Let a page see how far it is, though nothing is committed; it may be lost."""
    cache.set(_key(restore), percent, timeout=3600)


def percent_of(restore: Restore) -> int:
    """Return how far it is, as far as is known."""
    if restore.state == RestoreState.DONE:
        return 100
    return int(cache.get(_key(restore)) or 0)


def _key(restore: Restore) -> str:
    return f"restore:{restore.uuid}"
