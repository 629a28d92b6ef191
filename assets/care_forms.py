"""What an owner says about care: a task, work that was done, a reading, a part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from assets import care_rules
from assets.care import SEASON_START
from assets.care_words import Combinator, Finding, MeterKind, WorkKind
from assets.caring import FAILED_CHECK, Work
from assets.forms import KEPT
from assets.models import Asset, CareTask, Meter, Part
from owners.models import Household, Owner

RHYTHMS = [
    ("floating", _("So long after it was last done")),
    ("fixed", _("On fixed days, whenever it was done")),
    ("once", _("Once, on one day")),
    ("none", _("Not by the calendar")),
]
UNITS = [
    ("day", _("days")),
    ("week", _("weeks")),
    ("month", _("months")),
    ("year", _("years")),
]
DAYS = [
    ("MO", _("Monday")),
    ("TU", _("Tuesday")),
    ("WE", _("Wednesday")),
    ("TH", _("Thursday")),
    ("FR", _("Friday")),
    ("SA", _("Saturday")),
    ("SU", _("Sunday")),
]
NTHS = [
    ("0", _("each week")),
    ("1", _("the first of a month")),
    ("2", _("the second of a month")),
    ("3", _("the third of a month")),
    ("4", _("the fourth of a month")),
    ("-1", _("the last of a month")),
]
COMPARES = [
    (">", _("more than")),
    (">=", _("at least")),
    ("<", _("less than")),
    ("<=", _("at most")),
    ("=", _("exactly")),
]
TRIP = "trip"
EVENTS = [
    ("", _("Nothing in particular")),
    (TRIP, _("A trip")),
    ("storm", _("A storm")),
    ("guests", _("Guests were here")),
    (SEASON_START, _("Its months begin")),
    (FAILED_CHECK, _("An inspection fails")),
]
WATCHING = ("watched", "compare", "limit", "hold_days")
REASONS = [
    ("", _("It shows more than before")),
    ("typo", _("The earlier reading was wrong")),
    ("replaced", _("The meter was replaced")),
    ("rolled_over", _("It went past its last digit")),
]


class Day(forms.DateInput):
    """A day as the browser picks it."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def plain(number: Decimal | None) -> str:
    """Return a number without the zeros that its column adds."""
    return "" if number is None else f"{number.normalize():f}"


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """A member of the household, by name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Owner.objects.none(), required=False, to_field_name="uuid", **kwargs)

    def label_from_instance(self, obj: Owner) -> str:
        """Return the name, else the address."""
        return obj.get_full_name() or obj.email


class TaskForm(forms.Form):
    """A task in plain words; what they cannot say is kept as it was."""

    name = forms.CharField(
        label=_("What is to be done?"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    rhythm = forms.ChoiceField(label=_("When"), choices=RHYTHMS)
    every = forms.IntegerField(label=_("Every"), min_value=1, max_value=1000, required=False)
    unit = forms.ChoiceField(label=_("Unit"), choices=UNITS, initial="month", required=False)
    anchor = forms.DateField(
        label=_("First day"),
        required=False,
        widget=Day,
        help_text=_("For fixed days, and for what comes once."),
    )
    last_done_on = forms.DateField(
        label=_("Last done"),
        required=False,
        widget=Day,
        help_text=_("Without it, Steward does not guess and asks."),
    )
    meter = forms.ModelChoiceField(
        Meter.objects.none(),
        label=_("By a meter"),
        required=False,
        to_field_name="uuid",
        empty_label=_("No meter"),
    )
    meter_every = forms.DecimalField(
        label=_("Every so many units"), required=False, min_value=Decimal("0.001"), localize=True
    )
    days = forms.MultipleChoiceField(
        label=_("On these weekdays"),
        choices=DAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For fixed days, instead of the first day's."),
    )
    nth = forms.ChoiceField(label=_("Which of them"), choices=NTHS, required=False, initial="0")
    watched = forms.ModelChoiceField(
        Meter.objects.none(),
        label=_("When a reading is over or under"),
        required=False,
        to_field_name="uuid",
        empty_label=_("No reading"),
    )
    compare = forms.ChoiceField(label=_("It shows"), choices=COMPARES, required=False)
    limit = forms.DecimalField(
        label=_("This value"), required=False, max_digits=15, decimal_places=3, localize=True
    )
    hold_days = forms.IntegerField(
        label=_("For so many days"), required=False, min_value=0, max_value=3650
    )
    event = forms.ChoiceField(label=_("After each time of"), choices=EVENTS, required=False)
    combinator = forms.ChoiceField(
        label=_("With more than one reason"), choices=Combinator.choices, required=False
    )
    season = forms.MultipleChoiceField(
        label=_("Only in these months"),
        choices=list(MONTHS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    lead_days = forms.IntegerField(
        label=_("Tell so many days before"), min_value=0, max_value=365, initial=14
    )
    assignee = PersonField(label=_("Who does it?"), empty_label=_("Nobody in particular"))
    provider = forms.CharField(label=_("Or which company?"), max_length=120, required=False)
    checklist = forms.CharField(
        label=_("Points to look at, one a line"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("An inspection: each point is good, to be watched, or fails."),
    )
    note = forms.CharField(
        label=_("How it is done"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    pause_when_stored = forms.BooleanField(label=_("Rest while it is stored"), required=False)

    def __init__(
        self, *args: Any, asset: Asset, spec: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Offer the asset's meters and the household's members; `spec` is the task as it is."""
        self.spec = dict(spec or {})
        if self.spec:
            kwargs.setdefault("initial", {})
            kwargs["initial"] = self._said() | kwargs["initial"]
        super().__init__(*args, **kwargs)
        meters = Meter.objects.filter(asset=asset, removed_at=None).order_by("name")
        self.fields["meter"].queryset = meters  # type: ignore[attr-defined]  # the field of a model choice
        people = Owner.objects.filter(memberships__household=asset.household_id).order_by("name")
        self.fields["assignee"].queryset = people  # type: ignore[attr-defined]  # as above
        self.fields["watched"].queryset = meters  # type: ignore[attr-defined]  # as above
        if not meters:
            for name in ("meter", "meter_every", *WATCHING):
                del self.fields[name]
        known = {name for name, _label in EVENTS}
        own = [one["event"] for one in self._kept("event") if one["event"] not in known]
        self.fields["event"].choices = [*EVENTS, *((name, name) for name in own[:1])]  # type: ignore[attr-defined]  # the field of a choice

    def _said(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            name: self.spec[name]
            for name in ("name", "lead_days", "provider", "note", "last_done_on", "season")
            if name in self.spec
        }
        said["pause_when_stored"] = self.spec.get("pause_when_stored", False)
        said["checklist"] = "\n".join(self.spec.get("checklist", []))
        said["combinator"] = self.spec.get("combinator", Combinator.ANY)
        said["rhythm"] = "none"
        for trigger in self.spec["triggers"]:
            if trigger["kind"] == "calendar":
                said["rhythm"] = trigger["mode"]
                said |= {
                    name: trigger[name] for name in ("every", "unit", "anchor") if name in trigger
                }
                rhythm = care_rules.read(trigger.get("rule", ""))
                if rhythm is not None:
                    said |= {"days": list(rhythm.days), "nth": str(rhythm.nth)}
                    said |= {"every": rhythm.every, "unit": "month" if rhythm.nth else "week"}
            elif trigger["kind"] == "condition":
                said |= {"watched": trigger["meter"], "compare": trigger["compare"]}
                said |= {"limit": Decimal(trigger["value"]), "hold_days": trigger["hold_days"]}
            elif trigger["kind"] == "event":
                said["event"] = trigger["event"]
            elif trigger["kind"] == "meter":
                said |= {"meter": trigger["meter"], "meter_every": Decimal(trigger["every"])}
        return said

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen rhythm needs."""
        got = super().clean() or {}
        rhythm = got.get("rhythm")
        if rhythm == "once" and not got.get("anchor"):
            self.add_error("anchor", _("What comes once needs its day."))
        is_said = bool(got.get("every") or self._rule or got.get("days"))
        if rhythm in ("floating", "fixed") and not is_said:
            self.add_error("every", _("Say how often."))
        has_meter = got.get("meter") is not None
        if has_meter and not got.get("meter_every"):
            self.add_error("meter_every", _("Say how often."))
        if got.get("watched") is not None and got.get("limit") is None:
            self.add_error("limit", _("Say over or under what."))
        if got.get("days") and rhythm != "fixed":
            self.add_error("days", _("Weekdays go with fixed days."))
        has_other = got.get("watched") is not None or got.get("event")
        if rhythm == "none" and not has_meter and not has_other:
            self.add_error("rhythm", _("Choose a calendar, a meter, a reading or an occasion."))
        return got

    @property
    def _rule(self) -> str:
        """The rule that no field shows, which is kept while the rhythm stays fixed."""
        rules = [one["rule"] for one in self._kept("calendar") if one.get("rule")]
        return next((rule for rule in rules if care_rules.read(rule) is None), "")

    def _kept(self, kind: str) -> list[dict[str, Any]]:
        """Return the triggers of a kind as they are; the fields show the first of each."""
        return [one for one in self.spec.get("triggers", []) if one["kind"] == kind]

    def _others(self) -> list[dict[str, Any]]:
        """Return what the task waits for beside calendar and meter."""
        got, found = self.cleaned_data, []
        if got.get("watched") is not None:
            found.append(
                {
                    "kind": "condition",
                    "meter": str(got["watched"].uuid),
                    "compare": got["compare"] or COMPARES[0][0],
                    "value": plain(got["limit"]),
                    "hold_days": got["hold_days"] or 0,
                }
            )
        if got["event"]:
            found.append({"kind": "event", "event": got["event"]})
        # A second of a kind can only be said by an app, and stays.
        return found + self._kept("condition")[1:] + self._kept("event")[1:]

    def _calendar(self) -> dict[str, Any]:
        got = self.cleaned_data
        calendar: dict[str, Any] = {"kind": "calendar", "mode": got["rhythm"]}
        if got["rhythm"] == "fixed" and got["days"]:
            every, nth = got["every"] or 1, int(got["nth"] or 0)
            rhythm = care_rules.Rhythm(every=every, days=tuple(got["days"]), nth=nth)
            calendar["rule"] = care_rules.write(rhythm)
        elif got["rhythm"] == "fixed" and self._rule and not got["every"]:
            calendar["rule"] = self._rule
        elif got["rhythm"] != "once" and got["every"]:
            calendar |= {"every": got["every"], "unit": got["unit"] or "month"}
        if got["anchor"] and got["rhythm"] != "floating":
            calendar["anchor"] = got["anchor"].isoformat()
        return calendar

    def as_spec(self) -> dict[str, Any]:
        """Return the task as `caring.add` takes it."""
        got, triggers = self.cleaned_data, []
        if got["rhythm"] != "none":
            triggers.append(self._calendar())
        if got.get("meter") is not None:
            was: dict[str, Any] = next(
                (t for t in self.spec.get("triggers", []) if t["kind"] == "meter"), {}
            )
            triggers.append(
                {
                    **was,
                    "kind": "meter",
                    "meter": str(got["meter"].uuid),
                    "every": plain(got["meter_every"]),
                }
            )
        spec: dict[str, Any] = {
            name: self.spec[name]
            for name in ("lead_units", "last_done_at", "amount", "currency")
            if name in self.spec
        }
        spec |= {
            "name": got["name"],
            "triggers": triggers + self._others(),
            "combinator": got.get("combinator") or Combinator.ANY.value,
            "season": sorted(map(int, got["season"])),
            "lead_days": got["lead_days"],
            "provider": got["provider"],
            "note": got["note"],
            "pause_when_stored": got["pause_when_stored"],
            "checklist": [
                line.strip()[:120] for line in got["checklist"].splitlines() if line.strip()
            ],
        }
        if got["last_done_on"]:
            spec["last_done_on"] = got["last_done_on"].isoformat()
        return spec


class WorkForm(forms.Form):
    """Work that was done: only its day is needed, and that is there already."""

    done_on = forms.DateField(label=_("When"), widget=Day)
    amount = forms.DecimalField(
        label=_("What it cost"), required=False, max_digits=14, decimal_places=4, localize=True
    )
    currency = forms.RegexField("^[A-Z]{3}$", label=_("Currency"), required=False)
    done_by = PersonField(label=_("Who did it?"), empty_label=_("Somebody else"))
    provider = forms.CharField(label=_("Which company?"), max_length=120, required=False)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 3})
    )
    papers = forms.FileField(
        label=_("Photo or receipt"),
        required=False,
        widget=forms.FileInput(attrs={"accept": KEPT, "capture": "environment"}),
    )

    def __init__(
        self,
        *args: Any,
        asset: Asset,
        owner: Owner,
        today: date,
        task: CareTask | None = None,
        **kwargs: Any,
    ) -> None:
        """Ask for the readings and points that this work has, and nothing else."""
        self.task = task
        initial = {
            "done_on": today,
            "currency": (task and task.currency) or asset.household.currency,
            "provider": task.provider if task else "",
            "done_by": "" if task and task.provider else owner.uuid,
        }
        kwargs["initial"] = initial | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        people = Owner.objects.filter(memberships__household=asset.household_id).order_by("name")
        self.fields["done_by"].queryset = people  # type: ignore[attr-defined]  # the field of a model choice
        self.fields["done_on"].widget.attrs["max"] = today.isoformat()
        meters = Meter.objects.filter(asset=asset, removed_at=None).order_by("name", "pk")
        self.meters = {f"meter-{meter.uuid}": meter for meter in meters}
        for name, meter in self.meters.items():
            unit = f" ({meter.unit})" if meter.unit else ""
            self.fields[name] = forms.DecimalField(
                label=f"{meter.name}{unit}", required=False, localize=True
            )
        if self.meters:
            self.fields["why_less"] = forms.ChoiceField(
                label=_("If the meter shows less"), choices=REASONS, required=False
            )
        parts = Part.objects.filter(household=asset.household_id, removed_at=None)
        fitting = parts.filter(Q(fits__contains=[asset.uuid]) | Q(fits=[])).order_by("name", "pk")
        self.parts = {f"part-{part.uuid}": part for part in fitting[:20]}
        for name, part in self.parts.items():
            self.fields[name] = forms.DecimalField(
                label=_("%(part)s used") % {"part": part.name},
                required=False,
                min_value=Decimal("0.001"),
                localize=True,
            )
        self.points = {
            f"point-{number}": item for number, item in enumerate(task.checklist if task else [])
        }
        for name, item in self.points.items():
            self.fields[name] = forms.ChoiceField(
                label=item,
                choices=Finding.choices,
                initial=Finding.PASS,
                widget=forms.RadioSelect,
            )

    def said(self, *, papers: list[Any]) -> Work:
        """Return what there is to say of the work."""
        got = self.cleaned_data
        is_check = bool(self.points)
        kind = got.get("kind") or (WorkKind.INSPECTION if is_check else WorkKind.SERVICE)
        return Work(
            kind=WorkKind(kind),
            note=got["note"],
            amount=got["amount"],
            currency=got["currency"],
            readings={
                meter: got[name] for name, meter in self.meters.items() if got[name] is not None
            },
            why_less=got.get("why_less") or None,
            parts={part: got[name] for name, part in self.parts.items() if got[name] is not None},
            papers=papers,
            findings=[{"item": item, "result": got[name]} for name, item in self.points.items()],
            done_by=got["done_by"],
            provider=got["provider"],
        )


class LogWorkForm(WorkForm):
    """Any work: what it was, and which tasks it completes."""

    title = forms.CharField(label=_("What was done?"), max_length=200)
    kind = forms.ChoiceField(label=_("What kind of work?"), choices=WorkKind.choices)
    tasks = forms.ModelMultipleChoiceField(
        CareTask.objects.none(),
        label=_("It completes"),
        required=False,
        to_field_name="uuid",
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("title", "kind", "done_on", "tasks")

    def __init__(self, *args: Any, asset: Asset, **kwargs: Any) -> None:
        """Offer the asset's tasks."""
        super().__init__(*args, asset=asset, **kwargs)
        tasks = CareTask.objects.filter(asset=asset, removed_at=None).by_need()
        if tasks:
            self.fields["tasks"].queryset = tasks  # type: ignore[attr-defined]  # as above
        else:
            del self.fields["tasks"]


class MarkForm(forms.Form):
    """Until when a task is put off or moved."""

    until = forms.DateField(label=_("Until"), widget=Day)


class MeterForm(forms.Form):
    """A meter."""

    name = forms.CharField(label=_("What does it count?"), max_length=80)
    unit = forms.CharField(
        label=_("Unit"), max_length=16, required=False, help_text=_("km, h, m³, kWh, bar")
    )
    kind = forms.ChoiceField(label=_("How it goes"), choices=MeterKind.choices)
    value = forms.DecimalField(label=_("What it shows now"), required=False, localize=True)


class ReadingForm(forms.Form):
    """What a meter shows."""

    value = forms.DecimalField(label=_("It shows"), max_digits=18, decimal_places=3, localize=True)
    read_on = forms.DateField(label=_("On"), widget=Day)
    why_less = forms.ChoiceField(
        label=_("If the meter shows less"), choices=REASONS, required=False
    )


class PartForm(forms.Form):
    """A spare part or consumable."""

    name = forms.CharField(label=_("What is it?"), max_length=120)
    number = forms.CharField(label=_("The maker's number"), max_length=80, required=False)
    quantity = forms.DecimalField(
        label=_("How much is there?"), min_value=Decimal(0), initial=1, localize=True
    )
    unit = forms.CharField(label=_("Unit"), max_length=16, required=False)
    reorder_at = forms.DecimalField(
        label=_("Buy again at"), min_value=Decimal(0), required=False, localize=True
    )
    place = forms.CharField(label=_("Where is it?"), max_length=200, required=False)
    fits = forms.ModelMultipleChoiceField(
        Asset.objects.none(),
        label=_("What is it for?"),
        required=False,
        to_field_name="uuid",
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing chosen: for anything."),
    )

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        """Offer the household's things."""
        super().__init__(*args, **kwargs)
        mine = Asset.objects.filter(household=household).looked_after()
        self.fields["fits"].queryset = mine  # type: ignore[attr-defined]  # as above

    def values(self) -> dict[str, Any]:
        """Return the part as `stocking` takes it."""
        return self.cleaned_data | {"fits": [asset.uuid for asset in self.cleaned_data["fits"]]}
