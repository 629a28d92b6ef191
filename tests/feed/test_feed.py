"""The feed's use-cases with the database: what arrives, what the owner does, what is undone."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from notifications import consolidation, feed, feed_page, journeys, today, verdict
from notifications.choices import NotificationState, Section
from notifications.models import (
    Appointment,
    Card,
    Decision,
    Fact,
    Journey,
    JourneyKey,
    Link,
    Notification,
    Survey,
)
from suppliers import inbox
from suppliers.choices import ContactKind, Medium, Outcome, Way
from suppliers.models import Contact, OutboundEvent
from tests.factories import Cast, NotificationFactory
from tests.statements import counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def say(cast: Cast, now: datetime):
    """Let Skyline send one event and the rules decide; returns the contact."""
    count = iter(range(1000))

    def send(type_: str, when: datetime | None = None, *, decide: bool = True, **data) -> Contact:
        moment = when or now
        name = f"e{next(count)}"
        event = {
            "specversion": "1.0",
            "id": name,
            "source": "/skyline",
            "type": type_,
            "time": moment.isoformat(),
            "data": {"owner": cast.mandate.owner_ref, **data},
        }
        inbox.record(
            received=[
                inbox.Received(
                    supplier_id=cast.skyline.pk,
                    household_id=None,
                    way=Way.WEBHOOK,
                    source="/skyline",
                    event_id=name,
                    type=type_,
                    payload=json.dumps(event).encode(),
                )
            ],
            now=moment,
        )
        inbox.process_due(now=moment)
        contact = Contact.objects.latest("pk")
        if decide:
            feed.consolidate_due(now=moment)
            contact.refresh_from_db()
        return contact

    return send


def visit(start: datetime, hours: int = 4, **more: object) -> dict[str, object]:
    return {
        "uid": "job-1",
        "sequence": 0,
        "dtstamp": (start - timedelta(days=5)).isoformat(),
        "start": start.isoformat(),
        "end": (start + timedelta(hours=hours)).isoformat(),
        "zone": "America/New_York",
        "kind": "visit",
        **more,
    }


def test_a_flood_about_one_matter_is_cut_into_matters_that_can_be_read(
    say, now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consolidation, "FULL", 5)
    for minute in range(12):
        said_at = now + timedelta(minutes=minute)
        refs = [{"scheme": "order", "value": "4471"}]
        say("message.created", said_at, decide=minute % 3 == 0, body=f"Line {minute}", refs=refs)
    feed.consolidate_due(now=now + timedelta(hours=1))
    assert not Contact.objects.filter(decided_at=None).exists()
    sizes = Journey.objects.order_by("opened_at").values_list("size", flat=True)
    assert list(sizes) == [5, 5, 2]
    assert [len(card.body["thread"]) for card in Card.objects.order_by("pk")] == [5, 5, 2]


def test_what_waits_for_somebody_who_is_told_no_more_is_put_away(cast: Cast, say, now) -> None:
    say("appointment.requested", **visit(now + timedelta(days=3)))
    journey = Journey.objects.get()
    Notification.objects.all().delete()
    waiting = NotificationFactory.create(
        journey=journey, owner=cast.mallory, state=NotificationState.PLANNED, not_before=now
    )
    assert feed.tell_due(now=now) == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.rule) == (NotificationState.SUPERSEDED, "told_to_another")
    assert feed.tell_due(now=now) == 0


def test_one_journey_has_one_card_whose_version_rises_with_each_change(say, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    card = Card.objects.get()
    assert (card.section, card.version) == (Section.ON_ITS_WAY, 1)
    say("appointment.completed", day + timedelta(hours=2), uid="job-1", at=day.isoformat())
    again = Card.objects.get()
    assert again.section == Section.NEEDS_YOU
    assert again.version == 2
    assert again.household.needs_you_count == 1


def test_deciding_twice_changes_nothing(say, now) -> None:
    say("appointment.requested", **visit(now + timedelta(days=3)))
    before = Card.objects.values().get()
    Contact.objects.update(decided_at=None)
    Link.objects.all().delete()
    feed.consolidate_due(now=now)
    assert Card.objects.values().get() == before
    assert Journey.objects.count() == 1


def test_what_comes_soonest_stands_first_whatever_was_said_last(say, cast, now) -> None:
    for days in (2, 1, 3):
        say("appointment.requested", **visit(now + timedelta(days=days), uid=f"job-{days}"))
    coming = today.read(owner=cast.ana, now=now)[Section.ON_ITS_WAY]
    starts = [datetime.fromisoformat(card.body["promise"]["start"]) for card in coming.cards]
    assert starts == [now + timedelta(days=days) for days in (1, 2, 3)]


@pytest.mark.parametrize("needs_owner", [True, False])
def test_what_is_put_aside_comes_back_at_its_time(
    needs_owner, say, cast, now, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    if needs_owner:
        say("appointment.completed", now, uid="job-1", at=now.isoformat())
    hinted: list[object] = []
    monkeypatch.setattr("owners.doorbell.hint", hinted.append)
    card, journey = Card.objects.get(), Journey.objects.get()
    section, version, changed_at = card.section, card.version, card.changed_at
    until, later = now + timedelta(hours=4), now + timedelta(hours=1)

    def shown(at: datetime) -> list[str]:
        parts = today.read(owner=cast.ana, now=at)
        return [str(found.uuid) for part in parts.values() for found in part.cards]

    with django_capture_on_commit_callbacks(execute=True):
        feed.act(
            owner=cast.ana,
            journey=journey,
            name="snooze",
            data={"until": until.isoformat()},
            now=later,
        )
    card.refresh_from_db()
    assert (card.snoozed_until, card.version) == (until, version + 1)
    assert shown(later) == []
    assert hinted == [{card.household_id: [str(card.uuid)]}]

    assert feed.sweep(now=until - timedelta(minutes=1)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert feed.sweep(now=until) == 1
    card.refresh_from_db()
    assert (card.snoozed_until, card.section, card.version) == (None, section, version + 2)
    assert card.changed_at == until > changed_at
    assert shown(until) == [str(card.uuid)]
    assert hinted[1:] == [{card.household_id: [str(card.uuid)]}]
    assert feed.sweep(now=until + timedelta(minutes=1)) == 0


def test_putting_aside_again_keeps_the_later_time_and_undo_brings_it_back(say, cast, now) -> None:
    say("appointment.requested", **visit(now + timedelta(days=3)))
    journey = Journey.objects.get()
    for hours in (1, 2):
        until, at = now + timedelta(hours=4 * hours), now + timedelta(hours=hours)
        data = {"until": until.isoformat()}
        feed.act(owner=cast.ana, journey=journey, name="snooze", data=data, now=at)
        assert Card.objects.get().snoozed_until == until
    later = now + timedelta(hours=3)
    feed.act(owner=cast.ana, journey=journey, name="undo", data={}, now=later)
    assert Card.objects.get().snoozed_until == now + timedelta(hours=4)
    feed.act(owner=cast.ana, journey=journey, name="undo", data={}, now=later)
    assert Card.objects.get().snoozed_until is None


def test_yes_it_works_closes_and_tells_the_supplier(say, cast, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    say("appointment.completed", day + timedelta(hours=2), uid="job-1", at=day.isoformat())
    journey = Journey.objects.get()
    feed.act(owner=cast.ana, journey=journey, name="works", data={}, now=day + timedelta(hours=3))
    journey.refresh_from_db()
    assert journey.state == "closed"
    assert Card.objects.get().section == Section.DONE
    assert (
        journey.household.needs_you_count == 0
        or Card.objects.filter(section=Section.NEEDS_YOU).count() == 0
    )
    assert OutboundEvent.objects.get().type == "owner.journey.closed"


def test_not_yet_reopens_and_undo_takes_it_back(say, cast, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    say("appointment.completed", day + timedelta(hours=2), uid="job-1", at=day.isoformat())
    journey = Journey.objects.get()
    later = day + timedelta(hours=3)
    feed.act(owner=cast.ana, journey=journey, name="not_yet", data={}, now=later)
    assert journeys.describe(journey, now=later)["tried"]
    feed.act(owner=cast.ana, journey=journey, name="undo", data={}, now=later)
    described = journeys.describe(Journey.objects.get(), now=later)
    assert described["tried"] == []
    assert described["done_at"] is not None
    assert Decision.objects.get().revoked_at is not None


def test_a_split_contact_gets_its_own_journey_and_undo_brings_it_home(say, cast, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    other = say("message.created", now + timedelta(minutes=5), body="About something else.")
    first = Link.objects.get(contact=other, revoked_at=None).journey
    feed.act_on_contact(owner=cast.ana, contact=other, name="split", data={}, now=now)
    second = Link.objects.get(contact=other, revoked_at=None).journey
    assert second != first
    assert Card.objects.count() == 2
    decision = Decision.objects.get(name="split")
    feed.act(
        owner=cast.ana, journey=second, name="undo", data={"decision": str(decision.uuid)}, now=now
    )
    assert Link.objects.get(contact=other, revoked_at=None).journey == first
    assert Card.objects.count() == 1


def test_merging_joins_two_journeys_and_undo_parts_them(say, cast, now) -> None:
    say("ticket.opened", ticketId="T-1", status="open")
    say("ticket.opened", now + timedelta(minutes=1), ticketId="T-2", status="open")
    first, second = Journey.objects.order_by("opened_at")
    feed.act(owner=cast.ana, journey=first, name="merge", data={"with": str(second.uuid)}, now=now)
    assert Card.objects.get().journey == first
    second.refresh_from_db()
    assert second.is_emptied
    feed.act(owner=cast.ana, journey=first, name="undo", data={}, now=now)
    assert Card.objects.count() == 2


def test_the_owners_correction_wins_over_a_repetition(say, cast, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    journey = Journey.objects.get()
    right = day + timedelta(hours=5)
    feed.act(
        owner=cast.ana,
        journey=journey,
        name="correct",
        data={
            "fact": "window",
            "value": {"start": right.isoformat(), "end": (right + timedelta(hours=2)).isoformat()},
        },
        now=now,
    )
    again = visit(day, sequence=0)
    say("appointment.updated", now + timedelta(minutes=9), **again)
    assert Appointment.objects.get().start == right


def test_you_should_have_told_me_is_kept_and_counts(say, cast, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    again = say("appointment.updated", now + timedelta(minutes=5), **visit(day))
    assert again.outcome == Outcome.ABSORBED
    contact = feed.act_on_contact(
        owner=cast.ana, contact=again, name="undo_absorb", data={}, now=now
    )
    assert (contact.outcome, contact.rule) == (Outcome.SHOWN, "owner_decided")


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("dance", {}, ""),
        ("rate", {"score": 6}, "score"),
        ("rate", {"score": True}, "score"),
        ("snooze", {"until": "tomorrow"}, "until"),
        ("snooze", {"until": "2020-01-01T00:00:00+00:00"}, "until"),
        ("snooze", {"until": "2030-01-01T00:00:00"}, "until"),
        ("reply", {"text": " "}, "text"),
        ("counter", {"windows": []}, "windows"),
        (
            "counter",
            {"windows": [{"start": "2026-12-02T10:00:00Z", "end": "2026-12-02T09:00:00Z"}]},
            "windows",
        ),
        ("merge", {"with": "nonsense"}, "with"),
        ("choose_asset", {"asset": "nonsense"}, "asset"),
        ("correct", {"value": "x"}, "fact"),
        ("undo", {"decision": "nonsense"}, "decision"),
    ],
)
def test_an_action_that_does_not_fit_says_which_field(say, cast, now, name, data, field) -> None:
    say("appointment.requested", **visit(now + timedelta(days=3)))
    with pytest.raises(feed.ActionError) as caught:
        feed.act(owner=cast.ana, journey=Journey.objects.get(), name=name, data=data, now=now)
    assert caught.value.field == field
    assert Decision.objects.count() == 0


def snapshot() -> dict[str, Sequence[object]]:
    """Every projection, without what only counts writes."""
    return {
        "journeys": list(Journey.objects.order_by("uuid").values()),
        "facts": list(
            Fact.objects.order_by("uuid").values("uuid", "name", "value", "state", "sources")
        ),
        "appointments": list(
            Appointment.objects.order_by("uuid").values("uuid", "state", "start", "sources")
        ),
        "keys": list(JourneyKey.objects.order_by("value").values("scheme", "issuer", "value")),
        "cards": list(Card.objects.order_by("uuid").values("uuid", "section", "title", "version")),
        "outcomes": list(
            Contact.objects.order_by("uuid").values("uuid", "outcome", "rule", "evidence")
        ),
    }


def test_rebuilding_gives_equal_rows_under_the_same_names(say, cast, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    say(
        "quote.offered",
        quoteId="Q1",
        lines=[],
        total={"amount": "49.00", "currency": "USD"},
        validUntil=day.isoformat(),
    )
    say("appointment.completed", day + timedelta(hours=2), uid="job-1", at=day.isoformat())
    first = Journey.objects.earliest("pk")
    feed.act(owner=cast.ana, journey=first, name="not_yet", data={}, now=day)
    before = snapshot()
    assert feed.rebuild(household=cast.household, now=day) == Journey.objects.count()
    assert snapshot() == before


def test_a_notification_that_comes_undone_in_its_hold_is_never_told(say, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    feed.tell_due(now=now + timedelta(minutes=2))
    moved = now + timedelta(hours=1)
    later = visit(day + timedelta(hours=6), sequence=1)
    say("appointment.updated", moved, **later)
    assert Notification.objects.filter(state=NotificationState.PLANNED).count() == 1
    say("appointment.updated", moved + timedelta(seconds=60), **visit(day, sequence=2))
    assert not Notification.objects.filter(state=NotificationState.PLANNED).exists()
    assert Notification.objects.filter(state=NotificationState.TOLD).count() == 1


def test_looking_tells_silent_updates_at_once(say, cast, now) -> None:
    say("appointment.requested", **visit(now + timedelta(days=3)))
    assert Notification.objects.get().state == NotificationState.PLANNED
    feed.looked(owner=cast.ana, now=now + timedelta(seconds=5))
    told = Notification.objects.get()
    assert told.state == NotificationState.TOLD
    assert told.seen_at is not None


def test_the_number_of_new_cards_is_exact(say, cast, now) -> None:
    def new() -> int:
        return feed_page.counts(owner=cast.ana).new

    say("ticket.opened", ticketId="T-1", status="open")
    say("ticket.opened", now + timedelta(minutes=1), ticketId="T-2", status="open")
    say("ticket.updated", now + timedelta(minutes=2), ticketId="T-2", status="waiting")
    assert new() == 2
    feed.looked(owner=cast.ana, now=now + timedelta(minutes=3))
    assert new() == 0
    say("ticket.updated", now + timedelta(minutes=4), ticketId="T-1", status="waiting")
    first, second = Journey.objects.order_by("opened_at")
    assert new() == 1
    feed.act(
        owner=cast.ana,
        journey=first,
        name="merge",
        data={"with": str(second.uuid)},
        now=now + timedelta(minutes=5),
    )
    assert new() == 1
    assert feed_page.counts(owner=cast.mallory).new == 0


def test_the_verdict_stores_nothing(say, cast, now) -> None:
    day = now + timedelta(days=3)
    say("appointment.requested", **visit(day))
    feed.tell_due(now=now + timedelta(minutes=2))
    counts = (Contact.objects.count(), Card.objects.get().version)

    def judged(**data):
        event = {
            "specversion": "1.0",
            "id": "v",
            "source": "/skyline",
            "type": "appointment.updated",
            "time": (now + timedelta(minutes=5)).isoformat(),
            "data": {"owner": cast.mandate.owner_ref, **data},
        }
        return verdict.judge(supplier=cast.skyline, event=event, now=now + timedelta(minutes=5))

    same = judged(**visit(day))
    assert same.outcome == Outcome.ABSORBED
    moved = judged(**visit(day + timedelta(hours=6), sequence=1))
    assert (moved.outcome, moved.level, moved.channel) == (Outcome.SHOWN, "interrupt", "sms")
    broken = judged(uid="job-1")
    assert broken.outcome == Outcome.REFUSED
    assert (Contact.objects.count(), Card.objects.get().version) == counts


@pytest.mark.parametrize("size", [1, 40])
def test_a_batch_costs_a_bounded_number_of_queries(say, now, size) -> None:
    day = now + timedelta(days=3)
    for index in range(size):
        say("appointment.requested", decide=False, **visit(day, uid=f"job-{index}"))
    with counted() as queries:
        feed.consolidate_due(now=now)
    assert len(queries) <= 34, [query[:90] for query in queries]


def test_telling_many_at_once_costs_no_query_for_each(say, cast, now) -> None:
    day = now + timedelta(days=3)
    for index in range(20):
        when = day + timedelta(hours=5 * index)
        say("appointment.requested", decide=False, **visit(when, uid=f"job-{index}"))
    feed.consolidate_due(now=now)
    waiting = Notification.objects.filter(state=NotificationState.PLANNED).count()
    with counted() as queries:
        feed.tell_due(now=now + timedelta(minutes=15))
    assert waiting == 20
    assert Notification.objects.filter(state=NotificationState.TOLD).count() == waiting
    assert len(queries) <= 34, [query[:90] for query in queries]


def test_letting_a_sender_in_makes_a_mandate_and_undo_puts_it_out(cast, now) -> None:
    from suppliers.contacts import Contact as Said  # noqa: PLC0415

    said = Said(
        kind=ContactKind.MESSAGE,
        medium=Medium.EMAIL,
        said_at=now,
        sender="Nord <hi@nord.example>",
        body="We are your new chimney sweep.",
    )
    import uuid  # noqa: PLC0415

    waiting = Contact.objects.create(
        uuid=uuid.uuid4(),
        household=cast.household,
        kind="message",
        medium="email",
        said_at=now,
        received_at=now,
        said=said.to_json(),
        suspicion="unknown_sender",
    )
    feed.consolidate_due(now=now)
    waiting.refresh_from_db()
    assert waiting.outcome == Outcome.DOOR
    let_in = feed.act_on_contact(owner=cast.ana, contact=waiting, name="let_in", data={}, now=now)
    assert let_in.outcome == Outcome.SHOWN
    assert let_in.mandate is not None
    assert sorted(let_in.mandate.purposes) == ["billing", "service"]
    journey = Link.objects.get(contact=waiting, revoked_at=None).journey
    decision = Decision.objects.get(name="let_in")
    feed.act(
        owner=cast.ana, journey=journey, name="undo", data={"decision": str(decision.uuid)}, now=now
    )
    waiting.refresh_from_db()
    assert waiting.outcome == Outcome.DOOR
    assert waiting.mandate is None


def test_an_offered_survey_expires_without_anything_being_said(say, now) -> None:
    done = now + timedelta(hours=4)
    say("appointment.requested", **visit(now))
    say("appointment.completed", done, uid="job-1", at=done.isoformat())
    offered = done + timedelta(hours=3)
    url = "https://survey.skyline.example/1"
    say("survey.requested", offered, surveyId="sv-1", about="job-1", url=url)
    assert Survey.objects.get().state == "offered"
    feed.sweep(now=offered + timedelta(days=14) - timedelta(minutes=1))
    assert Survey.objects.get().state == "offered"
    feed.sweep(now=offered + timedelta(days=14))
    assert Survey.objects.get().state == "expired"


def test_an_answer_that_cannot_be_sent_is_shown_with_its_words(cast: Cast, now, say) -> None:
    contact = say("message.created", body="Which colour?", asks=[{"fact": "colour"}])
    journey = Link.objects.get(contact=contact).journey
    feed.act(owner=cast.ana, journey=journey, name="reply", data={"text": "Green."}, now=now)
    (lost,) = journeys.describe(journey, now=now)["undelivered"]
    assert lost["supplier"]["name"] == "Skyline TV"
    assert "Green." in lost["text"]
    assert "Here is the text to send yourself." in lost["why"]


def test_the_report_of_an_endpoint_that_is_switched_off_says_so(cast: Cast, now, say) -> None:
    cast.skyline.webhook_url = "https://skyline.example/hook"
    cast.skyline.webhook_disabled_at = now
    cast.skyline.save()
    contact = say("message.created", body="Which colour?", asks=[{"fact": "colour"}])
    journey = Link.objects.get(contact=contact).journey
    feed.act(owner=cast.ana, journey=journey, name="reply", data={"text": "Green."}, now=now)
    (lost,) = journeys.describe(journey, now=now)["undelivered"]
    assert "stopped answering" in lost["why"]


def test_what_was_logged_by_hand_can_be_taken_back_and_put_back(cast: Cast, now: datetime) -> None:
    said = {
        "note": "They come on Friday between 8 and 10.",
        "supplier": str(cast.skyline.uuid),
        "asset": str(cast.dvr.uuid),
        "started_at": now.isoformat(),
    }
    inbox.log(owner=cast.ana, household=cast.household, data=said, now=now, key="k1")
    inbox.process_due(now=now)
    feed.consolidate_due(now=now)
    contact = Contact.objects.get(inbound__event_id="k1")
    journey = Journey.objects.get(links__contact=contact)
    assert Appointment.objects.get().journey == journey

    feed.act_on_contact(owner=cast.ana, contact=contact, name="take_back", data={}, now=now)
    journey.refresh_from_db()
    assert journey.is_emptied
    assert not Appointment.objects.exists()
    feed.consolidate_due(now=now + timedelta(hours=1))
    feed.rebuild(household=cast.household, now=now + timedelta(hours=1))
    assert not Link.objects.filter(contact=contact, revoked_at=None).exists()
    assert not Appointment.objects.exists()

    feed.act(owner=cast.ana, journey=journey, name="undo", data={}, now=now)
    journey.refresh_from_db()
    assert not journey.is_emptied
    assert Appointment.objects.get().journey == journey


def test_only_what_was_logged_by_hand_can_be_taken_back(cast: Cast, say, now: datetime) -> None:
    contact = say("message.created", body="Hello.")
    with pytest.raises(feed.ActionError) as refused:
        feed.act_on_contact(owner=cast.ana, contact=contact, name="take_back", data={}, now=now)
    assert refused.value.code == "not_logged"


@pytest.mark.parametrize("fact", ["proposal", "resend", "calendar_zone"])
def test_an_ask_named_like_a_calendars_own_is_put_in_its_words(say, fact: str) -> None:
    say("message.created", body="A question.", asks=[{"fact": fact, "prompt": "Which colour?"}])
    assert "Which colour?" in Card.objects.get().title


def test_who_never_says_that_they_came_is_asked_about_and_settled_by_the_owner(
    cast: Cast, say, now
) -> None:
    say("appointment.requested", **visit(now + timedelta(days=1)))
    late = now + timedelta(days=1, hours=5)
    feed.sweep(now=late)
    card = Card.objects.get()
    assert card.title == "Skyline TV is not here yet"
    assert [action["name"] for action in card.body["actions"][:3]] == ["reply", "counter", "works"]
    later = late + timedelta(hours=12)
    feed.sweep(now=later)
    card.refresh_from_db()
    assert card.title == "Was Skyline TV here?"
    assert card.body["actions"][0]["name"] == "works"
    assert card.body["actions"][0]["is_primary"]
    journey = Journey.objects.get()
    feed.act(owner=cast.ana, journey=journey, name="works", data={}, now=later)
    journey.refresh_from_db()
    assert (journey.state, Appointment.objects.get().state) == ("closed", "done")
    assert OutboundEvent.objects.filter(type="owner.journey.closed").exists()
    decision = Decision.objects.get(name="answer")
    feed.act(
        owner=cast.ana, journey=journey, name="undo", data={"decision": decision.uuid}, now=later
    )
    assert Appointment.objects.get().state == "booked"


def test_an_open_matter_can_be_settled_by_its_owner_alone(cast: Cast, say, now) -> None:
    contact = say("message.created", body="We look into it.")
    journey = Link.objects.get(contact=contact).journey
    assert "works" in {action["name"] for action in Card.objects.get().body["actions"]}
    feed.act(owner=cast.ana, journey=journey, name="works", data={}, now=now + timedelta(hours=1))
    journey.refresh_from_db()
    assert journey.state == "closed"


def test_a_claim_is_not_asked_to_work(say, now) -> None:
    start = now + timedelta(hours=1)
    refs = [{"scheme": "claim", "value": "CL-1"}]
    say("claim.updated", claimId="CL-1", status="received", nextStep="An assessor comes.")
    say("appointment.requested", **visit(start), refs=refs)
    done = start + timedelta(hours=1)
    say("appointment.completed", done, uid="job-1", at=done.isoformat())
    paid = done + timedelta(hours=1)
    amount = {"amount": "310.00", "currency": "USD"}
    say("claim.updated", paid, claimId="CL-1", status="approved", amount=amount)
    card, journey = Card.objects.get(), Journey.objects.get()
    assert card.title == "Is your claim settled?"
    assert card.body["actions"][0]["label"] == "Yes, it is settled"
    feed.tell_due(now=paid + timedelta(hours=1))
    told = Notification.objects.filter(journey=journey).values_list("text", flat=True)
    assert any("Amount of the claim, 310.00" in text for text in told)
    lines = journeys.describe(journey, now=paid)["contacts"]
    stated = {fact["name"]: fact["value"] for fact in lines[-1]["facts"]}
    assert stated == {"status": "approved", "claim_amount": "310.00 USD"}
