"""Reads what a mail provider posted: anymail knows their formats and how they prove themselves.

The bytes of the message are kept where the provider hands them over; where it hands over
parts, the message is put together again, the same at every try.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email import policy
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import requests
from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.inbound import AnymailInboundMessage
from anymail.signals import EventType
from anymail.webhooks import amazon_ses, brevo, mailtrap, resend
from anymail.webhooks.base import AnymailBaseWebhookView
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters

from owners import clock
from suppliers import guard, signing
from suppliers.mail_providers import BASIC, MAX_BYTES, PROVIDERS

MAX_FIELDS = 200
FETCH_S = 20.0
AMAZON = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/\?[\w.~%&=:+-]{1,2000}")
# What anymail raises for a post that is not what the provider documents.
UNREADABLE = (
    AnymailError, ImproperlyConfigured, AssertionError, AttributeError, LookupError, TypeError,
    ValueError,
)  # fmt: skip


class ProofError(Exception):
    """What was posted is not proved to be the provider's."""


class ContentError(Exception):
    """What was posted is the provider's, but no mail that can be read; the text says why."""


class FetchError(Exception):
    """The provider does not hand over now what it announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One mail as a provider handed it over, and for whom: nobody when it does not say."""

    raw: bytes
    recipients: tuple[str, ...]
    return_path: str | None
    is_rebuilt: bool


def read(name: str, request: HttpRequest) -> list[Delivered]:
    """Return the mails in a provider's post; `request` must not have been read yet.

    Raises ProofError, ContentError, or FetchError when the provider itself does not answer.
    """
    fields = _take(request)
    view = _view(name)
    view.setup(request)
    try:
        view.run_validators(request)
    except AnymailWebhookValidationFailure as error:
        raise ProofError from error
    except Exception as error:
        raise ProofError from error
    try:
        events = view.parse_events(request)
        return [_delivered(name, event, fields) for event in events if _is_mail(event)]
    except requests.RequestException as error:
        raise FetchError from error
    except UNREADABLE as error:
        raise ContentError(f"{type(error).__name__} in what the provider posted") from error


def _view(name: str) -> Any:
    provider = PROVIDERS[name]
    module, _, kind = provider.view.partition(":")
    # One that signs need not carry the name and password of those that cannot.
    options: dict[str, Any] = {} if provider.secret == BASIC else {"webhook_secret": []}
    if name == "mandrill" and not settings.ANYMAIL.get("MANDRILL_WEBHOOK_URL"):
        # It signs the address; behind a proxy only the settings know the public one.
        options["webhook_url"] = f"{settings.SITE_URL}/webhooks/mail/mandrill/"
    return getattr(import_module(module), kind)(**options)


def _is_mail(event: Any) -> bool:
    return event is not None and event.event_type == EventType.INBOUND and event.message is not None


class ResendSigned:
    """Resend signs like everybody in Standard Webhooks, so its own package is not needed."""

    signed_by: str  # the name of the secret
    # anymail would warn that nothing is signed, as it does not see the check below.
    warn_if_no_basic_auth = property(lambda _self: False, lambda _self, _value: None)

    def validate_request(self, request: HttpRequest) -> None:
        """Verify the signature; anymail calls this besides its own checks."""
        try:
            signing.verify(
                webhook_id=request.headers.get("svix-id"),
                timestamp=request.headers.get("svix-timestamp"),
                signatures=request.headers.get("svix-signature"),
                body=request.body,
                keys=[signing.verifier(str(settings.ANYMAIL[self.signed_by]))],
                now=clock.now(),
            )
        except signing.SignatureError as error:
            raise AnymailWebhookValidationFailure(error.code) from error


class Resend(ResendSigned, resend.ResendInboundWebhookView):  # type: ignore[misc]  # untyped
    """Mail that Resend announces."""

    signed_by = "RESEND_INBOUND_SECRET"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(inbound_secret=None, **kwargs)


class WithoutAmazon:
    """Notices that hold all that is read of them: Amazon's own package is not needed.

    It could not be installed beside ours (it wants an older python-dateutil).
    """

    def __init__(self, **kwargs: Any) -> None:
        self.auto_confirm_enabled = True
        AnymailBaseWebhookView.__init__(self, **kwargs)

    def auto_confirm_sns_subscription(self, sns_message: Mapping[str, Any]) -> None:
        """Say yes to a topic of Amazon's that knows our password, at Amazon's own address."""
        url = str(sns_message.get("SubscribeURL", ""))
        if not AMAZON.fullmatch(url):
            raise AnymailError("The address to confirm at is not Amazon's.")
        _fetch(url).raise_for_status()

    def get_boto_client(self, service_name: str, **_options: Any) -> Any:
        """Refuse what only Amazon's package could do."""
        raise AnymailError(f"Choose the SNS action: mail in {service_name} is not fetched.")


class AmazonSES(WithoutAmazon, amazon_ses.AmazonSESInboundWebhookView):  # type: ignore[misc]  # untyped
    """Notices with the mail itself; one that a receipt rule put into S3 is not fetched."""


def _fetch(url: str, **options: Any) -> requests.Response:
    """Get what lies at an address that the provider named: a public one, and no other from there.

    It names it in an answer to us, over TLS; a slip of its own must not lead inside either.
    """
    try:
        guard.checked(url, allowed=settings.OUTBOX_ALLOWED_NETWORKS, resolver=guard.resolve)
    except guard.BlockedError as error:
        raise requests.ConnectionError(f"blocked: {error}") from error
    return requests.get(url, timeout=FETCH_S, allow_redirects=False, **options)


# These fetch what their webhook only announces, and would wait for it without end.
for _module in (brevo, mailtrap, resend):
    _module.requests = SimpleNamespace(get=_fetch)


# --- the bytes ---------------------------------------------------------------------------


def _take(request: HttpRequest) -> Mapping[str, bytes]:
    """Read the body, once; return the fields of a form as they were sent.

    Django's limit for a form is meant for people: a mail in a field may be larger, and
    what is not UTF-8 would not survive.
    """
    request._body = request.read(MAX_BYTES + 1)  # noqa: SLF001 - what request.body would fill
    if len(request.body) > MAX_BYTES:
        raise ContentError("It is too large.")
    if request.content_type != "multipart/form-data":
        return {}
    post, files = QueryDict(mutable=True), MultiValueDict[str, Any]()
    fields: dict[str, bytes] = {}
    for name, filename, kind, content in _parts(request):
        if filename is None:
            fields[name] = content
            post.appendlist(name, content.decode("utf-8", "replace"))
        else:
            files.appendlist(name, SimpleUploadedFile(filename or "file", content, kind))
    vars(request).update(_post=post, _files=files)  # what request.POST and FILES would fill
    return fields


def _parts(request: HttpRequest) -> Iterator[tuple[str, str | None, str, bytes]]:
    boundary = (
        request.content_params.get("boundary", "").encode() if request.content_params else b""
    )
    if not 0 < len(boundary) <= 200:
        raise ContentError("The form has no boundary.")
    pieces = (b"\r\n" + request.body).split(b"\r\n--" + boundary, MAX_FIELDS + 2)[1:]
    if len(pieces) > MAX_FIELDS:
        raise ContentError("The form has too many fields.")
    for piece in pieces:
        if piece.startswith(b"--"):
            return
        head, _, content = piece.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        found = {
            key.strip().lower(): value.strip()
            for key, colon, value in (line.partition(":") for line in lines)
            if colon
        }
        try:
            _kind, options = parse_header_parameters(found.get("content-disposition", ""))
        except ValueError as error:
            raise ContentError("A field of the form cannot be read.") from error
        kind = found.get("content-type", "application/octet-stream")
        yield options.get("name", ""), options.get("filename"), kind, content


def _delivered(name: str, event: Any, fields: Mapping[str, bytes]) -> Delivered:
    message, sent = event.message, event.esp_event
    handed = RAW[name](sent, fields) if name in RAW else None
    raw = handed.encode("utf-8", "surrogateescape") if isinstance(handed, str) else handed
    recipients = RECIPIENTS[name](sent, message) if name in RECIPIENTS else ()
    one = message.envelope_recipient
    found = dict.fromkeys(item for item in (*recipients, one) if item and "@" in str(item))
    return Delivered(
        raw=raw or rebuilt(message),
        recipients=tuple(str(item) for item in found),
        return_path=message.envelope_sender,
        is_rebuilt=not raw,
    )


def rebuilt(message: AnymailInboundMessage) -> bytes:
    """Return a message made of parts as bytes: the same for the same parts."""
    said = "|".join(str(message.get(name, "")) for name in ("message-id", "date", "subject"))
    seed = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:24]
    for number, part in enumerate(message.walk()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_{seed}_{number}")
    try:
        return bytes(message.as_bytes(policy=policy.SMTP))
    except (LookupError, TypeError, ValueError):  # a head no policy can fold
        text = message.as_string(policy=policy.compat32)
        return str(text).encode("utf-8", "surrogateescape")


def _encoded(text: str, *, is_base64: bool) -> bytes:
    if not is_base64:
        return text.encode("utf-8", "surrogateescape")
    return base64.b64decode(text)


def _of_form(name: str) -> Callable[[Any, Mapping[str, bytes]], bytes | str | None]:
    return lambda request, fields: fields.get(name) or request.POST.get(name)


# Where the bytes of the message are, at those that hand them over.
RAW: dict[str, Callable[[Any, Mapping[str, bytes]], bytes | str | None]] = {
    "amazon_ses": lambda sent, _: (
        sent.get("content")
        and _encoded(
            sent["content"],
            is_base64=sent.get("receipt", {}).get("action", {}).get("encoding") == "BASE64",
        )
    ),
    "mailersend": lambda sent, _: sent["data"].get("raw"),
    "mailgun": _of_form("body-mime"),
    "mandrill": lambda sent, _: sent["msg"].get("raw_msg"),
    "postal": lambda sent, _: _encoded(sent["message"], is_base64=sent.get("base64") is True),
    "postmark": lambda sent, _: sent.get("RawEmail"),
    "sendgrid": _of_form("email"),
    "sparkpost": lambda sent, _: _encoded(
        sent["msys"]["relay_message"]["content"]["email_rfc822"],
        is_base64=bool(sent["msys"]["relay_message"]["content"].get("email_rfc822_is_base64")),
    ),
}


def _named(message: Any, *names: str) -> list[str]:
    return [
        str(address.addr_spec) for name in names for address in message.get_address_header(name)
    ]


# For whom it is, at those that name more than one, or only in the head.
RECIPIENTS: dict[str, Callable[[Any, Any], Any]] = {
    "amazon_ses": lambda sent, _: sent.get("receipt", {}).get("recipients", ()),
    "mailersend": lambda sent, _: [
        one.get("email") for one in sent["data"].get("recipients", {}).get("rcptTo", ())
    ],
    "mailtrap": lambda _, message: _named(message, "delivered-to", "x-original-to", "to", "cc"),
    "resend": lambda sent, _: [
        *sent["data"].get("to", ()), *sent["data"].get("cc", ()), *sent["data"].get("bcc", ()),
    ],
    "sendgrid": lambda sent, _: json.loads(sent.POST.get("envelope", "{}")).get("to", ()),
}  # fmt: skip
