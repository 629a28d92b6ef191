"""Where our own mail server posts what it received: one raw message, signed."""

import structlog
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from owners import clock
from suppliers import mail, signing
from suppliers.adapters import headers
from suppliers.problems import problem

log = structlog.get_logger(__name__)

RECIPIENT_FIELDS = ("delivered-to", "x-original-to")


@csrf_exempt
@require_POST
def raw(request: HttpRequest) -> HttpResponse:
    """Take `message/rfc822`: 202 once it is stored.

    The envelope's recipient is the topmost Delivered-To or X-Original-To, so it is part
    of what is signed. Without a secret in the settings this entrance is closed.
    """
    if not settings.MAIL_WEBHOOK_SECRET:
        return problem(404, code="closed", detail="No mail server is set up to post here.")
    if request.content_type != "message/rfc822":
        return problem(415, code="unsupported_media_type", detail="Send message/rfc822.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > mail.MAX_BYTES:
        return problem(413, code="too_large", detail="At most 25 MiB.")
    body = request.read(mail.MAX_BYTES + 1)
    try:
        signing.verify(
            webhook_id=request.headers.get("webhook-id"),
            timestamp=request.headers.get("webhook-timestamp"),
            signatures=request.headers.get("webhook-signature"),
            body=body,
            keys=[signing.verifier(settings.MAIL_WEBHOOK_SECRET)],
            now=clock.now(),
        )
    except signing.SignatureError as error:
        return problem(401, code=error.code, detail="The signature does not verify.")
    recipient = envelope_recipient(headers.read(body))
    if not recipient:
        return problem(400, code="no_recipient", detail="Neither Delivered-To nor X-Original-To.")
    try:
        recorded = mail.receive(raw=body, recipient=recipient, now=clock.now())
    except (OperationalError, InterfaceError, InternalError) as error:
        log.error("mail_not_stored", error=type(error).__name__)
        return problem(
            503,
            code="not_stored",
            detail="Nothing was kept; send it again.",
            headers={"Retry-After": "5"},
        )
    return JsonResponse({"id": recorded.id, "status": recorded.status}, status=202)


def envelope_recipient(head: headers.Head) -> str:
    """Return the address the mail was delivered to: the topmost field that says so."""
    for name, value in head.fields:
        if name in RECIPIENT_FIELDS and "@" in value:
            return value.strip().strip("<>")
    return ""
