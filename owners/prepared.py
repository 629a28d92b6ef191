"""Reads that every connection plans once.

Django's own cursors write the values into the text of a statement, so the server plans
it anew each time, which for a short read costs more than reading. These send the values
apart, and are counted, timed and wrapped like Django's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg import Connection, Cursor

PREPARE_FROM = 3  # times a statement is run on a connection before it is prepared


def connected() -> Connection:
    """Return psycopg's own connection, whose own cursors prepare what is run again and again.

    Django's cursors never prepare, so the threshold is for the others only.
    """
    connection.ensure_connection()
    known: Connection = connection.connection
    if settings.DATABASE_PREPARES:
        known.prepare_threshold = PREPARE_FROM
    return known


def fetch(statement: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement; its text must not vary with the values."""
    connection.close_if_health_check_failed()
    known = connected()
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(Cursor(known)) as cursor:  # type: ignore[arg-type]  # it is what they wrap
        cursor.execute(statement, values)
        return list(cursor.fetchall())
