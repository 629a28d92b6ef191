"""The access log: who saw or changed what, and when; one chain that shows every tampering.

Each line's hash is keyed and covers the line before it, so nobody who can only write to
the database alters, removes or reorders a line unnoticed. The head row keeps the end of
the chain, so a cut tail shows too.
"""

import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from owners import sealing
from owners.models import AccessEntry, AccessHead, Household, Owner

SALT_SIZE = 16
START = b"\x00" * 32
BATCH = 1_000
ERASED = "log_erased"
# What is logged, and the sentence that says so.
KINDS: dict[str, str | Promise] = {
    "signed_in": gettext_lazy("Signed in"),
    "sign_in_failed": gettext_lazy("A sign-in failed"),
    "signed_out": gettext_lazy("Signed out"),
    "session_ended": gettext_lazy("A session was ended"),
    "password_changed": gettext_lazy("The password was changed"),
    "email_changed": gettext_lazy("The e-mail addresses were changed"),
    "factor_added": gettext_lazy("A passkey or second factor was added"),
    "factor_removed": gettext_lazy("A passkey or second factor was removed"),
    "channel_added": gettext_lazy("A channel was added"),
    "code_sent": gettext_lazy("A code was sent"),
    "channel_verified": gettext_lazy("A channel was verified"),
    "channel_changed": gettext_lazy("A channel was changed"),
    "channel_removed": gettext_lazy("A channel was removed"),
    "token_made": gettext_lazy("A token was made"),
    "token_revoked": gettext_lazy("A token was revoked"),
    "export_asked": gettext_lazy("An export was asked for"),
    "export_taken": gettext_lazy("An export was downloaded"),
    "export_cancelled": gettext_lazy("An export was thrown away"),
    "restored": gettext_lazy("An export was brought in"),
    "deletion_asked": gettext_lazy("A deletion was asked for"),
    "deletion_cancelled": gettext_lazy("A deletion was cancelled"),
    "deleted": gettext_lazy("An account or household was deleted"),
    "mandate_granted": gettext_lazy("A supplier was let in"),
    "mandate_changed": gettext_lazy("What a supplier may do was changed"),
    "mandate_ended": gettext_lazy("A supplier's permission was ended"),
    "mandate_restored": gettext_lazy("A supplier's permission was restored"),
    "announced": gettext_lazy("Suppliers were told of something new"),
    "announcement_withdrawn": gettext_lazy("What suppliers were to be told was taken back"),
    "sender_blocked": gettext_lazy("A sender was blocked"),
    "sender_unblocked": gettext_lazy("A sender was unblocked"),
    "supplier_invited": gettext_lazy("A supplier was invited"),
    "secret_rotated": gettext_lazy("A supplier's secret was rotated"),
    "endpoint_changed": gettext_lazy("Where Steward's events go was changed"),
    "key_made": gettext_lazy("A key of a supplier was made"),
    "key_revoked": gettext_lazy("A key of a supplier was revoked"),
    "member_invited": gettext_lazy("Somebody was invited"),
    "invitation_revoked": gettext_lazy("An invitation was revoked"),
    "member_joined": gettext_lazy("Somebody joined"),
    "member_rank": gettext_lazy("A rank was changed"),
    "member_removed": gettext_lazy("A member was removed"),
    "member_left": gettext_lazy("A member left"),
    "member_restored": gettext_lazy("A member was put back"),
    "household_changed": gettext_lazy("The household was changed"),
    "share_made": gettext_lazy("A thing was shared"),
    "share_changed": gettext_lazy("What a share shows was changed"),
    "share_taken": gettext_lazy("A share was taken"),
    "share_ticked": gettext_lazy("Care was ticked by somebody it is shared with"),
    "share_ended": gettext_lazy("A share was ended"),
    "transfer_offered": gettext_lazy("A thing was offered to its next owner"),
    "transfer_withdrawn": gettext_lazy("An offer was taken back"),
    "transfer_accepted": gettext_lazy("An offer was accepted"),
    "transfer_declined": gettext_lazy("An offer was declined"),
    "transfer_completed": gettext_lazy("A thing was handed over"),
    "transfer_ask_back": gettext_lazy("A hand-over is to be undone"),
    "transfer_undone": gettext_lazy("A hand-over was undone by both"),
    "package_taken": gettext_lazy("A thing was taken over with its history"),
    "pass_made": gettext_lazy("A pass was made"),
    "pass_code_renewed": gettext_lazy("A pass got a new code"),
    "pass_opened": gettext_lazy("A pass was opened"),
    "pass_revoked": gettext_lazy("A pass was ended"),
    "operator_looked": gettext_lazy("An operator opened a record"),
    "operator_changed": gettext_lazy("An operator changed a record"),
    ERASED: gettext_lazy("Lines of a deleted account were blanked"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where the chain does not hold, and how that shows."""

    number: int
    what: str


def note(
    *,
    kind: str,
    now: datetime,
    actor: Owner | None = None,
    subject: Owner | None = None,
    household: Household | None = None,
    what: Mapping[str, Any] | None = None,
) -> AccessEntry:
    """Write the next line of the log, in the caller's transaction.

    `subject` is the owner whom it concerns; without one and without a household that is
    who did it. `what` never holds a secret value. Call it last in a transaction: the end
    of the chain stays locked until that ends.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is not a kind of the access log")
    concerned = subject or (actor if household is None else None)
    with transaction.atomic():
        AccessHead.objects.get_or_create(pk=1, defaults={"chain_hash": START})
        head = AccessHead.objects.select_for_update().get(pk=1)
        entry = AccessEntry(
            number=head.number + 1,
            at=now,
            kind=kind,
            actor_id=actor.pk if actor else None,
            subject_id=concerned.pk if concerned else None,
            household_id=household.pk if household else None,
            what=dict(what or {}),
            salt=os.urandom(SALT_SIZE),
        )
        entry.content_hash = content_hash(entry)
        entry.chain_hash = chain_hash(bytes(head.chain_hash), entry)
        entry.save()
        head.number, head.chain_hash = entry.number, entry.chain_hash
        head.save(update_fields=["number", "chain_hash"])
    return entry


def content_hash(entry: AccessEntry) -> bytes:
    """Return the salted hash of all that a line says."""
    said = [
        bytes(entry.salt).hex(),
        entry.at.timestamp(),
        entry.kind,
        entry.actor_id,
        entry.subject_id,
        entry.household_id,
        entry.what,
    ]
    return sealing.blind_index(json.dumps(said, sort_keys=True), field="accessentry.content")


def chain_hash(before: bytes, entry: AccessEntry) -> bytes:
    """Return the hash that ties a line to the one before it."""
    tied = f"{before.hex()}:{entry.number}:{bytes(entry.content_hash).hex()}"
    return sealing.blind_index(tied, field="accessentry.chain")


def blank(
    *, owner_ids: Sequence[int] = (), household_ids: Sequence[int] = (), now: datetime
) -> int:
    """Blank every line about these owners and households; return how many.

    What is left of a line is its place in the chain. One more line names all of them.
    """
    rows = AccessEntry.objects.filter(subject_id__in=owner_ids)
    rows |= AccessEntry.objects.filter(actor_id__in=owner_ids)
    rows |= AccessEntry.objects.filter(household_id__in=household_ids)
    with transaction.atomic():
        numbers = sorted(rows.filter(erased_at=None).values_list("number", flat=True))
        AccessEntry.objects.filter(number__in=numbers).update(
            kind="",
            actor_id=None,
            subject_id=None,
            household_id=None,
            what={},
            salt=b"",
            at=now,
            erased_at=now,
        )
        if numbers:
            note(kind=ERASED, now=now, what={"lines": spans(numbers)})
    return len(numbers)


def spans(numbers: Sequence[int]) -> list[list[int]]:
    """Return ascending numbers as [first, last] pairs."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def verify() -> Iterator[Fault]:
    """Yield every place at which the log was altered, cut or reordered."""
    before: bytes | None = START
    expected = 1
    blanked: list[int] = []
    named: list[list[int]] = []
    for entry in AccessEntry.objects.order_by("number").iterator(chunk_size=BATCH):
        if entry.number != expected:
            yield Fault(number=expected, what="lines are missing")
            before = None  # what stood there is gone, so nothing can be compared with it
        if before is not None and not hmac.compare_digest(
            bytes(entry.chain_hash), chain_hash(before, entry)
        ):
            yield Fault(number=entry.number, what="the line does not follow the one before it")
        if entry.erased_at is not None:
            blanked.append(entry.number)
        elif not hmac.compare_digest(bytes(entry.content_hash), content_hash(entry)):
            yield Fault(number=entry.number, what="the line was altered")
        elif entry.kind == ERASED:
            named += entry.what["lines"]
        before, expected = bytes(entry.chain_hash), entry.number + 1
    for number in blanked:
        if not any(first <= number <= last for first, last in named):
            yield Fault(number=number, what="the line was blanked without a word")
    head = AccessHead.objects.filter(pk=1).first()
    if (head.number if head else 0) != expected - 1:
        yield Fault(number=expected, what="the end of the log is missing")
    elif head is not None and before != bytes(head.chain_hash):
        yield Fault(number=head.number, what="the end of the log was altered")


def passes(*, number: int, chain_hash: bytes) -> bool:
    """Return whether the log still holds the line with this number and hash."""
    entry = AccessEntry.objects.filter(number=number).first()
    return entry is not None and hmac.compare_digest(bytes(entry.chain_hash), chain_hash)
