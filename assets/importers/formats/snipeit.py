"""Snipe-IT: the file it takes assets from, its custom report, and its report of maintenance."""

import html

from assets.care_words import WorkKind
from assets.choices import CoverageKind, EndReason, IdentifierScheme
from assets.importers.drafts import AssetDraft, CoverageDraft, Draft, RowDrafts, ServiceDraft, Whose
from assets.importers.files import Record
from assets.importers.rows import Ask, Format, Row, has

TAGS = ("asset tag", "asset_tag", "tag")
NAMES = ("asset name", "name", "item name")
BOUGHT = ("purchase date", "purchased")
COST = ("purchase cost", "cost")
GONE = {
    "sold": EndReason.SOLD,
    "lost": EndReason.LOST,
    "stolen": EndReason.STOLEN,
    "recycled": EndReason.RECYCLED,
    "disposed": EndReason.SCRAPPED,
    "donated": EndReason.DONATED,
}
# Worked out there from the others, or about its own bookkeeping.
DROPPED = frozenset(
    {
        "id",
        "created at",
        "updated at",
        "deleted",
        "current value",
        "diff",
        "fully depreciated",
        "image",
        "requestable",
        "byod",
        "checkout type",
        "last audit",
        "next audit date",
        "checkout date",
        "last checkin date",
        "expected checkin date",
        "category",
    }
)


def fits(columns: frozenset[str], _section: str) -> bool:
    """Whether it is a list of assets: they are known by their tags."""
    typical = {"model", "category", "purchase cost", "purchase date", "serial", "status", "company"}
    return "asset tag" in columns and len(typical & columns) >= 2


def unescaped(row: Row) -> Row:
    """Return the row without the escapes for web pages that reports are written with."""
    if not any("&" in cell for cell in row.cells.values()):
        return row
    cells = {name: html.unescape(cell) for name, cell in row.record.values.items()}
    return Row(Record(row.record.number, row.record.section, cells), row.answers)


def read(row: Row) -> RowDrafts:
    """Return an asset with its guarantee."""
    row = unescaped(row)
    tag = row.number_text(*TAGS)
    model = row.text("model", "model name")
    name = row.text(*NAMES) or model
    if not name:
        name = row.need(*TAGS)
    serial = row.number_text("serial", "serial number")
    bought, price = row.day(*BOUGHT), row.money(*COST)
    number = row.text("model number", "model no.")
    status = row.text("status")
    gone = next((why for word, why in GONE.items() if word in status.lower()), None)
    holder = " ".join(
        filter(
            None,
            (
                row.text("checked out to: first name"),
                row.text("checked out to: last name"),
            ),
        )
    )
    notes = [
        row.prose("asset notes", "notes"),
        row.prose("model notes"),
        f"Status: {status}" if status else "",
        f"Checked out to: {holder}" if holder else "",
    ]
    category = row.text("category", most=60)
    place = row.text("location", "default location", "checked out to: location", most=200)
    months, until = months_of(row), row.day("warranty expires")
    seller, order = row.text("supplier"), row.text("order number", most=80)
    maker = row.text("manufacturer")
    row.used |= DROPPED
    key = f"tag:{tag}" if tag else row.key("asset", name, serial, bought)
    draft = AssetDraft(
        key=key,
        name=name,
        maker=maker,
        model=" ".join(part for part in (model, number) if part)[:120],
        place=place,
        notes="\n".join(note for note in notes if note)[:8000],
        tags=[category] if category else [],
        identifiers=[
            *([(IdentifierScheme.ASSET_TAG, tag)] if tag else []),
            *([(IdentifierScheme.SERIAL, serial)] if serial else []),
        ],
        extras=row.extras(),
        bought_on=bought,
        price=price,
        seller=seller,
        order_no=order,
        end_reason=gone,
    )
    drafts: list[Draft] = [draft]
    if months or until:
        drafts.append(
            CoverageDraft(
                whose=Whose(key=key),
                kind=CoverageKind.COMMERCIAL_GUARANTEE,
                obligor=maker,
                starts_on=bought,
                ends_on=until,
                months=months or None,
            )
        )
    return RowDrafts(key=key, drafts=drafts)


def months_of(row: Row) -> int:
    """Return for how many months it is covered: "36", or "36 months" in reports."""
    return row.whole("warranty", "warranty months", "warranty_months", usual=0, most=1200)


def read_maintenance(row: Row) -> RowDrafts:
    """Return a piece of work on the asset that its tag names."""
    row = unescaped(row)
    tag, name = row.number_text(*TAGS), row.text(*NAMES)
    started, ended = row.day("start date"), row.day("completion date")
    done = ended or started or row.need_day("completion date")
    said = row.text("asset maintenance type", "maintenance type")
    title = row.text("title", most=200) or said or row.need("title")
    cost, provider = row.money("cost"), row.text("supplier")
    row.used.update({"asset maintenance time (in days)", *DROPPED})
    key = row.key("maintenance", tag, title, started, done, cost)
    kinds = {"repair": WorkKind.REPAIR, "upgrade": WorkKind.UPGRADE, "test": WorkKind.INSPECTION}
    kind = next((k for word, k in kinds.items() if word in said.lower()), WorkKind.SERVICE)
    draft = ServiceDraft(
        whose=Whose(key=f"tag:{tag}" if tag else "", tag=tag, name=name),
        on=done,
        title=title,
        kind=kind,
        cost=cost,
        provider=provider,
        notes=row.notes(),
    )
    return RowDrafts(key=key, drafts=[draft])


ASSETS = Format(
    slug="snipeit",
    label="Snipe-IT",
    source="snipeit",
    fits=fits,
    read=read,
    asks=frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY}),
    dates=frozenset({*BOUGHT, "warranty expires", "asset eol date", "eol"}),
    numbers=frozenset(COST),
    keeps_extras=True,
)
MAINTENANCE = Format(
    slug="snipeit_maintenance",
    label="Snipe-IT, maintenance report",
    source="snipeit",
    fits=has("asset tag", "asset maintenance type"),
    read=read_maintenance,
    asks=frozenset({Ask.DATES, Ask.DECIMAL, Ask.CURRENCY}),
    dates=frozenset({"start date", "completion date"}),
    numbers=frozenset({"cost"}),
)
