"""Steps in an asset's life, taken and taken back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from assets import holdings, passages, places, register
from assets.choices import CoverageKind, CoverageState, Lifecycle, PriceKind, Source
from assets.lifecycle import Step, StepError
from assets.models import Asset, CostEntry, Coverage, Issue, Loan, Loss, ServiceRecord
from assets.undos import UNDOS
from owners import undoing
from owners.undo import latest
from tests import factories

NOW = datetime(2026, 11, 9, 13, 0, tzinfo=UTC)
TODAY = date(2026, 11, 9)


def step(cast: factories.Cast, asset: Asset, which: Step, **said: object):
    change = passages.take(asset=asset, step=which, said=said, owner=cast.ana, now=NOW)
    asset.refresh_from_db()
    return change


def undo(cast: factories.Cast, change) -> None:
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)


def planned(cast: factories.Cast) -> Asset:
    values = {"name": "Heat pump", "lifecycle": Lifecycle.PLANNED}
    return register.add(household=cast.household, values=values, now=NOW, owner=cast.ana)


def test_a_thing_is_ordered_received_and_used_with_its_guarantee(cast: factories.Cast) -> None:
    cast.household.country = "DE"
    cast.household.save()
    pump = planned(cast)
    with pytest.raises(StepError):
        step(cast, pump, Step.ORDER, seller="Nordvarme")
    pump.refresh_from_db()
    assert pump.lifecycle == Lifecycle.PLANNED
    step(cast, pump, Step.ORDER, seller="Nordvarme", amount=Decimal(900), currency="eur")
    assert pump.acquisition.total == 900
    assert pump.acquisition.currency == "EUR"
    received = step(cast, pump, Step.RECEIVE)
    pump.acquisition.refresh_from_db()
    assert pump.acquisition.return_by == TODAY + timedelta(days=14)
    cover = Coverage.objects.get(asset=pump)
    assert (cover.kind, cover.obligor) == (CoverageKind.LEGAL_GUARANTEE, "Nordvarme")
    assert cover.ends_on == date(2028, 11, 8)
    undo(cast, received)
    pump.refresh_from_db()
    assert pump.lifecycle == Lifecycle.ORDERED
    assert not Coverage.objects.filter(asset=pump).exists()
    step(cast, pump, Step.RECEIVE)
    step(cast, pump, Step.PUT_IN_USE)
    assert (pump.lifecycle, pump.in_service_on) == (Lifecycle.ACTIVE, TODAY)


def test_a_repair_closes_its_fault_with_cost_work_and_guarantee(cast: factories.Cast) -> None:
    step(cast, cast.dvr, Step.REPORT_FAULT, fault="Stops recording")
    step(cast, cast.dvr, Step.START_REPAIR, provider="Skyline TV", is_taken_away=True)
    assert cast.dvr.custody == "with_provider"
    change = step(cast, cast.dvr, Step.FINISH_REPAIR, work="New disk", amount=Decimal("49.00"),
                  currency="USD", months=6)  # fmt: skip
    assert Issue.objects.get().status == "resolved"
    assert ServiceRecord.objects.get().cost == CostEntry.objects.get()
    assert Coverage.objects.get().kind == CoverageKind.REPAIR_WARRANTY
    undo(cast, change)
    assert Issue.objects.get().status == "in_progress"
    assert not ServiceRecord.objects.exists()
    assert not CostEntry.objects.exists()
    assert not Coverage.objects.exists()


def test_what_is_lent_comes_back_or_is_stolen(cast: factories.Cast) -> None:
    step(cast, cast.dvr, Step.LEND, borrower="Ben", due_on=TODAY + timedelta(days=7))
    assert Loan.objects.get().back_on is None
    step(cast, cast.dvr, Step.STEAL, report_no="PD-77", reported_to="NYPD")
    assert Loan.objects.get().back_on == TODAY
    assert Loss.objects.get().report_no == "PD-77"
    step(cast, cast.dvr, Step.FIND)
    assert Loss.objects.get().found_on == TODAY
    step(cast, cast.dvr, Step.LOSE)
    change = step(cast, cast.dvr, Step.END, reason="lost")
    assert (cast.dvr.lifecycle, cast.dvr.end_reason) == (Lifecycle.ENDED, "lost")
    undo(cast, change)
    cast.dvr.refresh_from_db()
    assert (cast.dvr.lifecycle, cast.dvr.custody, cast.dvr.ended_on) == ("active", "lost", None)


def test_a_sale_ends_covers_and_counts_what_came_in(cast: factories.Cast) -> None:
    values = {"kind": CoverageKind.INSURANCE, "starts_on": TODAY, "is_lifetime": True}
    cover = holdings.cover(asset=cast.dvr, values=values, now=NOW, owner=cast.ana)
    change = step(cast, cast.dvr, Step.END, reason="sold", amount=Decimal(80), currency="USD")
    cover.refresh_from_db()
    assert cover.state == CoverageState.EXPIRED
    assert holdings.totals(cast.dvr) == [("USD", Decimal(-80))]
    undo(cast, change)
    cover.refresh_from_db()
    assert cover.state == CoverageState.ACTIVE
    assert holdings.totals(cast.dvr) == []


def test_a_price_is_its_lines_and_a_discount_makes_it_less(cast: factories.Cast) -> None:
    lines = [
        (PriceKind.NET, Decimal(100), ""),
        (PriceKind.TAX, Decimal("19.00"), "VAT 19 %"),
        (PriceKind.DISCOUNT, Decimal(10), "Voucher"),
    ]
    bought = holdings.acquire(
        asset=cast.dvr, values={"seller": "Shop", "currency": "EUR"}, lines=lines, now=NOW,
        owner=cast.ana,
    )  # fmt: skip
    assert bought.total == Decimal("109.00")
    holdings.acquire(asset=cast.dvr, values={"seller": "Other"}, lines=[], now=NOW, owner=cast.ana)
    change = latest(kind=holdings.ACQUIRED, subject=cast.dvr.uuid)
    assert change is not None
    undo(cast, change)
    bought.refresh_from_db()
    assert (bought.seller, bought.total) == ("Shop", Decimal("109.00"))


def test_money_without_a_currency_is_refused(cast: factories.Cast) -> None:
    with pytest.raises(holdings.HoldingError) as refused:
        holdings.spend(asset=cast.dvr, values={"on": TODAY, "amount": Decimal(1), "currency": "€"},
                       now=NOW)  # fmt: skip
    assert refused.value.field == "currency"


def test_every_version_keeps_who_stated_it(cast: factories.Cast) -> None:
    register.change(asset=cast.dvr, values={"model": "X9"}, source=Source.SUPPLIER)
    register.edit(asset=cast.dvr, values={"model": "X10"}, owner=cast.ana, now=NOW)
    history = Asset.pgh_event_model.objects.filter(pgh_obj=cast.dvr).order_by("pgh_id")  # type: ignore[attr-defined]  # django-pghistory adds it
    stated = list(history.values_list("model", "source", "written_by"))[-2:]
    assert stated == [("X9", "supplier", None), ("X10", "self", cast.ana.pk)]


def test_a_thing_is_never_part_of_itself(cast: factories.Cast) -> None:
    box = register.add(household=cast.household, values={"name": "Box"}, now=NOW)
    disk = register.add(household=cast.household, values={"name": "Disk", "parent": box}, now=NOW)
    with pytest.raises(register.ParentError):
        register.change(asset=box, values={"parent": disk})
    with pytest.raises(register.ParentError):
        register.change(asset=box, values={"parent": box})
    foreign = factories.AssetFactory()
    with pytest.raises(register.ParentError):
        register.change(asset=box, values={"parent": foreign})


def test_a_place_moves_with_all_that_lies_inside(cast: factories.Cast) -> None:
    register.change(asset=cast.dvr, values={"place": "House/ Cellar  /Shelf 2"})
    values = {"name": "Saw", "place": "House / Cellars"}
    other = register.add(household=cast.household, values=values, now=NOW)
    assert cast.dvr.place == "House / Cellar / Shelf 2"
    change = places.move(household=cast.household, old="House / Cellar", new="Barn", owner=cast.ana,
                         now=NOW)  # fmt: skip
    cast.dvr.refresh_from_db()
    other.refresh_from_db()
    assert (cast.dvr.place, other.place) == ("Barn / Shelf 2", "House / Cellars")
    with pytest.raises(places.PlaceError):
        places.move(
            household=cast.household, old="Barn", new="Barn / Inner", owner=cast.ana, now=NOW
        )
    undo(cast, change)
    cast.dvr.refresh_from_db()
    assert cast.dvr.place == "House / Cellar / Shelf 2"


def test_tags_and_own_fields_are_changed_and_put_back(cast: factories.Cast) -> None:
    field = cast.household.custom_fields.create(name="Colour", type="choice", choices=["red"])
    values = {"custom": {str(field.uuid): "red"}}
    register.edit(asset=cast.dvr, values=values, tags=["Loft", "loft "], owner=cast.ana, now=NOW)
    assert [name.casefold() for name in register.tags_of(cast.dvr)] == ["loft"]
    with pytest.raises(register.CustomError):
        register.change(asset=cast.dvr, values={"custom": {str(field.uuid): "blue"}})
    change = register.edit(asset=cast.dvr, values={"custom": {str(field.uuid): None}}, tags=[],
                           owner=cast.ana, now=NOW)  # fmt: skip
    assert (cast.dvr.custom, register.tags_of(cast.dvr)) == ({}, [])
    undo(cast, change)
    cast.dvr.refresh_from_db()
    assert cast.dvr.custom == {str(field.uuid): "red"}
    assert len(register.tags_of(cast.dvr)) == 1
