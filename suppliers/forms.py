"""What an owner may say about a supplier."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from owners.models import Household
from suppliers.choices import Purpose


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
