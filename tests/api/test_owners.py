"""The owner's own side: me, households, channels, reach."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from owners import channels, clock, households
from owners.choices import ChannelKind, Rank, Topic
from owners.models import Channel, ChannelCode, Household, Membership
from tests import factories
from tests.api.conftest import app_of


def test_me_names_the_owner_and_her_households(ana: APIClient, cast: factories.Cast) -> None:
    answer = ana.get("/api/v1/me/").json()
    assert answer["email"] == "ana@hart.example"
    assert answer["households"] == [
        {"id": str(cast.household.uuid), "name": "Hart household", "rank": "admin"}
    ]


def test_an_owner_changes_her_name_but_never_her_mail_or_rights(
    ana: APIClient, cast: factories.Cast
) -> None:
    given = {"name": "Ana H.", "email": "other@hart.example", "is_staff": True, "id": 1}
    assert ana.patch("/api/v1/me/", given).json()["name"] == "Ana H."
    cast.ana.refresh_from_db()
    assert (cast.ana.email, cast.ana.is_staff) == ("ana@hart.example", False)


def test_a_time_zone_must_exist(ana: APIClient) -> None:
    answer = ana.patch("/api/v1/me/", {"zone": "Mars/Olympus"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/zone"


def test_only_an_admin_changes_the_household(cast: factories.Cast) -> None:
    address = f"/api/v1/households/{cast.household.uuid}/"
    ben = factories.OwnerFactory.create()
    factories.MembershipFactory.create(household=cast.household, owner=ben, rank=Rank.MEMBER)
    assert app_of(ben).patch(address, {"name": "Ours"}).json()["code"] == "rank"
    answer = app_of(cast.ana).patch(address, {"name": "Ours", "survey_cap": 0})
    assert (answer.json()["name"], answer.json()["survey_cap"]) == ("Ours", 0)
    assert {member["name"] for member in answer.json()["members"]} == {"Ana Hart", ben.name}


def test_an_owner_may_start_another_household(ana: APIClient, cast: factories.Cast) -> None:
    answer = ana.post("/api/v1/households/", {"name": "The boat", "zone": "Europe/Vienna"})
    assert answer.status_code == 201
    assert answer.json()["members"] == [
        {"id": str(cast.ana.uuid), "name": "Ana Hart", "rank": "admin"}
    ]
    assert "@" in answer.json()["intake_alias"]


def test_everyone_starts_with_one_household_of_their_own(db: None, now: object) -> None:
    owner = factories.OwnerFactory.create(name="Eve", zone="Europe/Vienna")
    first = households.ensure_first(owner=owner, now=factories.START)
    again = households.ensure_first(owner=owner, now=factories.START)
    assert first == again
    assert (first.name, first.zone) == ("Eve's household", "Europe/Vienna")
    assert Membership.objects.get(owner=owner).rank == Rank.ADMIN


def test_a_new_channel_counts_only_after_its_code_was_entered(
    ana: APIClient, cast: factories.Cast
) -> None:
    answer = ana.post("/api/v1/channels/", {"kind": "sms", "address": "(212) 555-0101"})
    assert answer.status_code == 201
    assert (answer.json()["address"], answer.json()["verified_at"]) == ("+12125550101", None)
    added = Channel.objects.get(uuid=answer.json()["id"])
    assert added not in Channel.objects.for_owner(cast.ana).usable()
    code = ChannelCode.objects.waiting(clock.now()).get().code
    proof = f"/api/v1/channels/{added.uuid}/verify/"
    assert ana.post(proof, {"code": f"{(int(code) + 1) % 10**6:06}"}).json()["code"] == "wrong_code"
    assert ana.post(proof, {"code": code}).json()["verified_at"] is not None
    assert added in Channel.objects.for_owner(cast.ana).usable()
    assert ana.post(proof, {"code": code}).status_code == 409, "a code works once"


def test_wrong_codes_are_counted_even_under_one_key(ana: APIClient, cast: factories.Cast) -> None:
    channel = channels.add(
        owner=cast.ana, kind=ChannelKind.SMS, address="+12125550101", now=clock.now()
    )
    code = channel.codes.get()
    for number in range(channels.CODE_TRIES):
        wrong = f"{(int(code.code) + 1 + number) % 10**6:06}"
        headers = {"Idempotency-Key": f"try-{number}"}
        ana.post(f"/api/v1/channels/{channel.uuid}/verify/", {"code": wrong}, headers=headers)
    answer = ana.post(f"/api/v1/channels/{channel.uuid}/verify/", {"code": code.code})
    assert answer.status_code == 409
    channel.refresh_from_db()
    assert channel.verified_at is None


def test_a_code_dies_after_ten_minutes(cast: factories.Cast) -> None:
    now = factories.START
    channel = channels.add(owner=cast.ana, kind=ChannelKind.SMS, address="+12125550101", now=now)
    code = channel.codes.get().code
    assert not channels.verify(channel=channel, code=code, now=now + timedelta(minutes=10))
    assert channels.verify(channel=channel, code=code, now=now + timedelta(minutes=9))


def test_codes_are_few_a_day(cast: factories.Cast) -> None:
    now = factories.START
    channel = channels.add(owner=cast.ana, kind=ChannelKind.SMS, address="+12125550101", now=now)
    for _ in range(channels.CODES_A_DAY - 1):
        channels.send_code(channel=channel, now=now)
    with pytest.raises(channels.ChannelError) as refused:
        channels.send_code(channel=channel, now=now)
    assert refused.value.code == "too_many_codes"
    channels.send_code(channel=channel, now=now + timedelta(days=1, seconds=1))


def test_forgetting_a_channel_gives_no_more_codes(cast: factories.Cast) -> None:
    now = factories.START
    for number in range(channels.CODES_A_DAY):
        channel = channels.add(
            owner=cast.ana, kind=ChannelKind.SMS, address=f"+1212555020{number}", now=now
        )
        channels.remove(channel=channel, now=now)
    with pytest.raises(channels.ChannelError) as refused:
        channels.add(owner=cast.ana, kind=ChannelKind.SMS, address="+12125550209", now=now)
    assert refused.value.code == "too_many_codes"


def test_codes_and_addresses_are_sealed_at_rest(cast: factories.Cast) -> None:
    channel = channels.add(
        owner=cast.ana, kind=ChannelKind.SMS, address="+12125550101", now=factories.START
    )
    code = channel.codes.get()
    assert code.code.encode() not in bytes(code.sealed_code)
    assert b"2125550101" not in bytes(channel.sealed_address)


def test_somebody_elses_channel_does_not_exist(mallory: APIClient, cast: factories.Cast) -> None:
    address = f"/api/v1/channels/{cast.sms.uuid}/"
    assert mallory.get(address).status_code == 404
    assert mallory.delete(address).status_code == 404
    assert Channel.objects.filter(pk=cast.sms.pk).exists()


def test_the_reach_matrix_shows_defaults_and_takes_changes(
    ana: APIClient, cast: factories.Cast
) -> None:
    address = f"/api/v1/reach/{cast.household.uuid}/"
    topics = {row["topic"]: row for row in ana.get(address).json()["topics"]}
    assert len(topics) == len(Topic)
    assert topics["offer"] == {
        "topic": "offer", "moment": "never", "channel": None, "is_default": True,
        "over": None, "within_hours": None
    }  # fmt: skip
    change = {
        "digest_at": "07:30",
        "topics": [{"topic": "money", "moment": "now", "channel": "email"}],
    }
    changed = ana.patch(address, change).json()
    assert changed["digest_at"] == "07:30:00"
    assert {row["topic"]: row for row in changed["topics"]}["money"]["moment"] == "now"
    assert ana.get("/api/v1/reach/").json()["results"] == [changed]


def test_a_household_shows_what_needs_the_owner(ana: APIClient, cast: factories.Cast) -> None:
    Household.objects.filter(pk=cast.household.pk).update(needs_you_count=3)
    assert ana.get("/api/v1/households/").json()["results"][0]["needs_you"] == 3
