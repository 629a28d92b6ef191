"""A document's bytes on their way to a browser or an app."""

from typing import IO
from urllib.parse import quote

from django.http import FileResponse, Http404, HttpResponse

from assets import vault
from assets.models import Document
from assets.sniffing import EXTENSIONS

# Whatever a file holds, a browser that shows it can run nothing and reach nobody.
SANDBOX = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"


def give_out(document: Document, *, part: str = vault.FULL) -> HttpResponse:
    """Return a document's bytes, so that no browser takes them for anything else."""
    try:
        content = vault.get(document.uuid, part=part)
    except vault.VaultError as error:
        raise Http404 from error
    is_shown = document.has_thumb
    name = document.name
    ending = EXTENSIONS.get(document.media_type, "")
    if not name.casefold().endswith(ending):
        name += ending
    way = "inline" if is_shown else "attachment"
    headers = {
        "Content-Disposition": f"{way}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    kind = document.media_type
    return HttpResponse(
        content,
        content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        headers=headers,
    )


# What turns a name round or leads into a folder.
UNSAFE = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069/\\")


def as_stream(file: IO[bytes], *, name: str, kind: str) -> FileResponse:
    """Return a file to be saved as `as_download` does, sent from where it lies."""
    sent = FileResponse(file, content_type=kind)
    for header, value in as_download(b"", name=name, kind=kind).items():
        if header not in ("Content-Length", "Content-Type"):
            sent.headers[header] = value
    return sent


def as_download(
    content: bytes, *, name: str, kind: str = "application/octet-stream"
) -> HttpResponse:
    """Return a stranger's bytes to be saved, so that no browser opens them."""
    safe = "".join(letter for letter in name if letter.isprintable() and letter not in UNSAFE)
    written = quote(safe[:150] or "file", safe="")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{written}",
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return HttpResponse(content, content_type=kind, headers=headers)
