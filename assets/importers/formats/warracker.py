"""Warracker: its list of guarantees. Lists in one cell are parted by spaces or by commas."""

from dateutil.relativedelta import relativedelta

from assets.choices import CoverageKind, IdentifierScheme
from assets.importers.drafts import AssetDraft, CoverageDraft, Extra, RowDrafts, Whose
from assets.importers.rows import Ask, Format, Row, has


def read(row: Row) -> RowDrafts:
    """Return a product with its guarantee."""
    name = row.need("productname")
    bought = row.need_day("purchasedate")
    by = row.answers.lists
    serials = row.listed("serialnumber", "serialnumbers", by=by)
    row.number_text("serialnumber", "serialnumbers")
    years, months = (
        row.whole(f"warrantyduration{unit}", usual=0, most=1200) for unit in ("years", "months")
    )
    days = row.whole("warrantydurationdays", usual=0, most=40_000)
    until = row.day("expirationdate")
    if until is None and days:  # what no number of months can say
        until = bought + relativedelta(years=years, months=months, days=days)
    is_lifetime = row.flag("islifetime")
    kind = row.text("warrantytype")
    vendor, price, url = (
        row.text("vendor"),
        row.money("purchaseprice"),
        row.text("producturl", most=500),
    )
    row.used.add("status")  # follows from the dates
    draft = AssetDraft(
        key=row.key("product", name, bought, *sorted(serials)),
        name=name,
        tags=row.listed("tags", by=by),
        identifiers=[(IdentifierScheme.SERIAL, serial) for serial in serials],
        bought_on=bought,
        seller=vendor,
        price=price,
        extras=[*([Extra(name="Link", value=url)] if url else []), *row.extras()],
    )
    covers = [
        CoverageDraft(
            whose=Whose(key=draft.key),
            kind=CoverageKind.EXTENDED_WARRANTY
            if "exten" in kind.lower()
            else CoverageKind.COMMERCIAL_GUARANTEE,
            starts_on=bought,
            ends_on=until,
            months=(years * 12 + months or None) if not days else None,
            is_lifetime=is_lifetime,
            terms=kind,
        )
    ]
    has_cover = is_lifetime or until or years or months or days
    return RowDrafts(key=draft.key, drafts=[draft, *(covers if has_cover else ())])


WARRANTIES = Format(
    slug="warracker",
    label="Warracker",
    source="warracker",
    fits=has("productname", "purchasedate"),
    read=read,
    asks=frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY, Ask.LISTS}),
    dates=frozenset({"purchasedate", "expirationdate"}),
    numbers=frozenset({"purchaseprice"}),
    keeps_extras=True,
)
