"""What is asked with a step in an asset's life, and of what belongs to it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from assets import passages
from assets.choices import (
    AssetKind,
    BoughtAs,
    Condition,
    CostCategory,
    CoverageKind,
    CoverageState,
    EndReason,
    FieldType,
    LeavingAs,
    PriceKind,
)
from assets.holdings import Lines
from assets.lifecycle import Step
from assets.models import Acquisition, Asset, CostEntry, Coverage

LINES = 5  # of a price that a page offers at least


def day(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DateField:
    """Return a field for a day, with the browser's calendar."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget, help_text=help_text)


def amount(label: Any, *, required: bool = False) -> forms.DecimalField:
    """Return a field for an amount of money."""
    return forms.DecimalField(
        label=label,
        required=required,
        max_digits=14,
        decimal_places=4,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )


def currency(*, required: bool = False) -> forms.CharField:
    """Return a field for the three letters of a currency."""
    widget = forms.TextInput(attrs={"autocapitalize": "characters", "size": 4})
    return forms.CharField(label=_("Currency"), max_length=3, required=required, widget=widget)


def words(label: Any, most: int = 120, *, required: bool = False, help_text: Any = "") -> Any:
    """Return a field for a few words."""
    return forms.CharField(label=label, max_length=most, required=required, help_text=help_text)


class StepForm(forms.Form):
    """What a step asks: the day, and what its row in the table needs."""

    on = day(_("When"), required=True)
    seller = words(_("From whom"), required=True)
    order_no = words(_("Order number"), 80)
    expected_on = day(_("Expected on"))
    return_by = day(_("Can be returned until"))
    is_agreed = forms.BooleanField(label=_("The seller agrees to take it back"), required=False)
    fault = words(_("What is wrong?"), 200, required=True)
    provider = words(_("Who repairs it?"), required=True)
    is_taken_away = forms.BooleanField(label=_("They took it along"), required=False)
    work = words(_("What was done?"), 200, required=True)
    months = forms.IntegerField(
        label=_("Months of guarantee on the repair"), required=False, min_value=1, max_value=240
    )
    borrower = words(_("Who has it?"), required=True)
    reach = words(_("How to reach them"), 200)
    due_on = day(_("Back by"), required=True)
    where = words(_("Where it was last"), 200)
    reported_to = words(_("Reported to"))
    report_no = words(_("Report number"), 80)
    leaving_as = forms.ChoiceField(label=_("How?"), choices=LeavingAs.choices)
    reason = forms.ChoiceField(
        label=_("What became of it?"),
        choices=[choice for choice in EndReason.choices if choice[0] != EndReason.CANCELLED],
    )
    amount = amount(_("Amount"))
    currency = currency()
    note = words(_("Note"), 200)

    def __init__(
        self, data: QueryDict | None = None, *, asset: Asset, step: Step, today: Any
    ) -> None:
        """Keep what this step asks."""
        initial = {"on": today.isoformat(), "currency": asset.household.currency}
        bought = Acquisition.objects.filter(asset=asset).first()
        if bought is not None:
            initial |= {"seller": bought.seller, "order_no": bought.order_no}
            initial["currency"] = bought.currency or initial["currency"]
        super().__init__(data, initial=initial)
        asked = ("on", *passages.ASKED[step])
        self.fields = {name: self.fields[name] for name in asked}
        if step == Step.ORDER:
            self.fields["amount"].label = _("Price with tax")
        elif step in {Step.CANCEL, Step.SEND_BACK}:
            self.fields["amount"].label = _("Paid back")
        elif step == Step.END:
            self.fields["amount"].label = _("What you got for it")


class AcquisitionForm(forms.Form):
    """How a thing came here; the lines of its price stand below."""

    seller = words(_("From whom"))
    order_no = words(_("Order or invoice number"), 80)
    ordered_on = day(_("Ordered on"))
    expected_on = day(_("Expected on"))
    delivered_on = day(_("Delivered on"), help_text=_("The seller's guarantee begins here."))
    return_by = day(_("Can be returned until"))
    condition = forms.ChoiceField(label=_("It was"), choices=Condition.choices)
    bought_as = forms.ChoiceField(label=_("Bought"), choices=BoughtAs.choices)
    payment = words(_("Paid with"), 80)
    jurisdiction = words(_("Whose law holds (two letters)"), 2)
    currency = currency()

    def __init__(self, data: QueryDict | None = None, *, asset: Asset) -> None:
        """Begin with what is known."""
        bought = Acquisition.objects.filter(asset=asset).prefetch_related("lines").first()
        initial: dict[str, Any] = {
            "currency": asset.household.currency,
            "jurisdiction": asset.household.country,
        }
        lines: list[Any] = []
        if bought is not None:
            initial = begun(bought, self.base_fields)
            initial["currency"] = initial["currency"] or asset.household.currency
            lines = sorted(bought.lines.all(), key=lambda line: line.pk)
        super().__init__(data, initial=initial)
        for number in range(max(LINES, len(lines) + 1)):
            line = lines[number] if number < len(lines) else None
            first = line.kind if line else PriceKind.GROSS
            self.fields[f"kind_{number}"] = forms.ChoiceField(
                label=_("What"), choices=PriceKind.choices, initial=first, required=False
            )
            self.fields[f"amount_{number}"] = amount(_("Amount"))
            self.fields[f"amount_{number}"].initial = plain(line.amount) if line else None
            self.fields[f"label_{number}"] = words(_("In words"))
            self.fields[f"label_{number}"].initial = line.label if line else ""

    def plain_fields(self) -> list[forms.BoundField]:
        """Return the fields above the price."""
        return [self[name] for name in self.base_fields]

    def price_rows(self) -> list[tuple[forms.BoundField, ...]]:
        """Return the fields of each line of the price."""
        count = sum(name.startswith("amount_") for name in self.fields)
        return [
            tuple(self[f"{name}_{number}"] for name in ("kind", "amount", "label"))
            for number in range(count)
        ]

    def values(self) -> dict[str, Any]:
        """Return what was said, without the price."""
        return {name: self.cleaned_data[name] for name in self.base_fields}

    def lines(self) -> Lines:
        """Return the lines of the price that have an amount."""
        got = self.cleaned_data
        numbers = [name.removeprefix("amount_") for name in got if name.startswith("amount_")]
        return [
            (PriceKind(got[f"kind_{n}"] or PriceKind.GROSS), got[f"amount_{n}"], got[f"label_{n}"])
            for n in numbers
            if got[f"amount_{n}"] is not None
        ]


class CoverageForm(forms.Form):
    """A guarantee, an insurance, a service contract."""

    kind = forms.ChoiceField(label=_("What is it?"), choices=CoverageKind.choices)
    obligor = words(_("Who pays?"))
    reference = words(_("Policy or contract number"), 80)
    starts_on = day(_("From"))
    months = forms.IntegerField(
        label=_("For how many months"), required=False, min_value=1, max_value=1200
    )
    ends_on = day(_("Until"), help_text=_("Or leave it empty and say how many months."))
    is_lifetime = forms.BooleanField(label=_("For its whole life"), required=False)
    scope = words(_("What it covers"), help_text=_("Parts, labour, glass, theft..."))
    excess = amount(_("You pay first"))
    currency = currency()
    notice_days = forms.IntegerField(
        label=_("A fault has to be told within so many days"),
        required=False,
        min_value=1,
        max_value=3650,
    )
    register_by = day(_("To be registered by"))
    registered_on = day(_("Registered on"))
    state = forms.ChoiceField(label=_("State"), choices=CoverageState.choices, required=False)
    terms = forms.CharField(
        label=_("Terms"), required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(
        self, data: QueryDict | None = None, *, asset: Asset, row: Coverage | None = None
    ) -> None:
        """Begin with what is known."""
        initial = begun(row, self.base_fields) if row else {}
        initial["currency"] = initial.get("currency") or asset.household.currency
        super().__init__(data, initial=initial)

    def clean_state(self) -> str:
        """Return the state; a cover is in force unless it is said otherwise."""
        return self.cleaned_data["state"] or CoverageState.ACTIVE.value


class CostForm(forms.Form):
    """Money spent on a thing, or come back."""

    on = day(_("When"), required=True)
    amount = amount(_("Amount"), required=True)
    currency = currency(required=True)
    category = forms.ChoiceField(label=_("What for"), choices=CostCategory.choices)
    note = words(_("Note"), 200)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        asset: Asset,
        today: Any,
        row: CostEntry | None = None,
    ) -> None:
        """Begin with what is known."""
        initial = {"on": today.isoformat(), "currency": asset.household.currency}
        super().__init__(data, initial=begun(row, self.base_fields) if row else initial)


class PlaceForm(forms.Form):
    """A place gets another name, or lies somewhere else."""

    household = forms.UUIDField(widget=forms.HiddenInput())
    old = forms.CharField(max_length=200, widget=forms.HiddenInput())
    new = words(
        _("New name"), 200, required=True, help_text=_("House / Cellar / Shelf 2: widest first.")
    )


class CodeForm(forms.Form):
    """What a camera or a clipboard took from a label."""

    code = forms.CharField(
        label=_("Code from the label"),
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class FieldForm(forms.Form):
    """A field of the household's own."""

    name = words(_("Name"), 60, required=True)
    type = forms.ChoiceField(label=_("What it holds"), choices=FieldType.choices)
    choices = forms.CharField(
        label=_("The list, one a line"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    kind = forms.ChoiceField(
        label=_("For"), choices=[("", _("Everything")), *AssetKind.choices], required=False
    )

    def clean_choices(self) -> list[str]:
        """Return the list, each once."""
        lines = (line.strip()[:80] for line in self.cleaned_data["choices"].splitlines())
        return list(dict.fromkeys(line for line in lines if line))[:100]


class FoundForm(forms.Form):
    """What a finder tells the owner."""

    text = forms.CharField(
        label=_("Your message"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Where it is, and how it can be picked up."),
    )
    reach = forms.CharField(
        label=_("How to reach you"),
        max_length=200,
        required=False,
        help_text=_("A number or an address; only the owner sees it."),
    )


def plain(value: Decimal) -> str:
    """Return an amount without the zeros that the database adds."""
    return format(value.normalize() if value else value, "f")


def begun(row: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says, as its form begins."""
    values = {name: getattr(row, name) for name in names}
    for name, value in values.items():
        if isinstance(value, Decimal):
            values[name] = plain(value)
        elif hasattr(value, "isoformat"):
            values[name] = value.isoformat()
    return values
