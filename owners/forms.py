"""How a member wants to be told, and what a household is called."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from owners.choices import ChannelKind, Moment, Topic
from owners.households import TopicWish
from owners.models import Household, Membership
from owners.reach import DEFAULT_MOMENTS

ADDRESSED = [(kind.value, kind.label) for kind in (ChannelKind.SMS, ChannelKind.EMAIL)]
ZONES = [
    (name, name.replace("_", " "))
    for name in sorted(available_timezones())
    if "/" in name or name == "UTC"
]


class Clock(forms.TimeInput):
    """A time of day as the browser picks it."""

    input_type = "time"


class ReachForm(forms.Form):
    """One member's reach matrix, quiet hours and digest slot."""

    prefers = forms.ChoiceField(label=_("Reach me by"), choices=ADDRESSED, widget=forms.RadioSelect)
    quiet_from = forms.TimeField(label=_("Quiet from"), widget=Clock, required=False)
    quiet_until = forms.TimeField(label=_("Quiet until"), widget=Clock, required=False)
    has_quiet_exceptions = forms.BooleanField(
        label=_("Wake me for a visit early the next morning"),
        required=False,
        help_text=_("Also for what would be too late after the quiet hours."),
    )
    digest_at = forms.TimeField(label=_("Daily summary at"), widget=Clock)

    def __init__(self, data: QueryDict | None = None, *, membership: Membership) -> None:
        """Add one field for each topic, as the member has it now."""
        rules = {rule.topic: rule.moment for rule in membership.reach_rules.all() if not rule.scope}
        initial = {name: getattr(membership, name) for name in self.base_fields}
        initial |= {
            topic.value: rules.get(topic.value, DEFAULT_MOMENTS[topic].value) for topic in Topic
        }
        super().__init__(data, initial=initial)
        for topic in Topic:
            self.fields[topic.value] = forms.ChoiceField(
                label=topic.label, choices=Moment.choices, widget=forms.RadioSelect
            )

    @property
    def rows(self) -> list[forms.BoundField]:
        """The rows of the matrix."""
        return [self[topic.value] for topic in Topic]

    def clean(self) -> dict[str, Any]:
        """Refuse half a night."""
        values = super().clean() or {}
        if bool(values.get("quiet_from")) != bool(values.get("quiet_until")):
            self.add_error("quiet_until", _("Quiet hours need both ends, or none."))
        return values

    def wishes(self) -> list[TopicWish]:
        """Return the topics that the member changed."""
        return [
            TopicWish(topic=topic, moment=Moment(self.cleaned_data[topic.value]))
            for topic in Topic
            if topic.value in self.changed_data
        ]


class HouseholdForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a household is called and where it is."""

    zone = forms.ChoiceField(label=_("Time zone"), choices=ZONES)

    class Meta:
        model = Household
        fields = ("name", "zone", "country", "currency", "survey_cap")
        labels = {
            "name": _("Name"),
            "country": _("Country (two letters)"),
            "currency": _("Currency (three letters)"),
            "survey_cap": _("Requests for feedback in 30 days, at most"),
        }
