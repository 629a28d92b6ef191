"""What owning came to, its contracts, and the list for the insurer."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets import claims, costing, faults, holdings, inventory, metering, radar, worth
from assets.choices import CostCategory, PriceKind
from assets.cover_words import Basis, ClaimState, ContractKind, Method
from assets.models import Asset, Contract, Fee, ValuePlan
from assets.undos import UNDOS
from owners import clock, undoing
from tests import factories
from tests.api.conftest import app_of

NOW = datetime(2026, 11, 9, 13, 0, tzinfo=UTC)
DAY = date(2026, 11, 9)


def undo(cast: factories.Cast, change: Any) -> None:
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)


def priced(asset: Asset, amount: str = "1000", on: date = date(2025, 11, 9)) -> None:
    holdings.acquire(
        asset=asset,
        values={"delivered_on": on, "currency": "USD", "seller": "=cmd()"},
        lines=[(PriceKind.GROSS, Decimal(amount), "")],
        now=NOW,
    )


def fresh(cast: factories.Cast) -> Asset:
    return Asset.objects.select_related("household").get(pk=cast.dvr.pk)


def test_an_account_takes_price_costs_and_fees_together(cast: factories.Cast) -> None:
    priced(cast.dvr)
    said = {"life_months": 24, "salvage": Decimal(100)}
    worth.plan(asset=cast.dvr, values=said, owner=cast.ana, now=NOW)
    cost = {"on": date(2026, 2, 1), "amount": Decimal(60), "currency": "USD"}
    holdings.spend(asset=cast.dvr, values=cost | {"category": CostCategory.REPAIR}, now=NOW)
    terms = {"kind": ContractKind.SUBSCRIPTION, "party": "Skyline", "starts_on": date(2026, 1, 1)}
    fee = {"since": date(2026, 1, 1), "amount": Decimal(10), "currency": "USD", "months": 1}
    contract, _made = worth.agree(
        asset=cast.dvr, values=terms | {"fee": fee}, owner=cast.ana, now=NOW
    )
    raised = {"since": date(2026, 7, 1), "amount": Decimal(12), "currency": "USD", "months": 1}
    worth.change(contract=contract, values={"fee": raised}, owner=cast.ana, now=NOW)
    found = worth.account(fresh(cast), today=DAY)
    # 900 over the 730 days of two years, of which 365 are over: 450. Fees: 6 x 10 and 5 x 12.
    sums = found.whole["USD"]
    assert sums.depreciation == 450
    assert sums.running == {CostCategory.REPAIR: 60, CostCategory.SUBSCRIPTION: 120}
    assert sums.total == 630
    assert found.value == 550
    per_day = found.per_day("USD")
    assert per_day is not None
    assert round(per_day, 4) == round(Decimal(630) / 366, 4)


def test_use_is_counted_over_a_replaced_meter(cast: factories.Cast) -> None:
    priced(cast.dvr)
    meter = metering.add(asset=cast.dvr, values={"name": "Hours", "unit": "h"}, now=NOW)
    for day, value in ((date(2025, 12, 1), 0), (date(2026, 6, 1), 300)):
        metering.read(meter=meter, value=Decimal(value), read_on=day, now=NOW)
    said = {"method": Method.UNITS, "life_units": Decimal(1200), "meter": meter}
    worth.plan(asset=cast.dvr, values=said, owner=cast.ana, now=NOW)
    found = worth.account(fresh(cast), today=DAY)
    assert found.value == 750
    assert found.per_unit("USD") == Decimal(250) / 300


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"method": Method.DECLINING}, "rate"),
        ({"method": Method.UNITS}, "life_units"),
        ({"rate": Decimal(1)}, "rate"),
        ({"salvage": Decimal(-1)}, "salvage"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    cast: factories.Cast, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(holdings.HoldingError) as refused:
        worth.plan(asset=cast.dvr, values=values, owner=cast.ana, now=NOW)
    assert refused.value.field == field
    assert not ValuePlan.objects.exists()


@pytest.mark.parametrize(
    ("ends", "notice", "renews", "cancel_by"),
    [
        ("2026-12-31", 30, None, "2026-12-01"),
        ("2026-06-30", 30, None, "2026-05-31"),  # missed: it stays where it was
        ("2026-06-30", 30, 12, "2027-05-31"),  # of the term that runs now
        ("2026-12-31", None, 12, None),
        (None, 30, None, None),
    ],
)
def test_notice_is_given_before_the_end_of_the_present_term(
    cast: factories.Cast, ends: str | None, notice: int | None, renews: int | None, cancel_by: str
) -> None:
    row = Contract(
        asset=cast.dvr,
        kind=ContractKind.INSURANCE,
        starts_on=date(2025, 7, 1),
        ends_on=ends and date.fromisoformat(ends),
        notice_days=notice,
        renews_months=renews,
    )
    expected = cancel_by and date.fromisoformat(cancel_by)
    assert worth.cancel_by(row, today=DAY) == expected


def test_a_removed_contract_comes_back_with_its_fees(cast: factories.Cast) -> None:
    terms = {"kind": ContractKind.LEASE, "party": "Bank", "starts_on": date(2026, 1, 1)}
    fee = {"since": date(2026, 1, 1), "amount": Decimal(10), "currency": "USD"}
    contract, _made = worth.agree(
        asset=cast.dvr, values=terms | {"fee": fee}, owner=cast.ana, now=NOW
    )
    change = worth.remove(contract=contract, owner=cast.ana, now=NOW)
    assert not Contract.objects.exists()
    undo(cast, change)
    assert Fee.objects.get().contract == Contract.objects.get()


def test_the_list_for_the_insurer_adds_each_currency_up(cast: factories.Cast) -> None:
    priced(cast.dvr)
    lamp = factories.AssetFactory.create(household=cast.household, name="+Lamp", place="Hall")
    holdings.acquire(
        asset=lamp,
        values={"delivered_on": DAY, "currency": "EUR"},
        lines=[(PriceKind.GROSS, Decimal(80), "")],
        now=NOW,
    )
    new = {"on": DAY, "amount": Decimal(90), "currency": "EUR", "basis": Basis.REPLACEMENT}
    worth.value(asset=lamp, values=new, owner=cast.ana, now=NOW)
    factories.AssetFactory.create(household=cast.household, name="Chair")
    found = inventory.of_household(cast.household, now=NOW)
    # A year of ten is over, which had 365 of 3652 days.
    assert found.values == {"EUR": 80, "USD": Decimal("900.05")}
    assert (found.replacements, found.unvalued) == ({"EUR": Decimal(90)}, 1)
    rows = list(csv.DictReader(io.StringIO(inventory.as_csv(found))))
    named = {row["name"]: row for row in rows}
    assert "'+Lamp" in named
    assert named[cast.dvr.name]["seller"] == "'=cmd()"
    assert [row["value"] for row in rows if row["place"] == "TOTAL"] == ["80", "900.05"]
    assert inventory.paper(found).startswith(b"%PDF")


def test_a_long_list_takes_as_few_queries_as_a_short_one(cast: factories.Cast) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            inventory.of_household(cast.household, now=NOW)
        return len(seen)

    priced(cast.dvr)
    before = queries()
    for _number in range(20):
        priced(factories.AssetFactory.create(household=cast.household))
    assert queries() == before


def test_what_passes_unless_one_acts_stands_in_order(cast: factories.Cast, client: Client) -> None:
    holdings.acquire(asset=cast.dvr, values={"return_by": date(2026, 11, 20)}, now=NOW)
    guarantee = {"kind": "commercial_guarantee", "obligor": "Skyline"}
    days = {"ends_on": date(2027, 1, 31), "register_by": date(2026, 12, 1)}
    cover = holdings.cover(asset=cast.dvr, values=guarantee | days, now=NOW)
    gone = {"kind": "insurance", "ends_on": date(2026, 9, 1)}
    holdings.cover(asset=cast.dvr, values=gone, now=NOW)
    void = {"kind": "insurance", "ends_on": date(2027, 1, 1), "state": "voided"}
    holdings.cover(asset=cast.dvr, values=void, now=NOW)
    terms = {"kind": "subscription", "party": "Sky", "starts_on": date(2025, 1, 1)}
    end = {"ends_on": date(2026, 12, 31), "notice_days": 30, "renews_months": 12}
    worth.agree(asset=cast.dvr, values=terms | end, owner=cast.ana, now=NOW)
    said = {"kind": "insurance", "obligor": "Safe", "answer_by": date(2026, 11, 1)}
    claim, _made = claims.make(asset=cast.dvr, values=said, owner=cast.ana, now=NOW)
    sent = {"filed_on": date(2026, 10, 1)}
    claims.move(claim=claim, state=ClaimState.SUBMITTED, values=sent, owner=cast.ana, now=NOW)
    rows = radar.of_owner(cast.ana, today=DAY)
    assert [(row.kind, row.on.isoformat()) for row in rows] == [
        ("claim", "2026-11-01"),
        ("return", "2026-11-20"),
        ("notice", "2026-12-01"),
        ("register", "2026-12-01"),
        ("guarantee", "2027-01-31"),
    ]
    assert radar.of_owner(cast.mallory, today=DAY) == []
    values = {"registered_on": DAY}
    holdings.change_cover(coverage=cover, values=values, owner=cast.ana, now=NOW)
    assert "register" not in {row.kind for row in radar.of_owner(cast.ana, today=DAY)}
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert "use it before" in client.get("/deadlines/").content.decode()
    listed = app_of(cast.ana).get("/api/v1/deadlines/").json()
    assert "guarantee" in {row["kind"] for row in listed}


def test_the_pages_and_files_open(cast: factories.Cast, client: Client) -> None:
    priced(cast.dvr)
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    here = f"/assets/{cast.dvr.uuid}"
    terms = {"kind": "lease", "party": "Bank", "starts_on": "2026-01-01", "ends_on": "2030-12-31"}
    money = {"fee": "99", "currency": "USD", "months": "1", "notice_days": "30"}
    client.post(f"{here}/contracts/add/", terms | money)
    client.post(f"{here}/values/add/", {"on": "2026-01-01", "amount": "800", "currency": "USD", "basis": "market"})  # fmt: skip  # noqa: E501
    shown = client.get(f"{here}/worth/?years=4&repair=900&price=2400").content.decode()
    assert "Lease: Bank" in shown
    assert "Dec. 1, 2030" in shown or "1 December 2030" in shown
    assert "600" in shown
    contract = Contract.objects.get()
    assert client.get(f"/contracts/{contract.uuid}/").status_code == 200
    assert client.get(f"{here}/worth/plan/").status_code == 200
    assert "2026,USD" in client.get(f"{here}/worth/costs.csv").content.decode()
    assert client.get("/inventory/").status_code == 200
    assert client.get("/inventory/list.pdf").content.startswith(b"%PDF")
    assert b"TOTAL" in client.get("/inventory/list.csv").content


def test_apps_ask_what_it_costs(cast: factories.Cast) -> None:
    priced(cast.dvr)
    app = app_of(cast.ana)
    asset = str(cast.dvr.uuid)
    fee = {"since": "2026-01-01", "cost": {"amount": "10", "currency": "USD"}}
    terms = {"asset": asset, "kind": "subscription", "party": "Sky", "starts_on": "2026-01-01"}
    made = app.post("/api/v1/contracts/", terms | {"fee": fee}, format="json")
    assert made.status_code == 201, made.json()
    assert made.json()["fees"][0]["cost"] == {"amount": "10", "currency": "USD"}
    patched = app.patch(
        f"/api/v1/assets/{asset}/worth/", {"method": "declining", "rate": "0.2"}, format="json"
    )
    assert patched.json()["plan"]["method"] == "declining"
    shown = app.get(f"/api/v1/assets/{asset}/worth/").json()
    assert shown["whole"][0]["currency"] == "USD"
    assert shown["whole"][0]["running"]["subscription"] != "0.00"
    value = {"amount": "500", "currency": "USD"}
    said = {"asset": asset, "on": "2026-10-01", "value": value, "basis": "replacement"}
    row = app.post("/api/v1/valuations/", said, format="json").json()
    assert app.delete(f"/api/v1/valuations/{row['id']}/").status_code == 204
    numbers = {"years": 4, "repair": "900", "price": "2400"}
    compared = app.post("/api/v1/repair-or-replace/", numbers, format="json").json()
    assert compared == {"repaired": "225.00", "replaced": "600.00", "is_new_cheaper": False}
    listed = app.get(f"/api/v1/inventory/?household={cast.household.uuid}&form=csv")
    assert listed.content.startswith(b"\xef\xbb\xbfplace,name")


def test_repair_or_replace_begins_with_what_the_record_says(cast: factories.Cast) -> None:
    """By hand: 400 paid two years ago, 10 years of life; 60 of upkeep in those two years.

    A new one costs 500 today; after five of its ten years it is worth 250. Upkeep of 60 in
    730 days is 60 * 5 * 365.25 / 730 = 150.10 in five years. The repair of 120 is paid by
    the maker but for an excess of 20.
    """
    asset, today = cast.dvr, date(2026, 11, 9)
    start = date(2024, 11, 9)
    holdings.acquire(
        asset=asset,
        values={"delivered_on": start, "currency": "USD"},
        lines=[(PriceKind.GROSS, Decimal(400), "")],
        now=NOW,
    )
    spent = {"on": date(2025, 6, 1), "amount": Decimal(60), "currency": "USD"}
    holdings.spend(asset=asset, values=spent | {"category": CostCategory.SERVICE}, now=NOW)
    new = {"on": today, "amount": Decimal(500), "currency": "USD", "basis": "replacement"}
    worth.value(asset=asset, values=new, owner=cast.ana, now=NOW)
    cover = {
        "kind": "commercial_guarantee", "obligor": "Maker", "is_lifetime": True,
        "excess": Decimal(20), "currency": "USD",
    }  # fmt: skip
    holdings.cover(asset=asset, values=cover, now=NOW)
    faults.order(
        asset=asset,
        values={"title": "Mend", "amount": Decimal(120), "currency": "USD"},
        owner=cast.ana,
        now=NOW,
    )
    asset.refresh_from_db()
    found = worth.proposed(asset, today=today)
    assert (found.repair, found.paid_by_cover) == (Decimal(120), Decimal(100))
    assert found.payer == "Maker"
    assert found.price == Decimal(500)
    assert costing.rounded(found.salvage or Decimal(0), "USD") == Decimal(250)
    assert costing.rounded(found.upkeep or Decimal(0), "USD") == Decimal("150.10")
    assert costing.rounded(found.value or Decimal(0), "USD") == Decimal("320.04")
    client = Client()
    client.force_login(cast.ana)
    page = client.get(f"/assets/{asset.uuid}/worth/").content.decode()
    assert 'name="repair" value="120"' in page
    assert "Maker should pay of the repair" in page
    with clock.fixed(NOW):
        got = app_of(cast.ana).get(f"/api/v1/assets/{asset.uuid}/repair-or-replace/").json()
    assert (got["repair"], got["upkeep"], got["payer"]) == ("120.00", "150.10", "Maker")


def test_what_is_not_written_down_is_not_made_up(cast: factories.Cast) -> None:
    found = worth.proposed(cast.dvr, today=date(2026, 11, 9))
    assert (found.repair, found.upkeep, found.price, found.salvage, found.value) == (None,) * 5
