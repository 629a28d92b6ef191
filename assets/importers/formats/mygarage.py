"""MyGarage: every file names its system of units in its first columns."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from assets.care_words import WorkKind
from assets.choices import CostCategory, CoverageKind
from assets.importers.drafts import (
    CostDraft,
    CoverageDraft,
    Draft,
    ReadingDraft,
    RowDrafts,
    ServiceDraft,
)
from assets.importers.faults import RowError
from assets.importers.rows import TO_US, Ask, Format, Row, has

SOURCE = "mygarage"
LOCALE = frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY, Ask.ASSET})
UNITS = frozenset({"units_version", "unit_system"})
WORK = {
    "repair": WorkKind.REPAIR,
    "upgrade": WorkKind.UPGRADE,
    "inspection": WorkKind.INSPECTION,
    "detailing": WorkKind.CLEANING,
}


def settles(_section: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the units that a row declares."""
    system = values.get("unit_system", "").strip().lower()
    if system == "imperial":
        return {"distance": "mi", "volume": "us_gal"}
    return {"distance": "km", "volume": "l"} if system == "metric" else {}


def begin(row: Row) -> None:
    """Leave the declaration of units out of what is kept."""
    row.used |= UNITS


def distance(row: Row) -> str:
    """Return the unit that the odometer's column is named with."""
    if "odometer (mi)" in row.cells or "odometer (miles)" in row.cells:
        return "mi"
    return "km" if "odometer (km)" in row.cells else row.answers.distance


ODOMETER = ("odometer (km)", "odometer (mi)", "odometer (miles)", "odometer", "mileage")
ENGINE = ("engine hours", "hours")


def read_service(row: Row) -> RowDrafts:
    """Return a visit to the garage."""
    begin(row)
    on, said = row.need_day("date"), row.text("category")
    title = row.text("description", most=200) or said or row.need("description")
    cost, value, hours = row.money("cost"), row.number(*ODOMETER), row.number(*ENGINE)
    provider = row.text("vendor")
    key = row.key("service", on, title, cost, value)
    drafts: list[Draft] = [
        ServiceDraft(
            whose=TO_US,
            on=on,
            title=title,
            kind=WORK.get(said.lower(), WorkKind.SERVICE),
            cost=cost if cost and cost.amount else None,
            provider=provider,
            notes=row.notes("notes"),
            reading=value or None,
            unit=distance(row),
        )
    ]
    if hours:
        drafts.append(ReadingDraft(whose=TO_US, on=on, value=hours, unit="h"))
    return RowDrafts(key=key, drafts=drafts)


def read_warranty(row: Row) -> RowDrafts:
    """Return a guarantee, and what it cost."""
    begin(row)
    provider, said = row.text("provider"), row.text("type")
    start, end, cost = row.day("start date"), row.day("end date"), row.money("cost")
    excess, scope = row.money("deductible"), row.text("coverage")
    is_makers = "manufact" in said.lower() or "powertrain" in said.lower()
    kind = CoverageKind.COMMERCIAL_GUARANTEE if is_makers else CoverageKind.EXTENDED_WARRANTY
    draft = CoverageDraft(
        whose=TO_US,
        kind=kind,
        obligor=provider,
        starts_on=start,
        ends_on=end,
        excess=excess,
        terms="\n".join(filter(None, (said, scope, row.prose("terms"), row.notes("notes")))),
    )
    drafts: list[Draft] = [draft]
    if start and cost and cost.amount:
        spent = CostDraft(
            whose=TO_US, on=start, sum=cost, category=CostCategory.INSURANCE, note=provider
        )
        drafts.append(spent)
    return RowDrafts(key=row.key("warranty", provider, said, start, end), drafts=drafts)


def read_insurance(row: Row) -> RowDrafts:
    """Return an insurance with its premium."""
    begin(row)
    provider, number = row.text("provider"), row.number_text("policy number", most=80)
    start, end, premium = row.day("start date"), row.day("end date"), row.money("premium")
    excess, said = row.money("deductible"), row.text("type")
    limits = row.prose("coverage limits")
    draft = CoverageDraft(
        whose=TO_US,
        kind=CoverageKind.INSURANCE,
        obligor=provider,
        reference=number,
        starts_on=start,
        ends_on=end,
        excess=excess,
        terms="\n".join(filter(None, (said, limits, row.notes("notes")))),
    )
    drafts: list[Draft] = [draft]
    if start and premium and premium.amount:
        spent = CostDraft(
            whose=TO_US, on=start, sum=premium, category=CostCategory.INSURANCE, note=provider
        )
        drafts.append(spent)
    return RowDrafts(key=row.key("insurance", provider, number, start), drafts=drafts)


def read_tax(row: Row) -> RowDrafts:
    """Return a tax or fee."""
    begin(row)
    on, said, amount = row.need_day("date"), row.text("type"), row.money("amount")
    if amount is None:
        raise RowError("missing", row.first("amount")[0])
    note = " · ".join(filter(None, (said, row.notes("notes").replace("\n", " · "))))[:200]
    draft = CostDraft(whose=TO_US, on=on, sum=amount, category=CostCategory.TAX, note=note)
    return RowDrafts(key=row.key("tax", on, said, amount), drafts=[draft])


def read_fuel(row: Row) -> RowDrafts:
    """Return a fill-up or a charge; its volume is named with its unit."""
    begin(row)
    on = row.need_day("date")
    value = row.number(*ODOMETER)
    volumes = {
        name: name.partition("(")[2].strip(")") or "l"
        for name in row.cells
        if name.startswith(("volume", "liters", "litres", "gallons", "kwh", "energy", "quantity"))
    }
    shown, volume = "", None
    for name, unit in volumes.items():
        volume = row.number(name)
        if volume:
            shown = f"{volume.normalize():f} {name if '(' not in name else unit}"
            break
    cost = row.money("cost", "total cost", "total")
    draft = ServiceDraft(
        whose=TO_US,
        on=on,
        title=shown or "Fuel",
        kind=WorkKind.FUEL,
        cost=cost if cost and cost.amount else None,
        notes=row.notes("notes"),
        reading=value or None,
        unit=distance(row),
    )
    return RowDrafts(key=row.key("fuel", on, value, volume, cost), drafts=[draft])


def fits_fuel(columns: frozenset[str], _section: str) -> bool:
    """Whether it is the file of fill-ups."""
    filled = ("volume", "liters", "litres", "gallons", "kwh", "propane")
    return columns >= {"unit_system", "date"} and any(name.startswith(filled) for name in columns)


def kind_of(slug: str, label: str, **values: object) -> Format:
    """Return one of its kinds, with what they share."""
    usual: dict[str, object] = {"source": SOURCE, "asks": LOCALE, "settles": settles}
    return Format(slug=f"mygarage_{slug}", label=label, **(usual | values))  # type: ignore[arg-type]  # the names are a format's


KINDS: tuple[Format, ...] = (
    kind_of(
        "insurance",
        gettext_noop("MyGarage, insurance"),
        fits=has("unit_system", "provider", "policy number"),
        read=read_insurance,
        dates=frozenset({"start date", "end date"}),
        numbers=frozenset({"premium", "deductible"}),
    ),
    kind_of(
        "warranty",
        gettext_noop("MyGarage, guarantees"),
        fits=has("unit_system", "provider", "start date"),
        read=read_warranty,
        dates=frozenset({"start date", "end date"}),
        numbers=frozenset({"cost", "deductible"}),
    ),
    kind_of(
        "tax",
        gettext_noop("MyGarage, taxes"),
        fits=has("unit_system", "date", "type", "amount"),
        read=read_tax,
        dates=frozenset({"date", "renewal date"}),
        numbers=frozenset({"amount"}),
    ),
    kind_of(
        "fuel",
        gettext_noop("MyGarage, fuel"),
        fits=fits_fuel,
        read=read_fuel,
        dates=frozenset({"date"}),
        numbers=frozenset({"cost"}),
    ),
    kind_of(
        "service",
        gettext_noop("MyGarage, services"),
        fits=has("unit_system", "date", "description", "cost"),
        read=read_service,
        dates=frozenset({"date"}),
        numbers=frozenset({"cost", *ODOMETER}),
    ),
)
