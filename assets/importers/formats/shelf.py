"""Shelf.nu: the file for bringing in content, with its typed fields of the team's own."""

import re
from dataclasses import replace

from assets.choices import FieldType, IdentifierScheme
from assets.importers import values
from assets.importers.drafts import AssetDraft, Extra, RowDrafts
from assets.importers.rows import TYPES, Ask, Format, Row

# cf:purchase date, type:date
OWN = re.compile(
    r"cf:\s*(?P<name>[^,]+?)\s*(?:,\s*type:\s*(?P<type>[a-z ]+?)\s*)?(?:,.*)?$", re.IGNORECASE
)
BARCODE = re.compile(r"barcode[_ ](?P<type>.+)$", re.IGNORECASE)


def fits(columns: frozenset[str], _section: str) -> bool:
    """Whether the header is Shelf's."""
    return "title" in columns and {"custodian", "bookable", "valuation"} & columns != set()


def read(row: Row) -> RowDrafts:
    """Return an asset."""
    name = row.need("title")
    value = row.money("valuation", "value")
    said = {word.capitalize(): row.text(word) for word in ("kit", "custodian")}
    notes = [row.prose("description"), *(f"{word}: {cell}" for word, cell in said.items() if cell)]
    tags = row.listed("tags", by=",")
    category = row.text("category", most=60)
    number = row.text("id", "qrid", "qr id")
    quantity = row.whole("quantity")
    model = row.text("assetmodel", "asset model")
    place = row.text("location", most=200)
    # What says how the asset is lent out there says nothing here.
    row.used.update({"bookable", "type", "minquantity", "unitofmeasure", "consumptiontype"})
    codes = [name for name in row.cells if BARCODE.match(name)]
    barcodes = [(IdentifierScheme.OTHER, row.number_text(name)) for name in codes]
    draft = AssetDraft(
        key=f"id:{number}" if number else row.key("asset", name, place, category, value),
        name=name,
        model=model,
        place=place,
        quantity=quantity or 1,
        notes="\n".join(note for note in notes if note)[:8000],
        tags=list(dict.fromkeys([*tags, *([category] if category else [])])),
        identifiers=barcodes,
        extras=typed(row),
        price=value,
    )
    return RowDrafts(key=draft.key, drafts=[draft])


def typed(row: Row) -> list[Extra]:
    """Return the team's own fields with their types."""
    found = []
    for extra in row.extras():
        own = OWN.match(extra.name)
        if own is None:
            found.append(extra)
            continue
        kind = TYPES.get((own["type"] or "text").strip().lower(), FieldType.TEXT)
        found.append(checked(row, replace(extra, name=own["name"][:60], type=kind)))
    return found


def checked(row: Row, extra: Extra) -> Extra:
    """Return a field whose value is as its type wants it. Raises RowError."""
    if extra.type == FieldType.DATE:
        value = values.read_day(extra.value, row.answers.dates, extra.name).isoformat()
    elif extra.type == FieldType.NUMBER:
        value = format(values.read_number(extra.value, row.answers.decimal, extra.name), "f")
    elif extra.type == FieldType.BOOLEAN:
        value = "true" if values.read_flag(extra.value, extra.name) else "false"
    else:
        return extra
    return replace(extra, value=value)


ASSETS = Format(
    slug="shelf",
    label="Shelf.nu",
    source="shelf",
    fits=fits,
    read=read,
    asks=frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY}),
    numbers=frozenset({"valuation", "value"}),
    keeps_extras=True,
)
