"""A package taken in: the asset with its history becomes this household's, once.

What a supplier stated stays a supplier's word; what a former owner stated is not ours to have
said, and stands as brought along. Nothing of it is done anew: no cost, no reading and no fault
follows from it a second time. Plans of care go on from the history that came with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from assets import (
    caring,
    documents,
    duedates,
    handover,
    holdings,
    metering,
    packages,
    recalls,
    register,
    stocking,
    vault,
)
from assets.care_specs import SpecError
from assets.care_words import IssueStatus, MeterKind, Severity, SwapKind
from assets.choices import (
    AssetKind,
    CoverageKind,
    DocumentKind,
    IdentifierScheme,
    Lifecycle,
    Source,
)
from assets.models import (
    Asset,
    Issue,
    Meter,
    MeterReading,
    MeterReplacement,
    Ownership,
    PackageFile,
    Received,
    ServiceRecord,
)
from assets.packages import PackageError
from owners import access, undo
from owners.choices import Rank
from owners.households import require
from owners.models import Change, Household, Owner

TAKEN = "asset.received"
LOOKED_AT_FOR = timedelta(days=1)
NOTES_MOST = 4_000
Files = Mapping[str, bytes]  # by the id that the package gives them


@dataclass(slots=True, kw_only=True)
class _Unpacking:
    """A package on its way in."""

    package: Mapping[str, Any]
    household: Household
    owner: Owner
    now: datetime
    asset: Asset
    on: date  # of the hand-over
    meters: dict[str, Meter] = field(default_factory=dict)
    tasks: dict[str, UUID] = field(default_factory=dict)
    work: dict[str, ServiceRecord] = field(default_factory=dict)

    def of(self, *types: str) -> list[dict[str, Any]]:
        return packages.of_type(self.package, *types)

    def key(self, record: Mapping[str, Any]) -> str:
        """Return what names a record here for ever."""
        return f"package:{self.package['id']}:{record['id']}"


def source_of(record: Mapping[str, Any]) -> Source:
    """Return whose word a record is here."""
    return Source.SUPPLIER if record["source"] == "supplier" else Source.IMPORTED


def known(*, household: Household, package: Mapping[str, Any]) -> Received | None:
    """Return what came of a package that was taken in before; None for a new one.

    Raises PackageError where the same package came with other content.
    """
    rows = Received.objects.filter(household=household, package_id=package["id"])
    found = rows.select_related("asset").first()
    if found is not None and bytes(found.sha256) != packages.digest(package):
        raise PackageError("other_content", pointer="/id")
    return found


def take_in(
    *,
    package: Mapping[str, Any],
    files: Files,
    household: Household,
    owner: Owner,
    is_confirmed: bool,
    now: datetime,
    has_undo: bool = True,
) -> Received:
    """Take a checked package in; again it is the same asset. Raises PackageError.

    `is_confirmed`: its issuer publishes the key it is signed with. A file that is not there,
    or not what its hash says, is named as lacking.
    """
    kept: list[UUID] = []
    try:
        with transaction.atomic():
            Household.objects.select_for_update(no_key=True).get(pk=household.pk)
            before = known(household=household, package=package)
            if before is not None:
                return before
            way = _begun(package, household=household, owner=owner, now=now)
            for step in _STEPS:
                step(way)
            lacking = _files(way, files, kept)
            received = Received.objects.create(
                household=household,
                asset=way.asset,
                package_id=package["id"],
                package=dict(package),
                sha256=packages.digest(package),
                issuer=package["issuer"]["url"],
                key=package["issuer"]["key"],
                is_confirmed=is_confirmed,
                lacking=lacking,
                taken_by=owner,
                taken_at=now,
            )
            duedates.refresh(assets=[way.asset.pk], now=now)
            if has_undo:
                undo.remember(
                    kind=TAKEN,
                    label=way.asset.name,
                    now=now,
                    owner=owner,
                    household=household,
                    subject=way.asset.uuid,
                )
    except Exception:
        for key in kept:
            vault.forget(key)  # no file without its row
        raise
    return received


# --- a file that is looked at first ------------------------------------------------------


def look_at(*, raw: bytes, household: Household, owner: Owner, now: datetime) -> PackageFile:
    """Keep a package for a day, to be taken in after a look; raises PackageError.

    Whoever looks at another forgets the one before.
    """
    require(owner=owner, household_id=household.pk, least=Rank.MEMBER)
    handover.opened(raw)
    _forget(PackageFile.objects.for_owner(owner))
    row = PackageFile(household=household, owner=owner, sent_at=now)
    try:
        vault.put(row.uuid, raw)
    except vault.VaultError as error:
        raise PackageError("no_room") from error
    row.save()
    return row


def looked_at(row: PackageFile) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the package and the files of what is looked at; raises PackageError."""
    try:
        return handover.opened(vault.get(row.uuid))
    except vault.VaultError as error:
        raise PackageError("gone") from error


def take_looked_at(*, row: PackageFile, owner: Owner, now: datetime) -> Received:
    """Take in what was looked at, and forget the file. Raises PackageError."""
    require(owner=owner, household_id=row.household_id, least=Rank.MEMBER)
    package, files = looked_at(row)
    received = take_in(
        package=package,
        files=files,
        household=row.household,
        owner=owner,
        is_confirmed=bool(row.is_confirmed),
        now=now,
    )
    what = {"asset": received.asset.name, "issuer": received.issuer}
    access.note(kind="package_taken", actor=owner, household=row.household, what=what, now=now)
    _forget(PackageFile.objects.filter(pk=row.pk))
    return received


def forget(row: PackageFile) -> None:
    """Forget a file that nobody wants to take in."""
    _forget([row])


def change_of(received: Received) -> Change | None:
    """Return what takes back that a package was taken in."""
    return undo.latest(kind=TAKEN, subject=received.asset.uuid)


def forget_due(*, now: datetime) -> int:
    """Forget the files that nobody took in within a day; return how many."""
    return _forget(PackageFile.objects.filter(sent_at__lt=now - LOOKED_AT_FOR)[:100])


def _forget(rows: Iterable[PackageFile]) -> int:
    done = 0
    for row in rows:
        vault.forget(row.uuid)
        row.delete()
        done += 1
    return done


def take_back(change: Change, owner: Owner, now: datetime) -> None:
    """Put what was taken in into the bin."""
    found = Asset.objects.filter(
        household=change.household_id, uuid=undo.subject_of(change), removed_at=None
    ).first()
    if found is not None:
        register.remove(asset=found, owner=owner, now=now)


def _begun(
    package: Mapping[str, Any], *, household: Household, owner: Owner, now: datetime
) -> _Unpacking:
    about, on = package["asset"], date.fromisoformat(package["hand_over"]["on"])
    today = duedates.today_in(household.zone, now)
    if (on - today).days > 1:
        raise PackageError("in_the_future", pointer="/hand_over/on")
    kind = about["kind"] if about["kind"] in AssetKind.values else AssetKind.OTHER
    lines = [f"{one['data']['name']}: {one['data']['value']}" for one in _specs(package)]
    began = about.get("in_service_on")
    values = {
        "name": about["name"],
        "kind": kind,
        "maker": about.get("maker", ""),
        "model": about.get("model", ""),
        "quantity": about.get("quantity", 1),
        "lifecycle": Lifecycle.ACTIVE,
        "keeper": owner,
        "notes": "\n".join(lines)[:NOTES_MOST],
        "bought_on": on,
        # What was never done is counted from its first day, or else from ours.
        "in_service_on": date.fromisoformat(began) if began else on,
    }
    asset = register.add(household=household, values=values, now=now, source=Source.IMPORTED)
    asset.written_by = owner
    asset.save(update_fields=["written_by"])
    return _Unpacking(
        package=package, household=household, owner=owner, now=now, asset=asset, on=on
    )


def _specs(package: Mapping[str, Any]) -> list[dict[str, Any]]:
    return packages.of_type(package, "spec")


def _numbers(way: _Unpacking) -> None:
    schemes = set(IdentifierScheme.values)
    named = [
        (
            IdentifierScheme(data["scheme"])
            if data["scheme"] in schemes
            else IdentifierScheme.OTHER,
            data["value"],
        )
        for record in way.of("identifier")
        for data in [record["data"]]
    ]
    register.name_by(asset=way.asset, identifiers=named, source=Source.IMPORTED)


def _meters(way: _Unpacking) -> None:
    for record in way.of("meter"):
        data = record["data"]
        values = {
            "name": data["name"],
            "unit": data.get("unit", ""),
            "kind": data.get("kind", MeterKind.CUMULATIVE),
            "rolls_over_at": _number(data.get("rolls_over_at")),
        }
        try:
            made = metering.add(
                asset=way.asset, values=values, now=way.now, source=source_of(record)
            )
        except metering.MeterError as error:
            raise PackageError("meter", pointer=f"/{record['id']}") from error
        way.meters[record["id"]] = made
    MeterReplacement.objects.bulk_create(
        MeterReplacement(
            household=way.household,
            meter=way.meters[data["meter"]],
            kind=data.get("kind", SwapKind.REPLACED),
            replaced_on=date.fromisoformat(data["on"]),
            last_old=Decimal(data["last_old"]),
            first_new=Decimal(data["first_new"]),
            created_at=way.now,
        )
        for record in way.of("replacement")
        for data in [record["data"]]
    )


def _tasks(way: _Unpacking) -> None:
    for record in way.of("care_task"):
        try:
            made = caring.add(
                asset=way.asset,
                spec=record["data"],
                now=way.now,
                source=source_of(record),
                source_key=way.key(record),
            )
        except SpecError as error:
            raise PackageError("task", pointer=f"/{record['id']}{error.pointer}") from error
        way.tasks[record["id"]] = made.uuid


def _work(way: _Unpacking) -> None:
    made = []
    for record in way.of("work"):
        data, source = record["data"], source_of(record)
        row = ServiceRecord(
            household=way.household,
            asset=way.asset,
            kind=data["kind"],
            title=data["title"],
            done_on=_past(way, data["on"], record),
            tasks=[way.tasks[one] for one in data.get("tasks", ())],
            provider=data.get("provider", ""),
            work=data.get("work", []),
            findings=[{**one, "note": ""} for one in data.get("findings", ())],
            finding=data.get("result", ""),
            logged_by=way.owner,
            source=source,
            source_key=way.key(record),
            created_at=way.now,
        )
        if "cost" in data:
            # What the former owner paid is no cost of ours: it is only told.
            row.note = f"{data['cost']['amount']} {data['cost']['currency']}"
        way.work[record["id"]] = row
        made.append(row)
    ServiceRecord.objects.bulk_create(made)
    MeterReading.objects.bulk_create(
        MeterReading(
            household=way.household,
            meter=way.meters[data["meter"]],
            read_on=_past(way, data["on"], record),
            value=Decimal(data["value"]),
            record=way.work.get(data.get("work", "")),
            is_doubtful=data.get("is_doubtful", False),
            source=source_of(record),
            source_key=way.key(record),
            created_at=way.now,
        )
        for record in way.of("reading")
        for data in [record["data"]]
    )


def _issues(way: _Unpacking) -> None:
    Issue.objects.bulk_create(
        Issue(
            household=way.household,
            asset=way.asset,
            title=data["title"],
            noticed_on=_past(way, data["noticed_on"], record),
            resolved_on=_day(data.get("resolved_on")),
            status=_status(data["status"]),
            severity=data.get("severity", Severity.NORMAL),
            part=data.get("part", ""),
            source=source_of(record),
            created_at=way.now,
        )
        for record in way.of("issue")
        for data in [record["data"]]
    )


def _status(said: str) -> str:
    """A fault that somebody was repairing for a former owner is open here."""
    return IssueStatus.OPEN if said == IssueStatus.IN_PROGRESS else said


def _rights(way: _Unpacking) -> None:
    for record in way.of("coverage"):
        data = dict(record["data"])
        values: dict[str, Any] = {
            name: data[name]
            for name in ("obligor", "reference", "months", "is_lifetime", "scope", "terms")
            if name in data
        }
        values |= {name: data[name] for name in ("meter_unit", "notice_days") if name in data}
        values |= {
            "kind": CoverageKind(data["kind"]),
            "starts_on": _day(data.get("starts_on")),
            "ends_on": _day(data.get("ends_on")),
            "meter_limit": _number(data.get("meter_limit")),
            "is_transferable": data.get("is_transferable"),
        }
        try:
            holdings.cover(asset=way.asset, values=values, now=way.now, source=source_of(record))
        except holdings.HoldingError as error:
            raise PackageError("coverage", pointer=f"/{record['id']}/{error.field}") from error
    for record in way.of("part"):
        data = record["data"]
        values = {
            "name": data["name"],
            "number": data.get("number", ""),
            "quantity": _number(data.get("quantity")) or Decimal(0),
            "unit": data.get("unit", ""),
            "fits": [way.asset.uuid],
        }
        try:
            stocking.add(
                household=way.household,
                values=values,
                now=way.now,
                source=source_of(record),
                source_key=way.key(record)[:200],
            )
        except stocking.PartError as error:
            raise PackageError("part", pointer=f"/{record['id']}/{error.field}") from error


def _recalls(way: _Unpacking) -> None:
    facts = [record["data"] for record in way.of("recall")]
    if not facts:
        return
    try:
        recalls.bring_in(asset=way.asset, facts=facts, now=way.now)
    except holdings.HoldingError as error:
        raise PackageError("recall", pointer="/records") from error


def _owners(way: _Unpacking) -> None:
    """Write the owners before us down, as numbers, and that it is ours from now on."""
    rows = [
        Ownership(
            household=way.household,
            asset=way.asset,
            number=one["number"],
            since=_day(one.get("since")),
            until=_day(one.get("until")),
        )
        for one in way.package["owners"]
    ]
    ours = Ownership(
        household=way.household,
        asset=way.asset,
        number=len(rows) + 1,
        since=way.on,
        is_ours=True,
    )
    Ownership.objects.bulk_create([*rows, ours])


_STEPS: tuple[Callable[[_Unpacking], None], ...] = (
    _numbers,
    _meters,
    _tasks,
    _work,
    _issues,
    _rights,
    _recalls,
    _owners,
)


def _files(way: _Unpacking, files: Files, kept: list[UUID]) -> list[str]:
    """Keep the files that came and are what they say; return the names of the others."""
    lacking = []
    for row in way.package["files"]:
        content = files.get(row["id"])
        if content is None or hashlib.sha256(content).hexdigest() != row["sha256"]:
            lacking.append(row["name"])
            continue
        kind = row["kind"] if row["kind"] in DocumentKind.values else DocumentKind.OTHER
        try:
            document = documents.add(
                household=way.household,
                asset=way.asset,
                owner=way.owner,
                name=row["name"],
                content=content,
                kind=DocumentKind(kind),
                now=way.now,
            )
        except documents.DocumentError:
            lacking.append(row["name"])
        else:
            kept.append(document.uuid)
    return lacking


def _past(way: _Unpacking, text: str, record: Mapping[str, Any]) -> date:
    """Return a day on which something was done: not after the hand-over."""
    day = date.fromisoformat(text)
    if (day - way.on).days > 1:
        raise PackageError("in_the_future", pointer=f"/{record['id']}")
    return day


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None
