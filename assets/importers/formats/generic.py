"""Any table: its owner says what each column is, and we guess first."""

from collections.abc import Iterable

from django.utils.translation import gettext_noop

from assets.care_words import WorkKind
from assets.choices import AssetKind, CostCategory, CoverageKind, IdentifierScheme
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    CoverageDraft,
    Draft,
    Extra,
    ReadingDraft,
    RowDrafts,
    ServiceDraft,
    Whose,
)
from assets.importers.faults import RowError
from assets.importers.rows import EXTRA, IGNORE, Ask, Format, Row

# What a column may be.
TARGETS: dict[str, str] = {
    "name": gettext_noop("Name"),
    "kind": gettext_noop("Kind"),
    "maker": gettext_noop("Maker"),
    "model": gettext_noop("Model"),
    "serial": gettext_noop("Serial number"),
    "tag": gettext_noop("Own number"),
    "vin": gettext_noop("VIN"),
    "plate": gettext_noop("Number plate"),
    "gtin": gettext_noop("GTIN"),
    "place": gettext_noop("Place"),
    "quantity": gettext_noop("How many"),
    "tags": gettext_noop("Tags"),
    "notes": gettext_noop("Notes"),
    "bought_on": gettext_noop("Bought on"),
    "price": gettext_noop("Price"),
    "seller": gettext_noop("Seller"),
    "order_no": gettext_noop("Order number"),
    "warranty_until": gettext_noop("Guarantee until"),
    "warranty_months": gettext_noop("Guarantee in months"),
    "insured": gettext_noop("Insured"),
    "link": gettext_noop("Link"),
    "parent": gettext_noop("Part of"),
    "asset": gettext_noop("About which thing"),
    "on": gettext_noop("Date"),
    "title": gettext_noop("What was done"),
    "cost": gettext_noop("Cost"),
    "provider": gettext_noop("Who did it"),
    "meter": gettext_noop("Meter reading"),
}
# The names in use for each, folded; English, German, Italian and French.
_KNOWN = """
name: name|title|item|asset|product|thing|bezeichnung|gegenstand|gerät|artikel|nome|oggetto
name: nom|objet|asset name|item name|product name
kind: kind|category|type|kategorie|art|categoria|tipo|catégorie
maker: maker|manufacturer|brand|make|hersteller|marke|produttore|marca|fabricant|marque
model: model|model number|model name|modell|modello|modèle
serial: serial|serial number|serial no|serial no.|sn|s/n|seriennummer|matricola|numero di serie
serial: numéro de série
tag: asset tag|asset id|inventory number|inventarnummer|id
vin: vin|chassis number|fahrgestellnummer|fin|telaio
plate: plate|license plate|licence plate|registration|kennzeichen|targa
gtin: gtin|ean|upc|barcode
place: place|location|room|where|ort|raum|standort|luogo|posizione|stanza|lieu|emplacement
quantity: quantity|qty|count|anzahl|menge|quantità|quantité
tags: tags|labels|keywords|schlagwörter|etichette
notes: notes|note|description|comment|comments|remarks|notizen|bemerkung|beschreibung|descrizione
bought_on: bought|bought on|purchase date|purchased|date bought|date of purchase|kaufdatum
bought_on: gekauft am|data acquisto|data di acquisto|date d'achat
price: price|purchase price|cost|value|amount paid|preis|kaufpreis|wert|prezzo|prix
seller: seller|vendor|store|shop|supplier|purchased from|händler|verkäufer|lieferant|venditore
seller: negozio|vendeur
order_no: order|order number|invoice|invoice number|bestellnummer|rechnungsnummer|ordine
warranty_until: warranty|warranty until|warranty expires|warranty end|warranty expiration
warranty_until: garantie bis|garantie|garanzia|garanzia fino al
warranty_months: warranty months|warranty (months)|garantie monate
insured: insured|versichert|assicurato
link: url|link|website|web
parent: parent|part of|belongs to|gehört zu|teil von
asset: vehicle|car|fahrzeug|auto|veicolo
on: date|datum|data|day|done on|service date
title: work|service|what|job|task|arbeit|lavoro
cost: cost|total|amount|costs|kosten|betrag|costo|importo|coût
provider: provider|garage|workshop|werkstatt|officina
meter: odometer|mileage|km|miles|meter|reading|hours|kilometerstand|zählerstand|chilometri
"""


def _known() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in _KNOWN.strip().splitlines():
        target, _, names = line.partition(": ")
        found.setdefault(target, set()).update(names.split("|"))
    return found


KNOWN = _known()
THINGS_ONLY = frozenset(
    {
        "kind",
        "maker",
        "model",
        "serial",
        "tag",
        "vin",
        "plate",
        "gtin",
        "place",
        "quantity",
        "tags",
        "bought_on",
        "price",
        "seller",
        "order_no",
        "warranty_until",
        "warranty_months",
        "insured",
        "link",
        "parent",
    }
)
RECORDS_ONLY = frozenset(["asset", "on", "title", "cost", "provider", "meter"])
KIND_WORDS: dict[AssetKind, str] = {
    AssetKind.HOME: "house home building haus gebäude casa edificio",
    AssetKind.VEHICLE: "vehicle car truck motorcycle bike auto fahrzeug veicolo",
    AssetKind.APPLIANCE: "appliance kitchen haushaltsgerät küche elettrodomestico",
    AssetKind.HEATING: "heating boiler hvac heizung riscaldamento caldaia",
    AssetKind.ELECTRONICS: "electronics computer laptop phone tablet tv audio camera elektronik"
    " elettronica",
    AssetKind.BOAT: "boat ship boot barca",
    AssetKind.TOOL: "tool tools werkzeug attrezzo utensile",
    AssetKind.INSTRUMENT: "instrument piano guitar strumento",
    AssetKind.SUBSCRIPTION: "subscription abo abbonamento",
}
SCHEMES = {
    "serial": IdentifierScheme.SERIAL,
    "tag": IdentifierScheme.ASSET_TAG,
    "vin": IdentifierScheme.VIN,
    "plate": IdentifierScheme.PLATE,
    "gtin": IdentifierScheme.GTIN,
}
THINGS_KIND, RECORDS_KIND, READINGS_KIND = "things", "work", "readings"


def guess(columns: Iterable[str], kind: str = THINGS_KIND) -> dict[str, str]:
    """Return what each (folded) column seems to be; each field is taken once."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    left_out = RECORDS_ONLY if kind == THINGS_KIND else THINGS_ONLY
    for column in columns:
        target = next(
            (
                name
                for name in TARGETS
                if name not in left_out and name not in taken and column in KNOWN[name]
            ),
            EXTRA,
        )
        if target != EXTRA:
            taken.add(target)
        found[column] = target
    return found


def guess_kind(columns: Iterable[str]) -> str:
    """Return what the rows seem to be: work has a day and a cost or a title, things a name."""
    names = set(columns)
    if guess(names) and "name" in guess(names).values():
        return THINGS_KIND
    as_records = set(guess(names, RECORDS_KIND).values())
    if {"on", "meter"} <= as_records and not as_records & {"title", "cost"}:
        return READINGS_KIND
    return RECORDS_KIND if "on" in as_records and as_records & {"title", "cost"} else THINGS_KIND


class Mapped:
    """A row whose columns are asked for by what the owner said they are."""

    def __init__(self, row: Row) -> None:
        """Turn the mapping round."""
        self.row = row
        self.by: dict[str, list[str]] = {}
        for column, target in row.answers.columns.items():
            self.by.setdefault(target, []).append(column)
        row.used.update(self.by.get(IGNORE, ()))

    def of(self, target: str) -> list[str]:
        """Return the columns that are this."""
        return self.by.get(target) or [f"\x00{target}"]

    def label(self, target: str) -> str:
        """Return how the column is called, or the field where none was named."""
        mine = self.by.get(target)
        return self.row.names.get(mine[0], mine[0]) if mine else TARGETS[target]


def read(row: Row) -> RowDrafts:
    """Return a thing, a piece of work or a reading, as the owner said."""
    mapped = Mapped(row)
    if row.answers.kind == RECORDS_KIND:
        return read_work(mapped)
    if row.answers.kind == READINGS_KIND:
        return read_reading(mapped)
    return read_thing(mapped)


def read_thing(mapped: Mapped) -> RowDrafts:
    """Return a thing with its guarantee."""
    row, of = mapped.row, mapped.of
    name = row.text(*of("name"))
    if not name:
        raise RowError("missing", mapped.label("name"))
    identifiers = [
        (scheme, said)
        for target, scheme in SCHEMES.items()
        if (said := row.number_text(*of(target)))
    ]
    category = row.text(*of("kind"), most=60)
    kind = kind_of(category)
    bought, price = row.day(*of("bought_on")), row.money(*of("price"))
    until = row.day(*of("warranty_until"))
    months = row.whole(*of("warranty_months"), usual=0, most=1200)
    place, maker = row.text(*of("place"), most=200), row.text(*of("maker"))
    tag = next((said for scheme, said in identifiers if scheme == IdentifierScheme.ASSET_TAG), "")
    key = (
        f"tag:{tag}" if tag else row.key("thing", name, place, *(said for _s, said in identifiers))
    )
    link, parent = row.text(*of("link"), most=500), row.text(*of("parent"))
    tags = row.listed(*of("tags"), by=";" if ";" in row.first(*of("tags"))[1] else ",")
    if category and kind == AssetKind.OTHER:
        tags = list(dict.fromkeys([*tags, category]))
    draft = AssetDraft(
        key=key,
        name=name,
        kind=kind,
        maker=maker,
        model=row.text(*of("model")),
        place=place,
        quantity=row.whole(*of("quantity")) or 1,
        notes=row.prose(*of("notes"))[:8000],
        tags=tags,
        identifiers=identifiers,
        parent_key=f"name:{parent}" if parent else "",
        bought_on=bought,
        price=price,
        seller=row.text(*of("seller")),
        order_no=row.text(*of("order_no"), most=80),
        is_insured=row.flag(*of("insured")),
        extras=[*([Extra(name="Link", value=link)] if link else []), *row.extras()],
    )
    drafts: list[Draft] = [draft]
    if until or months:
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


def kind_of(category: str) -> AssetKind:
    """Return the kind that a category names."""
    said = category.casefold()
    if said in AssetKind.values:
        return AssetKind(said)
    words = set(said.replace(",", " ").replace("/", " ").split())
    return next(
        (kind for kind, known in KIND_WORDS.items() if words & set(known.split())), AssetKind.OTHER
    )


def whose_of(mapped: Mapped) -> Whose:
    """Return the asset that a row names; none where no column does."""
    name = mapped.row.text(*mapped.of("asset"), *mapped.of("name"))
    return Whose(name=name) if name else Whose()


def read_work(mapped: Mapped) -> RowDrafts:
    """Return a piece of work, or money spent where nothing was done."""
    row, of = mapped.row, mapped.of
    on = row.day(*of("on"))
    if on is None:
        raise RowError("missing", mapped.label("on"))
    whose, title = whose_of(mapped), row.text(*of("title"), most=200)
    cost, value = row.money(*of("cost")), row.number(*of("meter"))
    provider, notes = row.text(*of("provider")), row.notes(*of("notes"))
    if not title and cost is None:
        raise RowError("missing", mapped.label("title"))
    key = row.key("work", whose.name, on, title, cost, value)
    if not title and cost is not None and value is None:
        note = (notes.replace("\n", " · ") or provider)[:200]
        spent = CostDraft(whose=whose, on=on, sum=cost, category=CostCategory.OTHER, note=note)
        return RowDrafts(key=key, drafts=[spent])
    draft = ServiceDraft(
        whose=whose,
        on=on,
        title=title or str(WorkKind.SERVICE.label),
        cost=cost if cost and cost.amount else None,
        provider=provider,
        notes=notes,
        reading=value,
        unit=row.answers.distance,
    )
    return RowDrafts(key=key, drafts=[draft])


def read_reading(mapped: Mapped) -> RowDrafts:
    """Return what a meter showed."""
    row, of = mapped.row, mapped.of
    on, value = row.day(*of("on")), row.number(*of("meter"))
    if on is None or value is None:
        raise RowError("missing", mapped.label("on" if on is None else "meter"))
    if value < 0:
        raise RowError("negative", *row.first(*of("meter")))
    whose = whose_of(mapped)
    draft = ReadingDraft(whose=whose, on=on, value=value, unit=row.answers.distance)
    return RowDrafts(key=row.key("reading", whose.name, on, value), drafts=[draft])


THINGS = Format(
    slug="table",
    label=gettext_noop("Any table"),
    source="table",
    fits=lambda _columns, _section: True,
    read=read,
    asks=frozenset({Ask.KIND, Ask.DATES, Ask.DECIMAL, Ask.CURRENCY, Ask.DISTANCE, Ask.ASSET}),
    kinds=(
        (THINGS_KIND, gettext_noop("Things")),
        (RECORDS_KIND, gettext_noop("Work that was done, or money spent")),
        (READINGS_KIND, gettext_noop("Meter readings")),
    ),
    is_mapped=True,
    keeps_extras=True,
)
