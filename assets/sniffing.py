"""What a file is, by its first bytes; its name and its sender may say anything."""

from collections.abc import Callable

TEXT = "text/plain"
PDF = "application/pdf"
LINK = "text/uri-list"  # it lies elsewhere
IMAGES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
MOST = 25 * 1024 * 1024  # bytes of one file
EXTENSIONS = {"image/jpeg": ".jpg", PDF: ".pdf", TEXT: ".txt"}

_BEGINNINGS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/jpeg", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("image/png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    ("image/webp", lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP"),
    ("image/gif", lambda head: head.startswith((b"GIF87a", b"GIF89a"))),
    (PDF, lambda head: head.startswith(b"%PDF-")),
)


def media_type(content: bytes) -> str:
    """Return the media type we keep this as, or nothing for what we do not keep."""
    for name, is_it in _BEGINNINGS:
        if is_it(content[:16]):
            return name
    return TEXT if _is_text(content) else ""


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    # Mark-up is refused: kept as plain text it would still tempt somebody to open it as a page.
    looks_marked_up = text.lstrip("\ufeff \t\r\n")[:1] == "<"
    controls = any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text)
    return bool(text.strip()) and not looks_marked_up and not controls
