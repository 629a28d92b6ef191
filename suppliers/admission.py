"""Whether a mandate covers what was said, and whether its sender can be believed: pure.

It decides nothing about relevance: a refusal or a suspicion is a mark on the contact,
and the rules of the feed say what becomes of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parseaddr

from owners.choices import Trust
from suppliers.choices import Authentication, ContactKind, MandateState, Way
from suppliers.contacts import Caller, Contact

LEAKED = "leaked_alias"
CONFIRMATION = "forwarding_confirmation"
AUTOMATIC = "automatic_reply"
BLOCKED, PAUSED = "sender_blocked", "mandate_paused"
STRANGERS = frozenset({LEAKED, "authentication_failed"})  # it is not the supplier who speaks
NOBODYS = frozenset({"unknown_sender", CONFIRMATION})  # suspicions of what no supplier sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A mandate as a value. Without `asset_ids` it covers the whole household."""

    id: int
    household_id: int
    supplier_id: int
    owner_ref: str
    alias: str
    purposes: tuple[str, ...]
    state: str
    asset_ids: frozenset[int]
    is_blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """How far a contact is believed, and why it may not pass."""

    trust: Trust
    suspicion: str = ""
    refusal: str = ""


def admit(
    contact: Contact,
    *,
    way: str,
    mandate: Granted | None,
    asset_id: int | None,
    domains: Iterable[str],
    is_unwanted: bool = False,
) -> Admission:
    """Return how a contact is admitted; `domains` are the supplier's.

    `is_unwanted` says that the household has blocked the address it claims to come from.
    """
    if way == Way.OWNER:
        return Admission(trust=Trust.OWNER)
    if way == Way.PASS:
        return Admission(trust=Trust.UNKNOWN)  # whoever holds it; the owner gave it out
    if contact.confirmation is not None:
        return Admission(trust=Trust.UNKNOWN, suspicion=CONFIRMATION)
    trust, suspicion = _believe(contact, way=way, mandate=mandate, domains=tuple(domains))
    if mandate is not None and mandate.is_blocked and suspicion not in STRANGERS:
        return Admission(trust=trust, suspicion=suspicion, refusal=BLOCKED)
    # Whoever was let in and can prove it is not silenced by somebody who only used its
    # address: that one is blocked as the supplier it is.
    if is_unwanted and (mandate is None or trust < Trust.KNOWN_NUMBER):
        return Admission(trust=trust, suspicion=suspicion, refusal=BLOCKED)
    refusal = refusal_of(contact, mandate=mandate, asset_id=asset_id)
    return Admission(trust=trust, suspicion=suspicion, refusal=refusal)


def refusal_of(contact: Contact, *, mandate: Granted | None, asset_id: int | None) -> str:
    """Return why a contact may not pass whose sender nobody has blocked, or nothing."""
    if contact.is_automatic:
        return AUTOMATIC
    return _refuse(contact, mandate=mandate, asset_id=asset_id) if mandate else ""


def is_recognised(caller: Caller, *, mandate: Granted | None) -> bool:
    """Say whether the network vouches in full for a number that is the supplier's.

    A caller's mandate is found by the number alone, so with one the number is registered.
    """
    is_vouched = caller.verdict == Authentication.PASS and caller.level == "A"
    return is_vouched and mandate is not None


def belongs(host: str, domains: Iterable[str]) -> bool:
    """Say whether `host` is one of the domains, or below one."""
    host = host.lower().rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def plain_address(sender: str) -> str:
    """Return a sender as it is compared: a bare address in lower case, or a number."""
    if "@" not in sender:
        return "".join(sender.split())[:254]
    return (parseaddr(sender)[1] or sender).strip("<> ").lower()[:254]


def sender_domain(sender: str) -> str:
    """Return the domain of a mail address, or nothing for a number."""
    return sender.rpartition("@")[2].strip("> ").lower().rstrip(".") if "@" in sender else ""


def _believe(
    contact: Contact, *, way: str, mandate: Granted | None, domains: tuple[str, ...]
) -> tuple[Trust, str]:
    if way == Way.WEBHOOK:
        return Trust.SIGNED, _foreign_link(contact, domains)
    if way == Way.TELEPHONY:
        if contact.authentication == Authentication.FAIL:
            return Trust.UNAUTHENTICATED, "authentication_failed"  # the number is not theirs
        if mandate is None:
            return Trust.UNKNOWN, "unknown_sender"
        return Trust.KNOWN_NUMBER, _foreign_link(contact, domains)
    if contact.authentication == Authentication.FAIL:
        return Trust.UNAUTHENTICATED, "authentication_failed"
    if mandate is None:
        return Trust.UNKNOWN, "unknown_sender"
    is_theirs = belongs(sender_domain(contact.sender), domains)
    link = _foreign_link(contact, domains)
    if not is_theirs:
        # Whoever it is writes to the address that only the supplier was given. With no
        # domain of the supplier known, nobody can say who is a stranger.
        return Trust.UNAUTHENTICATED, link or (LEAKED if domains else "unproved_sender")
    is_proved = contact.authentication == Authentication.PASS
    return Trust.AUTHENTICATED if is_proved else Trust.UNAUTHENTICATED, link


def _foreign_link(contact: Contact, domains: tuple[str, ...]) -> str:
    # With no domain known nothing can be told apart; the pay link is then shown as text.
    foreign = domains and any(not belongs(host, domains) for host in contact.payment_domains)
    return "foreign_payment_link" if foreign else ""


def _refuse(contact: Contact, *, mandate: Granted, asset_id: int | None) -> str:
    if mandate.state == MandateState.ENDED:
        return "mandate_ended"
    if mandate.state == MandateState.PAUSED and contact.kind != ContactKind.RECALL:
        return PAUSED  # safety needs no permission
    if asset_id is not None and mandate.asset_ids and asset_id not in mandate.asset_ids:
        return "asset_outside_mandate"
    if contact.purpose is not None and contact.purpose.value not in mandate.purposes:
        return "purpose_not_granted"
    return ""
