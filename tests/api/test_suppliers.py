"""Assets, suppliers and mandates for apps."""

from rest_framework.test import APIClient

from assets.models import Asset
from owners.choices import Rank
from suppliers.models import Mandate, Supplier
from tests import factories
from tests.api.conftest import app_of

NOWHERE = "00000000-0000-4000-8000-000000000000"


def test_an_asset_is_added_with_its_identifiers(ana: APIClient, cast: factories.Cast) -> None:
    given = {
        "household": str(cast.household.uuid),
        "name": "Boiler",
        "kind": "heating",
        "keeper": str(cast.ana.uuid),
        "identifiers": [{"scheme": "serial", "value": "AB-12 34"}],
    }
    answer = ana.post("/api/v1/assets/", given)
    assert answer.status_code == 201
    row = answer.json()
    [named] = row["identifiers"]
    row["identifiers"] = [{name: named[name] for name in ("scheme", "value")}]
    assert {name: row[name] for name in given} == given
    assert Asset.objects.get(uuid=row["id"]).identifiers.get().folded == "AB1234"


def test_identifiers_given_are_all_that_stay(ana: APIClient, cast: factories.Cast) -> None:
    address = f"/api/v1/assets/{cast.dvr.uuid}/"
    kept = cast.dvr.identifiers.get().pk
    same = [{"scheme": "serial", "value": "r15-204477"}]
    ana.patch(address, {"identifiers": same})
    assert cast.dvr.identifiers.get().pk == kept, "the same serial is the same row"
    ana.patch(address, {"lifecycle": "ended"})
    assert cast.dvr.identifiers.count() == 1, "what is not given stays"
    ana.patch(address, {"identifiers": []})
    assert cast.dvr.identifiers.count() == 0


def test_a_keeper_is_a_member_of_the_household(ana: APIClient, cast: factories.Cast) -> None:
    address = f"/api/v1/assets/{cast.dvr.uuid}/"
    elsewhere = factories.MembershipFactory.create(owner=cast.ana).household
    there = factories.MembershipFactory.create(household=elsewhere).owner
    answers = [
        ana.patch(address, {"keeper": str(uuid)})
        for uuid in (cast.mallory.uuid, there.uuid, NOWHERE)
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.content for answer in answers}) == 1


def test_read_only_fields_of_an_asset_stay(ana: APIClient, cast: factories.Cast) -> None:
    address = f"/api/v1/assets/{cast.dvr.uuid}/"
    before = ana.get(address).json()
    sent = {
        "id": NOWHERE,
        "household": str(cast.mallory_household.uuid),
        "created_at": "2001-01-01T00:00:00Z",
    }
    assert ana.patch(address, sent).json() == before


def test_the_lists_show_what_serves_the_household(ana: APIClient, cast: factories.Cast) -> None:
    factories.SupplierFactory.create(name="Other TV")
    rows = ana.get("/api/v1/suppliers/").json()["results"]
    assert [row["name"] for row in rows] == ["Skyline TV"]
    assert rows[0]["domains"] == ["skyline.example"]
    assert rows[0]["roles"] == [{"asset": str(cast.dvr.uuid), "kind": "utility"}]
    mandate = ana.get("/api/v1/mandates/").json()["results"][0]
    assert (mandate["alias"], mandate["owner_ref"]) == (cast.alias, cast.mandate.owner_ref)


def test_what_one_household_notes_of_a_supplier_stays_there(
    mallory: APIClient, cast: factories.Cast
) -> None:
    factories.SupplierDomainFactory.create(
        supplier=cast.skyline, household=cast.household, domain="noted.example"
    )
    factories.SupplierNumberFactory.create(
        supplier=cast.skyline, household=cast.household, number="+12125550177"
    )
    row = mallory.get(f"/api/v1/suppliers/{cast.skyline.uuid}/").json()
    assert (row["domains"], row["numbers"]) == (["skyline.example"], ["+18005550199"])
    assert row["roles"] == []


def test_verified_suppliers_are_found_and_private_ones_are_not(
    mallory: APIClient, cast: factories.Cast
) -> None:
    private = factories.SupplierFactory.create(name="Skyline cousin")
    factories.MandateFactory.create(household=cast.household, supplier=private)
    rows = mallory.get("/api/v1/suppliers/?q=skyline").json()["results"]
    assert [row["name"] for row in rows] == ["Skyline TV"]
    assert mallory.get(f"/api/v1/suppliers/{private.uuid}/").status_code == 404
    given = {"household": str(cast.mallory_household.uuid), "supplier": str(private.uuid)}
    answer = mallory.post("/api/v1/mandates/", given)
    unknown = mallory.post("/api/v1/mandates/", given | {"supplier": NOWHERE})
    assert (answer.status_code, answer.content) == (400, unknown.content)


def test_an_owner_notes_a_supplier_nobody_knows(ana: APIClient, cast: factories.Cast) -> None:
    given = {
        "household": str(cast.household.uuid),
        "name": "Joe the plumber",
        "numbers": ["+1 212 555 0188"],
        "domains": ["Joe.example"],
    }
    answer = ana.post("/api/v1/suppliers/", given)
    assert answer.status_code == 201
    assert (answer.json()["numbers"], answer.json()["domains"]) == (
        ["+12125550188"],
        ["joe.example"],
    )
    supplier = Supplier.objects.get(uuid=answer.json()["id"])
    assert supplier.verified_at is None
    assert supplier.domains.get().household == cast.household
    assert supplier.mandates.get().purposes == ["service", "billing"]


def test_a_mandate_is_given_changed_paused_and_ended(ana: APIClient, cast: factories.Cast) -> None:
    other = factories.SupplierFactory.create(name="Insurer", verified_at=factories.START)
    given = {
        "household": str(cast.household.uuid),
        "supplier": str(other.uuid),
        "purposes": ["billing"],
        "assets": [str(cast.dvr.uuid)],
    }
    made = ana.post("/api/v1/mandates/", given).json()
    assert {name: made[name] for name in given} == given
    again = ana.post("/api/v1/mandates/", given)
    assert (again.status_code, again.json()["code"]) == (409, "exists")
    address = f"/api/v1/mandates/{made['id']}/"
    changed = ana.patch(address, {"state": "paused", "purposes": [], "assets": []}).json()
    assert (changed["state"], changed["purposes"], changed["assets"]) == ("paused", [], [])
    assert ana.patch(address, {"state": "ended"}).status_code == 400
    assert ana.delete(address).json()["state"] == "ended"
    assert ana.patch(address, {"state": "active"}).json()["code"] == "ended"
    assert ana.post("/api/v1/mandates/", given).status_code == 201, "a new one may follow"


def test_mandates_are_for_admins(cast: factories.Cast) -> None:
    ben = factories.OwnerFactory.create()
    factories.MembershipFactory.create(household=cast.household, owner=ben, rank=Rank.MEMBER)
    app, address = app_of(ben), f"/api/v1/mandates/{cast.mandate.uuid}/"
    assert app.get(address).status_code == 200
    assert app.delete(address).status_code == 403
    assert app.patch(address, {"state": "paused"}).status_code == 403
    assert Mandate.objects.get().state == "active"


def test_a_mandate_covers_only_the_households_own_assets(
    ana: APIClient, cast: factories.Cast
) -> None:
    theirs = factories.AssetFactory.create(household=cast.mallory_household)
    address = f"/api/v1/mandates/{cast.mandate.uuid}/"
    answer = ana.patch(address, {"assets": [str(theirs.uuid)]})
    unknown = ana.patch(address, {"assets": [NOWHERE]})
    assert (answer.status_code, answer.content) == (400, unknown.content)
    boat = factories.MembershipFactory.create(owner=cast.ana).household
    other = factories.AssetFactory.create(household=boat)
    assert ana.patch(address, {"assets": [str(other.uuid)]}).status_code == 400
    assert list(cast.mandate.assets.all()) == [cast.dvr]
