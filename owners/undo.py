"""What owners changed, kept for a while with what it takes to put it back."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from owners.models import Change, Household, Owner

KEPT = timedelta(days=30)
# Puts a change back; raises UndoError when that is not possible any more.
Undo = Callable[[Change, Owner, datetime], None]


class UndoError(Exception):
    """The change cannot be undone; the text says why."""


def subject_of(change: Change) -> UUID:
    """Return the public id of what was changed; raises UndoError where none was noted."""
    if change.subject is None:
        raise UndoError(gettext_noop("Nothing names what was changed."))
    return change.subject


def remember(  # noqa: PLR0913 - what was changed has that many sides
    *,
    kind: str,
    label: str,
    now: datetime,
    owner: Owner | None,
    household: Household | None = None,
    subject: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    is_removal: bool = False,
) -> Change:
    """Keep a change for 30 days. A removal lies in the bin for as long."""
    return Change.objects.create(
        kind=kind,
        label=label[:200],
        owner=owner,
        household=household,
        subject=subject,
        before=dict(before or {}),
        after=dict(after or {}),
        is_removal=is_removal,
        changed_at=now,
        expires_at=now + KEPT,
    )


def latest(*, kind: str, subject: UUID) -> Change | None:
    """Return the last change of this kind to one thing, where it is not undone."""
    found = Change.objects.filter(kind=kind, subject=subject, undone_at=None)
    return found.order_by("-pk").first()


def forget_due(*, now: datetime, limit: int = 1_000) -> int:
    """Forget changes that can no longer be undone; return how many."""
    old = Change.objects.filter(expires_at__lte=now).order_by("expires_at")
    deleted, _ = Change.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:limit])
    ).delete()
    return deleted
