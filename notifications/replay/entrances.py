"""Speaks to the ways in as suppliers, mail servers and telephone networks do.

Everything goes through `post`: in a replay that is Django's own client, in the demo it
is HTTP to the running server. Nothing here knows what becomes of a message.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.test import Client

from notifications.replay.story import Line
from notifications.replay.world import Cast
from suppliers.choices import CallStatus, Direction

UNKNOWN_OWNER = "own_nobodyknowsthisreference"
TWILIO = "/webhooks/telephony/twilio/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a way in answered."""

    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One message to one way in, unsigned; `at` is when it is sent."""

    at: datetime
    path: str
    body: bytes
    headers: Mapping[str, str]
    sign: Callable[["Request", datetime], dict[str, str]]


Post = Callable[[str, bytes, Mapping[str, str]], Answer]


class EntranceError(Exception):
    """A way in did not take a message that a story sent."""


def in_process() -> Post:
    """Return a `post` that goes through Django's whole stack in this process."""
    site = urlsplit(settings.SITE_URL)
    client = Client(headers={"host": site.netloc})  # one for all: it loads the middleware

    def post(path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        sent = dict(headers)
        content_type = sent.pop("content-type")
        response = client.generic(
            "POST", path, body, content_type, secure=site.scheme == "https", headers=sent
        )
        return Answer(status=response.status_code, body=response.content)

    return post


def send(request: Request, *, post: Post, now: datetime) -> Answer:
    """Sign `request` at `now` and post it.

    Raises EntranceError unless the way in took it.
    """
    answer = post(request.path, request.body, {**request.headers, **request.sign(request, now)})
    if answer.status >= 300:
        text = answer.body.decode(errors="replace")[:300]
        raise EntranceError(f"{request.path} answered {answer.status}: {text}")
    return answer


def requests(line: Line, *, cast: Cast) -> Iterator[Request]:
    """Yield what is sent for an inbound line: one message, or a call's callbacks."""
    if line.via == "webhook":
        yield _webhook(line, cast)
    elif line.via == "email":
        yield _email(line, cast)
    elif line.via == "sms":
        yield _twilio(
            "sms/", line.at, {"MessageSid": _sid("SM", line), "Body": line.data["text"]}, line, cast
        )
    else:
        yield from _call(line, cast)


# Signed webhooks


def _webhook(line: Line, cast: Cast) -> Request:
    supplier = cast.suppliers[line.data["supplier"]]
    event = _cloudevent(line, cast)
    return Request(
        at=line.at,
        path=f"/webhooks/{supplier.code}/",
        body=json.dumps(event, ensure_ascii=False).encode(),
        headers={"content-type": "application/cloudevents+json"},
        sign=_standard_webhooks(cast.secrets[line.data["supplier"]], f"msg_{line.id}"),
    )


def _cloudevent(line: Line, cast: Cast) -> dict[str, Any]:
    """Return the line's event with what the format fills in when absent."""
    key = line.data["supplier"]
    given = line.data["event"]
    data = dict(given.get("data", {}))
    if not str(given["type"]).startswith("supplier."):
        mandate = cast.mandates.get(key)
        data.setdefault("owner", mandate.owner_ref if mandate else UNKNOWN_OWNER)
    asset = data.get("asset")
    if isinstance(asset, dict) and asset.get("ref") in cast.assets:
        data["asset"] = {**asset, "ref": str(cast.assets[asset["ref"]].uuid)}
    defaults = {
        "specversion": "1.0",
        "id": line.id,
        "source": f"/suppliers/{cast.suppliers[key].code}",
        "time": line.at.isoformat(),
        "datacontenttype": "application/json",
    }
    return {**defaults, **given, "data": data}


def _standard_webhooks(
    secret: str, message_id: str
) -> Callable[[Request, datetime], dict[str, str]]:
    key = base64.b64decode(secret.removeprefix("whsec_"))

    def sign(request: Request, now: datetime) -> dict[str, str]:
        stamp = str(int(now.timestamp()))
        signed = f"{message_id}.{stamp}.".encode() + request.body
        proof = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{proof}",
        }

    return sign


# Mail


def _email(line: Line, cast: Cast) -> Request:
    return Request(
        at=line.at,
        path="/webhooks/mail/raw/",
        body=raw_mail(line, cast=cast),
        headers={"content-type": "message/rfc822"},
        sign=_standard_webhooks(settings.MAIL_WEBHOOK_SECRET, f"mail_{line.id}"),
    )


def raw_mail(line: Line, *, cast: Cast) -> bytes:
    """Return the message as our mail server hands it over, with its verdict on the sender."""
    data = line.data
    if "mandate" in data:
        recipient = visible = cast.alias(data["mandate"])
    else:
        recipient, visible = cast.intake_address, cast.members[data["to"]].email

    def written(name: str) -> str:
        return str(data.get(name, "")).replace("{alias}", recipient)

    domain = parseaddr(data["from"])[1].rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["Delivered-To"] = recipient
    message["Authentication-Results"] = _verdict(data.get("auth", "none"), domain)
    message["From"] = data["from"]
    message["To"] = visible
    message["Subject"] = written("subject")
    message["Date"] = format_datetime(line.at)
    message["Message-ID"] = data.get("message_id", f"<{line.id}@{domain or 'story.example'}>")
    if "in_reply_to" in data:
        message["In-Reply-To"] = data["in_reply_to"]
        message["References"] = data["in_reply_to"]
    message.set_content(written("text"))
    if "html" in data:
        message.add_alternative(written("html"), subtype="html")
    if "ics" in data:
        ics = written("ics")
        method = next(
            (row[7:].strip() for row in ics.splitlines() if row.upper().startswith("METHOD:")),
            "PUBLISH",
        )
        message.add_alternative(ics, subtype="calendar", params={"method": method})
    return message.as_bytes()


def _verdict(auth: str, domain: str) -> str:
    if auth == "none":
        return f"{settings.MAIL_AUTHSERV_ID}; none"
    return (
        f"{settings.MAIL_AUTHSERV_ID}; dkim={auth} header.d={domain};"
        f" spf={auth} smtp.mailfrom={domain}; dmarc={auth} header.from={domain}"
    )


# Telephony


def _call(line: Line, cast: Cast) -> Iterator[Request]:
    """Yield a call's callbacks: its end, then a voicemail's recording and transcript."""
    status = line.data["status"]
    duration = line.data.get("duration_s", 0)
    call = {
        "CallSid": _sid("CA", line),
        "CallStatus": "no-answer" if status == CallStatus.MISSED else "completed",
        "CallDuration": str(duration),
    }
    if status != CallStatus.VOICEMAIL:
        yield _twilio("voice/", line.at, call, line, cast)
        return
    recording = {
        **call,
        "RecordingSid": _sid("RE", line),
        "RecordingDuration": str(duration),
        "RecordingStatus": "completed",
        "RecordingUrl": f"https://recordings.telephony.example/{_sid('RE', line)}",
    }
    yield _twilio("recording/", line.at, recording, line, cast)
    if "transcript" in line.data:
        at = line.data.get("transcript_at", line.at)
        transcript = {
            **recording,
            "TranscriptionSid": _sid("TR", line),
            "TranscriptionStatus": "completed",
            "TranscriptionText": line.data["transcript"],
        }
        yield _twilio("transcription/", max(at, line.at), transcript, line, cast)


def _twilio(name: str, at: datetime, params: Mapping[str, str], line: Line, cast: Cast) -> Request:
    own = str(cast.memberships[line.data["to"]].intake_number)
    other = str(line.data["from"])
    is_outgoing = line.data.get("direction") == Direction.OUT
    form = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "Direction": "outbound-dial" if is_outgoing else "inbound",
        "From": own if is_outgoing else other,
        "To": other if is_outgoing else own,
        "Timestamp": format_datetime(line.at),
        **params,
    }
    return Request(
        at=at,
        path=f"{TWILIO}{name}",
        body=urlencode(form).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
        sign=_twilio_signature(form),
    )


def _twilio_signature(form: Mapping[str, str]) -> Callable[[Request, datetime], dict[str, str]]:
    def sign(request: Request, _now: datetime) -> dict[str, str]:
        url = f"{settings.SITE_URL}{request.path}"
        signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
        token = settings.TWILIO_AUTH_TOKENS[0].encode()
        proof = base64.b64encode(hmac.digest(token, signed.encode(), hashlib.sha1)).decode()
        return {"x-twilio-signature": proof}

    return sign


def _sid(prefix: str, line: Line) -> str:
    """Return the provider's name for a line's message: the same whenever it is sent again."""
    return prefix + hashlib.sha256(line.id.encode()).hexdigest()[:32]
