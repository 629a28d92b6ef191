"""Counting what goes to the database, also past Django's own cursor."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import psycopg


@contextmanager
def counted() -> Iterator[list[str]]:
    """Note every statement while this lasts."""
    seen: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(
        cursor: psycopg.Cursor[object], query: object, *args: object, **more: object
    ) -> object:
        seen.append(str(query))
        return execute(cursor, query, *args, **more)  # type: ignore[call-overload]  # passed on as is

    with mock.patch.object(psycopg.Cursor, "execute", noting):
        yield seen
