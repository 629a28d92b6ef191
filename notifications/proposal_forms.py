"""What the owner says of a thing that an order proposes, before it is added."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets import templating
from suppliers.models import Proposal


class ProposalForm(forms.Form):
    """The thing as it will be written down; all of it is filled in, and can be changed."""

    name = forms.CharField(label=_("What do you call it?"), max_length=120)
    template = forms.ChoiceField(label=_("What is it?"))
    maker = forms.CharField(label=_("Maker"), max_length=120, required=False)
    model = forms.CharField(label=_("Model"), max_length=120, required=False)
    place = forms.CharField(label=_("Where is it?"), max_length=200, required=False)
    has_care = forms.BooleanField(
        label=_("With its usual care"),
        required=False,
        initial=True,
        help_text=_("Such as a yearly service; each can be changed or taken away."),
    )
    quantity = forms.IntegerField(label=_("How many"), min_value=1, max_value=1_000_000)

    def __init__(self, *args: Any, proposal: Proposal, **kwargs: Any) -> None:
        """Fill in what the order says."""
        kwargs["initial"] = dict(proposal.known.values)  # type: ignore[attr-defined]  # see acquiring.shown
        super().__init__(*args, **kwargs)
        self.known = templating.known_to([proposal.household])
        choices = [(each.slug, each.label) for each in self.known.values()]
        self.fields["template"].choices = choices  # type: ignore[attr-defined]  # the choice field above

    def values(self) -> dict[str, Any]:
        """Return the owner's words for it."""
        got = dict(self.cleaned_data)
        return got | {"kind": self.known[got["template"]].kind}
