"""What an owner fills in to tell many suppliers once."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from suppliers.announcing import OF_THINGS
from suppliers.choices import AnswerState, NewsKind

LABELS = {
    NewsKind.MOVED: _("Your new address"),
    NewsKind.NUMBER: _("Your new phone number"),
    NewsKind.EMAIL: _("Your new mail address"),
    NewsKind.NAME: _("Your new name"),
}
HELP = {
    NewsKind.NUMBER: _("With the country code, as in +18005550199."),
    NewsKind.EMAIL: _("Left empty, each is told the address of its own that you have here."),
}
FILLED = {
    NewsKind.MOVED: "street-address",
    NewsKind.NUMBER: "tel",
    NewsKind.EMAIL: "email",
    NewsKind.NAME: "name",
}


class NewsForm(forms.Form):
    """One piece of news; who is told is chosen beside it."""

    value = forms.CharField(max_length=500, required=False)
    on = forms.DateField(
        label=_("From when"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    note = forms.CharField(
        label=_("A word of yours to all of them"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    name = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, kind: NewsKind, **kwargs: Any) -> None:
        """Ask for what is new, where it is not a thing that is gone."""
        super().__init__(*args, **kwargs)
        if kind in OF_THINGS:
            del self.fields["value"]
            return
        field = self.fields["value"]
        field.label, field.help_text = LABELS[kind], HELP.get(kind, "")
        field.required = kind != NewsKind.EMAIL
        if kind == NewsKind.MOVED:
            field.widget = forms.Textarea(attrs={"rows": 3})
        field.widget.attrs["autocomplete"] = FILLED[kind]


class AnswerForm(forms.Form):
    """What the owner knows of one answer."""

    state = forms.ChoiceField(choices=AnswerState.choices)
