"""Mail that a machine wrote about mail: bounces, automatic replies, forwarding to be confirmed.

None of it is something a supplier says, so none of it may be told to the owner as news.
"""

import re
from collections.abc import Iterable
from email.message import Message
from urllib.parse import urlsplit

from suppliers.adapters import headers
from suppliers.adapters.headers import Head
from suppliers.contacts import Confirmation, Contact, Report

MAX_TEXT = 20_000
MAX_REASON = 200
DAEMON = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon|mdaemon)@", re.IGNORECASE)
AWAY = re.compile(
    r"out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|on vacation|"
    r"away from (?:my|the) (?:desk|office)|abwesen|automatische antwort|nicht im büro|im urlaub|"
    r"fuori (?:sede|ufficio)|risposta automatica|in ferie|absen(?:t|ce) du bureau|"
    r"réponse automatique|en congé|fuera de la oficina|respuesta automática|de vacaciones",
    re.IGNORECASE,
)
REPLY = re.compile(
    r"\s*(?:re|aw|antw|antwort|sv|vs|r|rif|rép|res)(?:\[\d{1,3}\])?\s?:", re.IGNORECASE
)
NUMBERED = re.compile(r"\(#\s{0,3}(\d{5,12})\s{0,3}\)")
CODE = re.compile(
    r"(?:code|código|codice|kode|pin)\b[^\d\n]{0,60}\n?[^\d\n]{0,20}\b([0-9]{4,10})\b",
    re.IGNORECASE,
)
ASKS = re.compile(
    r"forward|verif|confirm|weiterleit|bestätig|inoltr|conferma|transfer|confirmer|reenv|confirmar",
    re.IGNORECASE,
)
# Who sends mail on, by what its machines call themselves, and where its links lead.
FORWARDERS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Gmail", ("google.com",), ("mail-settings.google.com", "mail.google.com")),
    (
        "Outlook",
        ("microsoft.com", "outlook.com", "live.com"),
        ("outlook.com", "live.com", "office.com", "microsoft.com"),
    ),
    ("iCloud", ("apple.com", "icloud.com"), ("icloud.com", "apple.com")),
    ("Fastmail", ("fastmail.com", "fastmailteam.com"), ("fastmail.com",)),
    ("Yahoo", ("yahoo.com", "yahoo-inc.com", "yahooinc.com"), ("yahoo.com",)),
    ("GMX", ("gmx.net", "gmx.com", "gmx.de"), ("gmx.net", "gmx.com", "gmx.de")),
    ("WEB.DE", ("web.de",), ("web.de",)),
    ("Proton", ("proton.me", "protonmail.com"), ("proton.me",)),
    ("Zoho", ("zoho.com", "zoho.eu", "zohomail.com"), ("zoho.com", "zoho.eu")),
    ("mailbox.org", ("mailbox.org",), ("mailbox.org",)),
    ("Posteo", ("posteo.de",), ("posteo.de",)),
)


def report(message: Message, *, raw: bytes, domain: str) -> Report | None:
    """Return what a bounce says, and of which letter of ours (`domain` is where we write from)."""
    head = headers.read(raw)
    parts = list(message.walk())[:200] if message.is_multipart() else [message]
    status = next((one for one in parts if one.get_content_type() == STATUS_TYPE), None)
    is_report = message.get_content_type() == "multipart/report" and status is not None
    if not is_report and not (DAEMON.search(head.sender) and _is_from_nobody(head)):
        return None
    fields = _fields(status) if status is not None else {}
    code, action = fields.get("status", ""), fields.get("action", "").lower()
    reason = fields.get("diagnostic-code", "").partition(";")[2] or fields.get(
        "diagnostic-code", ""
    )
    return Report(
        letter=_letter(raw, domain),
        action=action or ("failed" if not code.startswith(("2", "4")) else "delayed"),
        status=code[:20],
        reason=" ".join((reason or head.subject).split())[:MAX_REASON],
        recipient=fields.get("final-recipient", "").partition(";")[2].strip()[:254],
    )


STATUS_TYPE = "message/delivery-status"


def _fields(status: Message) -> dict[str, str]:
    """Return the fields of every block of a delivery status; the worst recipient decides."""
    blocks = status.get_payload()
    found: dict[str, str] = {}
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Message):
            named = {name.lower(): str(value)[:2000] for name, value in block.items()}
            if named.get("action", "").strip().lower() == "failed" or "action" not in found:
                found |= {name: value.strip() for name, value in named.items()}
    return found


def _letter(raw: bytes, domain: str) -> str:
    """Return the name of the letter of ours that comes back, from wherever it is quoted."""
    if not domain:
        return ""
    name = re.compile(
        rb"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@" + re.escape(domain.encode()),
        re.IGNORECASE,
    )
    match = name.search(raw[: 2 * 2**20])
    return match[1].decode().lower() if match else ""


def _is_from_nobody(head: Head) -> bool:
    path = head.get("return-path")
    return not path or path.strip() in {"<>", ""}


def is_automatic(head: Head, *, return_path: str | None) -> bool:
    """Say whether a machine answered by itself: out of office, and the like.

    `auto-generated` alone is no answer: suppliers' own systems write it.
    """
    submitted = head.get("auto-submitted").strip().lower()
    if submitted.startswith("auto-replied"):
        return True
    if head.get("x-autoreply") or head.get("x-autorespond") or head.get("x-auto-reply"):
        return True
    if head.get("precedence").strip().lower() in {"auto_reply", "auto-reply"}:
        return True
    came_from_nobody = return_path == "" or head.get("return-path").strip() == "<>"
    says_so = AWAY.search(head.subject) is not None
    return says_so and (came_from_nobody or submitted.startswith("auto-"))


def is_away(head: Head, body: str) -> bool:
    """Say whether the words are those of somebody who is away."""
    return AWAY.search(f"{head.subject}\n{body[:500]}") is not None


def says_nothing(contact: Contact) -> bool:
    """Say whether a contact brings nothing besides its words: no visit, number, price or ask."""
    keys = {key.scheme for key in contact.keys} - {"message", "thread"}
    said = (contact.visit, contact.facts, contact.survey, contact.promise, contact.asks)
    return not keys and not any(said)


def thread(head: Head, *, domain: str) -> tuple[str, ...]:
    """Return the messages that a mail answers, the surest first.

    Our own letters first, wherever they are named; then In-Reply-To; the older ones
    only where the subject says that it is an answer.
    """
    answered = headers.ids(head.get("in-reply-to"))
    older = list(reversed(headers.ids(head.get("references"))))
    ours = [item for item in (*answered, *older) if domain and item.lower().endswith(f"@{domain}")]
    rest = older if REPLY.match(head.subject) else []
    return tuple(dict.fromkeys((*ours, *answered, *rest)))[:20]


def confirmation(head: Head, *, body: str, links: Iterable[str]) -> Confirmation | None:
    """Return what a provider asks before it sends mail on: its code, and its own link.

    A link counts only when it leads to the provider itself; nobody follows it here.
    """
    host = head.sender.rpartition("@")[2]
    known = next((one for one in FORWARDERS if _below(host, one[1])), None)
    text = body[:MAX_TEXT]
    if known is None or not ASKS.search(f"{head.subject}\n{text}"):
        return None
    name, _, hosts = known
    code = NUMBERED.search(head.subject) or CODE.search(text)
    named = [*links, *re.findall(r"https://[^\s<>\"')\]]{1,1500}", text)]
    link = next((url for url in named if _leads_to(url, hosts) and ASKS_LINK.search(url)), "")
    if not code and not link:
        return None
    return Confirmation(who=name, code=code[1] if code else "", link=link[:1500])


ASKS_LINK = re.compile(r"/vf-|verif|confirm|forward|activat", re.IGNORECASE)


def _below(host: str, domains: Iterable[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _leads_to(url: str, hosts: Iterable[str]) -> bool:
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and parts.port in (None, 443) and not parts.username
    except ValueError:
        return False
    return is_plain and _below((parts.hostname or "").lower(), hosts)
