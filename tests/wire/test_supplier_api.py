"""What suppliers ask: what became of an event, what one would come to, what may be said when."""

import json
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications import feed
from owners import clock
from owners.choices import Moment, Topic
from owners.models import ChannelWish, Membership, ReachRule
from suppliers import catalogue, inbox, keys
from suppliers.choices import MandateState
from suppliers.models import Contact, InboundEvent
from tests import factories
from tests.factories import Cast, MandateFactory, SupplierFactory
from tests.wire.sending import NOW, event, post

API = "/api/supplier/v1"
SOON = {
    "start": (NOW + timedelta(hours=3)).isoformat(),
    "end": (NOW + timedelta(hours=6)).isoformat(),
    "zone": "America/New_York", "kind": "visit", "uid": "job-1", "sequence": 0,
    "dtstamp": NOW.isoformat(),
}  # fmt: skip


def opened(supplier: Any) -> Client:
    token = keys.make(supplier=supplier, name="Test", now=factories.START).token
    return Client(headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def skyline(cast: Cast) -> Client:
    return opened(cast.skyline)


def sent(cast: Cast, name: str = "message.created", **data: Any) -> dict[str, Any]:
    return event(cast, 1, type=name, data={"owner": cast.mandate.owner_ref, **data})


def judged(client: Client, body: Any) -> Any:
    with clock.fixed(NOW):
        return client.post(f"{API}/verdict/", body, content_type="application/json")


def decided() -> None:
    inbox.process_due(now=NOW)
    feed.consolidate_due(now=NOW)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/events/ev-1/"),
        ("post", "/verdict/"),
        ("get", "/mandates/own_x/reach/"),
        ("get", "/catalogue/"),
        ("post", "/ping/"),
    ],
)
def test_every_call_wants_a_live_key_and_its_own_verb(
    cast: Cast, skyline: Client, method: str, path: str
) -> None:
    for client in (Client(), Client(headers={"authorization": "Bearer nonsense"})):
        answer = getattr(client, method)(API + path)
        assert answer.status_code == 401
        assert answer["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "no_key"
    wrong = "get" if method == "post" else "post"
    answer = getattr(skyline, wrong)(API + path)
    assert (answer.status_code, answer["allow"]) == (405, method.upper())
    assert answer["content-type"] == "application/problem+json"


def test_an_event_says_how_far_it_is_and_what_came_of_it(cast: Cast, skyline: Client) -> None:
    post(event(cast, 1))
    assert skyline.get(f"{API}/events/ev-1/").json()["status"] == "stored"
    decided()
    found = skyline.get(f"{API}/events/ev-1/", {"source": "/suppliers/skyline"}).json()
    assert (found["status"], found["outcome"], found["type"]) == (
        "processed",
        "shown",
        "message.created",
    )
    assert skyline.get(f"{API}/events/ev-1/", {"source": "/other"}).status_code == 404
    assert skyline.get(f"{API}/events/ev-2/").json()["code"] == "unknown_event"


def test_two_sources_with_one_id_must_be_told_apart(cast: Cast, skyline: Client) -> None:
    post([event(cast, 1), event(cast, 1, source="/suppliers/skyline/north")])
    answer = skyline.get(f"{API}/events/ev-1/")
    assert (answer.status_code, answer.json()["code"]) == (400, "source_needed")
    north = skyline.get(f"{API}/events/ev-1/", {"source": "/suppliers/skyline/north"})
    assert north.json()["source"] == "/suppliers/skyline/north"


def test_an_id_may_hold_what_an_address_may(cast: Cast, skyline: Client) -> None:
    post(event(cast, 1, id="job/88 213?x=1"))
    answer = skyline.get(f"{API}/events/job%2F88%20213%3Fx%3D1/")
    assert answer.json()["id"] == "job/88 213?x=1"


def test_a_rejected_event_shows_the_pointer_and_a_held_survey_its_reason(
    cast: Cast, skyline: Client
) -> None:
    post(sent(cast, "appointment.requested", uid="job-1"))
    survey = event(
        cast, 2, type="survey.requested",
        data={"owner": cast.mandate.owner_ref, "surveyId": "s-1", "url": "https://skyline.example"},
    )  # fmt: skip
    post(survey)
    decided()
    broken = skyline.get(f"{API}/events/ev-1/").json()
    assert (broken["status"], broken["code"], broken["pointer"]) == (
        "rejected",
        "missing_field",
        "/data/sequence",
    )
    held = skyline.get(f"{API}/events/ev-2/").json()
    assert (held["outcome"], held["reason"]) == ("held", "no_experience")


def test_nobody_sees_another_suppliers_events_or_owners(cast: Cast, skyline: Client) -> None:
    other = opened(SupplierFactory.create())
    post(event(cast, 1))
    decided()
    assert other.get(f"{API}/events/ev-1/").status_code == 404
    reach = f"{API}/mandates/{cast.mandate.owner_ref}/reach/"
    assert (other.get(reach).status_code, skyline.get(reach).status_code) == (404, 200)
    judgement = judged(other, json.dumps(event(cast, 9))).json()
    assert (judgement["outcome"], judgement["reason"]) == ("refused", "unknown_owner")


# -- the verdict ---------------------------------------------------------------------------


def test_a_verdict_says_what_would_be_told_and_stores_nothing(cast: Cast, skyline: Client) -> None:
    post(sent(cast, body="Hello"))
    decided()
    before = (InboundEvent.objects.count(), Contact.objects.count())
    found = judged(skyline, json.dumps(sent(cast, "appointment.requested", **SOON))).json()
    assert set(found) == {"outcome", "level", "channel", "not_before", "reason"}
    assert (found["outcome"], found["level"], found["channel"]) == ("shown", "interrupt", "sms")
    assert found["reason"] == "booked"
    assert found["not_before"] > NOW.isoformat()
    assert (InboundEvent.objects.count(), Contact.objects.count()) == before


def test_a_plain_body_is_judged_like_a_cloudevent(cast: Cast, skyline: Client) -> None:
    plain = {
        "type": "appointment.requested",
        "timestamp": NOW.isoformat(),
        "data": {"owner": cast.mandate.owner_ref, **SOON},
    }
    whole = sent(cast, "appointment.requested", **SOON)
    assert judged(skyline, json.dumps(plain)).json() == judged(skyline, json.dumps(whole)).json()


@pytest.mark.parametrize("name", [name for name in catalogue.names() if "supplier." not in name])
def test_every_example_of_the_catalogue_can_be_judged(
    cast: Cast, skyline: Client, name: str
) -> None:
    data = {**catalogue.INBOUND[name].example, "owner": cast.mandate.owner_ref}
    answer = judged(skyline, json.dumps(catalogue.cloudevent(name, data=data)))
    assert answer.status_code == 200
    expected = "held" if name.startswith("survey.") else "shown"
    assert answer.json()["outcome"] == expected


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"importance": "marketing"}, "held", "purpose_not_granted"),
        ({"asset": {"serial": "elsewhere"}}, "refused", "asset_outside_mandate"),
        ({"body": ""}, "shown", "words"),
        ({"body": None}, "refused", "missing_field"),
        ({"owner": "own_nobody"}, "refused", "unknown_owner"),
    ],
)
def test_a_verdict_names_the_rule_that_holds_it_back(
    cast: Cast, skyline: Client, changes: dict[str, Any], outcome: str, reason: str
) -> None:
    outside = factories.AssetFactory.create(household=cast.household)
    factories.AssetIdentifierFactory.create(asset=outside, value="elsewhere")
    post(sent(cast, body="Something before", refs=[{"scheme": "order", "value": "1"}]))
    decided()
    found = judged(skyline, json.dumps(sent(cast, **{"body": "Hello", **changes}))).json()
    assert (found["outcome"], found["reason"]) == (outcome, reason)


def test_a_mandate_that_ended_refuses(cast: Cast, skyline: Client) -> None:
    cast.mandate.state = MandateState.ENDED
    cast.mandate.save()
    found = judged(skyline, json.dumps(event(cast, 1))).json()
    assert (found["outcome"], found["reason"]) == ("refused", "mandate_ended")
    reach = f"{API}/mandates/{cast.mandate.owner_ref}/reach/"
    assert skyline.get(reach).json()["code"] == "unknown_owner"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b"{", "invalid_json", None),
        (b"[]", "invalid_envelope", None),
        (b'"\xff"', "invalid_json", None),
        (b'{"specversion": "1.0", "source": "/x", "type": "a"}', "missing_attribute", "/id"),
        (b'{"specversion": "1.0", "id": "1", "type": "a"}', "missing_attribute", "/source"),
        (b'{"data": {}}', "missing_attribute", "/type"),
        (b'{"type": 7}', "missing_attribute", "/type"),
        (b"[" * 50_000, "invalid_json", None),
    ],
)
def test_what_is_no_event_is_a_problem_with_a_pointer(
    skyline: Client, body: bytes, code: str, pointer: str | None
) -> None:
    answer = judged(skyline, body)
    assert (answer.status_code, answer["content-type"]) == (400, "application/problem+json")
    assert (answer.json()["code"], answer.json().get("pointer")) == (code, pointer)
    assert judged(skyline, b" " * (256 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize("data", [None, [], "text", 7, {"owner": 7}, {"owner": {"a": 1}}])
def test_data_of_any_shape_is_judged_not_broken(cast: Cast, skyline: Client, data: Any) -> None:
    body = {**event(cast, 1), "data": data}
    assert judged(skyline, json.dumps(body)).json()["outcome"] == "refused"


# -- reach ---------------------------------------------------------------------------------


def test_reach_says_what_may_be_said_when_and_how_and_no_address(
    cast: Cast, skyline: Client
) -> None:
    answer = skyline.get(f"{API}/mandates/{cast.mandate.owner_ref}/reach/")
    found = answer.json()
    assert found["owner"] == cast.mandate.owner_ref
    assert set(found["topics"]) == {topic.value for topic in Topic}
    night = {"from": "22:00", "until": "08:00", "zone": "America/New_York"}
    arriving = {"moment": Moment.NOW, "channel": "sms", "quiet": night}
    assert found["topics"]["arriving"] == arriving
    assert found["quiet"] == night
    assert found["purposes"] == ["service", "billing", "feedback"]
    for private in (cast.ana.email, cast.ana.name, "+12125550100", cast.household.name):
        assert private not in answer.content.decode()


def test_reach_names_a_condition_but_not_its_threshold(cast: Cast, skyline: Client) -> None:
    mine = Membership.objects.get(owner=cast.ana)
    wish = ReachRule(membership=mine, topic=Topic.MONEY, moment=Moment.NOW, channel="email")
    wish.over, wish.within_hours = Decimal("51.37"), 47
    wish.save()
    hours = {"has_own_quiet": True, "quiet_from": time(21, 30), "quiet_until": time(9)}
    ChannelWish.objects.create(membership=mine, kind="email", **hours)
    answer = skyline.get(f"{API}/mandates/{cast.mandate.owner_ref}/reach/")
    assert answer.json()["topics"]["money"] == {
        "moment": Moment.NOW,
        "channel": "email",
        "quiet": {"from": "21:30", "until": "09:00", "zone": "America/New_York"},
        "depends_on": ["amount", "time"],
        "otherwise": Moment.TODAY,
    }
    assert "51.37" not in answer.content.decode()


def test_the_calls_take_a_bounded_number_of_queries(cast: Cast, skyline: Client) -> None:
    post(event(cast, 1))
    decided()

    def count(call: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert call().status_code == 200
        return len(seen)

    skyline.post(f"{API}/ping/")  # the first use of a key in an hour is noted
    body = json.dumps(sent(cast, "appointment.requested", **SOON))
    reach = f"{API}/mandates/{cast.mandate.owner_ref}/reach/"
    before = [
        count(lambda: skyline.get(f"{API}/events/ev-1/")),
        count(lambda: skyline.get(f"{API}/catalogue/")),
        count(lambda: skyline.get(reach)),
        count(lambda: judged(skyline, body)),
    ]
    assert before[0] <= 3
    assert before[1] <= 1
    assert before[2] <= 12
    assert before[3] <= 25
    for number in range(2, 12):
        post(event(cast, number, data={"owner": cast.mandate.owner_ref, "body": f"No {number}"}))
        MandateFactory.create(supplier=cast.skyline)
    decided()
    after = [
        count(lambda: skyline.get(f"{API}/events/ev-1/")),
        count(lambda: skyline.get(f"{API}/catalogue/")),
        count(lambda: skyline.get(reach)),
        count(lambda: judged(skyline, body)),
    ]
    assert after == before
