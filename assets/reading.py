"""Foreign files are opened in a child process only; this is its other side."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from django.conf import settings

CHILD = Path(__file__).with_name("reader_child.py")
WALL_SECONDS = 15
PICTURES_SECONDS = 180  # eight scanned pages take their time
# Of the reader's names; what of them is there is used, unless the operator names others.
LANGUAGES = ("eng", "deu", "ita", "fra", "spa", "por", "nld")
ANSWER_MOST = 40 * 1024 * 1024


class UnreadableError(Exception):
    """The file is broken, or made to do harm; nothing of it was kept."""


def photo(content: bytes) -> tuple[bytes, bytes]:
    """Return a picture made anew as JPEG without what the camera noted, and a small copy."""
    full, thumb = _run("photo", content)
    return full, thumb


def pdf_text(content: bytes) -> str:
    """Return the words in a PDF's text layer."""
    (text,) = _run("pdf", content)
    return text.decode("utf-8", "replace").replace("\x00", "")


def reads_pictures() -> bool:
    """Whether this machine has a program that reads the words in pictures."""
    return bool(settings.OCR_PROGRAM and languages())


@cache
def languages() -> str:
    """Return the languages that pictures are read in, as the program takes them."""
    if settings.OCR_LANGUAGES or not settings.OCR_PROGRAM:
        return str(settings.OCR_LANGUAGES)
    try:
        listed = subprocess.run(  # noqa: S603 - the operator's program, no shell
            [settings.OCR_PROGRAM, "--list-langs"],
            capture_output=True,
            timeout=WALL_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""  # it is not there, or not what it seems
    here = listed.stdout.decode("utf-8", "replace").split()
    return "+".join(language for language in LANGUAGES if language in here)


def picture_words(content: bytes) -> str:
    """Return the words in a picture, or in a PDF of scanned pages; needs `reads_pictures`."""
    extra = [settings.OCR_PROGRAM, languages()]
    (text,) = _run("words", content, *extra, seconds=PICTURES_SECONDS)
    return text.decode("utf-8", "replace").replace("\x00", "")


def _run(task: str, content: bytes, *extra: str, seconds: int = WALL_SECONDS) -> list[bytes]:
    env = {"LANG": "C.UTF-8"}
    if "TESSDATA_PREFIX" in os.environ:
        env["TESSDATA_PREFIX"] = os.environ["TESSDATA_PREFIX"]
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the file goes through its input
            [sys.executable, "-I", str(CHILD), task, *extra],
            input=content,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=env,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableError("it takes too long") from error
    head, _, rest = done.stdout.partition(b"\n")
    if done.returncode != 0 or len(rest) > ANSWER_MOST:
        reason = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise UnreadableError(reason[:200] or f"it ended with {done.returncode}")
    parts = []
    for size in json.loads(head):
        parts.append(rest[:size])
        rest = rest[size:]
    return parts
