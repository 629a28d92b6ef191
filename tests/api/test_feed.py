"""The feed, journeys, contacts and the Door for apps."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from rest_framework.test import APIClient

from notifications import feed
from notifications.choices import Section
from notifications.models import Card
from owners.choices import Rank
from owners.models import Household, Membership
from suppliers.choices import Outcome
from suppliers.models import InboundEvent
from tests import factories
from tests.api.conftest import app_of


def card(cast: factories.Cast, minutes: int = 0, **fields: Any) -> Card:
    journey = factories.JourneyFactory.create(household=cast.household, asset=cast.dvr)
    at = factories.START + timedelta(minutes=minutes)
    made = factories.CardFactory.create(journey=journey, changed_at=at, **fields)
    made.body |= {"id": str(made.uuid)}
    made.save()
    # Kept by whoever writes cards; here that is this test.
    Membership.objects.filter(household=cast.household).update(new_count=F("new_count") + 1)
    return made


def test_the_feed_shows_cards_as_they_were_made_the_newest_change_first(
    ana: APIClient, cast: factories.Cast
) -> None:
    older, newer = card(cast, 0), card(cast, 1)
    answer = ana.get("/api/v1/feed/")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "needs_you": 0,
        "new": 2,
        "next": None,
        "results": [newer.body, older.body],
    }


def test_a_section_is_asked_for_by_name(ana: APIClient, cast: factories.Cast) -> None:
    card(cast, 0)
    waiting = card(cast, 1, section=Section.NEEDS_YOU)
    rows = ana.get("/api/v1/feed/?section=needs_you").json()["results"]
    assert [row["id"] for row in rows] == [str(waiting.uuid)]
    assert ana.get("/api/v1/feed/?section=elsewhere").status_code == 400


def test_pages_of_the_feed_merge_all_households_without_gaps(cast: factories.Cast) -> None:
    boat = factories.HouseholdFactory.create(name="Boat")
    factories.MembershipFactory.create(household=boat, owner=cast.ana)
    mine = [card(cast, number // 2) for number in range(9)]
    for number in range(9):
        journey = factories.JourneyFactory.create(household=boat)
        at = factories.START + timedelta(minutes=number // 2)
        made = factories.CardFactory.create(journey=journey, changed_at=at)
        mine.append(made)
    mine.sort(key=lambda row: (row.changed_at, row.pk), reverse=True)
    app, seen = app_of(cast.ana), []
    address = "/api/v1/feed/?limit=4"
    while address:
        answer = app.get(address).json()
        seen += [row["journey"] for row in answer["results"]]
        address = answer["next"]
    assert seen == [str(row.journey.uuid) for row in mine]
    only = app.get(f"/api/v1/feed/?household={boat.uuid}").json()["results"]
    assert len(only) == 9


def test_an_unchanged_page_is_not_sent_again(ana: APIClient, cast: factories.Cast) -> None:
    made = card(cast)
    etag = ana.get("/api/v1/feed/").headers["ETag"]
    again = ana.get("/api/v1/feed/", HTTP_IF_NONE_MATCH=etag)
    assert (again.status_code, again.content) == (304, b"")
    made.body["title"] = "Changed"
    made.save()
    assert ana.get("/api/v1/feed/", HTTP_IF_NONE_MATCH=etag).status_code == 200


def test_the_counts_are_exact(ana: APIClient, cast: factories.Cast) -> None:
    for number in range(3):
        card(cast, number)
    ana.post("/api/v1/feed/looked/")
    for number in range(3, 5):
        card(cast, number)
    Household.objects.filter(pk=cast.household.pk).update(needs_you_count=2)
    assert ana.get("/api/v1/feed/counts/").json() == {"needs_you": 2, "new": 2}


def test_reading_the_feed_is_no_look_but_saying_so_is(ana: APIClient, cast: factories.Cast) -> None:
    card(cast)
    ana.get("/api/v1/feed/")
    cast.membership.refresh_from_db()
    assert cast.membership.looked_at is None
    assert ana.post("/api/v1/feed/looked/").json()["new"] == 0
    cast.membership.refresh_from_db()
    assert cast.membership.looked_at is not None


@pytest.fixture
def acted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What reaches the rules; here they do nothing."""
    calls: list[dict[str, Any]] = []

    def act(**given: Any) -> Any:
        calls.append(given)
        return given["journey"]

    monkeypatch.setattr(feed, "act", act)
    return calls


@pytest.mark.parametrize(
    ("name", "body", "reached"),
    [
        ("works", {}, ("works", {})),
        ("answer", {"answer": "not_yet"}, ("answer", {"answer": "not_yet"})),
        ("accept", {}, ("accept", {})),
        ("reply", {"text": "At nine?"}, ("reply", {"text": "At nine?"})),
        (
            "counter",
            {"windows": [{"start": "2026-11-13T08:00:00-05:00", "end": "2026-11-13T17:00:00Z"}]},
            (
                "counter",
                {
                    "windows": [
                        {"start": "2026-11-13T13:00:00+00:00", "end": "2026-11-13T17:00:00+00:00"}
                    ]
                },
            ),
        ),
        ("rate", {"score": 4}, ("rate", {"score": 4})),
        (
            "correct",
            {"fact": "window", "value": "x"},
            ("correct", {"fact": "window", "value": "x"}),
        ),
    ],
    ids=["works", "answer", "accept", "reply", "counter", "rate", "correct"],
)
def test_an_action_reaches_the_rules_under_its_name(
    ana: APIClient,
    cast: factories.Cast,
    acted: list[dict[str, Any]],
    name: str,
    body: dict[str, Any],
    reached: tuple[str, dict[str, Any]],
) -> None:
    made = card(cast)
    answer = ana.post(f"/api/v1/feed/{made.uuid}/actions/{name}/", body)
    assert answer.status_code == 200
    assert answer.json()["id"] == str(made.uuid)
    assert [(call["name"], call["data"]) for call in acted] == [reached]
    assert acted[0]["owner"] == cast.ana


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("answer", {"answer": "perhaps"}, 400),
        ("counter", {"windows": []}, 400),
        ("counter", {"windows": [{"start": "2026-11-13T09:00Z", "end": "2026-11-13T08:00Z"}]}, 400),
        ("rate", {"score": 6}, 400),
        ("snooze", {"until": "tomorrow"}, 400),
        ("explode", {}, 404),
    ],
)
def test_an_action_that_says_nonsense_reaches_nobody(
    ana: APIClient,
    cast: factories.Cast,
    acted: list[dict[str, Any]],
    name: str,
    body: dict[str, Any],
    status: int,
) -> None:
    made = card(cast)
    answer = ana.post(f"/api/v1/feed/{made.uuid}/actions/{name}/", body)
    assert answer.status_code == status
    assert acted == []


def test_who_only_reads_cannot_act(cast: factories.Cast, acted: list[dict[str, Any]]) -> None:
    made, ben = card(cast), factories.OwnerFactory.create()
    factories.MembershipFactory.create(household=cast.household, owner=ben, rank=Rank.VIEWER)
    app = app_of(ben)
    assert app.get(f"/api/v1/feed/{made.uuid}/").status_code == 200
    assert app.post(f"/api/v1/feed/{made.uuid}/actions/accept/").status_code == 403
    assert acted == []


def test_what_the_rules_refuse_is_told(
    ana: APIClient, cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(**given: Any) -> Any:
        raise feed.ActionError("closed", "This matter is closed.")

    monkeypatch.setattr(feed, "act", act)
    answer = ana.post(f"/api/v1/feed/{card(cast).uuid}/actions/accept/")
    assert (answer.status_code, answer.json()["code"]) == (409, "closed")
    assert answer.json()["detail"] == "This matter is closed."


def test_ids_of_another_household_in_a_body_are_unknown_ids(
    mallory: APIClient, cast: factories.Cast, acted: list[dict[str, Any]]
) -> None:
    hers = factories.CardFactory.create(
        journey=factories.JourneyFactory.create(household=cast.mallory_household)
    )
    for name, field, foreign in (
        ("merge", "with", card(cast).journey.uuid),
        ("choose_asset", "asset", cast.dvr.uuid),
    ):
        address = f"/api/v1/feed/{hers.uuid}/actions/{name}/"
        answer = mallory.post(address, {field: str(foreign)})
        unknown = mallory.post(address, {field: "00000000-0000-4000-8000-000000000000"})
        assert answer.status_code == 400
        assert answer.content == unknown.content
    assert acted == []


def test_a_logged_call_is_kept_in_the_inbox(ana: APIClient, cast: factories.Cast) -> None:
    call = {
        "direction": "out",
        "supplier": str(cast.skyline.uuid),
        "asset": str(cast.dvr.uuid),
        "started_at": "2026-11-10T18:02:00-05:00",
        "duration_s": 2460,
        "asks": ["account", "account"],
        "transfers": 1,
        "note": "Technician comes Fri 13 Nov between 8:00 and 12:00.",
        "fee": {"amount": "49.00", "currency": "USD"},
    }
    answer = ana.post("/api/v1/contacts/", call, HTTP_IDEMPOTENCY_KEY="call-1")
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    kept = InboundEvent.objects.get()
    assert (kept.way, kept.household) == ("owner", cast.household)
    assert b'"asset":"' + str(cast.dvr.uuid).encode() in kept.body
    again = ana.post("/api/v1/contacts/", call, HTTP_IDEMPOTENCY_KEY="call-1")
    assert again.json() == answer.json()
    assert InboundEvent.objects.count() == 1


def test_a_log_names_its_household_when_there_are_two(ana: APIClient, cast: factories.Cast) -> None:
    boat = factories.MembershipFactory.create(owner=cast.ana).household
    assert ana.post("/api/v1/contacts/", {"note": "Called."}).status_code == 400
    named = {"note": "Called.", "household": str(boat.uuid)}
    assert ana.post("/api/v1/contacts/", named).status_code == 202
    assert InboundEvent.objects.get().household == boat
    split = named | {"asset": str(cast.dvr.uuid)}
    assert ana.post("/api/v1/contacts/", split).status_code == 400


def test_every_contact_says_what_became_of_it(ana: APIClient, cast: factories.Cast) -> None:
    contact = factories.ContactFactory.create(
        household=cast.household,
        supplier=cast.skyline,
        outcome=Outcome.ABSORBED,
        rule="nothing_new",
        evidence={"known": ["window"]},
    )
    row = ana.get(f"/api/v1/contacts/{contact.uuid}/").json()
    assert (row["outcome"], row["rule"]) == ("absorbed", "nothing_new")
    assert row["evidence"] == {"known": ["window"]}
    assert (row["text"], row["supplier"]) == ("We come on Friday.", str(cast.skyline.uuid))
    assert ana.get("/api/v1/contacts/?outcome=absorbed").json()["results"] == [row]
    assert ana.get("/api/v1/contacts/?outcome=shown").json()["results"] == []


def test_the_door_shows_who_waits_and_takes_an_answer(
    ana: APIClient, cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(feed, "act_on_contact", lambda **given: calls.append(given))
    factories.ContactFactory.create(household=cast.household)
    waiting = factories.ContactFactory.create(
        household=cast.household, outcome=Outcome.DOOR, suspicion="foreign_payment_link"
    )
    rows = ana.get("/api/v1/door/").json()["results"]
    assert [row["id"] for row in rows] == [str(waiting.uuid)]
    assert rows[0]["suspicion"] == "foreign_payment_link"
    assert ana.post(f"/api/v1/door/{waiting.uuid}/actions/let_in/").status_code == 200
    assert ana.post(f"/api/v1/door/{waiting.uuid}/actions/split/").status_code == 404
    assert ana.post(f"/api/v1/contacts/{waiting.uuid}/actions/split/").status_code == 200
    assert [(call["name"], call["contact"]) for call in calls] == [
        ("let_in", waiting),
        ("split", waiting),
    ]


def test_lists_of_what_stands_on_journeys(ana: APIClient, cast: factories.Cast) -> None:
    journey = factories.JourneyFactory.create(
        household=cast.household, asset=cast.dvr, suppliers=[cast.skyline.pk]
    )
    factories.AppointmentFactory.create(journey=journey, supplier=cast.skyline)
    factories.SurveyFactory.create(journey=journey, supplier=cast.skyline)
    told = factories.NotificationFactory.create(journey=journey, owner=cast.ana)
    factories.DeliveryFactory.create(notification=told)
    factories.NotificationFactory.create(journey=journey)  # told to another member
    for name in ("journeys", "appointments", "surveys", "notifications"):
        rows = ana.get(f"/api/v1/{name}/").json()["results"]
        assert len(rows) == 1, name
    assert ana.get("/api/v1/journeys/").json()["results"][0]["suppliers"] == [
        str(cast.skyline.uuid)
    ]
    assert ana.get("/api/v1/notifications/").json()["results"][0]["deliveries"] == [
        {"at": "2026-11-09T13:00:00Z", "channel": "sms", "outcome": "sent"}
    ]
    assert ana.get("/api/v1/journeys/?state=closed").json()["results"] == []
    assert ana.get(f"/api/v1/journeys/{journey.uuid}/").json()["id"] == str(journey.uuid)
