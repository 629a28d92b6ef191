"""What is asked on the way of an asset to its next owner."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from assets.choices import EndReason
from assets.life_forms import amount, currency
from assets.models import Asset, Meter, Transfer
from assets.packing import Asked, Wishes, wishes_of
from assets.passing_words import CHECKLISTS, USUAL_CHECKLIST
from assets.transfer_rules import OFFER_DAYS
from assets.transfers import REASONS, Handing
from owners.choices import Rank
from owners.models import Household, Owner
from suppliers.passing_on import Served

MAIL, LINK, PAPER = "mail", "link", "paper"
WAYS = (
    (MAIL, _("By mail: they get a link")),
    (LINK, _("By a link or code that you show them")),
    (PAPER, _("On paper only: they do not use Steward")),
)


class ReasonForm(forms.Form):
    """Why a thing goes."""

    reason = forms.ChoiceField(
        label=_("How does it go?"),
        choices=[(reason.value, reason.label) for reason in REASONS],
        widget=forms.RadioSelect,
        initial=EndReason.SOLD,
    )


def ticks(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    """Return a field of rows to be ticked."""
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=help_text,
    )


class WhatForm(forms.Form):
    """What goes along, of what is asked; the rest passes always or never."""

    has_history = forms.BooleanField(
        label=_("What was done with it: services, repairs, readings, faults"), required=False
    )
    has_costs = forms.BooleanField(label=_("with what each cost"), required=False)
    has_how_to = forms.BooleanField(
        label=_("with your notes on how its care is done"), required=False
    )
    covers = ticks(_("Guarantees and plans that run with it"))
    papers = ticks(
        _("Papers and photos"),
        _("Photos go without what the camera noted. Look into a paper before you tick it."),
    )
    parts = ticks(_("Spare parts you give along"))
    fields_ = ticks(_("What you wrote down in fields of your own"))

    def __init__(self, data: Any = None, *, transfer: Transfer, asked: Asked) -> None:
        """Offer what there is; a question without rows is not asked."""
        kept = wishes_of(transfer.wishes)
        initial: dict[str, Any] = {
            name: getattr(kept, name) for name in ("has_history", "has_costs", "has_how_to")
        }
        initial |= {name: list(getattr(kept, name)) for name in ("covers", "papers", "parts")}
        initial["fields_"] = list(kept.fields)
        super().__init__(data, initial=initial)
        rows: dict[str, list[tuple[str, str]]] = {
            "covers": [(str(row.uuid), cover_words(row)) for row in asked.covers],
            "papers": [
                (str(row.uuid), f"{row.get_kind_display()}: {row.name}") for row in asked.papers
            ],
            "parts": [(str(row.uuid), row.name) for row in asked.parts],
            "fields_": [
                (str(field.uuid), f"{field.name}: {value}") for field, value in asked.fields
            ],
        }
        for name, choices in rows.items():
            if choices:
                self.fields[name].choices = choices  # type: ignore[attr-defined]  # a field of choices
            else:
                del self.fields[name]

    def wishes(self) -> Wishes:
        """Return what was ticked."""
        got = self.cleaned_data
        return Wishes(
            papers=frozenset(got.get("papers", ())),
            covers=frozenset(got.get("covers", ())),
            parts=frozenset(got.get("parts", ())),
            fields=frozenset(got.get("fields_", ())),
            has_history=got["has_history"],
            has_costs=got["has_costs"] and got["has_history"],
            has_how_to=got["has_how_to"] and got["has_history"],
        )


def cover_words(row: Any) -> str:
    """Return a cover in words: what it is, whose, until when, and whether it goes along."""
    words = [str(row.get_kind_display()), row.obligor]
    if row.ends_on is not None:
        day = date_format(row.ends_on, "SHORT_DATE_FORMAT")
        words.append(_now("until %(day)s") % {"day": day})
    if row.is_transferable is None:
        words.append(_now("ask whether it goes along"))
    return ", ".join(filter(None, words))


class ToForm(forms.Form):
    """To whom a thing is offered, and for how long."""

    way = forms.ChoiceField(
        label=_("How do they get it?"), choices=WAYS, widget=forms.RadioSelect, initial=LINK
    )
    email = forms.EmailField(label=_("Their e-mail address"), required=False, max_length=254)
    days = forms.TypedChoiceField(
        label=_("How long the offer stands"),
        choices=[(7, _("a week")), (14, _("two weeks")), (30, _("30 days"))],
        coerce=int,
        initial=14,
    )

    def __init__(self, data: Any = None, *, transfer: Transfer) -> None:
        """Begin with what was said."""
        way = PAPER if transfer.is_paper else MAIL if transfer.hint else LINK
        initial = {"way": way, "email": transfer.address, "days": transfer.days}
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        """A letter needs an address."""
        got: dict[str, Any] = super().clean() or {}
        if got.get("way") == MAIL and not got.get("email") and "email" not in self.errors:
            self.add_error("email", _now("A letter needs an address."))
        return got

    def values(self) -> dict[str, Any]:
        """Return what was said as a transfer keeps it."""
        got = self.cleaned_data
        return {
            "is_paper": got["way"] == PAPER,
            "email": got["email"] if got["way"] == MAIL else "",
            "days": got["days"] if got["days"] in OFFER_DAYS else 14,
        }


class BeforeForm(forms.Form):
    """What is to be thought of before a thing goes."""

    keeps = ticks(
        _("Who may still write to you about it"),
        _("Their last bill may still come. All others may write about it no more."),
    )
    checked = ticks(_("Done already"))

    def __init__(self, data: Any = None, *, transfer: Transfer, served: Sequence[Served]) -> None:
        """Offer who would end, and the list of things of this kind."""
        initial = {"keeps": [str(one) for one in transfer.keeps], "checked": transfer.checked}
        super().__init__(data, initial=initial)
        only = [(str(row.mandate.uuid), row.mandate.supplier.name) for row in served if row.is_only]
        if only:
            self.fields["keeps"].choices = only  # type: ignore[attr-defined]  # a field of choices
        else:
            del self.fields["keeps"]
        points = CHECKLISTS.get(transfer.asset.kind, USUAL_CHECKLIST)
        self.fields["checked"].choices = [  # type: ignore[attr-defined]  # a field of choices
            (point.value, point.label) for point in points
        ]


class HandOverForm(forms.Form):
    """What is said with the hand-over: the last readings, and what came in."""

    amount = amount(_("What you got for it (only you see this)"))
    currency = currency()

    def __init__(self, data: Any = None, *, asset: Asset, reason: str) -> None:
        """Ask for each meter; a gift brings nothing in."""
        super().__init__(data, initial={"currency": asset.household.currency})
        self.meters: dict[str, Meter] = {}
        for number, meter in enumerate(asset.meters.filter(removed_at=None).order_by("pk")[:20]):
            name = f"meter{number}"
            self.meters[name] = meter
            label = _now("%(meter)s today (%(unit)s)") if meter.unit else _now("%(meter)s today")
            self.fields[name] = forms.DecimalField(
                label=label % {"meter": meter.name, "unit": meter.unit},
                required=False,
                max_digits=15,
                decimal_places=3,
                widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
            )
        self.order_fields([*self.meters, "amount", "currency"])
        if reason not in (EndReason.SOLD, EndReason.TRADED_IN):
            del self.fields["amount"], self.fields["currency"]

    def handing(self) -> Handing:
        """Return what was said."""
        got = self.cleaned_data
        readings: dict[Meter, Decimal] = {
            meter: got[name] for name, meter in self.meters.items() if got.get(name) is not None
        }
        return Handing(
            readings=readings, amount=got.get("amount"), currency=got.get("currency", "")
        )


class TakeForm(forms.Form):
    """Into which household a thing is taken."""

    household = forms.ModelChoiceField(
        Household.objects.none(),
        label=_("Into which household"),
        to_field_name="uuid",
        empty_label=None,
    )

    def __init__(self, data: Any = None, *, homes: Any) -> None:
        """Offer the owner's own; of one only there is no choice."""
        super().__init__(data)
        self.fields["household"].queryset = homes  # type: ignore[attr-defined]  # a field of models
        self.fields["household"].initial = homes.first()


class PackageForm(TakeForm):
    """The file of a package from elsewhere."""

    file = forms.FileField(
        label=_("The file you were given"),
        help_text=_("A hand-over of Steward: package.json, or the ZIP with its papers."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,.zip"}),
    )


def homes_of(owner: Owner) -> Any:
    """Return the households into which an owner may take things."""
    ranks = (Rank.MEMBER, Rank.ADMIN)
    mine = Household.objects.filter(memberships__owner=owner, memberships__rank__in=ranks)
    return mine.order_by("pk")
