"""What the owner ticks on a pass, what is typed to open one, and what is written on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from assets.models import Document
from notifications import handing, pass_rules
from notifications.passes import Wishes
from suppliers.models import Supplier

SCOPE_LABELS = {
    pass_rules.FACTS: _("What is known"),
    pass_rules.TRIED: _("What was already tried"),
    pass_rules.REFERENCES: _("Reference numbers of every supplier"),
    pass_rules.VISITS: _("Visits, with their times"),
    pass_rules.PROMISES: _("What was promised and is still open"),
    pass_rules.SERIAL: _("Serial number and other numbers of the thing"),
    pass_rules.NAME: _("Your first name"),
    pass_rules.ADDRESS: _("Where it is"),
    pass_rules.PHONE: _("Your phone number"),
    pass_rules.NOTES: _("What you wrote down yourself, word for word"),
}
LENGTHS = [
    (1, ngettext_lazy("%d hour", "%d hours", 1) % 1),
    (24, ngettext_lazy("%d day", "%d days", 1) % 1),
    (168, ngettext_lazy("%d day", "%d days", 7) % 7),
]


class PassForm(forms.Form):
    """What a pass shows, for whom, and how long."""

    scope = forms.MultipleChoiceField(
        label=_("What it shows"),
        choices=list(SCOPE_LABELS.items()),
        initial=list(pass_rules.USUAL),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    papers = forms.ModelMultipleChoiceField(
        Document.objects.none(),
        label=_("Photos and papers"),
        to_field_name="uuid",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    facts = forms.MultipleChoiceField(
        label=_("Of what is known"), required=False, widget=forms.CheckboxSelectMultiple
    )
    supplier = forms.ModelChoiceField(
        Supplier.objects.none(),
        label=_("Whom it is for"),
        to_field_name="uuid",
        required=False,
        empty_label=_("Anybody who needs it"),
    )
    hours = forms.TypedChoiceField(
        label=_("How long it opens"),
        choices=LENGTHS,
        coerce=int,
        initial=pass_rules.USUAL_LENGTH,
        widget=forms.RadioSelect,
    )
    may_write = forms.BooleanField(
        label=_("They may write back: a reference, a promise, what came of it"),
        required=False,
        initial=True,
    )

    def __init__(
        self, *args: Any, choices: handing.Choices, facts: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        """Offer what there is; a fact is on unless it is taken off."""
        super().__init__(*args, **kwargs)
        papers = Document.objects.filter(pk__in=[paper.pk for paper in choices.papers])
        self.fields["papers"].queryset = papers.order_by("-added_at")  # type: ignore[attr-defined]  # of this kind of field
        suppliers = Supplier.objects.filter(pk__in=[row.pk for row in choices.suppliers])
        self.fields["supplier"].queryset = suppliers.order_by("name")  # type: ignore[attr-defined]  # of this kind of field
        self.fields["facts"].choices = facts  # type: ignore[attr-defined]  # of this kind of field
        self.fields["facts"].initial = [name for name, _label in facts]

    def wishes(self) -> Wishes:
        """Return what was ticked."""
        values = self.cleaned_data
        # A matter chosen on the same page had no facts to take off yet.
        offered = self.data.getlist("offered")  # type: ignore[attr-defined]  # of a QueryDict
        return Wishes(
            scope=values["scope"],
            papers=[paper.uuid for paper in values["papers"]],
            without=[name[:60] for name in offered if name not in values["facts"]],
            hours=values["hours"],
            may_write=values["may_write"],
            supplier=values["supplier"],
        )


class CodeForm(forms.Form):
    """A code that was read out."""

    code = forms.CharField(
        label=_("The code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "inputmode": "text",
                "class": "code-field mono",
                "placeholder": "K7M-4QX",
            }
        ),
    )


class Moment(forms.DateTimeInput):
    """A day and a time as the browser picks them."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        """Write it as the browser reads it, whatever the language."""
        super().__init__(format="%Y-%m-%dT%H:%M")


class NoteForm(forms.Form):
    """What somebody writes on a pass; `kind` says which of the fields counts."""

    kind = forms.ChoiceField(choices=[("reference", ""), ("promise", ""), ("outcome", "")])
    key = forms.CharField(max_length=60, required=False)
    who = forms.CharField(
        label=_("Your name, and for whom you work"), max_length=80, required=False
    )
    reference = forms.CharField(label=_("Your reference number"), max_length=120, required=False)
    what = forms.CharField(label=_("What you will do"), max_length=300, required=False)
    due_at = forms.DateTimeField(label=_("By when"), required=False, widget=Moment())
    step = forms.CharField(label=_("What you tried or did"), max_length=300, required=False)
    result = forms.CharField(label=_("What came of it"), max_length=300, required=False)

    NEEDED = {"reference": "reference", "promise": "what", "outcome": "step"}
    TAKEN = {
        "reference": ("reference",),
        "promise": ("what", "due_at"),
        "outcome": ("step", "result"),
    }

    def clean(self) -> dict[str, Any]:
        """Ask for the one field without which the note says nothing."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        needed = self.NEEDED.get(values.get("kind", ""))
        if needed and not values.get(needed) and needed not in self.errors:
            self.add_error(needed, _("Write it here."))
        return values

    def note(self) -> dict[str, Any]:
        """Return what was written, as `passes.write` takes it."""
        values = self.cleaned_data
        found: dict[str, Any] = {"kind": values["kind"], "who": values["who"]}
        for name in self.TAKEN[values["kind"]]:
            value = values[name]
            found[name] = value.isoformat() if isinstance(value, datetime) else value
        return {name: value for name, value in found.items() if value}
