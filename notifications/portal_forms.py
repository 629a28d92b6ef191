"""What a supplier's people compose: each form gives the type and the `data` of one event."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from suppliers.models import Mandate

LOCAL = "%Y-%m-%dT%H:%M"


def moment(label: Any) -> forms.DateTimeField:
    """Return a field for a date and a time on the wall; the zone is a field of its own."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
    return forms.DateTimeField(label=label, widget=widget, input_formats=[LOCAL, f"{LOCAL}:%S"])


def zones() -> list[tuple[str, str]]:
    """Return the time zones to choose from: those of places."""
    places = ("Europe/", "America/", "Asia/", "Africa/", "Australia/", "Pacific/", "Atlantic/")
    named = sorted(zone for zone in available_timezones() if zone.startswith(places))
    return [(zone, zone.replace("_", " ")) for zone in ["UTC", *named]]


class AboutForm(forms.Form):
    """What every update has: to which owner, and about which order or job."""

    owner = forms.ChoiceField(label=_("To"))
    reference = forms.CharField(
        label=_("Your order or job number"),
        max_length=120,
        required=False,
        help_text=_("It ties everything about one matter together."),
    )

    def __init__(self, *args: Any, owners: list[tuple[str, str]], **kwargs: Any) -> None:
        """Offer the owners who let this supplier in."""
        super().__init__(*args, **kwargs)
        choice = self.fields["owner"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = owners

    def told(self, **data: Any) -> dict[str, Any]:
        """Return the data of the event: to whom, about what, and what this kind adds."""
        refs = {}
        if reference := self.cleaned_data["reference"].strip():
            refs["refs"] = [{"scheme": "order", "value": reference}]
        return {"owner": self.cleaned_data["owner"], **refs, **data}


class MessageForm(AboutForm):
    """Words."""

    type = "message.created"
    body = forms.CharField(
        label=_("What you want to say"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def event(self, *, now: datetime) -> tuple[str, dict[str, Any]]:
        """Return the words."""
        return self.type, self.told(body=self.cleaned_data["body"])


class VisitForm(AboutForm):
    """A visit, a delivery or a call at a time."""

    type = "appointment.requested"
    name = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)
    start = moment(_("From"))
    end = moment(_("Until"))
    zone = forms.ChoiceField(label=_("Time zone of the place"), choices=zones)
    what = forms.ChoiceField(
        label=_("What it is"),
        choices=[("visit", _("Visit")), ("delivery", _("Delivery")), ("call", _("Call"))],
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a window that ends before it begins."""
        cleaned: dict[str, Any] = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end <= start:
            self.add_error("end", _("It ends before it begins."))
        return cleaned

    def event(self, *, now: datetime) -> tuple[str, dict[str, Any]]:
        """Return the appointment; its uid is kept by the form, so that twice is once."""
        zone = ZoneInfo(self.cleaned_data["zone"])

        def at(name: str) -> str:
            value: datetime = self.cleaned_data[name]
            return value.replace(tzinfo=zone).isoformat()

        name = self.cleaned_data["name"] or uuid.uuid4().hex
        return self.type, self.told(
            uid=f"{name}@portal",
            sequence=0,
            dtstamp=now.isoformat(),
            start=at("start"),
            end=at("end"),
            zone=str(zone),
            kind=self.cleaned_data["what"],
        )


class InvoiceForm(AboutForm):
    """A bill."""

    type = "invoice.issued"
    number = forms.CharField(label=_("Invoice number"), max_length=80)
    amount = forms.DecimalField(label=_("Amount"), max_digits=12, decimal_places=2, min_value=0)
    currency = forms.RegexField(
        r"^[A-Z]{3}$", label=_("Currency"), initial="EUR", help_text=_("As in EUR or USD.")
    )
    due = forms.DateField(
        label=_("Due on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def event(self, *, now: datetime) -> tuple[str, dict[str, Any]]:
        """Return the bill."""
        total = {
            "amount": f"{self.cleaned_data['amount']:.2f}",
            "currency": self.cleaned_data["currency"],
        }
        return self.type, self.told(
            invoiceNumber=self.cleaned_data["number"],
            total=total,
            dueDate=self.cleaned_data["due"].isoformat(),
        )


class PromiseForm(AboutForm):
    """Something to be done by a day."""

    type = "promise.made"
    name = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)
    promised = forms.CharField(label=_("What you will do"), max_length=300)
    due = forms.DateField(
        label=_("By when"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def event(self, *, now: datetime) -> tuple[str, dict[str, Any]]:
        """Return the promise, due at the end of its day."""
        return self.type, self.told(
            promiseId=self.cleaned_data["name"] or uuid.uuid4().hex,
            what=self.cleaned_data["promised"],
            dueAt=f"{self.cleaned_data['due'].isoformat()}T23:59:00+00:00",
        )


UpdateForm = MessageForm | VisitForm | InvoiceForm | PromiseForm
FORMS: dict[str, type[UpdateForm]] = {
    "message": MessageForm,
    "visit": VisitForm,
    "invoice": InvoiceForm,
    "promise": PromiseForm,
}
LABELS = {
    "message": _("Message"),
    "visit": _("Visit"),
    "invoice": _("Invoice"),
    "promise": _("Promise"),
}


def owners_of(mandates: list[Mandate], *, test: int | None) -> list[tuple[str, Any]]:
    """Return the owners to choose from: by owner_ref only, the test owner by its name."""
    return [
        (
            mandate.owner_ref,
            _("Test owner") if mandate.household_id == test else f"own_…{mandate.owner_ref[-6:]}",
        )
        for mandate in mandates
    ]
