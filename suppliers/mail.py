"""The mail intake: judges the sender's proof, names the mail for ever, and stores it.

Only the head is read here; what the mail says is read later, in a child process.
"""

import hashlib
import re
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings

from owners.models import Household
from suppliers import checks, inbox
from suppliers.adapters import headers
from suppliers.adapters.headers import Head
from suppliers.choices import Authentication, Way
from suppliers.models import Mandate

log = structlog.get_logger(__name__)

MAX_BYTES = 25 * 2**20
COMMENT = re.compile(r"\([^()]{0,500}\)")
RESULT = re.compile(
    r"(?P<method>[a-z0-9-]{1,20})\s{0,5}=\s{0,5}(?P<verdict>[a-z]{1,12})", re.IGNORECASE
)
PROPERTY = re.compile(
    r"(?P<name>header\.d|header\.i|header\.from|smtp\.mailfrom)\s{0,5}=\s{0,5}\"?(?P<value>[^\s;\"]{1,320})",
    re.IGNORECASE,
)


def is_ours(recipient: str) -> bool:
    """Say whether somebody here has this address: a mandate's alias, or a household's own."""
    name, at, domain = recipient.strip().strip("<>").lower().rpartition("@")
    if not at or domain.rstrip(".") != settings.MAIL_DOMAIN.lower() or "\0" in name:
        return False
    return (
        Mandate.objects.filter(alias=name).exists()
        or Household.objects.filter(intake_alias=name).exists()
    )


def receive(
    *,
    raw: bytes,
    recipient: str,
    now: datetime,
    return_path: str | None = None,
    authserv_id: str | None = None,
    by: str = "",
    is_rebuilt: bool = False,
) -> inbox.Recorded:
    """Store a mail for the envelope's `recipient`; return once it is durable.

    The same message again (trace fields may differ) is a duplicate; the same Message-ID
    with other content is another mail. `return_path` is the envelope's sender where the
    entrance knows it; `authserv_id` names the server whose verdicts in the head count (our
    own unless said otherwise, nobody's when empty); `by` is the provider that posted it,
    `is_rebuilt` says that it handed over parts and not the message's own bytes.
    """
    head = headers.read(raw)
    trusted = settings.MAIL_AUTHSERV_ID if authserv_id is None else authserv_id
    verdict = authentication(head, raw=raw, authserv_id=trusted)
    address = recipient.strip().strip("<>").lower()[:254]
    routing: dict[str, Any] = {
        "recipient": address,
        "authentication": verdict.value,
        "sender": head.sender,
    }
    if by:
        routing |= {"by": by, "rebuilt": is_rebuilt}
    if return_path is not None:
        routing["return_path"] = return_path.strip().strip("<>")[:254]
    check = checks.of_mail(head, recipient=address, now=now)
    recorded = inbox.record(
        received=[
            inbox.Received(
                supplier_id=None,
                household_id=check.household_id if check else None,
                way=Way.MAIL,
                source=f"/mail/{address}",
                event_id=event_id(head, raw),
                type=checks.MAIL if check else "mail",
                payload=raw,
                routing=routing,
            )
        ],
        now=now,
    )[0]
    if check is not None:
        checks.arrived(check, now=now)
    return recorded


def event_id(head: Head, raw: bytes) -> str:
    """Return what names this mail: its Message-ID and what it says, never its way here."""
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    said = "\n".join((head.get("date"), head.get("from"), head.get("subject")))
    digest = hashlib.sha256(said.encode("utf-8", "replace") + b"\n\n" + body).hexdigest()
    return f"{head.message_id[:200] or 'mail'}:{digest[:16]}"


def authentication(head: Head, *, raw: bytes, authserv_id: str | None = None) -> Authentication:
    """Return what the sender's proof came to.

    Only the verdict of the server `authserv_id` counts (our own unless said otherwise): an
    Authentication-Results field that names another was written by anybody. Without one,
    DKIM and DMARC are checked here where the operator allows look-ups.
    """
    trusted = settings.MAIL_AUTHSERV_ID if authserv_id is None else authserv_id
    ours = [value for value in head.all("authentication-results") if _is_by(value, trusted)]
    if not ours and settings.MAIL_CHECKS_SENDERS:
        ours = _checked(raw)
    domains = {value.rpartition("@")[2].lower() for value in _senders(head)}
    if not ours or len(domains) != 1:
        return Authentication.NONE
    return judged(ours[0], domain=domains.pop())


def _senders(head: Head) -> set[str]:
    """Return every address in every From: two of them prove nothing."""
    fields = head.all("from")
    found = {
        match
        for value in fields
        for match in re.findall(r"[^\s<>,;\"()]{1,64}@[\w.-]{1,253}", value)
    }
    return {head.sender} if len(fields) == 1 and head.sender else found


def _is_by(value: str, server: str) -> bool:
    name = COMMENT.sub("", value).partition(";")[0].split()
    return bool(name and server) and name[0].lower() == server.lower()


def judged(results: str, *, domain: str) -> Authentication:
    """Return the verdict of an Authentication-Results field for mail From `domain`.

    DMARC decides where it is; else a DKIM signature or an envelope of the same domain.
    """
    passed = failed = False
    for part in COMMENT.sub("", results).split(";")[1:]:
        match = RESULT.search(part)
        if match is None:
            continue
        method, verdict = match["method"].lower(), match["verdict"].lower()
        named = [item["value"].lower() for item in PROPERTY.finditer(part)]
        is_theirs = any(aligned(value.rpartition("@")[2], domain) for value in named)
        if method == "dmarc" and (is_theirs or not named):
            if verdict == "pass":
                return Authentication.PASS
            if verdict in {"fail", "permerror"}:
                return Authentication.FAIL
        elif method in {"dkim", "spf"}:
            passed = passed or (verdict == "pass" and is_theirs)
            failed = failed or verdict in {"fail", "permerror"}
    if passed:
        return Authentication.PASS
    return Authentication.FAIL if failed else Authentication.NONE


def aligned(proved: str, domain: str) -> bool:
    """Say whether a proof for one domain speaks for the other (relaxed alignment)."""
    proved, domain = proved.rstrip("."), domain.rstrip(".")
    if not proved or "." not in proved:
        return False
    return proved == domain or domain.endswith(f".{proved}") or proved.endswith(f".{domain}")


def _checked(raw: bytes) -> list[str]:
    """Return our own Authentication-Results, by DNS; nothing when it cannot be told."""
    import authheaders  # noqa: PLC0415 - loaded only where an operator allows look-ups

    try:
        found = authheaders.authenticate_message(raw, settings.MAIL_AUTHSERV_ID, spf=False)
    except Exception as error:  # noqa: BLE001 - a stranger's signature, in a library's hands
        log.warning("mail_not_checked", error=type(error).__name__)
        return []
    return [found.partition(":")[2].strip()]
