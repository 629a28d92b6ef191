"""How care is written down: by templates, imports, forms and the API, and in the rows.

A task is a JSON object as `SPEC` describes it, and what a template brings is one as
`CARE_PLAN` does: meters, and tasks that name them.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from jsonschema import Draft202012Validator

from assets.care import COMPARES, ByMeter, Calendar, Condition, Event, Trigger


class SpecError(ValueError):
    """A task, trigger or unit that cannot be: where (a JSON pointer), and why."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer, self.reason = pointer, reason


_DECIMAL = {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,3})?$"}
_DATE = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}
_METER = {"type": "string", "minLength": 1, "maxLength": 80}
TRIGGER: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "required": ["kind"],
            "additionalProperties": False,
            "properties": {
                "kind": {"const": "calendar"},
                "mode": {"enum": ["floating", "fixed", "once"]},
                "every": {"type": "integer", "minimum": 1, "maximum": 1000},
                "unit": {"enum": ["day", "week", "month", "year"]},
                "anchor": _DATE,
                "rule": {"type": "string", "maxLength": 200},
            },
        },
        {
            "type": "object",
            "required": ["kind", "meter", "every"],
            "additionalProperties": False,
            "properties": {
                "kind": {"const": "meter"},
                "mode": {"enum": ["floating", "fixed"]},
                "meter": _METER,
                "every": _DECIMAL,
                "anchor": _DECIMAL,
            },
        },
        {
            "type": "object",
            "required": ["kind", "meter", "compare", "value"],
            "additionalProperties": False,
            "properties": {
                "kind": {"const": "condition"},
                "meter": _METER,
                "compare": {"enum": list(COMPARES)},
                "value": _DECIMAL,
                "hold_days": {"type": "integer", "minimum": 0, "maximum": 3650},
            },
        },
        {
            "type": "object",
            "required": ["kind", "event"],
            "additionalProperties": False,
            "properties": {
                "kind": {"const": "event"},
                "event": {"type": "string", "pattern": "^[a-z][a-z0-9_.]{0,39}$"},
            },
        },
    ]
}
# One task. `meter` of a trigger is the name of a meter of the asset, or its id.
SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["name", "triggers"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 120},
        "note": {"type": "string", "maxLength": 4000},
        "triggers": {"type": "array", "minItems": 1, "maxItems": 6, "items": TRIGGER},
        "combinator": {"enum": ["any", "all"]},
        "season": {
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "integer", "minimum": 1, "maximum": 12},
        },
        "lead_days": {"type": "integer", "minimum": 0, "maximum": 365},
        "lead_units": _DECIMAL,
        "last_done_on": _DATE,
        "last_done_at": _DECIMAL,
        "pause_when_stored": {"type": "boolean"},
        "checklist": {
            "type": "array",
            "maxItems": 100,
            "items": {"type": "string", "minLength": 1, "maxLength": 120},
        },
        "provider": {"type": "string", "maxLength": 120},
        "amount": _DECIMAL,
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
}
# What a template brings: meters first, for the tasks name them.
CARE_PLAN: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "meters": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 80},
                    "unit": {"type": "string", "maxLength": 16},
                    "kind": {"enum": ["cumulative", "gauge", "cycle"]},
                    "rolls_over_at": _DECIMAL,
                },
            },
        },
        "tasks": {"type": "array", "items": SPEC},
    },
}
_TRIGGER, _SPEC, _PLAN = map(Draft202012Validator, (TRIGGER, SPEC, CARE_PLAN))


def check_spec(spec: Any) -> None:
    """Raise SpecError for what is no task."""
    _check(_SPEC, spec)
    for index, trigger in enumerate(spec["triggers"]):
        _at(f"/triggers/{index}", trigger)
    for name in ("last_done_on",):
        if name in spec:
            _day(spec[name], f"/{name}")


def check_plan(plan: Any) -> None:
    """Raise SpecError for what is no care plan of a template."""
    _check(_PLAN, plan)
    for index, spec in enumerate(plan.get("tasks", [])):
        try:
            check_spec(spec)
        except SpecError as error:
            raise SpecError(f"/tasks/{index}{error.pointer}", error.reason) from error


def read_trigger(data: Any) -> Trigger:
    """Return a trigger as `TRIGGER` describes it; raises SpecError."""
    _check(_TRIGGER, data)
    return _at("", data)


def kept_trigger(data: dict[str, Any]) -> Trigger:
    """Return a trigger of a row, which was checked when it was written."""
    return _at("", data)


def _at(pointer: str, data: dict[str, Any]) -> Trigger:
    match data["kind"]:
        case "meter":
            every = _number(data["every"], f"{pointer}/every")
            if every <= 0:
                raise SpecError(f"{pointer}/every", "Must be more than nothing.")
            return ByMeter(
                meter=data["meter"],
                every=every,
                mode=data.get("mode", "floating"),
                anchor=_number(data.get("anchor", "0"), f"{pointer}/anchor"),
            )
        case "condition":
            return Condition(
                meter=data["meter"],
                compare=data["compare"],
                value=_number(data["value"], f"{pointer}/value"),
                hold_days=data.get("hold_days", 0),
            )
        case "event":
            return Event(event=data["event"])
    mode, rule = data.get("mode", "floating"), data.get("rule", "")
    anchor = _day(data["anchor"], f"{pointer}/anchor") if "anchor" in data else None
    if mode == "once" and anchor is None:
        raise SpecError(f"{pointer}/anchor", "What comes once needs its day.")
    if rule and mode != "fixed":
        raise SpecError(f"{pointer}/rule", "Only a fixed rhythm has a rule.")
    if rule:
        _check_rule(rule, f"{pointer}/rule")
    return Calendar(
        every=data.get("every", 1),
        unit=data.get("unit", "month"),
        mode=mode,
        anchor=anchor,
        rule=rule,
    )


def write_trigger(trigger: Trigger) -> dict[str, Any]:
    """Return the trigger as `read_trigger` takes it."""
    match trigger:
        case ByMeter():
            return {
                "kind": "meter",
                "mode": trigger.mode,
                "meter": trigger.meter,
                "every": f"{trigger.every.normalize():f}",
                "anchor": f"{trigger.anchor.normalize():f}",
            }
        case Condition():
            return {
                "kind": "condition",
                "meter": trigger.meter,
                "compare": trigger.compare,
                "value": f"{trigger.value.normalize():f}",
                "hold_days": trigger.hold_days,
            }
        case Event():
            return {"kind": "event", "event": trigger.event}
    said: dict[str, Any] = {"kind": "calendar", "mode": trigger.mode}
    if trigger.mode != "once" and not trigger.rule:
        said |= {"every": trigger.every, "unit": trigger.unit}
    if trigger.anchor is not None:
        said["anchor"] = trigger.anchor.isoformat()
    return said | ({"rule": trigger.rule} if trigger.rule else {})


def meters_of(triggers: Iterable[Trigger]) -> set[str]:
    """Return the meters that these triggers look at."""
    return {one.meter for one in triggers if isinstance(one, (ByMeter, Condition))}


def _check(validator: Any, data: object) -> None:
    error = next(iter(sorted(validator.iter_errors(data), key=lambda one: list(one.path))), None)
    if error is not None:
        nearest = min(error.context, key=lambda one: -len(one.path)) if error.context else error
        raise SpecError("".join(f"/{step}" for step in nearest.absolute_path), nearest.message)


def _number(text: str, pointer: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise SpecError(pointer, "Must be a number.") from error


def _day(text: str, pointer: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SpecError(pointer, "There is no such day.") from error


_LONGEST = {month: calendar.monthrange(2024, month)[1] for month in range(1, 13)}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _check_rule(text: str, pointer: str) -> None:
    """Refuse rules that never come, or that take for ever to look through."""
    parts = {}
    for piece in text.split(";"):
        name, is_given, value = piece.partition("=")
        if not is_given or name in parts:
            raise SpecError(pointer, "Must be a recurrence rule, as in FREQ=MONTHLY;BYDAY=1MO.")
        parts[name] = value.split(",")
    freq = parts.pop("FREQ", [""])[0]
    allowed = {"INTERVAL", "BYDAY", "BYMONTH", "WKST"}
    if freq in ("MONTHLY", "YEARLY"):
        allowed |= {"BYMONTHDAY", "BYSETPOS"}
    if freq not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY") or parts.keys() - allowed:
        raise SpecError(pointer, "This kind of rule is not known here.")
    in_months = _numbers(parts.get("BYMONTH", []), 1, 12, pointer)
    _numbers(parts.get("INTERVAL", []), 1, 120, pointer)
    days = _numbers(parts.get("BYMONTHDAY", []), -31, 31, pointer)
    longest = max(_LONGEST[month] for month in in_months or _LONGEST)
    if any(day == 0 for day in days) or (days and min(map(abs, days)) > longest):
        raise SpecError(pointer, "No month has such a day.")
    positions = _numbers(parts.get("BYSETPOS", []), -4, 4, pointer)
    if 0 in positions or (positions and "BYDAY" not in parts):
        raise SpecError(pointer, "A position needs the weekdays it is among.")
    for day in [*parts.get("BYDAY", []), *parts.get("WKST", [])]:
        if day[-2:] not in _WEEKDAYS:
            raise SpecError(pointer, "There is no such weekday.")
        if day[:-2] and (freq not in ("MONTHLY", "YEARLY") or "BYMONTHDAY" in parts):
            raise SpecError(pointer, "Only a month counts its weekdays.")
        if 0 in _numbers([day[:-2]] if day[:-2] else [], -5, 5, pointer):
            raise SpecError(pointer, "No month has such a weekday.")


def _numbers(texts: Iterable[str], least: int, most: int, pointer: str) -> list[int]:
    try:
        found = [int(text) for text in texts]
    except ValueError as error:
        raise SpecError(pointer, "Must be whole numbers.") from error
    if any(not least <= number <= most for number in found):
        raise SpecError(pointer, f"Must lie between {least} and {most}.")
    return found
