"""What was not meant for the owner: who sends it, why it is held, and making it stop.

An unsubscription is an outbound event like any other, so it has the outbox's claims,
attempts and back-off. It waits a moment before it goes out, for second thoughts. Nobody is
unsubscribed from whom we do not believe: the request would tell a spammer that somebody
reads the address.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Window,
)
from django.db.models.expressions import CombinedExpression, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import RowNumber
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from owners import doorbell
from owners.choices import Trust
from owners.models import Household, Owner
from owners.prepared import fetch
from suppliers import routes
from suppliers.admission import BLOCKED
from suppliers.choices import ContactKind, Outcome, Purpose
from suppliers.contacts import Unsubscribe
from suppliers.models import Contact, Mandate, OutboundEvent, OutboundState, Supplier

TYPE = "owner.unsubscribed"
ONE_CLICK, MAIL, LINK = "one_click", "mail", "link"
NAMESPACE = uuid.UUID("1d8a4b63-6f0b-5a51-9a55-0c2f8a7f4f1e")
SECOND_THOUGHTS = timedelta(seconds=10)
GRACE = timedelta(days=2)  # what comes so soon after was on its way already
SHOWN_FOR = timedelta(days=90)
NEWEST = 3  # of one sender's, shown by their titles
ADVERT = Q(kind=ContactKind.ADVERT) | Q(reason="purpose_not_granted")

ASKED, CONFIRMED, FAILED = "asked", "confirmed", "failed"


class UnsubscribeError(Exception):
    """It cannot be unsubscribed here; `code` says why, the text says it to people."""

    def __init__(self, code: str, detail: str) -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Somebody whose adverts are held: how many, the newest of them, and what was asked."""

    household: Household
    supplier: Supplier | None
    mandate: Mandate | None
    address: str
    count: int
    last_at: datetime
    newest: list[Contact]
    way: str  # how it can be stopped: one_click, mail, link, or nothing
    is_believed: bool
    asked: OutboundEvent | None
    ignored: int

    @property
    def name(self) -> str:
        """What the sender is called."""
        return self.supplier.name if self.supplier else self.address

    @property
    def state(self) -> str:
        """What became of the unsubscription; nothing before it is asked for."""
        if self.asked is None:
            return ""
        states = {OutboundState.SENT: CONFIRMED, OutboundState.FAILED: FAILED}
        return states.get(self.asked.state, ASKED)

    @property
    def signs(self) -> list[str]:
        """By which signs the newest was known as an advert."""
        return list(self.newest[0].said.get("advert_signs", []))

    @property
    def wanted(self) -> str:
        """For which purpose the newest was sent."""
        return str(self.newest[0].said.get("purpose", "") or Purpose.MARKETING)

    @property
    def link(self) -> str:
        """Where the owner can stop it, where only a page of the sender's takes it."""
        return targets_of(self.newest[0]).url


def held(*, owner: Owner, now: datetime) -> QuerySet[Contact]:
    """Return what is held because no granted purpose covers it, of the last 90 days."""
    mine = Contact.objects.for_owner(owner).filter(ADVERT, outcome=Outcome.HELD)
    mine = mine.exclude(reason=BLOCKED)  # nobody wants to see those again
    return mine.filter(said_at__gt=now - SHOWN_FOR)


def senders(*, owner: Owner, now: datetime, limit: int, offset: int = 0) -> list[Sender]:
    """Return whose adverts are held, the newest first: six reads for any number of senders."""
    groups = _grouped(held(owner=owner, now=now))[offset : offset + limit]
    newest = _newest(owner, groups, now=now)
    homes = Household.objects.in_bulk({row["household"] for row in groups})
    firms = Supplier.objects.in_bulk({row["supplier"] for row in groups if row["supplier"]})
    live = Mandate.objects.live().filter(household__in=homes, supplier__in=firms)
    mandates = {(row.household_id, row.supplier_id): row for row in live}
    asked = _asked(homes)
    return [
        _sender(
            row,
            newest=newest.get(_key(row), []),
            home=homes[row["household"]],
            firm=firms.get(row["supplier"]),
            mandate=mandates.get((row["household"], row["supplier"])),
            asked=asked.get(_key(row)),
        )
        for row in groups
        if newest.get(_key(row))
    ]


def count(*, owner: Owner, now: datetime) -> int:
    """Return how many contacts are held as not meant for the owner."""
    return held(owner=owner, now=now).count()


GLANCED = 100  # what is more is said as "100+"
GLANCE = """
    SELECT count(*) FROM (
        SELECT FROM owners_membership m JOIN suppliers_contact c USING (household_id)
        WHERE m.owner_id = %s AND c.said_at > %s AND c.outcome = 'held'
            AND (c.kind = 'advert' OR c.reason = 'purpose_not_granted')
            AND c.reason <> 'sender_blocked'
        LIMIT %s
    ) counted
"""


def glance(*, owner: Owner, now: datetime) -> int:
    """Return the same number for Today, which only asks whether it is more than `GLANCED`."""
    return int(fetch(GLANCE, (owner.pk, now - SHOWN_FOR, GLANCED + 1))[0][0])


def _key(row: dict[str, Any]) -> tuple[int, int | None, str]:
    return (row["household"], row["supplier"], row["sender"] or "")


def _grouped(rows: QuerySet[Contact]) -> list[dict[str, Any]]:
    events = OutboundEvent.objects.annotate(sender=KeyTextTransform("sender", "data"))
    told = events.filter(
        type=TYPE,
        household=OuterRef("household"),
        supplier=OuterRef("supplier"),
        sender=OuterRef("sender"),
        sent_at__lt=CombinedExpression(
            OuterRef("said_at"), "-", Value(GRACE), output_field=DateTimeField()
        ),
    )
    named = rows.annotate(sender=KeyTextTransform("sender", "said"))
    marked = named.annotate(is_ignoring=Exists(told))
    found = (
        marked.values("household", "supplier", "sender")
        .annotate(
            count=Count("pk"),
            last_at=Max("said_at"),
            ignored=Count("pk", filter=Q(is_ignoring=True)),
        )
        .order_by("-last_at", "sender")
    )
    return [{**row} for row in found]


def _newest(
    owner: Owner, groups: list[dict[str, Any]], *, now: datetime
) -> dict[tuple[int, int | None, str], list[Contact]]:
    """Return the newest of each group; read by their time, which an index knows."""
    oldest = min((row["last_at"] for row in groups), default=now)
    wanted = {_key(row) for row in groups}
    place = Window(
        RowNumber(),
        partition_by=[F("household"), F("supplier"), KeyTextTransform("sender", "said")],
        order_by=[F("said_at").desc(), F("pk").desc()],
    )
    ranked = held(owner=owner, now=now).filter(said_at__gte=oldest).annotate(place=place)
    rows = ranked.filter(place__lte=NEWEST).order_by("-said_at", "-pk")
    found: dict[tuple[int, int | None, str], list[Contact]] = {}
    for contact in rows:
        key = (contact.household_id, contact.supplier_id, str(contact.said.get("sender", "")))
        if key in wanted:
            found.setdefault(key, []).append(contact)
    return found


def _asked(homes: dict[int, Household]) -> dict[tuple[int, int | None, str], OutboundEvent]:
    events = OutboundEvent.objects.filter(type=TYPE, household__in=homes).order_by("pk")
    return {(one.household_id or 0, one.supplier_id, one.data["sender"]): one for one in events}


def _sender(
    row: dict[str, Any],
    *,
    newest: list[Contact],
    home: Household,
    firm: Supplier | None,
    mandate: Mandate | None,
    asked: OutboundEvent | None,
) -> Sender:
    return Sender(
        household=home,
        supplier=firm,
        mandate=mandate,
        address=row["sender"] or "",
        count=row["count"],
        last_at=row["last_at"],
        newest=newest,
        way=way_of(newest[0]),
        is_believed=is_believed(newest[0]),
        asked=asked,
        ignored=row["ignored"],
    )


# --- making it stop ----------------------------------------------------------------------


def targets_of(contact: Contact) -> Unsubscribe:
    """Return where the sender says that it takes an unsubscription."""
    given = contact.said.get("unsubscribe") or {}
    return Unsubscribe(
        url=str(given.get("url", "")),
        is_one_click=bool(given.get("is_one_click")),
        mailto=str(given.get("mailto", "")),
    )


def way_of(contact: Contact) -> str:
    """Return how a sender can be asked to stop: by one request, by mail, or on its page."""
    targets = targets_of(contact)
    if targets.url and targets.is_one_click:
        return ONE_CLICK
    if targets.mailto:
        return MAIL
    return LINK if targets.url else ""


def is_believed(contact: Contact) -> bool:
    """Say whether the sender is let in and proved to be who it says it is."""
    return (
        contact.mandate_id is not None
        and contact.suspicion == ""
        and contact.trust in (Trust.AUTHENTICATED, Trust.SIGNED)
    )


def ask(*, contact: Contact, owner: Owner, now: datetime) -> OutboundEvent:
    """Ask the sender of a held contact to stop; the same contact asks once.

    Raises UnsubscribeError where the sender is not believed, or says no way that works
    without its own page.
    """
    if contact.outcome != Outcome.HELD:
        raise UnsubscribeError("not_held", gettext_noop("This contact is not held back."))
    if not is_believed(contact) or contact.supplier_id is None:
        detail = gettext_noop(
            "The sender is not proved; asking it would only tell it that you are there."
        )
        raise UnsubscribeError("not_proved", detail)
    way, targets = way_of(contact), targets_of(contact)
    if way not in (ONE_CLICK, MAIL):
        raise UnsubscribeError("no_way", gettext_noop("Only the sender's own page takes it."))
    target = {"url": targets.url} if way == ONE_CLICK else {"mailto": targets.mailto}
    with transaction.atomic():
        event, _made = OutboundEvent.objects.get_or_create(
            uuid=uuid.uuid5(NAMESPACE, str(contact.uuid)),
            defaults={
                "supplier_id": contact.supplier_id,
                "household_id": contact.household_id,
                "mandate_id": contact.mandate_id,
                "type": TYPE,
                "data": {
                    "contact": str(contact.uuid),
                    "sender": contact.said.get("sender", ""),
                    "by": str(owner.uuid),
                    **target,
                },
                "via": routes.ONE_CLICK if way == ONE_CLICK else routes.MAIL,
                "created_at": now,
                "next_at": now + SECOND_THOUGHTS,
            },
        )
        transaction.on_commit(lambda: doorbell.ring("outbox"))
    return event


def withdraw(*, contact: Contact) -> None:
    """Take an unsubscription back that has not gone out yet."""
    with transaction.atomic():
        found = OutboundEvent.objects.select_for_update().filter(
            uuid=uuid.uuid5(NAMESPACE, str(contact.uuid)), household=contact.household_id
        )
        event = found.first()
        if event is None or event.tried or event.state != OutboundState.PENDING:
            raise UnsubscribeError(
                "gone", gettext_noop("It has gone out already, and cannot be called back.")
            )
        event.delete()


def host_of(event: OutboundEvent) -> str:
    """Return whom an unsubscription is sent to, to be shown."""
    if "url" in event.data:
        return urlsplit(event.data["url"]).hostname or ""
    return parseaddr(event.data.get("mailto", "").removeprefix("mailto:").partition("?")[0])[1]


# --- in words ----------------------------------------------------------------------------

SIGNS: dict[str, str | Promise] = {
    "list_unsubscribe": gettext_lazy("it has an unsubscribe link"),
    "list_id": gettext_lazy("it went to a mailing list"),
    "bulk_precedence": gettext_lazy("it was sent in bulk"),
    "campaign": gettext_lazy("a machine for mass mail sent it"),
    "offer_markup": gettext_lazy("it carries an offer for machines to read"),
    "stop_words": gettext_lazy("it says how to unsubscribe"),
}


def evidence(sender: Sender) -> list[str]:
    """Return in sentences why what this sender writes is held."""
    found = []
    signs = [str(SIGNS[sign]) for sign in sender.signs if sign in SIGNS]
    said = [sign.removeprefix("words:") for sign in sender.signs if sign.startswith("words:")]
    if said:
        quoted = ", ".join(f"“{word}”" for word in said)
        signs.append(_("it says %(words)s") % {"words": quoted})
    if signs:
        found.append(_("It looks like an advert: %(signs)s.") % {"signs": "; ".join(signs)})
    if sender.supplier is None or sender.mandate is None:
        found.append(_("You have not let this sender in."))
    else:
        wanted = sender.wanted
        granted = [Purpose(one).label for one in sender.mandate.purposes if one in Purpose.values]
        names = {
            "name": sender.name,
            "granted": ", ".join(str(one) for one in granted) or _("nothing"),
            "wanted": Purpose(wanted).label if wanted in Purpose.values else wanted,
        }
        if wanted in sender.mandate.purposes:
            found.append(_("%(name)s may write about it by now; this came before.") % names)
        else:
            found.append(_("You granted %(name)s: %(granted)s. Not: %(wanted)s.") % names)
    return found


def outcome(event: OutboundEvent) -> str:
    """Return in a sentence what came of an unsubscription."""
    host = {"host": host_of(event)}
    if event.state == OutboundState.SENT:
        if event.via == MAIL:
            return _("Asked by mail to %(host)s.") % host
        return _("%(host)s has confirmed it.") % host
    if event.state == OutboundState.PENDING:
        if event.tried:
            return _("%(host)s did not answer yet; asked again soon.") % host
        return _("Asking %(host)s in a moment.") % host
    if event.detail.startswith("blocked"):
        return _("The address they give (%(host)s) must not be called from here.") % host
    if event.detail.startswith("HTTP"):
        status = {"status": event.detail.removeprefix("HTTP").strip()}
        return _("%(host)s refused it (answer %(status)s).") % (host | status)
    return _("%(host)s could not be reached.") % host
