"""What is brought in: shown first, written once, cancelled and undone without trace."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from assets import import_writing, importing, register, vault
from assets.choices import AssetKind, Lifecycle, Source
from assets.importers.questions import AnswerError
from assets.importers.words import ImportState, RowState
from assets.models import (
    Acquisition,
    Asset,
    AssetIdentifier,
    CareTask,
    CostEntry,
    Coverage,
    CustomField,
    Findable,
    Import,
    Imported,
    ImportRow,
    MeterReading,
    Part,
    ServiceRecord,
    Tag,
)
from assets.undos import UNDOS
from owners import undo, undoing
from owners.models import Change
from tests import factories
from tests.imports import samples
from tests.imports.flow import LATER, NOW, begun, brought, checked, drain

pytestmark = pytest.mark.django_db


def fixed(now: datetime) -> datetime:
    """Return the hour that is given: a clock that stands."""
    return now


def census() -> dict[str, int]:
    """Return how many rows there are of all that an import may make."""
    models: list[Any] = [
        Asset, Asset.pgh_event_model, AssetIdentifier, AssetIdentifier.pgh_event_model,  # type: ignore[attr-defined]
        Acquisition, Acquisition.pgh_event_model, Coverage, Coverage.pgh_event_model,  # type: ignore[attr-defined]
        CostEntry, CostEntry.pgh_event_model, Tag, CustomField, Findable, ServiceRecord,  # type: ignore[attr-defined]
        MeterReading, CareTask, Part, Imported, ImportRow, Change,
    ]  # fmt: skip
    return {model.__name__: model.objects.count() for model in models}


def test_a_file_is_read_asked_about_shown_and_only_then_written(cast: factories.Cast) -> None:
    before = Asset.objects.count()
    run = begun(cast, samples.HOMEBOX_OLD)
    assert (run.state, run.form) == (ImportState.ASKING, "homebox")
    assert importing.standing_of(run).open == ("currency",)
    importing.answer(run=run, said={"currency": "EUR"}, now=NOW)
    drain()
    run.refresh_from_db()
    assert run.state == ImportState.READY
    assert run.plan["makes"] == {"assets": 2, "coverages": 1, "costs": 1}
    assert run.bad == 1
    assert Asset.objects.count() == before
    importing.start(run=run, now=NOW)
    drain()
    run.refresh_from_db()
    assert (run.state, run.made) == (
        ImportState.DONE,
        {"assets": 2, "coverages": 1, "costs": 1},
    )
    boiler = Asset.objects.get(name="Boiler")
    assert (boiler.place, boiler.kind, boiler.source) == (
        "House / Cellar",
        AssetKind.HEATING,
        Source.IMPORTED,
    )
    assert set(boiler.tags.values_list("name", flat=True)) == {"heating", "gas"}
    assert boiler.acquisition.total == Decimal("1899.50")
    assert boiler.acquisition.seller == "Nordvarme"
    assert boiler.identifiers.count() == 2
    drill = Asset.objects.get(name="Old drill")
    assert (drill.lifecycle, str(drill.ended_on)) == (Lifecycle.ENDED, "2024-05-01")
    assert drill.costs.get().amount == Decimal(-15)
    assert Findable.objects.filter(object=boiler.uuid).exists()


def test_rows_that_are_left_out_say_why_and_stay_to_be_looked_at(cast: factories.Cast) -> None:
    run = brought(cast, samples.HOMEBOX_OLD, currency="EUR")
    (row,) = run.rows.all()
    assert (row.state, row.fault, row.number) == (RowState.BAD, "year", 4)
    assert (row.column, row.said) == ("HB.purchase_time", "0202-01-01")


def test_the_same_file_again_makes_nothing(cast: factories.Cast) -> None:
    brought(cast, samples.HOMEBOX_OLD, currency="EUR")
    count = Asset.objects.count()
    again = checked(cast, samples.HOMEBOX_OLD, currency="EUR")
    assert (again.known, again.bad) == (2, 1)
    importing.start(run=again, now=NOW)
    drain()
    again.refresh_from_db()
    assert (again.state, again.made) == (ImportState.DONE, {})
    assert Asset.objects.count() == count


def test_equal_rows_are_different_things_and_still_known_again(cast: factories.Cast) -> None:
    text = "Name,Room\nChair,Kitchen\nChair,Kitchen\nTable,Kitchen\n"
    brought(cast, text, kind="things")
    assert Asset.objects.filter(name="Chair").count() == 2
    again = checked(cast, text + "Chair,Kitchen\n", kind="things")
    assert again.known == 3
    importing.start(run=again, now=NOW)
    drain()
    assert Asset.objects.filter(name="Chair").count() == 3


def test_what_was_erased_since_may_come_again(cast: factories.Cast) -> None:
    brought(cast, samples.HOMEBOX_OLD, currency="EUR")
    Asset.objects.get(name="Boiler").delete()
    again = checked(cast, samples.HOMEBOX_OLD, currency="EUR")
    assert again.known == 1


def test_a_cancel_in_the_middle_leaves_nothing(cast: factories.Cast) -> None:
    before = census()
    run = checked(cast, samples.many(300), currency="EUR")
    importing.start(run=run, now=NOW)
    importing.work_due(lambda: NOW, seconds=0.0001)  # one lot
    run.refresh_from_db()
    assert 0 < run.rows_done < 300
    assert Asset.objects.count() > before["Asset"]
    importing.cancel(run=run, now=NOW)
    drain()
    run.refresh_from_db()
    assert run.state == ImportState.CANCELLED
    assert census() == before


def test_a_worker_that_dies_loses_one_lot_and_another_goes_on(cast: factories.Cast) -> None:
    run = checked(cast, samples.many(600), currency="EUR")
    importing.start(run=run, now=NOW)
    whole = import_writing.write

    def die(lot: Any, rows: Any) -> None:
        whole(lot, rows)
        if rows[0].number > 200:
            raise KeyboardInterrupt  # what was written in this lot is rolled back

    with patch.object(import_writing, "write", die), pytest.raises(KeyboardInterrupt):
        importing.work_due(lambda: NOW)
    assert not importing.is_waiting(now=NOW)  # its lease still runs
    drain(LATER)
    run.refresh_from_db()
    assert (run.state, run.made["assets"]) == (ImportState.DONE, 600)
    assert Asset.objects.filter(source=Source.IMPORTED).count() == 600
    assert Coverage.objects.count() == 600


def test_work_that_fails_again_and_again_is_stopped_and_cleared_away(cast: factories.Cast) -> None:
    before = census()
    run = checked(cast, samples.many(10), currency="EUR")
    importing.start(run=run, now=NOW)
    with patch.object(import_writing, "write", side_effect=RuntimeError):
        for turn in range(importing.TRIES):
            later = NOW + (turn + 1) * importing.LEASE * 2
            with pytest.raises(RuntimeError):
                importing.work_due(partial(fixed, later))
    drain(NOW + importing.LEASE * 20)
    run.refresh_from_db()
    assert (run.state, run.fault) == (ImportState.FAILED, "stuck")
    assert census() == before


def test_an_undo_takes_back_what_was_brought_in_but_not_what_it_has_become(
    cast: factories.Cast,
) -> None:
    before = census()
    run = brought(cast, samples.many(5), currency="EUR")
    changed = Asset.objects.get(name="Thing 2")
    register.edit(asset=changed, values={"name": "Ours"}, owner=cast.ana, now=NOW)
    change = undo.latest(kind=importing.BROUGHT_IN, subject=run.uuid)
    assert change is not None
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    drain()
    run.refresh_from_db()
    assert (run.state, run.kept) == (ImportState.UNDONE, 1)
    assert Asset.objects.count() == before["Asset"] + 1
    assert Asset.objects.get(name="Ours").coverages.count() == 1


def test_an_undo_of_all_leaves_nothing(cast: factories.Cast) -> None:
    before = census()
    run = brought(cast, samples.FUELIO)
    assert ServiceRecord.objects.count() == 2
    change = undo.latest(kind=importing.BROUGHT_IN, subject=run.uuid)
    assert change is not None
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    drain()
    after = census()
    assert after.pop("Change") == before.pop("Change") + 1  # that it was undone
    assert after == before


def test_records_of_one_vehicle_go_to_the_asset_that_was_asked_for(cast: factories.Cast) -> None:
    run = begun(cast, samples.LUBELOGGER_FUEL)
    with pytest.raises(AnswerError):
        importing.answer(run=run, said={"currency": "EUR"}, now=NOW)
    importing.answer(
        run=run, said={"currency": "EUR", "distance": "km"}, asset_name="Blue car", now=NOW
    )
    drain()
    run.refresh_from_db()
    importing.start(run=run, now=NOW)
    drain()
    run.refresh_from_db()
    car = Asset.objects.get(name="Blue car")
    assert run.made == {"assets": 1, "services": 2, "readings": 2}
    assert car.service_records.count() == 2
    assert sum(cost.amount for cost in car.costs.all()) == Decimal("106.45")
    meter = car.meters.get()
    assert (meter.unit, meter.readings.count()) == ("km", 2)
    change = undo.latest(kind=importing.BROUGHT_IN, subject=run.uuid)
    assert change is not None


def test_miles_become_kilometres_where_the_meter_counts_those(cast: factories.Cast) -> None:
    brought(cast, samples.LUBELOGGER_ODOMETER, asset=cast.dvr, distance="km")
    other = samples.LUBELOGGER_ODOMETER.replace("2024-01-05,100,220", "2024-02-05,100,1000")
    brought(cast, other, asset=cast.dvr, distance="mi")
    newest = MeterReading.objects.order_by("read_on").last()
    assert newest is not None
    assert newest.value == Decimal("1609.344")


def test_an_impossible_reading_is_kept_and_counts_for_nothing(cast: factories.Cast) -> None:
    text = "Date,InitialOdometer,Odometer\n2024-01-05,0,500\n2024-02-05,0,90\n2024-03-05,0,800\n"
    brought(cast, text, asset=cast.dvr, distance="km")
    doubtful = MeterReading.objects.filter(is_doubtful=True)
    assert [row.value for row in doubtful] == [Decimal(90)]


def test_what_is_still_to_come_was_not_done_yet(cast: factories.Cast) -> None:
    text = "Date,Description,Cost,Notes,Odometer,Tags\n2099-01-05,Oil,1.00,,5,\n"
    run = checked(cast, text, asset=cast.dvr, kind="service", currency="EUR", distance="km")
    assert (run.bad, run.rows.get().fault) == (1, "future")


def test_grocy_chores_become_tasks_and_their_log_completes_them(cast: factories.Cast) -> None:
    brought(cast, samples.GROCY_CHORES, asset_name="House")
    task = CareTask.objects.get(name="Clean filter")
    assert task.triggers[0]["every"] == 2
    run = brought(cast, samples.GROCY_LOG)
    assert run.made == {"services": 1}
    record = ServiceRecord.objects.get()
    assert (record.title, record.tasks) == ("Clean filter", [task.uuid])
    task.refresh_from_db()
    assert str(task.due_on) == "2024-03-31"


def test_a_log_without_its_chores_says_what_to_bring_first(cast: factories.Cast) -> None:
    run = brought(cast, samples.GROCY_LOG)
    assert run.rows.get().fault == "no_task"


def test_snipe_it_maintenance_goes_to_its_asset(cast: factories.Cast) -> None:
    brought(cast, samples.SNIPE_ASSETS, currency="USD")
    run = brought(cast, samples.SNIPE_MAINTENANCE, currency="USD")
    assert run.made == {"services": 1}
    assert ServiceRecord.objects.get().asset.name == "Desk laptop"


def test_parts_are_tied_and_a_circle_stays_open(cast: factories.Cast) -> None:
    text = "Name,Part of\nA,B\nB,A\nC,A\n"
    run = brought(cast, text, kind="things")
    assert run.made == {"assets": 3}
    tied = {a.name: a.parent and a.parent.name for a in Asset.objects.filter(name__in="ABC")}
    assert tied["C"] == "A"
    assert sorted(str(tied[name]) for name in "AB") in (["A", "None"], ["B", "None"])


def test_own_fields_are_made_once_and_hold_typed_values(cast: factories.Cast) -> None:
    brought(cast, samples.SHELF, currency="EUR")
    camera = Asset.objects.get(name="Camera")
    fields = {str(f.uuid): (f.name, f.type) for f in CustomField.objects.all()}
    shown = {fields[key]: value for key, value in camera.custom.items()}
    assert shown == {
        ("purchase date", "date"): "2023-02-01",
        ("bright", "boolean"): True,
        ("colour", "text"): "black",
    }


@pytest.mark.parametrize(
    ("content", "answers"),
    [
        (samples.HOMEBOX_NEW, {"currency": "EUR"}),
        (samples.LUBELOGGER_TAX, {"asset_name": "Car"}),
        (samples.LUBELOGGER_SUPPLIES, {"asset_name": "Car"}),
        (samples.LUBELOGGER_PLAN, {"asset_name": "Car"}),
        (samples.LUBELOGGER_EQUIPMENT, {"asset_name": "Car"}),
        (samples.WARRACKER, {"currency": "EUR", "lists": " "}),
        (samples.MYGARAGE, {"asset_name": "Car", "currency": "EUR"}),
        (samples.MYGARAGE_INSURANCE, {"asset_name": "Car", "currency": "EUR"}),
        (samples.GROCY, {}),
        (samples.GROCY_BATTERIES, {}),
        (samples.FUELLY, {"currency": "USD"}),
        (samples.ACAR, {"currency": "USD"}),
        (samples.TABLE.encode("cp1252"), {"kind": "things"}),
    ],
)
def test_every_kind_of_file_is_written_whole_and_known_again(
    cast: factories.Cast, content: str | bytes, answers: dict[str, Any]
) -> None:
    run = brought(cast, content, **answers)
    assert run.state == ImportState.DONE
    assert run.bad == 0
    assert run.made
    again = checked(cast, content, **answers)
    left = again.rows.exclude(state__in=(RowState.KNOWN, RowState.EMPTY))
    assert list(left) == []


def test_a_file_that_cannot_be_read_says_so_and_is_forgotten(
    cast: factories.Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = begun(cast, b"Name\nA\x00B\n")
    assert (run.state, run.fault) == (ImportState.FAILED, "nul")
    with pytest.raises(vault.VaultError):
        vault.get(run.uuid)


def test_the_file_itself_is_kept_no_longer_than_its_rows_need(
    cast: factories.Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = begun(cast, samples.HOMEBOX_OLD)
    assert run.state == ImportState.ASKING
    with pytest.raises(vault.VaultError):
        vault.get(run.uuid)


def test_an_unknown_answer_changes_nothing(cast: factories.Cast) -> None:
    run = begun(cast, samples.HOMEBOX_OLD)
    for said in ({"currency": "XXQ"}, {"dates": "yyd"}, {"form": "warracker"}):
        with pytest.raises(AnswerError):
            importing.answer(run=run, said={"currency": "EUR"} | said, now=NOW)
    assert Import.objects.get().state == ImportState.ASKING


def test_a_long_file_is_read_in_several_goes_that_learn_the_same(cast: factories.Cast) -> None:
    at_once = begun(cast, samples.many(1200))
    with patch.object(importing, "READ_S", 0):
        in_goes = begun(cast, samples.many(1200))
    same = ("state", "form", "columns", "evidence", "told", "rows_read")
    assert [getattr(in_goes, n) for n in same] == [getattr(at_once, n) for n in same]
    numbers = list(in_goes.rows.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(2, 1202))
