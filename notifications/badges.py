"""Is it really them? One badge with its reasons, for a contact and for a supplier: pure.

What is proved is kept apart from what the household noted itself: a note is this home's
word and no evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import senders
from notifications.matter import Entry
from owners.choices import Trust
from suppliers.admission import LEAKED, belongs, sender_domain
from suppliers.choices import Authentication

PROVED, LIKELY, UNPROVED, WARNING, OWN = "proved", "likely", "unproved", "warning", "own"
MONEY_TYPES = ("invoice.", "payment.")
ACCOUNTS = frozenset({"account", "iban", "payment_link"})  # names of facts
LEVELS: dict[str, str | Promise] = {
    PROVED: gettext_lazy("Really them"),
    LIKELY: gettext_lazy("Probably them"),
    UNPROVED: gettext_lazy("Not proved"),
    WARNING: gettext_lazy("Take care"),
    OWN: gettext_lazy("Yours"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """How far somebody is who they say, and why: sentences anybody can check."""

    level: str
    reasons: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        return {"level": self.level, "label": str(LEVELS[self.level]), "reasons": self.reasons}


def of_contact(
    *,
    said: Mapping[str, Any],
    trust: int,
    suspicion: str,
    supplier: str,
    domains: Collection[str] = (),
    numbers: Collection[str] = (),
) -> Badge:
    """Return the badge of one contact; `domains` and `numbers` are proved the supplier's."""
    if trust == Trust.OWNER:
        return Badge(level=OWN, reasons=[_("You wrote it down yourself.")])
    about = {"supplier": supplier, "sender": str(said.get("sender", ""))}
    doubts = _doubts(said, suspicion, supplier)
    if doubts:
        return Badge(level=WARNING, reasons=doubts)
    if trust == Trust.SIGNED and supplier:
        return Badge(level=PROVED, reasons=[_("Signed by the systems of %(supplier)s.") % about])
    proof, caller = said.get("proof"), said.get("caller")
    host = sender_domain(about["sender"])
    reasons = [text for text in (senders.of_proof(proof), senders.of_caller(caller)) if text]
    if host:
        is_sent_by_them = said.get("authentication") == Authentication.PASS
        return _of_mail(reasons, host, supplier, domains, is_sent_by_them=is_sent_by_them)
    is_vouched = bool(caller and caller.get("is_recognised"))
    if about["sender"] in numbers:
        reasons.append(_("%(sender)s is proved to be a number of %(supplier)s.") % about)
        if not is_vouched:
            reasons.append(_("The network did not vouch for this call: a number can be faked."))
        return Badge(level=PROVED if is_vouched else LIKELY, reasons=reasons)
    if supplier and trust >= Trust.KNOWN_NUMBER:
        reasons.append(_("That the number is theirs is your household's own word."))
        return Badge(level=LIKELY, reasons=reasons)
    return Badge(level=UNPROVED, reasons=reasons or [_("Nobody has proved who this is.")])


def weightiest(entries: Iterable[Entry]) -> Entry | None:
    """Return the contact of a matter of which it matters most who sent it; mostly there is none.

    Money is at stake, or an account is named, or its sender is not known for sure. Of several
    the least believed counts, and of those the newest.
    """
    found = [entry for entry in entries if not entry.is_own and _is_weighty(entry)]
    return max(found, key=lambda entry: (-entry.trust, entry.order), default=None)


def _is_weighty(entry: Entry) -> bool:
    said = entry.said
    is_asked_for_money = bool(said.payment_domains) or said.type.startswith(MONEY_TYPES)
    names_account = any(claim.name in ACCOUNTS for claim in said.facts)
    is_new = entry.supplier == 0 or entry.is_likely
    return is_asked_for_money or names_account or is_new


def of_supplier(
    *,
    name: str,
    is_verified: bool,
    domains: Collection[str],
    numbers: Collection[str],
    noted: Collection[str],
) -> Badge:
    """Return the badge of a supplier: what of it is proved, and what is the home's word."""
    reasons = [_("The operator of this Steward has checked who they are.")] if is_verified else []
    reasons += [_("The domain %(what)s is proved to be theirs.") % {"what": one} for one in domains]
    reasons += [_("The number %(what)s is proved to be theirs.") % {"what": one} for one in numbers]
    if reasons:
        return Badge(level=PROVED, reasons=reasons)
    if noted:
        words = [_("%(what)s: your household's own word.") % {"what": one} for one in noted]
        return Badge(level=LIKELY, reasons=words)
    return Badge(
        level=UNPROVED,
        reasons=[_("Neither a domain nor a number of %(name)s is proved.") % {"name": name}],
    )


def _of_mail(
    reasons: list[str],
    host: str,
    supplier: str,
    domains: Collection[str],
    *,
    is_sent_by_them: bool,
) -> Badge:
    about = {"domain": host, "supplier": supplier}
    if not is_sent_by_them:
        return Badge(level=UNPROVED, reasons=reasons or [_("Nobody has proved who this is.")])
    if supplier and belongs(host, domains):
        reasons.append(_("%(domain)s is proved to be a domain of %(supplier)s.") % about)
        return Badge(level=PROVED, reasons=reasons)
    if supplier:
        reasons.append(_("That %(domain)s is theirs is your household's own word.") % about)
        return Badge(level=LIKELY, reasons=reasons)
    reasons.append(_("No supplier here has proved that %(domain)s is its own.") % about)
    return Badge(level=UNPROVED, reasons=reasons)


def _doubts(said: Mapping[str, Any], suspicion: str, supplier: str) -> list[str]:
    """Return why it may be somebody else; nothing where there is no sign of it."""
    proof, caller = said.get("proof") or {}, said.get("caller") or {}
    found = []
    if proof.get("verdict") == Authentication.FAIL:
        found.append(senders.of_proof(proof))
    if caller.get("verdict") == Authentication.FAIL:
        found.append(senders.of_caller(caller))
    if suspicion == LEAKED:
        sender = str(said.get("sender", ""))
        found.append(senders.of_leak(suspicion=suspicion, supplier=supplier, sender=sender))
    if suspicion == "foreign_payment_link":
        where = ", ".join(said.get("payment_domains", ()))
        found.append(_("It asks for money at %(where)s, which is not theirs.") % {"where": where})
    if suspicion == "authentication_failed" and not found:
        found.append(_("Its sender failed the check."))
    return found
