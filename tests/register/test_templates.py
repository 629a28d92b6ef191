"""Templates of the household's own: copied, changed, used where a thing is added, undone."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from assets import caring, metering, starters, templating
from assets.models import Asset, CareTask, Template
from assets.undos import UNDOS
from owners import undo, undoing
from tests import factories
from tests.api.conftest import app_of
from tests.factories import START as NOW
from tests.factories import Cast

pytestmark = pytest.mark.django_db
PUMP = {
    "label": "Heat pump",
    "kind": "heating",
    "words": ["Wärmepumpe", "heatpump"],
    "maker": "Nordvarme",
    "care": {"tasks": [{"name": "Service", "triggers": [{"kind": "calendar", "mode": "floating",
                                                          "every": 1, "unit": "year"}]}]},
}  # fmt: skip


@pytest.fixture
def ana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.ana)
    return client


def own(cast: Cast, **more: object) -> Template:
    row, _change = templating.add(
        household=cast.household, values=PUMP | more, owner=cast.ana, now=NOW
    )
    return row


def test_one_line_finds_the_own_template_and_begins_with_its_care(cast: Cast, ana: Client) -> None:
    row = own(cast)
    answer = ana.post(
        "/assets/add/",
        {"name": "Heatpump in the cellar", "has_care": "on", "household": cast.household.uuid},
    )
    assert answer.status_code == 302, answer.content
    asset = Asset.objects.get(template=row.slug)
    assert (asset.kind, asset.maker, asset.place) == ("heating", "Nordvarme", "cellar")
    assert CareTask.objects.get(asset=asset).name == "Service"


def test_one_of_ours_is_replaced_until_its_own_is_taken_away(cast: Cast) -> None:
    row, _change = templating.add(
        household=cast.household,
        values={"label": "Our boiler", "maker": "Volt"},
        owner=cast.ana,
        now=NOW,
        instead_of="boiler",
    )
    known = templating.known_to([cast.household])
    assert (str(known["boiler"].label), known["boiler"].maker) == ("Our boiler", "Volt")
    assert known["boiler"].care == starters.STARTERS["boiler"].care
    assert str(templating.known_to([cast.mallory_household])["boiler"].label) != "Our boiler"
    change = templating.remove(row=row, owner=cast.ana, now=NOW)
    assert templating.known_to([cast.household])["boiler"].maker == ""
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    assert templating.known_to([cast.household])["boiler"].maker == "Volt"


def test_an_undo_never_makes_two_in_one_place(cast: Cast) -> None:
    said: dict[str, Any] = {
        "household": cast.household,
        "values": {"label": "A"},
        "owner": cast.ana,
        "now": NOW,
    }
    row, _change = templating.add(**said, instead_of="boiler")
    change = templating.remove(row=row, owner=cast.ana, now=NOW)
    templating.add(**said, instead_of="boiler")
    with pytest.raises(undo.UndoError):
        undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)


def test_a_change_is_undone(cast: Cast) -> None:
    row = own(cast)
    change = templating.change(row=row, values={"label": "Pump"}, owner=cast.ana, now=NOW)
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    row.refresh_from_db()
    assert templating.values_of(row)["label"] == "Heat pump"


def test_a_thing_is_a_pattern_with_its_care(cast: Cast) -> None:
    spec = {"name": "Dust it", "triggers": PUMP["care"]["tasks"][0]["triggers"]}  # type: ignore[index]  # of the plan above
    caring.add(asset=cast.dvr, spec=spec | {"last_done_on": "2026-01-02"}, now=NOW)
    values = templating.of_asset(cast.dvr)
    (task,) = values["care"]["tasks"]
    assert (values["maker"], task["name"], "last_done_on" in task) == ("Skyline", "Dust it", False)
    own(cast, **values)  # it can be kept


def test_a_pattern_names_meters_as_any_thing_has_them(cast: Cast) -> None:
    values = {"name": "Hours", "unit": "h", "rolls_over_at": Decimal(10000)}
    metering.add(asset=cast.dvr, values=values, now=NOW)
    by_hours = {"kind": "meter", "meter": "Hours", "every": "200"}
    once = {"kind": "calendar", "mode": "once", "anchor": "2027-01-01"}
    for triggers in ([by_hours], [once], [once, by_hours]):
        caring.add(asset=cast.dvr, spec={"name": "Oil", "triggers": triggers}, now=NOW)
    row = own(cast, **templating.of_asset(cast.dvr))
    other = factories.AssetFactory.create(household=cast.household)
    made = caring.adopt(asset=other, plan=templating.values_of(row)["care"], now=NOW)
    (meter,) = other.meters.all()
    assert meter.rolls_over_at == 10000
    assert [[t["meter"] for t in task.triggers] for task in made] == [[str(meter.uuid)]] * 2


def test_a_thing_made_from_an_own_template_keeps_its_ways(cast: Cast) -> None:
    row = own(cast, icon="flame", scheme="vin")
    cast.dvr.template = row.slug
    values = templating.of_asset(cast.dvr)
    assert (values["icon"], values["scheme"]) == ("flame", "vin")


def test_care_that_cannot_be_is_refused(cast: Cast) -> None:
    with pytest.raises(templating.TemplateError):
        own(cast, care={"tasks": [{"name": "x", "triggers": [{"kind": "never"}]}]})


def test_the_page_keeps_ticks_and_reads_lines(cast: Cast, ana: Client) -> None:
    row = own(cast)
    form = {"label": "Pump", "kind": "heating", "scheme": "serial", "words": "pump, pompa",
            "more": "Rinse the filter every 6 months\nsomething"}  # fmt: skip
    refused = ana.post(f"/assets/templates/{row.uuid}/", form)
    assert refused.status_code == 422
    assert "something" in refused.content.decode()
    done = ana.post(f"/assets/templates/{row.uuid}/", form | {"more": form["more"][:31], "keep": 0})
    assert done.status_code == 302
    row.refresh_from_db()
    names = [task["name"] for task in templating.values_of(row)["care"]["tasks"]]
    assert names == ["Service", "Rinse the filter"]


def test_an_app_makes_changes_and_uses_one(cast: Cast) -> None:
    app = app_of(cast.ana)
    made = app.post(
        "/api/v1/assets/templates/",
        {"household": str(cast.household.uuid), "like": "boiler", "label": "Stove"},
        format="json",
    )
    assert made.status_code == 201, made.json()
    body = made.json()
    assert body["care"] == dict(starters.STARTERS["boiler"].care)
    address = f"/api/v1/assets/templates/{body['id']}/"
    assert app.patch(address, {"maker": "Volt"}, format="json").json()["maker"] == "Volt"
    assert app.get("/api/v1/assets/templates/").json()[0]["id"] == body["id"]
    asset = {"household": str(cast.household.uuid), "name": "Stove", "template": body["template"]}
    assert app.post("/api/v1/assets/", asset, format="json").status_code == 201
    unknown = asset | {"template": "own-nobodys"}
    assert app.post("/api/v1/assets/", unknown, format="json").status_code == 400
    assert app.delete(address).status_code == 204
    assert app_of(cast.mallory).get(address).status_code == 404
