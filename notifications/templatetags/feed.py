"""What the pages need to say it in words and draw it: filters and tags without queries."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.contrib.messages.storage.base import Message
from django.db.models import Choices
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, gettext_noop, ngettext
from django.utils.translation import gettext as _

from assets.choices import AssetKind
from assets.models import Asset
from assets.starters import STARTERS, USUAL
from notifications import fact_words, reasons, senders, why
from notifications.choices import AppointmentState, PromiseState, SurveyState, Turn
from notifications.templatetags.calendars import repeated
from notifications.wording import Words, day_of, money_of, within
from owners import clock
from owners.choices import Topic
from suppliers.choices import ContactKind, Medium, Outcome, Purpose, RoleKind, Stage
from suppliers.models import Contact

register = template.Library()
register.filter("within", within)

ASSET_ICONS: dict[str, str] = {
    AssetKind.HOME: "house",
    AssetKind.VEHICLE: "car",
    AssetKind.APPLIANCE: "refrigerator",
    AssetKind.HEATING: "flame",
    AssetKind.ELECTRONICS: "tv",
    AssetKind.BOAT: "sailboat",
    AssetKind.TOOL: "wrench",
    AssetKind.INSTRUMENT: "music",
    AssetKind.SUBSCRIPTION: "repeat",
    AssetKind.OTHER: "package",
}
MEDIUM_ICONS: dict[str, str] = {
    Medium.EMAIL: "mail",
    Medium.SMS: "message-square",
    Medium.CALL: "phone",
    Medium.VOICEMAIL: "voicemail",
    Medium.LETTER: "file-text",
    Medium.CHAT: "message-circle",
    Medium.APP: "smartphone",
    Medium.IN_PERSON: "users",
    Medium.NONE: "info",
}
# Labels stay lazy: each reader sees them in a language of their own.
WORDS: dict[str, type[Choices]] = {
    "medium": Medium,
    "outcome": Outcome,
    "visit": AppointmentState,
    "promise": PromiseState,
    "survey": SurveyState,
    "turn": Turn,
    "topic": Topic,
    "role": RoleKind,
    "asset_kind": AssetKind,
    "kind": ContactKind,
    "stage": Stage,
    "purpose": Purpose,
}
# What the owner did, as the list of it says it.
DEEDS: dict[str, str | Promise] = {
    "accept": gettext_lazy("accepted"),
    "acknowledge": gettext_lazy("knew of the recall"),
    "always_show": gettext_lazy("always show these"),
    "answer": gettext_lazy("answered"),
    "cancel": gettext_lazy("called the visit off"),
    "choose_asset": gettext_lazy("chose the thing"),
    "choose_remedy": gettext_lazy("said what to do about the recall"),
    "correct": gettext_lazy("corrected"),
    "counter": gettext_lazy("asked for another time"),
    "decline": gettext_lazy("declined"),
    "dispute": gettext_lazy("did not agree"),
    "let_in": gettext_lazy("let in"),
    "merge": gettext_lazy("put together"),
    "not_mine": gettext_lazy("said it is not yours any more"),
    "not_now": gettext_lazy("not now"),
    "pick": gettext_lazy("picked a time"),
    "rate": gettext_lazy("rated"),
    "reply": gettext_lazy("wrote"),
    "request": gettext_lazy("asked for a visit"),
    "snooze": gettext_lazy("put aside"),
    "mute": gettext_lazy("muted"),
    "split": gettext_lazy("made a matter of its own"),
    "take_back": gettext_lazy("took a note back"),
    "tentative": gettext_lazy("said perhaps"),
    "undo_absorb": gettext_lazy("should have been told"),
    "yes": gettext_lazy("said yes"),
    "no": gettext_lazy("said no"),
}
# What else a pass answers.
ANSWERS: dict[str, str | Promise] = {
    "maker": gettext_lazy("Maker"),
    "model": gettext_lazy("Model"),
    "name": gettext_lazy("First name"),
    "phone": gettext_lazy("Phone"),
}
OUTCOME_CHIPS: dict[str, str] = {
    Outcome.SHOWN: "chip--pine",
    Outcome.OWN: "chip--plum",
    Outcome.DOOR: "chip--lamp",
    Outcome.REFUSED: "chip--brick",
}
VISIT_CHIPS: dict[str, str] = {
    AppointmentState.DONE: "chip--pine",
    AppointmentState.MISSED: "chip--brick",
    AppointmentState.CANCELLED: "chip--brick",
    AppointmentState.ON_THE_WAY: "chip--lake",
}
NEAR = {0: gettext_noop("Today"), -1: gettext_noop("Yesterday"), 1: gettext_noop("Tomorrow")}
AMOUNT = re.compile(r"(-?\d+(?:\.\d+)?) ([A-Z]{3})")  # as facts of money are kept
INSTANT = r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d+)?[+-]\d\d:\d\d"
WINDOW = re.compile(f"{INSTANT}/{INSTANT}")
DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
SHOWN = frozenset({Outcome.SHOWN, Outcome.OWN})
ANSWER = "answer"  # a row of a journey's line that is no contact
ON_PAGE_ONLY = frozenset(
    {
        *("snooze", "decline", "tentative", "cancel", "request"),
        *("dispute", "choose_remedy", "not_mine"),
    }
)


class Undo(NamedTuple):
    """Where a toast's undo goes."""

    journey: str
    decision: str


class Line(NamedTuple):
    """A promise bar in thousandths of its width."""

    start: int
    width: int
    now: int | None
    opens: datetime
    closes: datetime


@register.filter
def undo_of(message: Message) -> Undo | None:
    """Return what undoes the thing a message tells of, when it can be undone."""
    journey, found, decision = (
        message.extra_tags.partition(":") if message.extra_tags else ("",) * 3
    )
    return Undo(journey, decision) if found and journey != "undo" else None


@register.filter
def instant(value: Any) -> datetime | None:
    """Return an RFC 3339 string as a datetime in the reader's zone."""
    if not value:
        return None
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    if timezone.is_naive(at):
        at = at.replace(tzinfo=UTC)
    return timezone.localtime(at)


@register.filter
def day(value: Any) -> str:
    """Return a day as people say it: Today, Yesterday, Fri 13 Nov."""
    at = instant(value)
    if at is None:
        return ""
    days = (at.date() - timezone.localtime(clock.now()).date()).days
    if days in NEAR:
        return _(NEAR[days])
    return day_of(at, locale=get_language() or "en", has_year=abs(days) >= 300)


@register.filter
def span(start: Any, end: Any) -> str:
    """Return a window in words: Fri 13 Nov, 08:00 to 12:00."""
    opens, closes = instant(start), instant(end)
    if opens is None:
        return ""
    said = {"day": day(opens), "start": f"{opens:%H:%M}"}
    if closes is None or closes == opens:
        return _("%(day)s, %(start)s") % said
    said["end"] = f"{closes:%H:%M}"
    if closes.date() == opens.date():
        return _("%(day)s, %(start)s to %(end)s") % said
    days = {"start_day": said["day"], "end_day": day(closes)}
    return _("%(start_day)s, %(start)s to %(end_day)s, %(end)s") % {**said, **days}


@register.filter
def inside(when: str) -> str:
    """Return a day or a window as it stands inside a sentence: today, 08:00 to 12:00."""
    is_near = when.startswith(tuple(_(name) for name in NEAR.values()))
    return when[:1].lower() + when[1:] if is_near else when


@register.filter
def said(kind: str, group: str) -> str:
    """Return the word for a value: `journey.turn|said:"turn"`."""
    for value, label in WORDS[group].choices:
        if str(value) == str(kind):
            return str(label)
    return plain(str(kind))


@register.filter
def plain(code: str) -> str:
    """Return a code as words: `same_window` becomes Same window; known facts by their names."""
    return fact_words.said(str(code))


@register.filter
def named(fact: dict[str, Any]) -> str:
    """Return what a fact is called: as its supplier called it, or by its name."""
    return str(fact["label"] or fact_words.said(fact["name"]))


@register.filter
def deed(name: str) -> str:
    """Return what a decision was, inside a sentence: `let_in` becomes let in."""
    return str(DEEDS[name]) if name in DEEDS else plain(name).lower()


@register.filter
def asset_icon(kind: str) -> str:
    """Return the icon of an asset's kind."""
    return ASSET_ICONS.get(kind, "package")


@register.filter
def thing_icon(asset: Asset) -> str:
    """Return an asset's icon: that of what it was added as, else its kind's."""
    starter = STARTERS.get(asset.template)
    return starter.icon if starter and starter.slug != USUAL else asset_icon(asset.kind)


@register.filter
def medium_icon(medium: str) -> str:
    """Return the icon of a medium."""
    return MEDIUM_ICONS.get(medium, "info")


@register.filter
def outcome_chip(outcome: str) -> str:
    """Return the chip's colour for an outcome."""
    return OUTCOME_CHIPS.get(outcome, "")


@register.filter
def visit_chip(state: str) -> str:
    """Return the chip's colour for a visit's state."""
    return VISIT_CHIPS.get(state, "chip--lake")


@register.filter
def knots_in_words(thread: list[dict[str, Any]]) -> str:
    """Return the thread's text twin: 9 contacts, 3 shown; of one alone nothing is to be counted."""
    shown = sum(1 for knot in thread if knot.get("outcome") == Outcome.SHOWN)
    total = ngettext("%(n)s contact", "%(n)s contacts", len(thread)) % {"n": len(thread)}
    if len(thread) == 1:
        return total
    return _("%(total)s, %(shown)s shown") % {"total": total, "shown": shown}


@register.filter
def day_line(promise: dict[str, Any] | None) -> Line | None:
    """Return a window drawn on its day, with a tick for now when it is that day.

    The line runs from an hour before 08:00 (or the window) to 20:00 (or its end), in
    the zone of the visit.
    """
    if not promise or not promise.get("start") or not promise.get("end"):
        return None
    try:
        zone = ZoneInfo(promise.get("zone") or timezone.get_current_timezone_name())
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo(timezone.get_current_timezone_name())
    start = datetime.fromisoformat(promise["start"]).astimezone(zone)
    end = datetime.fromisoformat(promise["end"]).astimezone(zone)
    if end < start:
        return None
    opens = min(datetime.combine(start, time(7), zone), start - timedelta(hours=1))
    closes = max(datetime.combine(start, time(20), zone), end + timedelta(hours=1))
    length = (closes - opens).total_seconds()

    def place(at: datetime) -> int:
        return round((at - opens).total_seconds() / length * 1000)

    now = clock.now().astimezone(zone)
    return Line(
        start=place(start),
        width=max(6, place(end) - place(start)),
        now=place(now) if opens <= now <= closes else None,
        opens=opens,
        closes=closes,
    )


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{plain(k).lower()}: {_short(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_short(item) for item in value)
    text = str(value)
    if text.startswith("FREQ="):
        return repeated(text) or text
    if amount := AMOUNT.fullmatch(text):
        return money_of(amount[1], amount[2], locale=get_language() or "en")
    try:
        if WINDOW.fullmatch(text):
            return span(*text.split("/"))
        if DAY.fullmatch(text):
            noon = datetime.combine(date.fromisoformat(text), time(12))
            return day(timezone.make_aware(noon))
        at = datetime.fromisoformat(text) if len(text) >= 16 and text[4:5] == "-" else None
    except ValueError:  # it only looks like one
        at = None
    if at is None:
        return text
    local = instant(at)
    return f"{day(local)}, {local:%H:%M}" if local else text


@register.filter
def presets(action: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the values an action's button carries."""
    fields = action.get("fields") or []
    return [(field["name"], str(field["value"])) for field in fields if "value" in field]


@register.filter
def asks_window(action: dict[str, Any]) -> bool:
    """Return whether an action wants a day and hours filled in."""
    return any(field["type"] == "window" for field in action.get("fields") or [])


@register.filter
def on_card(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the few actions a card has room for; the journey's page has them all."""
    useful = [action for action in actions if action["name"] not in ON_PAGE_ONLY]
    room = 3 if any(action["name"] == "pick" for action in useful) else 2
    return [a for a in useful if a["name"] not in ("reply", "works") or a["is_primary"]][:room]


@register.filter
def draft(action: dict[str, Any]) -> str:
    """Return the words an action proposes."""
    return dict(presets(action)).get("text", "")


class Group(NamedTuple):
    """One row of the journey's line: a day, a contact, or a run that said nothing new."""

    kind: str
    day: str = ""
    contact: dict[str, Any] | None = None
    contacts: tuple[dict[str, Any], ...] = ()


@register.filter
def line(journey: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a journey's contacts and the owner's answers, in the order of their time."""
    given = [{**answer, "outcome": ANSWER} for answer in journey["answers"]]
    return sorted([*journey["contacts"], *given], key=lambda one: datetime.fromisoformat(one["at"]))


@register.filter
def first_line(text: str) -> str:
    """Return the first line of a text: what it says in a word."""
    return text.partition("\n")[0]


@register.filter
def by_day(contacts: list[dict[str, Any]]) -> list[Group]:
    """Return a journey's line under day headings, runs of two and more contacts folded."""
    rows: list[Group] = []
    last_day = ""
    run: list[dict[str, Any]] = []

    def flush() -> None:
        if len(run) == 1:
            rows.append(Group("contact", contact=run[0]))
        elif run:
            rows.append(Group("run", contacts=tuple(run)))
        run.clear()

    for contact in contacts:
        heading = day(contact["at"])
        if heading != last_day:
            flush()
            rows.append(Group("day", day=heading))
            last_day = heading
        if contact["outcome"] in (Outcome.ABSORBED, Outcome.DUPLICATE):
            run.append(contact)
            continue
        flush()
        kind = ANSWER if contact["outcome"] == ANSWER else "contact"
        rows.append(Group(kind, contact=contact))
    flush()
    return rows


@register.filter
def fact_value(value: str) -> str:
    """Return a fact's value as people read it; instants in the reader's zone."""
    return _short(value)


@register.filter
def told_why(kept: dict[str, Any]) -> str:
    """Return why somebody was told, in plain words."""
    return reasons.of_told(kept)


@register.filter
def sentence(code: str) -> str:
    """Return what a reason or rule means in plain words."""
    if not code:
        return ""
    known = why.REASONS.get(code) or why.RULES.get(code) or why.LINKS.get(code)
    return str(known) if known else f"{plain(code)}."


@register.filter
def why_it_waits(contact: Contact) -> str:
    """Return why a contact waits at the door, in plain sentences."""
    words = Words(zone=ZoneInfo(timezone.get_current_timezone_name()), now=contact.received_at)
    return why.of_contact(
        reason=contact.reason, rule=contact.rule, evidence=contact.evidence, words=words
    )


@register.filter
def sender_check(contact: Contact) -> str:
    """Return how a contact's sender was checked, in plain sentences."""
    return senders.of_sender(
        contact.said,
        suspicion=contact.suspicion,
        supplier=contact.supplier.name if contact.supplier else "",
    )


@register.filter
def tried_step(step: dict[str, Any]) -> str:
    """Return one thing that was already tried."""
    what = {"answer": _("You said"), "call": _("A call"), "visit": _("A visit")}.get(
        step.get("what", ""), ""
    ) or plain(str(step.get("what", "")))
    result = within(plain(str(step.get("result", ""))))
    return f"{what}: {result}" if result else what


@register.filter
def answer_name(answer: dict[str, Any]) -> str:
    """Return what a question is called to which a pass has the answer."""
    name, label = answer["name"], answer["label"]
    if name in ANSWERS:
        return str(ANSWERS[name])
    if name in why.KEYS:
        return f"{reference_kind(name)}, {label}" if label else reference_kind(name)
    return plain(label or name)


@register.filter
def reference_kind(scheme: str) -> str:
    """Return what kind of number a reference is: Order, Ticket."""
    word = str(why.KEYS.get(scheme, scheme))
    return word[:1].upper() + word[1:]


@register.filter
def said_by(source: dict[str, Any]) -> str:
    """Return who said a thing, how and when: Skyline TV, E-mail, Fri 13 Nov."""
    medium = source["medium"]
    how = _("on a pass, unproved") if medium == "pass" else ""
    if medium and not how and medium != Medium.NONE:
        how = said(medium, "medium")
    who = _("The customer") if source["is_owner"] else source["who"] or _("Unknown sender")
    return ", ".join(part for part in (who, how, day(source["at"])) if part)


@register.filter
def has_own_title(contact: dict[str, Any]) -> bool:
    """Return whether a contact's title says more than the start of its text."""
    title = contact["title"].rstrip(".")
    return bool(title) and not contact["text"].startswith(title)
