"""Where the telephony provider posts: signed forms and JSON, stored in the inbox.

The signature (HMAC-SHA1 over our own address and the sorted form) carries no time, so a
replay is possible: message and call names make every callback count once. Who calls a
member's number hears a greeting and may leave a message.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from owners import clock
from owners.choices import ChannelKind
from owners.models import Channel, Membership
from suppliers import checks, inbox
from suppliers.adapters import telephony
from suppliers.adapters.errors import ContentError
from suppliers.choices import Way
from suppliers.contacts import Caller
from suppliers.models import InboundEvent

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
EMPTY = f"{HEAD}<Response></Response>"
ASKING = ("queued", "ringing", "in-progress")  # states in which it asks what to say
LONGEST_MESSAGE_S = 120
VOICES = {"en": "en-US", "de": "de-DE", "it": "it-IT"}
MAX_BODY = 256 * 1024
MAX_FIELDS = 200
CALLBACKS = ("sms", "voice", "recording", "transcription")


# Parameters that some senders add after signing; without the signature they say nothing.
ADDED_LATER = frozenset({"StirVerstat", "StirPassportToken", "CallToken"})
DEFAULT_PORTS = {"https": 443, "http": 80}


def signature(url: str, pairs: Iterable[tuple[str, str]], *, auth_token: str) -> str:
    """Return the signature of a form: the address and every distinct pair, sorted."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(pairs)))
    digest = hmac.digest(auth_token.encode(), signed.encode("utf-8", "surrogatepass"), "sha1")
    return base64.b64encode(digest).decode()


def addresses(request: HttpRequest) -> list[str]:
    """Return what the provider may have signed: our own public address, with and without port.

    It is never taken from the request's Host, which whoever asks can choose.
    """
    site = urlsplit(settings.SITE_URL)
    host = site.netloc.rpartition("@")[2]
    port = site.port or DEFAULT_PORTS.get(site.scheme)
    bare = host.removesuffix(f":{site.port}") if site.port else host
    hosts = dict.fromkeys((host, f"{bare}:{port}", bare))
    path = request.get_full_path()
    return [f"{site.scheme}://{name}{site.path.rstrip('/')}{path}" for name in hosts]


def is_signed(request: HttpRequest, pairs: Iterable[tuple[str, str]]) -> bool:
    """Say whether one of our tokens signed this form for this address."""
    given = request.headers.get("X-Twilio-Signature", "").encode()
    pairs = list(pairs)
    proofs = [
        signature(url, pairs, auth_token=token)
        for url in addresses(request)
        for token in settings.TWILIO_AUTH_TOKENS
    ]
    # Every one is tried, so the time taken does not tell which matched.
    matches = [hmac.compare_digest(given, proof.encode()) for proof in proofs]
    return any(matches)


def _is_json_signed(request: HttpRequest, body: bytes) -> bool:
    """Say whether a JSON body is signed: its hash stands in the address, which is signed."""
    stated = request.GET.get("bodySHA256", "").lower()
    is_same = hmac.compare_digest(stated.encode(), hashlib.sha256(body).hexdigest().encode())
    return is_signed(request, []) and is_same


@csrf_exempt
@require_POST
def twilio(request: HttpRequest, callback: str) -> HttpResponse:
    """Take one callback: TwiML once it is stored, 403 without a signature."""
    if callback not in CALLBACKS or not settings.TWILIO_AUTH_TOKENS:
        return HttpResponse(status=404)
    if request.content_type not in ("application/x-www-form-urlencoded", "application/json"):
        return HttpResponse(status=415)
    body = request.body
    if len(body) > MAX_BODY:
        return HttpResponse(status=413)
    try:
        is_proved, believed = _proof(request, body)
    except (ValueError, ContentError):
        return HttpResponse(status=400)
    if not is_proved:
        return HttpResponse(status=403)
    form = telephony.fields(body)
    try:
        member = _member(form)
        status = _store(callback, form, body, member=member, believed=believed)
        answer = _spoken(form, member) if callback == "voice" else EMPTY
    except (OperationalError, InterfaceError, InternalError):
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    if status != 200:
        return HttpResponse(status=status)
    return HttpResponse(answer, content_type="text/xml")


def _proof(request: HttpRequest, body: bytes) -> tuple[bool, dict[str, str]]:
    """Return whether the request is signed, and the fields that the signature covers.

    Raises ValueError or ContentError for a body that is neither a form nor a JSON object.
    """
    if request.content_type == "application/json":
        return _is_json_signed(request, body), telephony.fields(b"{" + body.lstrip()[1:])
    pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    if is_signed(request, pairs):
        return True, dict(reversed(pairs))
    covered = [pair for pair in pairs if pair[0] not in ADDED_LATER]
    return len(covered) < len(pairs) and is_signed(request, covered), dict(reversed(covered))


def _spoken(form: dict[str, str], member: Membership | None) -> str:
    """Return what the caller hears: the greeting and a tone, or that nobody is there."""
    is_out = form.get("Direction", "").startswith("outbound")
    is_asking = form.get("CallStatus", "").lower() in ASKING
    if is_out or not is_asking or not settings.TELEPHONY_ANSWERS:
        return EMPTY
    response = Element("Response")
    if member is None:
        SubElement(response, "Reject")
    elif form.get("RecordingUrl"):
        SubElement(response, "Hangup")  # the message is taken
    else:
        _greet(response, member.owner.language)
    return HEAD + tostring(response, encoding="unicode", short_empty_elements=True)


def _greet(response: Element, language: str) -> None:
    with override(language):
        said = settings.TELEPHONY_GREETING or _(
            "Hello. This number takes messages for its owner. Please say who you are and "
            "what it is about after the tone."
        )
    voice = VOICES.get(language.partition("-")[0], "en-US")
    SubElement(response, "Say", language=voice).text = said
    base = f"{settings.SITE_URL}/webhooks/telephony/twilio"
    SubElement(
        response,
        "Record",
        maxLength=str(LONGEST_MESSAGE_S),
        timeout="5",
        playBeep="true",
        trim="trim-silence",
        action=f"{base}/voice/",
        recordingStatusCallback=f"{base}/recording/",
        recordingStatusCallbackEvent="completed absent",
        transcribe="true",
        transcribeCallback=f"{base}/transcription/",
    )
    SubElement(response, "Hangup")


def _store(
    callback: str,
    form: dict[str, str],
    body: bytes,
    *,
    member: Membership | None,
    believed: dict[str, str],
) -> int:
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
                source=_source(member),
                event_id=event_id,
                type=checks.CALL if check else f"telephony.{callback}",
                payload=b"" if check else body,
                routing=_routing(form, member=member, believed=believed),
            )
        ],
        now=now,
    )
    if check is not None:
        checks.arrived(check, now=now)
    return 200


def _routing(
    form: dict[str, str], *, member: Membership, believed: dict[str, str]
) -> dict[str, object]:
    """Return what the reader must know besides the form."""
    found: dict[str, object] = {
        "owner": member.owner_id,
        "recipient": form.get("To", "")[:60],
    }
    caller = telephony.attested(believed, provider="twilio")
    if caller != Caller():
        found["caller"] = caller.to_json()
    if _was_greeted(form, member):
        found["greeted"] = True
    return found


def _was_greeted(form: dict[str, str], member: Membership) -> bool:
    """Say whether it was our greeting that took this call, as the provider asked us what to say."""
    if form.get("CallStatus", "").lower() != "completed" or not settings.TELEPHONY_ANSWERS:
        return False
    call = form.get("CallSid", "")[:64]
    begun = [f"{call}:{state}" for state in ASKING]
    return InboundEvent.objects.filter(
        supplier=None, source=_source(member), event_id__in=begun
    ).exists()


def _source(member: Membership) -> str:
    return f"/telephony/twilio/{member.pk}"


def _event_id(callback: str, form: dict[str, str]) -> str:
    """Return what names a callback for ever, or nothing when it names nothing."""
    if callback == "sms":
        return (form.get("MessageSid") or form.get("SmsSid") or "")[:64]
    call = form.get("CallSid", "")[:64]
    if not call:
        return ""
    if callback == "voice" and form.get("RecordingUrl"):
        # What the caller's message was answered with; the call's own end comes as well.
        return f"{call}:recorded:{form.get('RecordingSid', '')[:64]}"
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
