"""What is known of who wrote or called, in plain sentences anybody can check."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from suppliers.choices import Authentication


def of_proof(proof: Mapping[str, Any] | None) -> str:
    """Say how a mail's sender was checked and what came of it; nothing where none was."""
    if not proof:
        return ""
    about = {
        "domain": proof.get("domain", ""),
        "signers": ", ".join(map(str, proof.get("signers", ()))),
        "forwarder": proof.get("forwarder", ""),
    }
    verdict, detail = proof.get("verdict", Authentication.NONE), proof.get("detail", "")
    if verdict == Authentication.PASS:
        if about["forwarder"]:
            return (
                _("It was forwarded; %(forwarder)s had checked that it is from %(domain)s.") % about
            )
        return _("It is proved to be from %(domain)s.") % about
    if verdict == Authentication.FAIL:
        return _failed(proof, about)
    if detail in ("two_senders", "no_sender"):
        return _("It names no one sender, so nothing is proved.")
    if detail == "lookup_failed":
        return _("Whether %(domain)s sent it could not be checked when it came.") % about
    if about["signers"]:
        return _("It says that it is from %(domain)s, but was signed by %(signers)s.") % about
    if detail == "unsigned":
        return _("It says that it is from %(domain)s, and nobody signed it.") % about
    return _("Nobody checked whether %(domain)s sent it.") % about


def _failed(proof: Mapping[str, Any], about: Mapping[str, str]) -> str:
    named = {**about, "method": str(proof.get("method", "")).upper()}
    if about["signers"]:
        return (
            _(
                "Its sender failed the check (%(method)s): it says that it is from %(domain)s, "
                "but was signed by %(signers)s."
            )
            % named
        )
    return (
        _("Its sender failed the check (%(method)s): it says that it is from %(domain)s.") % named
    )


def of_caller(caller: Mapping[str, Any] | None) -> str:
    """Say what the telephone network says of a number; nothing where it says nothing."""
    if not caller:
        return ""
    if caller.get("is_recognised"):
        return _("Recognised: the network vouches for the number, and it is the supplier's.")
    if caller.get("is_name"):
        return _("The sender is a name that anybody can choose: no proof, and no answer to it.")
    verdict, level = caller.get("verdict"), caller.get("level", "none")
    if verdict == Authentication.FAIL:
        return _("Warning: the network says that this number is not the caller's own.")
    if verdict == Authentication.PASS and level == "A":
        return _("The network vouches for the number.")
    if verdict == Authentication.PASS:
        return _("The network knows the caller only in part.")
    return ""


def caller_of(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is known of a caller's number, with every field; None of what is no call."""
    found = said.get("caller")
    if not found:
        return None
    plain = {"verdict": "none", "level": "none", "is_recognised": False, "is_name": False}
    return plain | dict(found)


def of_leak(*, suspicion: str, supplier: str, sender: str) -> str:
    """Say whose address it is that a stranger wrote to."""
    if suspicion != "leaked_alias" or not supplier:
        return ""
    about = {"supplier": supplier, "sender": sender.rpartition("@")[2]}
    return (
        _("%(sender)s wrote to the address that only %(supplier)s has: leaked by %(supplier)s.")
        % about
    )


def of_sender(said: Mapping[str, Any], *, suspicion: str, supplier: str) -> str:
    """Say all that is known of who sent it."""
    found = (
        of_proof(said.get("proof")),
        of_caller(said.get("caller")),
        of_leak(suspicion=suspicion, supplier=supplier, sender=str(said.get("sender", ""))),
    )
    return " ".join(text for text in found if text)
