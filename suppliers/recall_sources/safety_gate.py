"""Dangerous goods in Europe: the weekly reports of the EU Safety Gate, as XML.

`/safety-gate-alerts/api/download/weeklyReport/list/xml/en` names the reports, and
`.../detail/xml/{id}?language=en` holds one week's alerts. An alert names `brand`, `name`,
`product`, `category`, `type_numberOfModel`, `batchNumber` and `barcode`; older ones say
`batchNumber_barcode`. "Unknown" stands where nothing is known. The Commission asks to be
named as the source, with the language: every page that shows one does.
"""

import re
from collections.abc import Iterator
from datetime import date

from lxml import etree  # type: ignore[import-untyped]  # no types

from assets.recall_matching import Criterion, Published, gtin_key
from suppliers.recall_sources.values import (
    MOST,
    Read,
    Source,
    SourceError,
    european_day,
    several,
    text,
)

ROOT = "/safety-gate-alerts/api/download/weeklyReport"
_ID = re.compile(r"/detail/xml/(\d{1,12})\b")
_NAME = re.compile(r"Report-(\d{4})-(\d{1,2})")
_GTIN = re.compile(r"\b\d[\d -]{6,16}\d\b")
_PAGE = "https://ec.europa.eu/safety-gate-alerts/"
_NOTHING = frozenset({"", "unknown", "-", "n/a", "none", "not available"})
WEEKS = 52  # so far back where nothing is known yet


def _address(key: str, _since: date | None) -> str:
    return f"{ROOT}/detail/xml/{key}?language=en" if key else f"{ROOT}/list/xml/en"


def _read(body: bytes, key: str) -> Read:
    root = _parsed(body)
    return Read(published=tuple(_alerts(root))) if key else Read(leads=tuple(_reports(root)))


def _parsed(body: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(body, parser=parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceError("not_xml") from error
    if root.getroottree().docinfo.doctype:
        raise SourceError("has_doctype")
    return root


def _reports(root: etree._Element) -> Iterator[str]:
    """Return the ids of the weekly reports of the last year, the oldest first."""
    found: list[tuple[tuple[int, int], str]] = []
    for row in root.iter("weeklyReport"):
        at, name = _ID.search(_of(row, "URL")), _NAME.fullmatch(_of(row, "reference"))
        if at is not None and name is not None:
            found.append(((int(name.group(1)), int(name.group(2))), at.group(1)))
    for _week, number in sorted(found)[-WEEKS:]:
        yield number


def _alerts(root: etree._Element) -> Iterator[Published]:
    published = european_day(_of(root, "publicationDate"))
    rows = [row for name in ("notifications", "notification") for row in root.iter(name)]
    for row in rows[:MOST]:
        number = _of(row, "caseNumber", 80)
        title = several(filter(None, (_of(row, "brand", 80), _named(row))))
        if not number or not title:
            continue
        page = _of(row, "reference", 500)
        yield Published(
            source="safety-gate",
            number=number,
            title=title[:300],
            criteria=tuple(_criteria(row)),
            published_on=published or european_day(_of(row, "publicationDate")),
            hazard=" ".join(filter(None, (_of(row, "riskType"), _of(row, "danger")))),
            remedy=_of(row, "measures"),
            url=page if page.startswith(_PAGE) else "",
            do_not_use="serious" in _of(row, "level").casefold(),
            raw={child.tag: text(child.text) for child in row if isinstance(child.tag, str)},
        )


def _criteria(row: etree._Element) -> Iterator[Criterion]:
    brand, model = _of(row, "brand", 120), _of(row, "type_numberOfModel", 200)
    product = several(
        filter(None, (_of(row, "product", 90), _of(row, "name", 60), _of(row, "category", 45)))
    )
    both = _of(row, "batchNumber_barcode", 400)
    lot, barcodes = _of(row, "batchNumber", 200), _of(row, "barcode", 400) or both
    gtins = {key for one in _GTIN.findall(barcodes) if (key := gtin_key(one))}
    lot = lot or ("" if gtins else both[:200])
    if brand or lot:
        yield Criterion(brand=brand, model=model, product=product, lot=lot)
    for gtin in sorted(gtins)[:20]:
        yield Criterion(brand=brand, gtin=gtin, lot=lot)


def _named(row: etree._Element) -> str:
    return _of(row, "name", 120) or _of(row, "product", 120)


def _of(row: etree._Element, name: str, most: int = 4_000) -> str:
    """Return what stands in a field; nothing where nothing is known."""
    found = text("".join(child.text or "" for child in row.findall(name)), most)
    return "" if found.casefold() in _NOTHING else found


SOURCE = Source(base="https://ec.europa.eu", address=_address, read=_read)
