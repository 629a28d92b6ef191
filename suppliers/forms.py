"""What an owner may say about a supplier."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from owners.models import Household
from suppliers.choices import FactName, Purpose, RoleKind
from suppliers.typed import read_domain, read_number


class SupplierForm(forms.Form):
    """A supplier nobody here knows yet."""

    name = forms.CharField(label=_("Name"), max_length=120)
    domain = forms.CharField(
        label=_("Their web or mail domain"),
        max_length=253,
        required=False,
        help_text=_("For example skyline.example. It counts for your household only."),
    )
    number = forms.CharField(
        label=_("Their phone number"),
        max_length=40,
        required=False,
        help_text=_("With the country code, as in +18005550199."),
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    assets = forms.ModelMultipleChoiceField(
        Asset.objects.none(),
        label=_("What they look after"),
        to_field_name="uuid",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        """Offer the household's assets."""
        super().__init__(*args, **kwargs)
        self.fields["assets"].queryset = household.assets.looked_after()  # type: ignore[attr-defined]  # the field of a model choice

    def clean_domain(self) -> str:
        """Read the domain from whatever address was pasted."""
        typed = str(self.cleaned_data["domain"])
        if typed.strip() and not read_domain(typed):
            raise forms.ValidationError(_("Write it as in skyline.example."))
        return read_domain(typed)

    def clean_number(self) -> str:
        """Read the number, however it is spaced."""
        typed = str(self.cleaned_data["number"])
        if typed.strip() and not read_number(typed):
            raise forms.ValidationError(_("Write the number with + and the country code."))
        return read_number(typed)


class ParticularForm(forms.Form):
    """One more name, number or domain of a supplier, as this household knows it."""

    kind = forms.ChoiceField(
        label=_("What"),
        choices=[("number", _("Phone number")), ("domain", _("Domain")), ("name", _("Name"))],
    )
    value = forms.CharField(label=_("Value"), max_length=253)

    def clean(self) -> dict[str, Any]:
        """Bring the value into the form in which it is compared."""
        got: dict[str, Any] = super().clean() or {}
        kind, value = got.get("kind"), str(got.get("value", "")).strip()
        if kind == "number":
            value = read_number(value)
            if not value:
                self.add_error("value", _("Write the number with + and the country code."))
        elif kind == "domain":
            value = read_domain(value)
            if not value:
                self.add_error("value", _("Write it as in skyline.example."))
        elif len(value) > 120:
            self.add_error("value", _("At most 120 letters."))
        got["value"] = value
        return got


class RoleForm(forms.Form):
    """What a supplier is for one asset."""

    asset = forms.ModelChoiceField(
        Asset.objects.none(), label=_("For"), to_field_name="uuid", empty_label=None
    )
    kind = forms.ChoiceField(label=_("They are its"), choices=RoleKind.choices)

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        """Offer the household's assets."""
        super().__init__(*args, **kwargs)
        self.fields["asset"].queryset = household.assets.looked_after()  # type: ignore[attr-defined]  # the field of a model choice


class EndpointForm(forms.Form):
    """Where Steward's own events go."""

    url = forms.URLField(
        label=_("Address for Steward's events"),
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text=_("They are signed with a secret of their own. Empty stops them."),
    )


class HomeFactsForm(forms.Form):
    """Facts of the home that suppliers may be let know."""

    name = forms.CharField(label=FactName.NAME.label, max_length=120, required=False)
    address = forms.CharField(
        label=FactName.ADDRESS.label,
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    phone = forms.CharField(
        label=FactName.PHONE.label,
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    access_notes = forms.CharField(
        label=FactName.ACCESS.label,
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Where to park, which bell, who is there. No door codes, no keys."),
    )


class MandateForm(forms.Form):
    """What a supplier may write about and know, and of which assets."""

    purposes = forms.MultipleChoiceField(
        label=_("They may write to you about"),
        choices=Purpose.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A safety recall needs no permission."),
    )
    facts = forms.MultipleChoiceField(
        label=_("They may know"),
        choices=FactName.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without any they know the names of these things, and nothing else."),
    )
    assets = forms.ModelMultipleChoiceField(
        Asset.objects.none(),
        label=_("For these things"),
        to_field_name="uuid",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, household: Household, **kwargs: Any) -> None:
        """Offer the household's assets."""
        super().__init__(*args, **kwargs)
        self.fields["assets"].queryset = household.assets.looked_after()  # type: ignore[attr-defined]  # the field of a model choice


class InviteForm(MandateForm):
    """A supplier to invite, and what it is offered."""

    name = forms.CharField(label=_("Their name"), max_length=120)
    email = forms.EmailField(
        label=_("Their e-mail address"),
        max_length=254,
        required=False,
        help_text=_("Without one you get a link to hand over."),
    )
    shown_as = forms.CharField(
        label=_("Who invites them"),
        max_length=120,
        help_text=_("All they read of you before they say yes."),
    )
    note = forms.CharField(
        label=_("A note to them"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
