"""A package as people read it: on a page, on paper, and as an archive with its files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assets import packages
from assets.care_words import Finding, IssueStatus, WorkKind
from assets.choices import AssetKind, CoverageKind, DocumentKind, EndReason, IdentifierScheme
from assets.cover_words import RecallState
from assets.packages import PackageError
from assets.passing_words import RecordSource

if TYPE_CHECKING:
    from assets.printing import Paper

NAME, FILES, SHEET = "package.json", "files/", "handover.pdf"
ENTRIES_MOST = 120
FILE_MOST = 25 * 1024 * 1024
ALL_MOST = 200 * 1024 * 1024  # bytes of all that an archive holds, unpacked
LINES = 400  # of what was done, on paper


def shown(package: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a package says, group by group, in words; `source` is who stated it."""
    about = package["asset"]
    return {
        "name": about["name"],
        "kind": _label(AssetKind, about["kind"]),
        "maker": f"{about.get('maker', '')} {about.get('model', '')}".strip(),
        "quantity": about.get("quantity", 1),
        "in_service_on": _day(about.get("in_service_on")),
        "on": _day(package["hand_over"]["on"]),
        "reason": _label(EndReason, package["hand_over"]["reason"]),
        "owners": [
            {
                "number": one["number"],
                "since": _day(one.get("since")),
                "until": _day(one.get("until")),
            }
            for one in package["owners"]
        ],
        "numbers": _rows(
            package, "identifier", lambda d: (_label(IdentifierScheme, d["scheme"]), d["value"])
        ),
        "specs": _rows(package, "spec", lambda d: (d["name"], d["value"])),
        "recalls": _rows(package, "recall", _recall),
        "work": _rows(package, "work", _work, by="on"),
        "faults": _rows(package, "issue", _fault, by="noticed_on"),
        "plans": _rows(package, "care_task", lambda d: (d["name"], d.get("provider", ""))),
        "meters": _meters(package),
        "rights": _rows(package, "coverage", _right),
        "parts": _rows(package, "part", _part),
        "suppliers": _rows(package, "supplier", lambda d: (d["name"], "")),
        "files": [
            {"name": one["name"], "label": _label(DocumentKind, one["kind"]), "size": one["size"]}
            for one in package["files"]
        ],
        "issuer": package["issuer"]["url"],
        "key": package["issuer"]["key"],
        "digest": packages.digest(package).hex(),
    }


def _rows(
    package: Mapping[str, Any], type_: str, words: Any, *, by: str = ""
) -> list[dict[str, Any]]:
    records = packages.of_type(package, type_)
    if by:
        records = packages.newest_first(records, by=by)
    found = []
    for record in records:
        label, value = words(record["data"])
        found.append(
            {
                "label": label,
                "value": value,
                "on": _day(record["data"].get(by)) if by else None,
                "source": RecordSource(record["source"]).label,
                "is_supplier": record["source"] == RecordSource.SUPPLIER,
                "is_before": record["source"] == RecordSource.IMPORTED,
                "owner": record["owner"],
                "sha256": record["sha256"],
            }
        )
    return found


def _work(data: Mapping[str, Any]) -> tuple[str, str]:
    points = [
        f"{one['item']}: {_label(Finding, one['result'])}" for one in data.get("findings", ())
    ]
    parts = [
        _label(WorkKind, data["kind"]),
        data.get("provider", ""),
        _label(Finding, data["result"]) if data.get("result") else "",
        *data.get("work", ()),
        *points,
    ]
    if "cost" in data:
        parts.append(f"{data['cost']['amount']} {data['cost']['currency']}")
    return data["title"], " · ".join(filter(None, parts))


def _fault(data: Mapping[str, Any]) -> tuple[str, str]:
    return data["title"], _label(IssueStatus, data["status"])


def _recall(data: Mapping[str, Any]) -> tuple[str, str]:
    state = _label(RecallState, data["state"])
    return f"{data['number']}: {data['title']}", state


def _right(data: Mapping[str, Any]) -> tuple[str, str]:
    parts = [data.get("obligor", ""), data.get("reference", ""), data.get("scope", "")]
    ends = _day(data.get("ends_on"))
    if data.get("is_lifetime"):
        parts.append(_("for its whole life"))
    elif ends is not None:
        parts.append(_("until %(day)s") % {"day": date_format(ends, "SHORT_DATE_FORMAT")})
    return _label(CoverageKind, data["kind"]), " · ".join(filter(None, parts))


def _part(data: Mapping[str, Any]) -> tuple[str, str]:
    amount = f"{data.get('quantity', '')} {data.get('unit', '')}".strip()
    return data["name"], " · ".join(filter(None, (data.get("number", ""), amount)))


def _meters(package: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each meter with what it showed last."""
    last: dict[str, dict[str, Any]] = {}
    for record in packages.of_type(package, "reading"):
        data = record["data"]
        if data["meter"] not in last or data["on"] >= last[data["meter"]]["on"]:
            last[data["meter"]] = data
    found = []
    for record in packages.of_type(package, "meter"):
        read = last.get(record["id"])
        unit = record["data"].get("unit", "")
        found.append(
            {
                "label": record["data"]["name"],
                "value": f"{read['value']} {unit}".strip() if read else "",
                "on": _day(read["on"]) if read else None,
            }
        )
    return found


def _label(words: Any, value: str) -> str:
    return str(words(value).label) if value in words.values else value


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


# --- on paper ----------------------------------------------------------------------------


def paper(package: Mapping[str, Any]) -> bytes:
    """Return a package as PDF, to be signed by both; what it leaves out is in no file either."""
    from assets import printing  # noqa: PLC0415 - loaded where it prints

    said = shown(package)
    sheet = printing.Paper("A4")
    sheet.set_title(said["name"])
    sheet.set_margins(printing.MARGIN, printing.MARGIN, printing.MARGIN)
    sheet.set_auto_page_break(auto=True, margin=printing.MARGIN)
    sheet.add_page()
    sheet.words(_("Hand-over"), size=20, weight="B")
    sheet.words(said["name"], size=13, weight="B")
    sheet.ln(3)
    _facts(
        sheet,
        [
            (_("Maker and model"), said["maker"]),
            (_("Kind"), said["kind"]),
            (_("Handed over on"), date_format(said["on"], "DATE_FORMAT") if said["on"] else ""),
            (_("Why"), said["reason"]),
            (_("In use since"), _written(said["in_service_on"])),
            *((row["label"], row["value"]) for row in said["numbers"]),
            *((row["label"], row["value"]) for row in said["specs"]),
            *((row["label"], row["value"]) for row in said["meters"]),
        ],
    )
    _head(sheet, _("Owners"))
    for one in said["owners"]:
        span = _("%(since)s to %(until)s") % {
            "since": _written(one["since"]) or "…",
            "until": _written(one["until"]) or "…",
        }
        sheet.words(_("Owner %(n)s") % {"n": one["number"]} + f": {span}", size=10)
    groups: list[tuple[str, list[dict[str, Any]]]] = [
        (_("Recalls"), said["recalls"]),
        (_("Faults"), said["faults"]),
        (_("What was done"), said["work"][:LINES]),
        (_("Care that is planned"), said["plans"]),
        (_("Guarantees that go along"), said["rights"]),
        (_("Spare parts that go along"), said["parts"]),
        (_("Who served it"), said["suppliers"]),
    ]
    for title, rows in groups:
        if rows:
            _head(sheet, title)
        for row in rows:
            day = f"{_written(row['on'])}  " if row["on"] else ""
            words = ", ".join(filter(None, (row["label"], row["value"])))
            sheet.words(f"{day}{words}  [{row['source']}]", size=10)
    if said["files"]:
        _head(sheet, _("Papers and photos that go along"))
        for file in said["files"]:
            sheet.words(f"{file['label']}: {file['name']}", size=10)
    _head(sheet, _("Signed"))
    for who in (_("Handed over by"), _("Taken over by")):
        sheet.ln(9)
        sheet.words(f"{who}: ______________________________   {_('on')} ______________", size=10)
    sheet.ln(4)
    sheet.words(_("Written by Steward at %(url)s.") % {"url": said["issuer"]}, size=8)
    sheet.words(f"SHA-256 {said['digest']}", size=7)
    sheet.words(f"Ed25519 {said['key']}", size=7)
    return bytes(sheet.output())


def _written(day: date | None) -> str:
    return date_format(day, "SHORT_DATE_FORMAT") if day else ""


def _head(sheet: Paper, text: str) -> None:
    sheet.ln(3)
    sheet.words(text, size=13, weight="B")
    sheet.ln(1)


def _facts(sheet: Paper, facts: list[tuple[str, str]]) -> None:
    for label, value in facts:
        if value:
            sheet.words(str(label), size=8)
            sheet.words(str(value), size=11, weight="B")
            sheet.ln(1)


# --- as an archive -----------------------------------------------------------------------


def archive(package: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return a package with its files and its paper as ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(NAME, written(package))
        made.writestr(SHEET, paper(package))
        for row in package["files"]:
            if row["id"] in files:
                made.writestr(f"{FILES}{row['id']}", files[row["id"]])
    return out.getvalue()


def written(package: Mapping[str, Any]) -> bytes:
    """Return a package as a file."""
    return json.dumps(package, ensure_ascii=False, indent=1).encode()


def opened(raw: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the checked package in a file, JSON or ZIP, with what files there are.

    Raises PackageError. Nothing is unpacked to a disk, and no name in it leads anywhere.
    """
    if not raw.startswith(b"PK"):
        return packages.read(raw), {}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            entries = {one.filename: one for one in packed.infolist()}
            if len(packed.infolist()) > ENTRIES_MOST or NAME not in entries:
                raise PackageError("not_a_package")
            if sum(one.file_size for one in entries.values()) > ALL_MOST:
                raise PackageError("too_large")
            package = packages.read(_taken(packed, entries[NAME], packages.LARGEST))
            files = {}
            for row in package["files"]:
                entry = entries.get(f"{FILES}{row['id']}")
                if entry is not None:
                    files[row["id"]] = _taken(packed, entry, FILE_MOST)
            return package, files
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError) as error:
        raise PackageError("not_a_package") from error
    except (EOFError, OSError, ValueError) as error:
        raise PackageError("not_a_package") from error


def _taken(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    if entry.file_size > most or entry.flag_bits & 0x1:
        raise PackageError("too_large" if entry.file_size > most else "not_a_package")
    with packed.open(entry) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise PackageError("too_large")
    return content
