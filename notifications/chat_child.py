"""Runs in a child process: hands one message after the other to Apprise, and to nothing inside.

Apprise looks names up and connects by itself, follows what servers tell it, and reads files
that an address names. So here every connection is checked where it is made: to a public
address on the port of https, or into a network that the operator allows. No other file
than a library's is opened and no program started.
"""

import ipaddress
import json
import logging
import re
import socket
import sys
from collections.abc import Sequence
from typing import Any

from suppliers import guard

HTTPS = 443
READABLE = (sys.prefix, sys.base_prefix, "/etc/ssl", "/usr/share", "/usr/lib", "/dev/null")
STATUS = re.compile(r"error=(\d{3})")
_networks: list[guard.Network] = []
_connect = socket.socket.connect


class _Heard(logging.Handler):
    """Keeps what Apprise complained about; it answers only yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage()[:200])


def check(address: str, port: int) -> None:
    """Raise OSError for a place that nobody here may connect to."""
    found = ipaddress.ip_address(address)
    if any(found.version == network.version and found in network for network in _networks):
        return
    if port != HTTPS or not guard.is_public(found):
        raise OSError("this address may not be reached")


def _checked_connect(self: socket.socket, place: Any) -> None:
    if self.family not in (socket.AF_INET, socket.AF_INET6):
        raise OSError("only the internet is reached from here")
    # A name here would be looked up behind our back.
    check(str(place[0]).partition("%")[0], int(place[1]))
    _connect(self, place)


def _watched(event: str, arguments: Sequence[Any]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        if not arguments[0].startswith(READABLE):
            raise PermissionError("no file is opened here")
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        raise PermissionError("no program is started here")


def send(asked: dict[str, Any]) -> dict[str, Any]:
    """Hand one message over; `said` tells why it was not taken, `is_bad` that it never will be."""
    import apprise  # noqa: PLC0415 - the locks above come first

    _networks[:] = [ipaddress.ip_network(text) for text in asked["allowed"]]
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    try:
        sender = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
        if not sender.add(asked["url"]):
            return {"ok": False, "said": "not an address of a chat", "is_bad": True}
        ok = sender.notify(body=asked["body"], title=asked["title"])
    finally:
        logger.removeHandler(heard)
    said = heard.lines[-1] if heard.lines and not ok else ""
    status = STATUS.search(" ".join(heard.lines))
    is_bad = status is not None and status[1] in ("401", "403", "404", "410")
    return {"ok": bool(ok), "said": status[0] if status else said[:120], "is_bad": is_bad}


def main() -> None:
    """Answer each line with a line, until there are no more."""
    import apprise  # noqa: PLC0415 - read from disk before files are watched

    apprise.Apprise().add("ntfys://example.com/warm")  # which reads every sort of chat
    socket.socket.connect = _checked_connect  # type: ignore[method-assign, assignment]  # that is the point
    sys.addaudithook(_watched)
    answers, sys.stdout = sys.stdout, sys.stderr  # what Apprise prints is no answer
    answers.write("{}\n")  # ready: its time is counted from here
    answers.flush()
    for line in sys.stdin:
        try:
            answer = send(json.loads(line))
        except Exception as error:  # noqa: BLE001 - foreign code; the next message comes anyway
            answer = {"ok": False, "said": type(error).__name__, "is_bad": False}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
