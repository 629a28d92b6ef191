"""Who pays for a fault? Pure: values in, a ranked list with reasons out.

What the law says comes in as `Law` rows, each with its source. The answer is an order in
which to ask, never a promise: `PAYS` where nothing that is known speaks against it, `MAYBE`
where something has to be shown or looked up first, `NO` with the reason why not.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from assets.choices import BoughtAs, Condition, CoverageKind, CoverageState
from assets.cover_words import Cause, Confidence, RecallState, Standing


class Kind(StrEnum):
    """Who may have to pay; the values of `CoverageKind`, and sending it back."""

    RECALL = CoverageKind.RECALL_REMEDY.value
    SENDING_BACK = "return"
    REPAIR = CoverageKind.REPAIR_WARRANTY.value
    LEGAL = CoverageKind.LEGAL_GUARANTEE.value
    COMMERCIAL = CoverageKind.COMMERCIAL_GUARANTEE.value
    EXTENDED = CoverageKind.EXTENDED_WARRANTY.value
    CONTRACT = CoverageKind.SERVICE_CONTRACT.value
    CARD = CoverageKind.PAYMENT_CARD.value
    INSURANCE = CoverageKind.INSURANCE.value


# Whom to ask first where several would pay: safety, then what costs the owner least effort
# and nothing, then what was paid for, then what has an excess or raises a premium.
ORDER = tuple(Kind)
STANDINGS = (Standing.PAYS, Standing.MAYBE, Standing.NO)
SUDDEN = (Cause.ACCIDENT, Cause.THEFT, Cause.WEATHER)
# What answers for faults of the thing itself, not for what happens to it.
FOR_FAULTS = (Kind.REPAIR, Kind.LEGAL, Kind.COMMERCIAL, Kind.EXTENDED)
CREDIT = re.compile(r"credit|kredit|crédit|crédito|credito", re.IGNORECASE)
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """How a seller answers by law. Months count from delivery; `notice` from noticing."""

    area: str
    new: int
    used: int
    presumed: int  # how long a fault counts as there from the start
    presumed_used: int
    source: str
    notice: int | None = None
    after_end: int = 0
    after_noticing: int = 0
    reject_days: int = 0  # to send back what is faulty without a try to repair it
    is_by_life: bool = False
    is_at_once: bool = False
    checked: date | None = None  # when all its numbers were compared with a text; None: not yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What a repair under the seller's guarantee adds to it, in months, and how often."""

    months: int
    times: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """When a lender answers beside the seller, by the price."""

    above: Decimal
    up_to: Decimal
    currency: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong, since when, why, with which part; what the meters showed then, by unit."""

    on: date
    cause: Cause = Cause.UNKNOWN
    part: str = ""
    readings: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """How the thing was bought, and what the law says of that."""

    seller: str = ""
    contract_on: date | None = None
    delivered_on: date | None = None
    return_by: date | None = None
    condition: str = Condition.NEW
    bought_as: str = BoughtAs.CONSUMER
    payment: str = ""
    price: Decimal | None = None
    currency: str = ""
    repairs: int = 0  # under the seller's guarantee, until the fault
    law: Law | None = None
    extension: Extension | None = None
    credit: Credit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A cover as it was written down."""

    key: str
    kind: Kind
    obligor: str = ""
    reference: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    is_lifetime: bool = False
    state: CoverageState = CoverageState.ACTIVE
    scope: str = ""
    notice_days: int | None = None  # within which a fault has to be told
    meter_limit: Decimal | None = None
    meter_unit: str = ""
    excess: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """A recall that may concern the thing, and how far it is dealt with."""

    key: str
    authority: str
    number: str
    confidence: Confidence
    state: RecallState
    published_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: a code that `cover_words` says in the reader's language, and its values."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Somebody who pays, may pay, or does not pay, and why."""

    kind: Kind
    obligor: str
    standing: Standing
    reasons: tuple[Reason, ...]
    deadline: date | None = None  # the last day on which to ask
    source: str = ""  # of the law, where it is the law
    checked: date | None = None  # when that was compared with a text; None: not yet
    cover: str = ""  # the key of the cover or recall
    reference: str = ""
    excess: Decimal | None = None
    currency: str = ""


def who_pays(
    fault: Fault,
    *,
    purchase: Purchase,
    covers: Sequence[Cover] = (),
    recalls: Sequence[Recall] = (),
) -> list[Payer]:
    """Return everybody who might pay for a fault, whom to ask first first."""
    found = [_recall(recall) for recall in recalls if recall.state != RecallState.NOT_AFFECTED]
    if (back := _sending_back(fault, purchase)) is not None:
        found.append(back)
    written = [cover for cover in covers if cover.kind == Kind.LEGAL]
    if written:
        for cover in written:
            found += _legal(fault, purchase, cover)
    else:
        found += _legal(fault, purchase, None)
    if (lender := _lender(fault, purchase, found)) is not None:
        found.append(lender)
    found += [_covered(fault, cover) for cover in covers if cover.kind != Kind.LEGAL]
    return sorted(found, key=_place)


def _place(payer: Payer) -> tuple[int, int, date, str, str]:
    return (
        STANDINGS.index(payer.standing),
        ORDER.index(payer.kind),
        payer.deadline or date.max,
        payer.obligor,
        payer.cover,
    )


# --- the law -----------------------------------------------------------------------------


def legal_end(purchase: Purchase) -> date | None:
    """Return the last day on which the seller answers by law, with what repairs added."""
    law, start = purchase.law, purchase.delivered_on
    if law is None or start is None or purchase.bought_as == BoughtAs.BUSINESS:
        return None
    months = law.new if purchase.condition == Condition.NEW else law.used
    return later(start, months + _added(purchase)) - timedelta(days=1)


def _added(purchase: Purchase) -> int:
    extension = purchase.extension
    if extension is None:
        return 0
    return extension.months * min(purchase.repairs, extension.times)


def _legal(fault: Fault, purchase: Purchase, cover: Cover | None) -> list[Payer]:
    """Judge the seller's liability by law; what was written down of it wins over the table."""
    law = purchase.law
    if cover is None and law is None:
        return []
    start = (cover and cover.starts_on) or purchase.delivered_on
    end = legal_end(purchase)
    if cover is not None and cover.ends_on is not None:
        end = cover.ends_on if _added(purchase) == 0 else max(cover.ends_on, end or date.min)
    reasons = _against_cover(fault, cover) if cover is not None else []
    if purchase.bought_as == BoughtAs.BUSINESS and cover is None:
        reasons.append(Reason(code="business"))
    elif start is None and cover is None:
        return [_legal_payer(purchase, cover, Standing.MAYBE, [Reason(code="delivery_unknown")])]
    elif end is not None and fault.on > end and not (law and law.is_by_life):
        reasons.append(Reason(code="over", values={"day": end.isoformat()}))
    elif start is not None and fault.on < start:
        reasons.append(Reason(code="before", values={"day": start.isoformat()}))
    reasons += _not_a_fault(fault, Kind.LEGAL)
    if reasons:
        return [_legal_payer(purchase, cover, Standing.NO, reasons[:1])]
    return [_legal_alive(fault, purchase, cover, start=start, end=end)]


def _legal_alive(
    fault: Fault, purchase: Purchase, cover: Cover | None, *, start: date | None, end: date | None
) -> Payer:
    law = purchase.law
    if law is None or start is None:
        reason = (
            Reason(code="until", values={"day": end.isoformat()})
            if end
            else Reason(code="law_unknown")
        )
        return _legal_payer(purchase, cover, Standing.MAYBE, [reason], deadline=end)
    months = law.presumed if purchase.condition == Condition.NEW else law.presumed_used
    presumed = later(start, months) - timedelta(days=1)
    is_late = end is not None and fault.on > end
    is_presumed = fault.on <= presumed and not is_late
    values = {"day": presumed.isoformat()}
    reasons = [Reason(code="presumed" if is_presumed else "to_prove", values=values)]
    # The days begin with the one after delivery (Consumer Rights Act 2015, s. 22 (3)).
    last = start + timedelta(days=law.reject_days)
    if law.reject_days and fault.on <= last:
        reasons.append(Reason(code="reject", values={"day": last.isoformat()}))
    if law.is_by_life:
        reasons.append(Reason(code="by_life"))
    if law.is_at_once:
        reasons.append(Reason(code="at_once"))
    if _added(purchase) and purchase.extension is not None:
        added = {"n": str(_added(purchase)), "source": purchase.extension.source}
        reasons.append(Reason(code="extended", values=added))
    deadline = None if end is None else later(end, law.after_end)
    if law.after_noticing and deadline is not None:
        deadline = max(deadline, later(fault.on, law.after_noticing))
    if is_late:
        deadline = None  # nobody but a judge says how long it was to last
    if law.notice is not None:
        told = later(fault.on, law.notice)
        reasons.append(Reason(code="tell_by", values={"day": told.isoformat()}))
        deadline = told if deadline is None else min(deadline, told)
    standing = Standing.PAYS if is_presumed else Standing.MAYBE
    return _legal_payer(purchase, cover, standing, reasons, deadline=deadline)


def _legal_payer(
    purchase: Purchase,
    cover: Cover | None,
    standing: Standing,
    reasons: Sequence[Reason],
    *,
    deadline: date | None = None,
) -> Payer:
    return Payer(
        kind=Kind.LEGAL,
        obligor=(cover.obligor if cover else "") or purchase.seller,
        standing=standing,
        reasons=tuple(reasons),
        deadline=deadline,
        source=purchase.law.source if purchase.law else "",
        checked=purchase.law.checked if purchase.law else None,
        cover=cover.key if cover else "",
        reference=cover.reference if cover else "",
    )


def _lender(fault: Fault, purchase: Purchase, found: Sequence[Payer]) -> Payer | None:
    """Whoever lent the money answers as the seller does, where the law says so."""
    credit, price = purchase.credit, purchase.price
    legal = next((one for one in found if one.kind == Kind.LEGAL), None)
    if credit is None or price is None or legal is None or not CREDIT.search(purchase.payment):
        return None
    if purchase.currency != credit.currency or not credit.above < price <= credit.up_to:
        return None
    is_no = legal.standing == Standing.NO
    return Payer(
        kind=Kind.CARD,
        obligor=purchase.payment,
        standing=Standing.NO if is_no else Standing.MAYBE,
        reasons=legal.reasons if is_no else (Reason(code="as_the_seller"),),
        deadline=legal.deadline,
        source=credit.source,
    )


def _sending_back(fault: Fault, purchase: Purchase) -> Payer | None:
    """While it may go back, nobody asks why."""
    last = purchase.return_by
    if last is None or fault.on > last or fault.cause in SUDDEN:
        return None
    return Payer(
        kind=Kind.SENDING_BACK,
        obligor=purchase.seller,
        standing=Standing.PAYS,
        reasons=(Reason(code="send_back", values={"day": last.isoformat()}),),
        deadline=last,
    )


# --- recalls and covers ------------------------------------------------------------------


def _recall(recall: Recall) -> Payer:
    values = {"number": recall.number}
    if recall.state in (RecallState.REMEDIED, RecallState.EXPIRED):
        standing, code = Standing.NO, f"recall_{recall.state}"
    elif recall.confidence == Confidence.EXACT or recall.state in (
        RecallState.OWNER_CONFIRMED,
        RecallState.REMEDY_BOOKED,
    ):
        standing, code = Standing.PAYS, "recalled"
    else:
        standing, code = Standing.MAYBE, f"recall_{recall.confidence}"
    return Payer(
        kind=Kind.RECALL,
        obligor=recall.authority,
        standing=standing,
        reasons=(Reason(code=code, values=values),),
        cover=recall.key,
        reference=recall.number,
    )


def _covered(fault: Fault, cover: Cover) -> Payer:
    """Judge one cover by what is written down of it."""
    against = _against_cover(fault, cover) + _not_a_fault(fault, cover.kind)
    reasons, standing = against[:1], Standing.NO
    if not against:
        doubts = _doubts(fault, cover)
        standing = Standing.MAYBE if doubts else Standing.PAYS
        reasons = doubts or [_holds(cover)]
    deadline = None
    if standing != Standing.NO:
        ends = None if cover.is_lifetime else cover.ends_on
        told = None
        if cover.notice_days is not None:
            told = fault.on + timedelta(days=cover.notice_days)
            reasons = [*reasons, Reason(code="tell_by", values={"day": told.isoformat()})]
        # An insurer pays for what happened in its time; only telling it late is too late.
        lasts = (
            told if cover.kind == Kind.INSURANCE else min(filter(None, (ends, told)), default=None)
        )
        deadline = lasts
        if cover.excess:
            reasons = [*reasons, Reason(code="excess", values=_money(cover))]
    return Payer(
        kind=cover.kind,
        obligor=cover.obligor,
        standing=standing,
        reasons=tuple(reasons),
        deadline=deadline,
        cover=cover.key,
        reference=cover.reference,
        excess=cover.excess,
        currency=cover.currency,
    )


def _money(cover: Cover) -> dict[str, str]:
    amount = (cover.excess or Decimal(0)).normalize()
    return {"amount": f"{amount:f}", "currency": cover.currency}


def _holds(cover: Cover) -> Reason:
    if cover.is_lifetime or cover.ends_on is None:
        return Reason(code="lifetime" if cover.is_lifetime else "in_force")
    return Reason(code="until", values={"day": cover.ends_on.isoformat()})


def _against_cover(fault: Fault, cover: Cover) -> list[Reason]:
    """Return why a cover does not hold on the day of a fault."""
    if cover.state in (CoverageState.VOIDED, CoverageState.SUSPENDED):
        return [Reason(code=cover.state.value)]
    if cover.kind == Kind.LEGAL:
        return []  # its days follow below, with what the law adds
    if cover.starts_on is not None and fault.on < cover.starts_on:
        return [Reason(code="before", values={"day": cover.starts_on.isoformat()})]
    if not cover.is_lifetime and cover.ends_on is not None and fault.on > cover.ends_on:
        return [Reason(code="over", values={"day": cover.ends_on.isoformat()})]
    if cover.state == CoverageState.EXPIRED and (cover.ends_on is None or cover.is_lifetime):
        return [Reason(code="expired")]
    read = fault.readings.get(cover.meter_unit)
    if cover.meter_limit is not None and read is not None and read > cover.meter_limit:
        limit = f"{cover.meter_limit.normalize():f} {cover.meter_unit}".strip()
        return [Reason(code="over_use", values={"limit": limit})]
    return []


def _not_a_fault(fault: Fault, kind: Kind) -> list[Reason]:
    """Return why something does not answer for this cause."""
    if fault.cause in SUDDEN and kind in FOR_FAULTS:
        return [Reason(code="not_a_fault")]
    if fault.cause == Cause.THEFT and kind == Kind.CONTRACT:
        return [Reason(code="not_a_fault")]
    if fault.cause == Cause.WEAR and kind in (Kind.LEGAL, Kind.INSURANCE):
        return [Reason(code="wear")]
    if fault.cause == Cause.DEFECT and kind == Kind.INSURANCE:
        return [Reason(code="not_sudden")]
    return []


def _doubts(fault: Fault, cover: Cover) -> list[Reason]:
    """Return what has to be looked up or shown before a cover pays."""
    doubts = []
    if cover.starts_on is None and cover.ends_on is None and not cover.is_lifetime:
        doubts.append(Reason(code="days_unknown"))
    if cover.meter_limit is not None and cover.meter_unit not in fault.readings:
        limit = f"{cover.meter_limit.normalize():f} {cover.meter_unit}".strip()
        doubts.append(Reason(code="use_unknown", values={"limit": limit}))
    if cover.scope and not (words(cover.scope) & words(fault.part)):
        is_repair = cover.kind == Kind.REPAIR
        if is_repair or fault.part:
            code = "same_part" if is_repair else "scope"
            doubts.append(Reason(code=code, values={"scope": cover.scope}))
    if cover.kind == Kind.INSURANCE and fault.cause == Cause.UNKNOWN:
        doubts.append(Reason(code="only_sudden"))
    if cover.kind == Kind.CARD:
        doubts.append(Reason(code="card_terms"))
    if fault.cause == Cause.WEAR and cover.kind in (Kind.COMMERCIAL, Kind.EXTENDED, Kind.REPAIR):
        doubts.append(Reason(code="wear_terms"))
    return doubts


def words(text: str) -> frozenset[str]:
    """Return the words of a text by which two texts are found to speak of one part."""
    return frozenset(_WORD.findall(text.casefold()))


def later(day: date, months: int) -> date:
    """Return the same day months later, or the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
