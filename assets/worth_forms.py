"""What is asked about value, contracts, and whether to repair or replace."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from assets.costing import rounded
from assets.cover_words import Basis, ContractKind, Method
from assets.life_forms import amount, begun, currency, day, plain, words
from assets.models import Asset, Contract, Meter, ValuePlan
from assets.worth import Proposed


class PlanForm(forms.Form):
    """How a thing loses value."""

    method = forms.ChoiceField(label=_("How it loses value"), choices=Method.choices)
    life_months = forms.IntegerField(
        label=_("Months it should last"), min_value=1, max_value=1200, initial=120
    )
    salvage = amount(_("What it is worth at the end"))
    rate = forms.DecimalField(
        label=_("Share lost in a year"),
        required=False,
        max_digits=5,
        decimal_places=4,
        min_value=0,
        help_text=_("0.2 is a fifth; only for “by a share each year”."),
    )
    meter = forms.ModelChoiceField(
        Meter.objects.none(),
        label=_("Which meter counts its use"),
        to_field_name="uuid",
        required=False,
    )
    life_units = forms.DecimalField(
        label=_("Use in its whole life"), required=False, max_digits=18, decimal_places=3
    )

    def __init__(
        self, data: QueryDict | None = None, *, asset: Asset, row: ValuePlan | None
    ) -> None:
        """Begin with what is known."""
        names = {name: one for name, one in self.base_fields.items() if name != "meter"}
        initial: dict[str, Any] = begun(row, names) if row else {}
        initial["meter"] = row.meter.uuid if row and row.meter else None
        super().__init__(data, initial=initial)
        mine = Meter.objects.filter(asset=asset, removed_at=None).exclude(kind="gauge")
        self.fields["meter"].queryset = mine.order_by("name")  # type: ignore[attr-defined]  # the field of a model choice

    def clean_salvage(self) -> Decimal:
        """Return the salvage; nothing unless it is said."""
        return self.cleaned_data["salvage"] or Decimal(0)


class ValuationForm(forms.Form):
    """What a thing is worth."""

    on = day(_("When"), required=True)
    amount = amount(_("Amount"), required=True)
    currency = currency(required=True)
    basis = forms.ChoiceField(label=_("What value is it?"), choices=Basis.choices)
    note = words(_("Who says so"), 200)


class ContractForm(forms.Form):
    """A contract, and what it costs from a day on."""

    kind = forms.ChoiceField(label=_("What is it?"), choices=ContractKind.choices)
    party = words(_("With whom"), required=True)
    number = words(_("Contract number"), 80)
    starts_on = day(_("From"), required=True)
    ends_on = day(_("Until"))
    notice_days = forms.IntegerField(
        label=_("Days of notice"), required=False, min_value=0, max_value=3650
    )
    renews_months = forms.IntegerField(
        label=_("Renews itself by so many months"), required=False, min_value=1, max_value=1200
    )
    cancelled_on = day(_("Cancelled on"))
    fee = amount(_("Fee"), required=False)
    currency = currency()
    months = forms.IntegerField(
        label=_("Paid every so many months"),
        required=False,
        min_value=0,
        max_value=120,
        initial=1,
        help_text=_("0 is paid once."),
    )
    since = day(_("This fee since"))
    interest = amount(_("Of which interest"))
    is_variable = forms.BooleanField(
        label=_("It differs each time: about this much"), required=False
    )
    note = words(_("Note"), 200)

    def __init__(
        self, data: QueryDict | None = None, *, asset: Asset, row: Contract | None = None
    ) -> None:
        """Begin with what is known, and the fee that holds."""
        initial: dict[str, Any] = {"currency": asset.household.currency, "months": 1}
        if row is not None:
            own = ("fee", "currency", "months", "since", "interest", "is_variable")
            initial = begun(row, {k: v for k, v in self.base_fields.items() if k not in own})
            fee = row.fees.order_by("-since").first()
            initial["currency"] = fee.currency if fee else asset.household.currency
            if fee is not None:
                names = ("months", "since", "interest", "is_variable")
                initial |= begun(fee, dict.fromkeys(names))
                initial["fee"] = begun(fee, {"amount": None})["amount"]
        super().__init__(data, initial=initial)

    def values(self) -> dict[str, Any]:
        """Return what was said, as a contract keeps it."""
        said = dict(self.cleaned_data)
        fee = {
            "amount": said.pop("fee"),
            "currency": said.pop("currency"),
            "months": said.pop("months"),
            "since": said.pop("since") or said["starts_on"],
            "interest": said.pop("interest"),
            "is_variable": said.pop("is_variable"),
        }
        if fee["amount"] is None:
            return said
        if fee["months"] is None:
            fee["months"] = 1
        return said | {"fee": fee}


class ChoiceForm(forms.Form):
    """Repair it, or buy a new one?"""

    years = forms.IntegerField(label=_("Over how many years"), min_value=1, max_value=50, initial=5)
    repair = amount(_("What the repair costs"), required=True)
    paid_by_cover = amount(_("Of which somebody else pays"))
    upkeep = amount(_("Upkeep over these years, repaired"))
    price = amount(_("Price of a new one"), required=True)
    salvage = amount(_("What the new one is worth then"))
    upkeep_new = amount(_("Upkeep over these years, new"))

    def __init__(self, data: QueryDict | None = None, *, known: Proposed) -> None:
        """Begin with what the record says; each number can be changed."""
        names = ("repair", "paid_by_cover", "upkeep", "price", "salvage")
        initial: dict[str, Any] = {"years": known.years}
        for name in names:
            amount = getattr(known, name)
            if amount is not None:
                initial[name] = plain(rounded(amount, known.currency))
        super().__init__(data, initial=initial)

    def values(self) -> dict[str, Any]:
        """Return the numbers; what is not said is nothing."""
        return {name: value or Decimal(0) for name, value in self.cleaned_data.items()} | {
            "years": self.cleaned_data["years"]
        }
