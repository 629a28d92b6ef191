"""What is known of who waits at the Door, beside what they say themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import badges
from suppliers import particulars
from suppliers.admission import sender_domain
from suppliers.models import Contact, Mandate, Supplier

SHORTEST_NAME = 4  # shorter names stand in too many words


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was looked up for the contacts of one page."""

    proved: dict[int, particulars.Proved]
    provers: dict[str, Supplier]  # whose proved domain it is
    before: dict[tuple[int, str], int]  # (household, sender) -> contacts in all
    served: dict[int, list[Supplier]]  # household -> its suppliers, where a number is strange

    def badge(self, contact: Contact) -> badges.Badge:
        """Return whether it is really them."""
        of_it = self.proved.get(contact.supplier_id or 0, particulars.Proved())
        return badges.of_contact(
            said=contact.said,
            trust=contact.trust,
            suspicion=contact.suspicion,
            supplier=contact.supplier.name if contact.supplier else "",
            domains=of_it.domains,
            numbers=of_it.numbers,
        )

    def named(self, contact: Contact) -> Supplier | None:
        """Return the one supplier of the household that a strange number names as its own.

        Anybody may write a name: only the owner can say whether the number is theirs.
        """
        if not _is_strange_number(contact):
            return None
        parts = (contact.said.get(name, "") for name in ("title", "quote", "body", "summary"))
        words = " ".join(str(part) for part in parts).casefold()
        found = [
            supplier
            for supplier in self.served.get(contact.household_id, [])
            if any(name in words for name in _called(supplier))
        ]
        return found[0] if len(found) == 1 else None

    def evidence(self, contact: Contact) -> list[str]:
        """Return what an owner may weigh, in sentences."""
        sender = str(contact.said.get("sender", ""))
        host = sender_domain(sender)
        lines = [_came_by(contact)]
        count = self.before.get((contact.household_id, sender), 1) - 1
        if count > 0:
            said = ngettext(
                "They wrote or called %(n)s time before.",
                "They wrote or called %(n)s times before.",
                count,
            )
            lines.append(said % {"n": count})
        else:
            lines.append(_("It is the first time that they write or call."))
        if host:
            prover = self.provers.get(host)
            lines.append(
                _("%(domain)s is proved to be a domain of %(supplier)s.")
                % {"domain": host, "supplier": prover.name}
                if prover
                else _("No supplier here has proved that %(domain)s is its own.") % {"domain": host}
            )
            lines.append(_("How old the domain is was not checked."))
        return lines


def of(contacts: Sequence[Contact]) -> Known:
    """Look up what is known of these contacts' senders: a few reads for any number."""
    senders = {str(contact.said.get("sender", "")) for contact in contacts} - {""}
    homes = {contact.household_id for contact in contacts}
    rows = Contact.objects.filter(household__in=homes, said__sender__in=sorted(senders))
    counted = rows.order_by().values_list("household_id", "said__sender").annotate(n=Count("pk"))
    hosts = {host for sender in senders if (host := sender_domain(sender))}
    ids = {contact.supplier_id for contact in contacts if contact.supplier_id is not None}
    strange = {row.household_id for row in contacts if _is_strange_number(row)}
    served: dict[int, list[Supplier]] = {}
    if strange:
        live = Mandate.objects.live().filter(household__in=strange).select_related("supplier")
        for mandate in live.order_by("pk"):
            served.setdefault(mandate.household_id, []).append(mandate.supplier)
    return Known(
        served=served,
        proved=particulars.proved(ids),
        provers=particulars.provers(hosts) if hosts else {},
        before={(home, sender): n for home, sender, n in counted} if senders else {},
    )


def _called(supplier: Supplier) -> set[str]:
    """Return how a supplier may call itself; one let in by mail bears its domain's name."""
    name = supplier.name.casefold()
    found = {name}
    if " " not in name and "." in name:
        label = max(name.split(".")[:-1], key=len)
        found |= {label, label.replace("-", " "), label.replace("-", "")}
    return {one for one in found if len(one) >= SHORTEST_NAME}


def _is_strange_number(contact: Contact) -> bool:
    return contact.supplier_id is None and str(contact.said.get("sender", "")).startswith("+")


def _came_by(contact: Contact) -> str:
    """Say by which way it came, and to which address."""
    where = str((contact.inbound.routing if contact.inbound else {}).get("recipient", ""))
    about = {"how": contact.get_medium_display(), "where": where}
    if not where:
        return _("It came by: %(how)s.") % about
    return _("It came by: %(how)s, to %(where)s.") % about
