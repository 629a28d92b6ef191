"""Forms that are sent again: what a device sends twice under one key happens once."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.http import HttpResponse

from owners.models import Owner, RequestKey

LONGEST = 200
KEPT = timedelta(days=1)  # an answer; longer than a device tries again before it asks its owner
MARK = "page:"  # apart from the API's keys, whose answers are kept


def once(
    *, owner: Owner, key: str, address: str, now: datetime, write: Callable[[], HttpResponse]
) -> HttpResponse:
    """Return what `write` answers, or 204 when this key was used before.

    A write that is refused leaves the key free.
    """
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        return HttpResponse(status=400)
    name = f"{MARK}{key}"
    with transaction.atomic():
        with connection.cursor() as cursor:
            # A repetition waits for the first; then it finds the key.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(f"{owner.pk}:{name}")])
        if RequestKey.objects.filter(owner=owner, key=name).exists():
            return HttpResponse(status=204)
        answer = write()
        if answer.status_code < 400:
            RequestKey.objects.create(
                owner=owner,
                key=name,
                request_hash=hashlib.sha256(address.encode()).digest(),
                status=answer.status_code,
                sealed_answer=None,
                used_at=now,
            )
    return answer


def is_our_turn(name: str) -> bool:
    """Hold a name until the transaction ends; False when another one holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(name)])
        (is_ours,) = cursor.fetchone()
    return bool(is_ours)


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def forget_answers(*, now: datetime, limit: int = 1_000) -> int:
    """Forget answers that were kept for a repetition; what was done stays done once."""
    old = RequestKey.objects.filter(sealed_answer__isnull=False, used_at__lt=now - KEPT)
    ids = list(old.order_by("used_at").values_list("pk", flat=True)[:limit])
    return RequestKey.objects.filter(pk__in=ids).update(sealed_answer=None) if ids else 0
