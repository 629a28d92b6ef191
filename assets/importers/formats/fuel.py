"""Fuel apps: Fuelly's web file, Fuelio's and aCar's files of several tables."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext_noop

from assets.care_words import WorkKind
from assets.choices import AssetKind, CostCategory, IdentifierScheme
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    Draft,
    RowDrafts,
    ServiceDraft,
    Sum,
    Whose,
)
from assets.importers.faults import RowError
from assets.importers.rows import Ask, Format, Row, order_of

ASKS = frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY})
GALLONS = {"us gallons": "gal (US)", "uk gallons": "gal (UK)", "litres": "l", "kwh": "kWh"}


def car(name: str) -> Whose:
    """Return the vehicle with this name; it is made where there is none."""
    return Whose(key=f"car:{name}", name=name)


def fill_up(
    row: Row, *, whose: Whose, volume: Decimal, unit: str, cost: Sum | None, **values: object
) -> RowDrafts:
    """Return a fill-up as all of them write it."""
    on, value = row.need_day("fuelup_date", "fuelup date", "date", "data"), values["reading"]
    marks = [f"{volume.normalize():f} {unit}" if volume else ""]
    marks += ["not to full"] if values.get("is_partial") else []
    marks += ["the one before is missing"] if values.get("is_missed") else []
    draft = ServiceDraft(
        whose=whose,
        on=on,
        title=", ".join(mark for mark in marks if mark) or "Fuel",
        kind=WorkKind.FUEL,
        cost=cost if cost and cost.amount else None,
        provider=str(values.get("provider") or ""),
        notes=str(values.get("notes") or ""),
        reading=value if isinstance(value, Decimal) and value > 0 else None,
        unit=str(values["distance"]),
    )
    key = row.key("fuel", whose.key, on, value, volume, cost)
    return RowDrafts(key=key, drafts=[draft])


def not_below(row: Row, *names: str) -> Decimal:
    """Return a number that cannot be below zero."""
    found = row.number(*names) or Decimal(0)
    if found < 0:
        raise RowError("negative", *row.first(*names))
    return found


# -- Fuelly ----------------------------------------------------------------------------


def fits_fuelly(columns: frozenset[str], _section: str) -> bool:
    """Whether it is Fuelly's: fill-ups of named cars."""
    return (
        bool(columns & {"fuelup_date", "fuelup date"})
        and bool(columns & {"car_name", "name"})
        and bool(columns & {"gallons", "litres", "liters"})
    )


def told_fuelly(columns: frozenset[str]) -> dict[str, str]:
    """Return the units: columns are named by them."""
    distance = "km" if "km" in columns else "mi"
    return {"distance": distance} | ({} if "gallons" in columns else {"volume": "l"})


def read_fuelly(row: Row) -> RowDrafts:
    """Return a fill-up; the price is of one unit of volume."""
    whose = car(row.need("car_name", "name"))
    volume = not_below(row, "gallons", "litres", "liters")
    unit = "gal" if "gallons" in row.cells else "l"
    price = row.money("price")
    cost = Sum(amount=round(price.amount * volume, 4), currency=price.currency) if price else None
    reading, brand = row.number("odometer"), row.text("brand")
    dropped = "mpg l/100km km/l miles km model city_percentage date_added latitude longitude"
    row.used.update(dropped.split(), {"date added", "city percentage"})
    return fill_up(
        row,
        whose=whose,
        volume=volume,
        unit=unit,
        cost=cost,
        reading=reading,
        distance=row.answers.distance,
        is_partial=row.flag("partial_fuelup", "partial fuelup"),
        is_missed=row.flag("missed_fuelup", "missed fuelup"),
        provider=brand,
        notes=plain_notes(row),
    )


def plain_notes(row: Row) -> str:
    """Return the notes and tags, without what has no meaning here."""
    tags, notes = row.text("tags"), row.prose("notes", "notes (optional)")
    return "\n".join(filter(None, (notes, f"Tags: {tags}" if tags else "")))[:8000]


FUELLY = Format(
    slug="fuelly",
    label="Fuelly",
    source="fuelly",
    fits=fits_fuelly,
    read=read_fuelly,
    asks=ASKS,
    dates=frozenset({"fuelup_date", "fuelup date"}),
    numbers=frozenset({"gallons", "litres", "liters", "price", "odometer"}),
    told=told_fuelly,
)

# -- Fuelio ----------------------------------------------------------------------------


def fits_fuelio(columns: frozenset[str], section: str) -> bool:
    """Whether a table is one of Fuelio's."""
    return section == "vehicle" and "importcsvdateformat" in columns


def settles_fuelio(section: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return what the vehicle's row says of the file: its name, dates and distances."""
    if section != "vehicle":
        return {}
    order = order_of(values.get("importcsvdateformat", ""))
    miles = {"0": "km", "1": "mi"}.get(values.get("distunit", ""), "")
    found = {"vehicle": values.get("name", "")[:120]}
    return found | ({"dates": str(order)} if order else {}) | ({"distance": miles} if miles else {})


def column_like(row: Row, begin: str) -> str:
    """Return the column whose name begins like this, as units and remarks follow it."""
    return next((name for name in row.cells if name.startswith(begin)), begin)


def read_fuelio(row: Row) -> RowDrafts | None:
    """Return a row of one of its tables."""
    section = row.record.section
    name = row.answers.vehicle or "Vehicle"
    if section == "vehicle":
        return vehicle(row, row.need("name"), maker="make")
    if section == "log":
        fuel, odo = column_like(row, "fuel ("), column_like(row, "odo")
        volume = not_below(row, fuel)
        unit = next((u for word, u in GALLONS.items() if word in fuel), "l")
        distance = "mi" if "(mi" in odo else "km" if "(km" in odo else row.answers.distance
        is_full = row.flag("full") if row.text("full") else True
        return fill_up(
            row,
            whose=car(name),
            volume=volume,
            unit=unit,
            cost=row.money("price (optional)", "price"),
            reading=row.number(odo),
            distance=distance,
            is_partial=not is_full,
            is_missed=row.flag("missed"),
            provider=row.text("city (optional)", "city"),
            notes=plain_notes(row),
        )
    if section == "costs":
        return spent(row, car(name))
    return None  # its categories, stations, pictures and trips


def spent(row: Row, whose: Whose) -> RowDrafts:
    """Return a row of the table of costs."""
    on, title = row.need_day("date", "data"), row.text("costtitle", "title", most=200)
    cost, value = row.money("cost"), row.number(column_like(row, "odo"))
    notes = row.prose("notes")
    key = row.key("cost", whose.key, on, title, cost)
    drafts: list[Draft] = []
    if cost and cost.amount < 0:
        drafts.append(
            CostDraft(whose=whose, on=on, sum=cost, category=CostCategory.REFUND, note=title)
        )
    else:
        drafts.append(
            ServiceDraft(
                whose=whose,
                on=on,
                title=title or "Cost",
                kind=WorkKind.OTHER,
                cost=cost if cost and cost.amount else None,
                notes=notes,
                reading=value or None,
                unit=row.answers.distance,
            )
        )
    return RowDrafts(key=key, drafts=drafts)


def vehicle(row: Row, name: str, *, maker: str) -> RowDrafts:
    """Return a vehicle."""
    vin, plate = row.number_text("vin"), row.number_text("plate", "license plate")
    year = row.text("year", most=4)
    draft = AssetDraft(
        key=f"car:{name}",
        name=name,
        kind=AssetKind.VEHICLE,
        maker=row.text(maker),
        model=" ".join(filter(None, (row.text("model"), row.text("submodel"), year)))[:120],
        notes=row.prose("description", "notes"),
        identifiers=[
            *([(IdentifierScheme.VIN, vin)] if vin else []),
            *([(IdentifierScheme.PLATE, plate)] if plate else []),
        ],
    )
    return RowDrafts(key=draft.key, drafts=[draft])


FUELIO = Format(
    slug="fuelio",
    label="Fuelio",
    source="fuelio",
    fits=fits_fuelio,
    read=read_fuelio,
    asks=ASKS,
    dates=frozenset({"data", "date"}),
    numbers=frozenset({"price (optional)", "cost", "volumeprice"}),
    settles=settles_fuelio,
)

# -- aCar ------------------------------------------------------------------------------


def fits_acar(columns: frozenset[str], section: str) -> bool:
    """Whether a table is one of aCar's (now the Fuelly app)."""
    return section in {"metadata", "vehicles", "fill-up records"} and bool(
        columns & {"date format", "distance unit", "odometer reading"}
    )


def settles_acar(section: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the order of dates, which the first table declares."""
    if section != "metadata":
        return {}
    order = order_of(values.get("date format", ""))
    return {"dates": str(order)} if order else {}


def read_acar(row: Row) -> RowDrafts | None:
    """Return a row of one of its tables."""
    section = row.record.section
    if section == "vehicles":
        return vehicle(row, row.need("name"), maker="make")
    if section not in {"fill-up records", "event records", "service records", "expense records"}:
        return None
    whose = car(row.need("vehicle"))
    unit = "mi" if row.text("distance unit").lower().startswith("mi") else "km"
    reading, cost = row.number("odometer reading"), row.money("total cost")
    if section == "fill-up records":
        return fill_up(
            row,
            whose=whose,
            volume=not_below(row, "volume"),
            unit=row.text("volume unit", most=12) or "l",
            cost=cost,
            reading=reading,
            distance=unit,
            is_partial=row.flag("partial fill-up?"),
            is_missed=row.flag("previously missed fill-ups?"),
            provider=row.text("fuel brand"),
            notes=plain_notes(row),
        )
    on = row.need_day("date")
    title = row.text("sub types", most=200) or row.text("type", most=200) or "Service"
    is_service = "service" in row.text("type").lower() or section == "service records"
    draft = ServiceDraft(
        whose=whose,
        on=on,
        title=title,
        kind=WorkKind.SERVICE if is_service else WorkKind.OTHER,
        cost=cost if cost and cost.amount else None,
        provider=row.text("place name"),
        notes=plain_notes(row),
        reading=reading or None,
        unit=unit,
    )
    return RowDrafts(key=row.key("event", whose.key, on, title, cost), drafts=[draft])


ACAR = Format(
    slug="acar",
    label=gettext_noop("aCar or Fuelly app"),
    source="acar",
    fits=fits_acar,
    read=read_acar,
    asks=ASKS,
    dates=frozenset({"date"}),
    numbers=frozenset({"total cost", "odometer reading", "volume", "price per unit"}),
    settles=settles_acar,
)
