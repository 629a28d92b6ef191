"""What a month's report says: the same sentences on the page, in the mail and in the PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from notifications import fact_words
from notifications.metrics import HOUR_S
from notifications.months import Ahead, Holder, Matter, Report, Suggestion, SupplierFacts
from notifications.wording import money_of

LISTED = 5  # lines of one part; what is more is a number
EFFORT = {
    "easy": gettext_lazy("easy"),
    "some": gettext_lazy("some effort"),
    "hard": gettext_lazy("hard work"),
    "very_hard": gettext_lazy("very hard work"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence, and the page that shows what it says; `name` is the measure it counts."""

    text: str
    href: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the report under its title."""

    name: str
    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """One of the numbers that stand first."""

    value: str
    label: str
    href: str
    name: str


def title(report: Report) -> str:
    """Return what the report is called: the month."""
    return date_format(report.month.first, "F Y")


def lead(report: Report) -> str:
    """Return the month in a sentence."""
    figures = report.figures
    if report.is_empty:
        return _("A quiet month: nothing came in, and nothing is due.")
    came = ngettext(
        "%(n)s contact came in", "%(n)s contacts came in", int(figures["contacts_received"])
    ) % {"n": figures["contacts_received"]}
    told = ngettext("%(n)s reached you", "%(n)s reached you", int(figures["notifications"])) % {
        "n": figures["notifications"]
    }
    saved = spell_span(int(figures["attention_saved_s"]))
    return _("%(came)s, %(told)s, about %(saved)s saved.") % {
        "came": came,
        "told": told,
        "saved": saved,
    }


def stats(report: Report) -> list[Stat]:
    """Return the first numbers, each with the page of what it counts."""
    figures = report.figures
    came, told = figures["contacts_received"], figures["notifications"]
    minutes = round(figures["attention_saved_s"] / 60)
    values = (
        ("contacts_received", str(came), ngettext("contact came in", "contacts came in", came)),
        ("notifications", str(told), _("reached you")),
        ("attention_saved_s", str(minutes), ngettext("minute saved", "minutes saved", minutes)),
    )
    return [
        Stat(value=value, label=label, href=cases_at(report, name), name=name)
        for name, value, label in values
    ]


def cases_at(report: Report, name: str) -> str:
    """Return the page of what a number was counted from."""
    address = reverse("report-cases", args=[str(report.month), name])
    return f"{address}?household={report.household.uuid}"


def parts(report: Report) -> list[Part]:
    """Return everything there is to say; parts with nothing are left out."""
    if report.is_empty:
        return []
    found = (
        Part(name="heard", title=_("What came in"), lines=_heard(report)),
        Part(name="promises", title=_("Promises"), lines=_promises(report)),
        Part(name="fixed", title=_("Fixed"), lines=_fixed(report)),
        Part(name="ahead", title=_("The next 60 days"), lines=_ahead(report)),
        Part(name="suppliers", title=_("Suppliers, by fact"), lines=_suppliers(report)),
        Part(name="holders", title=_("Who holds your data"), lines=_holders(report)),
        Part(name="suggestions", title=_("Worth a tap"), lines=_suggestions(report)),
    )
    return [part for part in found if part.lines]


def plain(report: Report) -> str:
    """Return the report as the text of a mail."""
    site = settings.SITE_URL
    words = [lead(report)]
    for part in parts(report):
        lines = [f"- {line.text}" for line in part.lines]
        words.append("\n".join([f"{part.title}:", *lines]))
    address = reverse("report-month", args=[str(report.month)])
    words.append(
        "\n".join(
            [
                _("With what each number counts, and to print:"),
                f"{site}{address}?household={report.household.uuid}",
            ]
        )
    )
    return "\n\n".join(words)


def _cut(lines: list[Line]) -> list[Line]:
    if len(lines) <= LISTED:
        return lines
    n = len(lines) - LISTED
    more = ngettext("and %(n)s more", "and %(n)s more", n) % {"n": n}
    return [*lines[:LISTED], Line(text=more)]


def _counted(report: Report, name: str, text: str) -> Line:
    return Line(text=text, href=cases_at(report, name), name=name)


def _heard(report: Report) -> list[Line]:
    figures = report.figures
    found = []
    if n := figures["absorbed"]:
        text = ngettext("%(n)s said nothing new.", "%(n)s said nothing new.", n) % {"n": n}
        found.append(_counted(report, "absorbed", text))
    if n := figures["false_absorptions"]:
        text = ngettext(
            "Of these you should have been told %(n)s.",
            "Of these you should have been told %(n)s.",
            n,
        )
        found.append(_counted(report, "false_absorptions", text % {"n": n}))
    if n := figures["held"]:
        text = ngettext(
            "%(n)s was held back: a survey, an advert, or what you did not allow.",
            "%(n)s were held back: surveys, adverts, and what you did not allow.",
            n,
        )
        found.append(_counted(report, "held", text % {"n": n}))
    if n := figures["interrupts"]:
        text = ngettext("You were interrupted %(n)s time.", "You were interrupted %(n)s times.", n)
        found.append(_counted(report, "interrupts", text % {"n": n}))
    kept, whole = figures["channel_respect"]
    if whole:
        text = _("%(n)s of %(whole)s came on the channel and at the hour you wish.")
        found.append(_counted(report, "channel_respect", text % {"n": kept, "whole": whole}))
    if n := figures["re_asks"]:
        text = ngettext(
            "You were asked %(n)s time for what you had answered or been asked before.",
            "You were asked %(n)s times for what you had answered or been asked before.",
            n,
        )
        found.append(_counted(report, "re_asks", text % {"n": n}))
    if figures["contacts_made"]:
        text = _("Your own effort: %(n)s points, %(band)s.")
        values = {"n": figures["owner_effort"], "band": EFFORT[figures["owner_effort_band"]]}
        found.append(Line(text=text % values, href=reverse("report-how")))
    return found


def _promises(report: Report) -> list[Line]:
    figures = report.figures
    found = []
    if whole := figures["promises_made"]:
        text = _("%(n)s of %(whole)s promises and visits were kept.")
        values = {"n": figures["promises_kept"], "whole": whole}
        found.append(_counted(report, "promises", text % values))
    found += _cut(
        [
            Line(text=_("Broken: %(what)s") % {"what": one.title}, href=_journey(one.id))
            for one in _once(report.broken)
        ]
    )
    if n := figures["visits_moved"]:
        text = ngettext("%(n)s was moved in good time.", "%(n)s were moved in good time.", n)
        found.append(_counted(report, "visits_moved", text % {"n": n}))
    if hours := figures["hours_held"]:
        text = _("You waited in for %(hours)s hours.")
        shown = number_format(hours, decimal_pos=1)
        found.append(_counted(report, "waited_s", text % {"hours": shown}))
    return found


def _once(matters: Sequence[Matter]) -> list[Matter]:
    return list({one.id: one for one in matters}.values())


def _fixed(report: Report) -> list[Line]:
    return _cut([_mended(report, one) for one in report.fixed])


def _mended(report: Report, one: Matter) -> Line:
    days = (
        ngettext("after %(n)s day", "after %(n)s days", one.days) % {"n": one.days}
        if one.days
        else _("on the same day")
    )
    said = [f"{one.title} ({one.supplier})" if one.supplier else one.title, days]
    if one.paid is not None:
        cost = _("paid %(paid)s") % {"paid": money(one.paid, report.household.currency)}
        if one.quoted is not None and one.quoted != one.paid:
            price = money(one.quoted, report.household.currency)
            cost = _("paid %(paid)s, quoted %(quoted)s") % {
                "paid": money(one.paid, report.household.currency),
                "quoted": price,
            }
        said.append(cost)
    return Line(text=", ".join(said), href=_journey(one.id))


def _ahead(report: Report) -> list[Line]:
    return _cut([_coming(one) for one in report.ahead])


def _coming(one: Ahead) -> Line:
    kinds = {
        "visit": _("Visit"),
        "delivery": _("Delivery"),
        "call": _("Call"),
        "drop_off": _("Drop-off"),
        "promise": _("Promised"),
    }
    kind = kinds.get(one.kind) or fact_words.said(one.kind)
    words = {"day": day(one.on), "kind": kind, "what": one.what}
    return Line(text=_("%(day)s: %(what)s (%(kind)s)") % words, href=_journey(one.journey))


def _suppliers(report: Report) -> list[Line]:
    return _cut([_did(one) for one in report.suppliers])


def _did(one: SupplierFacts) -> Line:
    return Line(
        text=f"{one.name}: {', '.join(_facts(one))}", href=reverse("supplier-facts", args=[one.id])
    )


def _facts(one: SupplierFacts) -> Iterator[str]:
    if one.promised:
        yield _("kept %(n)s of %(whole)s") % {"n": one.kept, "whole": one.promised}
    if one.requests:
        values = {"n": one.replied, "whole": one.requests}
        yield _("answered %(n)s of %(whole)s requests") % values
    if one.asked_again:
        n = one.asked_again
        yield ngettext("asked again %(n)s time", "asked again %(n)s times", n) % {"n": n}
    if one.messages:
        n = one.messages
        said = ngettext("%(n)s message", "%(n)s messages", n) % {"n": n}
        if one.nothing_new:
            words = {"said": said, "n": one.nothing_new}
            said = _("%(said)s, %(n)s of them with nothing new") % words
        yield said


def _holders(report: Report) -> list[Line]:
    return _cut([_knows(one) for one in report.holders])


def _knows(one: Holder) -> Line:
    href = reverse("supplier", args=[one.supplier])
    text = one.name
    if one.facts:
        text = _("%(name)s may know: %(facts)s") % {
            "name": one.name,
            "facts": ", ".join(one.facts),
        }
    if one.unused_since:
        unused = _("nothing came since %(day)s; you could take it back") % {
            "day": date_format(one.unused_since, "j M Y")
        }
        text = f"{text} ({unused})"
    return Line(text=text, href=href)


def _suggestions(report: Report) -> list[Line]:
    return [_advice(one) for one in report.suggestions]


def _advice(one: Suggestion) -> Line:
    words = {
        "compensation": _("Ask what the broken promise is worth: %(what)s"),
        "join_visits": _("Ask %(who)s to make two visits one: %(what)s"),
        "withdraw": _("Take back what %(what)s has not used for a year"),
    }
    return Line(text=words[one.kind] % {"what": one.what, "who": one.who}, href=one.href)


# --- small words -------------------------------------------------------------------------


def spell_span(seconds: int) -> str:
    """Return a span of time: minutes, from two hours on hours, from two days on days."""
    if seconds < 60:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    if seconds < 2 * HOUR_S:
        minutes = round(seconds / 60)
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    if seconds < 48 * HOUR_S:
        hours = round(seconds / HOUR_S)
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = round(seconds / (24 * HOUR_S))
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def money(amount: Decimal | float, currency: str) -> str:
    """Return an amount as it is written where the words are read."""
    return money_of(f"{amount:.2f}", currency, locale=get_language() or "en")


def day(on: date) -> str:
    """Return a day without its year: the report is of one month."""
    return date_format(on, "j M")


def _journey(key: str) -> str:
    return reverse("journey", args=[key])
