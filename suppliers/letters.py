"""What an outbound event says as a mail, for suppliers without an endpoint.

It comes from the mandate's alias, so an answer finds its way back; the mail that is
answered is named where there is one.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import dateformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from owners import households
from owners.models import Household
from suppliers import contacts as said
from suppliers import disclosure, replies
from suppliers.admission import AUTOMATIC
from suppliers.choices import FactName, MandateState, Medium, Purpose, RoleKind
from suppliers.models import Contact, Mandate, OutboundEvent, Supplier

SUBJECTS: dict[str, str | Promise] = {
    "owner.message.sent": gettext_lazy("A message about our appointment or order"),
    "owner.appointment.accepted": gettext_lazy("We accept the appointment"),
    "owner.appointment.declined": gettext_lazy("We decline the appointment"),
    "owner.appointment.tentative": gettext_lazy("The appointment will probably suit us"),
    "owner.appointment.slot_selected": gettext_lazy("We take one of the times you offered"),
    "owner.appointment.countered": gettext_lazy("Another time for the appointment"),
    "owner.appointment.cancelled": gettext_lazy("We cancel the appointment"),
    "owner.appointment.requested": gettext_lazy("We ask for an appointment"),
    "owner.survey.answered": gettext_lazy("An answer to your survey"),
    "owner.survey.declined": gettext_lazy("No survey, please"),
    "owner.survey.deferred": gettext_lazy("No more surveys for now, please"),
    "owner.quote.accepted": gettext_lazy("We take your offer"),
    "owner.quote.declined": gettext_lazy("We do not take your offer"),
    "owner.invoice.disputed": gettext_lazy("We do not agree with your invoice"),
    "owner.recall.acknowledged": gettext_lazy("We know of your recall"),
    "owner.recall.remedy_chosen": gettext_lazy("What we want for your recall"),
    "owner.recall.not_owner": gettext_lazy("Your recall is not about us any more"),
    "owner.asset.linked": gettext_lazy("You look after something of ours now"),
    "owner.asset.unlinked": gettext_lazy("You no longer look after something of ours"),
    "owner.asset.disposed": gettext_lazy("We no longer own it"),
    "owner.asset.transferred": gettext_lazy("It has another owner"),
    "owner.ticket.opened": gettext_lazy("Something does not work"),
    "owner.ticket.reopened": gettext_lazy("It is not solved yet"),
    "owner.ticket.information_provided": gettext_lazy("The information you asked for"),
    "owner.reach.changed": gettext_lazy("When and how you may reach us has changed"),
    "owner.data_request.created": gettext_lazy("A request about our personal data"),
    "owner.journey.closed": gettext_lazy("It works; thank you"),
    "owner.mandate.granted": gettext_lazy("You may write to us here"),
    "owner.mandate.changed": gettext_lazy("What you may write about has changed"),
    "owner.mandate.paused": gettext_lazy("Please write to us no more for now"),
    "owner.mandate.revoked": gettext_lazy("Please write to us no longer"),
    "owner.terms.proffered": gettext_lazy("Our terms, for your yes or no"),
    "owner.terms.withdrawn": gettext_lazy("Our terms no longer hold"),
    "owner.unsubscribed": gettext_lazy("Please send us no more adverts"),
    "steward.event.rejected": gettext_lazy("An event of yours could not be read"),
    "steward.event.superseded": gettext_lazy("A later event made one of yours history"),
    "steward.secret.rotated": gettext_lazy("A signing secret was replaced"),
    "steward.ping": gettext_lazy("A test of how Steward reaches you"),
    "steward.endpoint.disabled": gettext_lazy("Your webhook endpoint was switched off"),
}
# What a piece of news is about, where that is more than what the type says.
NEWS: dict[str, str | Promise] = {
    "address": gettext_lazy("We have a new address"),
    "phone": gettext_lazy("We have a new phone number"),
    "email": gettext_lazy("We have a new mail address"),
    "name": gettext_lazy("We have a new name"),
}
NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
POSTAL = frozenset({"organizer", "invited"})  # for a calendar by mail, and no system's
SMS_LENGTH = 640  # four or five parts; nobody reads more of it
WORDS = ("body", "text", "note", "reason", "answer", "score")
# References that people know by their name.
NAMED: dict[str, str | Promise] = {
    "order": gettext_lazy("Your order %(number)s."),
    "ticket": gettext_lazy("Your ticket %(number)s."),
    "contract": gettext_lazy("Your contract %(number)s."),
    "claim": gettext_lazy("Your claim %(number)s."),
    "invoice": gettext_lazy("Your invoice %(number)s."),
    "quote": gettext_lazy("Your quote %(number)s."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail, ready to be sent."""

    sender: str
    recipient: str
    subject: str
    text: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)
    calendar: str = ""  # the same as a calendar says it (RFC 6047), where it came as one
    method: str = ""  # that of the calendar


def write_all(events: Sequence[OutboundEvent]) -> dict[int, Letter]:
    """Return the mail for each event; none where no address of the supplier is known."""
    answered = last_mails(event.mandate_id for event in events if event.mandate_id is not None)
    spoken = households.tongues({event.household_id for event in events if event.household_id})
    found = {}
    for event in events:
        is_owners = event.type.startswith("owner.")
        # What is technical answers nobody.
        mail = answered.get(event.mandate_id or 0) if is_owners else None
        # What is technical is for programmers; the rest speaks as the household does.
        language = spoken.get(event.household_id or 0, "") if is_owners else ""
        with override(language or settings.LANGUAGE_CODE):
            letter = _write(event, mail)
        if letter is not None:
            found[event.pk] = letter
    return found


def _write(event: OutboundEvent, answered: Contact | None) -> Letter | None:
    if "mailto" in event.data:
        return _unsubscription(event)
    recipient = address_of(event.supplier, answered)
    if not recipient:
        return None
    sender = settings.DEFAULT_FROM_EMAIL
    calendar = None
    if event.mandate is not None and event.type.startswith("owner."):
        sender = f"{event.mandate.alias}@{settings.MAIL_DOMAIN}"
        calendar = replies.write(
            type_=event.type,
            data=event.data,
            alias=sender,
            at=event.created_at,
            summary=subject_of(event),
            spoken=[_span(one, event.household) for one in event.data.get("windows") or ()],
        )
    headers = {"Auto-Submitted": "auto-generated"}
    reference = _reference(answered) if answered else ""
    if reference:
        headers["In-Reply-To"] = headers["References"] = reference
    return Letter(
        sender=sender,
        recipient=recipient,
        subject=subject_of(event),
        text=_text(event),
        # The same for every try: a receiver can tell a repeat.
        message_id=f"<{event.uuid}@{settings.MAIL_DOMAIN}>",
        headers=headers,
        calendar=calendar.text if calendar else "",
        method=calendar.method if calendar else "",
    )


def _unsubscription(event: OutboundEvent) -> Letter | None:
    """Return the mail that a `mailto:` of List-Unsubscribe asks for (RFC 2369, RFC 6068).

    It comes from the alias that the sender wrote to, so nobody learns another address.
    """
    path, _mark, query = str(event.data["mailto"])[len("mailto:") :].partition("?")
    recipient = unquote(path)
    if event.mandate is None or any(char in recipient for char in "\r\n,; "):
        return None
    asked = {name.lower(): values[0] for name, values in parse_qs(query).items()}
    subject = " ".join(asked.get("subject", "unsubscribe").split())[:200]
    return Letter(
        sender=f"{event.mandate.alias}@{settings.MAIL_DOMAIN}",
        recipient=recipient,
        subject=subject or "unsubscribe",
        text=asked.get("body", subject_of(event))[:1000],
        message_id=f"<{event.uuid}@{settings.MAIL_DOMAIN}>",
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
    ).exclude(refusal=AUTOMATIC)  # nobody reads what a machine is answered
    newest = Subquery(mails.order_by("-said_at", "-pk").values("pk")[:1])
    rows = Mandate.objects.filter(pk__in=set(mandates)).annotate(newest=newest)
    found = dict(rows.exclude(newest=None).values_list("newest", "pk"))
    return {found[pk]: mail for pk, mail in Contact.objects.in_bulk([*found]).items()}


def named_in(contacts: Sequence[said.Contact]) -> set[str]:
    """Return the names of our letters that mails speak of: as a bounce, or as an answer."""
    domain = f"@{settings.MAIL_DOMAIN.lower()}"
    answered = {
        key.value.lower().removesuffix(domain)
        for contact in contacts
        for key in contact.keys
        if key.scheme == "thread" and key.value.lower().endswith(domain)
    }
    returned = {contact.report.letter for contact in contacts if contact.report is not None}
    return {name for name in answered | returned if NAME.match(name)}


def known(names: set[str]) -> dict[str, OutboundEvent]:
    """Return our letters by these names, each with `answered`, the mail that it answered."""
    mails = Contact.objects.filter(
        mandate=OuterRef("mandate"),
        medium=Medium.EMAIL,
        suspicion="",
        inbound__way="mail",
        received_at__lte=OuterRef("created_at"),
    )
    newest = Subquery(mails.order_by("-said_at", "-pk").values("said__keys")[:1])
    rows = OutboundEvent.objects.filter(uuid__in=names).annotate(answered=newest)
    return {str(event.uuid): event for event in rows.order_by()}


def threaded(contact: said.Contact, answered: Mapping[str, OutboundEvent]) -> said.Contact:
    """Return an answer to a letter of ours with the mail that the letter itself answered.

    Our letter is no contact; the mail before it is one, on the matter they are about.
    """
    before = [
        said.Key(scheme="thread", value=str(key["value"]))
        for letter in answered.values()
        for key in getattr(letter, "answered", None) or ()
        if key.get("scheme") == "message"
    ]
    return contact.with_(keys=tuple(dict.fromkeys((*contact.keys, *before))))


def _reference(contact: Contact) -> str:
    for key in contact.said.get("keys", []):
        if key.get("scheme") == "message":
            value = str(key["value"]).strip("<>")
            if value.isascii() and value.isprintable() and " " not in value:
                return f"<{value}>"
    return ""


def words_of(event: OutboundEvent) -> str:
    """Return what an event says to people, in the active language.

    It is also what the owner may send by another way.
    """
    lines = [f"{subject_of(event)}."]
    if (
        event.type.startswith("owner.appointment.")
        and event.data.get("start")
        and event.data.get("end")
    ):
        when = _span(event.data, event.household)
        lines.append(_("The appointment: %(when)s.") % {"when": when})
    windows = event.data.get("windows") or ()
    lines += [
        _("Possible: %(when)s.") % {"when": _span(window, event.household)} for window in windows
    ]
    is_grant = event.type.startswith("owner.mandate.") and not event.data.get("changed")
    lines += _granted(event.data) if is_grant else []
    if event.type.startswith("owner.terms."):
        lines.append(_("It is at %(where)s, version %(version)s.") % {
            "where": event.data["agreementUri"], "version": event.data["version"],
        })  # fmt: skip
    lines += [
        _("Our terms no longer hold: %(what)s.") % {"what": one["title"]}
        for one in event.data.get("terms") or ()
    ]
    lines += _about_asset(event.data)
    if not event.type.startswith("owner.mandate."):
        lines += _facts(event.data)
    lines += [str(event.data[name]) for name in WORDS if event.data.get(name)]
    refs = [ref for ref in event.data.get("refs") or () if ref.get("scheme") in NAMED]
    lines += [str(NAMED[ref["scheme"]]) % {"number": ref["value"]} for ref in refs]
    return "\n".join([*lines, *_shown(event.data)])


def _shown(data: dict[str, Any]) -> list[str]:
    """Quote what the owner had before their eyes, with its hash: nobody can change it later."""
    shown = data.get("shown")
    if not isinstance(shown, dict):
        return []
    return [
        _("This is what was shown:"),
        *(f"> {line}" for line in str(shown.get("text", "")).splitlines()),
        f"SHA-256: {shown.get('sha256', '')}",
    ]


def told(event: OutboundEvent) -> dict[str, Any]:
    """Return an event's data as its supplier gets it."""
    return {name: value for name, value in event.data.items() if name not in POSTAL}


def sms_of(event: OutboundEvent) -> str:
    """Return what an event says as an SMS, in the language of the household."""
    home = event.household
    language = households.tongues({home.pk}).get(home.pk, "") if home is not None else ""
    with override(language or settings.LANGUAGE_CODE):
        said_by = _("From %(who)s, by Steward:") % {"who": _who(event)}
        return f"{said_by} {words_of(event)}"[:SMS_LENGTH]


def _who(event: OutboundEvent) -> str:
    """Return how a supplier knows the household: by the name it was let know, else the alias."""
    mandate = event.mandate
    if mandate is None:
        return "Steward"
    granted = mandate.facts if mandate.state == MandateState.ACTIVE else ()
    named = disclosure.home_facts(mandate.household, {FactName.NAME} & set(granted))
    return named.get(FactName.NAME) or f"{mandate.alias}@{settings.MAIL_DOMAIN}"


def _granted(data: Mapping[str, Any]) -> list[str]:
    """Say in words what a mandate allows: purposes, things and facts."""
    if data.get("state") != MandateState.ACTIVE:
        return []
    labels = dict(Purpose.choices)
    named = [str(labels[name]) for name in data.get("purposes", ()) if name in labels]
    lines = [_("You may write about: %(what)s.") % {"what": ", ".join(named) or _("nothing")}]
    things = [str(asset["name"]) for asset in data.get("assets", ())]
    if things:
        lines.append(_("For: %(what)s.") % {"what": ", ".join(things)})
    return lines + _facts(data)


def _facts(data: Mapping[str, Any]) -> list[str]:
    """Say the facts of the home that go along."""
    labels = dict(FactName.choices)
    facts = data.get("facts") or {}
    return [f"{labels[name]}: {value}" for name, value in facts.items() if name in labels]


def _about_asset(data: Mapping[str, Any]) -> list[str]:
    """Say which of our things it is about, with what the supplier may know of it."""
    asset = data.get("asset")
    if not isinstance(asset, Mapping) or not asset.get("name"):
        return []
    numbers = [str(one["value"]) for one in asset.get("identifiers", ())]
    made = [str(asset[key]) for key in ("maker", "model") if asset.get(key)]
    what = ", ".join([str(asset["name"]), *made, *numbers])
    role = dict(RoleKind.choices).get(str(data.get("role", "")))
    lines = [_("It is about: %(what)s.") % {"what": what}]
    return [*lines, _("You are its: %(role)s.") % {"role": role}] if role else lines


def subject_of(event: OutboundEvent) -> str:
    """Return what an event is about, in the active language."""
    plain = event.type.replace(".", " ").replace("_", " ").capitalize()
    changed = list(event.data.get("changed") or [])
    if len(changed) == 1 and changed[0] in NEWS:
        return str(NEWS[changed[0]])
    return str(SUBJECTS.get(event.type, plain))


def _span(window: dict[str, Any], household: Household | None) -> str:
    zone = ZoneInfo(household.zone if household is not None else "UTC")
    start = datetime.fromisoformat(window["start"]).astimezone(zone)
    end = datetime.fromisoformat(window["end"]).astimezone(zone)
    return _("%(day)s, %(start)s to %(end)s (%(zone)s)") % {
        "day": dateformat.format(start, "D d M Y"),
        "start": f"{start:%H:%M}",
        "end": f"{end:%H:%M}",
        "zone": zone.key,
    }


def _text(event: OutboundEvent) -> str:
    details = json.dumps(told(event), indent=2, ensure_ascii=False, sort_keys=True)
    foot = _("Sent by Steward on behalf of its owner. For your systems:")
    return "\n".join([words_of(event), "", "-- ", foot, "", event.type, details, ""])
