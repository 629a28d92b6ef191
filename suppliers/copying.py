"""Values as PostgreSQL's binary COPY takes them: pure.

psycopg writes a row value by value. The rows of one lot share most of their values, so
these become bytes once for all of them.
"""

import struct
from datetime import UTC, datetime, timedelta

BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
UUID_SIZE = b"\0\0\0\x10"
SHA256_SIZE = b"\0\0\0\x20"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

size = struct.Struct(">i").pack  # of the value that follows
_count = struct.Struct(">h").pack
_small = struct.Struct(">ih").pack
_big = struct.Struct(">iq").pack


def begin_row(columns: int) -> bytes:
    """Return what stands before the values of a row."""
    return _count(columns)


def text(value: str) -> bytes:
    """Return a value of a text column."""
    raw = value.encode()
    return size(len(raw)) + raw


def json(value: str) -> bytes:
    """Return a value of a jsonb column, from its text."""
    raw = value.encode()
    return size(len(raw) + 1) + b"\x01" + raw


def smallint(value: int) -> bytes:
    """Return a value of a smallint column."""
    return _small(2, value)


def bigint(value: int | None) -> bytes:
    """Return a value of a bigint column."""
    return NULL if value is None else _big(8, value)


def moment(value: datetime) -> bytes:
    """Return a value of a timestamptz column."""
    return _big(8, (value - EPOCH) // timedelta(microseconds=1))
