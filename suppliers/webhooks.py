"""The suppliers' entrance: one signed request in, everything in it durably stored.

This is the hottest path of the product, so it makes no model instances: the supplier
and its secrets are kept for a second, and one event is one SQL statement.
"""

import re
import time
from collections import Counter as Counted
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import Counter

from owners import clock
from suppliers import envelopes, inbox, ratelimit, refusals, signing
from suppliers.choices import Way
from suppliers.models import SigningSecret, Supplier
from suppliers.problems import problem

log = structlog.get_logger(__name__)

MAX_SINGLE = 256 * 1024
MAX_BATCH = 4 * 1024 * 1024
RESERVED = frozenset({"mail", "telephony"})
ORIGIN = re.compile(r"[A-Za-z0-9.\-:\[\]]{1,255}\Z")
RETRY_STORE_S = "5"
SIGNATURE_FAULTS = {
    signing.MISSING: "The signature headers are missing.",
    signing.WRONG: "The signature is wrong.",
    signing.STALE: "The timestamp is more than five minutes away from now.",
}

ANSWERS = Counter("steward_webhook_answers_total", "Answers to suppliers' requests", ["status"])


class TooLargeError(Exception):
    """The body is larger than its form may be."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A supplier as the entrance needs it: its keys, each with its end."""

    id: int
    keys: tuple[tuple[signing.Verifier, datetime | None], ...]
    until: float  # on the monotonic clock

    def live_keys(self, now: datetime) -> list[signing.Verifier]:
        """Return the keys that verify at `now`."""
        return [key for key, end in self.keys if end is None or end > now]


_senders: dict[str, Sender] = {}


def forget_senders() -> None:
    """Drop what this process keeps of suppliers; other processes do so within a second."""
    _senders.clear()


@csrf_exempt
def receive(request: HttpRequest, code: str) -> HttpResponse:
    """Take what a supplier sends: `POST /webhooks/{code}/`, and the OPTIONS handshake."""
    try:
        response = _answer(request, code)
    except (OperationalError, InterfaceError, InternalError) as error:
        log.error("webhook_not_stored", error=type(error).__name__)
        response = problem(
            503,
            code="not_stored",
            detail="Nothing was kept; send it again.",
            headers={"Retry-After": RETRY_STORE_S},
        )
    ANSWERS.labels(response.status_code).inc()
    return response


def _answer(request: HttpRequest, code: str) -> HttpResponse:
    sender = _sender(code)
    if sender is None:
        return problem(404, code="unknown_supplier", detail="No supplier has this code.")
    if request.method == "OPTIONS":
        return _handshake(request)
    if request.method != "POST":
        return problem(
            405,
            code="method_not_allowed",
            detail="Events come by POST.",
            headers={"Allow": "POST, OPTIONS"},
        )
    return _take(request, code, sender)


def _take(request: HttpRequest, code: str, sender: Sender) -> HttpResponse:
    meta, now = request.META, clock.now()
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in meta.items()
        if name.startswith("HTTP_CE_")
    }
    form = envelopes.form_of(meta.get("CONTENT_TYPE", ""), headers)
    if not form or meta.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        return problem(
            415,
            code="unsupported_media_type",
            detail="Send application/cloudevents+json, application/cloudevents-batch+json or "
            "application/json, not compressed.",
        )
    limit = MAX_BATCH if form == envelopes.BATCH else MAX_SINGLE
    try:
        body = _body(request, limit)
    except TooLargeError:
        return problem(413, code="too_large", detail=f"At most {limit // 1024} KiB.")
    try:
        signing.verify(
            webhook_id=meta.get("HTTP_WEBHOOK_ID"),
            timestamp=meta.get("HTTP_WEBHOOK_TIMESTAMP"),
            signatures=meta.get("HTTP_WEBHOOK_SIGNATURE"),
            body=body,
            keys=sender.live_keys(now),
            now=now,
        )
    except signing.SignatureError as error:
        refused = SIGNATURE_FAULTS[error.code]
        refusals.note(supplier_id=sender.id, code=error.code, detail=refused, now=now)
        return problem(401, code=error.code, detail=SIGNATURE_FAULTS[error.code])
    wait = ratelimit.take(sender.id)
    if wait:
        return problem(
            429,
            code="too_many_requests",
            detail=f"At most {settings.SUPPLIER_RATE} requests a second.",
            headers={"Retry-After": str(wait)},
        )
    try:
        if form == envelopes.BATCH:
            found = envelopes.read_batch(body)
        else:
            webhook_id = meta["HTTP_WEBHOOK_ID"]
            found = [
                envelopes.read_one(
                    body, form=form, headers=headers, webhook_id=webhook_id, code=code
                )
            ]
    except envelopes.EnvelopeError as error:
        refusals.note(
            supplier_id=sender.id,
            code=error.code,
            detail=error.detail,
            pointer=error.pointer,
            now=now,
        )
        return problem(400, code=error.code, detail=error.detail, pointer=error.pointer)
    return _store(found, sender=sender, webhook_id=meta["HTTP_WEBHOOK_ID"], now=now)


def _store(
    found: list[envelopes.Envelope | envelopes.Refused],
    *,
    sender: Sender,
    webhook_id: str,
    now: datetime,
) -> HttpResponse:
    received = [
        inbox.Received(
            supplier_id=sender.id,
            household_id=None,
            way=Way.WEBHOOK,
            source=item.source,
            event_id=item.id,
            type=item.type,
            payload=item.payload,
            routing=item.routing,
            webhook_id=webhook_id,
        )
        for item in found
        if isinstance(item, envelopes.Envelope)
    ]
    kept = iter(inbox.record(received=received, now=now) if received else ())
    events = [
        next(kept) if isinstance(item, envelopes.Envelope) else _rejected(item) for item in found
    ]
    if not received:
        return problem(
            400,
            code="nothing_valid",
            detail="No event of the batch could be taken.",
            pointer=events[0].pointer,
            more={"events": msgspec.to_builtins(events)},
        )
    count = Counted(event.status for event in events)
    duplicates, rejected = count[inbox.DUPLICATE], count[inbox.REJECTED]
    answer = {
        "accepted": len(events) - duplicates - rejected,
        "duplicates": duplicates,
        "rejected": rejected,
        "events": events,
    }
    return HttpResponse(msgspec.json.encode(answer), status=202, content_type="application/json")


def _rejected(item: envelopes.Refused) -> inbox.Recorded:
    return inbox.Recorded(
        id=item.id,
        status=inbox.REJECTED,
        code=item.code,
        pointer=item.pointer,
        detail=item.detail,
    )


def _body(request: HttpRequest, limit: int) -> bytes:
    """Return the body; never reads more than one byte beyond the limit."""
    meta = request.META
    if "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower():
        # Django takes a body of unknown length for empty.
        body: bytes = meta["wsgi.input"].read(limit + 1)
    else:
        try:
            length = int(meta.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > limit:
            raise TooLargeError
        # request.body has a limit of its own, below that of a batch.
        body = request.read()
    if len(body) > limit:
        raise TooLargeError
    return body


def _handshake(request: HttpRequest) -> HttpResponse:
    """Agree to the CloudEvents abuse protection; without an origin only say what is allowed."""
    response = HttpResponse(status=200)
    response["Allow"] = "POST, OPTIONS"
    origin = request.META.get("HTTP_WEBHOOK_REQUEST_ORIGIN", "").strip()
    if origin and ORIGIN.match(origin):
        response["WebHook-Allowed-Origin"] = origin
        rate = settings.SUPPLIER_RATE * 60
        response["WebHook-Allowed-Rate"] = str(rate) if rate else "*"
    return response


def _sender(code: str) -> Sender | None:
    sender = _senders.get(code)
    if sender is not None and sender.until > time.monotonic():
        return sender
    if code in RESERVED:
        return None
    known = Supplier.objects.filter(code=code, is_active=True).order_by().values_list("pk").first()
    if known is None:
        _senders.pop(code, None)
        return None
    keys = []
    for secret in SigningSecret.objects.filter(supplier_id=known[0]).order_by("-created_at"):
        try:
            keys.append((signing.verifier(secret.value), secret.expires_at))
        except signing.KeyFormatError as error:
            log.error("signing_secret_unusable", secret=str(secret.uuid), reason=str(error))
    sender = Sender(known[0], tuple(keys), time.monotonic() + settings.SENDER_CACHE_S)
    _senders[code] = sender
    return sender
