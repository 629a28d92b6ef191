"""Does what is sent on arrive here? A test that an owner starts, and what came of it.

A test mail carries a one-time token in its subject, which every way of sending on keeps.
A call or a text is known by the owner's own proved number. Of a test only that it arrived
is kept, never its bytes, and it never becomes a contact.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from owners import doorbell, households
from owners.choices import ChannelKind
from owners.models import Channel, Household, Membership, Owner
from suppliers.adapters.headers import Head
from suppliers.choices import CheckKind
from suppliers.models import LETTERS, Mandate, WayCheck, token

MAIL, CALL = "mail.check", "telephony.check"  # the types of what was known as a test
TYPES = frozenset({MAIL, CALL})
LIFE = timedelta(days=7)  # how long a late test mail is still known
LISTENS = timedelta(minutes=30)  # how long a call or text from the owner counts as the test
SILENT = timedelta(minutes=3)  # without anything by then, the usual reasons are shown
GIVES_UP = timedelta(days=1)  # a page that shows the test looks no longer
AGAIN = timedelta(seconds=20)  # a second tap is the same test
A_DAY = 20  # every test is a mail
TOKEN = re.compile(rf"\bcheck-([{LETTERS}]{{5}}-[{LETTERS}]{{5}})\b", re.IGNORECASE)

WAITING, WORKS, NOTHING = "waiting", "works", "nothing"


class CheckError(Exception):
    """The test cannot be made; `code` says why, the text says it to people."""

    def __init__(self, code: str, detail: str) -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


def mailboxes(owner: Owner) -> list[Channel]:
    """Return where a test mail can be sent to `owner`, the address of the account first."""
    mine = Channel.objects.for_owner(owner).usable().filter(kind=ChannelKind.EMAIL)
    first = owner.email.strip().lower()
    return sorted(mine.order_by("pk"), key=lambda one: one.address.lower() != first)


def ask(
    *,
    owner: Owner,
    household: Household,
    address: str,
    now: datetime,
    mailbox: Channel | None = None,
) -> WayCheck:
    """Begin a test of one of the household's addresses, or of the owner's number.

    Steward sends the test mail to `mailbox`, or to the address of the account; without any
    the owner sends one. Raises CheckError for an address that is not theirs, and after too
    many in a day.
    """
    kind = _kind_of(owner=owner, household=household, address=address)
    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)
        mine = WayCheck.objects.for_owner(owner).filter(asked_at__gt=now - timedelta(days=1))
        last = mine.filter(address=address).order_by("-asked_at").first()
        if last is not None and last.arrived_at is None and now - last.asked_at < AGAIN:
            return last
        if mine.count() >= A_DAY:
            raise CheckError("too_many", gettext_noop("No more tests today; try again tomorrow."))
        check = WayCheck(
            household=household,
            owner=owner,
            kind=kind,
            address=address,
            asked_at=now,
            expires_at=now + LIFE,
        )
        if kind == CheckKind.MAIL:
            check.token = f"{token(5)}-{token(5)}"
            check.channel = mailbox or next(iter(mailboxes(owner)), None)
        check.save()
        WayCheck.objects.for_owner(owner).filter(expires_at__lt=now - LIFE).delete()
        transaction.on_commit(lambda: doorbell.ring("delivery"))
    return check


def _kind_of(*, owner: Owner, household: Household, address: str) -> CheckKind:
    if address == households.intake_address(household) and address:
        return CheckKind.MAIL
    local, _, domain = address.partition("@")
    aliases = Mandate.objects.live().filter(household=household, alias=local)
    if domain == settings.MAIL_DOMAIN and aliases.exists():
        return CheckKind.MAIL
    if address and Membership.objects.filter(
        owner=owner, household=household, intake_number=address
    ):
        return CheckKind.NUMBER
    raise CheckError("unknown_address", gettext_noop("There is no such address."))


def newest(*, owner: Owner, addresses: Iterable[str]) -> dict[str, WayCheck]:
    """Return the owner's last test of each address."""
    mine = WayCheck.objects.for_owner(owner).filter(address__in=list(addresses))
    rows = mine.order_by("address", "-asked_at", "-pk").distinct("address")
    return {row.address: row for row in rows}


def state_of(check: WayCheck, *, now: datetime) -> str:
    """Return what a test came to: waiting, works, or nothing came."""
    if check.arrived_at is not None:
        return WORKS
    return WAITING if now - check.asked_at < SILENT else NOTHING


def is_watched(check: WayCheck, *, now: datetime) -> bool:
    """Say whether it is worth looking again: nothing came yet, and it may still come."""
    return check.arrived_at is None and now - check.asked_at < GIVES_UP


def subject_of(check: WayCheck) -> str:
    """Return what stands in the subject of a test mail."""
    return f"check-{check.token}"


# --- what arrives ------------------------------------------------------------------------


def of_mail(head: Head, *, recipient: str, now: datetime) -> WayCheck | None:
    """Return the test that a mail to `recipient` belongs to; nearly always none."""
    found = TOKEN.search(head.subject)
    if found is None:
        return None
    check = WayCheck.objects.filter(token=found[1].lower(), expires_at__gt=now).first()
    is_there = check is not None and check.address.partition("@")[0] == recipient.partition("@")[0]
    return check if is_there else None


def of_call(
    *, member: Membership, caller: str, forwarded_from: str, is_text: bool, now: datetime
) -> WayCheck | None:
    """Return the test that a call or a text to a member's number is; nearly always none.

    A stranger's call that the owner's phone sent on proves that sending on works, and stays
    a call of that stranger. After a text that was the test the next one is meant.
    """
    asked = WayCheck.objects.filter(
        kind=CheckKind.NUMBER,
        address=member.intake_number or "",
        owner=member.owner_id,
        asked_at__gt=now - LISTENS,
    )
    check = asked.order_by("-asked_at").first()
    if check is None or (is_text and check.arrived_at is not None):
        return None
    if _is_own(member, caller):
        return check
    if _is_own(member, forwarded_from):
        arrived(check, now=now)
    return None


def arrived(check: WayCheck, *, now: datetime) -> None:
    """Note that a test arrived; it arrives once, whatever is sent on twice."""
    WayCheck.objects.filter(pk=check.pk, arrived_at=None).update(arrived_at=now)


def _is_own(member: Membership, number: str) -> bool:
    own = Channel.objects.at(ChannelKind.SMS, number).filter(owner=member.owner_id)
    return bool(number) and own.filter(verified_at__isnull=False).exists()
