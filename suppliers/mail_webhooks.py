"""Where mail is posted: raw and signed by our own mail server, or as a provider does it."""

from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from owners import clock
from suppliers import mail, mail_providers, signing
from suppliers.adapters import headers
from suppliers.problems import problem

if TYPE_CHECKING:
    from suppliers.mail_posts import Delivered

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
        return _not_stored(error)
    return JsonResponse({"id": recorded.id, "status": recorded.status}, status=202)


@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def provided(request: HttpRequest, provider: str) -> HttpResponse:
    """Take what a provider posts: 200 once all of it is stored.

    The envelope's recipient decides. What is not proved to be the provider's is 401, what
    cannot be read or names nobody is 422, and a try while nothing can be stored is 503:
    what was stored before that is a duplicate at the next try.
    """
    if not mail_providers.is_open(provider):
        return problem(404, code="closed", detail="This provider is not set up here.")
    if request.method == "HEAD":
        return HttpResponse()  # some look whether the address exists before they use it
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > mail_providers.MAX_BYTES:
        return problem(413, code="too_large", detail="At most 40 MiB.")
    from suppliers import mail_posts  # noqa: PLC0415 - heavy, and needed where one is open

    try:
        mails = mail_posts.read(provider, request)
        found = [(one, _recipients(provider, one)) for one in mails]
        if any(not recipients for _, recipients in found):
            detail = "The provider names no recipient of the envelope that is ours."
            return problem(422, code="no_recipient", detail=detail)
        statuses = [
            mail.receive(
                raw=one.raw,
                recipient=recipient,
                now=clock.now(),
                return_path=one.return_path,
                authserv_id=settings.MAIL_PROVIDER_AUTHSERV_ID,
                by=provider,
                is_rebuilt=one.is_rebuilt,
            ).status
            for one, recipients in found
            for recipient in recipients
        ]
    except mail_posts.ProofError:
        answer = problem(401, code="wrong_signature", detail="This is not proved to be theirs.")
        answer["WWW-Authenticate"] = 'Basic realm="mail"'  # Amazon asks for it first
        return answer
    except mail_posts.ContentError as error:
        log.warning("mail_not_read", provider=provider, fault=str(error))
        return problem(422, code="not_read", detail="This is not a mail as they post it.")
    except mail_posts.FetchError as error:
        return _not_stored(error)
    except (OperationalError, InterfaceError, InternalError) as error:
        return _not_stored(error)
    return JsonResponse({"statuses": statuses})


def _recipients(provider: str, one: "Delivered") -> tuple[str, ...]:
    """Return for whom a mail is. Names in its head count only where they are ours."""
    if provider in mail_providers.ONLY_NAMED:
        return tuple(address for address in one.recipients if mail.is_ours(address))
    if one.recipients:
        return one.recipients
    named = envelope_recipient(headers.read(one.raw))
    return (named,) if named else ()


def _not_stored(error: Exception) -> HttpResponse:
    log.error("mail_not_stored", error=type(error).__name__)
    return problem(
        503,
        code="not_stored",
        detail="Nothing was kept; send it again.",
        headers={"Retry-After": "5"},
    )


def envelope_recipient(head: headers.Head) -> str:
    """Return the address the mail was delivered to: the topmost field that says so."""
    for name, value in head.fields:
        if name in RECIPIENT_FIELDS and "@" in value:
            return value.strip().strip("<>")
    return ""
