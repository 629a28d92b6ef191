"""Recalls: what was published is kept, compared with what is owned, and dealt with.

Whatever may mean a thing is a match; an open one is a notice, and so a matter on Today. The
owner says that it is not theirs, books the remedy, or says that it is done, each of which
can be undone; a supplier's word that it is done counts as theirs. What is published again
with other numbers is compared again, and a match that does not hold any more goes, unless
somebody has dealt with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_noop
from vininfo import Vin

from assets import duedates, holdings, notices, snapshots
from assets.choices import Condition, IdentifierScheme, Lifecycle, NoticeKind, Source
from assets.cover_words import Confidence, RecallState
from assets.holdings import HoldingError
from assets.models import (
    Acquisition,
    Asset,
    AssetIdentifier,
    Document,
    RecallCriterion,
    RecallMatch,
    RecallNotice,
    ServiceRecord,
)
from assets.models.recalls import OPEN_RECALLS
from assets.recall_matching import (
    SURENESS,
    Criterion,
    Match,
    Published,
    Thing,
    gtin_key,
    is_vin_like,
    maker_key,
    match,
    words_of,
)
from owners.models import Change, Household, Owner

MOVED = "recall.move"
S = RecallState
OPEN = OPEN_RECALLS
# What the owner may say of a recall, whatever was said before; only its withdrawal is not theirs.
SAYABLE = (S.OWNER_CONFIRMED, S.NOT_AFFECTED, S.REMEDY_BOOKED, S.REMEDIED)
FIELDS = frozenset(["booked_on", "remedied_on", "provider", "proof", "record", "note"])
# Where an authority's list holds: elsewhere the same name may be another model.
EEA = frozenset(
    ["AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
     "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"]
)  # fmt: skip
AREAS: Mapping[str, frozenset[str]] = {
    "nhtsa": frozenset({"US"}),
    "cpsc": frozenset({"US"}),
    "safety-gate": EEA,
}
# By what a match is known where nothing was compared: a supplier told of it, or a former owner.
TOLD, PASSED = "told", "passed"
NUMBERS = (IdentifierScheme.SERIAL, IdentifierScheme.VIN, IdentifierScheme.HULL)
MODEL_YEARS = 1  # a new car may be of the year before or after it was bought
MOST_CRITERIA = 500  # of one recall: lists of barcodes are long
LOT = 500
SHOWN = 12  # ways of naming on a page
LEAST_NUMBER = 5  # signs of a number that can be told from others in a sentence


# --- what is published -------------------------------------------------------------------


def store(
    published: Published,
    *,
    now: datetime,
    household: Household | None = None,
    declared_by: str = "",
) -> tuple[RecallNotice, bool]:
    """Keep one recall as it was published; say whether it names anything else than before.

    One that a household alone was told of is that household's.
    """
    values = {
        "declared_by": declared_by[:120],
        "published_on": published.published_on,
        "updated_on": published.updated_on,
        "title": published.title[:300],
        "hazard": published.hazard,
        "remedy": published.remedy,
        "do_not_use": published.do_not_use,
        "url": published.url[:500],
        "raw": dict(published.raw),
        "fetched_at": now,
    }
    with transaction.atomic():
        notice, is_new = RecallNotice.objects.update_or_create(
            source=published.source,
            number=published.number[:80],
            household=household,
            defaults=values,
        )
        rows = [_row(notice, one) for one in published.criteria[:MOST_CRITERIA]]
        before = [criterion_of(row) for row in notice.criteria.order_by("pk")]
        if not is_new and before == [criterion_of(row) for row in rows]:
            return notice, False
        notice.criteria.all().delete()
        RecallCriterion.objects.bulk_create(rows)
    return notice, True


def store_all(published: Iterable[Published], *, now: datetime) -> int:
    """Keep what an authority published and compare it with everything owned.

    Returns how many recalls name anything new.
    """
    changed = []
    for one in published:
        notice, is_changed = store(one, now=now)
        if is_changed:
            changed.append(notice)
    review(changed, now=now)
    return len(changed)


def _row(notice: RecallNotice, one: Criterion) -> RecallCriterion:
    return RecallCriterion(
        notice=notice,
        brand=one.brand[:120],
        brand_folded=maker_key(one.brand),
        model=one.model[:200],
        product=one.product[:200],
        year=one.year if one.year is not None and 1900 <= one.year < 2200 else None,
        gtin=gtin_key(one.gtin)[:14],
        lot=one.lot[:200],
        serial_from=one.serial_from[:80],
        serial_to=one.serial_to[:80],
    )


def criterion_of(row: RecallCriterion) -> Criterion:
    """Return a criterion as the rules take it."""
    return Criterion(
        brand=row.brand,
        model=row.model,
        product=row.product,
        year=row.year,
        gtin=row.gtin,
        lot=row.lot,
        serial_from=row.serial_from,
        serial_to=row.serial_to,
    )


# --- compared with what is owned ---------------------------------------------------------


def review(changed: Sequence[RecallNotice], *, now: datetime) -> None:
    """Compare recalls that are new, or name something else, with everything owned."""
    if not changed:
        return
    rows = RecallCriterion.objects.filter(notice__in=changed)
    keys = set(rows.exclude(brand_folded="").values_list("brand_folded", flat=True))
    gtins = set(rows.exclude(gtin="").values_list("gtin", flat=True))
    meant = Asset.objects.looked_after()
    found = set(meant.filter(_named_by(keys, gtins)).values_list("pk", flat=True))
    matched = RecallMatch.objects.filter(notice__in=changed)
    found |= set(matched.values_list("asset_id", flat=True))
    ordered = sorted(found)
    for start in range(0, len(ordered), LOT):
        look(ordered[start : start + LOT], now=now, only=changed)


def _named_by(keys: set[str], gtins: set[str]) -> Q:
    """Return what finds the things of these makers, however their owners spell them."""
    makers = Asset.objects.exclude(maker="").order_by().annotate(said=Upper("maker"))
    said = makers.values_list("said", flat=True).distinct()
    spelled = [maker for maker in said.iterator() if maker_key(maker) in keys] if keys else []
    # As they stand on a label: of eight, twelve, thirteen or fourteen digits.
    short = {gtin.lstrip("0").zfill(size) for gtin in gtins for size in (8, 12, 13, 14)}
    labels = AssetIdentifier.objects.filter(scheme=IdentifierScheme.GTIN, folded__in=short)
    by_label = Q(pk__in=labels.values("asset")) if gtins else Q(pk__in=[])
    by_maker = Q(pk__in=makers.filter(said__in=spelled).values("pk")) if spelled else Q(pk__in=[])
    return by_maker | by_label


def look(
    pks: Collection[int],
    *,
    now: datetime,
    is_new: bool = False,
    only: Sequence[RecallNotice] | None = None,
) -> None:
    """Compare these things with every recall that may name them, or with `only` these.

    `is_new` says that nothing was found for them before.
    """
    rows = Asset.objects.filter(pk__in=pks, removed_at=None).exclude(lifecycle=Lifecycle.ENDED)
    wanted = {asset.pk: asset for asset in rows.select_related("household").order_by("pk")}
    things = things_of(list(wanted.values()))
    by_name: dict[str, set[int]] = defaultdict(set)
    for pk, thing in things.items():
        for name in (maker_key(thing.maker), *map(gtin_key, thing.gtins)):
            by_name[name].add(pk)
    by_name.pop("", None)
    named = Q(brand_folded__in=by_name) | Q(gtin__in=by_name)
    criteria = RecallCriterion.objects.filter(named) if by_name else RecallCriterion.objects.none()
    matched = RecallMatch.objects.filter(asset__in=wanted).select_related("notice")
    if only is not None:
        criteria, matched = criteria.filter(notice__in=only), matched.filter(notice__in=only)
    pairs: dict[int, set[int]] = defaultdict(set)
    for notice, brand, gtin in criteria.values_list("notice_id", "brand_folded", "gtin"):
        pairs[notice] |= by_name.get(brand, set()) | by_name.get(gtin, set())
    known = {} if is_new else {(row.asset_id, row.notice_id): row for row in matched}
    for asset, notice in known:
        pairs[notice].add(asset)
    if not pairs:
        return
    todo = _Todo(now=now, known=known)
    for one in RecallNotice.objects.filter(pk__in=pairs).prefetch_related("criteria"):
        asked = [criterion_of(row) for row in one.criteria.all()]
        for pk in sorted(pairs[one.pk]):
            if one.household_id in (None, wanted[pk].household_id):
                todo.compare(wanted[pk], one, things[pk], asked)
    todo.write()


class _Todo:
    """What has to be written after things and recalls were compared."""

    def __init__(self, *, now: datetime, known: dict[tuple[int, int], RecallMatch]) -> None:
        self.now, self.known = now, known
        self.kept: list[RecallMatch] = []
        self.new: list[RecallMatch] = []
        self.gone: list[RecallMatch] = []

    def compare(
        self, asset: Asset, notice: RecallNotice, thing: Thing, asked: Sequence[Criterion]
    ) -> None:
        """Note what one recall is to one thing."""
        area = AREAS.get(notice.source)
        country = asset.household.country
        is_here = area is None or not country or country in area
        is_over = notice.withdrawn_at is not None
        found = None if is_over else match(thing, asked, is_here=is_here)
        row = self.known.get((asset.pk, notice.pk))
        if row is None:
            if found is not None:
                self.new.append(
                    RecallMatch(
                        household_id=asset.household_id,
                        asset=asset,
                        notice=notice,
                        confidence=found.confidence,
                        by=found.by,
                        found_at=self.now,
                    )
                )
        else:
            self._again(row, found)

    def _again(self, row: RecallMatch, found: Match | None) -> None:
        if found is None:
            # What was said, or dealt with, stays as it is.
            if row.state == S.NEW and row.by not in (TOLD, PASSED):
                self.gone.append(row)
            return
        was = sureness(row)
        if row.by in (TOLD, PASSED) and SURENESS.index(found.confidence) <= was:
            return
        if (row.confidence, row.by) == (found.confidence, found.by):
            self.kept.append(row)
            return
        row.confidence, row.by = found.confidence, found.by
        if row.state == S.NOT_AFFECTED and SURENESS.index(found.confidence) > was:
            # "Not mine" answered a weaker question; that it is this very one was not known.
            row.state = S.NEW if found.confidence == Confidence.EXACT else row.state
        self.kept.append(row)

    def write(self) -> None:
        """Write it, and let what is open be said."""
        with transaction.atomic():
            RecallMatch.objects.bulk_create(self.new, ignore_conflicts=True)
            RecallMatch.objects.bulk_update(self.kept, ["confidence", "by", "state"])
            RecallMatch.objects.filter(pk__in=[row.pk for row in self.gone]).delete()
            told = RecallMatch.objects.filter(uuid__in=[row.uuid for row in self.new])
            say(
                [*told.select_related(*WITH), *self.kept],
                silent=[row.uuid for row in self.gone],
                now=self.now,
            )


WITH = ("notice", "asset__household")


def things_of(assets: Sequence[Asset]) -> dict[int, Thing]:
    """Return things as a recall can name them, by key; two queries for any number."""
    named: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = AssetIdentifier.objects.filter(asset__in=assets)
    for pk, scheme, value in rows.values_list("asset_id", "scheme", "value"):
        named[pk][scheme].add(value)
    bought = {
        row.asset_id: row
        for row in Acquisition.objects.filter(asset__in=assets, condition=Condition.NEW)
    }
    return {asset.pk: _thing(asset, named[asset.pk], bought.get(asset.pk)) for asset in assets}


def _thing(asset: Asset, named: Mapping[str, set[str]], bought: Acquisition | None) -> Thing:
    numbers = {value for scheme in NUMBERS for value in named.get(scheme, ())}
    return Thing(
        maker=asset.maker,
        model=asset.model,
        years=_years(asset, named.get(IdentifierScheme.VIN, set()), bought),
        numbers=frozenset(numbers),
        lots=frozenset(named.get(IdentifierScheme.LOT, ())),
        gtins=frozenset(named.get(IdentifierScheme.GTIN, ())),
        sorts=frozenset(filter(None, (asset.template, _SORT_OF.get(asset.kind, "")))),
        words=frozenset(word for word in words_of(f"{asset.name} {asset.model}") if len(word) > 2),
    )


_SORT_OF = {"vehicle": "car", "heating": "boiler", "boat": "boat", "tool": "tool"}


def _years(asset: Asset, vins: Iterable[str], bought: Acquisition | None) -> frozenset[int]:
    """Return the model years a thing may be of: as its VIN says, else about when it was new."""
    said = {year for vin in vins if is_vin_like(vin) for year in Vin(vin).years}
    if said:
        return frozenset(said)
    day = (bought.delivered_on or bought.ordered_on) if bought is not None else None
    if day is None:
        return frozenset()
    return frozenset(range(day.year - MODEL_YEARS, day.year + MODEL_YEARS + 1))


# --- said --------------------------------------------------------------------------------


def say(rows: Iterable[RecallMatch], *, now: datetime, silent: Collection[UUID] = ()) -> None:
    """Let open matches of things that are here be said; those in `silent` are no more."""
    kept = list(rows)
    wanted = [_wish(row) for row in kept if _speaks(row)]
    subjects = {row.uuid for row in kept} | set(silent)
    notices.bring_in_line(kinds=[NoticeKind.RECALL], subjects=subjects, wanted=wanted, now=now)


def _speaks(row: RecallMatch) -> bool:
    is_here = row.asset.removed_at is None and row.asset.lifecycle != Lifecycle.ENDED
    # What a supplier told has its own matter already.
    return is_here and row.state in OPEN and row.said_in is None


def _wish(row: RecallMatch) -> notices.Wish:
    notice = row.notice
    return notices.Wish(
        kind=NoticeKind.RECALL,
        subject=row.uuid,
        household=row.asset.household,
        asset=row.asset,
        what=notice.title[:200],
        data={
            "source": notice.source,
            "declared_by": notice.declared_by,
            "number": notice.number,
            "hazard": notice.hazard[:500],
            "remedy": notice.remedy[:500],
            "confidence": row.confidence,
            "by": row.by,
            "do_not_use": notice.do_not_use,
        },
    )


def review_asset(asset: Asset, *, now: datetime) -> None:
    """Let the recalls of a thing be said as far as it is here, and no further."""
    rows = list(RecallMatch.objects.filter(asset=asset).select_related(*WITH))
    if rows:
        say(rows, now=now)


def lived(*, asset: Asset, before: str, now: datetime) -> None:
    """Follow a thing through its life: what has left says nothing more."""
    review_asset(asset, now=now)


# --- dealt with --------------------------------------------------------------------------


def move(
    *,
    row: RecallMatch,
    state: RecallState,
    values: Mapping[str, Any],
    owner: Owner,
    now: datetime,
) -> Change:
    """Say how far a recall is dealt with; raises HoldingError for what cannot be."""
    if state not in SAYABLE:
        raise HoldingError("state", gettext_noop("Choose one of the list."))
    if row.state == S.EXPIRED:
        raise HoldingError("state", gettext_noop("It was withdrawn: there is nothing to do."))
    before = [snapshots.of(row)]
    row.state, row.source = state, Source.SELF
    _say(row, values, today=duedates.today_in(row.asset.household.zone, now))
    with transaction.atomic():
        row.save()
        say([row], now=now)
        return holdings.remember(MOVED, row.asset, owner=owner, now=now, before=before)


def _say(row: RecallMatch, values: Mapping[str, Any], *, today: date) -> None:
    for name in FIELDS & values.keys():
        setattr(row, name, values[name])
    if row.state == S.REMEDIED:
        row.remedied_on = row.remedied_on or today
        if row.remedied_on > today:
            raise HoldingError("remedied_on", gettext_noop("This day is still to come."))
    else:
        row.remedied_on = row.proof = row.record = None
    for name, one in (("proof", row.proof), ("record", row.record)):
        if one is not None and one.household_id != row.household_id:
            raise HoldingError(name, gettext_noop("There is no such object."))
    row.provider, row.note = row.provider.strip()[:120], row.note.strip()[:200]


def told(
    *,
    asset: Asset,
    published: Published,
    by: str,
    confidence: Confidence,
    contact: UUID,
    now: datetime,
) -> RecallMatch:
    """Note that a supplier tells of a recall of a thing; its own matter speaks of it.

    Where an authority's list has the same number, it is that one recall.
    """
    notice = _known(asset, published.number)
    if notice is None:
        notice, _is_changed = store(published, now=now, household=asset.household, declared_by=by)
    row = RecallMatch.objects.filter(asset=asset, notice=notice).select_related(*WITH).first()
    if row is None:
        row = RecallMatch(
            household_id=asset.household_id,
            asset=asset,
            notice=notice,
            confidence=confidence,
            by=TOLD,
            found_at=now,
        )
    elif SURENESS.index(confidence) > SURENESS.index(Confidence(row.confidence)):
        row.confidence = confidence
    if row.state in (S.NOT_AFFECTED, S.EXPIRED) and row.said_in is None:
        row.state = S.NEW  # somebody who must know says that it is about this one
    row.said_in = contact
    row.save()
    return row


def withdrawn(*, asset: Asset, number: str, contact: UUID, now: datetime) -> None:
    """Note that whoever told of a recall takes it back; an authority's own still holds."""
    rows = matches_of(asset, number).filter(notice__household=asset.household_id)
    for row in rows.exclude(state=S.REMEDIED):
        row.state, row.said_in, row.source = S.EXPIRED, contact, Source.SUPPLIER
        row.save(update_fields=["state", "said_in", "source"])
        say([row], now=now)


def done_by(
    rows: Iterable[RecallMatch],
    *,
    provider: str,
    on: date,
    contact: UUID,
    now: datetime,
    record: ServiceRecord | None = None,
) -> None:
    """Note that a supplier says it has put something right; its word is the proof."""
    for row in rows:
        if row.state == S.REMEDIED:
            continue
        row.state, row.source = S.REMEDIED, Source.SUPPLIER
        row.remedied_on, row.provider = on, provider[:120]
        row.record, row.said_in = record, contact
        row.save()
        say([row], now=now)


def named_in(asset: Asset, texts: Iterable[str]) -> list[RecallMatch]:
    """Return the open recalls of a thing whose number stands in one of some texts.

    NHTSA's numbers end in three digits that workshops leave out.
    """
    said = " ".join(texts).upper()
    found = []
    for row in matches_of(asset).filter(state__in=OPEN):
        number = row.notice.number.upper()
        short = number.removesuffix("000") if row.notice.source == "nhtsa" else number
        whole = rf"(?<![\w/-]){re.escape(short)}(?:000)?(?![\w/-])"
        if len(short) >= LEAST_NUMBER and re.search(whole, said):
            found.append(row)
    return found


def matches_of(asset: Asset, number: str = "") -> Any:
    """Return the recalls of a thing; with a number, those of that number."""
    rows = RecallMatch.objects.filter(asset=asset).select_related(*WITH)
    return rows.filter(notice__number__iexact=number.strip()) if number else rows


def _known(asset: Asset, number: str) -> RecallNotice | None:
    """Return the recall of a number that may mean a thing already, if there is exactly one."""
    found = list(matches_of(asset, number)[:2])
    return found[0].notice if len(found) == 1 else None


# --- read --------------------------------------------------------------------------------


def of_asset(asset: Asset) -> list[RecallMatch]:
    """Return the recalls of a thing: what is open first, then the newest."""
    rows = list(matches_of(asset).order_by("-found_at", "-pk")[:100])
    return sorted(rows, key=lambda row: (row.state not in OPEN, -sureness(row)))


def fitting(row: RecallMatch) -> list[Criterion]:
    """Return how a recall names the things of this maker, each way once."""
    rows = [criterion_of(one) for one in row.notice.criteria.order_by("pk")[:MOST_CRITERIA]]
    key = maker_key(row.asset.maker)
    mine = [one for one in rows if not key or maker_key(one.brand) in ("", key)]
    return list(dict.fromkeys(mine or rows))[:SHOWN]


def sureness(row: RecallMatch) -> int:
    """Return how sure a match is, as a number; more is surer."""
    return SURENESS.index(Confidence(row.confidence))


def to_book(owner: Owner) -> Any:
    """Return the open recalls of an owner's things."""
    mine = RecallMatch.objects.for_owner(owner).filter(state__in=OPEN)
    return mine.select_related(*WITH)


def as_facts(asset: Asset) -> list[dict[str, Any]]:
    """Return a thing's recalls and what was done about them, as they go along with it.

    They are facts of the thing: what the next owner has to know. Whose proof it was stays,
    the paper itself does not; "not mine" was one owner's word and does not go along.
    """
    return [
        {
            "source": row.notice.source,
            "declared_by": row.notice.declared_by,
            "number": row.notice.number,
            "title": row.notice.title,
            "hazard": row.notice.hazard,
            "remedy": row.notice.remedy,
            "url": row.notice.url,
            "published_on": _iso(row.notice.published_on),
            "confidence": row.confidence,
            "state": row.state if row.state in (S.REMEDIED, S.EXPIRED) else S.NEW.value,
            "remedied_on": _iso(row.remedied_on),
            "remedied_by": row.provider if row.state == S.REMEDIED else "",
            "stated_by": row.source,
        }
        for row in matches_of(asset).order_by("notice__number", "pk")
        if row.state != S.NOT_AFFECTED
    ]


def bring_in(*, asset: Asset, facts: Iterable[Mapping[str, Any]], now: datetime) -> int:
    """Take over what `as_facts` gave at the thing's former owner; return how many were new.

    What an authority's list says here wins over what is brought along; a recall that no list
    here knows becomes this household's, and nobody else's. Raises HoldingError for a row
    that cannot be.
    """
    made = 0
    for fact in facts:
        published, state, confidence, remedied_on = _read(fact)
        notice = RecallNotice.objects.filter(
            source=published.source, number=published.number, household=None
        ).first()
        if notice is None:
            notice, _is_changed = store(
                Published(
                    source=PASSED,
                    number=published.number,
                    title=published.title,
                    criteria=(),
                    published_on=published.published_on,
                    hazard=published.hazard,
                    remedy=published.remedy,
                    url=published.url,
                ),
                now=now,
                household=asset.household,
                declared_by=str(fact.get("declared_by") or published.source),
            )
        row, is_new = RecallMatch.objects.get_or_create(
            asset=asset,
            notice=notice,
            defaults={
                "household_id": asset.household_id,
                "confidence": confidence,
                "by": PASSED,
                "found_at": now,
            },
        )
        if state == S.REMEDIED and row.state != S.REMEDIED:
            row.state, row.remedied_on = state, remedied_on
            row.provider = str(fact.get("remedied_by") or "")[:120]
            row.source = Source.IMPORTED
            row.save()
        made += is_new
    review_asset(asset, now=now)
    return made


def _read(
    fact: Mapping[str, Any],
) -> tuple[Published, RecallState, Confidence, date | None]:
    try:
        days = {
            name: date.fromisoformat(fact[name]) if fact.get(name) else None
            for name in ("published_on", "remedied_on")
        }
        state, confidence = RecallState(fact["state"]), Confidence(fact["confidence"])
        url = str(fact.get("url") or "")
        published = Published(
            source=str(fact["source"])[:12],
            number=str(fact["number"])[:80],
            title=str(fact["title"])[:300],
            criteria=(),
            published_on=days["published_on"],
            hazard=str(fact.get("hazard") or "")[:8000],
            remedy=str(fact.get("remedy") or "")[:8000],
            url=url if url.startswith("https://") else "",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise HoldingError("recalls", gettext_noop("A recall in it cannot be read.")) from error
    if not published.number or not published.title:
        raise HoldingError("recalls", gettext_noop("A recall in it cannot be read."))
    return published, state, confidence, days["remedied_on"]


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def papers_for(row: RecallMatch) -> Any:
    """Return the documents that may prove that a recall was put right."""
    mine = Document.objects.filter(household=row.household_id, removed_at=None)
    return mine.filter(Q(asset=row.asset_id) | Q(asset=None)).order_by("-added_at", "-pk")
