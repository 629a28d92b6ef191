"""The head of a mail, read cheaply: nothing here looks at the body or parses deeply.

The entrance needs the Message-ID and our own server's verdict before anything else may
look at the mail, so this runs outside the child and keeps to hard limits.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parseaddr, parsedate_to_datetime

MAX_HEAD = 512 * 1024
MAX_LINES = 500
MAX_VALUE = 64 * 1024
MAX_DECODED = 2 * 1024  # a subject longer than this is not decoded, but cut
MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")


@dataclass(frozen=True, slots=True)
class Head:
    """The header fields in their order; `is_cut` when there were more than are read."""

    fields: tuple[tuple[str, str], ...]
    is_cut: bool = False

    def all(self, name: str) -> list[str]:
        """Return every value of a field, in the order of the mail (the newest on top)."""
        return [value for key, value in self.fields if key == name]

    def get(self, name: str) -> str:
        """Return the first value of a field, or an empty string."""
        return next((value for key, value in self.fields if key == name), "")

    @property
    def subject(self) -> str:
        """The subject in plain words."""
        return decoded(self.get("subject"))

    @property
    def sender(self) -> str:
        """The address in the first From, in lower case."""
        return parseaddr(decoded(self.get("from")))[1].lower()[:254]

    @property
    def message_id(self) -> str:
        """The Message-ID without its brackets, or an empty string."""
        return next(iter(ids(self.get("message-id"))), "")

    @property
    def date(self) -> datetime | None:
        """The Date field, if it is one."""
        try:
            found = parsedate_to_datetime(self.get("date")[:200])
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    @property
    def is_bulk(self) -> bool:
        """Whether it went to many."""
        return bool(self.get("list-unsubscribe") or self.get("list-id")) or (
            self.get("precedence").strip().lower() in {"bulk", "list", "junk"}
        )


def ids(value: str) -> list[str]:
    """Return the message ids in a field, without brackets."""
    return [match[0][1:-1] for match in MESSAGE_ID.finditer(value[:16384])]


def decoded(value: str) -> str:
    """Return a header value with its encoded words decoded; what cannot be is replaced."""
    value = value[:MAX_DECODED]
    if "=?" not in value:
        return " ".join(value.split())
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return " ".join(value.split())
    text = ""
    for part, charset in parts:
        text += part if isinstance(part, str) else decode_bytes(part, charset)
    return " ".join(text.replace("\x00", "").split())


def decode_bytes(data: bytes, charset: str | None) -> str:
    """Return text in `charset`, or in UTF-8, with a mark for what is neither."""
    for name in (charset or "utf-8", "utf-8"):
        try:
            return storable(data.decode(name, "replace" if name == "utf-8" else "strict"))
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


def storable(text: str) -> str:
    """Return text as the database takes it: without NUL, and with no half of a letter.

    Some charsets (UTF-7 is one) can be made to yield such halves.
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def read(raw: bytes) -> Head:
    """Return the head of a message. It never raises; what is beyond the limits is cut."""
    block = raw[:MAX_HEAD].replace(b"\r\n", b"\n")
    end = block.find(b"\n\n")
    is_cut = end < 0 and len(raw) > MAX_HEAD
    lines = (block if end < 0 else block[:end]).split(b"\n")
    is_cut = is_cut or len(lines) > MAX_LINES
    found: list[tuple[str, list[str]]] = []
    for line in lines[:MAX_LINES]:
        text = line[:MAX_VALUE].replace(b"\x00", b"").decode("utf-8", "replace")
        if text[:1] in {" ", "\t"} and found:
            found[-1][1].append(text)
            continue
        name, colon, value = text.partition(":")
        if colon and name and not name.startswith("From "):
            found.append((name.strip().lower(), [value]))
    fields = tuple((name, "\n".join(parts)[:MAX_VALUE].strip()) for name, parts in found)
    return Head(fields, is_cut)
