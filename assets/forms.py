"""What an owner says of a thing: as little as a name, or one line."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.base import File
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets import register, starters, templating, typed
from assets.choices import AssetKind, DocumentKind, FieldType, IdentifierScheme
from assets.models import Asset, CustomField
from owners.models import Household, Owner

PHOTO = "image/jpeg,image/png,image/webp,image/gif"
KEPT = f"{PHOTO},application/pdf,text/plain"


class AssetForm(forms.Form):
    """A new thing to look after: a line of text, or a name; everything else can wait."""

    name = forms.CharField(
        label=_("What do you call it?"),
        max_length=300,
        help_text=_(
            "A name, or all in one line: Boiler service every October, Nordvarme, 180 EUR."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    template = forms.ChoiceField(
        label=_("What is it?"),
        required=False,
    )
    photo = forms.FileField(label=_("Photo"), required=False)
    maker = forms.CharField(label=_("Maker"), max_length=120, required=False)
    model = forms.CharField(label=_("Model"), max_length=120, required=False)
    identifier = forms.CharField(
        label=_("Serial number, VIN or IMEI"),
        max_length=200,
        required=False,
        help_text=_("On the label. Suppliers name the thing by it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    place = forms.CharField(label=_("Where is it?"), max_length=200, required=False)
    has_care = forms.BooleanField(
        label=_("With its usual care"),
        required=False,
        initial=True,
        help_text=_("Such as a yearly service; each can be changed or taken away."),
    )
    household = forms.ModelChoiceField(
        Household.objects.none(), label=_("Household"), to_field_name="uuid", empty_label=None
    )

    def __init__(self, *args: Any, owner: Owner, **kwargs: Any) -> None:
        """Offer the owner's households; one needs no question."""
        super().__init__(*args, **kwargs)
        mine = Household.objects.for_owner(owner).order_by("pk")
        self.known = templating.known_to(mine)
        named = [(each.slug, each.label) for each in self.known.values()]
        self.fields["template"].choices = [("", ""), *named]  # type: ignore[attr-defined]  # the choice field above
        field = self.fields["household"]
        field.queryset = mine  # type: ignore[attr-defined]  # the field of a model choice
        if len(mine) == 1:
            field.widget = forms.HiddenInput()
        if mine:
            field.initial = mine[0].uuid

    @property
    def photo_file(self) -> "File[bytes] | None":
        """The photo, when one was taken."""
        return self.cleaned_data["photo"]  # type: ignore[no-any-return]  # of a file field

    def values(self) -> dict[str, Any]:
        """Return the thing's values; what was said in fields beats what the line says."""
        got, line, starter = self._read()
        return {
            "name": line.name,
            "template": starter.slug,
            "kind": starter.kind,
            "maker": got["maker"] or starter.maker,
            "model": got["model"] or starter.model,
            "place": got["place"] or line.place or starter.place,
        }

    def care(self) -> Mapping[str, Any]:
        """Return the plan of care to begin with: what the line says, else what is usual."""
        got, line, starter = self._read()
        if line.care:
            return {"tasks": [line.care]}
        return starter.care if got["has_care"] else {}

    def identifiers(self) -> list[tuple[IdentifierScheme, str]]:
        """Return what names the thing."""
        got, line, starter = self._read()
        return [(starter.scheme, got["identifier"])] if got["identifier"] else line.identifiers

    def _read(self) -> tuple[dict[str, Any], starters.Line, starters.Starter]:
        """Return what was said, what its line says, and from what it starts."""
        got = self.cleaned_data
        line = starters.read_line(got["name"], self.known)
        return got, line, self.known[got["template"] or line.starter]


class AssetEditForm(forms.Form):
    """What may change about a thing."""

    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=AssetKind.choices)
    place = forms.CharField(
        label=_("Where is it?"),
        max_length=200,
        required=False,
        help_text=_("House / Cellar / Shelf 2: widest first."),
    )
    maker = forms.CharField(label=_("Maker"), max_length=120, required=False)
    model = forms.CharField(label=_("Model"), max_length=120, required=False)
    bought_on = forms.DateField(
        label=_("Bought"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    keeper = forms.ModelChoiceField(
        Owner.objects.none(),
        label=_("Keeper"),
        to_field_name="uuid",
        required=False,
        empty_label=_("Every admin"),
        help_text=_("Who answers for it and is told."),
    )
    parent = forms.ModelChoiceField(
        Asset.objects.none(),
        label=_("Part of"),
        to_field_name="uuid",
        required=False,
        empty_label=_("Nothing else"),
    )
    quantity = forms.IntegerField(label=_("How many"), min_value=1, max_value=1_000_000)
    in_service_on = forms.DateField(
        label=_("In use since"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    is_insured = forms.BooleanField(label=_("It is insured"), required=False)
    tag_names = forms.CharField(
        label=_("Tags"), max_length=500, required=False, help_text=_("Several: with commas.")
    )
    notes = forms.CharField(
        label=_("Notes"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, data: QueryDict | None = None, *, asset: Asset) -> None:
        """Offer the household's members, its other things and its own fields."""
        initial = {name: getattr(asset, name, "") for name in self.base_fields}
        initial["keeper"] = asset.keeper.uuid if asset.keeper else None
        initial["parent"] = asset.parent.uuid if asset.parent else None
        initial["tag_names"] = ", ".join(register.tags_of(asset))
        for name in ("bought_on", "in_service_on"):
            day = getattr(asset, name)
            initial[name] = day.isoformat() if day else ""
        super().__init__(data, initial=initial)
        wholes = Asset.objects.filter(household=asset.household_id).looked_after()
        self.fields["parent"].queryset = wholes.exclude(pk=asset.pk)  # type: ignore[attr-defined]  # of a model choice
        self.own = register.fields_for(household=asset.household, kind=asset.kind)
        for own in self.own:
            self.fields[f"own-{own.uuid}"] = own_field(own, asset.custom.get(str(own.uuid)))
        people = Owner.objects.filter(memberships__household=asset.household_id).order_by("pk")
        field = self.fields["keeper"]
        field.queryset = people  # type: ignore[attr-defined]  # the field of a model choice
        field.label_from_instance = lambda person: person.get_full_name()  # type: ignore[attr-defined]  # of a model choice

    def own_fields(self) -> list[forms.BoundField]:
        """Return the household's own fields."""
        return [self[f"own-{own.uuid}"] for own in self.own]

    def tags(self) -> list[str]:
        """Return the tags."""
        return [name.strip() for name in self.cleaned_data["tag_names"].split(",") if name.strip()]

    def values(self) -> dict[str, Any]:
        """Return the thing's values."""
        got = {name: self.cleaned_data[name] for name in self.base_fields if name != "tag_names"}
        own = {str(own.uuid): self.cleaned_data[f"own-{own.uuid}"] for own in self.own}
        return got | {"custom": own}

    def refuse(self, error: Exception) -> None:
        """Say at its field why a change was refused."""
        if isinstance(error, register.CustomError):
            self.add_error(f"own-{error.field}", gettext(error.detail))
        elif isinstance(error, register.ParentError):
            self.add_error("parent", _("It cannot be part of this."))
        else:
            self.add_error("keeper", _("This person is not in the household."))


def own_field(own: CustomField, value: Any) -> forms.Field:
    """Return the form's field for a field of the household's own; it is read by `typed`."""
    shown = typed.shown(value)
    if own.type == FieldType.BOOLEAN:
        choices = [("", "\N{EN DASH}"), ("yes", _("Yes")), ("no", _("No"))]
        first = "" if value is None else "yes" if value else "no"
        return forms.ChoiceField(label=own.name, choices=choices, required=False, initial=first)
    if own.type == FieldType.CHOICE:
        choices = [("", "\N{EN DASH}"), *((each, each) for each in own.choices)]
        return forms.ChoiceField(label=own.name, choices=choices, required=False, initial=shown)
    kind = {FieldType.DATE: "date", FieldType.LINK: "url"}.get(FieldType(own.type), "text")
    widget = forms.TextInput(attrs={"type": kind})
    hint = _("12.50 EUR") if own.type == FieldType.MONEY else ""
    return forms.CharField(
        label=own.name,
        max_length=2000,
        required=False,
        initial=shown,
        widget=widget,
        help_text=hint,
    )


class IdentifierForm(forms.Form):
    """One more name of a thing."""

    scheme = forms.ChoiceField(label=_("What"), choices=IdentifierScheme.choices)
    value = forms.CharField(label=_("Value"), max_length=200)


class ManyFiles(forms.ClearableFileInput):
    """The browser's own chooser, for several files."""

    allow_multiple_selected = True


class DocumentForm(forms.Form):
    """One or more files, and what they belong to."""

    kind = forms.ChoiceField(
        label=_("What is it?"),
        choices=[("", _("Find out")), *DocumentKind.choices],
        required=False,
    )
    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        label=_("About which thing?"),
        to_field_name="uuid",
        required=False,
        empty_label=_("None yet"),
    )

    def __init__(self, *args: Any, owner: Owner, **kwargs: Any) -> None:
        """Offer the owner's things."""
        super().__init__(*args, **kwargs)
        mine = Asset.objects.for_owner(owner).looked_after()
        self.fields["asset"].queryset = mine  # type: ignore[attr-defined]  # the field of a model choice


class LinkForm(DocumentForm):
    """Where a document lies that is kept elsewhere."""

    url = forms.CharField(
        label=_("Its address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
        help_text=_("In Paperless, at the maker's. We never open it; you do."),
    )
    name = forms.CharField(label=_("What do you call it?"), max_length=200, required=False)
    field_order = ("url", "name", "kind", "asset")


class DocumentEditForm(DocumentForm):
    """What a document is called, what it is for and what it belongs to."""

    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("What is it?"), choices=DocumentKind.choices)
    field_order = ("name", "kind", "asset")
