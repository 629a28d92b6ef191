"""Recalls that a supplier tells of, takes back, or says that it has put right.

What it tells is kept for the household it tells, and never counts for another; where an
authority's list has the same number, it is that one recall. Its own matter speaks of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assets import recalls
from assets.cover_words import Confidence
from assets.models import Asset
from assets.recall_matching import Criterion, Published
from suppliers.models import Supplier

if TYPE_CHECKING:
    from suppliers.servicing import Report

ISSUED = ("recall.issued", "recall.updated")
WITHDRAWN, DONE = "recall.withdrawn", "recall.remedy_done"
TYPES = (*ISSUED, WITHDRAWN, DONE)
# What a supplier calls sure; a class of products says nothing of the piece.
SURE = {"serial": Confidence.EXACT, "vin": Confidence.EXACT, "batch": Confidence.EXACT}
LONGEST = 2_000


def take(reports: Iterable[Report], *, now: datetime) -> None:
    """Write down what was told; the oldest first, whatever the order of arrival."""
    for report in sorted(reports, key=lambda one: (one.said_at, str(one.contact))):
        if report.type not in TYPES or report.asset_id is None:
            continue
        asset = Asset.objects.select_related("household").filter(pk=report.asset_id).first()
        if asset is None:
            continue
        supplier = Supplier.objects.get(pk=report.supplier_id)
        number = str(report.data["recallNumber"])
        if report.type in ISSUED:
            _issued(report, asset, supplier, now=now)
        elif report.type == WITHDRAWN:
            recalls.withdrawn(asset=asset, number=number, contact=report.contact, now=now)
        else:
            _done(report, asset, supplier, number, now=now)


def _done(report: Report, asset: Asset, supplier: Supplier, number: str, *, now: datetime) -> None:
    """Note that it was put right, also where nobody told of the recall before."""
    if not recalls.matches_of(asset, number).exists():
        _issued(report, asset, supplier, now=now)
    local = report.said_at.astimezone(ZoneInfo(asset.household.zone))
    recalls.done_by(
        recalls.matches_of(asset, number),
        provider=supplier.name,
        on=local.date(),
        contact=report.contact,
        now=now,
    )


def _issued(report: Report, asset: Asset, supplier: Supplier, *, now: datetime) -> None:
    data = report.data
    recalls.told(
        asset=asset,
        published=_published(data, supplier, report.said_at),
        by=supplier.name,
        confidence=SURE.get(str(data.get("confidence")), Confidence.LIKELY),
        contact=report.contact,
        now=now,
    )


def _published(data: Mapping[str, Any], supplier: Supplier, said_at: datetime) -> Published:
    remedies = data.get("remedies")
    told = [
        str(one.get("text") or one.get("kind") or "") if isinstance(one, Mapping) else str(one)
        for one in (remedies if isinstance(remedies, list) else [])
    ]
    links = data.get("links")
    urls = [
        str(link.get("url", ""))
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, Mapping)
    ]
    # Its link is as good as its sender: shown as a place to look, never fetched.
    url = next((url for url in urls if url.startswith("https://")), "")
    return Published(
        source=recalls.TOLD,
        number=str(data["recallNumber"]),
        title=str(data.get("product") or data["recallNumber"])[:300],
        criteria=(Criterion(product=str(data.get("product") or "")),),
        published_on=said_at.date(),
        hazard=str(data.get("hazard") or "")[:LONGEST],
        remedy=" ".join(filter(None, (str(data.get("consumerAction") or ""), *told)))[:LONGEST],
        url=url[:500],
        raw={"supplier": supplier.name, "authority": str(data.get("authority") or "")},
    )
