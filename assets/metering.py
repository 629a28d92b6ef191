"""Meters and what they show."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from assets import care, duedates
from assets.care_words import MeterKind, SwapKind
from assets.choices import Source
from assets.models import Asset, Meter, MeterReading, MeterReplacement, ServiceRecord
from owners import undo
from owners.models import Change, Owner

ADDED, CHANGED, REMOVED = "meter.add", "meter.change", "meter.remove"
READ, UNREAD = "meter.read", "meter.unread"
FIELDS = frozenset({"name", "unit", "kind", "rolls_over_at"})
# Why a meter shows less than before: the earlier reading was wrong, or it began anew.
Why = Literal["typo", "replaced", "rolled_over"]
WHYS = ("typo", "replaced", "rolled_over")


class MeterError(Exception):
    """A meter or reading that cannot be; `field` says which input, the text says why."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail


class LowerReadingError(MeterError):
    """The meter counts up, and `other` showed more before (or less after): say why."""

    def __init__(self, other: care.Reading) -> None:
        super().__init__("value", gettext_noop("The meter showed more before. Why is it less now?"))
        self.other = other


def add(
    *,
    asset: Asset,
    values: Mapping[str, Any],
    now: datetime,
    owner: Owner | None = None,
    source: Source = Source.SELF,
) -> Meter:
    """Give an asset a meter; raises MeterError when it has one of that name."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                meter = Meter.objects.create(
                    household_id=asset.household_id,
                    asset=asset,
                    created_at=now,
                    source=source,
                    **{name: values[name] for name in FIELDS & values.keys()},
                )
        except IntegrityError as error:
            raise MeterError("name", gettext_noop("There is a meter of this name.")) from error
        if owner is not None:
            _remember(ADDED, meter, owner=owner, now=now)
    return meter


def change(
    *, meter: Meter, values: Mapping[str, Any], owner: Owner, now: datetime
) -> Change | None:
    """Change a meter; with readings its unit stays. None when nothing changed."""
    before = {
        name: _plain(getattr(meter, name))
        for name in sorted(FIELDS & values.keys())
        if getattr(meter, name) != values[name]
    }
    if not before:
        return None
    with transaction.atomic():
        if "unit" in before and meter.readings.counting().exists():
            raise MeterError("unit", gettext_noop("Its readings are in the unit it has."))
        for name in before:
            setattr(meter, name, values[name])
        try:
            with transaction.atomic():
                meter.save(update_fields=sorted(before))
        except IntegrityError as error:
            raise MeterError("name", gettext_noop("There is a meter of this name.")) from error
        duedates.refresh(assets=[meter.asset_id], now=now)
        return _remember(CHANGED, meter, owner=owner, now=now, before=before)


def remove(*, meter: Meter, owner: Owner, now: datetime) -> Change:
    """Put a meter into the bin, with its readings; it can be put back for 30 days."""
    with transaction.atomic():
        meter.removed_at = now
        meter.save(update_fields=["removed_at"])
        duedates.refresh(assets=[meter.asset_id], now=now)
        return _remember(REMOVED, meter, owner=owner, now=now, is_removal=True)


def read(  # noqa: PLR0913 - a reading has that many sides
    *,
    meter: Meter,
    value: Decimal,
    read_on: date,
    now: datetime,
    owner: Owner | None = None,
    unit: str = "",
    why_less: Why | None = None,
    record: ServiceRecord | None = None,
    note: str = "",
    source: Source = Source.SELF,
    source_key: str = "",
) -> MeterReading:
    """Note what a meter showed on a day; what depends on it is worked out anew.

    Raises LowerReadingError for one that its neighbours make impossible, unless `why_less`
    says why: `typo` (the other one was wrong, and counts no more), `replaced` or
    `rolled_over`. What was imported and is impossible is kept and counts for nothing.
    The same `source_key` again is the same reading.
    """
    with transaction.atomic():
        meter = (
            Meter.objects.select_for_update(of=("self",))
            .select_related("household")
            .get(pk=meter.pk)
        )
        if source_key:
            same = meter.readings.filter(source_key=source_key).first()
            if same is not None:
                return same
        value = _checked(meter, value, read_on, unit=unit, now=now)
        known = duedates.meter_of(meter)
        new = care.Reading(on=read_on, value=value)
        other, is_doubtful = care.contradicts(known, new), False
        consequences: dict[str, list[int]] = {}
        if other is not None:
            if why_less is None and source != Source.SELF:
                is_doubtful = True
            elif why_less == "typo":
                wrong = meter.readings.filter(read_on=other.on, removed_at=None)
                wrong = wrong.filter(value=other.value, is_doubtful=False)
                consequences["doubted"] = list(wrong.values_list("pk", flat=True))
                meter.readings.filter(pk__in=consequences["doubted"]).update(is_doubtful=True)
                if care.contradicts(duedates.meter_of(meter), new) is not None:
                    raise LowerReadingError(other)
            elif why_less is not None and other.on <= read_on:
                swap = _begin_anew(meter, known, new, SwapKind(why_less), now=now)
                consequences["swaps"] = [swap.pk]
            else:
                raise LowerReadingError(other)
        reading = MeterReading.objects.create(
            household_id=meter.household_id,
            meter=meter,
            read_on=read_on,
            value=value,
            record=record,
            is_doubtful=is_doubtful,
            note=note[:200],
            source=source,
            source_key=source_key,
            created_at=now,
        )
        if record is None:  # else whoever writes the record works it out, once
            duedates.refresh(assets=[meter.asset_id], now=now)
            if owner is not None:
                undo.remember(
                    kind=READ,
                    label=f"{meter.name}: {value.normalize():f} {meter.unit}".strip(),
                    now=now,
                    owner=owner,
                    household=meter.household,
                    subject=reading.uuid,
                    after=consequences,
                )
    return reading


def replace(
    *,
    meter: Meter,
    replaced_on: date,
    last_old: Decimal,
    now: datetime,
    first_new: Decimal = Decimal(0),
    kind: SwapKind = SwapKind.REPLACED,
) -> MeterReplacement:
    """Note that a meter began anew; it is no service, and moves no calendar."""
    with transaction.atomic():
        swap = MeterReplacement.objects.create(
            household_id=meter.household_id,
            meter=meter,
            kind=kind,
            replaced_on=replaced_on,
            last_old=last_old,
            first_new=first_new,
            created_at=now,
        )
        duedates.refresh(assets=[meter.asset_id], now=now)
    return swap


def take_back(*, reading: MeterReading, owner: Owner, now: datetime) -> Change:
    """Take a reading back: it counts no more; that can be undone."""
    with transaction.atomic():
        reading.removed_at = now
        reading.save(update_fields=["removed_at"])
        meter = reading.meter
        duedates.refresh(assets=[meter.asset_id], now=now)
        return undo.remember(
            kind=UNREAD,
            label=f"{meter.name}: {reading.value.normalize():f} {meter.unit}".strip(),
            now=now,
            owner=owner,
            household=meter.household,
            subject=reading.uuid,
        )


def undo_consequences(
    reading: MeterReading, *, after: Mapping[str, list[int]], now: datetime
) -> None:
    """Believe again what a reading put in doubt, and let the meter not begin anew with it."""
    meter = reading.meter
    meter.readings.filter(pk__in=after.get("doubted", [])).update(is_doubtful=False)
    meter.replacements.filter(pk__in=after.get("swaps", [])).update(removed_at=now)


def _checked(meter: Meter, value: Decimal, read_on: date, *, unit: str, now: datetime) -> Decimal:
    if read_on > duedates.today_in(meter.household.zone, now):
        raise MeterError("read_on", gettext_noop("This day is still to come."))
    try:
        value = care.convert(value, given=unit, into=meter.unit).quantize(Decimal("0.001"))
    except care.UnitError as error:
        raise MeterError("unit", str(error)) from error
    if meter.kind != MeterKind.GAUGE and value < 0:
        raise MeterError("value", gettext_noop("A meter that counts shows no less than nothing."))
    if meter.rolls_over_at is not None and value >= meter.rolls_over_at:
        raise MeterError("value", gettext_noop("The meter cannot show that much."))
    return value


def _begin_anew(
    meter: Meter, known: care.Meter, new: care.Reading, kind: SwapKind, *, now: datetime
) -> MeterReplacement:
    """Note that the meter began anew between its last reading and this one."""
    last = max(
        (reading for reading in known.readings if reading.on <= new.on),
        key=lambda reading: reading.on,
    )
    last_old, first_new = last.value, new.value
    if kind == SwapKind.ROLLED_OVER:
        if meter.rolls_over_at is None:
            digits = len(str(int(last.value)))
            meter.rolls_over_at = Decimal(10**digits)
            meter.save(update_fields=["rolls_over_at"])
        last_old, first_new = meter.rolls_over_at, Decimal(0)
    return MeterReplacement.objects.create(
        household_id=meter.household_id,
        meter=meter,
        kind=kind,
        replaced_on=new.on,
        last_old=last_old,
        first_new=first_new,
        created_at=now,
    )


def _remember(
    kind: str,
    meter: Meter,
    *,
    owner: Owner,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    is_removal: bool = False,
) -> Change:
    return undo.remember(
        kind=kind,
        label=meter.name,
        now=now,
        owner=owner,
        household=meter.household,
        subject=meter.uuid,
        before=before,
        is_removal=is_removal,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
