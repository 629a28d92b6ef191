"""Reads what a mail provider says became of our mail: anymail knows their formats and proofs."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

MAX_BYTES = 2 * 2**20
# Each with what it signs by; the others carry the user and password of ANYMAIL_WEBHOOK_SECRET.
VIEWS: dict[str, tuple[str, str]] = {
    "amazon_ses": ("notifications.mail_trackers:AmazonSES", ""),
    "brevo": ("brevo:BrevoTrackingWebhookView", ""),
    "mailersend": ("mailersend:MailerSendTrackingWebhookView", "MAILERSEND_SIGNING_SECRET"),
    "mailgun": ("mailgun:MailgunTrackingWebhookView", "MAILGUN_WEBHOOK_SIGNING_KEY"),
    "mailjet": ("mailjet:MailjetTrackingWebhookView", ""),
    "mailtrap": ("mailtrap:MailtrapTrackingWebhookView", "MAILTRAP_TRACKING_SECRET"),
    "mandrill": ("mandrill:MandrillCombinedWebhookView", "MANDRILL_WEBHOOK_KEY"),
    "postal": ("postal:PostalTrackingWebhookView", "POSTAL_WEBHOOK_KEY"),
    "postmark": ("postmark:PostmarkTrackingWebhookView", ""),
    "resend": ("notifications.mail_trackers:Resend", "RESEND_SIGNING_SECRET"),
    "sendgrid": ("sendgrid:SendGridTrackingWebhookView", ""),
    "sparkpost": ("sparkpost:SparkPostTrackingWebhookView", ""),
}
UNREADABLE = (
    AnymailError, ImproperlyConfigured, AssertionError, AttributeError, LookupError, TypeError,
    ValueError,
)  # fmt: skip


class ProofError(Exception):
    """What was posted is not proved to be the provider's."""


class ContentError(Exception):
    """What was posted is the provider's, but nothing that can be read."""


class LaterError(Exception):
    """The provider had to be asked for something, and does not answer now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What became of one mail: `said` and `reason` in anymail's words."""

    ref: str
    said: str
    reason: str


def is_open(provider: str) -> bool:
    """Say whether a provider may tell us anything: it is named, and has a secret."""
    if provider not in settings.MAIL_TRACKING or provider not in VIEWS:
        return False
    return bool(settings.ANYMAIL.get(VIEWS[provider][1] or "WEBHOOK_SECRET"))


def read(provider: str, request: HttpRequest) -> list[Event]:
    """Return the events in a provider's post; raises ProofError, ContentError or LaterError."""
    path, secret = VIEWS[provider]
    module, _, kind = path.partition(":")
    options: dict[str, Any] = {"webhook_secret": []} if secret else {}
    if provider == "mandrill" and not settings.ANYMAIL.get("MANDRILL_WEBHOOK_URL"):
        # It signs the address; behind a proxy only the settings know the public one.
        options["webhook_url"] = f"{settings.SITE_URL}/webhooks/mail/mandrill/tracking/"
    place = module if "." in module else f"anymail.webhooks.{module}"
    view: Any = getattr(import_module(place), kind)(**options)
    view.setup(request)
    try:
        view.run_validators(request)
    except (AnymailWebhookValidationFailure, *UNREADABLE) as error:
        raise ProofError from error
    try:
        return [
            Event(
                ref=str(event.message_id or ""),
                said=str(event.event_type),
                reason=str(getattr(event, "reject_reason", "") or ""),
            )
            for event in view.parse_events(request)
            if event is not None and hasattr(event, "message_id")
        ]
    except OSError as error:  # as anymail's own client says it
        raise LaterError from error
    except UNREADABLE as error:
        raise ContentError(f"{type(error).__name__} in what the provider posted") from error
