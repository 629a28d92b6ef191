"""Checks a mail's signatures by DNS, in the child process only: DKIM, DMARC and ARC.

A stranger's mail decides what is looked up, so the number of signatures, the number of
look-ups and the time for all of them together have a limit.
"""

import base64
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any

import authheaders
import dkim
import dns.exception
import dns.resolver
from authres import DKIMAuthenticationResult

from suppliers.adapters import headers
from suppliers.proof import aligned, senders

BUDGET_S = 4.0
ONE_S = 2.0
MAX_SIGNATURES = 5
MAX_LOOKUPS = 30
MAX_INSTANCES = 10
SAFE = re.compile(r"[\w.-]{1,253}\Z")

Lookup = Callable[[Any], "bytes | None"]


class Unanswered(Exception):  # noqa: N818 - a state of the network, not a fault
    """The DNS did not answer in time, or was asked too often."""


class Resolver:
    """Text records by name, within the budget of one mail."""

    def __init__(self, servers: list[str]) -> None:
        self.until = time.monotonic() + BUDGET_S
        self.left = MAX_LOOKUPS
        self.known: dict[str, bytes | None] = {}
        self.resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            hosts = [server.rpartition(":") for server in servers]
            self.resolver.nameservers = [host or port for host, _, port in hosts]
            ports = {int(port) for host, _, port in hosts if host}
            if ports:
                self.resolver.port = ports.pop()

    def text(self, name: Any, **_options: Any) -> bytes | None:
        """Return the text record of a name, or None where there is none. Raises Unanswered."""
        wanted = (name.decode("ascii", "replace") if isinstance(name, bytes) else name).rstrip(".")
        if wanted not in self.known:
            self.known[wanted] = self._ask(wanted)
        return self.known[wanted]

    def _ask(self, name: str) -> bytes | None:
        left = min(ONE_S, self.until - time.monotonic())
        self.left -= 1
        if left <= 0 or self.left < 0:
            raise Unanswered
        try:
            answer = self.resolver.resolve(name, "TXT", lifetime=left, raise_on_no_answer=True)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except dns.exception.DNSException as error:
            raise Unanswered from error
        records = [b"".join(record.strings) for record in answer]
        tagged = [one for one in records if one.lower().startswith((b"v=dkim1", b"v=dmarc1"))]
        return (tagged or records)[0]


def task(data: dict[str, Any]) -> str:
    """Answer a request: the raw mail and the resolvers to ask."""
    resolver = Resolver(data["resolvers"])
    return check(base64.b64decode(data["raw"]), lookup=resolver.text)


def check(raw: bytes, *, lookup: Lookup) -> str:
    """Return what holds, as an Authentication-Results field without the server's name."""
    parts, best = [], None
    heads = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].lower()
    said = senders(headers.read(raw))
    count = len(re.findall(rb"^dkim-signature\s*:", heads, re.MULTILINE))
    for index in range(min(count, MAX_SIGNATURES)):
        verdict, domain = _signature(raw, index, lookup)
        parts.append(f"dkim={verdict} header.d={domain}")
        if verdict == "pass" and any(aligned(domain, theirs) for theirs in said):
            # Only what speaks for the sender: the library takes two names of one unlisted
            # top level for one organisation.
            best = DKIMAuthenticationResult(result="pass", header_d=domain)
    parts.append(_dmarc(raw, best, lookup))
    instances = len(re.findall(rb"^arc-seal\s*:", heads, re.MULTILINE))
    if 0 < instances <= MAX_INSTANCES:
        parts.append(f"arc={_chain(raw, lookup)}")
    return "; ".join(["", *parts])


def _signature(raw: bytes, index: int, lookup: Lookup) -> tuple[str, str]:
    signed = dkim.DKIM(raw, minkey=1024)
    verdict = "fail"
    try:
        verdict = "pass" if signed.verify(idx=index, dnsfunc=lookup) else "fail"
    except Unanswered:
        verdict = "temperror"
    except Exception:  # noqa: BLE001 - a stranger's signature, in a library's hands
        verdict = "permerror"
    domain = signed.signature_fields.get(b"d", b"").decode("ascii", "replace").strip().lower()
    return verdict, domain if SAFE.match(domain) else "unnamed.invalid"


def _dmarc(raw: bytes, best: Any, lookup: Lookup) -> str:
    def record(name: str) -> str | None:
        found = lookup(name)
        return found.decode("utf-8", "replace") if found else None

    try:
        found = authheaders.check_dmarc(raw, None, best, dnsfunc=record)
    except Unanswered:
        return "dmarc=temperror"
    except Exception:  # noqa: BLE001 - as above
        return "dmarc=none"
    return f"dmarc={found.result}"


def _chain(raw: bytes, lookup: Lookup) -> str:
    with contextlib.suppress(Unanswered):
        try:
            verdict, _, _ = dkim.ARC(raw).verify(dnsfunc=lookup)
        except Unanswered:
            raise
        except Exception:  # noqa: BLE001 - as above
            return "fail"
        return str(verdict.decode("ascii")) if verdict else "fail"
    return "temperror"
