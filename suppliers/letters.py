"""What an outbound event says as a mail, for suppliers without an endpoint.

It comes from the mandate's alias, so an answer finds its way back; the mail that is
answered is named where there is one.
"""

import json
from dataclasses import dataclass, field

from django.conf import settings

from suppliers.choices import Medium
from suppliers.models import Contact, OutboundEvent, SupplierDomain

SUBJECTS = {
    "owner.message.sent": "A message about our appointment or order",
    "owner.appointment.accepted": "We accept the appointment",
    "owner.appointment.declined": "We decline the appointment",
    "owner.appointment.countered": "Another time for the appointment",
    "owner.appointment.cancelled": "We cancel the appointment",
    "owner.appointment.requested": "We ask for an appointment",
    "owner.survey.answered": "An answer to your survey",
    "owner.survey.declined": "No survey, please",
    "owner.survey.deferred": "No more surveys for now, please",
    "owner.ticket.reopened": "It is not solved yet",
    "owner.ticket.information_provided": "The information you asked for",
    "owner.journey.closed": "It works; thank you",
    "owner.mandate.granted": "You may write to us here",
    "owner.mandate.revoked": "Please write to us no longer",
    "steward.event.rejected": "An event of yours could not be read",
    "steward.endpoint.disabled": "Your webhook endpoint was switched off",
}
WORDS = ("text", "note", "reason", "answer", "score")
# RFC 2142 names this mailbox for questions about a product.
MAILBOX = "support"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail, ready to be sent."""

    sender: str
    recipient: str
    subject: str
    text: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)


def write(event: OutboundEvent) -> Letter | None:
    """Return the mail for an event, or None when no address of the supplier is known."""
    answered = _last_mail(event)
    recipient = _recipient(event, answered)
    if not recipient:
        return None
    sender = settings.DEFAULT_FROM_EMAIL
    if event.mandate is not None and event.type.startswith("owner."):
        sender = f"{event.mandate.alias}@{settings.MAIL_DOMAIN}"
    headers = {"Auto-Submitted": "auto-generated"}
    reference = _reference(answered) if answered else ""
    if reference:
        headers["In-Reply-To"] = headers["References"] = reference
    subject = SUBJECTS.get(event.type, event.type.replace(".", " ").replace("_", " ").capitalize())
    return Letter(
        sender=sender,
        recipient=recipient,
        subject=subject,
        text=_text(event, subject),
        # The same for every try: a receiver can tell a repeat.
        message_id=f"<{event.uuid}@{settings.MAIL_DOMAIN}>",
        headers=headers,
    )


def _last_mail(event: OutboundEvent) -> Contact | None:
    if event.mandate_id is None:
        return None
    mails = Contact.objects.filter(
        mandate=event.mandate_id, medium=Medium.EMAIL, suspicion="", inbound__way="mail"
    )
    return mails.order_by("-said_at", "-pk").first()


def _recipient(event: OutboundEvent, answered: Contact | None) -> str:
    if event.type.startswith("owner.") and answered is not None:
        sender = str(answered.said.get("sender", ""))
        if "@" in sender and not any(char in sender for char in "\r\n,;"):
            return sender
    if event.supplier.technical_contact:
        return event.supplier.technical_contact
    if not event.type.startswith("owner."):
        return ""
    domain = (
        SupplierDomain.objects.filter(supplier=event.supplier_id, household__isnull=True)
        .order_by("pk")
        .values_list("domain", flat=True)
        .first()
    )
    return f"{MAILBOX}@{domain}" if domain else ""


def _reference(contact: Contact) -> str:
    for key in contact.said.get("keys", []):
        if key.get("scheme") == "message":
            value = str(key["value"]).strip("<>")
            if value.isascii() and value.isprintable() and " " not in value:
                return f"<{value}>"
    return ""


def _text(event: OutboundEvent, subject: str) -> str:
    lines = [f"{subject}."]
    lines += [str(event.data[name]) for name in WORDS if event.data.get(name)]
    details = json.dumps(event.data, indent=2, ensure_ascii=False, sort_keys=True)
    lines += ["", "-- ", "Sent by Steward on behalf of its owner. For your systems:", ""]
    return "\n".join([*lines, event.type, details, ""])
