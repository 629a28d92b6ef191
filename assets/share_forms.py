"""What is asked when a thing is shared."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets import sharing
from assets.models import Asset, Share
from assets.passing_words import SharePart

LENGTHS: list[tuple[int, Any]] = [
    (7, _("a week")),
    (30, _("30 days")),
    (90, _("three months")),
    (365, _("a year")),
]


def parts_field() -> forms.MultipleChoiceField:
    """Return the field of what is shown."""
    return forms.MultipleChoiceField(
        label=_("What they see"),
        choices=SharePart.choices,
        required=False,
        initial=[part.value for part in sharing.USUAL],
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "What it is and what care is due is always shown. Prices, places, notes, receipts, "
            "other matters and who lives with you never are."
        ),
    )


class ShareForm(forms.Form):
    """To whom a thing is shown, what of it, and for how long."""

    email = forms.EmailField(
        label=_("Their e-mail address"),
        required=False,
        max_length=254,
        help_text=_("Leave it empty for a link that you hand over yourself."),
    )
    parts = parts_field()
    may_tick = forms.BooleanField(label=_("They may tick its care as done"), required=False)
    days = forms.TypedChoiceField(label=_("For how long"), choices=LENGTHS, coerce=int, initial=30)


class SharedForm(forms.Form):
    """What a share shows from now on."""

    parts = parts_field()
    may_tick = forms.BooleanField(label=_("They may tick its care as done"), required=False)

    def __init__(self, data: Any = None, *, share: Share) -> None:
        """Begin with what it shows."""
        super().__init__(data, initial={"parts": share.parts, "may_tick": share.may_tick})


class HelpForm(forms.Form):
    """With what a helper of the household helps."""

    assets = forms.ModelMultipleChoiceField(
        Asset.objects.none(),
        label=_("Things whose care they tick"),
        to_field_name="uuid",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, mine: Any, **kwargs: Any) -> None:
        """Offer what the household looks after."""
        super().__init__(*args, **kwargs)
        self.fields["assets"].queryset = mine  # type: ignore[attr-defined]  # a field of models
