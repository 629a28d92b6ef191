"""The words: titles are facts or questions, never subject lines.

Everything is made from facts, in the member's language and zone; what a supplier wrote
is quoted only as a short sentence in quotation marks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from babel.numbers import format_currency, format_decimal
from django.utils.translation import get_language, gettext_noop

from notifications import event_words, fact_words
from notifications.matter import LATE, RECALL, is_own_ask
from notifications.merging import CANCELLED, Matter, Reached, Slot, Value, read_window
from notifications.telling import Change
from notifications.tongue import gettext as _
from owners.choices import Trust
from suppliers import itip
from suppliers.choices import Stage
from suppliers.contacts import Window

QUOTE_LENGTH = 120
TITLE_LENGTH = 70
# English is made here: a locale library takes a third of a millisecond for each date.
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EPOCH = datetime.min.replace(tzinfo=UTC)


def day_of(local: datetime, *, locale: str, has_year: bool = False) -> str:
    """A day as its zone has it, `Fri 13 Nov`; one far away by its year, `13 Nov 2026`."""
    if not locale.startswith("en"):
        skeleton = "yMMMd" if has_year else "MMMEd"
        return str(format_skeleton(skeleton, local, tzinfo=local.tzinfo, locale=locale))
    date = f"{local.day} {MONTHS[local.month - 1]}"
    return f"{date} {local.year}" if has_year else f"{DAYS[local.weekday()]} {date}"


def money_of(number: str, currency: str, *, locale: str) -> str:
    """An amount as its reader writes it: `49.00 EUR`, in Italian `49,00 €`."""
    if locale.startswith("en"):
        return f"{number} {currency}".rstrip()
    if not currency:
        return str(format_decimal(Decimal(number), "#,##0.00####", locale=locale))
    # A text message has no unbreakable space in its alphabet.
    return str(format_currency(Decimal(number), currency, locale=locale)).replace("\xa0", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the words need beside the matter: names, language (babel locale) and zone."""

    zone: ZoneInfo
    now: datetime
    suppliers: Mapping[int, str] = field(default_factory=dict)
    asset: str = ""
    locale: str = "en_GB"

    def day(self, at: datetime) -> str:
        """A day, as in `Fri 13 Nov`."""
        return day_of(at.astimezone(self.zone), locale=self.locale)

    def clock(self, at: datetime) -> str:
        """A time of day, as in `08:00`."""
        local = at.astimezone(self.zone)
        return f"{local.hour:02}:{local.minute:02}"  # strftime takes many times as long

    def money(self, number: str, currency: str = "") -> str:
        """An amount, as in `49.00 EUR`."""
        return money_of(number, currency, locale=self.locale)

    def window(self, window: Window) -> str:
        """A window, as in `Fri 13 Nov, 08:00 to 12:00`."""
        start, end = window.start.astimezone(self.zone), window.end.astimezone(self.zone)
        if start == end:
            return _("%(day)s, %(start)s") % {"day": self.day(start), "start": self.clock(start)}
        if start.date() == end.date():
            return _("%(day)s, %(start)s to %(end)s") % {
                "day": self.day(start),
                "start": self.clock(start),
                "end": self.clock(end),
            }
        return _("%(start_day)s, %(start)s to %(end_day)s, %(end)s") % {
            "start_day": self.day(start),
            "start": self.clock(start),
            "end_day": self.day(end),
            "end": self.clock(end),
        }

    def hours(self, window: Window) -> str:
        """The hours of a window today, else with its day."""
        start = window.start.astimezone(self.zone)
        if start.date() == self.now.astimezone(self.zone).date():
            if window.start == window.end:
                return self.clock(start)
            return _("%(start)s to %(end)s") % {
                "start": self.clock(window.start),
                "end": self.clock(window.end),
            }
        return self.window(window)

    def supplier(self, number: int) -> str:
        """A supplier's name."""
        return self.suppliers.get(number) or _("Somebody")


def supplier_of(matter: Matter, words: Words, slot: Slot | None = None) -> str:
    """The supplier whose move it is, by name."""
    number = slot.supplier if slot is not None and slot.supplier else 0
    if not number and matter.suppliers:
        number = matter.suppliers[0]
    return words.supplier(number) if number else ""


def within(words: str) -> str:
    """Return words as they stand inside a sentence; German keeps the capitals of its nouns."""
    return words if (get_language() or "").startswith("de") else words.lower()


def number_hint(sender: str) -> str:
    """A phone number as it may be said: its last four digits, or the address."""
    return f"... {sender[-4:]}" if sender.startswith("+") else sender


def short(quote: str) -> str:
    """A quotation cut to one line."""
    line = " ".join(quote.split())
    return line if len(line) <= QUOTE_LENGTH else f"{line[: QUOTE_LENGTH - 3].rstrip()}..."


def amount(value: Value, matter: Matter, words: Words) -> str:
    """An amount; the currency is left out when it is the household's own."""
    number, _space, currency = value.key.partition(" ")
    shown = words.money(number, "" if currency == matter.currency else currency)
    return f"{value.label}, {shown}" if value.label else shown


def done_question(matter: Matter, words: Words, slot: Slot | None) -> str:
    """What the owner is asked once the work is done."""
    if slot is not None and slot.kind == "delivery":
        return _("Is everything there?")
    if matter.is_claim:
        return _("Is your claim settled?")
    if matter.own_ask:
        return _("Is it done: %(what)s?") % {"what": short(matter.asks[matter.own_ask][0])}
    if words.asset:
        return _("Is the %(asset)s working again?") % {"asset": words.asset}
    return _("Is it solved?")


def done_sentence(matter: Matter, words: Words) -> str:
    """What was done, and whether it was on time."""
    slot = done_slot(matter)
    if slot is None:
        return _("%(supplier)s says it is resolved.") % {
            "supplier": supplier_of(matter, words) or _("The supplier")
        }
    what = _("Delivered") if slot.kind == "delivery" else _("Visit done")
    if slot.was_on_time is None:
        return f"{what}."
    if slot.was_on_time:
        return _("%(what)s, on time.") % {"what": what}
    return _("%(what)s, not in its window.") % {"what": what}


def done_slot(matter: Matter) -> Slot | None:
    """The visit that finished the work."""
    done = [slot for slot in matter.slots if slot.stage == Stage.DONE and slot.done_at]
    return max(done, key=lambda slot: slot.done_at or EPOCH, default=None)


def text(matter: Matter, changes: tuple[Change, ...], words: Words) -> str:
    """The text of one notification: what changed, the most urgent first."""
    said: list[str] = []
    for change in changes:
        sentence = _sentence(matter, change, words)
        if sentence and sentence not in said:
            said.append(sentence)
    if any(change.reason == "booked" for change in changes) and matter.questions:
        said.append(_("Right?"))
    return " ".join(said)


TIME_OF_DAY = re.compile(r"\d:\d\d")


def placed(said: str, *, zone: ZoneInfo, reader: ZoneInfo, now: datetime) -> str:
    """Return a text with the place whose times it names, for a reader whose clock differs."""
    is_same = now.astimezone(zone).utcoffset() == now.astimezone(reader).utcoffset()
    if is_same or TIME_OF_DAY.search(said) is None:
        return said
    place = zone.key.rpartition("/")[2].replace("_", " ")
    where = _("Times in %(place)s.") % {"place": place}
    return f"{said} {where}"


def _sentence(matter: Matter, change: Change, words: Words) -> str:
    slot = change.item.slot
    who = supplier_of(matter, words, slot)
    reason = change.reason
    if reason == "booked" and slot is not None and slot.span is not None:
        what = _("Delivery") if slot.kind == "delivery" else _("Visit booked")
        return f"{what}: {words.window(slot.span)}."
    if reason == "moved" and slot is not None and slot.span is not None:
        old = read_window(change.before)
        return _("%(who)s: the time changed to %(new)s (was %(old)s).") % {
            "who": who,
            "new": words.window(slot.span),
            "old": words.hours(old) if _same_day(old, slot.span, words) else words.window(old),
        }
    if reason == "cancelled" and slot is not None:
        # The time the member knows, even when another one was never told.
        span = read_window(change.before) if "/" in change.before else slot.span
        when = words.window(span) if span else ""
        return _("%(who)s: the visit is cancelled (%(when)s).") % {"who": who, "when": when}
    if reason == "missed":
        return _("%(who)s did not come.") % {"who": who}
    if reason == "conflict":
        return _conflict_sentence(matter, change, words, who)
    if reason == "reaching_out":
        return _reach_sentence(matter, change, words)
    if reason == "on_the_way" and slot is not None:
        about = ""
        if slot.eta is not None:
            about = " " + _("about %(hours)s") % {"hours": words.hours(slot.eta)}
        return _("%(who)s is on the way%(about)s.") % {"who": who, "about": about}
    if reason == "late" and slot is not None and slot.eta is not None:
        return _("%(who)s now expects to come %(hours)s.") % {
            "who": who,
            "hours": words.hours(slot.eta),
        }
    if reason == "not_here":
        return _("Not here yet: %(who)s. Call / Message / Rebook") % {"who": who}
    if reason == "done":
        return f"{done_sentence(matter, words)} {done_question(matter, words, done_slot(matter))}"
    return _plain_sentence(matter, change, words, who)


def _plain_sentence(matter: Matter, change: Change, words: Words, who: str) -> str:
    name = change.item.key.partition(":")[2]
    if change.reason == "money":
        value = matter.facts[name].current
        shown = amount(value, matter, words) if value else ""
        if change.before:
            old = words.money(change.before.partition(" ")[0])
            return _("Price changed: %(new)s (was %(old)s).") % {"new": shown, "old": old}
        if value and not value.label:
            shown = f"{fact_words.said(name)}, {shown}"
        return f"{shown}."
    if change.reason == "notice":
        return f"{who}: {event_words.said(name.partition(':')[0])}."
    if change.reason == "due":
        return _("To be paid by %(day)s.") % {"day": _due_day(change.item.value, words)}
    if change.reason == "asked":
        prompt = matter.asks[name][0] or name
        quoted = _("%(who)s asks: %(prompt)s") % {"who": who, "prompt": short(prompt)}
        return _asked_by_calendar(matter, name, words, who) or quoted
    if change.reason == "care":
        said = own_title(matter, words)
        return said if said.endswith("?") else f"{said}."
    if change.reason == "promise_missed":
        promise = matter.promises[name]
        return _("%(who)s promised and did not: %(what)s.") % {"who": who, "what": promise.what}
    if change.reason == "place":
        return _("%(who)s: the place changed to %(new)s (was %(old)s).") % {
            "who": who,
            "new": short(change.item.value),
            "old": short(change.before),
        }
    if change.reason == "which_asset":
        return _("%(who)s: which of your things is this about?") % {"who": who}
    if change.reason == "safety":
        return _safety_sentence(matter, change, words, who)
    return _("%(who)s: %(title)s") % {"who": who, "title": short(event_words.title(matter.title))}


def own_title(matter: Matter, words: Words) -> str:
    """What the thing itself asks for."""
    return care_title(matter, words) if matter.own_ask == "care" else _notice_title(matter, words)


def _notice_title(matter: Matter, words: Words) -> str:
    """What a thing says beside its care; once it is dealt with, only what it was about."""
    name = matter.own_ask
    who = short(matter.asks[name][0]) if name else ""
    due = matter.facts.get("own_due")
    day = _due_day(due.current.text, words) if due is not None and due.current else ""
    about = {"asset": words.asset or _("It"), "who": who, "day": day}
    if matter.closed_at is not None:
        both = [part for part in (words.asset, who) if part]
        return (": ".join(both) or _("A matter"))[:TITLE_LENGTH]
    is_late = LATE in matter.asks
    said = _NOTICES[f"{name}:late" if is_late and f"{name}:late" in _NOTICES else name]
    if name == RECALL:
        said = _NOTICES[f"{name}:{_fact(matter, 'recall_sure')}"]
    if not who and f"{name}:nobody" in _NOTICES:
        said = _NOTICES[f"{name}:nobody"]
    return _(said) % about


_NOTICES = {
    "own_stock": gettext_noop("Running low: %(who)s"),
    "own_loan": gettext_noop("%(asset)s: due back from %(who)s on %(day)s"),
    "own_loan:late": gettext_noop("%(asset)s: was due back from %(who)s on %(day)s"),
    "own_delivery": gettext_noop("%(asset)s: to arrive by %(day)s. Is it here?"),
    "own_delivery:late": gettext_noop("%(asset)s: was to arrive by %(day)s. Is it here?"),
    "own_register": gettext_noop("Register the %(asset)s with %(who)s"),
    "own_register:nobody": gettext_noop("Register the %(asset)s with its maker"),
    "own_hand_over": gettext_noop("%(asset)s: what goes along with it?"),
    "own_parting": gettext_noop("%(asset)s is gone: who may still write to you?"),
    "own_return": gettext_noop("%(asset)s: can go back to %(who)s until %(day)s"),
    "own_return:nobody": gettext_noop("%(asset)s: can go back until %(day)s"),
    "own_guarantee": gettext_noop(
        "%(asset)s: the guarantee of %(who)s ends %(day)s. Use it before, if anything is wrong"
    ),
    "own_guarantee:nobody": gettext_noop(
        "%(asset)s: a guarantee ends %(day)s. Use it before, if anything is wrong"
    ),
    "own_cover": gettext_noop("%(asset)s: the cover by %(who)s ends %(day)s"),
    "own_cover:nobody": gettext_noop("%(asset)s: a cover ends %(day)s"),
    "own_cancel": gettext_noop("%(asset)s: goes on with %(who)s unless you cancel by %(day)s"),
    "own_answer": gettext_noop("%(asset)s: %(who)s was to answer your claim by %(day)s"),
    "own_answer:nobody": gettext_noop("%(asset)s: your claim was to be answered by %(day)s"),
    "own_told": gettext_noop("No answer yet to what you told: %(who)s"),
    "own_schedule": gettext_noop("%(asset)s: plan %(day)s, as %(who)s says?"),
    "own_offered": gettext_noop("%(who)s is offered to you, with its history"),
    "own_accepted": gettext_noop("%(asset)s: its next owner said yes. Hand it over?"),
    "own_declined": gettext_noop("%(asset)s: nobody took it over"),
    "own_received": gettext_noop("%(asset)s is yours now: who may go on serving it?"),
    "own_ask_back": gettext_noop("%(asset)s: the other side asks to undo the hand-over"),
    "own_defect": gettext_noop("%(asset)s: tell %(who)s of the fault by %(day)s"),
    "own_defect:nobody": gettext_noop("%(asset)s: tell whoever pays of the fault by %(day)s"),
    "own_recall": gettext_noop("%(asset)s: recalled"),
    "own_recall:exact": gettext_noop("%(asset)s is recalled: %(who)s"),
    "own_recall:likely": gettext_noop("%(asset)s: this model is recalled. Is yours?"),
    "own_recall:possible": gettext_noop("%(asset)s: does this recall mean it?"),
}
_RECALLS = {
    "exact": gettext_noop("Recall by %(who)s: your %(asset)s is meant. %(what)s"),
    "likely": gettext_noop(
        "Recall by %(who)s of this model: look whether your %(asset)s is meant. %(what)s"
    ),
}


def _safety_sentence(matter: Matter, change: Change, words: Words, who: str) -> str:
    """Say what is about safety; of a recall that Steward found: who declared it, how sure it is."""
    if not _is_found(matter, change):
        return _("Safety notice from %(who)s about the %(asset)s.") % {
            "who": who,
            "asset": words.asset or _("thing you own"),
        }
    said = _RECALLS["exact" if _fact(matter, "recall_sure") == "exact" else "likely"]
    return _(said) % {
        "who": short(_fact(matter, "recall_by")),
        "asset": words.asset or _("thing you own"),
        "what": short(matter.asks[RECALL][0]),
    }


def _is_found(matter: Matter, change: Change) -> bool:
    """Whether it is a recall that Steward found, and not one that somebody sent."""
    by = matter.facts.get("recall_by")
    found = by.current.sources if by is not None and by.current is not None else []
    return RECALL in matter.asks and change.item.because in found


def _fact(matter: Matter, name: str) -> str:
    register = matter.facts.get(name)
    return register.current.key if register is not None and register.current else ""


def care_title(matter: Matter, words: Words) -> str:
    """What care is due, for what, and when; once it is dealt with, only what."""
    what = short(matter.asks["care"][0])[:TITLE_LENGTH]
    if words.asset:
        what = f"{words.asset}: {what}"[:TITLE_LENGTH]
    due = matter.facts.get("care_due")
    if matter.closed_at is not None:
        return what
    if due is None or due.current is None:
        return _("%(what)s is due") % {"what": what}
    return _("%(what)s, due %(day)s") % {"what": what, "day": _due_day(due.current.text, words)}


def _asked_by_calendar(matter: Matter, name: str, words: Words, who: str) -> str:
    """Say what a calendar message asks for, which has no words; nothing for any other ask."""
    prompt = matter.asks[name][0]
    if name == "proposal" and any(
        slot.proposal is not None and slot.proposal.key == prompt for slot in matter.slots
    ):
        when = words.window(read_window(prompt))
        return _("%(who)s asks for another time: %(when)s.") % {"who": who, "when": when}
    if name == "resend" and not prompt:
        return _("%(who)s asks you to send the appointment again.") % {"who": who}
    if name == itip.ZONE and not prompt:
        return _("%(who)s names a time without its time zone. Which is it?") % {"who": who}
    if name == itip.ZONE:
        return _("%(who)s names a time in %(zone)s. Which time zone is that?") % {
            "who": who,
            "zone": short(prompt),
        }
    return ""


def _due_day(value: str, words: Words) -> str:
    """A due date, which is a day wherever one is."""
    at = datetime.fromisoformat(value)
    return words.day(at if at.tzinfo else at.replace(tzinfo=words.zone))


def _conflict_sentence(matter: Matter, change: Change, words: Words, who: str) -> str:
    name = change.item.key.partition(":")[2]
    pair = next((found for found in matter.conflicts if found[0] == name), None)
    if name == "visit" and pair is not None:
        return _doubt_sentence(matter, pair[1], pair[2], words, who)
    first, _bar, second = change.item.value.partition("|")
    given = {"who": who, "first": _shown(name, first, words), "second": _shown(name, second, words)}
    if name == "window":
        said = _("Two different times were given by %(who)s: %(first)s, and %(second)s.")
    elif name == "place":
        said = _("Two different places were given by %(who)s: %(first)s, and %(second)s.")
    elif name == "person":
        said = _("Two different people were named by %(who)s: %(first)s, and %(second)s.")
    else:
        said = _("Two different values were given by %(who)s: %(first)s, and %(second)s.")
    if pair is None or pair[1].trust == pair[2].trust:
        return said % given
    sources = _("The first is from %(better)s, the other from %(other)s.")
    better, other = pair[1], pair[2]
    if first != better.key:
        given |= {"first": given["second"], "second": given["first"]}
    whose = {"better": source(better, matter), "other": source(other, matter)}
    return f"{said % given} {sources % whose}"


def _doubt_sentence(matter: Matter, stands: Value, other: Value, words: Words, who: str) -> str:
    """One says that the visit is cancelled, and one who is trusted more that it is not."""
    slot = matter.slot_of(stands)
    span = slot.span if slot is not None else None
    about = {
        "who": who,
        "other": source(other, matter),
        "when": words.window(span) if span else "?",
    }
    if stands.key == CANCELLED:
        return _("%(who)s cancelled the visit (%(when)s); %(other)s says it is booked.") % about
    return _("%(who)s's booking stands (%(when)s); %(other)s says it is cancelled.") % about


def source(value: Value, matter: Matter) -> str:
    """Who stated a value, by how far such a sender is believed."""
    if any(source in matter.own for source in value.sources):
        return _("you")
    return {
        Trust.SIGNED: _("a signed message"),
        Trust.AUTHENTICATED: _("a mail"),
        Trust.KNOWN_NUMBER: _("a known number"),
        Trust.UNAUTHENTICATED: _("a mail that proves nothing"),
    }.get(Trust(value.trust), _("an unknown sender"))


def _shown(name: str, key: str, words: Words) -> str:
    """One value of a fact, as it is put into a sentence."""
    if name == "window":
        return words.window(read_window(key))
    if name == "visit":
        return _("cancelled") if key == CANCELLED else _("booked")
    return key


def _reach_sentence(matter: Matter, change: Change, words: Words) -> str:
    entry = change.item.because
    reached = next(past for past in matter.reached if past.entry == entry)
    slot = next((slot for slot in matter.live_slots if slot.span), None)
    sentence = _who_reached(matter, reached, slot, words)
    if reached.quote:
        sentence += f': "{short(reached.quote)}".'
    else:
        sentence += " " + _("tried to call you.")
    if slot is not None and slot.span is not None:
        sentence += " " + _("Your window is %(hours)s.") % {"hours": words.hours(slot.span)}
    return sentence


def _who_reached(matter: Matter, reached: Reached, slot: Slot | None, words: Words) -> str:
    number = (
        reached.supplier
        or (slot.supplier if slot else 0)
        or (matter.suppliers[0] if matter.suppliers else 0)
    )
    name = words.supplier(number)
    if reached.is_likely:
        return _("Likely %(name)s, from %(number)s") % {
            "name": name,
            "number": number_hint(reached.sender),
        }
    return name


def _same_day(first: Window, second: Window, words: Words) -> bool:
    zone = words.zone
    return first.start.astimezone(zone).date() == second.start.astimezone(zone).date()


def title(matter: Matter, words: Words) -> str:
    """The title of the card: the question to the owner, else the fact that matters most."""
    who = supplier_of(matter, words)
    live = matter.live_slots
    disputed = [name for name, _current, _other in matter.conflicts]
    if disputed:
        return _conflict_title(disputed)
    overdue = next((slot for slot in live if slot.is_overdue(words.now)), None)
    if overdue is not None:
        who = supplier_of(matter, words, overdue)
        if overdue.is_long_overdue(words.now):
            return _("Was %(who)s here?") % {"who": who}
        return _("%(who)s is not here yet") % {"who": who}
    if matter.closed_at is None and matter.done_at is not None:
        return done_question(matter, words, done_slot(matter))
    if matter.own_ask and not (matter.is_shared and live):
        return own_title(matter, words)
    suppliers_asks = [name for name in matter.asks if not is_own_ask(name)]
    if suppliers_asks:
        name = suppliers_asks[0]
        prompt = matter.asks[name][0]
        said = _asked_by_calendar(matter, name, words, who) or short(prompt)
        return said[:TITLE_LENGTH] or _("%(who)s asks you something") % {"who": who}
    if matter.lacks_asset:
        return _("Which of your things is this about?")
    if matter.closed_at is not None:
        done = done_slot(matter)
        if matter.closed_by == "owner":
            return _("%(asset)s: solved") % {"asset": words.asset or who or _("Matter")}
        return done_sentence(matter, words) if done else _("Closed after long silence")
    if live and live[0].span is not None:
        return f"{_kind(live[0])}: {words.window(live[0].span)}"
    return _quiet_title(matter, words, who)


def _conflict_title(names: list[str]) -> str:
    if "visit" in names:
        return _("Is the visit cancelled or not?")
    if "window" in names:
        return _("Two different times were given")
    if "place" in names:
        return _("Two different places were given")
    return _("Two different values were given")


def _kind(slot: Slot) -> str:
    if slot.stage == Stage.STARTED:
        return _("Visit under way")
    if slot.kind == "delivery":
        return _("Delivery")
    return _("Call") if slot.kind == "call" else _("Visit")


def _quiet_title(matter: Matter, words: Words, who: str) -> str:
    for name in matter.money:
        value = matter.facts[name].current
        if value is not None:
            return f"{who}: {amount(value, matter, words)}"[:TITLE_LENGTH]
    if matter.issue:
        return short(matter.issue.splitlines()[0])[:TITLE_LENGTH]
    if any(slot.stage == Stage.CANCELLED for slot in matter.slots):
        return _("Visit cancelled")
    about = words.asset or event_words.title(matter.title)
    return (f"{who}: {about}" if who and about else who or about or _("A matter"))[:TITLE_LENGTH]


def meta(matter: Matter, words: Words) -> str:
    """The line under the title: who, and what else there is to know."""
    parts = [words.supplier(number) for number in matter.suppliers]
    if words.asset:
        parts.append(words.asset)
    if RECALL in matter.asks and (by := _fact(matter, "recall_by")):
        parts.append(_("declared by %(who)s") % {"who": short(by)})
    done = done_slot(matter)
    if done is not None and done.done_at is not None and matter.done_at is not None:
        finished = _("visit finished %(clock)s") % {"clock": words.clock(done.done_at)}
        if done.was_on_time:
            finished += ", " + _("inside the window")
        parts.append(finished)
    elif matter.closed_at is None:
        for name in matter.money:
            value = matter.facts[name].current
            if value is not None:
                parts.append(amount(value, matter, words))
                break
    return " · ".join(parts)


def drafted_question(name: str, current: Value, other: Value, words: Words) -> str:
    """A question to the supplier, ready to send, for a conflict nobody may guess at."""
    given = {"first": _shown(name, current.key, words), "second": _shown(name, other.key, words)}
    if name == "visit":
        return _("I was told that our visit is booked, and that it is cancelled. Which is right?")
    if name == "window":
        return (
            _("You gave two different times: %(first)s, and %(second)s. Which one is right?")
            % given
        )
    if name == "place":
        return (
            _("You gave two different places: %(first)s, and %(second)s. Which one is right?")
            % given
        )
    if name == "person":
        return (
            _("You named two different people: %(first)s, and %(second)s. Who will come?") % given
        )
    return _(
        "You gave two different values for %(fact)s: %(first)s, and %(second)s. Which one is right?"
    ) % {"fact": name.replace("_", " "), **given}


def settled_by(name: str, key: str, words: Words) -> str:
    """The label of the button by which the owner says which of two values is right."""
    if name == "visit":
        return _("It is cancelled") if key == CANCELLED else _("It takes place")
    return _("It is %(value)s") % {"value": _shown(name, key, words)}
