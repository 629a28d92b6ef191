"""Many rows in one statement, to the database and back.

The rows travel as one JSON parameter and PostgreSQL takes them apart
(`json_to_recordset`), which costs a fraction of a VALUES list with a parameter for every
cell, and keeps one statement text for any number of rows.

What comes back travels in PostgreSQL's binary form and goes past Django's cursor and
models: a time alone costs twenty times as much on Django's way. The statements are
prepared, so one contact that arrives alone does not wait for thirty plans to be made.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import CASCADE, SET_NULL, Field, ForeignObjectRel, Model
from django.db.models.base import ModelState
from psycopg import Cursor

Held = TypeVar("Held", bound=Model)

# An escaped NUL; after an odd number of backslashes it is these six characters themselves.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dumps(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as the JSON parameter; a NUL, which no text column takes, is dropped."""
    found = list(rows)
    try:
        text = orjson.dumps(found, default=_plain).decode()
    except TypeError:
        # Half a surrogate pair, or a number beyond 64 bits: what PostgreSQL makes of it
        # is then told of the row that holds it.
        text = json.dumps(found, default=_plain, separators=(",", ":"))
    return _NUL.sub(r"\1", text) if "\\u0000" in text else text


def array(ids: Iterable[int]) -> str:
    """Return numbers as the parameter of `ANY(%s::bigint[])`."""
    return f"{{{','.join(map(str, ids))}}}"


def read(
    statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """Return what a SELECT finds.

    Select a JSON column as text, and a UUID too where it only names something.
    """
    return _run(statement, parameters, has_rows=True)


def read_all(
    *queries: tuple[str, Sequence[Any] | Mapping[str, Any]],
) -> list[list[tuple[Any, ...]]]:
    """Return what several SELECTs find, each as `read` does; all are asked before any answers."""
    with pipelined(), ExitStack() as stack:
        cursors = [stack.enter_context(Cursor(connection.connection)) for _query in queries]
        for cursor, (statement, parameters) in zip(cursors, queries, strict=True):
            cursor.execute(statement, parameters, prepare=settings.DATABASE_PREPARES, binary=True)
        return [cursor.fetchall() for cursor in cursors]


@contextmanager
def pipelined() -> Iterator[None]:
    """Wait for no answer to what is written inside, unless something is read after it.

    A round trip costs a lone contact more than its statements do. What PostgreSQL refuses
    is raised by a later read, or at the end; so this belongs inside a transaction. Django's
    own queries work inside, but never learn how many rows they changed: keep `save` out.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def instance(model: type[Held], **values: Any) -> Held:
    """Return an unsaved instance that holds these fields and no other.

    `Model()` looks at every field, has its default made and tells the signals: for rows
    that are only carried to a statement that is most of the work. Reading a field that is
    not held fails.
    """
    made = model.__new__(model)
    made._state = ModelState()  # noqa: SLF001 - Django's own name
    made.__dict__.update(values)
    return made


def write(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
    """Run a statement that returns nothing."""
    _run(statement, parameters, has_rows=False)


def _run(statement: str, parameters: Any, *, has_rows: bool) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters, prepare=settings.DATABASE_PREPARES, binary=True)
        return cursor.fetchall() if has_rows else []


@lru_cache(maxsize=256)
def _columns(model: type[Model], names: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """Name, column and type of each field; `x_id` names a relation's column."""
    found = []
    fields = {f.attname: f for f in model._meta.concrete_fields}  # noqa: SLF001 - Django's own name
    for name in names:
        field: Field[Any, Any] = fields.get(name) or fields[f"{name}_id"]
        kind = field.db_type(connection) or ""
        if field.remote_field is not None:
            kind = field.target_field.db_type(connection) or ""  # type: ignore[attr-defined]  # every relation has one
        if "identity" in kind or kind.endswith("serial"):
            kind = "bigint"
        kind = {"bigserial": "bigint", "serial": "integer"}.get(kind, kind)
        found.append((name, field.column or field.attname, kind))
    return tuple(found)


@lru_cache(maxsize=256)
def _upsert_sql(
    model: type[Model],
    names: tuple[str, ...],
    unique: tuple[str, ...],
    update: tuple[str, ...],
    returning: tuple[str, ...],
) -> str:
    columns = _columns(model, names)
    table = model._meta.db_table  # noqa: SLF001 - Django's own name
    listed = ", ".join(f'"{column}"' for _name, column, _kind in columns)
    given = ", ".join(f'd."{name}"' for name, _column, _kind in columns)
    shape = ", ".join(f'"{name}" {kind}' for name, _column, kind in columns)
    sql = (
        f'INSERT INTO "{table}" AS t ({listed}) SELECT {given} '  # noqa: S608 - names of models
        f"FROM json_to_recordset(%s::json) AS d({shape})"
    )
    if unique:
        by = ", ".join(f'"{column}"' for _n, column, _k in _columns(model, unique))
        changes = ", ".join(
            f'"{column}" = EXCLUDED."{column}"' for _n, column, _k in _columns(model, update)
        )
        sql += f" ON CONFLICT ({by}) DO " + (f"UPDATE SET {changes}" if update else "NOTHING")
        if update and not returning:
            # What is the same stays as it lies: no new row version, no entry in any index.
            changed = [column for _n, column, _k in _columns(model, update)]
            before = ", ".join(f't."{column}"' for column in changed)
            after = ", ".join(f'EXCLUDED."{column}"' for column in changed)
            sql += f" WHERE ({before}) IS DISTINCT FROM ({after})"
    if returning:
        back = ", ".join(f'"{column}"' for _n, column, _k in _columns(model, returning))
        sql += f" RETURNING {back}"
    return sql


def upsert(
    model: type[Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    unique: tuple[str, ...] = (),
    update: tuple[str, ...] = (),
    returning: tuple[str, ...] = (),
) -> list[tuple[Any, ...]]:
    """Insert `rows` (field name -> value; all rows have the same fields).

    Rows that meet the unique constraint over `unique` change only the fields in
    `update`; without any they stay. Returns the `returning` fields of what was written.
    """
    if not rows:
        return []
    sql = _upsert_sql(model, tuple(rows[0]), unique, update, returning)
    return _run(sql, [dumps(rows)], has_rows=bool(returning))


@lru_cache(maxsize=256)
def _update_sql(model: type[Model], names: tuple[str, ...]) -> str:
    columns = _columns(model, names)
    key, *rest = columns
    table = model._meta.db_table  # noqa: SLF001 - Django's own name
    changes = ", ".join(f'"{column}" = d."{name}"' for name, column, _kind in rest)
    shape = ", ".join(f'"{name}" {kind}' for name, _column, kind in columns)
    return (
        f'UPDATE "{table}" t SET {changes} FROM json_to_recordset(%s::json) '  # noqa: S608 - names of models
        f'AS d({shape}) WHERE t."{key[1]}" = d."{key[0]}"'
    )


def update(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Update `rows`; the first field of each is the key, and all have the same fields."""
    if not rows:
        return
    write(_update_sql(model, tuple(rows[0])), [dumps(rows)])


def insert(model: type[Model], rows: Sequence[Model]) -> None:
    """Store new instances of a model in one statement, and give each its key.

    As `bulk_create`, without building an expression for every value.
    """
    if not rows:
        return
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]  # noqa: SLF001 - Django's own name
    names = [field.attname for field in fields]
    values = [{name: _sent(getattr(row, name)) for name in names} for row in rows]
    keys = upsert(model, values, returning=("id",))
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk = key
        row._state.adding = False  # noqa: SLF001 - as above


def _sent(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value  # no float rounds it


def erase(model: type[Model], ids: Collection[int]) -> None:
    """Delete rows with all that hangs on them, a few statements for each table.

    As `QuerySet.delete` does by `on_delete`, without reading the rows; no signal is sent.
    """
    if not ids:
        return
    keys = array(ids)
    for relation in _hanging(model):
        child, column = relation.related_model, relation.field.column
        table = child._meta.db_table  # noqa: SLF001 - Django's own name
        if relation.on_delete is SET_NULL:
            write(
                f'UPDATE "{table}" SET "{column}" = NULL WHERE "{column}" = ANY(%s::bigint[])',  # noqa: S608 - names of models
                [keys],
            )
        elif relation.on_delete is not CASCADE:
            continue  # the database says whether it may go
        elif _hanging(child):
            found = read(
                f'SELECT id FROM "{table}" WHERE "{column}" = ANY(%s::bigint[])',  # noqa: S608 - as above
                [keys],
            )
            erase(child, [key for (key,) in found])
        else:
            write(f'DELETE FROM "{table}" WHERE "{column}" = ANY(%s::bigint[])', [keys])  # noqa: S608 - as above
    write(f'DELETE FROM "{model._meta.db_table}" WHERE id = ANY(%s::bigint[])', [keys])  # noqa: S608, SLF001 - as above


@lru_cache(maxsize=256)
def _hanging(model: type[Model]) -> tuple[ForeignObjectRel, ...]:
    """Return the relations of other rows to this model's, hidden ones too."""
    return tuple(
        relation
        for relation in model._meta.get_fields(include_hidden=True)  # noqa: SLF001 - Django's own name
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many
    )
