"""A year of simulated life holds every promise, and each judge of it sees a promise broken."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.year import almanac, invariants, life, play
from tests.year.truth import Digest, Message, Offer, Person, Said, Told, Year

# Played once, for all of them.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("year")]

# Weeks in which clocks change on both sides of the equator; `make year` plays a year.
START, DAYS, HOMES, SHARE, SEED = datetime(2026, 3, 27, tzinfo=UTC), 14, 10, 0.3, 2026
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="session")
def year(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Year:
    with django_db_blocker.unblock(), transaction.atomic():
        found = play.play(range(HOMES), seed=SEED, start=START, days=DAYS, share=SHARE)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("name", invariants.INVARIANTS)
def test_every_promise_holds_over_all_of_it(year: Year, name: str) -> None:
    assert list(invariants.INVARIANTS[name](year)) == []


def test_the_year_is_worth_judging(year: Year) -> None:
    assert {message.channel for message in year.messages} >= {"sms", "email", "push", "chat"}
    assert {outcome.outcome for outcome in year.outcomes} >= {"shown", "absorbed", "held", "door"}
    assert {told.level for told in year.told} == {"interrupt", "feed"}
    assert len({home.zone for home in year.homes}) == HOMES
    assert year.digests
    # Somebody's quiet hours held up what would have interrupted them.
    assert any(told.level == "interrupt" and told.at - told.held_since > HOUR for told in year.told)
    assert {told.reason for told in year.told} >= {"moved", "cancelled", "on_the_way", "safety"}


def test_the_same_seed_is_the_same_year_and_another_is_another() -> None:
    def lines(seed: int) -> list[dict[str, object]]:
        return life.year(3, seed=seed, start=START, days=DAYS).lines

    assert lines(1) == lines(1)
    assert lines(1) != lines(2)


def test_the_judge_shares_no_rule_with_the_product() -> None:
    for module in (almanac, invariants):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        for app in ("notifications", "suppliers", "owners", "assets", "config", "django"):
            assert f"from {app}" not in source
            assert f"import {app}" not in source


# What is broken on purpose


def _told(year: Year, wanted: Callable[[Told], bool]) -> Told:
    return next(told for told in year.told if wanted(told))


def _said(year: Year, kind: str) -> Said:
    lines = {line for told in year.told for line in told.because}
    return next(said for said in year.said if said.kind == kind and said.line in lines)


def _without(year: Year, line: str) -> Year:
    return replace(year, told=tuple(told for told in year.told if line not in told.because))


def at_night(year: Year) -> Year:
    """A message goes out a minute after somebody's quiet hours begin, with no visit near."""
    people: dict[tuple[str, str], Person] = {
        (home.key, person.key): person for home in year.homes for person in home.people
    }
    moved = {told.id for told in year.told if told.reason in ("moved", "on_the_way")}
    message = next(
        one
        for one in year.messages
        if one.told in moved and people[one.home, one.person].quiet is not None
    )
    person = people[message.home, message.person]
    assert person.quiet is not None
    night = almanac.first(
        person.zone, almanac.local_day(person, message.at + 60 * DAY), person.quiet[0]
    )
    late = replace(message, at=night + timedelta(minutes=1))
    return replace(year, messages=(late, *(one for one in year.messages if one is not message)))


def at_night_against_the_wish(year: Year) -> Year:
    """Somebody who lets nothing through is told of a visit before their quiet hours end."""
    people = {(home.key, one.key): one for home in year.homes for one in home.people}
    span = None
    for message in year.messages:
        person = people[message.home, message.person]
        told = next((one for one in year.told if one.id == message.told), None)
        if told is not None and told.reason == "moved" and person.quiet is not None:
            span = almanac.first(
                person.zone, almanac.local_day(person, message.at), person.quiet[0]
            )
            break
    assert span is not None
    homes = tuple(
        replace(
            home,
            people=tuple(
                replace(one, has_exceptions=False) if one == person else one for one in home.people
            ),
        )
        for home in year.homes
    )
    late = replace(message, at=span)
    kept = tuple(one for one in year.messages if one is not message)
    return replace(year, homes=homes, messages=(late, *kept))


def told_again(year: Year) -> Year:
    """The same telling comes an hour later once more."""
    told = _told(year, lambda one: one.reason == "moved")
    return replace(year, told=(*year.told, replace(told, id="again", at=told.at + HOUR)))


def sent_again(year: Year) -> Year:
    """One message is handed to the same address twice."""
    message = next(one for one in year.messages if one.told)
    return replace(year, messages=(*year.messages, replace(message, key="again")))


def told_of_nothing(year: Year) -> Year:
    """Somebody hears of another time, and nobody named one."""
    told = _told(year, lambda one: one.reason == "booked")
    rest = tuple(one for one in year.told if one is not told)
    return replace(year, told=(replace(told, reason="moved"), *rest))


def contradicted(year: Year) -> Year:
    """Somebody hears that a supplier contradicts itself."""
    return replace(year, told=(*year.told[1:], replace(year.told[0], reason="conflict")))


def still_expected(year: Year) -> Year:
    """Nobody hears that a visit is off."""
    return _without(year, _said(year, "cancel").line)


def surveyed(year: Year) -> Year:
    """A request for feedback is told."""
    survey = next(said.line for said in year.said if said.kind == "survey")
    return replace(year, told=(*year.told[1:], replace(year.told[0], because=(survey,))))


def over_the_cap(year: Year) -> Year:
    """A household is asked for one opinion more than it takes, by different firms."""
    home = year.homes[0]
    more = tuple(
        Offer(home=home.key, supplier=str(number), journey=str(number), at=START + number * DAY)
        for number in range(home.survey_cap + 1)
    )
    return replace(year, offers=more)


def asked_by_one_again(year: Year) -> Year:
    """One firm asks twice within three months."""
    home = year.homes[3]
    assert home.survey_cap > 1
    again = tuple(
        Offer(home=home.key, supplier="1", journey=str(days), at=START + days * DAY)
        for days in (0, 60)
    )
    return replace(year, offers=again)


def too_many_texts(year: Year) -> Year:
    """Four texts of what could wait in one afternoon."""
    told = _told(year, lambda one: one.reason == "money")
    texts = tuple(
        Message(
            key=str(number),
            home=told.home,
            person=told.person,
            purpose="notification",
            channel="sms",
            address="+12125550100",
            step=0,
            text=told.text,
            at=told.at + number * HOUR,
            told=told.id,
        )
        for number in range(4)
    )
    return replace(year, messages=texts)


def never_told(year: Year) -> Year:
    """Somebody who is awake does not hear that a visitor is on the way."""
    people = {(home.key, one.key): one for home in year.homes for one in home.people}
    told = _told(
        year,
        lambda one: (
            one.reason == "on_the_way"
            and almanac.quiet(people[one.home, one.person], one.at) is None
        ),
    )
    arriving = {said.line for said in year.said if said.kind == "arriving"}
    return _without(year, next(line for line in told.because if line in arriving))


def told_late(year: Year) -> Year:
    """They hear of it two hours later."""
    line = _said(year, "arriving").line
    return replace(
        year,
        told=tuple(
            replace(told, at=told.at + 2 * HOUR) if line in told.because else told
            for told in year.told
        ),
    )


def _only_on_the_card(year: Year, line: str) -> Year:
    return replace(
        year,
        told=tuple(
            replace(told, level="feed") if line in told.because else told for told in year.told
        ),
    )


def told_silently(year: Year) -> Year:
    """It only changes the card."""
    line = _said(year, "arriving").line
    return _only_on_the_card(year, line)


def moved_silently(year: Year) -> Year:
    """Somebody who knew of a visit hears of its new time only from the card."""
    line = _told(year, lambda told: (told.reason, told.level) == ("moved", "interrupt")).because[-1]
    return _only_on_the_card(year, line)


def sent_by_nobody(year: Year) -> Year:
    """It was decided, and nothing was sent."""
    line = _said(year, "arriving").line
    told = {one.id for one in year.told if line in one.because}
    return replace(year, messages=tuple(one for one in year.messages if one.told not in told))


def held_too_long(year: Year) -> Year:
    """What a card should say by now it does not say for a day."""
    told = _told(year, lambda one: one.level == "feed" and one.reason == "booked")
    late = replace(told, at=told.at + DAY)
    return replace(year, told=(late, *(one for one in year.told if one is not told)))


def _other_digest(year: Year, change: Callable[[Digest], Digest]) -> Year:
    return replace(year, digests=(change(year.digests[0]), *year.digests[1:]))


def empty_digest(year: Year) -> Year:
    """A digest with nothing in it."""
    return _other_digest(year, lambda digest: replace(digest, lines=(" ",)))


def doubled_digest(year: Year) -> Year:
    """Two on one day."""
    return replace(year, digests=(*year.digests, year.digests[0]))


def digest_at_another_hour(year: Year) -> Year:
    """One that comes an hour off, as after a change of clocks nobody minded."""
    return _other_digest(
        year, lambda digest: replace(digest, slot=digest.slot + HOUR, at=digest.at + HOUR)
    )


def digest_sent_twice(year: Year) -> Year:
    """One that was made once and sent twice."""
    sent = next(one for one in year.messages if one.purpose == "digest")
    return replace(year, messages=(*year.messages, replace(sent, key="more")))


def _other_outcome(year: Year, outcome: str, **change: object) -> Year:
    found = next(one for one in year.outcomes if one.outcome == outcome)
    rest = tuple(one for one in year.outcomes if one is not found)
    return replace(year, outcomes=(replace(found, **change), *rest))  # type: ignore[arg-type]


def unexplained(year: Year) -> Year:
    """Something was held, and no rule says why."""
    return _other_outcome(year, "held", rule="")


def unproved(year: Year) -> Year:
    """Something was absorbed without saying what it repeats."""
    return _other_outcome(year, "absorbed", evidence=False)


def lost(year: Year) -> Year:
    """Something came in and nothing became of it."""
    return replace(year, outcomes=year.outcomes[1:])


def put_away_quietly(year: Year) -> Year:
    """Something planned was never told, and no rule says why."""
    return replace(year, put_away={"one": ("",)})


def swallowed(year: Year) -> Year:
    """Another time for a visit is taken for the old one."""
    moves = {said.line for said in year.said if said.kind == "move"}
    return replace(
        year,
        outcomes=tuple(
            replace(one, outcome="absorbed") if one.line in moves else one for one in year.outcomes
        ),
    )


BROKEN: tuple[tuple[Callable[[Year], Iterator[str]], Callable[[Year], Year]], ...] = (
    (invariants.nobody_is_told_at_night, at_night),
    (invariants.nobody_is_told_at_night, at_night_against_the_wish),
    (invariants.nobody_is_told_twice, told_again),
    (invariants.nobody_is_told_twice, sent_again),
    (invariants.what_is_told_is_true, told_of_nothing),
    (invariants.what_is_told_is_true, contradicted),
    (invariants.who_heard_booked_hears_cancelled, still_expected),
    (invariants.no_survey_speaks, surveyed),
    (invariants.caps_hold, over_the_cap),
    (invariants.caps_hold, too_many_texts),
    (invariants.caps_hold, asked_by_one_again),
    (invariants.due_interrupts_come_in_time, never_told),
    (invariants.due_interrupts_come_in_time, told_late),
    (invariants.due_interrupts_come_in_time, told_silently),
    (invariants.due_interrupts_come_in_time, moved_silently),
    (invariants.due_interrupts_come_in_time, sent_by_nobody),
    (invariants.nothing_is_held_too_long, held_too_long),
    (invariants.digests_are_never_empty_or_doubled, empty_digest),
    (invariants.digests_are_never_empty_or_doubled, doubled_digest),
    (invariants.digests_are_never_empty_or_doubled, digest_at_another_hour),
    (invariants.digests_are_never_empty_or_doubled, digest_sent_twice),
    (invariants.every_suppression_is_explained, unexplained),
    (invariants.every_suppression_is_explained, unproved),
    (invariants.every_suppression_is_explained, lost),
    (invariants.every_suppression_is_explained, put_away_quietly),
    (invariants.no_news_is_absorbed, swallowed),
)


@pytest.mark.parametrize(
    ("judge", "broken"), BROKEN, ids=[broken.__name__ for _judge, broken in BROKEN]
)
def test_a_promise_broken_on_purpose_is_found(
    year: Year,
    judge: Callable[[Year], Iterator[str]],
    broken: Callable[[Year], Year],
) -> None:
    assert list(judge(broken(year)))


def test_every_judge_has_seen_a_promise_broken() -> None:
    assert {judge for judge, _broken in BROKEN} == set(invariants.INVARIANTS.values())
