"""LubeLogger: one file for each kind of record of one vehicle, which no column names."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_noop

from assets.care_words import WorkKind
from assets.choices import CostCategory
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    PartDraft,
    ReadingDraft,
    RowDrafts,
    ServiceDraft,
    Sum,
    TaskDraft,
)
from assets.importers.faults import RowError
from assets.importers.rows import TO_US, Ask, Format, Row, has

SOURCE = "lubelogger"
LOCALE = frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY, Ask.ASSET})
WORK = {
    "service": WorkKind.SERVICE,
    "repair": WorkKind.REPAIR,
    "upgrade": WorkKind.UPGRADE,
}
PLANS = {
    "servicerecord": WorkKind.SERVICE,
    "repairrecord": WorkKind.REPAIR,
    "upgraderecord": WorkKind.UPGRADE,
}
VOLUMES = {"l": "l", "us_gal": "gal (US)", "uk_gal": "gal (UK)", "kwh": "kWh"}
DATES = ("date", "fuelup_date", "fuelup date")
ODOMETER = ("odometer", "odo")
QUANTITY = ("fuelconsumed", "gallons", "liters", "litres", "consumption", "quantity", "qty")
COST = ("cost", "total cost", "totalcost", "total price")


def meter(row: Row, *names: str) -> Decimal | None:
    """Return what the odometer showed; 0 is unknown there."""
    value = row.number(*names)
    if value is not None and value < 0:
        raise RowError("negative", *row.first(*names))
    return value or None


def read_work(row: Row) -> RowDrafts:
    """Return a service, a repair or an upgrade."""
    on, title = row.need_day("date"), row.text("description", most=200)
    cost, value = row.money("cost"), meter(row, "odometer")
    kind = WORK.get(row.answers.kind, WorkKind.SERVICE)
    key = row.key(kind, on, title, cost, value)
    draft = ServiceDraft(
        whose=TO_US,
        on=on,
        title=title or str(kind.label),
        kind=kind,
        cost=cost if cost and cost.amount else None,
        notes=with_tags(row),
        reading=value,
        unit=row.answers.distance,
    )
    return RowDrafts(key=key, drafts=[draft])


def with_tags(row: Row, *names: str) -> str:
    """Return the notes with the tags, which only things have here."""
    tags = row.listed("tags", by=" ")
    notes = row.notes(*(names or ("notes", "note")))
    return f"{notes}\nTags: {', '.join(tags)}".strip() if tags else notes


def read_fuel(row: Row) -> RowDrafts:
    """Return a fill-up, by any of the names that fuel apps use."""
    on = fuel_day(row)
    value = meter(row, *ODOMETER)
    column, _ = row.first(*QUANTITY)
    volume = row.number(*QUANTITY) or Decimal(0)
    cost = row.money(*COST)
    price = row.money("price")
    if cost is None and price is not None:
        cost = Sum(amount=round(price.amount * volume, 4), currency=price.currency)
    is_partial = row.flag("partial_fuelup", "partial tank", "partial_fill")
    has_full = row.first("isfilltofull", "filled up")[1]
    is_full = row.flag("isfilltofull", "filled up") if has_full else not is_partial
    missed = row.flag("missed_fuelup", "missed fill up", "missed_fill", "missedfuelup")
    row.used.update({"fueleconomy"})
    if volume < 0:
        raise RowError("negative", column, str(volume))
    unit = VOLUMES.get(row.answers.volume, row.answers.volume)
    parts = [
        f"{volume.normalize():f} {unit}" if volume else "",
        "" if is_full else "not to full",
        "the one before is missing" if missed else "",
    ]
    draft = ServiceDraft(
        whose=TO_US,
        on=on,
        title=", ".join(part for part in parts if part) or "Fuel",
        kind=WorkKind.FUEL,
        cost=cost if cost and cost.amount else None,
        notes=with_tags(row),
        reading=value,
        unit=row.answers.distance,
    )
    return RowDrafts(key=row.key("fuel", on, value, volume, cost), drafts=[draft])


def fuel_day(row: Row) -> date:
    """Return the day of a fill-up; three columns may hold its parts."""
    if row.first(*DATES)[1]:
        return row.need_day(*DATES)
    year, month, day = (row.whole(name, usual=0, most=9999) for name in ("year", "month", "day"))
    try:
        return date(year, month, day)
    except ValueError as error:
        raise RowError("missing", row.first("date")[0]) from error


def read_odometer(row: Row) -> RowDrafts:
    """Return a reading."""
    on, value = row.need_day("date"), meter(row, "odometer")
    row.used.add("initialodometer")
    if value is None:
        raise RowError("missing", row.first("odometer")[0])
    draft = ReadingDraft(whose=TO_US, on=on, value=value, unit=row.answers.distance)
    return RowDrafts(key=row.key("odometer", on, value), drafts=[draft])


def read_tax(row: Row) -> RowDrafts:
    """Return a tax or fee."""
    on, title, cost = row.need_day("date"), row.text("description"), row.money("cost")
    if cost is None:
        raise RowError("missing", row.first("cost")[0])
    note = " · ".join(filter(None, (title, with_tags(row).replace("\n", " · "))))[:200]
    draft = CostDraft(whose=TO_US, on=on, sum=cost, category=CostCategory.TAX, note=note)
    return RowDrafts(key=row.key("tax", on, title, cost), drafts=[draft])


def read_supply(row: Row) -> RowDrafts:
    """Return a part in stock with what it cost."""
    on, number = row.day("date"), row.number_text("partnumber", most=80)
    name = row.text("description") or number
    if not name:
        name = row.need("description")
    quantity, cost = row.number("partquantity"), row.money("cost")
    seller = row.text("partsupplier")
    if quantity is not None and quantity < 0:
        raise RowError("negative", *row.first("partquantity"))
    notes = "\n".join(filter(None, (f"From: {seller}" if seller else "", with_tags(row))))
    part = PartDraft(
        whose=TO_US,
        name=name,
        number=number,
        quantity=Decimal(1) if quantity is None else quantity,
        notes=notes[:500],
    )
    spent = (
        [CostDraft(whose=TO_US, on=on, sum=cost, category=CostCategory.PARTS, note=name[:200])]
        if on and cost and cost.amount
        else []
    )
    key = row.key("supply", on, number, name, cost)
    return RowDrafts(key=key, drafts=[part, *spent])


def read_plan(row: Row) -> RowDrafts:
    """Return work that is planned, or that was done by a plan."""
    made, changed = row.day("datecreated"), row.day("datemodified")
    title = row.need("description")
    said = row.text("type").replace(" ", "").lower()
    kind = PLANS.get(said, WorkKind.SERVICE)
    progress, cost = row.text("progress"), row.money("cost")
    priority = row.text("priority")
    notes = "\n".join(
        filter(None, (f"Priority: {priority}" if priority else "", row.notes("notes")))
    )
    key = row.key("plan", title, made)
    if progress.lower() == "done":
        on = changed or made or row.need_day("datemodified")
        done = ServiceDraft(
            whose=TO_US,
            on=on,
            title=title,
            kind=kind,
            notes=notes,
            cost=cost if cost and cost.amount else None,
        )
        return RowDrafts(key=key, drafts=[done])
    about = f"About {cost.amount.normalize():f} {cost.currency}" if cost and cost.amount else ""
    state = f"State: {progress}" if progress else ""
    task = TaskDraft(
        whose=TO_US,
        key=key,
        title=title,
        notes="\n".join(filter(None, (notes, about, state))),
    )
    return RowDrafts(key=key, drafts=[task])


def read_equipment(row: Row) -> RowDrafts:
    """Return a thing that is carried in the vehicle or mounted on it."""
    name = row.need("description")
    is_mounted = row.flag("isequipped")
    tags = row.listed("tags", by=" ")
    key = row.key("equipment", name)
    draft = AssetDraft(
        key=key,
        name=name,
        tags=tags,
        notes=row.notes("notes"),
        is_stored=not is_mounted,
        is_of_target=True,
    )
    return RowDrafts(key=key, drafts=[draft])


def fits_fuel(columns: frozenset[str], _section: str) -> bool:
    """Whether a row is a fill-up: a day, what the odometer showed, how much, and its cost."""
    has_day = bool(columns & set(DATES)) or {"day", "month", "year"} <= columns
    is_priced = bool(columns & {*COST, "price"})
    return has_day and is_priced and bool(columns & set(ODOMETER) and columns & set(QUANTITY))


def volume_told(columns: frozenset[str]) -> dict[str, str]:
    """Return the unit of volume that a column is named by."""
    if columns & {"liters", "litres"}:
        return {"volume": "l"}
    return {}


FUEL = frozenset({Ask.DISTANCE, Ask.VOLUME, *LOCALE})
KINDS: tuple[Format, ...] = (
    Format(
        slug="lubelogger_plan",
        label=gettext_noop("LubeLogger, plans"),
        source=SOURCE,
        fits=has("datecreated", "description", "progress"),
        read=read_plan,
        asks=LOCALE,
        dates=frozenset({"datecreated", "datemodified"}),
        numbers=frozenset({"cost"}),
    ),
    Format(
        slug="lubelogger_supplies",
        label=gettext_noop("LubeLogger, supplies"),
        source=SOURCE,
        fits=has("partnumber", "partquantity", "description"),
        read=read_supply,
        asks=LOCALE,
        dates=frozenset({"date"}),
        numbers=frozenset({"cost", "partquantity"}),
    ),
    Format(
        slug="lubelogger_equipment",
        label=gettext_noop("LubeLogger, equipment"),
        source=SOURCE,
        fits=has("description", "isequipped"),
        read=read_equipment,
        asks=frozenset({Ask.ASSET}),
    ),
    Format(
        slug="lubelogger_fuel",
        label=gettext_noop("LubeLogger, fuel"),
        source=SOURCE,
        fits=fits_fuel,
        read=read_fuel,
        asks=FUEL,
        dates=frozenset(DATES),
        numbers=frozenset({*QUANTITY, *COST, "price", *ODOMETER}),
        told=volume_told,
    ),
    Format(
        slug="lubelogger_odometer",
        label=gettext_noop("LubeLogger, odometer"),
        source=SOURCE,
        fits=has("date", "initialodometer", "odometer"),
        read=read_odometer,
        asks=frozenset({Ask.DATES, Ask.DECIMAL, Ask.DISTANCE, Ask.ASSET}),
        dates=frozenset({"date"}),
        numbers=frozenset({"odometer", "initialodometer"}),
    ),
    Format(
        slug="lubelogger_work",
        label=gettext_noop("LubeLogger, services, repairs or upgrades"),
        source=SOURCE,
        fits=has("date", "description", "cost", "odometer"),
        read=read_work,
        asks=frozenset({Ask.KIND, Ask.DISTANCE, *LOCALE}),
        dates=frozenset({"date"}),
        numbers=frozenset({"cost", "odometer"}),
        kinds=(
            ("service", gettext_noop("Services")),
            ("repair", gettext_noop("Repairs")),
            ("upgrade", gettext_noop("Upgrades")),
        ),
    ),
    Format(
        slug="lubelogger_tax",
        label=gettext_noop("LubeLogger, taxes"),
        source=SOURCE,
        fits=has("date", "description", "cost", "tags"),
        read=read_tax,
        asks=LOCALE,
        dates=frozenset({"date"}),
        numbers=frozenset({"cost"}),
    ),
)
