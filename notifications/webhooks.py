"""Where providers say what became of a message."""

from urllib.parse import parse_qsl
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from notifications import delivery, mail_tracking
from owners import clock
from suppliers import telephony

log = structlog.get_logger(__name__)


@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def mail_events(request: HttpRequest, provider: str) -> HttpResponse:
    """Take what a mail provider says became of our mails: 200 once it is kept.

    What is not proved to be the provider's is 401, what cannot be read 422. Mails that are
    not deliveries, as those of signing in, are passed over.
    """
    if not mail_tracking.is_open(provider):
        return HttpResponse(status=404)
    if request.method == "HEAD":
        return HttpResponse()  # some look whether the address exists before they use it
    if int(request.META.get("CONTENT_LENGTH") or 0) > mail_tracking.MAX_BYTES:
        return HttpResponse(status=413)
    try:
        for event in mail_tracking.read(provider, request):
            delivery.mail_receipt(
                provider_ref=event.ref, said=event.said, reason=event.reason, now=clock.now()
            )
    except mail_tracking.ProofError:
        # Amazon sends the password only once it was asked for it.
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="mail"'})
    except mail_tracking.ContentError as error:
        log.warning("mail_events_not_read", provider=provider, fault=str(error))
        return HttpResponse(status=422)
    except (OperationalError, InterfaceError, mail_tracking.LaterError):
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    return HttpResponse()


def _signed_form(request: HttpRequest) -> dict[str, str] | HttpResponse:
    """Return the form that the provider signed, or the answer to what it did not."""
    if not settings.TWILIO_AUTH_TOKENS:
        return HttpResponse(status=404)
    if len(request.body) > telephony.MAX_BODY:
        return HttpResponse(status=413)
    try:
        pairs = parse_qsl(
            request.body.decode(), keep_blank_values=True, max_num_fields=telephony.MAX_FIELDS
        )
    except ValueError:
        return HttpResponse(status=400)
    if not telephony.is_signed(request, pairs):
        return HttpResponse(status=403)
    return dict(pairs)


def _ref(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("delivery", ""))
    except ValueError:
        return None


@csrf_exempt
@require_POST
def twilio_status(request: HttpRequest) -> HttpResponse:
    """Take one status callback of a message or a call: 204 once it is kept, ours or not.

    An error would only make the provider say it again.
    """
    form = _signed_form(request)
    if isinstance(form, HttpResponse):
        return form
    is_call = "CallSid" in form
    try:
        delivery.phone_receipt(
            status=form.get("CallStatus" if is_call else "MessageStatus", ""),
            error_code=form.get("ErrorCode", ""),
            provider_ref=form.get("CallSid" if is_call else "MessageSid", "")[:120],
            ref=_ref(request),
            is_call=is_call,
            now=clock.now(),
        )
    except (OperationalError, InterfaceError):
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def twilio_call(request: HttpRequest) -> HttpResponse:
    """Take the key that was pressed in a call, and say goodbye."""
    form = _signed_form(request)
    if isinstance(form, HttpResponse):
        return form
    ref, language = _ref(request), None
    try:
        if ref is not None and form.get("Digits") == "1":
            language = delivery.acknowledged(ref=ref, now=clock.now())
    except (OperationalError, InterfaceError):
        return HttpResponse(status=503)
    said = delivery.goodbye(language) if language is not None else "<Response/>"
    return HttpResponse(said, content_type="text/xml; charset=utf-8")
