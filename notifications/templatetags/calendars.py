"""How the calendar says and draws its windows: filters without queries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_noop, ngettext
from django.utils.translation import gettext as _

from notifications import agenda
from notifications.agenda import Bar, Day, Due, Entry
from notifications.wording import day_of
from owners import clock

register = template.Library()

EVERY = {
    "DAILY": (gettext_noop("every day"), gettext_noop("every %(n)s days")),
    "WEEKLY": (gettext_noop("every week"), gettext_noop("every %(n)s weeks")),
    "MONTHLY": (gettext_noop("every month"), gettext_noop("every %(n)s months")),
    "YEARLY": (gettext_noop("every year"), gettext_noop("every %(n)s years")),
}
WEEK = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
USUAL_OPENS, USUAL_CLOSES = 7 * 60, 20 * 60  # the day line shows at least these hours


class Line(NamedTuple):
    """A bar on its day, in thousandths of the line's width."""

    start: int
    width: int
    now: int | None
    opens: str
    closes: str


def clock_of(minutes: int) -> str:
    """Return a minute of the day as the clock shows it; the day's end is 24:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


@register.filter
def hours(entry: Entry) -> str:
    """Return a window in the reader's zone: 08:00 to 12:00."""
    start, end = timezone.localtime(entry.start), timezone.localtime(entry.end)
    if end == start:
        return f"{start:%H:%M}"
    clocks = {"from": f"{start:%H:%M}", "to": f"{end:%H:%M}"}
    if end.date() == start.date():
        return _("%(from)s to %(to)s") % clocks
    day = day_of(end, locale=get_language() or "en")
    return _("%(from)s to %(day)s, %(to)s") % {**clocks, "day": day}


@register.filter
def there(entry: Entry) -> str:
    """Return the window on the clocks of its place, when they differ from the reader's."""
    if not agenda.is_elsewhere(entry, zone_here()):
        return ""
    zone = ZoneInfo(entry.zone)
    place = entry.zone.rpartition("/")[2].replace("_", " ")
    start, end = entry.start.astimezone(zone), entry.end.astimezone(zone)
    if end == start:
        return _("%(from)s in %(place)s") % {"from": f"{start:%H:%M}", "place": place}
    return _("%(from)s to %(to)s in %(place)s") % {
        "from": f"{start:%H:%M}",
        "to": f"{end:%H:%M}",
        "place": place,
    }


def zone_here() -> ZoneInfo:
    """Return the reader's zone."""
    return ZoneInfo(timezone.get_current_timezone_name())


@register.filter
def what(entry: Entry) -> str:
    """Return what is expected: Visit: Skyline TV."""
    kinds = {"delivery": _("Delivery"), "call": _("Call")}
    name = entry.who or entry.asset
    kind = kinds.get(entry.kind, _("Visit"))
    return _("%(what)s: %(who)s") % {"what": kind, "who": name} if name else kind


@register.filter
def day_bar(bar: Bar, day: Day) -> Line:
    """Return a bar drawn on its day, with a tick for now when it is that day."""
    opens = min(USUAL_OPENS, max(0, bar.start - 60))
    closes = max(USUAL_CLOSES, min(agenda.MINUTES, bar.start + bar.width + 60))
    now = timezone.localtime(clock.now())
    minute = agenda.minute_of(now)

    def place(minutes: int) -> int:
        return round((minutes - opens) / (closes - opens) * 1000)

    is_shown = day.is_today and opens <= minute <= closes
    return Line(
        start=place(bar.start),
        width=max(6, place(bar.start + bar.width) - place(bar.start)),
        now=place(minute) if is_shown else None,
        opens=clock_of(opens),
        closes=clock_of(closes),
    )


@register.filter
def on_day(marks: Mapping[date, list[Due]], day: date) -> list[Due]:
    """Return what falls due on a day."""
    return marks.get(day, [])


@register.filter
def day_name(day: date) -> str:
    """Return a day in full, and how it lies to today: Friday 13 November, today."""
    today = timezone.localtime(clock.now()).date()
    near = {
        today: _("today"),
        today + timedelta(days=1): _("tomorrow"),
        today - timedelta(days=1): _("yesterday"),
    }
    full = date_format(day, _("l j F"))
    return f"{full}, {near[day]}" if day in near else full


@register.filter
def in_hours(amount: float) -> str:
    """Return an amount of waiting in words."""
    shown = round(amount * 2) / 2
    if shown == int(shown):
        return ngettext("%(n)s hour", "%(n)s hours", int(shown)) % {"n": int(shown)}
    return _("%(n)s hours") % {"n": shown}


def repeated(rule: str) -> str:
    """Return how a series repeats, in words; nothing for a rule that these cannot say.

    `rule` is RFC 5545's: `FREQ=WEEKLY;COUNT=20` becomes every week, 20 times.
    """
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    often, days = parts.pop("FREQ", ""), parts.pop("BYDAY", "")
    step, count, until = parts.pop("INTERVAL", "1"), parts.pop("COUNT", ""), parts.pop("UNTIL", "")
    parts.pop("WKST", "")
    known = all(one.isdecimal() and len(one) < 4 for one in (step, count or "1"))
    if parts or not known or (days and often != "WEEKLY"):
        return ""
    every = _every(often, int(step))
    named = [WEEKDAYS_ABBR[WEEK.index(one)] for one in days.split(",") if one in WEEK]
    if not every or len(named) != len([one for one in days.split(",") if one]):
        return ""
    words = [every + (f" ({', '.join(str(one) for one in named)})" if named else "")]
    if count:
        words.append(ngettext("%(n)s time", "%(n)s times", int(count)) % {"n": int(count)})
    if until:
        try:
            last = datetime.strptime(until[:8], "%Y%m%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            return ""
        words.append(_("until %(day)s") % {"day": date_format(last, "j F Y")})
    return ", ".join(words)


def _every(often: str, n: int) -> str:
    if often not in EVERY:
        return ""
    once, more = EVERY[often]
    return _(once) if n == 1 else _(more) % {"n": n}


@register.filter
def others(entry: Entry) -> str:
    """Return who else is expected at the same time."""
    return ", ".join(dict.fromkeys(name for name in entry.clashes_with if name)) or _(
        "something else"
    )
