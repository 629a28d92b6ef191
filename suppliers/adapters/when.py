"""Finds dates, spans and points of time in text.

A span of clock times is cut out by our own pattern before anything else looks at the
text: "09:00-11:00" is no time zone, and "08:00" no date. Day and month order follows the
household's country; a weekday, "today" or "tomorrow" beside the date wins; whatever
still has two readings is left out.

No date library reads the text: dateparser 1.5.0 found none of 20 windows in five languages
(ours 19, and the last is left out as undecided), took 41 ms a sentence (ours 0.7) and 27
seconds for 8,000 hostile characters (ours 0.2).
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import chain, islice
from zoneinfo import ZoneInfo

from suppliers.adapters import words
from suppliers.contacts import Window

MAX_SPANS = 60
NEAR = 80  # characters between a date and its clock times
REACH = 60  # characters between a word of coming and its clock time
SENTENCE = re.compile(r"[.!?](?!\d)|\n")
MAX_COMES = 10

SPACE = r"[ \t\u00a0\u202f]"
CLOCK = (
    rf"(?:(?P<h{{n}}>[012]?\d)(?:[:.](?P<m{{n}}>[0-5]\d)|[hH](?P<mh{{n}}>[0-5]\d)?(?![a-z])"
    rf"|{SPACE}(?:h|uhr){SPACE}(?P<ms{{n}}>[0-5]\d)(?!\d|[.:]|{SPACE}?min))?{SPACE}{{{{0,2}}}}"
    rf"(?P<x{{n}}>[ap]\.?m\b\.?|uhr\b|hrs?\b|h\b)?|(?P<noon{{n}}>noon|midday|mittag|midi))"
)
FILL = rf"(?:(?:the|las?|les?|ore|around|hours{SPACE}of){SPACE})?"


def _clock(number: int) -> str:
    return CLOCK.format(n=number).replace("{{", "{").replace("}}", "}")


SPAN = re.compile(
    rf"(?:(?<!\w)(?P<lead>between|zwischen|entre|tra|fra|from|von|de|du|à{SPACE}partir{SPACE}de|dalle|desde|window)(?!\w){SPACE}{{1,3}})?"
    rf"{FILL}(?<![\w.,:/$€£+-]){_clock(1)}{SPACE}{{0,3}}"
    rf"(?P<sep>and|und|et|e|y|to|until|till|til|bis|jusqu['\u2019]à|à|a|fino{SPACE}alle|alle|hasta|&|-|"
    rf"\u2013|\u2014)(?!\d{{3}}){SPACE}{{0,3}}"
    rf"{FILL}{_clock(2)}(?![\d/%]|[.,:-]\d)",
    re.IGNORECASE,
)
POINT = re.compile(
    rf"(?<!\w)(?:at|by|around|about|um|gegen|ab|à|vers|alle(?:{SPACE}ore)?|a{SPACE}las?|hacia{SPACE}las|@)"
    rf"{SPACE}{{1,3}}(?:about{SPACE}|around{SPACE}|ca\.{SPACE})?(?<![\w.,:/$€£+-]){_clock(1)}(?![\d/%]|[.,:-]\d)",
    re.IGNORECASE,
)
# After the day and a comma a clock time needs no word before it.
COMMA_POINT = re.compile(
    rf"(?<=[\w.]),{SPACE}{{1,3}}(?=\d{{1,2}}(?:[:.h]\d\d)?{SPACE}{{0,2}}(?:uhr|h|[ap]\.?m)\b|\d{{1,2}}:\d\d)"
    rf"{_clock(1)}(?![\d/%]|[.,:-]\d)",
    re.IGNORECASE,
)
WEEKS = (
    r"(?:in (?:a|one|two|three|\d) weeks?|in (?:einer|zwei|drei|\d) wochen?|"
    r"(?:dans|d'ici) (?:une|deux|trois|\d) semaines?|(?:tra|fra) (?:una|due|tre|\d) settiman[ae]|"
    r"(?:en|dentro de) (?:una|dos|tres|\d) semanas?)"
)
# A weekday that these stand beside is none of the coming seven, or one of two.
WEEKS_AFTER = re.compile(rf"[ ,]{{1,2}}(?:week\b|en huit\b|en quinze\b|{WEEKS})", re.IGNORECASE)
WEEKS_BEFORE = re.compile(rf"{WEEKS}[ ,]{{1,2}}(?:on |am |le |il |el )?\Z", re.IGNORECASE)
NEXT_WEEK_BEFORE = re.compile(
    r"(?:next week|(?:nächste|kommende)[nr]? woche|la semaine prochaine|la settimana prossima|"
    r"la próxima semana|la semana que viene)[ ,]{1,2}(?:on |am |le |il |el )?\Z",
    re.IGNORECASE,
)
NEXT_WEEK_AFTER = re.compile(
    r"[ ,]{1,2}(?:of )?(?:next week|(?:nächster|kommender|nächste|kommende) woche|"
    r"de la semaine prochaine|della (?:settimana prossima|prossima settimana)|"
    r"de la (?:próxima semana|semana que viene))",
    re.IGNORECASE,
)
NEXT_BEFORE = re.compile(r"(?<!\w)(?:next|nächste[nrms]?)[ ]{1,2}\Z", re.IGNORECASE)
NEXT_AFTER = re.compile(r"[ ]{1,2}prochaine?(?!\w)", re.IGNORECASE)
SOON = re.compile(
    r"(?<!\w)(?:in|within|innerhalb von|dans|tra|fra|en)[ ]{1,2}(?:about |around |approximately |"
    r"etwa |ca\. |"
    r"environ |circa |unos )?(?P<n>\d{1,3}|an?|one|two|three|half an|einer?|zwei|une?|deux|una?|"
    r"due|dos)"
    r"[ ]{1,2}(?P<unit>minutes?|mins?|minuten?|minut[io]|minutos?|hours?|hrs?|stunden?|heures?|"
    r"or[ae]|horas?)(?!\w)",
    re.IGNORECASE,
)
# After a word of coming also an hour alone is a clock time, unless a word follows that
# makes it a count or an address ("at 11 Main Street").
HOUR = re.compile(
    rf"(?<!\w)(?:at|by|around|about|until|till|before|after|um|gegen|ab|vor|nach|à|vers|avant|après|"
    rf"alle(?:{SPACE}ore)?|verso{SPACE}le|prima{SPACE}delle|dopo{SPACE}le|dalle|"
    rf"a{SPACE}las?|hacia{SPACE}las|sobre{SPACE}las|hasta{SPACE}las|antes{SPACE}de{SPACE}las)"
    rf"{SPACE}{{1,3}}(?:about{SPACE}|around{SPACE}|ca\.{SPACE})?{_clock(1)}"
    rf"(?![\w/%€$£:]|[.,:-]\d|{SPACE}{{0,2}}(?:€|\$|£|%))"
    rf"(?={SPACE}{{0,3}}(?:[.,;:!?)\n-]|\Z|(?:today|this|instead|and|or|because|"
    rf"sorry|due|as|but|at the|heute|bei|da|dort|und|oder|weil|statt|leider|aber|in|an|"
    rf"oggi|da{SPACE}(?:lei|voi)|invece|e|o|perché|scusi|ma|"
    rf"aujourd|au{SPACE}lieu|chez|et|ou|car|mais|hoy|en|y|porque|pero)\b))",
    re.IGNORECASE,
)
COUNTS = {
    "a": 1, "an": 1, "one": 1, "ein": 1, "eine": 1, "einer": 1, "un": 1, "une": 1, "una": 1,
    "two": 2, "zwei": 2, "deux": 2, "due": 2, "dos": 2, "three": 3,
}  # fmt: skip
RELATIVE = {
    "today": 0, "tonight": 0, "heute": 0, "aujourd'hui": 0, "aujourd\u2019hui": 0, "oggi": 0,
    "hoy": 0,
    "tomorrow": 1, "demain": 1, "domani": 1, "mañana": 1,
    "day after tomorrow": 2, "übermorgen": 2, "après-demain": 2,
    "dopodomani": 2, "pasado mañana": 2,
}  # fmt: skip
# "morgen" and "mañana" also mean "morning": only where no weekday or article makes it so.
MORGEN = re.compile(r"(?<!\w)(?<!guten )(?<!am )(?<!jeden )morgen(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A window read from text and the place it stands at."""

    window: Window
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Day:
    """A date in the text; None when it has no one reading."""

    day: date | None
    span: tuple[int, int]


@cache
def _date_pattern(language: str) -> re.Pattern[str]:
    month = "|".join(sorted(map(re.escape, words.months(language)), key=len, reverse=True))
    weekday = "|".join(sorted(map(re.escape, words.weekdays(language)), key=len, reverse=True))
    relative = "|".join(sorted(map(re.escape, RELATIVE), key=len, reverse=True))
    return re.compile(
        rf"(?<![\w/])(?:(?:(?P<weekday>{weekday})(?:\.|(?!\w)),?{SPACE}{{0,3}}"
        rf"(?:(?:the|den|dem|der|le|il|el|on|day){SPACE}{{1,2}})?)?(?:"
        rf"(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})(?!\d)"
        rf"|(?P<d1>\d{{1,2}})(?P<sep>[./-])(?P<d2>\d{{1,2}})(?:(?P=sep)(?P<dy>\d{{4}}|\d{{2}})(?!\d)|(?P<dot>\.(?!\d))|(?![\d./:-]))"
        rf"|(?P<nd>\d{{1,2}})(?:st|nd|rd|th|er|\.|º|°)?{SPACE}{{0,3}}(?:(?:de|of|di){SPACE}{{1,2}})?"
        rf"(?P<nm>{month})(?!\w)\.?(?:,?{SPACE}{{1,3}}(?:(?:de|del){SPACE}{{1,2}})?(?P<ny>\d{{4}})(?!\d))?"
        rf"|(?P<mm>{month})(?!\w)\.?{SPACE}{{1,3}}(?P<md>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])"
        rf"(?:,?{SPACE}{{1,2}}(?P<my>\d{{4}})(?!\d))?"
        rf")|(?P<relative>{relative})(?!\w)|(?P<only>{weekday})(?!\w))",
        re.IGNORECASE,
    )


class Calendar:
    """Reads dates as seen from the moment something was said, in one zone and language."""

    def __init__(
        self, *, said_at: datetime, zone: ZoneInfo, language: str, day_first: bool
    ) -> None:
        self.zone = zone
        self.said_at = said_at
        self.today = said_at.astimezone(zone).date()
        self.language = language
        self.day_first = day_first

    def days(self, text: str, taken: list[tuple[int, int]]) -> list[Day]:
        """Return the dates in `text` that do not overlap the places in `taken`."""
        found = []
        for match in _date_pattern(self.language).finditer(text):
            span = match.span()
            if any(start < span[1] and span[0] < end for start, end in taken):
                # "Tuesday, 8-10": the day is there, what follows it is none.
                span = match.span("weekday")
                if span[0] < 0 or any(start < span[1] and span[0] < end for start, end in taken):
                    continue
                known, day = self._weekday(match["weekday"], text, span)
            else:
                known, day = self._day(match)
            if known:
                found.append(Day(day, span))
            if len(found) >= MAX_SPANS:
                break
        if self.language == "de":
            for match in MORGEN.finditer(text):
                if len(found) >= MAX_SPANS:
                    break
                found.append(Day(self.today + timedelta(days=1), match.span()))
        return sorted(found, key=lambda item: item.span)

    def _day(self, match: re.Match[str]) -> tuple[bool, date | None]:
        """Return whether this is a date at all, and which, if it has one reading."""
        if match["relative"]:
            return True, self.today + timedelta(days=RELATIVE[match["relative"].lower()])
        names = words.weekdays(self.language)
        if match["only"]:
            return self._weekday(match["only"], match.string, match.span())
        weekday = names[match["weekday"].lower()] if match["weekday"] else None
        candidates = self._candidates(match, has_weekday=weekday is not None)
        if candidates is None:
            return False, None
        if weekday is not None:
            candidates = [day for day in candidates if day.weekday() == weekday]
        near = sorted(set(candidates), key=lambda day: abs((day - self.today).days))
        if weekday is None and match["d1"] and len(near) > 1:
            return True, candidates[0]
        return True, near[0] if near else None

    def _weekday(self, word: str, text: str, span: tuple[int, int]) -> tuple[bool, date | None]:
        """Return the day a weekday alone means: the coming one, unless words beside it say else.

        "Next Friday", said on a Monday, is one of two.
        """
        if word != word.capitalize() and self.language in {"en", "de"}:
            return False, None  # "sun", "sat", "wed" are words as well
        weekday = words.weekdays(self.language)[word.lower()]
        before, after = text[max(0, span[0] - 40) : span[0]], text[span[1] : span[1] + 40]
        if WEEKS_AFTER.match(after) or WEEKS_BEFORE.search(before):
            return True, None
        today = self.today.weekday()
        if NEXT_WEEK_BEFORE.search(before) or NEXT_WEEK_AFTER.match(after):
            return True, self.today + timedelta(days=7 - today + weekday)
        is_next = NEXT_BEFORE.search(before) or NEXT_AFTER.match(after)
        if is_next and weekday > today:
            return True, None
        return True, self.today + timedelta(days=(weekday - today) % 7)

    def _candidates(self, match: re.Match[str], *, has_weekday: bool) -> list[date] | None:
        """Return the readings of a written date, the household's habit first."""
        if match["iso"]:
            written, month, day = match["iso"].split("-")
            return self._dates(int(day), int(month), written)
        if match["d1"]:
            first, second, year = int(match["d1"]), int(match["d2"]), match["dy"]
            is_open = match["sep"] == "-" or (match["sep"] == "." and not match["dot"])
            if not year and is_open and not has_weekday:
                return None  # 8-12 and 8.30 are no dates
            is_day_first = self.day_first or match["sep"] == "."
            orders = [(first, second), (second, first)]
            if not is_day_first:
                orders.reverse()
            if match["sep"] == ".":
                orders = orders[:1]
            for day, month in orders if not has_weekday else ():
                dates = self._dates(day, month, year)
                if dates:
                    return dates[:1]
            dates = [item for day, month in orders for item in self._dates(day, month, year)]
            return dates or None
        months = words.months(self.language)
        if match["nd"]:
            return self._dates(int(match["nd"]), months[match["nm"].lower()] + 1, match["ny"])
        return self._dates(int(match["md"]), months[match["mm"].lower()] + 1, match["my"])

    def _dates(self, day: int, month: int, year: str | None) -> list[date]:
        """Return the dates meant, the nearest first; a missing year is one of three."""
        if year:
            years = [int(year) + (2000 if len(year) == 2 else 0)]
        else:
            years = [self.today.year, self.today.year + 1, self.today.year - 1]
        found = []
        for item in years:
            try:
                found.append(date(item, month, day))
            except ValueError:
                continue  # there is no such day in that year
        if not year:
            found = [item for item in found if -90 <= (item - self.today).days <= 300]
        return sorted(found, key=lambda item: abs((item - self.today).days))

    def window(self, day: date, span: tuple[time, time]) -> Window | None:
        """Return the span on `day`; past midnight only when it starts in the evening."""
        start = datetime.combine(day, span[0], self.zone)
        end = datetime.combine(day, span[1], self.zone)
        if end < start or (end == start and span[0] != span[1]):
            if span[0].hour < 18:
                return None
            end = datetime.combine(day + timedelta(days=1), span[1], self.zone)
        return Window(start=start.astimezone(UTC), end=end.astimezone(UTC))


def _meridiem(mark: str | None) -> str:
    mark = (mark or "").lower().replace(".", "").strip()
    return mark[:1] + "m" if mark[:1] in {"a", "p"} else mark


def _at(hour: int, minute: int, meridiem: str) -> time | None:
    if meridiem in {"am", "pm"}:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if meridiem == "pm" else 0)
    if hour == 24 and minute == 0:
        return time(23, 59, 59)
    return time(hour, minute) if hour < 24 else None


def _parts(match: re.Match[str], number: int) -> tuple[int, int, str, bool]:
    """Return hour, minute, mark, and whether it is clearly a clock time by itself."""
    if match[f"noon{number}"]:
        return 12, 0, "24", True
    minute = match[f"m{number}"] or match[f"mh{number}"] or match[f"ms{number}"]
    mark = _meridiem(match[f"x{number}"])
    has_h = bool(re.search(r"\d[hH]", match[0])) and not mark
    hour = match[f"h{number}"]
    if len(hour) == 2 and hour[0] == "0" and not mark:
        mark = "24"
    return int(hour), int(minute or 0), mark, bool(minute) or bool(mark) or has_h


def span_of(match: re.Match[str]) -> tuple[time, time] | None:
    """Return the two clock times of a span, or None when it has not one reading."""
    h1, m1, x1, clear1 = _parts(match, 1)
    h2, m2, x2, clear2 = _parts(match, 2)
    lead = (match["lead"] or "").lower()
    sep = match["sep"].lower()
    is_between = lead in {"between", "zwischen", "entre", "tra", "fra", "dalle"}
    if not (clear1 or clear2 or is_between):
        return None
    if sep in {"and", "und", "et", "e", "y", "&", "a"} and not lead and not (clear1 and clear2):
        return None
    has_24 = {x1, x2} & {"24", "uhr", "h", "hr", "hrs"} or max(h1, h2) > 12
    if not x1 and x2 == "am" and h2 == 12:
        return None  # noon to one, midnight to another
    if not x1 and x2 in {"am", "pm"}:
        start, end = _at(h1, m1, x2), _at(h2, m2, x2)
        if start and end and start >= end:
            start = _at(h1, m1, "am" if x2 == "pm" else "pm")
        return (start, end) if start and end else None
    if x1 in {"am", "pm"} and not x2:
        start, end = _at(h1, m1, x1), _at(h2, m2, x1)
        if start and end and end <= start:
            end = _at(h2, m2, "pm")
        return (start, end) if start and end else None
    start, end = _at(h1, m1, x1), _at(h2, m2, x2)
    if start is None or end is None:
        return None
    if not (x1 or x2 or has_24):
        if h1 < 7 and h2 < 8:
            return None  # night or afternoon: two readings
        if end <= start and h2 < 8:
            end = time(end.hour + 12, end.minute)  # "between 10 and 2"
    return start, end


def point_of(match: re.Match[str]) -> time | None:
    """Return a single clock time, or None when it has not one reading."""
    hour, minute, mark, is_clear = _parts(match, 1)
    if not is_clear or (not mark and hour < 7):
        return None
    return _at(hour, minute, mark)


def soon(text: str, *, said_at: datetime) -> Window | None:
    """Return the moment that "in 20 minutes" means, as a window without length."""
    found = set()
    for index, match in enumerate(SOON.finditer(text)):
        word, unit = match["n"].lower(), match["unit"].lower()
        amount = 0.5 if word == "half an" else float(COUNTS.get(word, 0) or int(word))
        minutes = amount if unit.startswith("min") else amount * 60
        found.add(said_at + timedelta(minutes=minutes))
        if index > 5:
            break
    return Window(start=min(found), end=max(found)) if len(found) == 1 else None


def arrival(text: str, calendar: Calendar) -> Window | None:
    """Return the clock time at which somebody says to come, in a text that names no day.

    It is meant for today and still to come; "at 4" is the afternoon. Two different times
    are none.
    """
    found: set[time | None] = set()
    said = [match.end() for match in islice(words.COMES.finditer(text), MAX_COMES)]
    for match in islice(words.IS_THERE.finditer(text), MAX_COMES):
        end = SENTENCE.search(text, match.end(), match.end() + REACH)
        if words.THERE.search(text, match.end(), end.start() if end else match.end() + REACH):
            said.append(match.end())
    if not said or calendar.days(text, [match.span() for match in SPAN.finditer(text)]):
        return None
    for start in said:
        end = SENTENCE.search(text, start, start + REACH)
        # One more character: what follows an hour decides whether it is one.
        stretch = text[start : end.start() + 1 if end else start + REACH]
        found |= {_hour_of(near) for near in HOUR.finditer(stretch)} - {None}
    moment = found.pop() if len(found) == 1 else None
    window = calendar.window(calendar.today, (moment, moment)) if moment is not None else None
    return window if window is not None and window.start > calendar.said_at else None


def _hour_of(match: re.Match[str]) -> time | None:
    hour, minute, mark, is_clear = _parts(match, 1)
    if not is_clear and hour < 7:
        hour += 12
    return _at(hour, minute, mark)


def windows(text: str, calendar: Calendar) -> list[Found]:
    """Return the spans of time with a date that somebody is said to come in.

    Opening hours, times that are said to hold no longer, and spans without one certain
    date are left out.
    """
    found, taken = [], []
    for match in SPAN.finditer(text):
        times = span_of(match)
        if times is None:
            continue
        taken.append(match.span())
        if not _is_opening(text, match.start()):
            found.append((match.span(), times))
        if len(taken) >= MAX_SPANS:
            break
    if not found:
        return []
    days = calendar.days(text, taken)
    result = []
    for span, times in found:
        day = _day_of(text, span, days)
        if day is None or _is_former(text, day[0]) or _is_former(text, span[0]):
            continue
        window = calendar.window(day[1], times)
        if window is not None:
            result.append(Found(window, (min(day[0], span[0]), span[1])))
    return result


def points(text: str, calendar: Calendar) -> list[Found]:
    """Return the dated points of time, as windows without length."""
    spans = [match.span() for match in SPAN.finditer(text)]
    found, taken = [], list(spans)
    for match in chain(POINT.finditer(text), COMMA_POINT.finditer(text)):
        moment = point_of(match)
        if moment is None or any(a < match.end() and match.start() < b for a, b in taken):
            continue
        taken.append(match.span())
        if not _is_opening(text, match.start()):
            found.append((match.span(), moment))
        if len(taken) >= MAX_SPANS:
            break
    if not found:
        return []
    days = calendar.days(text, taken)
    result = []
    for span, moment in found:
        day = _day_of(text, span, days)
        if day is None or _is_former(text, day[0]):
            continue
        window = calendar.window(day[1], (moment, moment))
        if window is not None:
            result.append(Found(window, (min(day[0], span[0]), span[1])))
    return result


def _is_former(text: str, position: int) -> bool:
    """Whether what stands here is said to hold no longer."""
    return words.FORMER.search(text, max(0, position - 40), position) is not None


def _is_opening(text: str, position: int) -> bool:
    line = max(text.rfind("\n", 0, position), text.rfind(". ", 0, position), position - 60) + 1
    return words.OPENING.search(text, line, position) is not None


def _day_of(text: str, span: tuple[int, int], days: list[Day]) -> tuple[int, date] | None:
    """Return the start and date of the day that a span of times belongs to."""
    before = [day for day in days if day.span[1] <= span[0] and span[0] - day.span[1] <= NEAR]
    after = [day for day in days if day.span[0] >= span[1] and day.span[0] - span[1] <= NEAR]
    if after and re.fullmatch(
        r"[ ,;(]{0,3}(?:on|am|le|il|el|of|den|du|del|,)?[ ]{0,2}", text[span[1] : after[0].span[0]]
    ):
        return _agreed([after[0], *_adjacent(after)])
    if before and "\n\n" not in text[before[-1].span[1] : span[0]]:
        return _agreed([before[-1], *_adjacent(before[::-1])])
    if after and "\n" not in text[span[1] : after[0].span[0]]:
        return _agreed([after[0], *_adjacent(after)])
    return _agreed(days) if days and len({day.day for day in days}) == 1 else None


def _adjacent(days: list[Day]) -> list[Day]:
    """Return the second of two days that are one expression: "today, Friday 13 November"."""
    if len(days) < 2:
        return []
    first, second = sorted((days[0].span, days[1].span))
    return [days[1]] if second[0] - first[1] <= 4 else []


def _agreed(days: list[Day]) -> tuple[int, date] | None:
    known = {day.day for day in days}
    only = known.pop() if len(known) == 1 else None
    return (min(day.span[0] for day in days), only) if only is not None else None
