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
from suppliers.models import Contact, Supplier


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was looked up for the contacts of one page."""

    proved: dict[int, particulars.Proved]
    provers: dict[str, Supplier]  # whose proved domain it is
    before: dict[tuple[int, str], int]  # (household, sender) -> contacts in all

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
    return Known(
        proved=particulars.proved(ids),
        provers=particulars.provers(hosts) if hosts else {},
        before={(home, sender): n for home, sender, n in counted} if senders else {},
    )


def _came_by(contact: Contact) -> str:
    """Say by which way it came, and to which address."""
    where = str((contact.inbound.routing if contact.inbound else {}).get("recipient", ""))
    about = {"how": contact.get_medium_display(), "where": where}
    if not where:
        return _("It came by: %(how)s.") % about
    return _("It came by: %(how)s, to %(where)s.") % about
