"""How an owner is told, by the API: presets, exceptions, holiday and cover, last month again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from rest_framework.test import APIClient

from notifications import simulation
from notifications.ledger import Ledger
from notifications.simulating import Spoken
from owners import clock
from owners.choices import ChannelKind, Moment, Topic
from owners.models import Membership, ReachRule
from owners.reach import PRESETS, Wish
from tests import factories
from tests.api.conftest import app_of
from tests.web.conftest import played


@pytest.fixture
def reach(cast: factories.Cast) -> str:
    return f"/api/v1/reach/{cast.household.uuid}/"


def faults(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [fault["pointer"] for fault in answer.json()["errors"]]


def test_a_preset_sets_the_matrix_and_a_topic_beside_it_wins(ana: APIClient, reach: str) -> None:
    wanted = {"preset": "must_act", "topics": [{"topic": "offer", "moment": "week"}]}
    shown = {row["topic"]: row["moment"] for row in ana.patch(reach, wanted).json()["topics"]}
    assert shown == {**PRESETS["must_act"], Topic.OFFER: "week"}
    presets = ana.get("/api/v1/reach/presets/").json()
    assert [row["preset"] for row in presets] == list(PRESETS)


def test_an_exception_holds_for_one_thing_until_it_is_dropped(
    ana: APIClient, cast: factories.Cast, reach: str
) -> None:
    about = {"scope": "asset", "subject": str(cast.dvr.uuid)}
    made = ana.post(f"{reach}exceptions/", {**about, "moment": "now", "topics": ["money"]})
    assert made.status_code == 200, made.content
    row = {"topic": "money", "moment": "now", "channel": None, **about}
    row |= {"over": None, "within_hours": None}
    assert made.json()["exceptions"] == [row]
    dropped = ana.delete(f"{reach}exceptions/asset/{cast.dvr.uuid}/")
    assert dropped.json()["exceptions"] == []
    assert ana.post(f"/api/v1/undo/{dropped.headers['Steward-Undo']}/").status_code == 200
    assert ana.get(reach).json()["exceptions"] == [row]


def test_an_exception_without_topics_is_about_all_of_them(
    ana: APIClient, cast: factories.Cast, reach: str
) -> None:
    about = {"scope": "supplier", "subject": str(cast.skyline.uuid)}
    made = ana.post(f"{reach}exceptions/", {**about, "moment": "never"}).json()
    assert {row["topic"] for row in made["exceptions"]} == set(Topic)


def test_an_exception_is_about_what_the_household_has(
    ana: APIClient, cast: factories.Cast, reach: str
) -> None:
    theirs = factories.AssetFactory.create(household=cast.mallory_household)
    for subject in (theirs.uuid, uuid4(), cast.skyline.uuid):
        values = {"scope": "asset", "subject": str(subject), "moment": "now"}
        assert faults(ana.post(f"{reach}exceptions/", values)) == ["/subject"]
    assert not ReachRule.objects.exclude(scope="").exists()


def test_who_is_away_is_covered_by_another_member(
    ana: APIClient, cast: factories.Cast, reach: str
) -> None:
    ben = factories.MembershipFactory.create(household=cast.household).owner
    away = {"holiday_from": "2026-12-01", "holiday_until": "2026-12-14", "cover": str(ben.uuid)}
    shown = ana.patch(reach, away).json()
    assert {name: shown[name] for name in away} == away
    assert faults(ana.patch(reach, {"cover": str(cast.ana.uuid)})) == ["/cover"]
    assert faults(ana.patch(reach, {"cover": str(cast.mallory.uuid)})) == ["/cover"]


@pytest.mark.parametrize(
    ("wish", "pointer"),
    [
        ({"quiet_from": None}, "/quiet_until"),
        ({"holiday_from": "2026-12-01"}, "/holiday_until"),
        ({"holiday_from": "2026-12-02", "holiday_until": "2026-12-01"}, "/holiday_until"),
        ({"digest_weekday": 7}, "/digest_weekday"),
        ({"preset": "loud"}, "/preset"),
        ({"topics": [{"topic": "money", "moment": "soon"}]}, "/topics/0/moment"),
    ],
)
def test_wishes_that_cannot_be_are_pointed_at_and_change_nothing(
    ana: APIClient, cast: factories.Cast, reach: str, wish: dict[str, Any], pointer: str
) -> None:
    before = ana.get(reach).json()
    assert faults(ana.patch(reach, wish)) == [pointer]
    assert faults(ana.post(f"{reach}simulate/", wish)) == [pointer]
    assert ana.get(reach).json() == before


@time_machine.travel("2026-11-14T12:00:00Z")
def test_last_month_is_replayed_with_other_wishes_and_nothing_is_saved(db: None) -> None:
    owner = played()
    membership = Membership.objects.get(owner=owner)
    app, reach = app_of(owner), f"/api/v1/reach/{membership.household.uuid}/"
    before = app.get(reach).json()
    same = app.post(f"{reach}simulate/", {}).json()
    assert same["differences"] == []
    assert same["before"] == same["after"]
    silent = {"topics": [{"topic": topic, "moment": "never"} for topic in Topic]}
    quiet = app.post(f"{reach}simulate/", silent)
    assert quiet.status_code == 200, quiet.content
    told = quiet.json()
    assert told["before"] == same["before"]
    assert told["before"]["interrupt"] == 1
    assert told["after"] == {"interrupt": 0, "feed": 0, "digest": 0}
    assert len(told["differences"]) == sum(told["before"].values())
    assert app.get(reach).json() == before


@time_machine.travel("2026-11-14T12:00:00Z")
def test_last_month_says_which_channel_would_have_sounded(db: None) -> None:
    owner = played()
    membership = Membership.objects.get(owner=owner)
    app, reach = app_of(owner), f"/api/v1/reach/{membership.household.uuid}/"
    wish = {"topic": "arriving", "moment": "now", "channel": "email"}
    told = app.post(f"{reach}simulate/", {"topics": [wish]}).json()
    assert told["before"] == told["after"]
    assert (told["channels_before"], told["channels_after"]) == ({"sms": 1}, {"email": 1})
    [one] = told["differences"]
    assert (one["before"]["channel"], one["after"]["channel"]) == ("sms", "email")


@time_machine.travel("2026-11-14T12:00:00Z")
def test_a_cap_that_is_tried_puts_the_second_of_a_day_on_another_channel(db: None) -> None:
    membership = Membership.objects.select_related("owner", "household").get(owner=played())
    reach = replace(simulation.reach_now(membership), caps={ChannelKind.SMS: 1})
    at = datetime(2026, 11, 10, 15, tzinfo=UTC)
    said = [
        Spoken(
            journey=journey,
            title="",
            at=at + timedelta(minutes=minutes),
            level="interrupt",
            topic="money",
            reason="bill",
            because=(),
            wishes=replace(reach, rules={Topic.MONEY: Wish(Moment.NOW, ChannelKind.SMS)}),
        )
        for journey, minutes in (("a", 0), ("b", 5), ("c", 24 * 60 + 1))
    ]
    loud = simulation.aloud(reversed(said), owner=membership.owner_id)
    assert [(one.journey, one.channel) for one in loud] == [
        ("a", "sms"),
        ("b", "email"),
        ("c", "sms"),
    ]


def test_a_condition_is_kept_and_shown(ana: APIClient, reach: str) -> None:
    wish = {"topic": "money", "moment": "now", "over": "50.00", "within_hours": 48}
    shown = {row["topic"]: row for row in ana.patch(reach, {"topics": [wish]}).json()["topics"]}
    assert (shown["money"]["over"], shown["money"]["within_hours"]) == ("50.00", 48)
    for wrong in ({"over": "-1"}, {"within_hours": 0}):
        answer = ana.patch(reach, {"topics": [wish | wrong]})
        assert faults(answer) == [f"/topics/0/{next(iter(wrong))}"]


def test_each_channel_has_its_night_and_its_cap_until_it_is_undone(
    ana: APIClient, reach: str
) -> None:
    before = ana.get(reach).json()["channels"]
    wanted = [
        {"channel": "sms", "quiet": "own", "quiet_from": "20:00", "quiet_until": "09:00", "cap": 1},
        {"channel": "email", "quiet": "never"},
    ]
    made = ana.patch(reach, {"channels": wanted})
    shown = {row["channel"]: row for row in made.json()["channels"]}
    assert {name: shown["sms"][name] for name in ("quiet", "quiet_from", "cap")} == {
        "quiet": "own",
        "quiet_from": "20:00:00",
        "cap": 1,
    }
    assert shown["email"]["quiet"] == "never"
    half = {"channels": [{"channel": "sms", "quiet": "own", "quiet_from": "20:00"}]}
    assert faults(ana.patch(reach, half)) == ["/channels"]
    assert faults(ana.patch(reach, {"channels": [{"channel": "feed"}]})) == ["/channels"]
    assert ana.post(f"/api/v1/undo/{made.headers['Steward-Undo']}/").status_code == 200
    assert ana.get(reach).json()["channels"] == before


def test_only_the_member_says_whose_emergency_counts(
    ana: APIClient, cast: factories.Cast, reach: str
) -> None:
    address = f"{reach}emergencies/{cast.skyline.uuid}/"
    given = ana.put(address)
    assert given.status_code == 200, given.content
    assert given.json()["wakers"] == [str(cast.skyline.uuid)]
    assert ana.put(address).json()["wakers"] == [str(cast.skyline.uuid)]
    assert app_of(cast.mallory).put(address).status_code == 404
    assert ana.put(f"{reach}emergencies/{uuid4()}/").status_code == 404
    assert ana.delete(address).json()["wakers"] == []


def test_the_preset_of_one_summary_names_changes_in_it(ana: APIClient, reach: str) -> None:
    shown = ana.patch(reach, {"preset": "one_summary"}).json()
    assert shown["has_digest_changes"] is True
    assert "now" not in {row["moment"] for row in shown["topics"]}


@time_machine.travel("2026-11-14T12:00:00Z")
def test_a_cap_an_exception_and_a_night_are_tried_before_they_are_saved(db: None) -> None:
    owner = played()
    membership = Membership.objects.get(owner=owner)
    app, reach = app_of(owner), f"/api/v1/reach/{membership.household.uuid}/"
    before = app.get(reach).json()
    journey = app.get("/api/v1/journeys/").json()["results"][0]
    supplier = app.get(f"/api/v1/journeys/{journey['id']}/").json()["suppliers"][0]["id"]
    quiet = {"scope": "supplier", "subject": supplier, "moment": "never"}
    told = app.post(f"{reach}simulate/", {"exceptions": [quiet]}).json()
    assert told["before"]["interrupt"] == 1
    assert told["after"] == {"interrupt": 0, "feed": 0, "digest": 0}
    assert app.get(reach).json() == before


@time_machine.travel("2026-11-14T12:00:00Z")
def test_every_notification_says_which_wish_decided(db: None) -> None:
    app = app_of(played())
    whys = {
        row["reason"]: row["why"] for row in app.get("/api/v1/notifications/").json()["results"]
    }
    assert whys["reaching_out"] == "You changed no wish for this: someone is arriving."
    assert all(whys.values())


def test_the_night_follows_whoever_travels(
    ana: APIClient, cast: factories.Cast, reach: str
) -> None:
    travelled = ana.patch("/api/v1/me/", {"device_zone": "Asia/Tokyo"}).json()
    assert (travelled["zone"], travelled["device_zone"]) == (cast.ana.zone, "Asia/Tokyo")
    member = Membership.objects.select_related("owner", "household").get(pk=cast.membership.pk)
    assert str(simulation.reach_now(member).zone) == "Asia/Tokyo"
    assert ana.patch("/api/v1/me/", {"device_zone": "Moon/Sea"}).status_code == 400
    assert ana.patch("/api/v1/me/", {"device_zone": ""}).json()["device_zone"] == ""


def test_of_two_numbers_the_one_chosen_last_is_used_first(
    ana: APIClient, cast: factories.Cast
) -> None:
    first, second = (
        factories.ChannelFactory.create(owner=cast.ana, kind="sms", address=number)
        for number in ("+12125550101", "+12125550102")
    )
    for wanted in (second, first):
        changed = ana.patch(f"/api/v1/channels/{wanted.uuid}/", {"is_first": True})
        assert changed.status_code == 200, changed.content
        ledger = Ledger.open([cast.household], now=clock.now())
        ledger.load_people([cast.household.pk], [])
        (member,) = [m for m in ledger.members[cast.household.pk] if m.owner == cast.ana.pk]
        assert member.channels["sms"].pk == wanted.pk
