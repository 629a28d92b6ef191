"""What an export holds beside its tables: the same as CSV, the schemas, and the manifest.

The format is described in docs/export.md and stable for outsiders: `VERSION` rises when a
reader of the former one would misread it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    IntegerField,
    JSONField,
    Model,
    TimeField,
    UUIDField,
)

from assets.importers.values import guarded
from owners import exports
from owners.models import Export, Household
from owners.privacy import Piece, Section, Table, Whose, csv_file, json_file, whose

FORMAT, VERSION = "steward-export", 1
MANIFEST = "manifest.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BOUND = 1 << 256  # of the sums by which two exports are compared

# What no import brings back, each with its reason; everything else is.
NOT_RESTORED: Mapping[str, str] = {
    "owner": "whoever brings it in has an account of their own",
    "channels": "an address is proved anew by whoever it belongs to",
    "channel_wishes": "wishes about addresses that have to be proved anew",
    "invitations": "a letter that opens a household on the server that sent it",
    "tokens": "a secret of which only the hash is kept",
    "changes": "ways to undo what was done on the other server",
    "access-log": "what happened on the other server, chained there",
    "shares": "links into the other server",
    "transfers": "links into the other server",
    "received-packages": "signed packages are kept by the server that checked them",
    "imports": "files that were brought in there",
    "import-rows": "files that were brought in there",
    "imported": "files that were brought in there",
    "supplier-invitations": "a link into the other server",
    "supplier-invitation-assets": "a link into the other server",
    "sent-attempts": "tries of the other server",
    "way-checks": "tests of addresses of the other server",
    "deliveries": "tries to reach addresses that have to be proved anew",
    "delivery-attempts": "tries of the other server",
    "delivery-receipts": "tries of the other server",
    "digests": "mails of the other server",
    "calendar-feeds": "secret addresses of the other server",
    "passes": "secret addresses of the other server",
    "pass-visits": "visits to the other server",
    "push-devices": "devices that the other server may reach",
    "process-log": "made anew from the other tables",
    "calendar": "made anew from the other tables",
    "index": "made anew from the other tables",
}


def with_copies(sections: Mapping[str, Section]) -> dict[str, Section]:
    """Return the sections of an export: each table is followed by its CSV and its schema."""
    found: dict[str, Section] = {}
    for name, section in sections.items():
        found[name] = _Copied(section) if isinstance(section, Table) else section
    return found


class _Copied:
    """A table as JSON, as CSV and with its schema."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __call__(self, of: Whose) -> Iterator[Piece]:
        """Yield the three files."""
        table = self.table
        yield from table(of)
        yield from csv_file(
            f"csv/{table.name}.csv",
            [column for part in table.columns() for column in part],
            table.values(of),
            guarded=guarded,
        )
        yield schema_file(table)


def schema_file(table: Table) -> Piece:
    """Return the JSON Schema of a table as a file of an export."""
    text = json.dumps(schema(table), indent=1, ensure_ascii=False, sort_keys=True)
    return Piece(name=f"schemas/{table.name}.schema.json", content=f"{text}\n".encode())


def schema(table: Table) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a table's file: an array of rows."""
    plain, references = table.columns()
    fields = {field.name: field for field in table.model._meta.concrete_fields}  # noqa: SLF001 - any model
    columns: dict[str, Any] = {}
    for name in plain:
        if name in table.opened:
            columns[name] = {"type": ["string", "null"]}
        elif name == "id" and "uuid" in fields:
            columns[name] = {"type": "string", "format": "uuid"}
        else:
            columns[name] = _described(fields[name])
    for name in references:
        columns[name] = _reference(fields[name])
    for name in table.named:
        one = {"type": "string", "format": "uuid"}
        is_list = isinstance(fields[name], ArrayField)
        columns[name] = (
            {"type": "array", "items": one} if is_list else one | {"type": ["string", "null"]}
        )
    return {
        "$schema": DIALECT,
        "title": table.name,
        "description": (table.model.__doc__ or "").strip().splitlines()[0],
        "type": "array",
        "items": {
            "type": "object",
            "properties": columns,
            "required": sorted(columns),
            "additionalProperties": False,
        },
    }


def _described(field: Field[Any, Any]) -> dict[str, Any]:
    said = _typed(field)
    if field.choices and said.get("type") == "string":
        values = [value for value, _label in field.flatchoices]
        said["enum"] = [*values, *([""] if field.blank else [])]
    if field.null and "type" in said:
        said["type"] = [said["type"], "null"]
        if "enum" in said:
            said["enum"] = [*said["enum"], None]
    return said


def _typed(field: Field[Any, Any]) -> dict[str, Any]:
    if isinstance(field, ArrayField):
        return {"type": "array", "items": _typed(field.base_field)}
    if isinstance(field, JSONField):
        return {}
    kinds: tuple[tuple[type[Field[Any, Any]], dict[str, Any]], ...] = (
        (BooleanField, {"type": "boolean"}),
        (IntegerField, {"type": "integer"}),
        (DecimalField, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
        (DateTimeField, {"type": "string", "format": "date-time"}),
        (DateField, {"type": "string", "format": "date"}),
        (TimeField, {"type": "string"}),
        (UUIDField, {"type": "string", "format": "uuid"}),
    )
    for kind, said in kinds:
        if isinstance(field, kind):
            return dict(said)
    return {"type": "string"}


def _reference(field: Field[Any, Any]) -> dict[str, Any]:
    target: type[Model] = field.related_model  # type: ignore[assignment]  # of a reference, a model
    named = any(one.name == "uuid" for one in target._meta.concrete_fields)  # noqa: SLF001 - any model
    said: dict[str, Any] = (
        {"type": "string", "format": "uuid"} if named else {"type": ["integer", "string"]}
    )
    if field.null:
        kinds = said["type"] if isinstance(said["type"], list) else [said["type"]]
        said["type"] = [*kinds, "null"]
    return said | {"description": f"names: {target._meta.model_name}"}  # noqa: SLF001 - any model


def manifest(export: Export, sections: Mapping[str, Section]) -> Iterator[Piece]:
    """Yield the manifest of an export whose files are all written: what is in it, and hashes.

    It is read from the files as they lie there, piece by piece, so it says what is in the
    ZIP and not what was meant to be.
    """
    households = Household.objects.filter(pk__in=whose(export.owner).households).order_by("pk")
    head = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": export.created_at,
        "made_by": settings.SITE_URL,
        "owner": str(export.owner.uuid),
        "households": [{"id": str(one.uuid), "name": one.name} for one in households],
    }
    told: dict[str, Any] = {}

    def files() -> Iterator[dict[str, Any]]:
        for name, found in _read(export):
            told[name] = found
            yield {"path": name, "sha256": found["sha256"], "size": found["size"]}

    listed = b"".join(piece.content for piece in json_file(MANIFEST, files()))
    body = dict(head)
    body["sections"] = [_section(name, section, told) for name, section in sections.items()]
    text = json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    yield Piece(
        name=MANIFEST, content=text[:-2].encode() + b',\n "files": ' + listed.strip() + b"\n}\n"
    )


def _section(name: str, section: Section, told: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"name": name, "restorable": name not in NOT_RESTORED}
    if name in NOT_RESTORED:
        said["why_not"] = NOT_RESTORED[name]
    if isinstance(section, Table):
        found = told[f"{section.name}.json"]
        said |= {
            "file": f"{section.name}.json",
            "csv": f"csv/{section.name}.csv",
            "schema": f"schemas/{section.name}.schema.json",
            "rows": found["rows"],
            "sha256": found["sha256"],
            "content_sha256": found["content_sha256"],
            "not_compared": sorted(section.passing | section.unstable),
        }
    return said


def _read(export: Export) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each file of an export with its hash, size, rows and what compares them."""
    name, digest, size, rows, total = "", hashlib.sha256(), 0, 0, 0

    def found() -> tuple[str, dict[str, Any]]:
        return name, {
            "sha256": digest.hexdigest(),
            "size": size,
            "rows": rows,
            "content_sha256": f"{total % BOUND:064x}",
        }

    for part in exports.parts(export):
        if part.name != name:
            if name:
                yield found()
            name, digest, size, rows, total = part.name, hashlib.sha256(), 0, 0, 0
        content = part.content
        digest.update(content)
        size += len(content)
        rows += part.rows
        total += int.from_bytes(bytes(part.digest)) if part.digest else 0
    if name:
        yield found()
