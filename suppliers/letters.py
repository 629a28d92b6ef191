"""What an outbound event says as a mail, for suppliers without an endpoint.

It comes from the mandate's alias, so an answer finds its way back; the mail that is
answered is named where there is one.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import OuterRef, Subquery

from owners.models import Household
from suppliers.choices import Medium
from suppliers.models import Contact, Mandate, OutboundEvent, Supplier

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
WORDS = ("body", "text", "note", "reason", "answer", "score")
# References that people know by their name.
NAMED = ("order", "ticket", "contract", "claim", "invoice", "quote")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail, ready to be sent."""

    sender: str
    recipient: str
    subject: str
    text: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)


def write_all(events: Sequence[OutboundEvent]) -> dict[int, Letter]:
    """Return the mail for each event; none where no address of the supplier is known."""
    answered = last_mails(event.mandate_id for event in events if event.mandate_id is not None)
    found = {}
    for event in events:
        is_owners = event.type.startswith("owner.")
        # What is technical answers nobody.
        mail = answered.get(event.mandate_id or 0) if is_owners else None
        letter = _write(event, mail)
        if letter is not None:
            found[event.pk] = letter
    return found


def _write(event: OutboundEvent, answered: Contact | None) -> Letter | None:
    recipient = address_of(event.supplier, answered)
    if not recipient:
        return None
    sender = settings.DEFAULT_FROM_EMAIL
    if event.mandate is not None and event.type.startswith("owner."):
        sender = f"{event.mandate.alias}@{settings.MAIL_DOMAIN}"
    headers = {"Auto-Submitted": "auto-generated"}
    reference = _reference(answered) if answered else ""
    if reference:
        headers["In-Reply-To"] = headers["References"] = reference
    return Letter(
        sender=sender,
        recipient=recipient,
        subject=_subject(event),
        text=_text(event),
        # The same for every try: a receiver can tell a repeat.
        message_id=f"<{event.uuid}@{settings.MAIL_DOMAIN}>",
        headers=headers,
    )


def address_of(supplier: Supplier, answered: Contact | None) -> str:
    """Return where the supplier reads mail, or nothing: an address is never guessed.

    The owner's answer goes to the address that last wrote to this mandate and was let in
    (`last_mails`), else to the one in the supplier's profile; what is technical only to
    the latter.
    """
    if answered is not None:
        sender = str(answered.said.get("sender", ""))
        if "@" in sender and not any(char in sender for char in "\r\n,;"):
            return sender
    return supplier.technical_contact


def last_mails(mandates: Iterable[int]) -> dict[int, Contact]:
    """Return the last mail that came to each of these mandates: two reads for any number."""
    mails = Contact.objects.filter(
        mandate=OuterRef("pk"), medium=Medium.EMAIL, suspicion="", inbound__way="mail"
    )
    newest = Subquery(mails.order_by("-said_at", "-pk").values("pk")[:1])
    rows = Mandate.objects.filter(pk__in=set(mandates)).annotate(newest=newest)
    found = dict(rows.exclude(newest=None).values_list("newest", "pk"))
    return {found[pk]: mail for pk, mail in Contact.objects.in_bulk([*found]).items()}


def _reference(contact: Contact) -> str:
    for key in contact.said.get("keys", []):
        if key.get("scheme") == "message":
            value = str(key["value"]).strip("<>")
            if value.isascii() and value.isprintable() and " " not in value:
                return f"<{value}>"
    return ""


def words_of(event: OutboundEvent) -> str:
    """Return what an event says to people: also what the owner may send by another way."""
    lines = [f"{_subject(event)}."]
    if event.type.startswith("owner.appointment.") and event.data.get("start"):
        lines.append(f"The appointment: {_span(event.data, event.household)}.")
    windows = event.data.get("windows") or ()
    lines += [f"Possible: {_span(window, event.household)}." for window in windows]
    lines += [str(event.data[name]) for name in WORDS if event.data.get(name)]
    refs = [ref for ref in event.data.get("refs") or () if ref.get("scheme") in NAMED]
    lines += [f"Your {ref['scheme']} {ref['value']}." for ref in refs]
    return "\n".join(lines)


def _subject(event: OutboundEvent) -> str:
    plain = event.type.replace(".", " ").replace("_", " ").capitalize()
    return SUBJECTS.get(event.type, plain)


def _span(window: dict[str, Any], household: Household | None) -> str:
    zone = ZoneInfo(household.zone if household is not None else "UTC")
    start = datetime.fromisoformat(window["start"]).astimezone(zone)
    end = datetime.fromisoformat(window["end"]).astimezone(zone)
    return f"{start:%a %d %b %Y, %H:%M} to {end:%H:%M} ({zone.key})"


def _text(event: OutboundEvent) -> str:
    details = json.dumps(event.data, indent=2, ensure_ascii=False, sort_keys=True)
    foot = "Sent by Steward on behalf of its owner. For your systems:"
    return "\n".join([words_of(event), "", "-- ", foot, "", event.type, details, ""])
