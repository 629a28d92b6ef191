"""What must hold over a whole year, judged from what was said, sent and wished.

Every check returns findings, one sentence each; none when all is well. Nothing here knows
a rule of the product: the numbers are those that owners were promised.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from tests.year import almanac
from tests.year.truth import Message, Person, Said, Told, Window, Year

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BREAKS_QUIET = 2 * HOUR  # what begins so soon after quiet hours may go through them
HELPS_FOR = 4 * HOUR  # after the end of a visit nobody needs to hear of its coming
ONE_BREATH = timedelta(seconds=60)  # between what is decided and what is sent
LONGEST_HOLD = timedelta(minutes=15)
SURVEY_SPAN, SUPPLIER_SPAN = timedelta(days=30), timedelta(days=90)
# Notifications a channel takes in 24 hours, and of which topics a cap puts off nothing.
CAPS = {"sms": 3, "voice": 2, "push": 10, "chat": 10}
URGENT = ("arriving", "failed")
WAIT = 25 * HOUR  # what begins so soon cannot wait until a channel has room again
SLEEPS = ("absorbed", "duplicate")
# What somebody must have said where these are told.
MEANS = {
    "moved": {"move"}, "cancelled": {"cancel"}, "on_the_way": {"arriving"}, "asked": {"question"},
    "safety": {"recall"}, "reaching_out": {"call"}, "done": {"done"}, "money": {"bill"},
}  # fmt: skip
OF_TIME = {"not_here": "nobody", "missed": "missed", "done": "done", "promise_missed": "promise"}


class _Books:
    """A year, indexed."""

    def __init__(self, year: Year) -> None:
        self.year = year
        self.homes = {home.key: home for home in year.homes}
        self.people = {(home.key, one.key): one for home in year.homes for one in home.people}
        self.lines = {said.line: said for said in year.said}
        self.told = {told.id: told for told in year.told}
        self.matters: dict[str, list[Said]] = defaultdict(list)
        for said in sorted(year.said, key=lambda one: one.at):
            self.matters[said.matter].append(said)
        self.heard: dict[tuple[str, str, str], list[Told]] = defaultdict(list)
        for told in sorted(year.told, key=lambda one: one.at):
            for matter in self.matters_of(told):
                self.heard[told.home, told.person, matter].append(told)
        self.sent: dict[str, list[Message]] = defaultdict(list)
        self.by_person: dict[tuple[str, str, str], list[Message]] = defaultdict(list)
        for message in year.messages:
            self.sent[message.told].append(message)
            self.by_person[message.home, message.person, message.channel].append(message)

    def because(self, told: Told) -> list[Said]:
        """Return the contacts a telling names."""
        return [self.lines[line] for line in told.because if line in self.lines]

    def matters_of(self, told: Told) -> list[str]:
        """Return the matters a telling is about."""
        return list(dict.fromkeys(said.matter for said in self.because(told)))

    def windows(self, told: Told) -> set[Window]:
        """Return every time that was said of what a telling is about, until it was told."""
        return {
            window
            for matter in self.matters_of(told)
            for said in self.matters[matter]
            if said.at <= told.at
            for window in said.windows
        }

    def listeners(self, said: Said) -> Iterator[Person]:
        """Yield whom a contact concerns, unless they wished to hear of its topic more softly."""
        home = self.homes[said.home]
        for key in home.keepers[said.asset]:
            person = self.people[said.home, key]
            if person.rules.get(said.topic, ("now", ""))[0] == "now" or said.kind == "recall":
                yield person


def nobody_is_told_at_night(year: Year) -> Iterator[str]:
    """Nothing goes out in quiet hours but what its owner lets through them."""
    books = _Books(year)
    for message in year.messages:
        if message.purpose != "notification":
            continue
        person = books.people[message.home, message.person]
        span = almanac.quiet(person, message.at)
        if span is None:
            continue
        told = books.told[message.told]
        if any(said.kind == "recall" for said in books.because(told)):
            continue
        pressing = any(
            start < span[1] + BREAKS_QUIET and message.at < end + HELPS_FOR
            for start, end in books.windows(told)
        )
        if not (person.has_exceptions and pressing):
            yield (
                f"{message.key}: {person.home}/{person.key} was told at night, {message.at}"
                f" (quiet {span[0]} to {span[1]}): {told.reason} {message.text!r}"
            )


def nobody_is_told_twice(year: Year) -> Iterator[str]:
    """Each telling says something that its hearer did not know, and comes once to an address."""
    books = _Books(year)
    for (_home, _person, matter), tellings in books.heard.items():
        known: dict[str, str] = {}
        for told in tellings:
            facts = _facts(books, told, matter)
            if facts and all(known.get(name) == value for name, value in facts.items()):
                yield f"{told.id}: {told.home}/{told.person} was told twice: {told.text!r}"
            known |= facts
    sent = Counter(
        (message.home, message.told or message.key, message.address, message.person)
        for message in year.messages
    )
    yield from (f"{key} was sent {count} times" for key, count in sent.items() if count > 1)
    keys = Counter((message.home, message.key) for message in year.messages)
    yield from (f"{key} was handed over {count} times" for key, count in keys.items() if count > 1)


def _facts(books: _Books, told: Told, matter: str) -> dict[str, str]:
    """Return what a telling tells of one matter."""
    if told.reason in OF_TIME:
        times = sorted(books.windows(told))
        return {OF_TIME[told.reason]: str(times[-1:])}
    if told.reason == "conflict":
        return {"conflict": told.text}
    return {
        name: value
        for said in books.because(told)
        if said.matter == matter
        for name, value in said.tells.items()
    }


def what_is_told_is_true(year: Year) -> Iterator[str]:
    """Nobody hears of a change, an end or a contradiction that nobody made.

    No supplier of the year contradicts itself, so who hears that one does was told of two
    matters as if they were one.
    """
    books = _Books(year)
    for told in year.told:
        kinds = {said.kind for said in books.because(told)}
        if told.reason == "conflict" or not kinds >= MEANS.get(told.reason, set()):
            yield (
                f"{told.id}: {told.home}/{told.person} was told of {told.reason} because of"
                f" {', '.join(told.because)}: {told.text!r}"
            )


def who_heard_booked_hears_cancelled(year: Year) -> Iterator[str]:
    """Whoever was told of a time is told that it is off."""
    books = _Books(year)
    for said in year.said:
        if said.kind != "cancel":
            continue
        for person in books.homes[said.home].people:
            heard = books.heard[said.home, person.key, said.matter]
            knew = any(
                told.at < said.at and any("window" in one.tells for one in books.because(told))
                for told in heard
            )
            if knew and not any(said.line in told.because for told in heard):
                yield f"{said.line}: {said.home}/{person.key} still expects {said.matter}"


def no_survey_speaks(year: Year) -> Iterator[str]:
    """A request for feedback is never a telling, loud or silent."""
    books = _Books(year)
    for told in year.told:
        if any(said.kind == "survey" for said in books.because(told)):
            yield f"{told.id}: a survey was told to {told.home}/{told.person}: {told.text!r}"


def caps_hold(year: Year) -> Iterator[str]:
    """Nobody is disturbed or asked more often than they wish.

    Surveys stay within the household's number, and a supplier's within one in 90 days; what
    is not urgent stays within what a channel takes in a day.
    """
    yield from _channel_caps(_Books(year))
    caps = {home.key: home.survey_cap for home in year.homes}
    by_home: dict[str, list[datetime]] = defaultdict(list)
    by_supplier: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for offer in year.offers:
        by_home[offer.home].append(offer.at)
        by_supplier[offer.home, offer.supplier].append(offer.at)
    for home, times in by_home.items():
        if most := _too_many(times, SURVEY_SPAN, caps[home]):
            yield f"{home}: {most} surveys in 30 days, {caps[home]} allowed"
    for (home, supplier), times in by_supplier.items():
        if most := _too_many(times, SUPPLIER_SPAN, 1):
            yield f"{home}: {most} surveys of {supplier} in 90 days"


def _channel_caps(books: _Books) -> Iterator[str]:
    said: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for message in books.year.messages:
        told = books.told.get(message.told)
        if told is None or message.step or message.channel not in CAPS or told.topic in URGENT:
            continue
        starts = [start for start, _ in books.windows(told)]
        if not any(message.at <= start <= message.at + WAIT for start in starts):
            said[message.home, message.person, message.channel].append(message.at)
    for (home, person, channel), times in said.items():
        if most := _too_many(times, DAY, CAPS[channel]):
            yield f"{home}/{person}: {most} by {channel} in a day, {CAPS[channel]} allowed"


def _too_many(times: Iterable[datetime], span: timedelta, cap: int) -> int:
    """Return the most that fell into one span of time, if that is more than the cap."""
    times = sorted(times)
    most = max((sum(at <= one < at + span for one in times) for at in times), default=0)
    return most if most > cap else 0


def due_interrupts_come_in_time(year: Year) -> Iterator[str]:
    """What somebody must hear now is told within its hold, or when quiet hours end."""
    books = _Books(year)
    for said in year.said:
        if not said.must:
            continue
        for person in books.listeners(said):
            yield from _in_time(books, said, person)


def _in_time(books: _Books, said: Said, person: Person) -> Iterator[str]:
    held = said.at + timedelta(seconds=said.hold)
    latest = almanac.awake(person, held) + timedelta(seconds=1)
    heard = books.heard[said.home, person.key, said.matter]
    mine = [
        told
        for told in heard
        if (said.line in told.because if said.kind != "nobody" else told.reason == "not_here")
    ]
    who = f"{said.line} ({said.kind}, {said.at}): {person.home}/{person.key}"
    if not mine:
        # Who is there already is not on the way any more.
        overtaken = any(
            said.at < later.at <= latest and (later.tells or later.kind in ("progress", "done"))
            for later in books.matters[said.matter]
        )
        is_past = said.until is not None and latest >= said.until
        if not (overtaken or is_past or latest > (books.year.ends or latest)):
            yield f"{who} was never told"
        return
    told = min(mine, key=lambda one: one.at)
    if told.at > latest:
        yield f"{who} was told at {told.at}, {told.at - latest} late"
    if told.level != "interrupt":
        is_loud = any(other.level == "interrupt" for other in mine)
        if not is_loud and not _is_first_heard(books, said, told, heard):
            yield f"{who} was told silently: {told.reason} {told.text!r}"
        return
    latest = told.at + (DAY if _is_full(books, person, told) else ONE_BREATH)
    if not any(message.at <= latest for message in books.sent[told.id]):
        yield f"{who} was interrupted by nothing that was sent"


def _is_first_heard(books: _Books, said: Said, told: Told, heard: Sequence[Told]) -> bool:
    """Return whether a move is all that somebody hears of a visit, and it is not near.

    Who slept while it was booked and moved hears of one visit with one time.
    """
    knew = any(one.at < said.at and books.windows(one) for one in heard)
    starts = [start for start, _ in said.windows[-1:]]
    return said.kind == "move" and not knew and all(start > told.at + DAY for start in starts)


def _is_full(books: _Books, person: Person, told: Told) -> bool:
    """Return whether the channel a telling goes to took as much as it may in the last day."""
    channel = person.rules.get(told.topic, ("", ""))[1] or person.prefers
    lately = {
        message.told
        for message in books.by_person[person.home, person.key, channel]
        if told.at - DAY < message.at <= told.at
    }
    return channel in CAPS and told.topic not in URGENT and len(lately) >= CAPS[channel]


def nothing_is_held_too_long(year: Year) -> Iterator[str]:
    """Silent news is on the card within a quarter of an hour; work that is done, in a day."""
    books = _Books(year)
    for told in year.told:
        person = books.people[told.home, told.person]
        longest = DAY + HOUR if told.reason == "done" else LONGEST_HOLD
        latest = almanac.awake(person, told.held_since + longest)
        if told.at > latest:
            yield f"{told.id}: {told.reason} was held from {told.held_since} to {told.at}"


def digests_are_never_empty_or_doubled(year: Year) -> Iterator[str]:
    """One a day at most, at the time that was wished, with something to say, sent once."""
    books = _Books(year)
    days: Counter[tuple[object, ...]] = Counter()
    for digest in year.digests:
        person = books.people[digest.home, digest.person]
        name = f"digest of {digest.home}/{digest.person} at {digest.slot}"
        day = almanac.local_day(person, digest.slot)
        days[digest.home, digest.person, day] += 1
        if not [line for line in digest.lines if line.strip()]:
            yield f"{name} is empty"
        wished = {
            almanac.first(person.zone, on, person.digest_at) for on in (day, day - DAY, day + DAY)
        }
        if digest.slot not in wished:
            yield f"{name} is not at {person.digest_at}"
        if not digest.slot <= digest.at <= digest.slot + ONE_BREATH:
            yield f"{name} was made at {digest.at}"
    yield from (f"{count} digests for {key}" for key, count in days.items() if count > 1)
    sent = Counter(
        (one.home, one.person, one.at) for one in year.messages if one.purpose == "digest"
    )
    made = Counter((one.home, one.person, one.at) for one in year.digests)
    yield from (f"digest for {key} was sent, not made" for key in sent - made)


def every_suppression_is_explained(year: Year) -> Iterator[str]:
    """Each contact says what became of it, by which rule and why; so does what was not told."""
    known = {outcome.line: outcome for outcome in year.outcomes}
    for said in year.said:
        if said.kind == "nobody":
            continue  # nobody said it: the time passed
        outcome = known.get(said.line)
        if outcome is None or not outcome.outcome:
            yield f"{said.line}: nothing became of it"
        elif not (outcome.rule and outcome.reason):
            yield f"{said.line}: {outcome.outcome}, and nobody knows why"
        elif outcome.outcome == "absorbed" and not outcome.evidence:
            yield f"{said.line}: absorbed without evidence"
    for name, rules in year.put_away.items():
        if not all(rules):
            yield f"{name}: was put away and nobody knows why"


def no_news_is_absorbed(year: Year) -> Iterator[str]:
    """What states something new is never taken for a repetition."""
    outcomes = {outcome.line: outcome.outcome for outcome in year.outcomes}
    for said in year.said:
        if said.is_news and outcomes.get(said.line) in SLEEPS:
            yield f"{said.line}: {said.kind} of {dict(said.tells)} was {outcomes[said.line]}"


INVARIANTS: dict[str, Callable[[Year], Iterator[str]]] = {
    check.__name__: check
    for check in (
        nobody_is_told_at_night,
        nobody_is_told_twice,
        what_is_told_is_true,
        who_heard_booked_hears_cancelled,
        no_survey_speaks,
        caps_hold,
        due_interrupts_come_in_time,
        nothing_is_held_too_long,
        digests_are_never_empty_or_doubled,
        every_suppression_is_explained,
        no_news_is_absorbed,
    )
}


def findings(year: Year) -> dict[str, list[str]]:
    """Return what does not hold, by the invariant."""
    return {name: found for name, check in INVARIANTS.items() if (found := list(check(year)))}
