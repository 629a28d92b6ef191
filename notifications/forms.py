"""What an owner may send about a journey or a contact: one form for each action."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from notifications.merging import ANSWER, DAY_BEFORE_VISIT, SNOOZE_EVENTS
from owners import clock
from owners.models import Owner
from suppliers.choices import Direction, Medium
from suppliers.models import Supplier

BASE64URL = r"^[A-Za-z0-9_-]+={0,2}$"

LOGGED_MEDIA = [
    (medium.value, medium.label)
    for medium in (
        Medium.CALL,
        Medium.IN_PERSON,
        Medium.LETTER,
        Medium.SMS,
        Medium.EMAIL,
        Medium.CHAT,
    )
]


class Day(forms.DateInput):
    """A day as the browser picks it."""

    input_type = "date"

    def __init__(self) -> None:
        """Write it as the browser reads it, whatever the language."""
        super().__init__(format="%Y-%m-%d")


class Clock(forms.TimeInput):
    """A time of day as the browser picks it."""

    input_type = "time"


def local_instant(day: Any, at: Any) -> datetime:
    """Return the instant of a day and time in the reader's zone."""
    return datetime.combine(day, at, timezone.get_current_timezone())


class ActionForm(forms.Form):
    """An action without anything to fill in."""

    def values(self) -> dict[str, Any]:
        """Return what the action is called with."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def as_action(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the action's name and values, as the feed takes them."""
        return name, self.values()


class VisitForm(ActionForm):
    """A yes or a no to a visit, or to another time that the supplier asks for."""

    proposal = forms.CharField(max_length=120, required=False)


class WorkedForm(ActionForm):
    """That it is done, with what there may be to say of it."""

    reading = forms.DecimalField(
        label=_("What its meter shows"), required=False, min_value=0, localize=True
    )
    amount = forms.DecimalField(label=_("What it cost"), required=False, min_value=0, localize=True)
    quantity = forms.DecimalField(
        label=_("How much there is now"), required=False, min_value=0, localize=True
    )

    def values(self) -> dict[str, Any]:
        """Return the numbers as text."""
        return {name: str(value) for name, value in super().values().items()}


class AnswerForm(WorkedForm):
    """One of the four answers: the button's name is the answer."""

    def as_action(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the answer to Steward's question."""
        return "answer", {**self.values(), "answer": name}


WINDOW_PARTS = ("day", "opens", "closes")


class CounterForm(ActionForm):
    """Another time: one window."""

    day = forms.DateField(label=_("Day"), widget=Day)
    opens = forms.TimeField(label=_("From"), widget=Clock)
    closes = forms.TimeField(label=_("To"), widget=Clock)

    day2 = forms.DateField(label=_("Day"), widget=Day, required=False)
    opens2 = forms.TimeField(label=_("From"), widget=Clock, required=False)
    closes2 = forms.TimeField(label=_("To"), widget=Clock, required=False)
    day3 = forms.DateField(label=_("Day"), widget=Day, required=False)
    opens3 = forms.TimeField(label=_("From"), widget=Clock, required=False)
    closes3 = forms.TimeField(label=_("To"), widget=Clock, required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse half a window, and one that ends before it starts."""
        values = super().clean() or {}
        for which in ("", "2", "3"):
            day, opens, closes = (values.get(f"{name}{which}") for name in WINDOW_PARTS)
            if which and any((day, opens, closes)) and not all((day, opens, closes)):
                self.add_error(f"day{which}", _("A visit needs its day, its start and its end."))
            elif opens and closes and closes <= opens:
                self.add_error(f"closes{which}", _("The end comes after the start."))
        return values

    def values(self) -> dict[str, Any]:
        """Return the windows as instants."""
        got = self.cleaned_data
        return {
            "windows": [
                {
                    "start": local_instant(got[f"day{which}"], got[f"opens{which}"]).isoformat(),
                    "end": local_instant(got[f"day{which}"], got[f"closes{which}"]).isoformat(),
                }
                for which in ("", "2", "3")
                if got.get(f"day{which}")
            ]
        }


class PickForm(ActionForm):
    slot = forms.CharField(max_length=200)


class ReplyForm(ActionForm):
    text = forms.CharField(label=_("Your words"), max_length=2000, widget=forms.Textarea)


class SnoozeForm(ActionForm):
    """Later: a number of hours, the next morning, or when something happens."""

    until = forms.ChoiceField(
        choices=[(name, name) for name in ("hours", "tomorrow", "week", DAY_BEFORE_VISIT, ANSWER)]
    )

    def values(self) -> dict[str, Any]:
        """Return when the card comes back."""
        if self.cleaned_data["until"] in SNOOZE_EVENTS:
            return {"event": self.cleaned_data["until"]}
        now = timezone.localtime(clock.now())
        morning = now.replace(hour=8, minute=0, second=0, microsecond=0)
        until = {
            "hours": now + timedelta(hours=4),
            "tomorrow": morning + timedelta(days=1),
            "week": morning + timedelta(days=7),
        }[self.cleaned_data["until"]]
        return {"until": until.isoformat()}


class RateForm(ActionForm):
    score = forms.IntegerField(min_value=1, max_value=5)
    text = forms.CharField(max_length=2000, required=False)


class MergeForm(ActionForm):
    with_ = forms.UUIDField()

    def values(self) -> dict[str, Any]:
        """Return the other journey under the action's own name for it."""
        return {"with": str(self.cleaned_data["with_"])}


class ChooseAssetForm(ActionForm):
    asset = forms.UUIDField()

    def values(self) -> dict[str, Any]:
        """Return the asset as text."""
        return {"asset": str(self.cleaned_data["asset"])}


class CorrectForm(ActionForm):
    """What is right: a value, or a window by its day and hours."""

    fact = forms.CharField(max_length=60)
    value = forms.CharField(max_length=1000, required=False)
    day = forms.DateField(required=False)
    opens = forms.TimeField(required=False)
    closes = forms.TimeField(required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse an empty correction and a window that ends before it starts."""
        values = super().clean() or {}
        day, opens, closes = values.get("day"), values.get("opens"), values.get("closes")
        if not values.get("value") and not (day and opens and closes):
            self.add_error("value", _("Say what is right."))
        elif day and opens and closes and closes <= opens:
            self.add_error("closes", _("The end comes after the start."))
        return values

    def values(self) -> dict[str, Any]:
        """Return the fact's name and its value; a window as `start/end` in UTC."""
        got = self.cleaned_data
        value = got["value"]
        if got["day"]:
            edges = (local_instant(got["day"], got[edge]) for edge in ("opens", "closes"))
            value = "/".join(edge.astimezone(UTC).isoformat() for edge in edges)
        return {"fact": got["fact"], "value": value}


class UndoForm(ActionForm):
    decision = forms.UUIDField()

    def values(self) -> dict[str, Any]:
        """Return the decision as text."""
        return {"decision": str(self.cleaned_data["decision"])}


JOURNEY_ACTIONS: dict[str, type[ActionForm]] = {
    **dict.fromkeys(("works", "not_yet", "yes", "no"), AnswerForm),
    "accept": VisitForm,
    "decline": VisitForm,
    "tentative": VisitForm,
    "counter": CounterForm,
    "pick": PickForm,
    "request": CounterForm,
    "cancel": VisitForm,
    "dispute": ReplyForm,
    "acknowledge": ActionForm,
    "choose_remedy": ReplyForm,
    "not_mine": ActionForm,
    "reply": ReplyForm,
    "done": WorkedForm,
    "book": CounterForm,
    "skip": ActionForm,
    "snooze": SnoozeForm,
    "rate": RateForm,
    "mute": ActionForm,
    "merge": MergeForm,
    "choose_asset": ChooseAssetForm,
    "correct": CorrectForm,
    "undo": UndoForm,
}
CONTACT_ACTIONS = (
    "let_in",
    "not_now",
    "undo_absorb",
    "always_show",
    "split",
    "take_back",
    "meant",
    "not_meant",
)


class LogForm(forms.Form):
    """A call, a talk or a letter as the owner remembers it."""

    direction = forms.ChoiceField(
        label=_("Who started it"),
        choices=[(Direction.OUT.value, _("I did")), (Direction.IN.value, _("They did"))],
        initial=Direction.OUT.value,
        widget=forms.RadioSelect,
    )
    medium = forms.ChoiceField(label=_("How"), choices=LOGGED_MEDIA, initial=Medium.CALL.value)
    supplier = forms.ModelChoiceField(
        Supplier.objects.none(),
        label=_("With whom"),
        to_field_name="uuid",
        required=False,
        empty_label=_("Somebody else"),
    )
    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        label=_("About what"),
        to_field_name="uuid",
        required=False,
        empty_label=_("I do not know yet"),
    )
    day = forms.DateField(label=_("Day"), widget=Day)
    at = forms.TimeField(label=_("Started at"), widget=Clock)
    minutes = forms.IntegerField(
        label=_("How long, in minutes"), min_value=0, max_value=1440, required=False
    )
    note = forms.CharField(
        label=_("What was said"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("In your own words. Times, prices and numbers in it can be read for you."),
    )
    window_day = forms.DateField(label=_("They come on"), widget=Day, required=False)
    window_opens = forms.TimeField(label=_("From"), widget=Clock, required=False)
    window_closes = forms.TimeField(label=_("To"), widget=Clock, required=False)
    fee_amount = forms.DecimalField(
        label=_("Price"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    fee_currency = forms.CharField(label=_("Currency"), max_length=3, min_length=3, required=False)
    reference = forms.CharField(label=_("Reference"), max_length=120, required=False)
    asked = forms.CharField(
        label=_("What they asked you for"),
        max_length=300,
        required=False,
        help_text=_("For example: account number, date of birth."),
    )
    transfers = forms.IntegerField(
        label=_("Times passed on to somebody else"), min_value=0, max_value=50, required=False
    )
    event_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, owner: Owner, **kwargs: Any) -> None:
        """Offer only the owner's own suppliers and assets."""
        super().__init__(*args, **kwargs)
        self.fields["supplier"].queryset = Supplier.objects.for_owner(owner).order_by("name")  # type: ignore[attr-defined]  # the field of a model choice
        self.fields["asset"].queryset = Asset.objects.for_owner(owner).looked_after()  # type: ignore[attr-defined]  # the field of a model choice

    def clean(self) -> dict[str, Any]:
        """Refuse half a window and half a price."""
        values = super().clean() or {}
        day, opens, closes = (values.get(f"window_{part}") for part in ("day", "opens", "closes"))
        window = (day, opens, closes)
        if any(window) and not all(window):
            self.add_error("window_day", _("A visit needs its day, its start and its end."))
        elif opens and closes and closes <= opens:
            self.add_error("window_closes", _("The end comes after the start."))
        if not self.says_something(values):
            self.add_error(
                "note", _("Write what was said, or fill in a time, a price or a reference.")
            )
        return values

    def says_something(self, values: dict[str, Any]) -> bool:
        """Say whether there is anything to keep."""
        named = ("note", "window_day", "fee_amount", "reference", "minutes", "asked")
        return any(values.get(name) for name in named)

    def to_log(self, *, currency: str) -> dict[str, Any]:
        """Return the log entry; `currency` is the household's."""
        got = self.cleaned_data
        data: dict[str, Any] = {
            "direction": got.get("direction", ""),
            "medium": got["medium"],
            "started_at": local_instant(got["day"], got["at"]).isoformat(),
            "duration_s": (got.get("minutes") or 0) * 60,
            "note": got["note"],
            "asks": [part.strip() for part in got.get("asked", "").split(",") if part.strip()],
            "transfers": got.get("transfers") or 0,
        }
        for name in ("supplier", "asset"):
            if got[name]:
                data[name] = str(got[name].uuid)
        if got["window_day"]:
            data["window"] = {
                "start": local_instant(got["window_day"], got["window_opens"]).isoformat(),
                "end": local_instant(got["window_day"], got["window_closes"]).isoformat(),
            }
        if got["fee_amount"] is not None:
            data["fee"] = {
                "amount": str(got["fee_amount"]),
                "currency": got["fee_currency"].upper() or currency,
            }
        if got["reference"]:
            data["reference"] = got["reference"]
        return data


class PushMovedForm(forms.Form):
    """What a browser says when its push service gave it another address."""

    old_endpoint = forms.CharField(max_length=2000)
    old_auth = forms.CharField(max_length=60)
    endpoint = forms.CharField(max_length=2000, validators=[URLValidator(["https"])])
    p256dh = forms.RegexField(BASE64URL, max_length=120)
    auth = forms.RegexField(BASE64URL, max_length=60)
