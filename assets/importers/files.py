"""Bytes to rows: what sort of file it is, its encoding, its delimiter, its header.

Rows come one by one, so that no file ever stands in memory as objects. What was made to do
harm (an archive that unpacks to gigabytes, a document type in a sheet, endless nesting) is
refused before it is unpacked.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import nh3
import orjson

from assets.importers.faults import FileError

MOST_COLUMNS = 300
MOST_ROWS = 200_000
MOST_CELL = 32_000
MOST_JSON = 8 * 1024 * 1024
MOST_UNPACKED = 256 * 1024 * 1024
MOST_STRINGS = 48 * 1024 * 1024  # the words of a sheet stand in memory while it is read
MOST_RATIO = 200  # sheets are packed about 10 to 1, an archive that attacks 1,000 to 1
MOST_ENTRIES = 2_000
CHUNK = 256 * 1024
DELIMITERS = ",;\t"
# Sections of files that hold several tables, each after a line with its name alone.
SECTIONS = frozenset(
    {
        "metadata",
        "vehicles",
        "vehicle",
        "fill-up records",
        "service records",
        "event records",
        "expense records",
        "trip records",
    }
)
MOST_PAPER = 25 * 1024 * 1024
LINKS = frozenset({"datatype", "date", "name", "location"})  # a table of where papers lie
ARCHIVE = "archive"  # the section of the rows of an archive of papers
# What an archive holds that is another system's whole memory, and no export of it.
WHOLE_BACKUPS = frozenset({"manifest.json", "cartracker.db"})
_WORD = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its number as a spreadsheet shows it, its table, and its cells by column.

    `columns` are all that its table has; `values` holds only cells that are filled.
    """

    number: int
    section: str
    values: Mapping[str, str]
    columns: Sequence[str] = ()


def folded(header: str) -> str:
    """Return a column's name as it is compared."""
    return _WORD.sub(" ", header.replace("\ufeff", "").replace("\xa0", " ")).strip().casefold()


def records(content: bytes) -> Iterator[Record]:
    """Yield the rows of a file. Raises FileError, perhaps only after some rows."""
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise FileError("empty")
    if content.startswith(b"PK\x03\x04"):
        return _sheet(content) if _is_sheet(content) else _papers(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        encrypted = "EncryptedPackage".encode("utf-16-le") in content
        raise FileError("locked" if encrypted else "old_excel")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return _json(content)
    return _text(content)


# -- text ------------------------------------------------------------------------------


def encoding_of(content: bytes) -> str:
    """Return how a text is encoded: by its mark, else UTF-8 where it is valid, else Windows'."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return name
    head = content[:400]
    if head[1::2].count(0) > len(head) // 3:
        return "utf-16-le"
    if head[::2].count(0) > len(head) // 3:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(content), CHUNK):
            decoder.decode(content[at : at + CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def delimiter_of(line: str) -> str:
    """Return what stands between the columns of a header, outside quotation marks."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(DELIMITERS, key=bare.count)  # the first of equals, which is the comma


def _text(content: bytes) -> Iterator[Record]:
    encoding = encoding_of(content)
    if not encoding.startswith("utf-16") and b"\x00" in content:
        raise FileError("nul")
    if content[:4] in (b"%PDF", b"\x89PNG", b"GIF8", b"RIFF") or content[:3] == b"\xff\xd8\xff":
        raise FileError("not_a_table")
    stream = io.TextIOWrapper(
        io.BytesIO(content), encoding=encoding, errors="replace", newline="", write_through=True
    )
    head = stream.read(CHUNK)
    stream.seek(0)
    if "\x00" in head:
        raise FileError("nul")
    if head.lstrip("\ufeff \t\r\n")[:1] == "<" or _has_controls(head):
        raise FileError("not_a_table")
    lines = [line for line in head.splitlines() if line.strip()]
    if not lines:
        raise FileError("empty")
    wide = next((line for line in lines if any(mark in line for mark in DELIMITERS)), "")
    rows = csv.reader(stream, delimiter=delimiter_of(wide or lines[0]))
    return _tables(_checked_rows(rows))


def _has_controls(head: str) -> bool:
    odd = sum(1 for letter in head[:4000] if letter < " " and letter not in "\t\r\n\f\v")
    return odd > 5


def _checked_rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        for row in rows:
            if any("\x00" in cell for cell in row):
                raise FileError("nul")
            yield row
    except csv.Error as error:
        raise FileError("cell") from error


def _tables(rows: Iterator[list[str]]) -> Iterator[Record]:
    """Give every row the names of its columns; a line with a section's name begins a table."""
    names: list[str] | None = None
    section, count = "", 0
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        filled = [cell for cell in cells if cell]
        if not filled:
            continue
        if len(filled) == 1 and (title := _section(filled[0], section, is_first=names is None)):
            section, names = title, None
            continue
        if names is None:
            names = header_of(cells)
            continue
        count += 1
        if count > MOST_ROWS:
            raise FileError("rows")
        yield Record(number, section, _named(names, cells), names)
    if not count:
        raise FileError("empty")


def _section(cell: str, before: str, *, is_first: bool) -> str:
    """Return the name of the table that this lone cell begins; nothing when it is a row."""
    title = folded(cell.lstrip("#")) if cell.startswith("## ") else folded(cell)
    known = title in SECTIONS or cell.startswith("## ")
    return title if known and (is_first or before) else ""


def header_of(cells: list[str]) -> list[str]:
    """Return the names of columns, each once, none empty."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    if len(cells) > MOST_COLUMNS:
        raise FileError("columns")
    names: list[str] = []
    seen: set[str] = set()
    for at, cell in enumerate(cells, 1):
        base = _WORD.sub(" ", cell.replace("\ufeff", "").replace("\xa0", " ")).strip()[:120]
        base = base or f"Column {at}"
        name, turn = base, 1
        while folded(name) in seen:
            turn += 1
            name = f"{base} ({turn})"
        seen.add(folded(name))
        names.append(name)
    return names


def _named(names: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) > MOST_COLUMNS:
        raise FileError("columns")
    found = {}
    for at, cell in enumerate(cells):
        if cell:
            found[names[at] if at < len(names) else f"Column {at + 1}"] = cell
    return found


# -- spreadsheets ----------------------------------------------------------------------


def _sheet(content: bytes) -> Iterator[Record]:
    return _tables(_sheet_rows(content))


def _is_sheet(content: bytes) -> bool:
    """Whether an archive is a spreadsheet. Raises FileError for one that was made to do harm.

    What an entry says of its size binds: the reader stops there.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            is_sheet = {"[Content_Types].xml", "xl/workbook.xml"} <= names
            if len(entries) > MOST_ENTRIES or sum(e.file_size for e in entries) > MOST_UNPACKED:
                raise FileError("bomb")
            for entry in entries:
                if entry.flag_bits & 1:
                    raise FileError("locked")
                packed = max(entry.compress_size, 1)
                if entry.file_size > 1024 * 1024 and entry.file_size / packed > MOST_RATIO:
                    raise FileError("bomb")
                if "sharedstrings" in entry.filename.lower() and entry.file_size > MOST_STRINGS:
                    raise FileError("bomb")
                if is_sheet and entry.filename.endswith((".xml", ".rels")):
                    with archive.open(entry) as part:
                        head = part.read(4096)
                    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                        raise FileError("bomb")  # a sheet has none; entities multiply
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError) as error:
        raise FileError("broken") from error
    return is_sheet


def _sheet_rows(content: bytes) -> Iterator[list[str]]:
    """Yield the rows of the first sheet that has any; formulas by the results kept with them."""
    import openpyxl  # noqa: PLC0415 - few files need it, and every web worker would hold it

    try:
        book = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=True, keep_links=False
        )
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what it says of its size may be a lie
            has_rows = False
            for number, row in enumerate(sheet.iter_rows(values_only=True)):
                if number > MOST_ROWS * 2:
                    raise FileError("rows")
                cells = [_shown(value) for value in itertools.islice(row, MOST_COLUMNS + 1)]
                has_rows = has_rows or any(cells)
                yield cells
            if has_rows:
                return
    except FileError:
        raise
    except Exception as error:
        # openpyxl answers a broken file with whatever the line that met it raises.
        raise FileError("broken") from error


def _shown(value: object) -> str:
    """Return a cell as text that is read the same everywhere."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else repr(value)
    return str(value).replace("\x00", "")


# -- archives of papers ----------------------------------------------------------------


def _papers(content: bytes) -> Iterator[Record]:
    """Yield a row for each file of an archive; a table among them gives the rows that it has."""
    count = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if _is_paper(entry.filename)]
            if {entry.filename.rsplit("/")[-1] for entry in entries} & WHOLE_BACKUPS:
                raise FileError("backup")
            for entry in entries:
                alone = Record(0, ARCHIVE, {"File": entry.filename}, ["File"])
                for row in _links(archive, entry) or [alone]:
                    count += 1
                    yield Record(count, ARCHIVE, row.values, row.columns)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError) as error:
        raise FileError("broken") from error
    if not count:
        raise FileError("empty")


def _links(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> list[Record]:
    """Return the rows of a table that says where papers lie; none of any other file."""
    if not entry.filename.lower().endswith(".csv") or entry.file_size > MOST_JSON:
        return []
    try:
        rows = list(_text(archive.read(entry)))
    except FileError:
        return []  # it is kept as the file that it is
    return rows if frozenset(map(folded, rows[0].columns)) >= LINKS else []


def _is_paper(name: str) -> bool:
    """Whether a name in an archive is a file of its own, and nothing that a system keeps there."""
    steps = name.split("/")
    return bool(steps[-1]) and not any(step.startswith((".", "__MACOSX")) for step in steps)


def unpacked(content: bytes, name: str) -> bytes:
    """Return one file of an archive that `records` read. Raises FileError."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(name).file_size > MOST_PAPER:
                raise FileError("too_large")
            return archive.read(name)
    except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, OSError) as error:
        raise FileError("broken") from error


# -- JSON ------------------------------------------------------------------------------


def _json(content: bytes) -> Iterator[Record]:
    if len(content) > MOST_JSON:
        raise FileError("json_large")
    depth = 0
    for mark in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', content):
        sign = mark.group()
        depth += (sign in (b"[", b"{")) - (sign in (b"]", b"}"))
        if depth > 8:
            raise FileError("nested")
    try:
        found = orjson.loads(content.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise FileError("broken") from error
    return _json_rows(found)


def _json_rows(found: Any) -> Iterator[Record]:
    tables = found.items() if isinstance(found, dict) else [("", found)]
    count = 0
    for name, rows in tables:
        if isinstance(rows, dict):
            rows = rows.get("data", [rows])  # noqa: PLW2901 - what an API answers around its rows
        if not isinstance(rows, list):
            continue
        for row in rows:
            if not isinstance(row, dict):
                continue
            count += 1
            if count > MOST_ROWS:
                raise FileError("rows")
            if len(row) > MOST_COLUMNS:
                raise FileError("columns")
            cells = dict(_flat(row))
            # An empty value is a column too: it tells what sort of rows these are.
            columns = list(dict.fromkeys([*cells, *(str(name)[:120] for name in row)]))
            yield Record(count, folded(str(name)), cells, columns)
    if not count:
        raise FileError("empty")


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        label = f"{before}{name}".replace("\x00", "")[:120]
        if value is None or value in ("", [], {}):
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{label}.")
        elif isinstance(value, list):
            yield label, ", ".join(str(each) for each in value)[:MOST_CELL]
        else:
            yield label, _shown(value).strip()


def plain(text: str) -> str:
    """Return the words of a piece of HTML."""
    broken = re.sub(r"(?i)<(br|/p|/li|/div|/h\d)[^>]*>", "\n", text)
    bare = nh3.clean(broken, tags=set())
    for name, sign in (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        bare = bare.replace(name, sign)
    return re.sub(r"\n\s*\n+", "\n", bare).strip()
