"""A supplier's staff: who they are, how they come in, and what each may do.

Nobody has a password. Every way in is a `StaffLink`: a random token that works once and
not for long. A letter carries it (`send_due`), or it is handed on by hand (`make_link`).
Opening a link's page does nothing; `redeem` does, and only a button calls it, so that a
mail scanner that follows links burns none.

    sign_up      a new organisation: the link makes it, and its first admin
    send_link    somebody who is known signs in again; an unknown address gets nothing
    invite       an admin lets a colleague in, by letter
    make_link    whoever speaks for a supplier with no staff yet (an operator, or the only
                 household that knows it) lets its first person in, by letter or by link
    redeem       the one door: link in, person out
    change_role, revoke, sign_out

The edges keep who is in by `suppliers.staff_pages`. Staff are never owners: a session is
one or the other. `StaffError.code` says why something cannot be done.
"""

import hashlib
import secrets
import smtplib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from owners import doorbell
from suppliers import secrets as own_secrets
from suppliers.choices import STAFF_ORDER, LinkKind, PersonState, StaffRole
from suppliers.models import Supplier
from suppliers.staff import StaffLink, SupplierPerson

log = structlog.get_logger(__name__)

LIFE = {
    LinkKind.SIGN_UP: timedelta(hours=1),
    LinkKind.SIGN_IN: timedelta(minutes=20),
    LinkKind.JOIN: timedelta(days=7),
}
AN_HOUR = 5  # letters to one address: whoever asks need not be who gets them
A_DAY = 30  # invitations of one supplier
LEASE = timedelta(minutes=2)
WAIT = timedelta(seconds=20)  # before a letter that did not go is tried again; doubles
TRIES = 8
SEEN_EVERY = timedelta(minutes=5)
AT_ONCE = 50


class StaffError(Exception):
    """That cannot be done with a supplier's people; `code` says why."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A new link with its address in the clear, to be shown or handed on once."""

    link: StaffLink
    token: str

    @property
    def url(self) -> str:
        """The address of its page."""
        return url_of(self.token)


def url_of(token: str) -> str:
    """Return the address of a link's page."""
    return f"{settings.SITE_URL}/portal/enter/{token}/"


def sign_up(
    *, organisation: str, email: str, now: datetime, name: str = "", language: str = "en"
) -> None:
    """Send a letter whose link makes the organisation and its first admin.

    Says nothing about whether the address is known: somebody who is gets a letter to sign
    in by. Nothing but the letter exists until the mailbox has answered. Raises StaffError
    for what is no address or no name.
    """
    email = _address(email)
    organisation = " ".join(organisation.split())[:120]
    if not organisation:
        raise StaffError(
            "name", gettext_noop("Say what your organisation is called."), field="organisation"
        )
    if _is_known(email):
        send_link(email=email, now=now, language=language)
        return
    if _had_enough(email, now=now):
        return
    _make(
        kind=LinkKind.SIGN_UP,
        organisation=organisation,
        email=email,
        name=name,
        language=language,
        now=now,
    )


def send_link(*, email: str, now: datetime, language: str = "en", target: str = "") -> None:
    """Send a link to sign in by, if the address is one of a supplier's people.

    Returns the same either way, so that nobody learns who works where. The link is for
    the supplier this person was at last; the portal changes between several.
    """
    email = _address(email)
    known = SupplierPerson.objects.active().filter(email=email)
    person = known.order_by(F("seen_at").desc(nulls_last=True), "-pk").first()
    if person is None or _had_enough(email, now=now):
        return
    _make(
        kind=LinkKind.SIGN_IN,
        supplier=person.supplier,
        person=person,
        email=email,
        target=target,
        language=person.language or language,
        now=now,
    )


def invite(
    *, by: SupplierPerson, email: str, role: StaffRole, now: datetime, name: str = ""
) -> SupplierPerson:
    """Let a colleague in by letter; for admins. An open invitation is replaced."""
    _require_admin(by)
    email = _address(email)
    with transaction.atomic():
        supplier = _locked(by.supplier_id)
        made_today = StaffLink.objects.filter(
            supplier=supplier, kind=LinkKind.JOIN, created_at__gt=now - timedelta(days=1)
        )
        if made_today.count() >= A_DAY:
            raise StaffError(
                "too_many", gettext_noop("No more invitations today; try again tomorrow.")
            )
        person, _is_new = SupplierPerson.objects.get_or_create(
            supplier=supplier,
            email=email,
            defaults={"name": name, "role": role, "language": by.language, "created_at": now},
        )
        if person.state == PersonState.ACTIVE:
            raise StaffError(
                "known", gettext_noop("This person is one of your people already."), field="email"
            )
        person.state, person.role = PersonState.INVITED, role
        person.name = name or person.name
        person.save(update_fields=["state", "role", "name"])
        person.links.filter(used_at=None, revoked_at=None).update(revoked_at=now)
        _make(
            kind=LinkKind.JOIN,
            supplier=supplier,
            person=person,
            email=email,
            name=person.name,
            role=role,
            invited_by=by.called,
            language=by.language,
            now=now,
        )
    return person


def make_link(
    *,
    supplier: Supplier,
    now: datetime,
    email: str = "",
    name: str = "",
    invited_by: str = "",
    target: str = "",
    language: str = "en",
    life: timedelta = LIFE[LinkKind.JOIN],
) -> MadeLink:
    """Make the link by which the first person of a supplier joins, as its admin.

    With an `email` a letter takes it there; either way the caller may show it. `target`
    is the page of ours that opens afterwards. The caller has made sure that whoever asks
    speaks for the supplier: `secrets.may_manage` for a household. Raises StaffError where
    the supplier has staff: they invite their own.
    """
    email = _address(email) if email else ""
    with transaction.atomic():
        supplier = _locked(supplier.pk)
        if has_staff(supplier):
            raise StaffError(
                "has_staff", gettext_noop("This supplier has people here; they invite their own.")
            )
        return _make(
            kind=LinkKind.JOIN,
            supplier=supplier,
            email=email,
            name=name,
            invited_by=invited_by,
            target=target,
            language=language,
            life=life,
            now=now,
        )


def has_staff(supplier: Supplier) -> bool:
    """Return whether somebody of the supplier's may enter."""
    return supplier.people.filter(state=PersonState.ACTIVE).exists()


def take_back(*, link: StaffLink, now: datetime) -> None:
    """Make a link worthless. Twice is once."""
    StaffLink.objects.filter(pk=link.pk, used_at=None, revoked_at=None).update(
        revoked_at=now, sealed_token=None
    )


def find(*, token: str, now: datetime) -> StaffLink | None:
    """Return the open link of a token; looking uses nothing up."""
    if not token or len(token) > 100:
        return None
    found = StaffLink.objects.open(now).filter(token_hash=_hash(token))
    return found.select_related("supplier", "person").first()


def redeem(*, token: str, now: datetime, email: str = "", name: str = "") -> SupplierPerson:
    """Use a link up and return who has come in.

    A link without an address of its own takes `email` from whoever holds it. Raises
    StaffError for a token that is used, taken back, expired or none.
    """
    with transaction.atomic():
        link = (
            StaffLink.objects.open(now)
            .select_for_update(of=("self",))
            .select_related("supplier", "person")
            .filter(token_hash=_hash(token))
            .first()
        )
        if link is None:
            raise _gone()
        email = link.email or _address(email)
        supplier = link.supplier
        if link.kind == LinkKind.SIGN_UP:
            supplier = _new_supplier(link, now=now)
        elif supplier is None or not supplier.is_active:
            raise _gone()
        elif link.person is None and has_staff(_locked(supplier.pk)):
            raise _gone()  # somebody else was first
        if link.kind == LinkKind.JOIN and link.person is None:
            # What a household made while it spoke for the entry is not the supplier's word.
            own_secrets.close_all(supplier=supplier, now=now)
        person = link.person or _first_person(
            supplier, email=email, name=name or link.name, link=link, now=now
        )
        if person.state == PersonState.REVOKED:
            raise _gone()
        person.state = PersonState.ACTIVE
        person.joined_at = person.joined_at or now
        person.seen_at = now
        person.name = name[:120] or person.name
        if link.email and not _has_answered(person):
            # Whoever came in before by a link without an address need not be this mailbox.
            person.session_stamp = ""
        person.session_stamp = person.session_stamp or secrets.token_hex(16)
        person.save(update_fields=["state", "joined_at", "seen_at", "name", "session_stamp"])
        link.used_at, link.sealed_token, link.person = now, None, person
        link.save(update_fields=["used_at", "sealed_token", "person"])
    return person


def note_seen(*, person: SupplierPerson, now: datetime) -> None:
    """Note that somebody is here; not with every page."""
    if person.seen_at is None or now - person.seen_at > SEEN_EVERY:
        SupplierPerson.objects.filter(pk=person.pk).update(seen_at=now)


def elsewhere(person: SupplierPerson) -> QuerySet[SupplierPerson]:
    """Return the same mailbox's places at other suppliers, to change to."""
    if not _has_answered(person):
        return SupplierPerson.objects.none()  # the address is what somebody typed, no more
    same = SupplierPerson.objects.active().filter(email=person.email).exclude(pk=person.pk)
    return same.select_related("supplier").order_by("supplier__name", "pk")


def change_role(*, person: SupplierPerson, role: StaffRole, by: SupplierPerson) -> None:
    """Give one of the supplier's people another role; for admins. The last admin stays one."""
    _require_admin(by)
    with transaction.atomic():
        person = _theirs(person, by)
        if person.role == StaffRole.ADMIN and role != StaffRole.ADMIN:
            _keep_an_admin(person)
        person.role = role
        person.save(update_fields=["role"])


def revoke(*, person: SupplierPerson, by: SupplierPerson, now: datetime) -> None:
    """Let somebody in no more, from the next request on; for admins, or oneself.

    Raises StaffError for the last admin.
    """
    if by.pk != person.pk:
        _require_admin(by)
    with transaction.atomic():
        person = _theirs(person, by)
        if person.role == StaffRole.ADMIN and person.state == PersonState.ACTIVE:
            _keep_an_admin(person)
        person.state, person.session_stamp = PersonState.REVOKED, ""
        person.save(update_fields=["state", "session_stamp"])
        person.links.filter(used_at=None, revoked_at=None).update(revoked_at=now, sealed_token=None)


def sign_out(*, person: SupplierPerson) -> None:
    """End every session of somebody's, on every device."""
    stamp = secrets.token_hex(16)
    SupplierPerson.objects.filter(pk=person.pk).update(session_stamp=stamp)
    person.session_stamp = stamp


def may(person: SupplierPerson, role: StaffRole) -> bool:
    """Return whether somebody has at least this role."""
    order = [str(one) for one in STAFF_ORDER]
    return order.index(person.role) >= order.index(str(role))


# --- the letters -------------------------------------------------------------------------


def is_waiting(*, now: datetime) -> bool:
    """Whether a letter waits to be sent."""
    return StaffLink.objects.waiting(now).exists()


def send_due(*, now: datetime) -> int:
    """Send the letters that wait; return how many were taken."""
    with transaction.atomic():
        taken = list(
            StaffLink.objects.waiting(now)
            .select_related("supplier")
            .select_for_update(skip_locked=True, of=("self",))[:AT_ONCE]
        )
        StaffLink.objects.filter(pk__in=[link.pk for link in taken]).update(lease_until=now + LEASE)
    for link in taken:
        _send(link, now=now)
    return len(taken)


def _send(link: StaffLink, *, now: datetime) -> None:
    with translation.override(link.language):
        subject, text = _words(link)
    message = EmailMessage(
        subject=subject,
        body=text,
        to=[link.email],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    rows = StaffLink.objects.filter(pk=link.pk)
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("staff_letter_not_sent", error=type(error).__name__)
        tries = link.tries + 1
        later = now + WAIT * 2 ** min(link.tries, TRIES)
        gone = {"revoked_at": now, "sealed_token": None} if tries >= TRIES else {}
        rows.update(tries=tries, next_at=later, lease_until=None, **gone)
        return
    rows.update(sent_at=now, lease_until=None, sealed_token=None)


def _words(link: StaffLink) -> tuple[str, str]:
    name = link.organisation or (link.supplier.name if link.supplier else "")
    values = {"name": name, "who": link.invited_by, "link": url_of(link.token)}
    if link.kind == LinkKind.SIGN_UP:
        return (
            _("Your way into the Steward supplier portal"),
            _(
                "Open this page and press the button to sign %(name)s up:\n\n%(link)s\n\n"
                "It works once, for an hour. If it was not you who asked, do nothing."
            )
            % values,
        )
    if link.kind == LinkKind.SIGN_IN:
        return (
            _("Sign in to the Steward supplier portal"),
            _(
                "Open this page and press the button to sign in for %(name)s:\n\n%(link)s\n\n"
                "It works once, for 20 minutes. If it was not you who asked, do nothing."
            )
            % values,
        )
    return (
        _("%(name)s on Steward: you are invited") % values,
        (
            _("%(who)s invites you to %(name)s's place on Steward.") % values
            if link.invited_by
            else ""
        )
        + "\n\n"
        + _("Open this page and press the button:\n\n%(link)s\n\nIt works once, for a week.")
        % values,
    )


# --- within ------------------------------------------------------------------------------


def _make(
    *,
    kind: LinkKind,
    now: datetime,
    life: timedelta | None = None,
    **columns: object,
) -> MadeLink:
    token = secrets.token_urlsafe(24)
    link = StaffLink(
        kind=kind,
        created_at=now,
        next_at=now,
        expires_at=now + (life or LIFE[kind]),
        token_hash=_hash(token),
        uuid=uuid.uuid4(),
        **columns,
    )
    if link.email:
        link.set_token(token)
    link.save()
    if link.email:
        doorbell.ring("outbox")
    return MadeLink(link=link, token=token)


def _new_supplier(link: StaffLink, *, now: datetime) -> Supplier:
    code = f"{slugify(link.organisation)[:45] or 'supplier'}-{secrets.token_hex(4)}"
    supplier = Supplier.objects.create(
        code=code, name=link.organisation, technical_contact=link.email, created_at=now
    )
    link.supplier = supplier
    link.save(update_fields=["supplier"])
    return supplier


def _first_person(
    supplier: Supplier, *, email: str, name: str, link: StaffLink, now: datetime
) -> SupplierPerson:
    person, _is_new = SupplierPerson.objects.get_or_create(
        supplier=supplier,
        email=email,
        defaults={
            "name": name[:120],
            "role": link.role,
            "language": link.language,
            "created_at": now,
        },
    )
    if person.state == PersonState.REVOKED:  # of a supplier that had no staff left
        person.state, person.role = PersonState.INVITED, link.role
        person.save(update_fields=["state", "role"])
    return person


def _has_answered(person: SupplierPerson) -> bool:
    """Say whether a link that went to this person's mailbox was used as this person."""
    return person.links.filter(used_at__isnull=False).exclude(email="").exists()


def _locked(supplier_id: int) -> Supplier:
    # Two admins who remove each other at once must take turns.
    return Supplier.objects.select_for_update(no_key=True).get(pk=supplier_id)


def _theirs(person: SupplierPerson, by: SupplierPerson) -> SupplierPerson:
    _locked(by.supplier_id)
    found = SupplierPerson.objects.of(by).filter(pk=person.pk).select_related("supplier").first()
    if found is None:
        raise StaffError("nobody", gettext_noop("This is none of your people."))
    return found


def _require_admin(by: SupplierPerson) -> None:
    if not may(by, StaffRole.ADMIN):
        raise StaffError("role", gettext_noop("Only an admin can do this."))


def _keep_an_admin(person: SupplierPerson) -> None:
    others = SupplierPerson.objects.active().of(person).exclude(pk=person.pk)
    if not others.filter(role=StaffRole.ADMIN).exists():
        raise StaffError(
            "last_admin",
            gettext_noop("Somebody must be an admin. Make somebody else one first."),
        )


def _is_known(email: str) -> bool:
    return SupplierPerson.objects.active().filter(email=email).exists()


def _had_enough(email: str, *, now: datetime) -> bool:
    recent = StaffLink.objects.filter(email=email, created_at__gt=now - timedelta(hours=1))
    return recent.count() >= AN_HOUR


def _address(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise StaffError(
            "address", gettext_noop("This is not an e-mail address."), field="email"
        ) from error
    if len(email) > 254:
        raise StaffError("address", gettext_noop("This is not an e-mail address."), field="email")
    return email


def _gone() -> StaffError:
    return StaffError("gone", gettext_noop("This link was used, taken back, or has expired."))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
