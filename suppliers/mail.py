"""The mail intake: judges the sender's proof, names the mail for ever, and stores it.

Only the head is read here; what the mail says is read later, in a child process.
"""

import base64
import hashlib
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings

from owners.models import Household
from suppliers import checks, inbox, proof, sandbox
from suppliers.adapters import headers
from suppliers.adapters.headers import Head
from suppliers.choices import Way
from suppliers.contacts import Proof
from suppliers.models import Mandate

log = structlog.get_logger(__name__)

MAX_BYTES = 25 * 2**20
CHECK_S = 6.0  # for all look-ups about one mail together


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
    found = proof_of(head, raw=raw, authserv_id=trusted)
    address = recipient.strip().strip("<>").lower()[:254]
    routing: dict[str, Any] = {
        "recipient": address,
        "authentication": found.verdict.value,
        "proof": found.to_json(),
        "sender": head.sender,
    }
    if by:
        routing |= {"by": by, "rebuilt": is_rebuilt}
    if return_path is not None:
        routing["return_path"] = headers.storable(return_path.strip().strip("<>"))[:254]
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
                payload=b"" if check else raw,
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
    # How the body is written is part of what it says; the fields of its way here are not.
    named = ("date", "from", "subject", "content-type", "content-transfer-encoding")
    said = "\n".join(head.get(name) for name in named)
    digest = hashlib.sha256(said.encode("utf-8", "replace") + b"\n\n" + body).hexdigest()
    return f"{head.message_id[:200] or 'mail'}:{digest[:16]}"


def proof_of(head: Head, *, raw: bytes, authserv_id: str | None = None) -> Proof:
    """Return who the mail is proved to be from, and by what.

    Only the verdict of the server `authserv_id` counts (our own unless said otherwise): an
    Authentication-Results field that names another was written by anybody. Without one,
    DKIM, DMARC and ARC are checked here where the operator allows look-ups.
    """
    trusted = settings.MAIL_AUTHSERV_ID if authserv_id is None else authserv_id
    fields = head.all("authentication-results")
    ours = next((value for value in fields if proof.is_by(value, trusted)), "")
    if not ours and settings.MAIL_CHECKS_SENDERS:
        ours = _checked(raw)
    return proof.judge(head, results=ours, forwarders=forwarders())


def forwarders() -> dict[str, str]:
    """Return the forwarders whose seal is believed: domain -> name."""
    pairs = (text.partition("=") for text in settings.MAIL_FORWARDERS)
    return {domain.strip().lower(): name.strip() or domain.strip() for domain, _, name in pairs}


def _checked(raw: bytes) -> str:
    """Return our own verdict, by DNS: in a child that is killed when it takes too long."""
    request = {"raw": base64.b64encode(raw).decode(), "resolvers": settings.MAIL_RESOLVERS}
    try:
        return str(sandbox.run("proof", request, wall_s=CHECK_S))
    except sandbox.RefusedError as error:
        log.warning("mail_not_checked", error=error.reason)
        return "; dmarc=temperror"
