"""What of an asset passes to its next owner, put into a package.

Three classes pass: what the thing is, what was done with it, and what goes along with it. All
else of a household never does: prices, messages, insurance, loans, claims, places, tags, notes,
people, and receipts as they are. What was paid for care passes only where the seller says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings

from assets import care_specs, packages, reading, recalls, sniffing, typed, vault
from assets.care_words import WorkKind
from assets.choices import CoverageKind, DocumentKind, IdentifierScheme, Source
from assets.models import (
    Asset,
    CareTask,
    Coverage,
    CustomField,
    Document,
    Ownership,
    Part,
    ServiceRecord,
    Transfer,
)

# Whose they are, not the thing's.
OWNERS_NUMBERS = (IdentifierScheme.ASSET_TAG, IdentifierScheme.POLICY_NUMBER)
RIGHTS = (
    CoverageKind.LEGAL_GUARANTEE,
    CoverageKind.COMMERCIAL_GUARANTEE,
    CoverageKind.EXTENDED_WARRANTY,
    CoverageKind.SERVICE_CONTRACT,
    CoverageKind.RECALL_REMEDY,
    CoverageKind.REPAIR_WARRANTY,
)
PAPERS = (
    DocumentKind.PHOTO,
    DocumentKind.MANUAL,
    DocumentKind.CERTIFICATE,
    DocumentKind.WARRANTY,
    DocumentKind.OTHER,
)
USUALLY = (DocumentKind.MANUAL, DocumentKind.CERTIFICATE)  # ticked until the seller says otherwise
FILES_MOST, SHOWN = 60, 200
RECORDS_MOST, WORK_MOST, ISSUES_MOST, METERS_MOST = 5_000, 3_000, 300, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the seller ticked of what is asked; the uuids are of their own rows."""

    papers: frozenset[str] = frozenset()
    covers: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    has_history: bool = True
    has_costs: bool = False
    has_how_to: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the wishes as a row keeps them."""
        return {
            **{name: sorted(getattr(self, name)) for name in LISTS},
            **{name: getattr(self, name) for name in SWITCHES},
        }


LISTS = ("papers", "covers", "parts", "fields")
SWITCHES = ("has_history", "has_costs", "has_how_to")


def wishes_of(kept: Mapping[str, Any]) -> Wishes:
    """Return the wishes that a row keeps."""
    lists = {name: frozenset(kept.get(name, ())) for name in LISTS}
    return Wishes(
        **lists,
        has_history=bool(kept.get("has_history", True)),
        has_costs=bool(kept.get("has_costs", False)),
        has_how_to=bool(kept.get("has_how_to", False)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the seller is asked about, row by row."""

    papers: list[Document]
    covers: list[Coverage]
    parts: list[Part]
    fields: list[tuple[CustomField, str]]
    receipts: list[Document]  # that never pass as they are


def asked_of(asset: Asset, *, today: date) -> Asked:
    """Return what could go along with an asset when its owner says so."""
    papers = Document.objects.filter(asset=asset, removed_at=None).order_by("kind", "name", "pk")
    covers = [
        row
        for row in asset.coverages.filter(kind__in=RIGHTS).order_by("ends_on", "pk")
        if row.is_transferable is not False
        and (row.is_lifetime or row.ends_on is None or row.ends_on >= today)
        and row.state != "voided"
    ]
    own = CustomField.objects.filter(household=asset.household_id).order_by("name", "pk")
    return Asked(
        papers=list(papers.filter(kind__in=PAPERS, url="")[:FILES_MOST]),
        covers=covers,
        parts=list(
            Part.objects.filter(household=asset.household_id, removed_at=None).fitting(asset)[
                :SHOWN
            ]
        ),
        fields=[
            (row, str(typed.shown(asset.custom[str(row.uuid)])))
            for row in own
            if str(row.uuid) in asset.custom
        ],
        receipts=list(papers.filter(kind=DocumentKind.RECEIPT)[:SHOWN]),
    )


def usual(asset: Asset, *, today: date) -> Wishes:
    """Return what is ticked before the seller has said anything."""
    asked = asked_of(asset, today=today)
    return Wishes(papers=frozenset(str(row.uuid) for row in asked.papers if row.kind in USUALLY))


# --- the package -------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Packing:
    """A package on its way."""

    asset: Asset
    key: UUID  # under which the seller's own ids are hidden
    wishes: Wishes
    owners: list[Ownership]
    records: list[dict[str, Any]] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)  # of many, the newest go along

    def name(self, of: object) -> str:
        """Return the id of a record: the same for the same row, and telling nobody else."""
        return str(uuid5(self.key, str(of)))

    def add(
        self, type_: str, of: object, data: Mapping[str, Any], *, source: str, on: date | None
    ) -> str:
        kept = {name: value for name, value in data.items() if value not in ("", None, [])}
        record: dict[str, Any] = {
            "id": self.name(of),
            "class": packages.CLASSES[type_],
            "type": type_,
            "source": source or Source.SELF.value,
            "owner": self.owner_on(on),
            "data": kept,
        }
        record["sha256"] = packages.record_hash(record)
        (self.readings if type_ == "reading" else self.records).append(record)
        return str(record["id"])

    def all_records(self) -> list[dict[str, Any]]:
        """Return the records; of more readings than fit, the newest."""
        room = RECORDS_MOST - len(self.records)
        newest = sorted(self.readings, key=lambda one: one["data"]["on"])[-room:]
        return [*self.records, *newest]

    def owner_on(self, on: date | None) -> int:
        """Return the number of whoever owned the thing on a day; without one, of the seller."""
        last = self.owners[-1].number
        if on is None:
            return last
        for row in self.owners:
            if row.until is not None and on <= row.until:
                return row.number
        return last


def pack(transfer: Transfer, *, now: datetime, on: date) -> dict[str, Any]:
    """Return what passes with a transfer, unsigned; no file is read for it.

    `on` is the day of the hand-over.
    """
    asset, wishes = transfer.asset, wishes_of(transfer.wishes)
    packing = _Packing(asset=asset, key=transfer.uuid, wishes=wishes, owners=owners_of(asset))
    _facts(packing)
    if wishes.has_history:
        _care(packing)
    _rights(packing, today=on)
    _suppliers(packing)
    whose = packing.owners
    return {
        "format": packages.FORMAT,
        "version": packages.VERSION,
        "id": str(transfer.uuid),
        "issued_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "issuer": {
            "url": settings.SITE_URL.rstrip("/"),
            "key": packages.public_key(settings.STEWARD_SIGNING_KEYS[0]),
        },
        "hand_over": {"on": on.isoformat(), "reason": transfer.reason},
        "asset": _about(asset),
        "owners": [_period(row, until=on if row is whose[-1] else row.until) for row in whose],
        "records": packing.all_records(),
        "files": [_file(packing, row) for row in papers_of(transfer)],
        "signatures": [],
    }


def owners_of(asset: Asset) -> list[Ownership]:
    """Return the owners of an asset up to now; one nobody wrote down is ours, since it came."""
    rows = list(Ownership.objects.filter(asset=asset).order_by("number"))
    if rows and rows[-1].is_ours and (rows[-1].until is None or asset.ended_on is not None):
        return rows
    if rows and rows[-1].is_ours:
        # It came back: somebody had it in between, and it is ours again.
        between, until = rows[-1].number + 1, asset.in_service_on
        lent = Ownership(asset=asset, number=between, since=rows[-1].until, until=until)
        return [*rows, lent, Ownership(asset=asset, number=between + 1, since=until, is_ours=True)]
    number = rows[-1].number + 1 if rows else 1
    since = rows[-1].until if rows else asset.bought_on
    return [*rows, Ownership(asset=asset, number=number, since=since, is_ours=True)]


def papers_of(transfer: Transfer) -> list[Document]:
    """Return the documents that go along, in one order."""
    wanted = wishes_of(transfer.wishes).papers
    rows = Document.objects.filter(
        asset=transfer.asset, removed_at=None, kind__in=PAPERS, url="", uuid__in=list(wanted)
    )
    return list(rows.order_by("kind", "name", "pk")[:FILES_MOST])


def content_of(document: Document) -> bytes:
    """Return the bytes that go along: a picture is made anew, so that it carries nothing else.

    Raises VaultError and UnreadableError.
    """
    content = vault.get(document.uuid)
    if document.media_type in sniffing.IMAGES:
        content, _thumb = reading.photo(content)
    return content


def _about(asset: Asset) -> dict[str, Any]:
    found: dict[str, Any] = {"name": asset.name, "kind": asset.kind}
    found |= {name: value for name in ("maker", "model") if (value := getattr(asset, name))}
    if asset.quantity != 1:
        found["quantity"] = asset.quantity
    if asset.in_service_on is not None:
        found["in_service_on"] = asset.in_service_on.isoformat()
    return found


def _period(row: Ownership, *, until: date | None) -> dict[str, Any]:
    found: dict[str, Any] = {"number": row.number}
    if row.since is not None and (until is None or row.since <= until):
        found["since"] = row.since.isoformat()
    if until is not None:
        found["until"] = until.isoformat()
    return found


def _file(packing: _Packing, row: Document) -> dict[str, Any]:
    return {
        "id": packing.name(row.uuid),
        "name": row.name,
        "kind": row.kind,
        "media_type": row.media_type,
        "size": row.size,
        "sha256": bytes(row.sha256).hex(),
    }


def with_files(package: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a package that names the files as they are: one that is not there is left out."""
    files = [
        {
            **row,
            "size": len(contents[row["id"]]),
            "sha256": hashlib.sha256(contents[row["id"]]).hexdigest(),
        }
        for row in package["files"]
        if row["id"] in contents
    ]
    return {**package, "files": files}


def file_id(transfer: Transfer, document: Document) -> str:
    """Return what a document is called in a transfer's package."""
    return str(uuid5(transfer.uuid, str(document.uuid)))


# --- what the thing is -------------------------------------------------------------------


def _facts(packing: _Packing) -> None:
    asset = packing.asset
    for row in asset.identifiers.exclude(scheme__in=OWNERS_NUMBERS).order_by("scheme", "pk"):
        data = {"scheme": row.scheme, "value": row.value, "issuer": row.issuer}
        packing.add("identifier", f"identifier:{row.pk}", data, source=row.source, on=None)
    own = CustomField.objects.filter(
        household=asset.household_id, uuid__in=list(packing.wishes.fields)
    )
    for field_ in own.order_by("name", "pk"):
        if str(field_.uuid) in asset.custom:
            value = str(typed.shown(asset.custom[str(field_.uuid)]))[:1000]
            data = {"name": field_.name, "value": value}
            packing.add("spec", field_.uuid, data, source=asset.source, on=None)
    for fact in recalls.as_facts(asset):
        data = {name: value for name, value in fact.items() if name != "stated_by"}
        key = f"recall:{fact['source']}:{fact['number']}"
        packing.add("recall", key, data, source=fact["stated_by"], on=None)


# --- what was done -----------------------------------------------------------------------


def _care(packing: _Packing) -> None:
    asset = packing.asset
    meters = list(asset.meters.filter(removed_at=None).order_by("pk")[:METERS_MOST])
    for meter in meters:
        data = {
            "name": meter.name,
            "unit": meter.unit,
            "kind": meter.kind,
            "rolls_over_at": _plain(meter.rolls_over_at),
        }
        packing.add("meter", meter.uuid, data, source=meter.source, on=None)
        for swap in meter.replacements.filter(removed_at=None).order_by("replaced_on", "pk"):
            data = {
                "meter": packing.name(meter.uuid),
                "kind": swap.kind,
                "on": swap.replaced_on.isoformat(),
                "last_old": _plain(swap.last_old),
                "first_new": _plain(swap.first_new),
            }
            on = swap.replaced_on
            packing.add("replacement", swap.uuid, data, source=meter.source, on=on)
    names = {str(meter.uuid): meter.name for meter in meters}
    tasks = asset.care_tasks.filter(removed_at=None).order_by("pk")[:ISSUES_MOST]
    known = {task.uuid: _task(packing, task, names) for task in tasks}
    done = asset.service_records.filter(removed_at=None).exclude(kind=WorkKind.FUEL)
    newest = list(done.select_related("cost").order_by("-done_on", "-pk")[:WORK_MOST])
    works = {row.pk: _work(packing, row, known) for row in reversed(newest)}
    for meter in meters:
        for row in meter.readings.filter(removed_at=None).order_by("read_on", "pk"):
            read: dict[str, Any] = {
                "meter": packing.name(meter.uuid),
                "on": row.read_on.isoformat(),
                "value": _plain(row.value),
                "work": works.get(row.record_id or 0),
                "is_doubtful": row.is_doubtful or None,
            }
            packing.add("reading", row.uuid, read, source=row.source, on=row.read_on)
    for issue in asset.issues.filter(removed_at=None).order_by("-noticed_on", "-pk")[:ISSUES_MOST]:
        fault: dict[str, Any] = {
            "title": issue.title,
            "noticed_on": issue.noticed_on.isoformat(),
            "resolved_on": issue.resolved_on and issue.resolved_on.isoformat(),
            "status": issue.status,
            "severity": issue.severity,
            "part": issue.part,
        }
        packing.add("issue", issue.uuid, fault, source=issue.source, on=issue.noticed_on)


def _task(packing: _Packing, task: CareTask, meters: Mapping[str, str]) -> str:
    """Add a task with the names of its meters; how it is done goes along where that is ticked."""
    triggers = []
    for kept in task.triggers:
        said = care_specs.write_trigger(care_specs.kept_trigger(kept))
        if "meter" in said:
            if said["meter"] not in meters:
                continue  # its meter lies in the bin
            said["meter"] = meters[said["meter"]]
        triggers.append(said)
    data: dict[str, Any] = {
        "name": task.name,
        "note": task.note if packing.wishes.has_how_to else "",
        "triggers": triggers,
        "combinator": task.combinator,
        "season": list(task.season),
        "lead_days": task.lead_days,
        "lead_units": _plain(task.lead_units),
        "last_done_on": task.last_done_on and task.last_done_on.isoformat(),
        "last_done_at": _plain(task.last_done_at),
        "pause_when_stored": task.pause_when_stored,
        "checklist": list(task.checklist),
        "provider": task.provider,
    }
    if not triggers:
        return ""
    return packing.add("care_task", task.uuid, data, source=task.source, on=None)


def _work(packing: _Packing, row: ServiceRecord, tasks: Mapping[UUID, str]) -> str:
    points = [{"item": one["item"], "result": one["result"]} for one in row.findings]
    data: dict[str, Any] = {
        "kind": row.kind,
        "title": row.title,
        "on": row.done_on.isoformat(),
        "provider": row.provider,
        "work": list(row.work),
        "tasks": [tasks[key] for key in row.tasks if tasks.get(key)],
        "result": row.finding,
        "findings": points,
    }
    if packing.wishes.has_costs and row.cost is not None:
        data["cost"] = {"amount": _plain(row.cost.amount), "currency": row.cost.currency}
    return packing.add("work", row.uuid, data, source=row.source, on=row.done_on)


# --- what goes along ---------------------------------------------------------------------


def _rights(packing: _Packing, *, today: date) -> None:
    asked = asked_of(packing.asset, today=today)
    for row in _ticked(asked.covers, packing.wishes.covers):
        data = {
            "kind": row.kind,
            "obligor": row.obligor,
            "reference": row.reference,
            "starts_on": row.starts_on and row.starts_on.isoformat(),
            "ends_on": row.ends_on and row.ends_on.isoformat(),
            "months": row.months,
            "is_lifetime": row.is_lifetime or None,
            "scope": row.scope,
            "terms": row.terms[:8000],
            "meter_limit": _plain(row.meter_limit),
            "meter_unit": row.meter_unit,
            "notice_days": row.notice_days,
            "is_transferable": row.is_transferable,
        }
        packing.add("coverage", row.uuid, data, source=row.source, on=None)
    for part in _ticked(asked.parts, packing.wishes.parts):
        data = {
            "name": part.name,
            "number": part.number,
            "quantity": _plain(part.quantity),
            "unit": part.unit,
        }
        packing.add("part", part.uuid, data, source=part.source, on=None)


# Whose service the next owner may want: a seller, an insurer or a contract is the owner's own.
SERVING = ("maker", "installer", "repairer", "utility")


def _suppliers(packing: _Packing) -> None:
    """Add who served the thing, for the next owner to let in anew; nobody is told of them."""
    found: dict[int, tuple[Any, list[str]]] = {}
    roles = packing.asset.roles.filter(kind__in=SERVING).select_related("supplier")
    for role in roles.order_by("kind", "pk"):
        found.setdefault(role.supplier_id, (role.supplier, []))[1].append(role.kind)
    for supplier, kinds in found.values():
        code = supplier.code if supplier.verified_at is not None else ""
        data = {"name": supplier.name, "code": code, "roles": kinds}
        packing.add("supplier", f"supplier:{supplier.pk}", data, source="", on=None)


def _ticked(rows: Iterable[Any], wanted: frozenset[str]) -> Iterable[Any]:
    return (row for row in rows if str(row.uuid) in wanted)


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"
