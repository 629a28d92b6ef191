"""Where providers say what became of a message."""

from urllib.parse import parse_qsl
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notifications import delivery
from owners import clock
from suppliers import telephony


@csrf_exempt
@require_POST
def twilio_status(request: HttpRequest) -> HttpResponse:
    """Take one status callback: 204 once it is kept, also for a message that is not ours.

    An error would only make the provider say it again.
    """
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
    form = dict(pairs)
    try:
        ref = UUID(request.GET.get("delivery", ""))
    except ValueError:
        ref = None
    try:
        delivery.sms_receipt(
            status=form.get("MessageStatus", ""),
            error_code=form.get("ErrorCode", ""),
            provider_ref=form.get("MessageSid", "")[:120],
            ref=ref,
            now=clock.now(),
        )
    except (OperationalError, InterfaceError):
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    return HttpResponse(status=204)
