"""Reads the ZIP of an export: nothing in it is believed before it was looked at.

What is read is bounded by what the manifest says, and that by `MOST`: a file that unpacks
to more than it should is given up at that byte. Nothing is ever written under a name that
stands in it.
"""

import hashlib
import json
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from django.utils.translation import gettext_noop

from config.export_files import FORMAT, MANIFEST, VERSION

FOLDER = "steward/"
GIB = 1 << 30
MOST = 20 * GIB  # bytes of all files together, unpacked
MOST_FILES = 500_000
MOST_MANIFEST = 256 << 20
MOST_LINE = 32 << 20  # bytes of one row
RATIO = 500  # unpacked to packed; tables of equal rows come to about a hundred
FREE = 16 << 20  # below which a ratio says nothing
AT_ONCE = 1 << 20


class ArchiveError(Exception):
    """The file cannot be brought in; `code` and the text say why, `what` names the place."""

    def __init__(self, code: str, detail: str, what: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail, self.what = code, detail, what[:200]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table of an export, as its manifest says."""

    name: str
    file: str
    rows: int
    is_restorable: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is in an export, before anything of it is written."""

    version: int
    made_at: str
    made_by: str
    owner: str  # its public id, there
    households: list[dict[str, str]]
    parts: list[Part]
    size: int  # bytes, unpacked
    papers: int
    messages: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(slots=True)
class Archive:
    """An opened export."""

    packed: zipfile.ZipFile
    plan: Plan
    hashes: Mapping[str, tuple[str, int]] = field(default_factory=dict)  # and sizes, by path

    def rows(self, part: Part) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table; raises ArchiveError at the first that is none."""
        for number, line in enumerate(self.lines(part), start=1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _bad_row(part, number) from error
            if not isinstance(row, dict):
                raise _bad_row(part, number)
            yield row

    def lines(self, part: Part) -> Iterator[str]:
        """Yield the rows of a table as they are written: one a line."""
        with self._open(part.file) as file:
            number = 0
            while raw := file.readline(MOST_LINE + 1):
                if len(raw) > MOST_LINE:
                    raise _bad_row(part, number + 1)
                try:
                    line = raw.decode().strip()
                except UnicodeDecodeError as error:
                    raise _bad_row(part, number + 1) from error
                if line in ("", "[", "]"):
                    continue
                number += 1
                yield line.removesuffix(",")

    def content(self, path: str) -> bytes | None:
        """Return the bytes of a file; None where there is none."""
        if path not in self.hashes:
            return None
        with self._open(path) as file:
            return b"".join(iter(lambda: _read(file, path), b""))

    def under(self, folder: str) -> Iterator[str]:
        """Yield the paths of the files in a folder."""
        return (path for path in self.hashes if path.startswith(folder))

    def check_hashes(self) -> Iterator[int]:
        """Read every file and compare its hash; yields bytes read, so that progress shows.

        Raises ArchiveError for the first that is not what the manifest says.
        """
        for path, (wanted, size) in self.hashes.items():
            digest, read = hashlib.sha256(), 0
            with self._open(path) as file:
                while piece := _read(file, path):
                    read += len(piece)
                    if read > size:
                        break
                    digest.update(piece)
                    yield len(piece)
            if read != size or digest.hexdigest() != wanted:
                raise ArchiveError(
                    "hash",
                    gettext_noop("A file in it is not what it was: its hash is wrong."),
                    path,
                )

    def _open(self, path: str) -> IO[bytes]:
        try:
            return self.packed.open(f"{FOLDER}{path}")
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError) as error:
            raise _broken(path) from error


def look(file: IO[bytes]) -> Archive:
    """Open an export and read its manifest. Raises ArchiveError for what is none."""
    try:
        packed = zipfile.ZipFile(file)
        names = packed.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise ArchiveError(
            "not_a_zip",
            gettext_noop("This is no ZIP, or it was cut off on its way. Download it again."),
        ) from error
    sizes = _checked_names(names)
    if MANIFEST not in sizes:
        raise ArchiveError(
            "no_manifest",
            gettext_noop("This ZIP is no export of Steward: it has no manifest."),
        )
    if sizes[MANIFEST] > MOST_MANIFEST:
        raise _too_large(MANIFEST)
    said = _manifest(packed)
    hashes = _listed(said, sizes)
    return Archive(packed=packed, plan=_plan(said, hashes), hashes=hashes)


def _checked_names(names: list[zipfile.ZipInfo]) -> dict[str, int]:
    """Return the sizes of the files by path; raises ArchiveError for what is no plain file."""
    if len(names) > MOST_FILES:
        raise _too_large("")
    sizes: dict[str, int] = {}
    total = 0
    for one in names:
        if one.is_dir():
            continue
        path = one.filename
        steps = path.split("/")
        is_link = stat.S_ISLNK(one.external_attr >> 16)
        if (
            not path.startswith(FOLDER)
            or is_link
            or "\\" in path
            or "\x00" in path
            or any(step in ("", ".", "..") for step in steps)
        ):
            raise ArchiveError(
                "path", gettext_noop("A file in it has a name that leads elsewhere."), path
            )
        if one.flag_bits & 0x1:
            raise ArchiveError(
                "encrypted", gettext_noop("It is locked with a password. Unlock it first."), path
            )
        if path.removeprefix(FOLDER) in sizes:
            raise ArchiveError("twice", gettext_noop("A file stands in it twice."), path)
        if one.file_size > FREE and one.file_size > RATIO * max(1, one.compress_size):
            raise _too_large(path)
        total += one.file_size
        if total > MOST:
            raise _too_large(path)
        sizes[path.removeprefix(FOLDER)] = one.file_size
    return sizes


def _manifest(packed: zipfile.ZipFile) -> dict[str, Any]:
    try:
        with packed.open(f"{FOLDER}{MANIFEST}") as file:
            said = json.loads(file.read(MOST_MANIFEST))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise _unreadable_manifest() from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise _unreadable_manifest()
    version = said.get("version")
    if not isinstance(version, int) or version < 1:
        raise _unreadable_manifest()
    if version > VERSION:
        raise ArchiveError(
            "newer",
            gettext_noop("It was made by a newer Steward. Bring this server up to date first."),
            f"{version} > {VERSION}",
        )
    return said


def _listed(said: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, tuple[str, int]]:
    """Return hash and size of each file; raises ArchiveError unless they are those there."""
    found: dict[str, tuple[str, int]] = {}
    try:
        for one in said["files"]:
            found[str(one["path"])] = (str(one["sha256"]), int(one["size"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable_manifest() from error
    for path in found.keys() - sizes.keys():
        raise ArchiveError("missing", gettext_noop("A file is missing from it."), path)
    for path in sizes.keys() - found.keys() - {MANIFEST}:
        raise ArchiveError(
            "unlisted", gettext_noop("A file stands in it that its manifest does not name."), path
        )
    for path, (_hash, size) in found.items():
        if sizes[path] != size:
            raise ArchiveError(
                "hash", gettext_noop("A file in it is not what it was: its hash is wrong."), path
            )
    return found


def _plan(said: Mapping[str, Any], hashes: Mapping[str, tuple[str, int]]) -> Plan:
    try:
        parts = [
            Part(
                name=str(one["name"]),
                file=str(one["file"]),
                rows=int(one["rows"]),
                is_restorable=bool(one["restorable"]),
                why_not=str(one.get("why_not", "")),
            )
            for one in said["sections"]
            if "file" in one
        ]
        households = [
            {"id": str(one["id"]), "name": str(one["name"])[:120]} for one in said["households"]
        ]
        plan = Plan(
            version=int(said["version"]),
            made_at=str(said["made_at"]),
            made_by=str(said["made_by"])[:200],
            owner=str(said["owner"]),
            households=households,
            parts=parts,
            size=sum(size for _hash, size in hashes.values()),
            papers=sum(1 for path in hashes if path.startswith("documents/")),
            messages=sum(1 for path in hashes if path.startswith("raw/")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable_manifest() from error
    for part in plan.parts:
        if part.file not in hashes:
            raise ArchiveError("missing", gettext_noop("A file is missing from it."), part.file)
    return plan


def _read(file: IO[bytes], path: str) -> bytes:
    try:
        return file.read(AT_ONCE)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise _broken(path) from error


def _broken(path: str) -> ArchiveError:
    return ArchiveError(
        "broken", gettext_noop("A file in it cannot be unpacked. Download it again."), path
    )


def _too_large(path: str) -> ArchiveError:
    return ArchiveError(
        "too_large", gettext_noop("It unpacks to more than this server takes."), path
    )


def _unreadable_manifest() -> ArchiveError:
    return ArchiveError(
        "manifest", gettext_noop("Its manifest cannot be read, so it cannot be checked."), MANIFEST
    )


def _bad_row(part: Part, number: int) -> ArchiveError:
    return ArchiveError(
        "row", gettext_noop("A row in it cannot be read."), f"{part.file}, {number}"
    )
