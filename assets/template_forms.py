"""What a household says of a template of its own."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets import starters, templating
from assets.choices import AssetKind, IdentifierScheme


class TemplateForm(forms.Form):
    """A template: what such a thing is, how it is named, and the care it needs."""

    label = forms.CharField(label=_("What do you call it?"), max_length=60)
    kind = forms.ChoiceField(label=_("Kind"), choices=AssetKind.choices)
    scheme = forms.ChoiceField(label=_("What names it"), choices=IdentifierScheme.choices)
    words = forms.CharField(
        label=_("Words that mean it"),
        max_length=600,
        required=False,
        help_text=_("With commas. When you add a thing in one line, they choose this template."),
    )
    maker = forms.CharField(label=_("Maker"), max_length=120, required=False)
    model = forms.CharField(label=_("Model"), max_length=120, required=False)
    place = forms.CharField(label=_("Where is it?"), max_length=200, required=False)
    keep = forms.MultipleChoiceField(
        label=_("Its care"), required=False, widget=forms.CheckboxSelectMultiple
    )
    more = forms.CharField(
        label=_("More care, one a line"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: Service every October, Nordvarme, 180 EUR."),
    )

    def __init__(self, *args: Any, begins: dict[str, Any], **kwargs: Any) -> None:
        """Begin with what the template says, or with what it is copied from."""
        self.begins = begins
        self.tasks: list[dict[str, Any]] = list(begins["care"].get("tasks", []))
        named = [(str(at), task["name"]) for at, task in enumerate(self.tasks)]
        words = ", ".join(begins["words"])
        kwargs["initial"] = {**begins, "words": words, "keep": [at for at, _name in named]}
        super().__init__(*args, **kwargs)
        if named:
            self.fields["keep"].choices = named  # type: ignore[attr-defined]  # the choice field above
        else:
            del self.fields["keep"]

    def clean_more(self) -> list[dict[str, Any]]:
        """Return each line as a task of care."""
        found = []
        for line in self.cleaned_data["more"].splitlines():
            if not line.strip():
                continue
            task = starters.read_task(line.strip()[:300])
            if task is None:
                raise forms.ValidationError(
                    gettext("How often? Write it like: Service every October. It says: %(line)s")
                    % {"line": line.strip()[:80]}
                )
            found.append(task)
        return found

    def values(self) -> dict[str, Any]:
        """Return the template's values."""
        got = self.cleaned_data
        kept = [self.tasks[int(at)] for at in got.get("keep", [])]
        care = {**self.begins["care"], "tasks": (kept + got["more"])[: templating.TASKS_MOST]}
        plain = ("label", "kind", "scheme", "maker", "model", "place")
        words = [word for part in got["words"].split(",") for word in part.split()]
        return {name: got[name] for name in plain} | {"words": words, "care": care}
