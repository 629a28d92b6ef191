"""The events behind a number, in words: what was counted, when, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import month_words
from notifications.metrics import Case
from notifications.models import Appointment, Digest, Journey, Notification
from notifications.months import title_of
from owners.models import Household
from suppliers import letters
from suppliers.models import Contact, OutboundEvent, Supplier

LISTED = 200

# What each number counts, and what it leaves out.
MEANINGS: Mapping[str, tuple[Promise, Promise]] = {
    "contacts_received": (
        gettext_lazy("Contacts that came in"),
        gettext_lazy("What reached for you. Progress that disturbs nobody is not counted."),
    ),
    "contacts_made": (
        gettext_lazy("Your own contacts"),
        gettext_lazy("Calls and messages of yours, as you logged them."),
    ),
    "notifications": (
        gettext_lazy("What reached you"),
        gettext_lazy("What Steward told you: interruptions, and silent changes of cards."),
    ),
    "interrupts": (
        gettext_lazy("Interruptions"),
        gettext_lazy("What was sent to you at once, on the channel you prefer."),
    ),
    "absorbed": (
        gettext_lazy("Said nothing new"),
        gettext_lazy("Every fact in it was on its card already."),
    ),
    "false_absorptions": (
        gettext_lazy("You should have been told"),
        gettext_lazy("Kept from you, and you said that it should not have been."),
    ),
    "held": (
        gettext_lazy("Held back"),
        gettext_lazy("Surveys over your limit, adverts, and what no permission covers."),
    ),
    "channel_respect": (
        gettext_lazy("On the channel you wish"),
        gettext_lazy("Contacts that came on your preferred channel, outside quiet hours."),
    ),
    "asks": (
        gettext_lazy("Questions to you"),
        gettext_lazy("Every fact that somebody asked you for."),
    ),
    "re_asks": (
        gettext_lazy("Asked again"),
        gettext_lazy("Asked for in the same matter before, or read on a pass before."),
    ),
    "repeat_contacts": (
        gettext_lazy("You had to call again"),
        gettext_lazy("A further contact of yours within 30 days, before it worked."),
    ),
    "transfers": (
        gettext_lazy("Handed on"),
        gettext_lazy("Contacts in which you were passed to somebody else."),
    ),
    "channel_hops": (
        gettext_lazy("Changes of channel"),
        gettext_lazy("One supplier on one matter, on another channel than the time before."),
    ),
    "replies_s": (
        gettext_lazy("Answers to your requests"),
        gettext_lazy("Only what said something counts; what a machine answered does not."),
    ),
    "attention_baseline_s": (
        gettext_lazy("Attention it would have taken"),
        gettext_lazy(
            "A voicemail its length and 30 seconds, an answered call its length, a call cut"
            " off 20, an e-mail 30, a letter 60, a survey 20, a text message 10 seconds."
        ),
    ),
    "attention_shown_s": (
        gettext_lazy("Attention that Steward took"),
        gettext_lazy("10 seconds for an interruption, 8 for a card, 3 for a line of a summary."),
    ),
    "attention_saved_s": (
        gettext_lazy("Attention saved"),
        gettext_lazy(
            "What the contacts of a matter would have taken, less what Steward took; never"
            " below nothing for any one matter."
        ),
    ),
    "own_calls_s": (
        gettext_lazy("Your calls"),
        gettext_lazy("How long they took, as you logged them."),
    ),
    "promises": (
        gettext_lazy("Promises and visits"),
        gettext_lazy(
            "A visit is kept by coming inside its window, at most 15 minutes early. Moved less"
            " than 24 hours before is broken."
        ),
    ),
    "visits_moved": (
        gettext_lazy("Visits moved in good time"),
        gettext_lazy("By the supplier, at least 24 hours before."),
    ),
    "waited_s": (
        gettext_lazy("Waiting in"),
        gettext_lazy("From the start of a window until somebody came, or its end."),
    ),
    "surveys_requested": (
        gettext_lazy("Surveys asked for"),
        gettext_lazy("Every request for feedback about a matter of yours."),
    ),
    "surveys_shown": (
        gettext_lazy("Surveys you saw"),
        gettext_lazy("Those that your limits let through."),
    ),
    "journeys_closed": (
        gettext_lazy("Matters closed"),
        gettext_lazy("By you, or after 14 silent days."),
    ),
    "fixed_first": (
        gettext_lazy("Fixed first time"),
        gettext_lazy("You said that it works, called once only, and it stayed so for 14 days."),
    ),
    "work_done_after_s": (
        gettext_lazy("Until the work was done"),
        gettext_lazy("From the first contact of the matter on."),
    ),
    "resolved_after_s": (
        gettext_lazy("Until it worked"),
        gettext_lazy("From the first contact of the matter until you said so."),
    ),
    "turn_supplier_s": (
        gettext_lazy("While it was their turn"),
        gettext_lazy("Time in which a matter waited for the supplier."),
    ),
    "turn_owner_s": (
        gettext_lazy("While it was your turn"),
        gettext_lazy("Time in which a matter waited for you."),
    ),
    "turn_third_s": (
        gettext_lazy("While it was somebody else's turn"),
        gettext_lazy("Time in which a matter waited for a third party."),
    ),
    "quoted": (
        gettext_lazy("Quoted"),
        gettext_lazy("The price that was named first, of what has been paid since."),
    ),
    "paid": (
        gettext_lazy("Paid"),
        gettext_lazy("What was paid where a price had been named before."),
    ),
}
# Numbers of which only a part is what the name says.
SHARES = ("channel_respect", "promises", "replies_s", "fixed_first", "paid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One counted event as a page lists it."""

    kind: str
    id: str
    at: datetime | None
    what: str
    supplier: str = ""
    journey: str = ""
    matter: str = ""
    href: str = ""
    amount: float = 1
    measured: str = ""  # the amount in words, where it says anything
    is_part: bool = True


def events(*, household: Household, name: str, cases: Sequence[Case]) -> list[Event]:
    """Return the newest events of a number in words; a read for each kind there is."""
    newest = sorted(cases, key=lambda case: (case.at is not None, case.at), reverse=True)[:LISTED]
    ids: dict[str, set[str]] = {}
    for case in newest:
        ids.setdefault(case.kind, set()).add(case.id)
    said = {kind: DESCRIBED[kind](household, found) for kind, found in ids.items() if found}
    titles = _journeys(household, {case.journey for case in newest if case.journey})
    wanted = {case.supplier for case in newest if case.supplier}
    rows = Supplier.objects.filter(uuid__in=wanted).values_list("uuid", "name") if wanted else ()
    names = {str(uuid): name for uuid, name in rows}
    return [
        Event(
            kind=case.kind,
            id=case.id,
            at=case.at,
            what=_how(case) or said.get(case.kind, {}).get(case.id) or str(KINDS[case.kind]),
            supplier=names.get(case.supplier, ""),
            journey=case.journey,
            matter=titles.get(case.journey, ""),
            href=_place(case) if case.journey in titles else "",
            amount=case.amount,
            measured=measured(name, case, currency=household.currency),
            is_part=case.is_part,
        )
        for case in newest
    ]


HOW: Mapping[str, Promise] = {
    "moved_late": gettext_lazy("Visit: moved less than 24 hours before"),
    "early": gettext_lazy("Visit: came too early"),
    "late": gettext_lazy("Visit: came late"),
    "missed": gettext_lazy("Visit: nobody came"),
    "kept": gettext_lazy("Visit: came in time"),
}


def _how(case: Case) -> str:
    return str(HOW[case.how]) if case.how else ""


def measured(name: str, case: Case, *, currency: str) -> str:
    """Return how much of the number an event is, in words; nothing where each counts once."""
    if name == "replies_s" and not case.is_part:
        return ""
    if name.endswith("_s"):
        return month_words.spell_span(int(case.amount))
    if name in ("quoted", "paid"):
        return month_words.money(case.amount, currency)
    return f"{case.amount:g}" if case.amount != 1 else ""


def _place(case: Case) -> str:
    address = reverse("journey", args=[case.journey])
    return f"{address}#c-{case.id}" if case.kind == "contact" else address


KINDS: Mapping[str, Promise] = {
    "contact": gettext_lazy("Contact"),
    "notification": gettext_lazy("Notification"),
    "digest": gettext_lazy("Summary"),
    "visit": gettext_lazy("Visit"),
    "promise": gettext_lazy("Promise"),
    "survey": gettext_lazy("Survey"),
    "request": gettext_lazy("Request"),
    "journey": gettext_lazy("Matters"),
}


def _contacts(household: Household, ids: set[str]) -> dict[str, str]:
    rows = Contact.objects.filter(household=household, uuid__in=_uuids(ids))
    found = {}
    for row in rows.only("uuid", "kind", "medium", "said"):
        words = str(row.said.get("title") or row.said.get("quote") or "")
        shown = f"{row.get_medium_display()}: {words}" if words else row.get_medium_display()
        found[str(row.uuid)] = shown
    return found


def _notifications(household: Household, ids: set[str]) -> dict[str, str]:
    rows = Notification.objects.filter(household=household, uuid__in=_uuids(ids))
    return {str(uuid): text for uuid, text in rows.values_list("uuid", "text")}


def _digests(household: Household, ids: set[str]) -> dict[str, str]:
    rows = Digest.objects.filter(household=household, uuid__in=_uuids(ids))
    return {str(uuid): "; ".join(lines) for uuid, lines in rows.values_list("uuid", "lines")}


def _visits(household: Household, ids: set[str]) -> dict[str, str]:
    rows = Appointment.objects.filter(household=household, uuid__in=_uuids(ids))
    return {
        str(row.uuid): _("Visit: %(state)s") % {"state": row.get_state_display()} for row in rows
    }


def _requests(household: Household, ids: set[str]) -> dict[str, str]:
    rows = OutboundEvent.objects.filter(household=household, uuid__in=_uuids(ids))
    return {str(row.uuid): letters.subject_of(row) for row in rows}


def _journeys(household: Household, ids: set[str]) -> dict[str, str]:
    rows = Journey.objects.filter(household=household, uuid__in=_uuids(ids))
    return {str(row.uuid): title_of(row) for row in rows.select_related("card")}


def _none(_household: Household, _ids: set[str]) -> dict[str, str]:
    """What has no words of its own is said by its matter."""
    return {}


def _uuids(ids: set[str]) -> set[UUID]:
    return {UUID(one) for one in ids if one}


DESCRIBED: Mapping[str, Callable[[Household, set[str]], dict[str, str]]] = {
    "contact": _contacts,
    "notification": _notifications,
    "digest": _digests,
    "visit": _visits,
    "promise": _none,
    "survey": _none,
    "request": _requests,
    "journey": _journeys,
}
