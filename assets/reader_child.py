"""Reads one foreign file in a process that may die: run as a script, never imported.

It gets the task as one word (and with `words`, which program reads pictures in which
languages) and the file on standard input, and answers on standard output: one line of JSON
with the sizes of the parts, then the parts. It limits itself before it reads a byte, so a
file made to burst memory or time ends only this process.
"""

import io
import json
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Iterator

MEMORY, CPU_SECONDS = 512 * 1024 * 1024, 10
PIXELS = 24_000_000
SIDE, THUMB = 2560, 640  # the longer side of a photo and of its small copy
PAGES, LETTERS = 60, 200_000
SCANS = 8  # pages of pictures that are read in one file
SCRATCH = 64 * 1024 * 1024  # bytes the reader of pictures may write to a file of its own
PICTURE_SECONDS = 20


def photo(content: bytes) -> list[bytes]:
    """Return the picture made anew, upright and without what the camera noted, and small."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - after the limits

    Image.MAX_IMAGE_PIXELS = PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    formats = ("JPEG", "PNG", "WEBP", "GIF")
    with Image.open(io.BytesIO(content), formats=formats) as found:
        if found.width * found.height > PIXELS:
            raise ValueError("too many pixels")
        found.load()
        upright = ImageOps.exif_transpose(found)
        flat = Image.new("RGB", upright.size, "white")
        layered = upright.convert("RGBA")
        flat.paste(layered, mask=layered.getchannel("A"))
    parts = []
    for side, quality in ((SIDE, 88), (THUMB, 80)):
        copy = flat.copy()
        copy.thumbnail((side, side))
        out = io.BytesIO()
        # A new picture from the pixels alone: no EXIF, no place, no embedded preview.
        copy.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        parts.append(out.getvalue())
    return parts


def pdf(content: bytes) -> list[bytes]:
    """Return the words of a PDF's text layer."""
    from pypdf import PdfReader  # noqa: PLC0415 - after the limits

    found: list[str] = []
    size = 0
    for number, page in enumerate(PdfReader(io.BytesIO(content)).pages):
        text = page.extract_text()
        found.append(text)
        size += len(text)
        if number + 1 >= PAGES or size >= LETTERS:
            break
    return ["\n".join(found)[:LETTERS].encode("utf-8", "replace")]


def words(content: bytes, program: str, languages: str) -> list[bytes]:
    """Return the words in a picture, or in the pictures that a PDF's pages are."""
    found: list[str] = []
    for picture in _pictures(content):
        # It inherits our limits; its own counters start at nothing.
        done = subprocess.run(  # noqa: S603 - the operator's program, no shell
            [program, "stdin", "stdout", "-l", languages],
            input=picture,
            capture_output=True,
            timeout=PICTURE_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            found.append(done.stdout.decode("utf-8", "replace"))
    return ["\n".join(found)[:LETTERS].encode("utf-8", "replace")]


def _pictures(content: bytes) -> Iterator[bytes]:
    if not content.startswith(b"%PDF-"):
        yield content
        return
    from pypdf import PdfReader  # noqa: PLC0415 - after the limits

    for number, page in enumerate(PdfReader(io.BytesIO(content)).pages):
        if number >= SCANS:
            return
        largest = max(page.images, key=lambda image: len(image.data), default=None)
        if largest is not None:
            out = io.BytesIO()
            made = largest.image.convert("L")  # type: ignore[union-attr]  # a picture, as it has data
            made.thumbnail((SIDE, SIDE))
            made.save(out, "PNG")
            yield out.getvalue()


def main() -> None:
    """Limit, read, work, answer."""
    if sys.argv[1] == "words":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (SCRATCH, SCRATCH))
        os.environ["OMP_THREAD_LIMIT"] = "1"
        answer(words(sys.stdin.buffer.read(), *sys.argv[2:4]))
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    answer({"photo": photo, "pdf": pdf}[sys.argv[1]](sys.stdin.buffer.read()))


def answer(parts: list[bytes]) -> None:
    """Write the parts to whoever asked."""
    sys.stdout.buffer.write(json.dumps([len(part) for part in parts]).encode() + b"\n")
    for part in parts:
        sys.stdout.buffer.write(part)


if __name__ == "__main__":
    main()
