"""What an owner says of a thing when adding it: as little as a name."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.choices import AssetKind, IdentifierScheme
from owners.models import Household, Owner


class AssetForm(forms.Form):
    """A new thing to look after."""

    name = forms.CharField(label=_("What do you call it?"), max_length=120)
    kind = forms.ChoiceField(
        label=_("What is it?"),
        choices=AssetKind.choices,
        widget=forms.RadioSelect,
        initial=AssetKind.APPLIANCE,
    )
    maker = forms.CharField(label=_("Maker"), max_length=120, required=False)
    model = forms.CharField(label=_("Model"), max_length=120, required=False)
    serial = forms.CharField(
        label=_("Serial number"),
        max_length=200,
        required=False,
        help_text=_("On the label. Suppliers name the thing by it."),
    )
    household = forms.ModelChoiceField(
        Household.objects.none(), label=_("Household"), to_field_name="uuid", empty_label=None
    )

    def __init__(self, *args: Any, owner: Owner, **kwargs: Any) -> None:
        """Offer the owner's households; one needs no question."""
        super().__init__(*args, **kwargs)
        mine = Household.objects.for_owner(owner).order_by("pk")
        field = self.fields["household"]
        field.queryset = mine  # type: ignore[attr-defined]  # the field of a model choice
        if len(mine) == 1:
            field.widget = forms.HiddenInput()
        if mine:
            field.initial = mine[0].uuid

    def identifiers(self) -> list[tuple[IdentifierScheme, str]]:
        """Return what names the thing."""
        serial = self.cleaned_data["serial"]
        return [(IdentifierScheme.SERIAL, serial)] if serial else []
