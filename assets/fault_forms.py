"""What is asked about faults, repairs and claims."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from assets.care_words import Severity
from assets.choices import CoverageKind
from assets.cover_words import Cause, ClaimState, OrderState, Remedy
from assets.life_forms import amount, begun, currency, day, words
from assets.models import Asset, Claim, Coverage, Issue, WorkOrder

NOBODY = _("None of these")


def text(label: Any, most: int = 4000) -> forms.CharField:
    """Return a field for a few sentences."""
    area = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, required=False, max_length=most, widget=area)


def one_of(rows: Any, label: Any) -> forms.ModelChoiceField[Any]:
    """Return a field that names one of an asset's rows, or none."""
    return forms.ModelChoiceField(
        rows, label=label, to_field_name="uuid", required=False, empty_label=NOBODY
    )


class FaultForm(forms.Form):
    """What is wrong: enough to say who pays."""

    title = words(_("What is wrong?"), 200, required=True)
    cause = forms.ChoiceField(label=_("What happened?"), choices=Cause.choices)
    part = words(_("Which part of it"), help_text=_("If you know: pump, screen, door seal..."))
    noticed_on = day(_("Since when"), required=True)
    severity = forms.ChoiceField(
        label=_("How bad"), choices=Severity.choices, initial=Severity.NORMAL
    )
    is_out_of_order = forms.BooleanField(label=_("It does not work any more"), required=False)
    note = text(_("What you saw and tried"))

    def __init__(
        self, data: QueryDict | None = None, *, today: Any, row: Issue | None = None
    ) -> None:
        """Begin with what is known; a fault that was written down is not reported again."""
        said = {
            name: field for name, field in self.base_fields.items() if name != "is_out_of_order"
        }
        initial = begun(row, said) if row else {"noticed_on": today.isoformat()}
        super().__init__(data, initial=initial)
        if row is not None:
            del self.fields["is_out_of_order"]


class OrderForm(forms.Form):
    """A repair that is planned, asked for or under way."""

    title = words(_("What is to be done?"), 200, required=True)
    provider = words(_("Who does it?"))
    issue = one_of(Issue.objects.none(), _("For which fault"))
    planned_on = day(_("When"))
    state = forms.ChoiceField(label=_("How far it is"), choices=OrderState.choices)
    amount = amount(_("Price they named"))
    currency = currency()
    note = text(_("Note"))

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        asset: Asset,
        row: WorkOrder | None = None,
        issue: Issue | None = None,
    ) -> None:
        """Begin with what is known."""
        initial: dict[str, Any] = {"currency": asset.household.currency}
        if row is not None:
            initial = begun(row, {k: v for k, v in self.base_fields.items() if k != "issue"})
            initial["currency"] = initial["currency"] or asset.household.currency
            issue = row.issue
        elif issue is not None:
            initial["title"] = issue.title
        initial["issue"] = issue.uuid if issue else None
        super().__init__(data, initial=initial)
        rows = Issue.objects.filter(asset=asset, removed_at=None).order_by("-noticed_on", "-pk")
        self.fields["issue"].queryset = rows  # type: ignore[attr-defined]  # the field of a model choice


class ClaimForm(forms.Form):
    """What is asked of whoever is to pay."""

    kind = forms.ChoiceField(label=_("On what ground"), choices=CoverageKind.choices)
    obligor = words(_("Who is to pay?"))
    number = words(_("Claim number"), 80, help_text=_("As they call it; their news then fits."))
    issue = one_of(Issue.objects.none(), _("For which fault"))
    coverage = one_of(Coverage.objects.none(), _("By which cover"))
    claimed = amount(_("How much you ask for"))
    currency = currency()
    answer_by = day(_("Answer expected by"))
    filed_on = day(_("Sent on"))
    note = text(_("Note"))

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        asset: Asset,
        row: Claim | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        """Begin with what is known."""
        first: dict[str, Any] = {"currency": asset.household.currency} | (initial or {})
        if row is not None:
            rows = ("issue", "coverage")
            first = begun(row, {k: v for k, v in self.base_fields.items() if k not in rows})
            first["currency"] = first["currency"] or asset.household.currency
            first |= {name: getattr(row, name) and getattr(row, name).uuid for name in rows}
        super().__init__(data, initial=first)
        issues = Issue.objects.filter(asset=asset, removed_at=None).order_by("-noticed_on", "-pk")
        self.fields["issue"].queryset = issues  # type: ignore[attr-defined]  # the field of a model choice
        covers = Coverage.objects.filter(asset=asset).order_by("kind", "pk")
        self.fields["coverage"].queryset = covers  # type: ignore[attr-defined]  # the field of a model choice
        self.fields["coverage"].label_from_instance = named  # type: ignore[attr-defined]  # as above


def named(cover: Coverage) -> str:
    """Return what a cover is called in a list."""
    return " ".join(filter(None, (cover.get_kind_display(), cover.obligor, cover.reference)))


class ClaimMoveForm(forms.Form):
    """What is said with the next state of a claim."""

    state = forms.ChoiceField(choices=ClaimState.choices, widget=forms.HiddenInput())
    on = day(_("When"), required=True)
    number = words(_("Claim number"), 80)
    remedy = forms.ChoiceField(
        label=_("What did they do?"), choices=[("", "—"), *Remedy.choices], required=False
    )
    amount = amount(_("Paid"))
    currency = currency()

    def __init__(
        self, data: QueryDict | None = None, *, claim: Claim, state: ClaimState, today: Any
    ) -> None:
        """Keep what this state asks."""
        initial = {
            "state": state.value,
            "on": today.isoformat(),
            "number": claim.number,
            "currency": claim.currency or claim.asset.household.currency,
        }
        super().__init__(data, initial=initial)
        asked = ["state", "on"]
        if state in (ClaimState.SUBMITTED, ClaimState.ANSWERED):
            asked.append("number")
        elif state == ClaimState.PAID:
            asked += ["remedy", "amount", "currency"]
        self.fields = {name: self.fields[name] for name in asked}

    def values(self) -> dict[str, Any]:
        """Return what was said, as a claim keeps it."""
        said = dict(self.cleaned_data)
        state, on = said.pop("state"), said.pop("on")
        days = {"submitted": "filed_on", "answered": "answered_on"}
        if state in ("paid", "refused"):
            said["resolved_on"] = on
        elif state in days:
            said[days[state]] = on
        return said
