"""Writes of suppliers' programs that happen once for each `Idempotency-Key`.

The key, the work and the answer are committed together: a request that died half way left
nothing, and its repetition does the work. The same as for owners' apps (`owners.api.edge`).
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from owners import repeats, sealing
from suppliers.models import Supplier
from suppliers.problems import problem
from suppliers.staff import SupplierRequestKey

HEADER = "Idempotency-Key"
LONGEST = 255
KEPT = timedelta(days=1)  # the answer; the key is kept for ever
AT_ONCE = 500
REFUSED_FROM = 400  # such an answer did nothing, and the same key may try again


def once(
    *, supplier: Supplier, request: HttpRequest, work: Callable[[], HttpResponse], now: datetime
) -> HttpResponse:
    """Do a write, or answer as the first request with its key was answered.

    409 while that one is under way, or when its answer is no longer kept; 422 when it was
    another request.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        return work()
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        said = f"{HEADER}: at most {LONGEST} visible characters."
        return problem(400, code="key", detail=said)
    asked = f"{request.method} {request.get_full_path()}\n".encode()
    digest = hashlib.sha256(asked + request.body).digest()
    with transaction.atomic():
        if not repeats.is_our_turn(f"supplier:{supplier.pk}:{key}"):
            said = "The first request is still under way."
            return problem(409, code="in_progress", detail=said)
        used = SupplierRequestKey.objects.filter(supplier=supplier, key=key).first()
        if used is not None:
            return _again(used, digest)
        response = work()
        if response.status_code >= REFUSED_FROM:
            transaction.set_rollback(True)
            return response
        SupplierRequestKey.objects.create(
            supplier=supplier,
            key=key,
            request_hash=digest,
            status=response.status_code,
            media_type=response.get("Content-Type", ""),
            sealed_answer=sealing.seal(response.content, **_place(supplier.pk, key)),
            used_at=now,
        )
    return response


def purge_due(*, now: datetime) -> int:
    """Forget old answers; return how many."""
    old = SupplierRequestKey.objects.filter(sealed_answer__isnull=False, used_at__lt=now - KEPT)
    ids = list(old.order_by("used_at").values_list("pk", flat=True)[:AT_ONCE])
    return SupplierRequestKey.objects.filter(pk__in=ids).update(sealed_answer=None) if ids else 0


def _again(used: SupplierRequestKey, digest: bytes) -> HttpResponse:
    if bytes(used.request_hash) != digest:
        return problem(422, code="key_reused", detail="This key was used for another request.")
    if used.sealed_answer is None:
        return problem(
            409,
            code="answer_gone",
            detail="This request was done before; its answer is no longer kept.",
        )
    body = sealing.unseal(bytes(used.sealed_answer), **_place(used.supplier_id, used.key))
    return HttpResponse(
        body,
        status=used.status,
        content_type=used.media_type,
        headers={"Idempotency-Replayed": "true"},
    )


def _place(supplier: int, key: str) -> dict[str, str]:
    return {"table": "suppliers_supplierrequestkey", "key": f"{supplier}:{key}", "field": "answer"}
