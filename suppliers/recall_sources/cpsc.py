"""Recalls of consumer goods in the United States: CPSC, asked by the day they were published.

`/RestWebServices/Recall?format=json&LastPublishDateStart=`
(https://www.cpsc.gov/Recalls/CPSC-Recalls-Application-Program-Interface-API-Information).
A bare array. CPSC itself warns that its barcodes give false hits both ways, so a barcode
counts only beside the maker. The maker is often named only in the title ("Acme Recalls ...").
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from assets.recall_matching import Criterion, Published, gtin_key
from suppliers.recall_sources.values import (
    Read,
    Source,
    SourceError,
    iso_day,
    rows_of,
    several,
    text,
    texts,
)

AGAIN = timedelta(days=7)  # what was published late is asked for again
FIRST = timedelta(days=10 * 365)  # so far back where nothing is known yet
_WHO = re.compile(r"^(.{2,80}?)\s+(?:Recalls?|Recalled|Expands?|Reannounces?)\b", re.IGNORECASE)
# "... with serial numbers from 0B1K4BAN400100Z through 0B1K4BAN400200Z"
_SERIALS = re.compile(
    r"\bserial\s+(?:numbers?|nos?\.?)\s+(?:(?:in|the|range|ranging|between|from|of)\s+){0,4}"
    r"([A-Z0-9][A-Z0-9-]{3,39})\s+(?:through|thru|to|and|-|\N{EN DASH})\s+"
    r"([A-Z0-9][A-Z0-9-]{3,39})\b",
    re.IGNORECASE,
)
_STOP = re.compile(r"\bstop using\b|\bimmediately\b", re.IGNORECASE)
MAKERS = ("Manufacturers", "Importers", "Distributors")
MOST_MODELS = 60


def _address(_key: str, since: date | None) -> str:
    asked = {"format": "json"}
    if since is not None:
        asked["LastPublishDateStart"] = (since - AGAIN).isoformat()
    return "/RestWebServices/Recall?" + urlencode(asked)


def _read(body: bytes, _key: str) -> Read:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError("not_json") from error
    if not isinstance(rows, list):
        raise SourceError("not_a_list")
    found = {}
    for row in rows_of(rows):
        number = text(row.get("RecallNumber"), 40) or text(row.get("RecallID"), 40)
        title = text(row.get("Title"), 300)
        if number and title:
            found[number] = _published(row, number, title)
    return Read(published=tuple(found.values()))


def _published(row: Mapping[str, Any], number: str, title: str) -> Published:
    hazards = texts(row.get("Hazards"), "Name")
    remedies = texts(row.get("Remedies"), "Name")
    contact = text(row.get("ConsumerContact"))
    options = texts(row.get("RemedyOptions"), "Option")
    url = text(row.get("URL"), 500).replace("http://", "https://", 1)
    return Published(
        source="cpsc",
        number=number,
        title=title,
        criteria=tuple(_criteria(row, title)),
        published_on=iso_day(row.get("RecallDate")),
        updated_on=iso_day(row.get("LastPublishDate")),
        hazard=" ".join(hazards),
        remedy=" ".join(filter(None, (*remedies, several(options), contact))),
        url=url if url.startswith("https://") else "",
        do_not_use=any(_STOP.search(remedy) for remedy in remedies),
        raw=dict(row),
    )


def _criteria(row: Mapping[str, Any], title: str) -> Iterator[Criterion]:
    """Return each maker with each product: by its models, its serial numbers, or its sort."""
    makers = [name for field in MAKERS for name in texts(row.get(field), "Name")]
    named = _WHO.match(title)
    if named is not None:
        makers.insert(0, named.group(1))
    gtins = [key for upc in texts(row.get("ProductUPCs"), "UPC") if (key := gtin_key(upc))]
    for maker in dict.fromkeys(makers):
        for product in rows_of(row.get("Products")):
            yield Criterion(
                brand=maker,
                model=text(product.get("Model"), 200),
                product=several(
                    filter(None, (text(product.get("Name"), 150), text(product.get("Type"), 50)))
                ),
            )
            for first, last in _SERIALS.findall(text(product.get("Description"))):
                yield Criterion(brand=maker, serial_from=first, serial_to=last)
        for gtin in gtins[:MOST_MODELS]:
            yield Criterion(brand=maker, gtin=gtin)


SOURCE = Source(base="https://www.saferproducts.gov", address=_address, read=_read, first=FIRST)
