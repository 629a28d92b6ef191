"""Files of other systems become drafts: by their headers, whatever their order or encoding."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.care_words import WorkKind
from assets.choices import CostCategory, EndReason, FieldType, IdentifierScheme
from assets.importers import files, questions, values
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    CoverageDraft,
    PartDraft,
    ReadingDraft,
    RowDrafts,
    ServiceDraft,
    Sum,
    TaskDraft,
)
from assets.importers.faults import FileError, RowError
from assets.importers.formats import detect
from assets.importers.rows import Ask, Row
from assets.importers.values import DateOrder, Evidence
from tests.imports import samples


class Read:
    """A file as it is read from its bytes to its drafts."""

    def __init__(self, content: str | bytes, **answers: Any) -> None:
        raw = content.encode() if isinstance(content, str) else content
        records = list(files.records(raw))
        columns = [files.folded(name) for name in records[0].columns]
        self.form = detect(columns, records[0].section)
        evidence: dict[str, Evidence] = {}
        told = dict(self.form.told(frozenset(columns)) if self.form.told else {})
        for record in records:
            folded = {files.folded(n): cell for n, cell in record.values.items()}
            for name, cell in folded.items():
                evidence.setdefault(name, Evidence()).take(cell)
            if self.form.settles:
                told |= self.form.settles(record.section, folded)
        self.standing = questions.stand(
            form=self.form,
            columns=columns,
            evidence={name: one.kept() for name, one in evidence.items()},
            told=told,
            answers=answers,
        )
        self.answers = questions.answered(
            self.standing, form=self.form, vehicle=told.get("vehicle", "")
        )
        self.rows: list[RowDrafts | None] = []
        self.faults: list[RowError] = []
        for record in records:
            try:
                self.rows.append(self.form.read(Row(record, self.answers)))
            except RowError as error:
                self.faults.append(error)

    def all(self, kind: type) -> list[Any]:
        return [d for row in self.rows if row for d in row.drafts if isinstance(d, kind)]


def eur(amount: str) -> Sum:
    return Sum(amount=Decimal(amount), currency="EUR")


def test_an_old_homebox_file_gives_assets_with_guarantee_and_sale() -> None:
    read = Read(samples.HOMEBOX_OLD, currency="EUR")
    assert read.form.slug == "homebox"
    boiler, drill = read.all(AssetDraft)
    assert (boiler.key, boiler.place, boiler.maker) == ("ref:a1", "House / Cellar", "Vaillant")
    assert boiler.tags == ["heating", "gas"]
    assert boiler.identifiers == [
        (IdentifierScheme.SERIAL, "VX-77"),
        (IdentifierScheme.ASSET_TAG, "000-001"),
    ]
    assert (boiler.price, boiler.is_insured) == (eur("1899.50"), True)
    assert boiler.notes == "Wall boiler\nAsk Jo"
    (cover,) = read.all(CoverageDraft)
    assert (cover.ends_on, cover.terms) == (date(2026, 10, 3), "Parts only")
    assert (drill.end_reason, drill.ended_on) == (EndReason.SOLD, date(2024, 5, 1))
    (sale,) = read.all(CostDraft)
    assert (sale.sum, sale.category) == (eur("-15.00"), CostCategory.SALE)
    assert drill.identifiers == []  # 000-000 is no number


def test_an_impossible_year_keeps_the_other_rows() -> None:
    (fault,) = Read(samples.HOMEBOX_OLD, currency="EUR").faults
    assert (fault.code, fault.column, fault.value) == ("year", "HB.purchase_time", "0202-01-01")


def test_a_new_homebox_file_gives_parts_fields_and_links() -> None:
    read = Read(samples.HOMEBOX_NEW, currency="GBP")
    bench, vice = read.all(AssetDraft)
    assert vice.parent_key == bench.key == "ref:r1"
    assert [(e.name, e.value) for e in bench.extras] == [
        ("Link", "https://hb.example/item/1"),
        ("Colour", "green"),
    ]
    assert [(e.name, e.value) for e in vice.extras] == [("Fuse", "16 A")]
    assert vice.quantity == 2
    assert vice.price is None
    assert read.all(CoverageDraft)[0].is_lifetime


def test_lubelogger_work_is_asked_for_its_kind_and_reads_american_money_and_dates() -> None:
    read = Read(samples.LUBELOGGER_WORK, kind="repair", currency="USD")
    assert read.form.slug == "lubelogger_work"
    oil, pads = read.all(ServiceDraft)
    assert (oil.on, oil.cost) == (date(2024, 3, 14), Sum(amount=Decimal("1084.20"), currency="USD"))
    assert (oil.reading, oil.kind) == (Decimal(48120), WorkKind.REPAIR)
    assert oil.notes == "Filter too,\nand washer\nOil: 5W-30\nTags: oil, yearly"
    assert pads.reading is None  # 0 is unknown
    assert pads.on == date(2024, 11, 2)
    assert {Ask.DISTANCE, Ask.ASSET} <= set(read.standing.open)
    assert not {Ask.DATES, Ask.DECIMAL} & set(read.standing.open)


def test_lubelogger_fuel_with_semicolons_commas_and_dotted_dates_needs_no_question_of_these() -> (
    None
):
    read = Read(samples.LUBELOGGER_FUEL)
    assert read.form.slug == "lubelogger_fuel"
    first, second = read.all(ServiceDraft)
    assert (first.on, first.cost, first.title) == (date(2026, 1, 3), eur("71.35"), "41.73 l")
    assert second.title == "20 l, not to full, the one before is missing"
    assert first.kind == WorkKind.FUEL
    assert not {Ask.DATES, Ask.DECIMAL} & set(read.standing.open)


@pytest.mark.parametrize(
    ("content", "slug", "kind", "said"),
    [
        (samples.LUBELOGGER_ODOMETER, "lubelogger_odometer", ReadingDraft, Decimal(220)),
        (samples.LUBELOGGER_TAX, "lubelogger_tax", CostDraft, CostCategory.TAX),
        (samples.LUBELOGGER_SUPPLIES, "lubelogger_supplies", PartDraft, "Oil filter"),
        (samples.LUBELOGGER_EQUIPMENT, "lubelogger_equipment", AssetDraft, "Roof box"),
    ],
)
def test_every_other_file_of_lubelogger_is_known(
    content: str, slug: str, kind: type, said: object
) -> None:
    read = Read(content)
    assert read.form.slug == slug
    (draft,) = read.all(kind)
    assert said in {getattr(draft, name, None) for name in ("value", "category", "name")}


def test_a_plan_that_is_done_is_work_and_any_other_is_a_task() -> None:
    read = Read(samples.LUBELOGGER_PLAN)
    (done,), (task,) = read.all(ServiceDraft), read.all(TaskDraft)
    assert (done.on, done.kind) == (date(2024, 2, 1), WorkKind.UPGRADE)
    assert done.cost == Sum(amount=Decimal(30), currency="GBP")
    assert task.title == "Timing belt"
    assert "Priority: Critical" in task.notes


def test_files_that_are_only_listed_are_said_not_lost() -> None:
    read = Read(samples.LUBELOGGER_FILES)
    assert [fault.code for fault in read.faults] == ["elsewhere"]
    assert "bill.pdf" in str(read.faults[0])


def test_snipe_it_reads_lone_carriage_returns_short_years_and_keeps_other_columns() -> None:
    read = Read(samples.SNIPE_ASSETS, currency="USD")
    assert read.form.slug == "snipeit"
    (laptop,) = read.all(AssetDraft)
    assert (laptop.key, laptop.bought_on) == ("tag:T-1001", date(2022, 5, 23))
    assert (laptop.maker, laptop.model) == ("Lenova", "Think 14 T14g3")
    assert [(e.name, e.value) for e in laptop.extras] == [("Company", "Hart"), ("Rack", "B4")]
    assert read.all(CoverageDraft)[0].months == 36
    (fault,) = read.faults
    assert fault.code in ("date", "shortened")


def test_snipe_it_maintenance_finds_its_asset_by_tag_and_is_unescaped() -> None:
    (work,) = Read(samples.SNIPE_MAINTENANCE).all(ServiceDraft)
    assert (work.whose.tag, work.provider) == ("T-1001", "Fix & Co")
    assert (work.kind, work.on) == (WorkKind.REPAIR, date(2024, 3, 4))


def test_warracker_lists_are_parted_as_the_owner_says() -> None:
    read = Read(samples.WARRACKER, lists=" ", currency="EUR")
    kettle, _pan = read.all(AssetDraft)
    assert [value for _scheme, value in kettle.identifiers] == ["K1", "K2"]
    assert kettle.tags == ["kitchen", "gift"]
    cover, lifetime = read.all(CoverageDraft)
    assert cover.months == 30
    assert lifetime.is_lifetime
    assert Ask.LISTS in Read(samples.WARRACKER).standing.open


def test_shelf_fields_keep_their_types() -> None:
    (camera,) = Read(samples.SHELF, currency="EUR").all(AssetDraft)
    assert [(e.name, e.value, e.type) for e in camera.extras] == [
        ("purchase date", "2023-02-01", FieldType.DATE),
        ("bright", "true", FieldType.BOOLEAN),
        ("colour", "black", FieldType.TEXT),
    ]
    assert camera.tags == ["video", "studio", "Cameras"]
    assert "Custodian: Ana" in camera.notes


def test_mygarage_says_its_units_itself() -> None:
    read = Read(samples.MYGARAGE)
    (work,) = read.all(ServiceDraft)
    assert (work.reading, work.unit, work.provider) == (Decimal(48120), "km", "Garage Hart")
    assert read.all(ReadingDraft)[0].unit == "h"
    (policy,) = Read(samples.MYGARAGE_INSURANCE).all(CoverageDraft)
    assert (policy.reference, policy.excess) == ("P-77", eur("300"))


def test_grocy_gives_equipment_chores_their_log_and_batteries() -> None:
    (machine,) = Read(samples.GROCY).all(AssetDraft)
    assert machine.notes.startswith("Descale monthly\nManual: coffee.pdf")
    assert [(e.name, e.value) for e in machine.extras] == [("colour", "red")]
    chores = Read(samples.GROCY_CHORES)
    clean, bins, look, kerb = chores.all(TaskDraft)
    assert (clean.every, clean.unit, clean.starts_on) == (2, "month", date(2024, 1, 31))
    assert (bins.every, bins.starts_on) == (0, None)  # 2999 is never
    assert (look.every, look.unit, look.notes) == (1, "day", "In Grocy: every 6 hours.")
    assert kerb.rule == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR"
    assert not chores.faults
    (done,) = Read(samples.GROCY_LOG).all(ServiceDraft)  # what was undone there is left out
    assert (done.task_key, done.on) == ("chore:1", date(2024, 2, 28))
    (charge,) = Read(samples.GROCY_BATTERIES).all(TaskDraft)
    assert (charge.every, charge.unit) == (180, "day")


def test_fuel_apps_name_their_cars_and_units() -> None:
    fuelly = Read(samples.FUELLY)
    (fill,) = fuelly.all(ServiceDraft)
    assert (fill.whose.name, fill.unit) == ("Blue", "mi")
    assert fill.cost is not None
    assert (fill.cost.amount, fill.on) == (Decimal(35), date(2024, 4, 25))
    fuelio = Read(samples.FUELIO)
    assert fuelio.form.slug == "fuelio"
    fill, tyres = fuelio.all(ServiceDraft)
    assert (fill.on, fill.whose.name, fill.reading) == (date(2024, 2, 3), "Uno", Decimal(10600))
    assert (tyres.title, tyres.on) == ("Tyres", date(2024, 2, 4))
    assert fuelio.all(AssetDraft)[0].identifiers == [(IdentifierScheme.PLATE, "HH 12")]
    acar = Read(samples.ACAR)
    assert acar.form.slug == "acar"
    fill, service = acar.all(ServiceDraft)
    assert (fill.on, fill.reading) == (date(2024, 3, 4), Decimal(106421))
    assert service.title == "Engine Oil, Oil Filter"
    assert not acar.faults


def test_any_table_is_mapped_by_its_words_and_keeps_the_rest() -> None:
    read = Read(samples.TABLE.encode("cp1252"))
    assert read.form.slug == "table"
    washer, fridge = read.all(AssetDraft)
    assert (washer.name, washer.maker, washer.place) == ("Waschmaschine", "Miele", "Keller")
    assert (washer.price, washer.bought_on) == (eur("1049.00"), date(2023, 12, 24))
    assert [(e.name, e.value) for e in washer.extras] == [("Farbe", "weiß")]
    assert fridge.name == "Kühlschrank"
    assert read.standing.open == (Ask.KIND,)


def test_what_the_owner_says_of_a_column_beats_what_it_seems() -> None:
    read = Read(samples.TABLE, kind="things", columns={"farbe": "notes", "raum": "ignore"})
    washer = read.all(AssetDraft)[0]
    assert (washer.notes, washer.place) == ("weiß", "")
    with pytest.raises(questions.AnswerError):
        Read(samples.TABLE, columns={"farbe": "nonsense"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found(encoding: str, delimiter: str) -> None:
    text = (
        delimiter.join(("Name", "Größe")) + "\r\n" + delimiter.join(("Tür", '"a, b; c"')) + "\r\n"
    )
    (record,) = files.records(text.encode(encoding))
    assert record.values == {"Name": "Tür", "Größe": "a, b; c"}


def test_the_order_and_case_of_columns_say_nothing() -> None:
    rows = list(csv.reader(io.StringIO(samples.HOMEBOX_OLD)))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(name.upper() for name in reversed(rows[0]))
    writer.writerows(reversed(row) for row in rows[1:])
    turned, straight = (
        Read(out.getvalue(), currency="EUR"),
        Read(samples.HOMEBOX_OLD, currency="EUR"),
    )
    assert turned.rows == straight.rows


def test_a_spreadsheet_is_read_by_its_values() -> None:
    content = samples.sheet(
        ["Name", "Serial", "Purchase date", "Price", "Insured"],
        ["Lathe", 6377020000000001, date(2023, 5, 4), 1200.5, True],
    )
    read = Read(content, kind="things", currency="EUR")
    (lathe,) = read.all(AssetDraft)
    assert lathe.identifiers == [(IdentifierScheme.SERIAL, "6377020000000001")]
    assert (lathe.bought_on, lathe.price) == (date(2023, 5, 4), eur("1200.5"))
    assert lathe.is_insured


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"Name,Maker\n", "empty"),
        (b"Name,Maker\nA\x00B,c\n", "nul"),
        (b"%PDF-1.7 ...", "not_a_table"),
        (b"<html><table>", "not_a_table"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "old_excel"),
        (b"Name\n\"" + b"x" * 200_000, "cell"),
        (b"[" * 50, "nested"),
        (b'[{"a":' * 20 + b"1", "nested"),
        (b'[{"name": "x"', "broken"),
        (("," * 400 + "\nx\n").encode(), "empty"),
        ((",".join(f"c{n}" for n in range(400)) + "\nx\n").encode(), "columns"),
        (b"PK\x03\x04 no archive", "broken"),
    ],
)  # fmt: skip
def test_files_that_are_no_tables_or_attack_are_refused_in_words(content: bytes, code: str) -> None:
    with pytest.raises(FileError) as caught:
        list(files.records(content))
    assert caught.value.code == code
    assert str(caught.value)


def test_an_archive_that_unpacks_to_gigabytes_is_not_opened() -> None:
    with pytest.raises(FileError) as caught:
        list(files.records(samples.archive(sheet1=b"0" * 30_000_000)))
    assert caught.value.code == "bomb"
    entity = b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><worksheet>&a;</worksheet>"
    with pytest.raises(FileError) as caught:
        list(files.records(samples.archive(sheet1=entity)))
    assert caught.value.code == "bomb"


@pytest.mark.parametrize("cell", ["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1:A9)", '=HYPERLINK("x")'])
def test_a_formula_is_refused_in_its_row_only(cell: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["Name", "Notes"], ["Good", "=== fine ==="], ["Bad", cell]])
    read = Read(out.getvalue(), kind="things")
    assert [draft.name for draft in read.all(AssetDraft)] == ["Good"]
    assert [(f.code, f.column) for f in read.faults] == [("formula", "Notes")]


@pytest.mark.parametrize("cell", ["=1+1", "+49 40 1", "-5", "@home", "\tx"])
def test_what_is_given_out_is_never_run_by_a_spreadsheet(cell: str) -> None:
    assert values.guarded(cell) == f"'{cell}"
    assert values.guarded("Boiler") == "Boiler"


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2024-02-29", None, date(2024, 2, 29)),
        ("2024/2/9", None, date(2024, 2, 9)),
        ("2024-02-29T10:00:00Z", None, date(2024, 2, 29)),
        ("1/3/2026", DateOrder.MDY, date(2026, 1, 3)),
        ("1/3/2026", DateOrder.DMY, date(2026, 3, 1)),
        ("03.01.2026", DateOrder.MDY, date(2026, 1, 3)),
        ("5/23/22", DateOrder.MDY, date(2022, 5, 23)),
        ("4 Mar 2021", None, date(2021, 3, 4)),
        ("March 4, 2021", None, date(2021, 3, 4)),
    ],
)
def test_dates_are_read_in_the_order_that_is_known(
    text: str, order: DateOrder | None, expected: date
) -> None:
    assert values.read_day(text, order) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("$1,234.56", ".", "1234.56"),
        ("23,07 €", ",", "23.07"),
        ("1.234,5", ",", "1234.5"),
        ("1 234,50", ",", "1234.50"),
        ("CHF 1'200", ".", "1200"),
        ("(12.00)", ".", "-12.00"),
        ("-3", ".", "-3"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
    ],
)
def test_numbers_are_read_with_the_mark_that_is_known(
    text: str, decimal: str, expected: str
) -> None:
    assert values.read_number(text, decimal) == Decimal(expected)


@pytest.mark.parametrize("text", ["", "abc", "1,2,3", "12.34.56", "1.2.3,4", "6.37E+15", "1e99"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(RowError):
        values.read_number(text, ".")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode("utf-16")))
def test_no_bytes_bring_a_reader_down(content: bytes) -> None:
    try:
        found = list(files.records(content))
    except FileError:
        return
    assert all(record.values for record in found)


CELLS = st.text(
    st.sampled_from("0123456789.,-/ €$eE+='\"abcTF\n;|") | st.characters(codec="utf-8"), max_size=14
)


@settings(max_examples=60, deadline=None)
@given(
    header=st.sampled_from(
        [
            value.lstrip("\ufeff").splitlines()[0]
            for name, value in vars(samples).items()
            if name.isupper() and isinstance(value, str) and not value.startswith(("[", "{"))
        ]
    ),
    cells=st.lists(CELLS, min_size=30, max_size=30),
)
def test_any_cells_become_drafts_or_a_row_with_its_reason(header: str, cells: list[str]) -> None:
    names = next(csv.reader([header], delimiter=files.delimiter_of(header)))
    out = io.StringIO()
    csv.writer(out).writerows([names, [cell.replace("\x00", "") for cell in cells[: len(names)]]])
    try:
        read = Read(out.getvalue())
    except FileError:
        return
    assert len(read.rows) + len(read.faults) >= 1
    for fault in read.faults:
        assert str(fault)
