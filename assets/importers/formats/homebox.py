"""Homebox: its CSV and TSV, from the names of v0.10 to those of today."""

from assets.choices import CostCategory, CoverageKind, EndReason, IdentifierScheme
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    CoverageDraft,
    Draft,
    Extra,
    RowDrafts,
    Sum,
    Whose,
)
from assets.importers.rows import Ask, Format, Row

FIELD = "hb.field."
DATES = ("purchase_date", "purchase_time", "warranty_expires", "sold_date", "sold_time")
# Written by every version; nothing here is ever a field of the household's own.
KNOWN = (
    "import_ref",
    "parent_import_ref",
    "url",
    "name",
    "description",
    "notes",
    "purchase_from",
    "manufacturer",
    "model_number",
    "serial_number",
    "warranty_details",
    "sold_to",
    "sold_notes",
    "location",
    "labels",
    "tags",
    "asset_id",
    "quantity",
    "purchase_price",
    "sold_price",
    "archived",
    "insured",
    "lifetime_warranty",
)


def hb(*names: str) -> list[str]:
    """Return names as the header has them."""
    return [f"hb.{name}" for name in names]


def fits(columns: frozenset[str], _section: str) -> bool:
    """Whether the header is Homebox's."""
    return "hb.name" in columns and sum(name.startswith("hb.") for name in columns) >= 3


def read(row: Row) -> RowDrafts:
    """Return an item with its guarantee and its sale."""
    name = row.need(*hb("name"), most=120)
    key = key_of(row, name)
    bought = row.day(*hb("purchase_date", "purchase_time"))
    sold = row.day(*hb("sold_date", "sold_time"))
    sold_to, sold_for = row.text(*hb("sold_to")), row.money(*hb("sold_price"))
    is_sold = sold is not None or bool(sold_to) or bool(sold_for and sold_for.amount)
    notes = [
        row.prose(*hb("description")),
        row.prose(*hb("notes")),
        f"Sold to: {sold_to}" if sold_to else "",
        row.prose(*hb("sold_notes")),
    ]
    own = own_number(row)
    serial = row.number_text(*hb("serial_number"))
    price = row.money(*hb("purchase_price"))
    url = row.text(*hb("url"), most=500)
    details, until = row.prose(*hb("warranty_details")), row.day(*hb("warranty_expires"))
    is_lifetime = row.flag(*hb("lifetime_warranty"))
    is_archived = row.flag(*hb("archived"))
    labels = row.listed(*hb("tags", "labels"), by=";")
    draft = AssetDraft(
        key=key,
        name=name,
        maker=row.text(*hb("manufacturer")),
        model=row.text(*hb("model_number")),
        place=row.text(*hb("location"), most=200),
        quantity=row.whole(*hb("quantity")) or 1,
        notes="\n".join(note for note in notes if note)[:8000],
        tags=labels,
        identifiers=[
            *([(IdentifierScheme.SERIAL, serial)] if serial else []),
            *([(IdentifierScheme.ASSET_TAG, own)] if own else []),
        ],
        extras=[*([Extra(name="Link", value=url)] if url else []), *fields(row)],
        parent_key=parent_of(row),
        bought_on=bought,
        price=price if price and price.amount else None,
        seller=row.text(*hb("purchase_from")),
        is_insured=row.flag(*hb("insured")),
        is_stored=is_archived and not is_sold,
        ended_on=sold,
        end_reason=EndReason.SOLD if is_sold else None,
    )
    drafts: list[Draft] = [draft]
    if until or is_lifetime or details:
        drafts.append(
            CoverageDraft(
                whose=Whose(key=key),
                kind=CoverageKind.COMMERCIAL_GUARANTEE,
                obligor=draft.maker,
                starts_on=bought,
                ends_on=until,
                is_lifetime=is_lifetime,
                terms=details,
            )
        )
    if sold and sold_for and sold_for.amount:
        drafts.append(
            CostDraft(
                whose=Whose(key=key),
                on=sold,
                sum=Sum(amount=-abs(sold_for.amount), currency=sold_for.currency),
                category=CostCategory.SALE,
                note=sold_to,
            )
        )
    return RowDrafts(key=key, drafts=drafts)


def own_number(row: Row) -> str:
    """Return the item's own number; 000-000 is none."""
    said = row.text(*hb("asset_id"))
    return said if said.strip("0-") else ""


def key_of(row: Row, name: str) -> str:
    """Return the key: its reference, else its own number, else what it says."""
    if reference := row.text(*hb("import_ref")):
        return f"ref:{reference}"
    if own := own_number(row):
        return f"id:{own}"
    place, serial = row.first(*hb("location"))[1], row.first(*hb("serial_number"))[1]
    return row.key("item", name, place, serial, row.first(*hb("purchase_date", "purchase_time"))[1])


def parent_of(row: Row) -> str:
    """Return the key of the item that it is a part of."""
    reference = row.text(*hb("parent_import_ref"))
    return f"ref:{reference}" if reference else ""


def fields(row: Row) -> list[Extra]:
    """Return its own fields, and whatever a later version adds."""
    row.used.update(hb(*KNOWN, *DATES))
    return [
        Extra(
            name=each.name[len(FIELD) :] if each.name.lower().startswith(FIELD) else each.name,
            value=each.value,
        )
        for each in row.extras()
    ]


ITEMS = Format(
    slug="homebox",
    label="Homebox",
    source="homebox",
    fits=fits,
    read=read,
    asks=frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY}),
    dates=frozenset(hb(*DATES)),
    numbers=frozenset(hb("purchase_price", "sold_price")),
    keeps_extras=True,
)
