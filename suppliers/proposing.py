"""Things that orders and bills propose: noted as they arrive, added by an owner's tap only.

Several statements of one order are one proposal for each thing. A thing that the household
already owns, by its own number, is not proposed. A cancelled order takes back what nobody
has answered; a delivery says since when the guarantee runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models.functions import Upper
from django.utils.translation import gettext_noop

from assets import (
    caring,
    documents,
    holdings,
    passages,
    recalls,
    register,
    starters,
    templating,
)
from assets.choices import CoverageKind, IdentifierScheme, Lifecycle, PriceKind, Source
from assets.lifecycle import Step
from assets.models import Acquisition, Asset, AssetIdentifier, Coverage, Document
from owners import undo
from owners.choices import Trust
from owners.models import Change, Household, Owner
from suppliers import originals, purchases
from suppliers.choices import ProposalState, RoleKind
from suppliers.contacts import Contact as Said
from suppliers.contacts import GoodsClaim, Key, Money
from suppliers.models import Contact, Proposal, Role
from suppliers.purchases import PriceLine, Purchase

log = structlog.get_logger(__name__)

ACCEPTED, DECLINED = "proposal.accept", "proposal.decline"
CANCELLED, DELIVERED = "order.cancelled", "delivery.delivered"
SUM_MOST = Decimal(10) ** 9
LIKE_MOST = 3  # things that one proposal may be
PAPERS_MOST = 4  # of one mail that are kept with the thing
PAPER_TYPES = frozenset({"application/pdf", "image/jpeg", "image/png", "image/webp"})
FIELDS = frozenset({"name", "kind", "template", "maker", "model", "place", "quantity"})


class ProposalError(Exception):
    """It cannot be; `code` says why, the text says it to people."""

    def __init__(self, code: str, detail: str) -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One contact that may speak of an order, as it was stored."""

    uuid: UUID
    household_id: int
    supplier_id: int | None
    said: Said
    is_doubtful: bool  # it waits at the Door: what it says is mixed with nobody else's

    @property
    def number(self) -> str:
        """What the seller calls the order, or else the bill."""
        keys = {key.scheme: key.value for key in reversed(self.said.keys)}
        return keys.get("order") or keys.get("invoice") or ""

    @property
    def group(self) -> str:
        """What holds the lines of one order together."""
        if self.number and not self.is_doubtful:
            return f"{self.supplier_id or ''}|{purchases.fold(self.number)}"[:300]
        return f"contact|{self.uuid}"


def speaks(said: Said) -> bool:
    """Whether a contact can say anything of what was bought."""
    return bool(said.goods) or said.type in (CANCELLED, DELIVERED)


# -- noted -----------------------------------------------------------------------------


def take(statements: Iterable[Statement], *, now: datetime) -> None:
    """Note what these contacts propose: a bounded number of queries for any number of them."""
    wanted = [one for one in statements if speaks(one.said)]
    if not wanted:
        return
    homes = {one.household_id for one in wanted}
    rows = Proposal.objects.filter(household__in=homes, group__in={one.group for one in wanted})
    known: dict[tuple[int, str], list[Proposal]] = {}
    for row in rows.order_by("pk"):
        known.setdefault((row.household_id, row.group), []).append(row)
    zones = dict(Household.objects.filter(pk__in=homes).values_list("pk", "zone"))
    contacts = dict(
        Contact.objects.filter(uuid__in=[one.uuid for one in wanted]).values_list("uuid", "pk")
    )
    changed: dict[UUID, Proposal] = {}
    for one in sorted(wanted, key=lambda one: (one.said.said_at, str(one.uuid))):
        mine = known.setdefault((one.household_id, one.group), [])
        zone = ZoneInfo(zones[one.household_id])
        on = one.said.said_at.astimezone(zone).date()
        touched = _news(one, mine, on, zone=zone)
        if one.said.type not in (CANCELLED, DELIVERED) and one.uuid in contacts:
            touched += _lines(one, mine, on, contacts[one.uuid], now=now)
        changed |= {row.uuid: row for row in touched}
    new = [row for row in changed.values() if row._state.adding]  # noqa: SLF001 - Django's own name
    old = [row for row in changed.values() if not row._state.adding]  # noqa: SLF001 - as above
    _know_owned([row for row in changed.values() if row.state == ProposalState.OPEN])
    Proposal.objects.bulk_create(new, ignore_conflicts=True)
    Proposal.objects.bulk_update(
        old, ["bought", "said_in", "delivered_on", "state", "asset", "is_order"]
    )


def _news(one: Statement, mine: Sequence[Proposal], on: date, *, zone: ZoneInfo) -> list[Proposal]:
    """Note that an order was cancelled or delivered."""
    still = [row for row in mine if row.state == ProposalState.OPEN]
    if one.said.type == CANCELLED:
        for row in still:
            row.state = ProposalState.WITHDRAWN
    elif one.said.type == DELIVERED:
        at = one.said.visit.at if one.said.visit else None
        for row in still:
            row.delivered_on = row.delivered_on or (at.astimezone(zone).date() if at else on)
    else:
        return []
    return still


def _lines(
    one: Statement, mine: list[Proposal], on: date, contact: int, *, now: datetime
) -> list[Proposal]:
    """Note the things that a statement names; those of its order that are known are completed."""
    goods = one.said.goods
    known = [starters.read_line(line.name).starter != starters.USUAL for line in goods]
    found = []
    for bought in purchases.proposed(goods, is_known=known):
        same = [row for row in mine if purchases.same(read(row).goods, bought.goods)]
        row = same[0] if same else _proposal(one, bought, on, contact, now=now)
        if same:
            row.bought = written(purchases.joined(read(row), bought))
        else:
            mine.append(row)
        if str(one.uuid) not in {str(key) for key in row.said_in}:
            row.said_in = [*row.said_in, one.uuid]
        row.is_order = row.is_order and one.said.type.startswith("order.")
        found.append(row)
    return found


def _proposal(
    one: Statement, bought: Purchase, on: date, contact: int, *, now: datetime
) -> Proposal:
    facts = {fact.name: fact.value for fact in one.said.facts}
    issued = facts.get("issued_on", "")
    return Proposal(
        household_id=one.household_id,
        contact_id=contact,
        said_in=[one.uuid],
        supplier_id=one.supplier_id,
        group=one.group,
        identity=purchases.identity(bought.goods)[:300],
        bought=written(bought),
        seller=(facts.get("merchant") or facts.get("seller") or "")[:120],
        order_no=one.number[:80],
        ordered_on=_day(issued) or on,
        is_order=one.said.type.startswith("order."),
        created_at=now,
    )


def _know_owned(rows: Sequence[Proposal]) -> None:
    """Let what the household owns already, by a number of its own, be no proposal."""
    wanted: dict[tuple[int, str, str], list[Proposal]] = {}
    for row in rows:
        for number in purchases.own_numbers(read(row).goods):
            folded = AssetIdentifier.fold(number.value)
            wanted.setdefault((row.household_id, number.scheme, folded), []).append(row)
    if not wanted:
        return
    homes = {home for home, _scheme, _folded in wanted}
    owned = AssetIdentifier.objects.filter(
        household__in=homes,
        folded__in={folded for _home, _scheme, folded in wanted},
        asset__removed_at=None,
    )
    for named in owned:
        for row in wanted.get((named.household_id, named.scheme, named.folded), []):
            row.state, row.asset_id = ProposalState.KNOWN, named.asset_id


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# -- as values -------------------------------------------------------------------------


def read(row: Proposal) -> Purchase:
    """Return what a proposal is about."""
    kept = row.bought
    goods = dict(kept["goods"])
    goods["numbers"] = tuple(Key(**number) for number in goods.get("numbers", ()))
    for name in ("price", "tax"):
        goods[name] = Money(**goods[name]) if goods.get(name) else None
    lines = tuple(
        PriceLine(kind=line["kind"], sum=Money(**line["sum"]), label=line.get("label", ""))
        for line in kept.get("lines", ())
    )
    return Purchase(goods=GoodsClaim(**goods), lines=lines)


def written(bought: Purchase) -> dict[str, Any]:
    """Return a purchase as a proposal keeps it."""
    return {"goods": asdict(bought.goods), "lines": [asdict(line) for line in bought.lines]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefilled:
    """A proposal as it would be added: what the owner sees before the tap."""

    values: Mapping[str, Any]
    identifiers: Sequence[tuple[IdentifierScheme, str]]
    lines: Sequence[tuple[PriceKind, Decimal, str]]
    currency: str
    seller: str
    warranty_months: int | None
    like: Sequence[Asset] = field(default_factory=tuple)  # owned already, of the same product

    @property
    def total(self) -> Decimal | None:
        """What it cost in all; None where no price is known."""
        if not self.lines:
            return None
        return sum(
            (-abs(sum_) if kind == PriceKind.DISCOUNT else sum_ for kind, sum_, _ in self.lines),
            Decimal(),
        )


def prefilled(row: Proposal, *, like: Sequence[Asset] = ()) -> Prefilled:
    """Return a proposal with all that is known of the thing, as it would be written down.

    `like` is what the owner has of it, see `alike`.
    """
    bought = read(row)
    line = starters.read_line(bought.goods.name)
    starter = starters.STARTERS[line.starter]
    currencies = {each.sum.currency for each in bought.lines} - {""}
    own = row.household.currency
    currency = currencies.pop() if len(currencies) == 1 else own
    lines = [
        (PriceKind(each.kind), Decimal(each.sum.amount), each.label)
        for each in bought.lines
        if (each.sum.currency or own) == currency  # of two currencies, one is the price
    ]
    is_sum = len(currency) == 3 and all(abs(amount) < SUM_MOST for _, amount, _ in lines)
    return Prefilled(
        values={
            "name": bought.goods.name[:120],
            "kind": starter.kind,
            "template": starter.slug,
            "maker": bought.goods.maker,
            "model": bought.goods.model,
            "place": "",
            "quantity": bought.pieces,
        },
        identifiers=[
            (IdentifierScheme(number.scheme), number.value)
            for number in bought.goods.numbers
            if number.scheme in IdentifierScheme.values
        ],
        lines=lines if is_sum else [],
        currency=currency if is_sum else "",
        seller=seller_of(row),
        warranty_months=bought.goods.warranty_months,
        like=tuple(like),
    )


def seller_of(row: Proposal) -> str:
    """Return who sold it, as people read it."""
    return row.seller or (row.supplier.name if row.supplier else "")


def alike(rows: Sequence[Proposal]) -> dict[int, list[Asset]]:
    """Return what each household owns of the same product, or has written down from the order.

    It may be this very thing, written down by hand: the owner says. By the proposal's key.
    """
    open_ones = [row for row in rows if row.state == ProposalState.OPEN]
    homes = {row.household_id for row in open_ones}
    named: dict[tuple[int, str, str], list[Proposal]] = {}
    ordered: dict[tuple[int, str], list[Proposal]] = {}
    for row in open_ones:
        for number in read(row).goods.numbers:
            folded = AssetIdentifier.fold(number.value)
            named.setdefault((row.household_id, number.scheme, folded), []).append(row)
        if row.order_no:
            ordered.setdefault((row.household_id, row.order_no.upper()), []).append(row)
    found: dict[int, dict[int, Asset]] = {row.pk: {} for row in open_ones}
    here = Asset.objects.filter(household__in=homes, removed_at=None)
    if named:
        folds = {folded for _home, _scheme, folded in named}
        numbers = AssetIdentifier.objects.filter(household__in=homes, folded__in=folds)
        for one in numbers.filter(asset__in=here).select_related("asset").order_by("pk"):
            for row in named.get((one.household_id, one.scheme, one.folded), []):
                found[row.pk][one.asset_id] = one.asset
    if ordered:
        # What was added from a proposal is that one, and no other of its order.
        known = Acquisition.objects.annotate(order=Upper("order_no")).filter(
            household__in=homes, order__in={number for _home, number in ordered}
        )
        known = known.filter(asset__in=here, asset__proposals=None)
        for bought in known.select_related("asset").order_by("pk"):
            for row in ordered.get((bought.household_id, bought.order_no.upper()), []):
                found[row.pk][bought.asset_id] = bought.asset
    return {pk: list(assets.values())[:LIKE_MOST] for pk, assets in found.items()}


# -- answered --------------------------------------------------------------------------


def accept(
    *,
    proposal: Proposal,
    owner: Owner,
    now: datetime,
    values: Mapping[str, Any] | None = None,
    asset: Asset | None = None,
    has_care: bool = True,
) -> tuple[Asset, Change]:
    """Add what is proposed to the owner's things, or say that it is one of them.

    `values` are the owner's own words for it; what is added begins with its usual care
    unless the owner wants none. What the supplier stated stays marked as its
    statement. Raises ProposalError when it was answered before.
    """
    with transaction.atomic():
        row = _locked(proposal)
        if asset is not None and asset.household_id != row.household_id:
            raise ProposalError("unknown", gettext_noop("There is no such object."))
        known = prefilled(row)
        made: dict[str, Any] = {}
        if asset is None:
            asset = _add(row, known, values or {}, owner=owner, now=now)
            if has_care:
                _adopt_care(asset, now=now)
            made["added"] = True
        else:
            _complete(row, known, asset, made, now=now)
        _note_seller(row, asset, made)
        _attach(row, asset, made)
        row.state, row.asset = ProposalState.ACCEPTED, asset
        row.decided_by, row.decided_at = owner, now
        row.save(update_fields=["state", "asset", "decided_by", "decided_at"])
    made["papers"] = _keep_papers(row, asset, owner=owner, now=now)
    change = undo.remember(
        kind=ACCEPTED,
        label=asset.name,
        now=now,
        owner=owner,
        household=row.household,
        subject=row.uuid,
        after=made | {"asset": asset.pk},
    )
    return asset, change


def decline(*, proposal: Proposal, owner: Owner, now: datetime) -> Change:
    """Say that it is not the owner's, or nothing to look after. Raises ProposalError."""
    with transaction.atomic():
        row = _locked(proposal)
        row.state, row.decided_by, row.decided_at = ProposalState.DECLINED, owner, now
        row.save(update_fields=["state", "decided_by", "decided_at"])
        return undo.remember(
            kind=DECLINED,
            label=str(row)[:200],
            now=now,
            owner=owner,
            household=row.household,
            subject=row.uuid,
        )


def take_back(change: Change, owner: Owner, now: datetime) -> None:
    """Ask again: what was added lies in the bin, what was completed is as it was."""
    rows = Proposal.objects.filter(household=change.household_id, uuid=undo.subject_of(change))
    row = rows.select_for_update(of=("self",)).first()
    if row is None:
        raise undo.UndoError(gettext_noop("It is gone for good."))
    made = change.after
    asset = Asset.objects.filter(household=change.household_id, pk=made.get("asset", 0)).first()
    if asset is not None:
        _undo(asset, made, owner=owner, now=now)
    row.state, row.asset = ProposalState.OPEN, None
    row.decided_by = row.decided_at = None
    row.save(update_fields=["state", "asset", "decided_by", "decided_at"])


def _undo(asset: Asset, made: Mapping[str, Any], *, owner: Owner, now: datetime) -> None:
    papers = Document.objects.filter(household=asset.household_id, removed_at=None)
    for paper in papers.filter(uuid__in=made.get("papers", [])):
        documents.remove(document=paper, owner=owner, now=now)
    for paper in papers.filter(uuid__in=made.get("attached", []), asset=asset):
        documents.change(document=paper, values={"asset": None})
    Role.objects.filter(asset=asset, pk=made.get("role", 0)).delete()
    if made.get("added"):
        if asset.removed_at is None:
            register.remove(asset=asset, owner=owner, now=now)
        return
    Acquisition.objects.filter(asset=asset, pk=made.get("acquisition", 0)).delete()
    Coverage.objects.filter(asset=asset, pk=made.get("cover", 0)).delete()
    AssetIdentifier.objects.filter(asset=asset, pk__in=made.get("numbers", [])).delete()
    asset.note_words()


def _locked(proposal: Proposal) -> Proposal:
    rows = Proposal.objects.select_for_update(of=("self",))
    row = rows.select_related("household", "supplier", "contact").get(pk=proposal.pk)
    if row.state != ProposalState.OPEN:
        raise ProposalError("answered", gettext_noop("This was answered already."))
    return row


def _add(
    row: Proposal,
    known: Prefilled,
    values: Mapping[str, Any],
    *,
    owner: Owner,
    now: datetime,
) -> Asset:
    said = {name: value for name, value in values.items() if name in FIELDS}
    is_coming = row.is_order or row.delivered_on is not None
    asset = register.add(
        household=row.household,
        values={
            **known.values,
            **said,
            "keeper": owner,
            "lifecycle": Lifecycle.ORDERED if is_coming else Lifecycle.ACTIVE,
            "bought_on": row.ordered_on,
        },
        identifiers=known.identifiers,
        now=now,
        source=Source.SUPPLIER,
    )
    _acquire(row, known, asset, now=now)
    if row.delivered_on is not None:
        passages.take(
            asset=asset,
            step=Step.RECEIVE,
            said={"on": row.delivered_on},
            owner=owner,
            now=now,
            source=Source.SUPPLIER,
        )
        asset.refresh_from_db()
    return asset


def _adopt_care(asset: Asset, *, now: datetime) -> None:
    """Plan what such a thing usually needs; it begins when the thing is put in use."""
    starter = templating.known_to([asset.household]).get(asset.template)
    if starter is not None and starter.care:
        caring.adopt(asset=asset, plan=starter.care, now=now)


def _acquire(row: Proposal, known: Prefilled, asset: Asset, *, now: datetime) -> Acquisition:
    values: dict[str, Any] = {
        "seller": known.seller[:120],
        "order_no": row.order_no,
        "ordered_on": row.ordered_on,
        "jurisdiction": row.household.country,
        "currency": known.currency,
    }
    return holdings.acquire(
        asset=asset, values=values, lines=known.lines, now=now, source=Source.SUPPLIER
    )


def _complete(
    row: Proposal, known: Prefilled, asset: Asset, made: dict[str, Any], *, now: datetime
) -> None:
    """Add to a thing that is owned already what it does not say yet; nothing is replaced."""
    if not Acquisition.objects.filter(asset=asset).exists():
        made["acquisition"] = _acquire(row, known, asset, now=now).pk
    have = set(asset.identifiers.values_list("scheme", "folded"))
    made["numbers"] = []
    for scheme, value in known.identifiers:
        if (scheme, AssetIdentifier.fold(value)) not in have:
            named = AssetIdentifier(
                household_id=asset.household_id,
                asset=asset,
                scheme=scheme,
                value=value,
                source=Source.SUPPLIER,
            )
            named.save()
            made["numbers"].append(named.pk)
    if made["numbers"]:
        recalls.look([asset.pk], now=now)


def _note_seller(row: Proposal, asset: Asset, made: dict[str, Any]) -> None:
    """Note who sold it, and what they guarantee."""
    if row.supplier is not None:
        role, is_new = Role.objects.get_or_create(
            household_id=row.household_id,
            asset=asset,
            supplier=row.supplier,
            kind=RoleKind.SELLER,
        )
        made |= {"role": role.pk} if is_new else {}
    months = read(row).goods.warranty_months
    start = row.delivered_on or row.ordered_on
    kind = CoverageKind.COMMERCIAL_GUARANTEE
    if months and start and not asset.coverages.filter(kind=kind).exists():
        cover = holdings.cover(
            asset=asset,
            values={
                "kind": kind,
                "obligor": seller_of(row)[:120],
                "starts_on": start,
                "months": months,
            },
            now=row.created_at,
            source=Source.SUPPLIER,
        )
        made["cover"] = cover.pk


def _attach(row: Proposal, asset: Asset, made: dict[str, Any]) -> None:
    """Let the papers that came with it, and belong to nothing yet, be the thing's."""
    said = Contact.objects.filter(household=row.household_id, uuid__in=row.said_in)
    keys = [key for kept in said.values_list("said__documents", flat=True) for key in kept or []]
    papers = Document.objects.filter(
        household=row.household_id, uuid__in=keys, asset=None, removed_at=None
    )
    made["attached"] = []
    for paper in papers:
        documents.change(document=paper, values={"asset": asset})
        made["attached"].append(str(paper.uuid))


def _keep_papers(row: Proposal, asset: Asset, *, owner: Owner, now: datetime) -> list[str]:
    """Keep the bills that came attached to mails of the order; what is lost stays in the mail."""
    kept: list[str] = []
    said = Contact.objects.filter(household=row.household_id, uuid__in=row.said_in)
    mails = said.filter(inbound__way="mail", suspicion="").exclude(trust=Trust.UNKNOWN)
    for contact in mails.select_related("inbound", "household", "asset").order_by("pk")[:3]:
        try:
            shown = originals.of(contact)
            for one in shown.attachments:
                if one.media_type not in PAPER_TYPES or len(kept) >= PAPERS_MOST:
                    continue
                name, content = originals.attachment(contact, number=one.number)
                paper = documents.add(
                    household=row.household,
                    asset=asset,
                    owner=owner,
                    name=name,
                    content=content,
                    now=now,
                )
                kept.append(str(paper.uuid))
        except (originals.GoneError, originals.NoMailError, documents.DocumentError) as error:
            log.info("paper_not_kept", proposal=str(row.uuid), why=type(error).__name__)
    return kept
