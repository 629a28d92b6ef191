"""What an owner may say about a supplier."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from owners.models import Household
from suppliers.choices import Purpose, RoleKind

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")


class SupplierForm(forms.Form):
    """A supplier nobody here knows yet."""

    name = forms.CharField(label=_("Name"), max_length=120)
    domain = forms.CharField(
        label=_("Their web or mail domain"),
        max_length=253,
        required=False,
        help_text=_("For example skyline.example. It counts for your household only."),
    )
    number = forms.RegexField(
        r"^\+[1-9]\d{6,14}$",
        label=_("Their phone number"),
        required=False,
        help_text=_("With the country code, as in +18005550199."),
        error_messages={"invalid": _("Write the number with + and the country code, no spaces.")},
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
            value = value.translate(str.maketrans("", "", " ()-./"))
            if not NUMBER.fullmatch(value):
                self.add_error("value", _("Write the number with + and the country code."))
        elif kind == "domain":
            value = value.lower().rpartition("@")[2].removeprefix("www.")
            if not DOMAIN.fullmatch(value):
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


class MandateForm(forms.Form):
    """What a supplier may write about, and of which assets."""

    purposes = forms.MultipleChoiceField(
        label=_("They may write to you about"),
        choices=Purpose.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A safety recall needs no permission."),
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
