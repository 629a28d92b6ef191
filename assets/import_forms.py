"""What an owner is asked about a file that is brought in."""

from __future__ import annotations

from typing import Any

from babel.numbers import is_currency
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from assets import importing
from assets.importers.files import MOST_COLUMNS, folded
from assets.importers.formats import generic
from assets.importers.rows import EXTRA, IGNORE, Ask
from assets.models import Asset, Import
from owners.models import Household, Owner

ASSETS_SHOWN = 300
WORDS: dict[Ask, tuple[Any, list[tuple[str, Any]]]] = {
    Ask.DATES: (
        _("How are dates written?"),
        [
            ("dmy", _("31/12/2026: the day first")),
            ("mdy", _("12/31/2026: the month first")),
            ("ymd", _("2026-12-31: the year first")),
        ],
    ),
    Ask.DECIMAL: (_("How are numbers written?"), [(".", "1,234.56"), (",", "1.234,56")]),
    Ask.DISTANCE: (
        _("What does the meter count?"),
        [("km", _("Kilometres")), ("mi", _("Miles")), ("h", _("Hours"))],
    ),
    Ask.VOLUME: (
        _("How is fuel counted?"),
        [
            ("l", _("Litres")),
            ("us_gal", _("Gallons (US)")),
            ("uk_gal", _("Gallons (UK)")),
            ("kwh", "kWh"),
        ],
    ),
    Ask.LISTS: (
        _("What stands between several words in one cell?"),
        [(" ", _("A space")), (",", _("A comma")), (";", _("A semicolon"))],
    ),
}


class ImportFileForm(forms.Form):
    """The file, and whose things are in it."""

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


class AnswersForm(forms.Form):
    """What the file does not say, and what it does, to be put right."""

    def __init__(self, data: QueryDict | None = None, *, run: Import) -> None:
        """Ask what is open first; offer what is settled to be changed."""
        super().__init__(data)
        self.run = run
        self.shape = importing.form_of(run)
        answers = dict(run.answers)
        kind = data.get("kind", "") if data else ""
        if kind in [value for value, _label in self.shape.kinds]:
            answers["kind"] = kind  # another kind of rows asks for other things
        standing = importing.standing_of(run, answers)
        self.open = standing.open
        kinds = importing.kinds_for(run)
        if len(kinds) > 1:
            self.fields["form"] = forms.ChoiceField(
                label=_("What kind of file is it?"),
                choices=[(kind.slug, _(kind.label)) for kind in kinds],
                initial=run.form,
            )
        said = {**standing.guesses, **standing.settled}
        for ask in [*standing.open, *(each for each in Ask if each in standing.settled)]:
            self._ask(ask, said.get(ask, ""))
        self.column_names: dict[str, str] = {}
        self._ask_columns(standing.columns)

    def _ask(self, ask: Ask, initial: str) -> None:
        if ask not in self.shape.asks:
            return
        if ask in WORDS:
            label, choices = WORDS[ask]
            self.fields[ask] = forms.ChoiceField(label=label, choices=choices, initial=initial)
        elif ask == Ask.KIND:
            self.fields[ask] = forms.ChoiceField(
                label=_("What is in each row?"),
                choices=[(value, _(label)) for value, label in self.shape.kinds],
                initial=initial,
            )
        elif ask == Ask.CURRENCY:
            self.fields[ask] = forms.CharField(
                label=_("In which currency are amounts without a sign?"),
                max_length=3,
                min_length=3,
                initial=initial,
                help_text=_("Three letters, such as EUR."),
            )
        elif ask == Ask.ASSET and ask in self.open:
            mine = Asset.objects.filter(household=self.run.household_id).looked_after()
            self.fields["asset"] = forms.ModelChoiceField(
                mine,
                label=_("What is this file about?"),
                to_field_name="uuid",
                required=False,
                empty_label=_("A new one"),
                initial=self.run.asset and self.run.asset.uuid,
            )
            self.fields["asset_name"] = forms.CharField(
                label=_("What is the new one called?"),
                max_length=120,
                required=False,
                initial=self.run.asset_name,
            )

    def _ask_columns(self, taken: Any) -> None:
        for number, name in enumerate(importing.loose_columns(self.run)[:MOST_COLUMNS]):
            key = f"column-{number}"
            self.column_names[key] = folded(name)
            kept = (EXTRA, _("Keep it as a field of its own"))
            if not self.shape.keeps_extras:
                kept = (EXTRA, _("Keep it in the notes"))
            choices: list[tuple[str, Any]] = [kept, (IGNORE, _("Leave it out"))]
            if self.shape.is_mapped:
                choices += [(slug, _(label)) for slug, label in generic.TARGETS.items()]
            self.fields[key] = forms.ChoiceField(
                label=name, choices=choices, initial=taken.get(folded(name), EXTRA)
            )

    def clean_currency(self) -> str:
        """Return a currency that exists."""
        said = str(self.cleaned_data["currency"]).upper()
        if not is_currency(said):
            raise forms.ValidationError(_("Write three letters, such as EUR."))
        return said

    def clean(self) -> None:
        """Ask for a name where a new asset is to be made."""
        got = self.cleaned_data
        if "asset" in self.fields and not got.get("asset") and not got.get("asset_name"):
            self.add_error("asset_name", _("Choose one, or name the new one."))

    @property
    def asked(self) -> list[Any]:
        """The questions that the file leaves open."""
        names = [*(str(ask) for ask in self.open if ask != Ask.ASSET)]
        names += ["asset", "asset_name"] if Ask.ASSET in self.open else []
        return [self[name] for name in names if name in self.fields]

    @property
    def settled(self) -> list[Any]:
        """What the file says itself."""
        shown = {field.name for field in self.asked}
        return [
            self[name]
            for name in self.fields
            if name not in shown and name not in self.column_names
        ]

    @property
    def columns(self) -> list[Any]:
        """Every column that may be something else."""
        return [self[name] for name in self.column_names]

    def answers(self) -> dict[str, Any]:
        """Return what was said, as `importing.answer` takes it."""
        got = self.cleaned_data
        said = {
            name: got[name]
            for name in self.fields
            if name in got and name not in ("asset", "asset_name", *self.column_names)
        }
        return {**said, "columns": {column: got[key] for key, column in self.column_names.items()}}
