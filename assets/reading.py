"""Foreign files are opened in a child process only; this is its other side."""

import json
import subprocess
import sys
from pathlib import Path

CHILD = Path(__file__).with_name("reader_child.py")
WALL_SECONDS = 15
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


def _run(task: str, content: bytes) -> list[bytes]:
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the file goes through its input
            [sys.executable, "-I", str(CHILD), task],
            input=content,
            capture_output=True,
            timeout=WALL_SECONDS,
            check=False,
            env={"LANG": "C.UTF-8"},
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
