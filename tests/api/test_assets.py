"""An asset's whole life through the API."""

from datetime import timedelta
from typing import Any

from assets.models import Asset, Coverage, Loan
from owners import clock
from tests import factories
from tests.api.conftest import app_of

DVR = "/api/v1/assets/{}/"


def test_a_life_is_lived_by_steps_and_taken_back(cast: factories.Cast) -> None:
    app = app_of(cast.ana)
    where = f"{DVR.format(cast.dvr.uuid)}steps/"
    lend = next(row for row in app.get(where).json() if row["step"] == "lend")
    assert lend["asks"] == ["on", "borrower", "reach", "due_on", "note"]
    refused = app.post(where, {"step": "lend", "borrower": "Ben"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/due_on"
    due = (clock.now().date() + timedelta(days=9)).isoformat()
    said = {"step": "lend", "borrower": "Ben", "due_on": due}
    lent = app.post(where, said)
    assert lent.json()["custody"] == "lent"
    assert app.post(where, said).status_code == 409
    assert app.get("/api/v1/loans/").json()["results"][0]["borrower"] == "Ben"
    undone = app.post(f"/api/v1/undo/{lent['Steward-Undo']}/", {})
    assert undone.status_code == 200
    assert not Loan.objects.exists()
    assert app.get(DVR.format(cast.dvr.uuid)).json()["custody"] == "with_owner"


def test_price_covers_and_costs_are_written_and_read(cast: factories.Cast) -> None:
    app, asset = app_of(cast.ana), str(cast.dvr.uuid)
    lines = [{"kind": "net", "amount": "100"}, {"kind": "discount", "amount": "9.5"}]
    said: dict[str, Any] = {"seller": "Shop", "currency": "EUR", "lines": lines}
    bought = app.patch(f"{DVR.format(asset)}acquisition/", said).json()
    assert (bought["seller"], bought["total"]) == ("Shop", "90.5")
    said = {"asset": asset, "kind": "insurance", "starts_on": "2026-01-01", "months": 12}
    cover = app.post("/api/v1/coverages/", said)
    assert (cover.status_code, cover.json()["ends_on"]) == (201, "2026-12-31")
    here = f"/api/v1/coverages/{cover.json()['id']}/"
    assert app.patch(here, {"obligor": "Alba"}).json()["obligor"] == "Alba"
    assert app.get(f"/api/v1/coverages/?asset={asset}").json()["results"][0]["obligor"] == "Alba"
    assert app.delete(here).status_code == 204
    assert not Coverage.objects.exists()
    said = {"asset": asset, "on": "2026-02-01", "category": "refund",
            "cost": {"amount": "12", "currency": "EUR"}}  # fmt: skip
    cost = app.post("/api/v1/costs/", said).json()
    assert cost["cost"] == {"amount": "-12", "currency": "EUR"}
    assert app.get("/api/v1/costs/?category=refund").json()["results"][0]["id"] == cost["id"]


def test_tags_fields_parts_and_places_are_values_of_an_asset(cast: factories.Cast) -> None:
    app, home = app_of(cast.ana), str(cast.household.uuid)
    said: dict[str, Any] = {"household": home, "name": "Weight", "type": "number"}
    own = app.post("/api/v1/custom-fields/", said).json()["id"]
    said = {"household": home, "name": "Disk", "place": "House/Shelf", "tags": ["loft"],
            "parent": str(cast.dvr.uuid), "custom": {own: "1.50"}, "quantity": 2}  # fmt: skip
    disk = app.post("/api/v1/assets/", said).json()
    assert (disk["place"], disk["tags"], disk["custom"]) == (
        "House / Shelf", ["loft"], {own: "1.50"},
    )  # fmt: skip
    wrong = app.patch(DVR.format(disk["id"]), {"custom": {own: "heavy"}}).json()
    assert wrong["errors"][0]["pointer"] == f"/custom/{own}"
    loop = {"parent": disk["id"]}
    assert app.patch(DVR.format(cast.dvr.uuid), loop).status_code == 400
    assert app.get("/api/v1/assets/?place=House&tag=loft").json()["results"][0]["id"] == disk["id"]
    moved = {"household": home, "place": "House", "to": "Villa"}
    app.post("/api/v1/places/", moved)
    assert "Villa / Shelf" in app.get("/api/v1/places/").json()["places"]
    assert app.get("/api/v1/tags/").json() == {"tags": ["loft"]}
    history = app.get(f"{DVR.format(disk['id'])}history/").json()
    assert {"place", "custom"} <= {row["field"] for row in history}


def test_a_code_is_read_and_a_doubtful_number_only_marked(cast: factories.Cast) -> None:
    app = app_of(cast.ana)
    said = {"code": "(01)09506000134352(21)X1"}
    read = app.post("/api/v1/codes/", said).json()
    assert [(row["scheme"], row["is_valid"]) for row in read["identifiers"]] == [
        ("gtin", True), ("serial", None),
    ]  # fmt: skip
    wrong = {"identifiers": [{"scheme": "imei", "value": "490154203237519"}]}
    kept = app.patch(DVR.format(cast.dvr.uuid), wrong).json()["identifiers"]
    assert kept[0]["is_valid"] is False
    assert kept[0]["warning"]


def test_a_line_says_what_is_due_and_who_does_it(cast: factories.Cast) -> None:
    said = {"line": "boiler service every October, Nordvarme, about 180 EUR"}
    read = app_of(cast.ana).post("/api/v1/assets/line/", said).json()
    assert (read["name"], read["supplier"]) == ("Boiler", "Nordvarme")
    task = {"asset": str(cast.dvr.uuid), "spec": read["care"]}
    made = app_of(cast.ana).post("/api/v1/care-tasks/", task)
    assert made.status_code == 201
    assert Asset.objects.get(pk=cast.dvr.pk).care_tasks.get().provider == "Nordvarme"
