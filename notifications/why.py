"""Why a contact became what it became, in plain sentences anybody can check.

The rules leave a machine's words: an outcome, a reason, a rule and its evidence. Here they
become sentences without codes or identifiers; the API and the pages show the same ones.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.merging import read_window
from notifications.wording import Words, number_hint, within
from suppliers.choices import Purpose

REASONS = {
    "taken_back": gettext_lazy("You took it back."),
    "first": gettext_lazy("It is the first word on this matter."),
    "visit": gettext_lazy("It names a visit that was not known yet."),
    "visit_moved": gettext_lazy("It moves the visit."),
    "visit_conflict": gettext_lazy("It gives another time for the visit than was known."),
    "visit_doubted": gettext_lazy(
        "It says otherwise of the visit than a sender who is believed more."
    ),
    "visit_settled": gettext_lazy("It settles what was said in two ways about the visit."),
    "place": gettext_lazy("It says where the visit is."),
    "place_changed": gettext_lazy("It changes the place."),
    "place_conflict": gettext_lazy("It gives another place than was known."),
    "place_settled": gettext_lazy("It settles which place is right."),
    "person": gettext_lazy("It says who comes."),
    "person_changed": gettext_lazy("It says that somebody else comes."),
    "person_conflict": gettext_lazy("It names another person than was known."),
    "person_settled": gettext_lazy("It settles who comes."),
    "eta": gettext_lazy("It says when somebody will be there."),
    "price": gettext_lazy("It names a price that was not known yet."),
    "price_changed": gettext_lazy("It changes the price."),
    "price_conflict": gettext_lazy("It gives another price than was known."),
    "price_settled": gettext_lazy("It settles which price is right."),
    "due_on": gettext_lazy("It says by when to pay."),
    "due_on_changed": gettext_lazy("It changes the day to pay by."),
    "stage": gettext_lazy("The work is a step further."),
    "on_the_way": gettext_lazy("Somebody is on the way to you."),
    "done": gettext_lazy("It says that the work is done."),
    "missed": gettext_lazy("It says that nobody came."),
    "cancelled": gettext_lazy("It cancels the visit."),
    "resolved": gettext_lazy("The supplier calls it resolved; only you close it."),
    "progress": gettext_lazy("The work is a step further."),
    "paid": gettext_lazy("It says that the money arrived."),
    "promise": gettext_lazy("It promises something."),
    "promise_changed": gettext_lazy("It changes a promise."),
    "step": gettext_lazy("It says what was tried, and what came of it."),
    "safety": gettext_lazy("It is about your safety."),
    "notice": gettext_lazy("Something ends, or wants your decision."),
    "words": gettext_lazy("It says something no rule understands, so it is shown."),
    "reaching_out": gettext_lazy("Somebody tries to reach you about a visit you expect."),
    "arriving": gettext_lazy("Somebody is on the way to you."),
    "payment_link": gettext_lazy("It asks for a payment."),
    "ask": gettext_lazy("It asks you something."),
    "proposal": gettext_lazy("It asks for another time; nothing changes until you say so."),
    "counter_declined": gettext_lazy("They decline your other time; the booked one stands."),
    "nothing_new": gettext_lazy("Everything in it was already known."),
    "older_revision": gettext_lazy("A newer version of the same thing had already arrived."),
    "always_show": gettext_lazy("You asked to be shown these."),
    "owner_wants_it": gettext_lazy("You said that it should have been shown."),
    "muted": gettext_lazy("You muted this matter."),
    "own": gettext_lazy("You said it yourself."),
    "same_message": gettext_lazy("It is the same message again."),
    "survey": gettext_lazy("It asks for your opinion."),
    "survey_closed": gettext_lazy("A request for feedback ended."),
    "answers_news": gettext_lazy("It answers what you told them, and asks for nothing."),
    "advert": gettext_lazy("It advertises; no permission covers that."),
    "which_experience": gettext_lazy("More than one matter fits; you are asked when you look."),
    "no_experience": gettext_lazy("No matter of yours fits."),
    "mandate_ended": gettext_lazy("You ended this supplier's permission."),
    "mandate_paused": gettext_lazy("You paused this supplier's permission."),
    "asset_outside_mandate": gettext_lazy(
        "It speaks of something this supplier has no permission for."
    ),
    "purpose_not_granted": gettext_lazy("You gave no permission for this purpose."),
    "sender_blocked": gettext_lazy("You blocked this sender. They are not told."),
    "not_now": gettext_lazy("You said: not now."),
    "unknown_sender": gettext_lazy("You have not let this sender in yet."),
    "authentication_failed": gettext_lazy("The sender could not prove who it is."),
    "foreign_payment_link": gettext_lazy(
        "It asks for payment at an address that is not the supplier's."
    ),
    "automatic_reply": gettext_lazy("A machine answered by itself and said nothing."),
    "forwarding_confirmation": gettext_lazy(
        "A mail provider asks whether your mail may be sent on to here."
    ),
    "leaked_alias": gettext_lazy(
        "A stranger writes to the address that only this supplier was given."
    ),
    "unproved_sender": gettext_lazy("Nothing proves that this sender is who it says."),
    "owner_cap": gettext_lazy("You had as many requests for feedback as you allow."),
    "one_open": gettext_lazy("Another request about this matter is open already."),
    "too_early": gettext_lazy("It is too early to ask."),
    "not_done": gettext_lazy("The work is not done yet."),
}
RULES = {
    "only_the_known_absorbs": gettext_lazy("Only what brings nothing new stays quiet."),
    "merge_by_order": gettext_lazy("Statements count in the order in which they were made."),
    "surveys_never_interrupt": gettext_lazy("Requests for feedback never interrupt."),
    "surveys_wait": gettext_lazy("Requests for feedback wait until you look."),
    "owner_log": gettext_lazy("What you log is yours."),
    "owner_decided": gettext_lazy("Your word beats all."),
    "unknown_senders_wait": gettext_lazy("Unknown senders wait at the door."),
    "cannot_be_believed": gettext_lazy("What cannot be believed waits at the door."),
    "machines_stay_quiet": gettext_lazy("What machines write about mail stays quiet."),
    "mandate": gettext_lazy("Your permission decides what a supplier may say."),
    "purpose_not_granted": gettext_lazy("Your permission decides what a supplier may say."),
    "same_message": gettext_lazy("A message that arrives again is not shown again."),
    "speak_only_on_change": gettext_lazy("You are told only when something has changed."),
    "delivery.channel_failed": gettext_lazy("You are told when an address does not work."),
    "delivery.channel_late": gettext_lazy("You are told when messages are held up on their way."),
}
LINKS = {
    "same_visit": gettext_lazy("It speaks of the same visit."),
    "known_sender": gettext_lazy("It comes from a sender known for this matter."),
    "same_number": gettext_lazy("It comes from a number that just called about this matter."),
    "open_visit_window": gettext_lazy(
        "An unknown caller speaks of a visit, and exactly one is expected now."
    ),
    "new_matter": gettext_lazy("Nothing known fits, so it opened a matter of its own."),
    "strong_key": gettext_lazy("It names the same order, ticket or appointment."),
    "quoted_key": gettext_lazy("It quotes a number of this matter."),
    "merged": gettext_lazy("Two matters turned out to be one."),
    "on_a_pass": gettext_lazy("Somebody wrote it on a pass that you gave out."),
    "owner_decided": gettext_lazy("You put it here."),
    "undone": gettext_lazy("You took it back to where it was."),
}
# What a contact may bring, as it is listed.
THINGS = {
    "first": gettext_lazy("the matter itself"),
    "visit": gettext_lazy("the visit"),
    "visit_window": gettext_lazy("the time of the visit"),
    "visit_moved": gettext_lazy("another time for the visit"),
    "visit_conflict": gettext_lazy("another time for the visit"),
    "visit_doubted": gettext_lazy("whether the visit takes place"),
    "visit_settled": gettext_lazy("whether the visit takes place"),
    "cancelled_visit": gettext_lazy("that the visit is cancelled"),
    "older_revision": gettext_lazy("an older version of the visit"),
    "unproved_stage": gettext_lazy("a step that its sender cannot prove"),
    "stage": gettext_lazy("how far the work is"),
    "status": gettext_lazy("how far the work is"),
    "progress": gettext_lazy("how far the work is"),
    "done": gettext_lazy("that the work is done"),
    "missed": gettext_lazy("that nobody came"),
    "cancelled": gettext_lazy("that the visit is cancelled"),
    "on_the_way": gettext_lazy("that somebody is on the way"),
    "eta": gettext_lazy("when somebody will be there"),
    "price": gettext_lazy("the price"),
    "price_changed": gettext_lazy("another price"),
    "price_conflict": gettext_lazy("another price"),
    "price_settled": gettext_lazy("the price"),
    "fee": gettext_lazy("the price"),
    "total": gettext_lazy("the price"),
    "amount_due": gettext_lazy("what is to be paid"),
    "due_on": gettext_lazy("by when to pay"),
    "reference": gettext_lazy("a reference number"),
    "caller": gettext_lazy("that this number tries to reach you"),
    "reaching_out": gettext_lazy("that somebody tries to reach you"),
    "arriving": gettext_lazy("that somebody comes"),
    "ask": gettext_lazy("a question to you"),
    "proposal": gettext_lazy("another time that they ask for"),
    "counter_declined": gettext_lazy("that your other time is declined"),
    "payment_link": gettext_lazy("a way to pay"),
    "promise": gettext_lazy("a promise"),
    "promise_changed": gettext_lazy("a change of a promise"),
    "step": gettext_lazy("what was tried"),
    "safety": gettext_lazy("a safety notice"),
    "notice": gettext_lazy("that something ends or wants your decision"),
    "resolved": gettext_lazy("that they call it resolved"),
    "paid": gettext_lazy("that the money arrived"),
    "words": gettext_lazy("words that no rule understands"),
    "place": gettext_lazy("the place"),
    "person": gettext_lazy("who comes"),
}
REMARKS = {
    "calendar_refused": gettext_lazy("Its calendar could not be read; the mail is shown."),
    "zone_unknown": gettext_lazy("Nothing explains the time zone in its calendar."),
    "method_contradicts": gettext_lazy("Its calendar and its mail name different purposes."),
    "rule_too_fine": gettext_lazy("How often it repeats could not be read."),
    "events_left_out": gettext_lazy("Its calendar holds more dates than are read."),
    "invoice_refused": gettext_lazy("Its invoice was refused; the mail is shown."),
}
KEYS = {
    "order": gettext_lazy("order"),
    "ticket": gettext_lazy("ticket"),
    "contract": gettext_lazy("contract"),
    "tracking": gettext_lazy("parcel"),
    "payment": gettext_lazy("payment"),
    "claim": gettext_lazy("claim"),
    "invoice": gettext_lazy("invoice"),
    "quote": gettext_lazy("quote"),
}


def of_contact(*, reason: str, rule: str, evidence: Mapping[str, Any], words: Words) -> str:
    """Say why a contact got its outcome: what was found in it, and the rule."""
    said = [_known(REASONS, reason), *_evidence(evidence, words)]
    return " ".join(dict.fromkeys(part for part in (*said, _known(RULES, rule)) if part))


def of_link(*, rule: str, evidence: Mapping[str, Any], is_likely: bool, words: Words) -> str:
    """Say why a contact is on its journey."""
    lead = _("Likely part of this matter.") if is_likely else ""
    said = [lead, _known(LINKS, rule), *_evidence(evidence, words)]
    return " ".join(dict.fromkeys(part for part in said if part))


def not_delivered(
    *, supplier: str, is_given_up: bool, is_switched_off: bool, returned: str = "", via: str = ""
) -> str:
    """Say why an answer of the owner's has not reached its supplier.

    `returned` is what a mail server said when it gave the letter back.
    """
    about = {"supplier": supplier, "reason": returned}
    if returned:
        return _("It came back from %(supplier)s's mail server: %(reason)s") % about
    if not is_given_up and via in ("mail", "sms"):
        return _("It could not be sent to %(supplier)s yet; Steward goes on trying.") % about
    if not is_given_up:
        return _("%(supplier)s's systems do not answer; Steward goes on trying.") % about
    if is_switched_off:
        return (
            _("%(supplier)s's systems stopped answering. Here is the text to send yourself.")
            % about
        )
    if via in ("webhook", "mail", "sms"):
        return _("It was tried for days and did not reach %(supplier)s.") % about
    return (
        _("No address of %(supplier)s's that works is known. Here is the text to send yourself.")
        % about
    )


def _known(sentences: Mapping[str, Any], code: str) -> str:
    """Return the sentence for a code; one that names a fact says that it is news."""
    if code in sentences:
        return str(sentences[code])
    if sentences is not REASONS or not code:
        return ""
    name, _sep, what = code.rpartition("_")
    if what in ("changed", "conflict", "settled"):
        return {
            "changed": _("It changes what was known: %(thing)s."),
            "conflict": _("It contradicts what was known: %(thing)s."),
            "settled": _("It settles what was said in two ways: %(thing)s."),
        }[what] % {"thing": _thing(name)}
    return _("It brings something new: %(thing)s.") % {"thing": _thing(code)}


def _thing(code: str) -> str:
    if code.startswith("ask_"):
        return _("a question that was already put")
    code = code.partition(":")[0]
    found = THINGS.get(code) or THINGS.get(code.rpartition("_")[0])
    return str(found) if found else code.replace("_", " ")


def _things(codes: Any) -> str:
    return ", ".join(dict.fromkeys(_thing(str(code)) for code in codes))


def _evidence(evidence: Mapping[str, Any], words: Words) -> list[str]:
    return [say(evidence, words) for name, say in EVIDENCE if evidence.get(name)]


def _new(evidence: Mapping[str, Any], _words: Words) -> str:
    return _("New in it: %(things)s.") % {"things": _things(evidence["new"])}


def _old(evidence: Mapping[str, Any], _words: Words) -> str:
    return _("Already known: %(things)s.") % {"things": _things(evidence["known"])}


def _read(evidence: Mapping[str, Any], _words: Words) -> str:
    return _("Read from your words: %(things)s.") % {"things": _things(evidence["read"])}


def _sender(evidence: Mapping[str, Any], _words: Words) -> str:
    return _("It came from %(sender)s.") % {"sender": number_hint(str(evidence["sender"]))}


def _number(evidence: Mapping[str, Any], _words: Words) -> str:
    return _("It came from %(sender)s.") % {"sender": number_hint(str(evidence["number"]))}


def _key(evidence: Mapping[str, Any], _words: Words) -> str:
    scheme = KEYS.get(str(evidence["scheme"]))
    if scheme is None:
        return ""
    return _("Both name %(kind)s %(number)s.") % {"kind": scheme, "number": evidence["value"]}


def _window(evidence: Mapping[str, Any], words: Words) -> str:
    return _("The visit: %(when)s.") % {"when": words.window(read_window(evidence["window"]))}


def _from(evidence: Mapping[str, Any], words: Words) -> str:
    try:
        start = datetime.fromisoformat(str(evidence["from"]))
        end = datetime.fromisoformat(str(evidence.get("until", "")))
    except ValueError:
        return ""  # the matter it was taken from, which has no name to show
    return _("The visit: %(when)s.") % {
        "when": words.window(read_window(f"{start.isoformat()}/{end.isoformat()}"))
    }


def _possibly(evidence: Mapping[str, Any], _words: Words) -> str:
    count = len(evidence.get("possibly") or evidence.get("candidates") or ())
    return ngettext(
        "It may belong to %(count)d other matter.", "It may belong to %(count)d matters.", count
    ) % {"count": count}


def _purpose(evidence: Mapping[str, Any], _words: Words) -> str:
    label = dict(Purpose.choices).get(str(evidence["purpose"]), "")
    return _("Its purpose: %(purpose)s.") % {"purpose": within(str(label))} if label else ""


def _payment(evidence: Mapping[str, Any], _words: Words) -> str:
    return _("It wants to be paid at %(domains)s.") % {
        "domains": ", ".join(map(str, evidence["payment_domains"]))
    }


def _revision(evidence: Mapping[str, Any], _words: Words) -> str:
    return _("This is version %(number)s.") % {"number": evidence["revision"]}


def _remarks(evidence: Mapping[str, Any], _words: Words) -> str:
    """Say what in it could not be read, or contradicts itself."""
    codes = [str(remark).partition(":")[0] for remark in evidence["remarks"]]
    return " ".join(dict.fromkeys(str(REMARKS[code]) for code in codes if code in REMARKS))


def _was(evidence: Mapping[str, Any], _words: Words) -> str:
    before = _known(RULES, str(evidence.get("rule", "")))
    return _("Before: %(rule)s") % {"rule": before} if before else ""


EVIDENCE: tuple[tuple[str, Callable[[Mapping[str, Any], Words], str]], ...] = (
    ("new", _new),
    ("known", _old),
    ("read", _read),
    ("scheme", _key),
    ("window", _window),
    ("from", _from),
    ("sender", _sender),
    ("number", _number),
    ("purpose", _purpose),
    ("payment_domains", _payment),
    ("revision", _revision),
    ("remarks", _remarks),
    ("candidates", _possibly),
    ("possibly", _possibly),
    ("was", _was),
)
