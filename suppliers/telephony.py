"""Where the telephony provider posts: signed forms, stored in the inbox, answered empty.

The signature (HMAC-SHA1 over our own address and the sorted form) carries no time, so a
replay is possible: message and call names make every callback count once.
"""

import base64
import hmac
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from owners import clock
from owners.choices import ChannelKind
from owners.models import Channel, Membership
from suppliers import checks, inbox
from suppliers.adapters import telephony
from suppliers.choices import Way

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
MAX_BODY = 256 * 1024
MAX_FIELDS = 200
CALLBACKS = ("sms", "voice", "recording", "transcription")


def signature(url: str, pairs: list[tuple[str, str]], *, auth_token: str) -> str:
    """Return the signature of a form: the address and every distinct pair, sorted."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(pairs)))
    digest = hmac.digest(auth_token.encode(), signed.encode("utf-8", "surrogatepass"), "sha1")
    return base64.b64encode(digest).decode()


def is_signed(request: HttpRequest, pairs: list[tuple[str, str]]) -> bool:
    """Say whether one of our tokens signed this form for this address."""
    given = request.headers.get("X-Twilio-Signature", "")
    url = settings.SITE_URL + request.get_full_path()
    proofs = [signature(url, pairs, auth_token=item) for item in settings.TWILIO_AUTH_TOKENS]
    # Every token is tried, so the time taken does not tell which one matched.
    matches = [hmac.compare_digest(given.encode(), proof.encode()) for proof in proofs]
    return any(matches)


@csrf_exempt
@require_POST
def twilio(request: HttpRequest, callback: str) -> HttpResponse:
    """Take one callback: empty TwiML once it is stored, 403 without a signature."""
    if callback not in CALLBACKS or not settings.TWILIO_AUTH_TOKENS:
        return HttpResponse(status=404)
    if request.content_type != "application/x-www-form-urlencoded":
        return HttpResponse(status=415)
    body = request.body
    if len(body) > MAX_BODY:
        return HttpResponse(status=413)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return HttpResponse(status=400)
    if not is_signed(request, pairs):
        return HttpResponse(status=403)
    form = telephony.fields(body)
    try:
        status = _store(callback, form, body)
    except (OperationalError, InterfaceError, InternalError):
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    if status != 200:
        return HttpResponse(status=status)
    return HttpResponse(EMPTY, content_type="text/xml")


def _store(callback: str, form: dict[str, str], body: bytes) -> int:
    member = _member(form)
    event_id = _event_id(callback, form)
    if not event_id:
        return 400
    if member is None:
        return 200  # a number nobody here has; an error would only make it come again
    now = clock.now()
    check = checks.of_call(
        member=member,
        caller=form.get("From", "").strip(),
        forwarded_from=form.get("ForwardedFrom", "").strip(),
        is_text=callback == "sms",
        now=now,
    )
    inbox.record(
        received=[
            inbox.Received(
                supplier_id=None,
                household_id=member.household_id,
                way=Way.TELEPHONY,
                source=f"/telephony/twilio/{member.pk}",
                event_id=event_id,
                type=checks.CALL if check else f"telephony.{callback}",
                payload=body,
                routing={"owner": member.owner_id, "recipient": form.get("To", "")[:60]},
            )
        ],
        now=now,
    )
    if check is not None:
        checks.arrived(check, now=now)
    return 200


def _event_id(callback: str, form: dict[str, str]) -> str:
    """Return what names a callback for ever, or nothing when it names nothing."""
    if callback == "sms":
        return (form.get("MessageSid") or form.get("SmsSid") or "")[:64]
    call = form.get("CallSid", "")[:64]
    if not call:
        return ""
    if callback == "voice":
        return f"{call}:{form.get('CallStatus', '')[:20]}"
    name = "RecordingSid" if callback == "recording" else "TranscriptionSid"
    state = form.get("RecordingStatus" if callback == "recording" else "TranscriptionStatus", "")
    return f"{call}:{callback}:{form.get(name, '')[:64]}:{state[:20]}"


def _member(form: dict[str, str]) -> Membership | None:
    """Return the member whose number was called, or who forwarded the call here."""
    is_out = form.get("Direction", "").startswith("outbound")
    number = form.get("From" if is_out else "To", "").strip()
    if number:
        found = Membership.objects.filter(intake_number=number).first()
        if found is not None:
            return found
    forwarded = form.get("ForwardedFrom", "").strip()
    if not forwarded:
        return None
    owners = Channel.objects.at(ChannelKind.SMS, forwarded).filter(verified_at__isnull=False)
    members = Membership.objects.filter(Q(owner__in=owners.values("owner"))).order_by("pk")
    return members.first()
