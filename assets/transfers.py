"""An asset passes to its next owner: drafted, offered, accepted, handed over; or not.

What passes is fixed when it is offered, so that the buyer accepts what they saw: later only
the last readings are added. With the hand-over the seller's time ends for good. Their copy
stays theirs, with what they had; nobody of them sees anything of the buyer's, and every link
to the asset that they gave out is dead.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from assets import (
    duedates,
    metering,
    notices,
    packages,
    packing,
    passages,
    reading,
    register,
    sharing,
    snapshots,
    stocking,
    unpacking,
    vault,
)
from assets.choices import Custody, EndReason, LeavingAs, Lifecycle, NoticeKind
from assets.lifecycle import Step
from assets.models import Asset, Label, Meter, Ownership, Part, Received, Transfer
from assets.passing_words import TakenTo, TransferState
from assets.transfer_rules import TAKE_IN, Act, Said, Side, Standing, TransferError
from assets.transfer_rules import open_acts as _open_acts
from assets.transfer_rules import take as _take
from owners import access, doorbell, hearing, undo
from owners.choices import ChannelKind, Rank
from owners.households import require
from owners.models import Channel, Household, Membership, Owner

A_DAY = 20  # offers of one household, and of one owner over all: each may be a mail to a stranger
REASONS = (
    EndReason.SOLD,
    EndReason.GIFTED,
    EndReason.INHERITED,
    EndReason.DONATED,
    EndReason.TRADED_IN,
    EndReason.RETURNED,
    EndReason.LEASE_END,
)
REASON_CHOICES = [(reason.value, reason.label) for reason in REASONS]
LEAVING = {
    EndReason.SOLD: LeavingAs.FOR_SALE,
    EndReason.TRADED_IN: LeavingAs.TRADE_IN,
}
WITH = ("asset__household", "household", "made_by", "receiver", "receiving", "addressee")
SPOKEN = (
    NoticeKind.OFFERED,
    NoticeKind.ACCEPTED,
    NoticeKind.DECLINED,
    NoticeKind.RECEIVED,
    NoticeKind.ASK_BACK,
)
__all__ = ["REASONS", "Act", "Side", "TransferError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """What the seller says with the hand-over."""

    readings: Mapping[Meter, Decimal]
    amount: Decimal | None = None  # what came in; the seller's alone
    currency: str = ""


def standing_of(transfer: Transfer) -> Standing:
    """Return a transfer as the rules see it."""
    return Standing(
        state=TransferState(transfer.state),
        is_paper=transfer.is_paper,
        expires_at=transfer.expires_at,
        completed_at=transfer.completed_at,
        taken_to=transfer.taken_to,
        asked_back=frozenset(Side(side) for side in transfer.asked_back),
    )


def open_acts(transfer: Transfer, *, by: Side, now: datetime) -> list[Act]:
    """Return what one side can do now."""
    return _open_acts(standing_of(transfer), by=by, now=now)


# --- the seller --------------------------------------------------------------------------


def draft(*, asset: Asset, reason: EndReason, owner: Owner, now: datetime) -> Transfer:
    """Begin to pass an asset on; for admins. What is being prepared already goes on.

    Raises TransferError for a thing that is not here to be passed on.
    """
    require(owner=owner, household_id=asset.household_id, least=Rank.ADMIN)
    if reason not in REASONS:
        raise TransferError("reason", field="reason")
    with transaction.atomic():
        asset = Asset.objects.select_for_update(no_key=True, of=("self",)).get(pk=asset.pk)
        _must_be_here(asset)
        found = Transfer.objects.filter(asset=asset).standing().select_related(*WITH).first()
        if found is not None:
            if found.state == TransferState.DRAFT and found.reason != reason:
                found.reason = reason
                found.save(update_fields=["reason"])
            return found
        last = Transfer.objects.filter(asset=asset).order_by("-pk").first()
        today = duedates.today_in(asset.household.zone, now)
        wishes = last.wishes if last else packing.usual(asset, today=today).as_json()
        return Transfer.objects.create(
            household_id=asset.household_id,
            asset=asset,
            made_by=owner,
            reason=reason,
            wishes=wishes,
            language=owner.language,
            created_at=now,
        )


def _must_be_here(asset: Asset) -> None:
    is_ours = asset.lifecycle in (Lifecycle.RECEIVED, Lifecycle.ACTIVE, Lifecycle.LEAVING)
    is_gone = asset.custody in (Custody.LOST, Custody.STOLEN)
    if not is_ours or is_gone or asset.removed_at is not None:
        raise TransferError("not_here")


def change(
    *, transfer: Transfer, values: Mapping[str, Any], owner: Owner, now: datetime
) -> Transfer:
    """Say what passes (`wishes`), why, to whom (`email`), for how long; for admins.

    What was offered stays as it was seen: only `keeps` and `checked` change then. Raises
    TransferError.
    """
    require(owner=owner, household_id=transfer.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        kept = _locked(transfer)
        standing = standing_of(kept)
        drafted = {"wishes", "reason", "email", "days", "is_paper"} & values.keys()
        if drafted and standing.state != TransferState.DRAFT:
            raise TransferError("not_from_here")
        if not _open_acts(standing, by=Side.SELLER, now=now):
            raise TransferError("not_from_here")
        if "reason" in values and values["reason"] not in REASONS:
            raise TransferError("reason", field="reason")
        if "email" in values:
            address = str(values["email"] or "").strip().lower()
            if address:
                _check_address(address)
            kept.set_address(address)
        for name in ("reason", "days", "is_paper"):
            if name in values:
                setattr(kept, name, values[name])
        if "wishes" in values:
            kept.wishes = _own_wishes(kept, values["wishes"])
        if "keeps" in values:
            kept.keeps = list(values["keeps"])
        if "checked" in values:
            kept.checked = [str(one)[:20] for one in values["checked"]][:50]
        kept.save()
    return kept


def _own_wishes(transfer: Transfer, wishes: packing.Wishes) -> dict[str, Any]:
    """Return the wishes without what is not this asset's to pass on."""
    today = duedates.today_in(transfer.asset.household.zone, transfer.created_at)
    asked = packing.asked_of(transfer.asset, today=today)
    rows: dict[str, Sequence[Any]] = {
        "papers": asked.papers,
        "covers": asked.covers,
        "parts": asked.parts,
        "fields": [row for row, _value in asked.fields],
    }
    kept = wishes.as_json()
    for name, known in rows.items():
        mine = {str(row.uuid) for row in known}
        kept[name] = [key for key in kept[name] if key in mine]
    return kept


def offer(*, transfer: Transfer, owner: Owner, now: datetime) -> Transfer:
    """Offer the asset as the draft says; for admins. Raises TransferError.

    Whoever has an account here and that address proved is told by their own rules; anybody
    else gets a letter, or the link by hand.
    """
    require(owner=owner, household_id=transfer.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)
        Asset.objects.select_for_update(no_key=True).get(pk=transfer.asset_id)
        kept = _locked(transfer)
        _must_be_here(kept.asset)
        after = _take(
            standing_of(kept), Act.OFFER, by=Side.SELLER, now=now, said=Said(days=kept.days)
        )
        theirs = Q(household=kept.household) | Q(made_by=owner)
        recent = Transfer.objects.filter(theirs, offered_at__gt=now - timedelta(days=1))
        if recent.count() >= A_DAY:
            raise TransferError("too_many")
        today = duedates.today_in(kept.household.zone, now)
        _note_state(kept, after)
        kept.offered_at, kept.made_by, kept.language = now, owner, owner.language
        kept.package = packing.pack(kept, now=now, on=today)
        packages.check(_signed(kept.package))  # what we write is what others may read
        if not kept.is_paper:
            kept.set_token(secrets.token_urlsafe(24))
            kept.addressee = _known(kept.address) if kept.address else None
        kept.save()
        if kept.asset.lifecycle == Lifecycle.ACTIVE:
            leaving = LEAVING.get(EndReason(kept.reason), LeavingAs.GIVE_AWAY)
            passages.take(
                asset=kept.asset,
                step=Step.OFFER,
                said={"leaving_as": leaving.value},
                owner=owner,
                now=now,
            )
        _say(kept, now=now)
        what = {"asset": kept.asset.name, "to": kept.hint}
        access.note(
            kind="transfer_offered", actor=owner, household=kept.household, what=what, now=now
        )
        if kept.address and kept.addressee is None and not kept.is_paper:
            transaction.on_commit(lambda: doorbell.ring("delivery"))
    return kept


def withdraw(*, transfer: Transfer, owner: Owner, now: datetime) -> Transfer:
    """Take an offer back, or drop a draft; for admins. Raises TransferError."""
    require(owner=owner, household_id=transfer.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        kept = _locked(transfer)
        after = _take(standing_of(kept), Act.WITHDRAW, by=Side.SELLER, now=now)
        _close(kept, after, now=now)
        what = {"asset": kept.asset.name}
        access.note(
            kind="transfer_withdrawn", actor=owner, household=kept.household, what=what, now=now
        )
    return kept


def complete(*, transfer: Transfer, owner: Owner, now: datetime, handing: Handing) -> Transfer:
    """Hand the asset over: the seller's time ends, the buyer's begins; for admins.

    Raises TransferError, and what `metering.read` and `unpacking.take_in` raise.
    """
    require(owner=owner, household_id=transfer.household_id, least=Rank.ADMIN)
    contents = files_of(transfer)  # before the transaction: pictures are made anew by a child
    with transaction.atomic():
        asset = (
            Asset.objects.select_for_update(no_key=True, of=("self",))
            .select_related("household")
            .get(pk=transfer.asset_id)
        )
        kept = _locked(transfer)
        kept.asset = asset
        if kept.is_paper and kept.state == TransferState.OFFERED:
            said = Said(taken_to=TakenTo.PAPER)
            accepted = _take(standing_of(kept), Act.ACCEPT, by=Side.SELLER, now=now, said=said)
            _note_state(kept, accepted)
            kept.accepted_at = now
        after = _take(standing_of(kept), Act.COMPLETE, by=Side.SELLER, now=now)
        _must_be_here(asset)
        today = duedates.today_in(asset.household.zone, now)
        last = _last_readings(kept, handing.readings, today=today, owner=owner, now=now)
        kept.package = _final(kept, last, contents, today=today, now=now)
        _note_state(kept, after)
        kept.completed_at = now
        kept.save()
        _end(kept, handing, today=today, owner=owner, now=now)
        if kept.taken_to == TakenTo.HERE:
            _begin(kept, contents, now=now)
        else:
            kept.save()
        _say(kept, now=now)
        what = {"asset": asset.name, "to": kept.taken_to}
        access.note(
            kind="transfer_completed", actor=owner, household=kept.household, what=what, now=now
        )
    return kept


def files_of(transfer: Transfer) -> dict[str, bytes]:
    """Return the files that go along, by the id the package gives them; a lost one is not there."""
    offered = {row["id"] for row in (transfer.package or {}).get("files", ())}
    found = {}
    for document in packing.papers_of(transfer):
        key = packing.file_id(transfer, document)
        if transfer.package is not None and key not in offered:
            continue
        try:
            found[key] = packing.content_of(document)
        except (vault.VaultError, reading.UnreadableError):
            continue  # what cannot be read is named as lacking, and cannot go along
    return found


def _last_readings(
    transfer: Transfer,
    readings: Mapping[Meter, Decimal],
    *,
    today: date,
    owner: Owner,
    now: datetime,
) -> list[dict[str, Any]]:
    """Write down what the meters show at the hand-over; return it as records."""
    meters = {row["id"] for row in packages.of_type(transfer.package or {}, "meter")}
    number = (transfer.package or {})["owners"][-1]["number"]
    records = []
    for meter, value in readings.items():
        if meter.asset_id != transfer.asset_id:
            raise TransferError("readings", field="readings")
        row = metering.read(meter=meter, value=value, read_on=today, owner=owner, now=now)
        key = str(uuid5(transfer.uuid, str(meter.uuid)))
        if key not in meters:
            continue
        record: dict[str, Any] = {
            "id": str(uuid5(transfer.uuid, str(row.uuid))),
            "class": packages.CLASSES["reading"],
            "type": "reading",
            "source": "self",
            "owner": number,
            "data": {"meter": key, "on": today.isoformat(), "value": f"{value.normalize():f}"},
        }
        records.append({**record, "sha256": packages.record_hash(record)})
    return records


def _final(
    transfer: Transfer,
    last: list[dict[str, Any]],
    contents: Mapping[str, bytes],
    *,
    today: date,
    now: datetime,
) -> dict[str, Any]:
    """Return what was offered, with the last readings and the day of the hand-over, signed."""
    offered: dict[str, Any] = transfer.package or {}
    fresh = packing.pack(transfer, now=now, on=today)
    package = {
        **offered,
        **{name: fresh[name] for name in ("issued_at", "issuer", "hand_over", "owners")},
        "records": [*offered["records"], *last],
    }
    package = packing.with_files(package, contents)
    signed = _signed(package)
    packages.check(signed)
    return signed


def _signed(package: Mapping[str, Any]) -> dict[str, Any]:
    return packages.sign(package, private=settings.STEWARD_SIGNING_KEYS[0])


def _end(transfer: Transfer, handing: Handing, *, today: date, owner: Owner, now: datetime) -> None:
    """End the seller's time: the life of the asset here, and every way to it."""
    asset = transfer.asset
    owners = packing.owners_of(asset)
    owners[-1].until = max(today, owners[-1].since or today)
    for row in owners:
        row.household_id = asset.household_id
        row.save()
    said: dict[str, Any] = {"reason": transfer.reason, "on": today}
    if handing.amount is not None:
        said |= {"amount": handing.amount, "currency": handing.currency}
    change_made = passages.take(asset=asset, step=Step.END, said=said, owner=owner, now=now)
    # One side alone cannot take this back: it is undone by both, from the transfer.
    transfer.before = {"before": change_made.before, "after": change_made.after}
    change_made.delete()
    transfer.save(update_fields=["before"])
    asset.refresh_from_db()
    for part in Part.objects.filter(
        household=asset.household_id,
        removed_at=None,
        fits=[asset.uuid],
        uuid__in=list(packing.wishes_of(transfer.wishes).parts),
    ):
        stocking.remove(part=part, owner=owner, now=now)
    Label.objects.filter(asset=asset).delete()
    sharing.end_all(asset=asset, now=now)
    hearing.tell(hearing.HANDED_OVER, asset=asset, keeps=list(transfer.keeps), now=now)


def _begin(transfer: Transfer, contents: Mapping[str, bytes], *, now: datetime) -> None:
    """Let the buyer's time begin."""
    buyer, home = transfer.receiver, transfer.receiving
    if buyer is None or home is None or not _may_take(buyer, home):
        raise TransferError("buyer_gone")
    received = unpacking.take_in(
        package=transfer.package or {},
        files=contents,
        household=home,
        owner=buyer,
        is_confirmed=True,
        has_undo=False,
        now=now,
    )
    what = {"asset": received.asset.name}
    access.note(kind="package_taken", actor=buyer, household=home, what=what, now=now)


def again(*, transfer: Transfer, owner: Owner, now: datetime) -> Transfer:
    """Begin anew with what was ticked before; for admins. Raises TransferError."""
    made = draft(asset=transfer.asset, reason=EndReason(transfer.reason), owner=owner, now=now)
    if made.pk != transfer.pk and made.state == TransferState.DRAFT:
        made.wishes, made.keeps, made.checked = transfer.wishes, transfer.keeps, transfer.checked
        made.save(update_fields=["wishes", "keeps", "checked"])
    return made


# --- the buyer ---------------------------------------------------------------------------


def find(*, token: str, now: datetime) -> Transfer | None:
    """Return what a link opens: an offer that stands, or a package that waits to be fetched."""
    found = Transfer.objects.by_token(token).select_related(*WITH).first()
    if found is None or not _opens(found, now):
        return None
    if found.opened_at is None:
        Transfer.objects.filter(pk=found.pk).update(opened_at=now)
        found.opened_at = now
    return found


def _opens(transfer: Transfer, now: datetime) -> bool:
    if transfer.asset.removed_at is not None:
        return False
    if transfer.state in (TransferState.OFFERED, TransferState.ACCEPTED):
        return transfer.expires_at is not None and now < transfer.expires_at
    is_fetched = transfer.state == TransferState.COMPLETED
    if is_fetched and transfer.taken_to == TakenTo.ELSEWHERE and transfer.completed_at:
        return now - transfer.completed_at <= TAKE_IN
    return False


def offered_to(*, owner: Owner, key: UUID, now: datetime) -> Transfer | None:
    """Return what was offered to an owner by name, or taken over by them."""
    found = Transfer.objects.to_owner(owner).filter(uuid=key).select_related(*WITH).first()
    return found if found is not None and is_for(found, owner=owner, now=now) else None


def is_for(found: Transfer, *, owner: Owner, now: datetime) -> bool:
    """Whether what is or was offered to an owner can be looked at by them now."""
    is_mine = found.receiver_id == owner.pk and found.state in (
        TransferState.ACCEPTED,
        TransferState.COMPLETED,
        TransferState.UNDONE,
    )
    return is_mine or _opens(found, now)


def seen_by(transfer: Transfer) -> dict[str, Any]:
    """Return the package as the buyer may see it now: its numbers once it is accepted."""
    package: dict[str, Any] = transfer.package or {}
    is_open = transfer.state in (TransferState.ACCEPTED, TransferState.COMPLETED)
    return package if is_open else packages.masked(package)


def accept_here(
    *, transfer: Transfer, owner: Owner, household: Household, now: datetime
) -> Transfer:
    """Say yes for a household of the buyer's. Raises TransferError."""
    require(owner=owner, household_id=household.pk, least=Rank.MEMBER)
    if household.pk == transfer.household_id:
        raise TransferError("same_household", field="household")
    with transaction.atomic():
        kept = _locked(transfer)
        said = Said(taken_to=TakenTo.HERE)
        after = _take(standing_of(kept), Act.ACCEPT, by=Side.BUYER, now=now, said=said)
        _note_state(kept, after)
        kept.accepted_at, kept.receiver, kept.receiving = now, owner, household
        kept.save()
        _say(kept, now=now)
        what = {"asset": kept.asset.name}
        access.note(
            kind="transfer_accepted", actor=owner, household=kept.household, what=what, now=now
        )
        access.note(kind="transfer_accepted", actor=owner, household=household, what=what, now=now)
    return kept


def accept_elsewhere(*, transfer: Transfer, now: datetime) -> Transfer:
    """Say yes for another server: whoever holds the link may. Raises TransferError."""
    with transaction.atomic():
        kept = _locked(transfer)
        said = Said(taken_to=TakenTo.ELSEWHERE)
        after = _take(standing_of(kept), Act.ACCEPT, by=Side.BUYER, now=now, said=said)
        _note_state(kept, after)
        kept.accepted_at = now
        kept.save()
        _say(kept, now=now)
        what = {"asset": kept.asset.name, "to": TakenTo.ELSEWHERE.value}
        access.note(kind="transfer_accepted", household=kept.household, what=what, now=now)
    return kept


def decline(*, transfer: Transfer, owner: Owner | None, now: datetime) -> Transfer:
    """Say no: whoever holds the link, or was offered it by name. Raises TransferError."""
    with transaction.atomic():
        kept = _locked(transfer)
        if kept.receiver_id is not None and (owner is None or kept.receiver_id != owner.pk):
            raise TransferError("not_yours")
        after = _take(standing_of(kept), Act.DECLINE, by=Side.BUYER, now=now)
        _close(kept, after, now=now)
        what = {"asset": kept.asset.name}
        access.note(
            kind="transfer_declined",
            actor=owner,
            household=kept.household,
            what=what,
            now=now,
        )
    return kept


# --- both --------------------------------------------------------------------------------


def side_of(transfer: Transfer, owner: Owner) -> Side | None:
    """Return on which side an owner may act for a transfer; none for anybody else.

    Whoever is on both sides acts for the seller.
    """
    admins = Membership.objects.filter(owner=owner, rank=Rank.ADMIN)
    if admins.filter(household=transfer.household_id).exists():
        return Side.SELLER
    if transfer.receiving_id and admins.filter(household=transfer.receiving_id).exists():
        return Side.BUYER
    return Side.BUYER if transfer.receiver_id == owner.pk else None


def ask_back(*, transfer: Transfer, by: Side, owner: Owner, now: datetime) -> Transfer:
    """Ask for the hand-over to be undone; it is when both have asked. Raises TransferError."""
    home = transfer.household_id if by == Side.SELLER else transfer.receiving_id
    require(owner=owner, household_id=home or 0, least=Rank.ADMIN)
    with transaction.atomic():
        kept = _locked(transfer)
        after = _take(standing_of(kept), Act.ASK_BACK, by=by, now=now)
        _note_state(kept, after)
        kept.asked_back = sorted(side.value for side in after.asked_back)
        if after.state == TransferState.UNDONE:
            _undo(kept, owner=owner, now=now)
            kept.closed_at = now
        kept.save()
        _say(kept, now=now)
        what = {"asset": kept.asset.name, "by": by.value}
        kind = "transfer_undone" if after.state == TransferState.UNDONE else "transfer_ask_back"
        for home_ in (kept.household, kept.receiving):
            access.note(kind=kind, actor=owner, household=home_, what=what, now=now)
    return kept


def _undo(transfer: Transfer, *, owner: Owner, now: datetime) -> None:
    asset = Asset.objects.select_for_update(no_key=True).get(pk=transfer.asset_id)
    received = Received.objects.filter(
        household=transfer.receiving, package_id=transfer.uuid
    ).select_related("asset__household")
    for row in received:
        if row.asset.removed_at is None:
            sharing.end_all(asset=row.asset, now=now)
            change_made = register.remove(asset=row.asset, owner=owner, now=now)
            change_made.delete()  # it is the seller's again: nobody takes it out of this bin
    was = asset.lifecycle
    snapshots.put_back(
        asset.household_id,
        before=transfer.before.get("before", {}),
        after=transfer.before.get("after", {}),
    )
    asset.refresh_from_db()
    ours = Ownership.objects.filter(asset=asset, is_ours=True).order_by("-number").first()
    if ours is not None:
        ours.until = None
        ours.save(update_fields=["until"])
    if asset.lifecycle != was:
        hearing.tell(hearing.LIFECYCLE, asset=asset, before=was, now=now)
    duedates.refresh(assets=[asset.pk], now=now)
    notices.review_asset(asset, now=now)


def handed_over(asset: Asset) -> Transfer | None:
    """Return the transfer by which an asset has another owner now; None where it is ours."""
    if asset.lifecycle != Lifecycle.ENDED:
        return None
    rows = Transfer.objects.filter(asset=asset, state=TransferState.COMPLETED)
    return rows.order_by("-completed_at").first()


def is_handed_over(asset: Asset) -> bool:
    """Whether an asset has another owner now, by a transfer that both agreed to."""
    return handed_over(asset) is not None


def keep_ended(asset: Asset) -> None:
    """Raise UndoError where an undo would bring back what has another owner now."""
    if is_handed_over(asset):
        raise undo.UndoError("It was handed over: that is undone by both, on its transfer.")


def sweep(*, now: datetime, limit: int = 200) -> int:
    """Let the offers lapse whose time is over; return how many."""
    done = 0
    for pk in list(Transfer.objects.lapsing(now).values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            rows = Transfer.objects.lapsing(now).filter(pk=pk)
            kept = rows.select_for_update(of=("self",), skip_locked=True).first()
            if kept is None:
                continue
            after = _take(standing_of(kept), Act.EXPIRE, by=Side.TIME, now=now)
            _close(kept, after, now=now)
            done += 1
    return done


# --- inside ------------------------------------------------------------------------------


def _locked(transfer: Transfer) -> Transfer:
    rows = Transfer.objects.select_for_update(of=("self",)).select_related(*WITH)
    return rows.get(pk=transfer.pk)


def _note_state(transfer: Transfer, after: Standing) -> None:
    transfer.state, transfer.taken_to = after.state, after.taken_to
    transfer.expires_at = after.expires_at


def _close(transfer: Transfer, after: Standing, *, now: datetime) -> None:
    """End a transfer that comes to nothing: its link opens nothing any more."""
    _note_state(transfer, after)
    transfer.closed_at = now
    transfer.set_token("")
    transfer.save()
    _say(transfer, now=now)


def _may_take(owner: Owner, household: Household) -> bool:
    ranks = (Rank.MEMBER, Rank.ADMIN)
    return household.memberships.filter(owner=owner, rank__in=ranks).exists()


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise TransferError("address", field="email") from error


def _known(address: str) -> Owner | None:
    """Return whoever here has proved that the address is theirs, and has a household."""
    found = Channel.objects.usable().at(ChannelKind.EMAIL, address).filter(owner__is_active=True)
    channel = found.select_related("owner").order_by("pk").first()
    if channel is None or not Household.objects.for_owner(channel.owner).exists():
        return None
    return channel.owner


def _say(transfer: Transfer, *, now: datetime) -> None:
    """Bring in line what the transfer says to each side, by that side's own rules."""
    notices.bring_in_line(kinds=SPOKEN, subjects={transfer.uuid}, wanted=_wanted(transfer), now=now)


def _wanted(transfer: Transfer) -> list[notices.Wish]:
    state = TransferState(transfer.state)
    if state == TransferState.OFFERED and transfer.addressee is not None:
        homes = Household.objects.for_owner(transfer.addressee).order_by("pk")
        home = homes.first()
        if home is None:
            return []
        return [
            notices.Wish(
                kind=NoticeKind.OFFERED,
                subject=transfer.uuid,
                household=home,
                what=transfer.asset.name,
                data={"meant_for": str(transfer.addressee.uuid)},
            )
        ]
    kind = {
        TransferState.ACCEPTED: NoticeKind.ACCEPTED,
        TransferState.DECLINED: NoticeKind.DECLINED,
        TransferState.EXPIRED: NoticeKind.DECLINED,
    }.get(state)
    if kind is not None and not transfer.is_paper:
        return [_wish(transfer, kind, transfer.household, transfer.asset)]
    if state != TransferState.COMPLETED or transfer.receiving is None:
        return []
    row = Received.objects.filter(household=transfer.receiving, package_id=transfer.uuid)
    received = row.select_related("asset").first()
    theirs = received.asset if received else None
    if transfer.asked_back == [Side.BUYER.value]:
        return [_wish(transfer, NoticeKind.ASK_BACK, transfer.household, transfer.asset)]
    if transfer.asked_back == [Side.SELLER.value]:
        return [_wish(transfer, NoticeKind.ASK_BACK, transfer.receiving, theirs)]
    return [_wish(transfer, NoticeKind.RECEIVED, transfer.receiving, theirs)]


def _wish(
    transfer: Transfer, kind: NoticeKind, household: Household, asset: Asset | None
) -> notices.Wish:
    data = {"transfer": str(transfer.uuid)}
    return notices.Wish(
        kind=kind, subject=transfer.uuid, household=household, asset=asset, data=data
    )
