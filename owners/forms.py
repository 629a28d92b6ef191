"""How a member wants to be told, and what a household is called."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils import dates
from django.utils.translation import gettext_lazy as _

from owners.choices import ChannelKind, Moment, Rank, TokenScope, Topic
from owners.households import WISHES, KindWish, TopicWish, WishError, check_ends
from owners.models import Household, Membership, Owner
from owners.reach import DEFAULT_CAPS, DEFAULT_MOMENTS, MOST_CAP, PRESET_DIGESTS, PRESETS

ADDRESSED = [
    (kind.value, kind.label)
    for kind in (ChannelKind.SMS, ChannelKind.EMAIL, ChannelKind.VOICE, ChannelKind.CHAT)
]
REACHED_BY = [*ADDRESSED, (ChannelKind.PUSH.value, ChannelKind.PUSH.label)]
ZONES = [
    (name, name.replace("_", " "))
    for name in sorted(available_timezones())
    if "/" in name or name == "UTC"
]


class SignUpForm(forms.Form):
    """What allauth's sign-up says beside the address: where the browser's clock stands."""

    zone = forms.CharField(
        max_length=64, required=False, widget=forms.HiddenInput(attrs={"data-zone": ""})
    )

    def signup(self, request: HttpRequest, user: Owner) -> None:
        """Do nothing more: the adapter saves it with the owner."""


class Clock(forms.TimeInput):
    """A time of day as the browser picks it."""

    input_type = "time"


class Day(forms.DateInput):
    """A day as the browser picks it."""

    input_type = "date"

    def __init__(self) -> None:
        """Write it as the browser reads it, whatever the language."""
        super().__init__(format="%Y-%m-%d")


WEEKDAYS = [(number, name) for number, name in dates.WEEKDAYS.items()]
PREFERRED = [("", _("Preferred")), *REACHED_BY]
KINDS = [ChannelKind(value) for value, _label in REACHED_BY]
OWN, NONE = "own", "never"
QUIETS = [
    ("", _("Quiet when everything is")),
    (OWN, _("Quiet hours of its own")),
    (NONE, _("Never quiet")),
]
# The conditions that the page offers; a program may set one on any topic.
BY_AMOUNT = (Topic.MONEY, Topic.CHANGED)
BY_TIME = (Topic.MONEY, Topic.CHANGED, Topic.QUESTION, Topic.CARE, Topic.LEGAL)


class HereForm(forms.Form):
    """Where the owner is now, as their device says."""

    zone = forms.ChoiceField(choices=ZONES)


class ReachForm(forms.Form):
    """One member's reach matrix, quiet hours, summary, holiday and language."""

    prefers = forms.ChoiceField(
        label=_("Reach me by"), choices=REACHED_BY, widget=forms.RadioSelect
    )
    quiet_from = forms.TimeField(label=_("Quiet from"), widget=Clock, required=False)
    quiet_until = forms.TimeField(label=_("Quiet until"), widget=Clock, required=False)
    has_quiet_exceptions = forms.BooleanField(
        label=_("Wake me for a visit early the next morning"),
        required=False,
        help_text=_("Also for what would be too late after the quiet hours."),
    )
    digest_at = forms.TimeField(label=_("Daily summary at"), widget=Clock)
    digest_weekday = forms.TypedChoiceField(
        label=_("Weekly lines on"), choices=WEEKDAYS, coerce=int
    )
    is_digest_weekly = forms.BooleanField(label=_("Only on that day, once a week"), required=False)
    has_digest_changes = forms.BooleanField(
        label=_("Name what changed on cards I have not looked at"), required=False
    )
    has_digest_mail = forms.BooleanField(label=_("Send it by e-mail"), required=False)
    holiday_from = forms.DateField(label=_("Away from"), widget=Day, required=False)
    holiday_until = forms.DateField(label=_("Away until"), widget=Day, required=False)
    cover = forms.ModelChoiceField(
        Owner.objects.none(),
        label=_("Who is told meanwhile"),
        required=False,
        to_field_name="uuid",
        empty_label=_("Nobody: nothing interrupts"),
    )
    zone = forms.ChoiceField(label=_("My time zone"), choices=ZONES)
    device_zone = forms.ChoiceField(
        label=_("Where I am now"),
        choices=[("", _("At home")), *ZONES],
        required=False,
        help_text=_("Quiet hours and the summary follow it."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        membership: Membership,
        preset: str = "",
        kinds: Collection[str] = KINDS,
    ) -> None:
        """Add the fields of each topic, as the member has them now or as a preset has them.

        And those of each of `kinds` of channel; what others have stays.
        """
        rules = {rule.topic: rule for rule in membership.reach_rules.all() if not rule.scope}
        initial = {name: getattr(membership, name, None) for name in self.base_fields}
        owner = membership.owner
        initial |= {"zone": owner.zone, "device_zone": owner.device_zone}
        initial["language"] = owner.language
        initial["cover"] = membership.cover.uuid if membership.cover else None
        initial |= PRESET_DIGESTS.get(preset, {})
        initial |= _channel_initial(membership)
        for topic in Topic:
            rule = rules.get(topic.value)
            moment = rule.moment if rule else DEFAULT_MOMENTS[topic].value
            initial[topic.value] = PRESETS[preset][topic].value if preset else moment
            initial[f"{topic.value}_by"] = rule.channel if rule else ""
            initial[f"{topic.value}_over"] = rule.over if rule and not preset else None
            initial[f"{topic.value}_within"] = rule.within_hours if rule and not preset else None
        super().__init__(data, initial=initial)
        others = Owner.objects.filter(memberships__household=membership.household)
        self.fields["cover"].queryset = others.exclude(pk=owner.pk)  # type: ignore[attr-defined]  # of a model choice
        for topic in Topic:
            self.fields[topic.value] = forms.ChoiceField(
                label=topic.label, choices=Moment.choices, widget=forms.RadioSelect
            )
            self.fields[f"{topic.value}_by"] = forms.ChoiceField(
                label=_("By"), choices=PREFERRED, required=False
            )
        currency = {"currency": membership.household.currency}
        for topic in BY_AMOUNT:
            self.fields[f"{topic.value}_over"] = forms.DecimalField(
                label=_("Only over (%(currency)s)") % currency,
                required=False,
                min_value=Decimal(0),
                max_digits=12,
                decimal_places=2,
            )
        for topic in BY_TIME:
            self.fields[f"{topic.value}_within"] = forms.IntegerField(
                label=_("Only within (hours)"), required=False, min_value=1, max_value=24 * 90
            )
        self.kinds = [kind for kind in KINDS if kind in kinds]
        for kind in self.kinds:
            self._add_kind(kind)

    def _add_kind(self, kind: ChannelKind) -> None:
        usual = DEFAULT_CAPS.get(kind)
        self.fields[f"{kind.value}_quiet"] = forms.ChoiceField(
            label=_("At night"), choices=QUIETS, required=False
        )
        self.fields[f"{kind.value}_from"] = forms.TimeField(
            label=_("Quiet from"), widget=Clock, required=False
        )
        self.fields[f"{kind.value}_until"] = forms.TimeField(
            label=_("Quiet until"), widget=Clock, required=False
        )
        self.fields[f"{kind.value}_cap"] = forms.IntegerField(
            label=_("At most in 24 hours"),
            required=False,
            min_value=0,
            max_value=MOST_CAP,
            help_text=_("Empty: %(cap)s. Who is at the door is always told.") % {"cap": usual}
            if usual is not None
            else _("Empty: as many as come."),
        )

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The rows of the matrix: when, and by what."""
        return [(self[topic.value], self[f"{topic.value}_by"]) for topic in Topic]

    @property
    def conditions(self) -> list[tuple[forms.BoundField, list[forms.BoundField]]]:
        """What some topics may be conditional on: the topic, and its fields."""
        return [
            (
                self[topic.value],
                [
                    self[name]
                    for name in (f"{topic.value}_over", f"{topic.value}_within")
                    if name in self.fields
                ],
            )
            for topic in BY_TIME
        ]

    @property
    def by_kind(self) -> list[tuple[ChannelKind, list[forms.BoundField]]]:
        """The wishes of each kind of channel."""
        parts = ("quiet", "from", "until", "cap")
        return [(kind, [self[f"{kind.value}_{part}"] for part in parts]) for kind in self.kinds]

    def clean(self) -> dict[str, Any]:
        """Refuse half a night and half a holiday."""
        values = super().clean() or {}
        for kind in self.kinds:
            begins, ends = values.get(f"{kind.value}_from"), values.get(f"{kind.value}_until")
            is_own = values.get(f"{kind.value}_quiet") == OWN
            if is_own and (begins is None or ends is None):
                self.add_error(f"{kind.value}_until", _("Quiet hours need both ends, or none."))
        try:
            check_ends(values)
        except WishError as error:
            self.add_error(error.field, _(error.detail))
        return values

    def values(self) -> dict[str, Any]:
        """Return the wishes beside the matrix."""
        return {name: self.cleaned_data[name] for name in WISHES if name in self.cleaned_data}

    def wishes(self) -> list[TopicWish]:
        """Return the matrix as the member wants it."""
        return [
            TopicWish(
                topic=topic,
                moment=Moment(self.cleaned_data[topic.value]),
                channel=ChannelKind(by) if (by := self.cleaned_data[f"{topic.value}_by"]) else None,
                over=self.cleaned_data.get(f"{topic.value}_over"),
                within_hours=self.cleaned_data.get(f"{topic.value}_within"),
            )
            for topic in Topic
        ]

    def kind_wishes(self) -> list[KindWish]:
        """Return what is wished of each kind of channel."""
        found = []
        for kind in self.kinds:
            quiet, begins, ends, cap = (
                self.cleaned_data[f"{kind.value}_{part}"]
                for part in ("quiet", "from", "until", "cap")
            )
            own = (begins, ends) if quiet == OWN else () if quiet == NONE else None
            found.append(KindWish(kind=kind, quiet=own, cap=cap))
        return found


class ExceptionForm(forms.Form):
    """When to hear of one supplier, asset or journey, and on what condition."""

    moment = forms.ChoiceField(label=_("When"), choices=Moment.choices)
    channel = forms.ChoiceField(label=_("By"), choices=PREFERRED, required=False)
    over = forms.DecimalField(
        label=_("Only over"),
        required=False,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=2,
    )
    within_hours = forms.IntegerField(
        label=_("Only within (hours)"), required=False, min_value=1, max_value=24 * 90
    )

    def wish(self) -> dict[str, Any]:
        """Return what it says as the fields of a `TopicWish`."""
        values = self.cleaned_data
        return {
            "moment": Moment(values["moment"]),
            "channel": ChannelKind(values["channel"]) if values["channel"] else None,
            "over": values["over"],
            "within_hours": values["within_hours"],
        }


def _channel_initial(membership: Membership) -> dict[str, Any]:
    """Return what a member wishes of each kind of channel as the form has it."""
    found: dict[str, Any] = {}
    for wish in membership.channel_wishes.all():
        is_never = wish.has_own_quiet and wish.quiet_from is None
        found[f"{wish.kind}_quiet"] = NONE if is_never else OWN if wish.has_own_quiet else ""
        found[f"{wish.kind}_from"] = wish.quiet_from
        found[f"{wish.kind}_until"] = wish.quiet_until
        found[f"{wish.kind}_cap"] = wish.cap
    return found


class InviteForm(forms.Form):
    """Whom an admin invites, and with which rank."""

    email = forms.EmailField(label=_("Their e-mail address"), max_length=254)
    rank = forms.ChoiceField(
        label=_("What they may do"),
        choices=[
            (Rank.MEMBER.value, _("Member: acts on everything")),
            (Rank.ADMIN.value, _("Admin: also manages people and suppliers")),
            (Rank.HELPER.value, _("Helper: reads, and ticks care tasks")),
            (Rank.VIEWER.value, _("Viewer: reads")),
        ],
    )


class TokenForm(forms.Form):
    """A new token for a program."""

    name = forms.CharField(label=_("What is it for?"), max_length=80)
    scope = forms.ChoiceField(
        label=_("It may"), choices=TokenScope.choices, widget=forms.RadioSelect, initial="read"
    )


class ChannelForm(forms.Form):
    """A new address at which an owner can be reached."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ADDRESSED, widget=forms.RadioSelect)
    address = forms.CharField(
        label=_("Number or address"),
        max_length=1000,
        help_text=_("Of a chat: its address as Apprise writes it, such as ntfys://ntfy.sh/topic."),
    )


class HouseholdForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a household is called and where it is."""

    zone = forms.ChoiceField(label=_("Time zone"), choices=ZONES)

    class Meta:
        model = Household
        fields = ("name", "zone", "country", "currency", "survey_cap", "raw_days")
        labels = {
            "name": _("Name"),
            "country": _("Country (two letters)"),
            "currency": _("Currency (three letters)"),
            "raw_days": _("Keep messages as received for so many days (0: for ever)"),
            "survey_cap": _("Requests for feedback in 30 days, at most"),
        }
