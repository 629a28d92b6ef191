"""Inviting a supplier: a link, mailed or handed over, that makes a mandate by its yes.

Whoever opens it needs no account: it says who invites, as the household chose to show it,
and what would be allowed. Yes makes the mandate and lets the person in at the portal; a
supplier that is here already joins as itself. Nothing that is said on the way counts as
evidence: a new entry has no proved domain and no proved number.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext_noop

from assets.models import Asset
from owners import access, doorbell
from owners.choices import Rank
from owners.households import require
from owners.models import Household, Membership, Owner
from suppliers import mandates, staffing
from suppliers.choices import FactName, MandateState, Purpose, StaffRole
from suppliers.models import Mandate, Supplier, SupplierInvitation
from suppliers.staff import SupplierPerson

LIFE = timedelta(days=14)
A_DAY = 20  # of one household, and of one owner over all: each may be a mail to a stranger


class InvitingError(Exception):
    """That cannot be done; `code` says why, `field` names what was wrong."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What an invitation says and offers."""

    name: str
    shown_as: str
    email: str = ""  # empty: the link is handed over
    note: str = ""
    purposes: Sequence[Purpose] = mandates.USUAL_PURPOSES
    facts: Sequence[FactName] = ()
    assets: Sequence[Asset] = ()


def invite(*, household: Household, by: Owner, wishes: Wishes, now: datetime) -> SupplierInvitation:
    """Invite a supplier; for admins. Raises InvitingError."""
    require(owner=by, household_id=household.pk, least=Rank.ADMIN)
    email = wishes.email.strip().lower()
    if email:
        _check_address(email)
    if any(asset.household_id != household.pk for asset in wishes.assets):
        raise InvitingError("unknown", gettext_noop("There is no such object."), field="assets")
    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=by.pk)
        theirs = Q(household=household) | Q(invited_by=by)  # households cost nothing to make
        recent = SupplierInvitation.objects.filter(theirs, created_at__gt=now - timedelta(days=1))
        if recent.count() >= A_DAY:
            raise InvitingError(
                "too_many", gettext_noop("No more invitations today; try again tomorrow.")
            )
        token = secrets.token_urlsafe(24)
        invitation = SupplierInvitation(
            household=household,
            invited_by=by,
            name=" ".join(wishes.name.split())[:120],
            shown_as=" ".join(wishes.shown_as.split())[:120],
            note=wishes.note.strip()[:1000],
            purposes=[purpose.value for purpose in wishes.purposes],
            facts=[fact.value for fact in FactName if fact in set(wishes.facts)],
            token_hash=_hash(token),
            hint=_hint(email),
            language=by.language,
            created_at=now,
            expires_at=now + LIFE,
        )
        invitation.seal(token=token, address=email)
        invitation.save()
        invitation.assets.set(wishes.assets)
        access.note(
            kind="supplier_invited",
            actor=by,
            household=household,
            what={"supplier": invitation.name, "to": invitation.hint},
            now=now,
        )
        if email:
            transaction.on_commit(lambda: doorbell.ring("delivery"))
    return invitation


def revoke(*, invitation: SupplierInvitation, by: Owner, now: datetime) -> SupplierInvitation:
    """Take an invitation back; for admins. Twice is once, and an answered one stays."""
    require(owner=by, household_id=invitation.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        found = SupplierInvitation.objects.select_for_update().get(pk=invitation.pk)
        if found.answered_at is None and found.revoked_at is None:
            found.revoked_at = now
            found.save(update_fields=["revoked_at"])
            access.note(
                kind="invitation_revoked",
                actor=by,
                household=found.household,
                what={"supplier": found.name, "to": found.hint},
                now=now,
            )
    return found


def find(*, token: str, now: datetime) -> SupplierInvitation | None:
    """Return the open invitation of a token, and note that it was looked at."""
    if not token or len(token) > 100:
        return None
    found = SupplierInvitation.objects.open(now).filter(token_hash=_hash(token))
    invitation = found.select_related("household").first()
    if invitation is None or not _still_speaks(invitation):
        return None
    if invitation.opened_at is None:
        SupplierInvitation.objects.filter(pk=invitation.pk).update(opened_at=now)
    return invitation


def known_as(invitation: SupplierInvitation) -> SupplierPerson | None:
    """Return who at a supplier has the mailbox that the invitation was sent to."""
    address = invitation.address
    if not address:
        return None  # whoever holds a link that was handed over has proved no mailbox
    known = SupplierPerson.objects.active().filter(email=address, supplier__is_active=True)
    return known.select_related("supplier").order_by("-seen_at", "-pk").first()


def accept(
    *,
    token: str,
    now: datetime,
    person: SupplierPerson | None = None,
    email: str = "",
    name: str = "",
) -> tuple[Mandate, SupplierPerson]:
    """Say yes: return the mandate and who has come in. It works once.

    `person` is who is signed in at the portal and says yes for the own supplier. Without
    one, the mailbox the letter went to tells who it is; a link that was handed over takes
    an `email`, which proves nothing. Raises InvitingError.
    """
    with transaction.atomic():
        invitation = _open(token, now)
        person = person or known_as(invitation)
        if person is not None and not staffing.may(person, StaffRole.ADMIN):
            raise InvitingError("rank", gettext_noop("Only an admin of yours can accept this."))
        if person is None:
            address = invitation.address or email.strip().lower()
            _check_address(address)
            supplier = _new(invitation.name, now=now)
            # The link of a letter proves the mailbox; one that was handed over does not.
            link = staffing.make_link(
                supplier=supplier,
                email=invitation.address,
                name=name,
                invited_by=invitation.shown_as,
                language=invitation.language,
                now=now,
            )
            person = staffing.redeem(token=link.token, email=address, name=name, now=now)
        mandate = _mandate(invitation, person.supplier, now=now)
        invitation.answered_at, invitation.is_accepted = now, True
        invitation.mandate = mandate
        invitation.save(update_fields=["answered_at", "is_accepted", "mandate"])
    return mandate, person


def join(*, token: str, supplier: Supplier, now: datetime) -> Mandate:
    """Say yes for a supplier whose key asks; it works once. Raises InvitingError."""
    with transaction.atomic():
        invitation = _open(token, now)
        mandate = _mandate(invitation, supplier, now=now)
        invitation.answered_at, invitation.is_accepted = now, True
        invitation.mandate = mandate
        invitation.save(update_fields=["answered_at", "is_accepted", "mandate"])
    return mandate


def decline(*, token: str, now: datetime) -> None:
    """Say no. It works once; raises InvitingError."""
    with transaction.atomic():
        invitation = _open(token, now)
        invitation.answered_at = now
        invitation.save(update_fields=["answered_at"])


def state_of(invitation: SupplierInvitation, *, now: datetime) -> str:
    """Return where an invitation stands, in one word."""
    if invitation.answered_at is not None:
        return "accepted" if invitation.is_accepted else "declined"
    if invitation.revoked_at is not None:
        return "revoked"
    if invitation.expires_at <= now:
        return "expired"
    return "opened" if invitation.opened_at is not None else "waiting"


def url_of(invitation: SupplierInvitation, *, site: str) -> str:
    """Return the address of a link that is handed over.

    A letter's link is the letter's alone: whoever invites must not come in as its reader.
    """
    return "" if invitation.sealed_address else f"{site}/invited/{invitation.token}/"


def _open(token: str, now: datetime) -> SupplierInvitation:
    found = (
        SupplierInvitation.objects.open(now)
        .select_for_update(of=("self",))
        .select_related("household", "invited_by")
        .filter(token_hash=_hash(token))
        .first()
    )
    if found is None or not _still_speaks(found):
        raise InvitingError(
            "gone", gettext_noop("This invitation was used, taken back, or has expired.")
        )
    return found


def _still_speaks(invitation: SupplierInvitation) -> bool:
    """Say whether whoever invited still may: a former member's word is none."""
    return Membership.objects.filter(
        household=invitation.household_id, owner=invitation.invited_by_id, rank=Rank.ADMIN
    ).exists()


def _mandate(invitation: SupplierInvitation, supplier: Supplier, *, now: datetime) -> Mandate:
    """Give the supplier what the invitation offers, or add that to what it has."""
    purposes = [Purpose(name) for name in invitation.purposes]
    facts = [FactName(name) for name in invitation.facts]
    assets = list(invitation.assets.filter(household=invitation.household_id))
    live = Mandate.objects.live().filter(household=invitation.household, supplier=supplier).first()
    if live is None:
        return mandates.grant(
            household=invitation.household,
            supplier=supplier,
            purposes=purposes,
            assets=assets,
            facts=facts,
            owner=invitation.invited_by,
            now=now,
        )
    # Without assets a mandate covers the whole home; naming some would take the rest away.
    covered = list(live.assets.all())
    mandates.change(
        mandate=live,
        state=MandateState(live.state),
        purposes=[one for one in Purpose if one in {*live.purposes, *purposes}],
        facts=[*(FactName(name) for name in live.facts), *facts],
        assets=[*covered, *(one for one in assets if one not in covered)] if covered else [],
        owner=invitation.invited_by,
        now=now,
    )
    return live


def _new(name: str, *, now: datetime) -> Supplier:
    code = f"{slugify(name)[:45] or 'supplier'}-{secrets.token_hex(4)}"
    return Supplier.objects.create(code=code, name=name, created_at=now)


def _check_address(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvitingError(
            "address", gettext_noop("This is not an e-mail address."), field="email"
        ) from error


def _hint(email: str) -> str:
    local, _at, domain = email.partition("@")
    return f"{local[:1]}…@{domain}"[:40] if email else ""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
