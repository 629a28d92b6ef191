"""What a supplier's people type into the portal."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from suppliers.choices import StaffRole

EMAIL = {"autocomplete": "email", "inputmode": "email"}


class SignUpForm(forms.Form):
    """A new organisation."""

    organisation = forms.CharField(
        label=_("Your organisation"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    email = forms.EmailField(
        label=_("Your work e-mail"), max_length=254, widget=forms.EmailInput(attrs=EMAIL)
    )


class SignInForm(forms.Form):
    """Somebody who is known."""

    email = forms.EmailField(
        label=_("Your work e-mail"), max_length=254, widget=forms.EmailInput(attrs=EMAIL)
    )


class EnterForm(forms.Form):
    """Who comes in by a link: what the link does not say itself."""

    email = forms.EmailField(
        label=_("Your work e-mail"), max_length=254, widget=forms.EmailInput(attrs=EMAIL)
    )
    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, *args: Any, asks_email: bool, asks_name: bool, **kwargs: Any) -> None:
        """Ask only for what is not known."""
        super().__init__(*args, **kwargs)
        if not asks_email:
            del self.fields["email"]
        if not asks_name:
            del self.fields["name"]


class InviteForm(forms.Form):
    """A colleague."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=StaffRole.choices)


class ProfileForm(forms.Form):
    """How a supplier is called and reached."""

    name = forms.CharField(label=_("Name, as owners read it"), max_length=120)
    technical_contact = forms.EmailField(
        label=_("Technical contact"),
        max_length=254,
        required=False,
        help_text=_("Where faults in your events are told while you have no endpoint."),
    )
