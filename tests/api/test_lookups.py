"""What an app asks before it writes, and lists narrowed to what they belong to."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from notifications import demo_home
from notifications.choices import AppointmentState
from notifications.models import Delivery, Journey, Link
from owners import clock, invitations
from owners.choices import ChannelKind, Rank
from owners.models import Household
from suppliers.choices import Outcome
from suppliers.models import OutboundEvent
from tests import factories
from tests.api.conftest import app_of
from tests.project.test_isolation import picture
from tests.web.conftest import played


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_the_end_of_a_mandate_is_told_before_it_is_ended(
    ana: APIClient, cast: factories.Cast
) -> None:
    journey = factories.JourneyFactory.create(
        household=cast.household, asset=cast.dvr, suppliers=[cast.skyline.pk]
    )
    soon = clock.now() + timedelta(days=1)
    visit, _cancelled = (
        factories.AppointmentFactory.create(
            journey=journey,
            supplier=cast.skyline,
            state=state,
            start=soon,
            end=soon + timedelta(hours=4),
        )
        for state in (AppointmentState.BOOKED, AppointmentState.CANCELLED)
    )
    OutboundEvent.objects.create(
        supplier=cast.skyline, household=cast.household, mandate=cast.mandate, type="owner.reply"
    )
    told = ana.post(f"/api/v1/mandates/{cast.mandate.uuid}/preview/", {"state": "ended"}).json()
    assert any(cast.mandate.alias in way for way in told["closed"])
    assert [row["id"] for row in told["appointments"]] == [str(visit.uuid)]
    assert ([row["id"] for row in told["matters"]], told["waiting"]) == ([str(journey.uuid)], 1)
    sent = ana.get(f"/api/v1/mandates/{cast.mandate.uuid}/sent/").json()["results"]
    assert [row["type"] for row in sent] == ["owner.reply"]
    known = ana.get(f"/api/v1/mandates/{cast.mandate.uuid}/known/").json()
    assert known["proved_domains"] == ["skyline.example"]


def test_a_letter_of_invitation_says_whose_household_it_is_for(cast: factories.Cast) -> None:
    made = invitations.invite(
        household=cast.household,
        by=cast.ana,
        address="mallory@grey.example",
        rank=Rank.VIEWER,
        now=clock.now(),
    )
    app = app_of(cast.mallory)
    seen = app.post("/api/v1/invitations/look/", {"token": made.token})
    assert seen.status_code == 200, seen.content
    assert seen.json()["household"] == cast.household.name
    assert not cast.household.memberships.filter(owner=cast.mallory).exists()
    nothing = app.post("/api/v1/invitations/look/", {"token": "never-was"})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "gone")


def test_the_deletion_of_an_account_is_told_before_it_is_asked_for(
    ana: APIClient, cast: factories.Cast
) -> None:
    ben = factories.MembershipFactory.create(household=cast.household, rank=Rank.MEMBER).owner
    told = ana.get("/api/v1/deletion/preview/").json()
    (fate,) = told["households"]
    assert fate["household"] == str(cast.household.uuid)
    assert (fate["is_erased"], fate["heir"]) == (False, ben.get_full_name())
    assert told["account_days"] > told["household_days"]


def test_a_line_and_a_template_become_an_asset(ana: APIClient, cast: factories.Cast) -> None:
    line = {"line": "Bosch washing machine, serial 12-345, in the cellar"}
    read = ana.post("/api/v1/assets/line/", line).json()
    assert (read["template"], read["kind"], read["place"]) == ("washer", "appliance", "cellar")
    added = ana.post("/api/v1/assets/", {"household": str(cast.household.uuid), **read})
    assert added.status_code == 201, added.content
    [named] = added.json()["identifiers"]
    assert (named["scheme"], named["value"], named["warning"]) == ("serial", "12-345", "")
    templates = {row["template"] for row in ana.get("/api/v1/assets/templates/").json()}
    assert read["template"] in templates
    assert ids(ana.get("/api/v1/assets/?place=cellar")) == [added.json()["id"]]
    assert ids(ana.get("/api/v1/assets/?kind=vehicle")) == []


def test_words_are_read_as_a_suggestion_and_nothing_is_kept(
    ana: APIClient, cast: factories.Cast
) -> None:
    note = {"note": "Technician comes on 2030-03-05 from 08:00 to 12:00, 49.00 EUR, order A-123456"}
    read = ana.post("/api/v1/contacts/note/", note)
    assert read.status_code == 200, read.content
    assert read.json()["window"]["start"].startswith("2030-03-05")
    assert read.json()["fee"] == {"amount": "49.00", "currency": "EUR"}
    assert ids(ana.get("/api/v1/contacts/")) == []


def test_a_picture_of_an_asset_is_its_newest_photo(ana: APIClient, cast: factories.Cast) -> None:
    address = f"/api/v1/assets/{cast.dvr.uuid}/"
    assert ana.get(f"{address}photo/").status_code == 404
    for name in ("old.png", "new.png"):
        file = SimpleUploadedFile(name, picture(), "image/png")
        kept = ana.post(f"{address}documents/", {"file": file}, format="multipart")
        assert kept.status_code == 201, kept.content
    photo = ana.get(f"{address}photo/?small=1")
    assert photo.status_code == 200
    newest = ana.get(f"/api/v1/documents/{kept.json()['id']}/file/?small=1")
    assert b"".join(photo) == b"".join(newest)


def test_the_agenda_holds_what_touches_a_span_with_its_clashes(
    ana: APIClient, cast: factories.Cast
) -> None:
    visits = [
        factories.AppointmentFactory.create(
            journey=factories.JourneyFactory.create(household=cast.household, asset=cast.dvr),
            supplier=cast.skyline,
            start=f"2026-11-{day}T08:00:00Z",
            end=f"2026-11-{day}T12:00:00Z",
        )
        for day in (12, 13, 13)
    ]
    span = "from=2026-11-13T00:00:00Z&until=2026-11-14T00:00:00Z"
    shown = ana.get(f"/api/v1/calendar/agenda/?{span}").json()
    assert {row["id"] for row in shown} == {str(visit.uuid) for visit in visits[1:]}
    assert [row["clashes_with"] for row in shown] == [[cast.skyline.name]] * 2
    for wrong in ("", "from=x&until=y", "from=2026-11-13T00:00:00Z&until=2020-01-01T00:00:00Z"):
        assert ana.get(f"/api/v1/calendar/agenda/?{wrong}").status_code == 400
    assert app_of(cast.mallory).get(f"/api/v1/calendar/agenda/?{span}").json() == []


def test_what_went_out_is_read_word_for_word_but_no_code(
    ana: APIClient, cast: factories.Cast
) -> None:
    told = factories.NotificationFactory.create(
        journey=factories.JourneyFactory.create(household=cast.household), owner=cast.ana
    )
    sent = factories.DeliveryFactory.create(notification=told)
    factories.DeliveryFactory.create(notification=told, purpose="code")
    (row,) = ana.get("/api/v1/deliveries/").json()["results"]
    assert (row["id"], row["text"]) == (str(sent.uuid), sent.text)
    assert ids(ana.get("/api/v1/deliveries/?channel=email")) == []
    assert Delivery.objects.filter(kind=ChannelKind.SMS).count() == 2


def test_lists_are_narrowed_to_what_they_belong_to(ana: APIClient, cast: factories.Cast) -> None:
    mine, other = (
        factories.JourneyFactory.create(
            household=cast.household, asset=asset, suppliers=[supplier.pk]
        )
        for asset, supplier in (
            (cast.dvr, cast.skyline),
            (None, factories.SupplierFactory.create()),
        )
    )
    contact = factories.ContactFactory.create(
        household=cast.household, asset=cast.dvr, supplier=cast.skyline, outcome=Outcome.SHOWN
    )
    Link.objects.create(household=cast.household, contact=contact, journey=mine, rule="key")
    assert ids(ana.get(f"/api/v1/journeys/?asset={cast.dvr.uuid}")) == [str(mine.uuid)]
    assert ids(ana.get(f"/api/v1/journeys/?supplier={cast.skyline.uuid}")) == [str(mine.uuid)]
    assert ids(ana.get(f"/api/v1/contacts/?journey={mine.uuid}")) == [str(contact.uuid)]
    assert ids(ana.get(f"/api/v1/contacts/?journey={other.uuid}")) == []
    assert ids(ana.get(f"/api/v1/mandates/?supplier={cast.skyline.uuid}")) == [
        str(cast.mandate.uuid)
    ]
    assert ids(ana.get(f"/api/v1/assets/?household={cast.mallory_household.uuid}")) == []


@pytest.mark.parametrize(
    "address",
    ["journeys/?state=ajar", "journeys/?asset=x", "contacts/?outcome=loud", "documents/?kind=x"],
)
def test_a_filter_that_is_no_word_or_id_is_a_problem(ana: APIClient, address: str) -> None:
    answer = ana.get(f"/api/v1/{address}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_journey_says_whom_to_call_and_what_was_decided(db: None) -> None:
    owner = played()
    app, journey = app_of(owner), Journey.objects.get()
    address = f"/api/v1/journeys/{journey.uuid}/"
    shown = app.get(address).json()
    assert shown["household"] == str(journey.household.uuid)
    assert shown["call"]["who"] == "Skyline TV"
    card = f"/api/v1/feed/{shown['card']}/actions/"
    before = shown["decisions"]
    replied = app.post(f"{card}reply/", {"text": "Call before you come."})
    assert replied.status_code == 200, replied.content
    decision, *rest = app.get(address).json()["decisions"]
    assert (decision["name"], decision["by"], rest) == ("reply", str(owner.uuid), before)
    assert app.post(f"{card}undo/", {"decision": decision["id"]}).status_code == 200
    assert app.get(address).json()["decisions"] == before


def test_a_demo_household_is_opened_once_and_gone_in_one_tap(
    ana: APIClient, cast: factories.Cast
) -> None:
    assert ana.get("/api/v1/demo/").json() == {"household": None}
    opened = [ana.post("/api/v1/demo/").json()["household"] for _ in range(2)]
    assert opened[0] == opened[1]
    assert ana.get(f"/api/v1/households/{opened[0]}/").json()["is_demo"] is True
    assert ana.delete("/api/v1/demo/").status_code == 204
    assert ana.delete("/api/v1/demo/").status_code == 204
    assert demo_home.of(cast.ana) is None
    assert Household.objects.for_owner(cast.ana).count() == 1
