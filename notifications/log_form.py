"""What the delivery log is asked for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.portal_log import Asked
from suppliers.choices import Outcome

DAY = timedelta(days=1)
NOT_A_VERDICT = (Outcome.OWN, Outcome.DUPLICATE)


class LogForm(forms.Form):
    """Each field narrows the log; one that cannot be read narrows nothing."""

    q = forms.CharField(label=_("Id, type or owner_ref"), max_length=255, required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    outcome = forms.ChoiceField(
        label=_("Verdict"),
        required=False,
        choices=[("", _("All")), *[one for one in Outcome.choices if one[0] not in NOT_A_VERDICT]],
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def __init__(self, *args: Any, states: Iterable[tuple[str, Any]], **kwargs: Any) -> None:
        """Offer the states of what came in, or of what went out."""
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [("", _("All")), *states]  # type: ignore[attr-defined]  # it is the choice field above
        for name in ("since", "until"):
            self.fields[name].widget.format = "%Y-%m-%d"

    def asked(self) -> Asked:
        """Return what can be read of it."""
        self.is_valid()
        said = self.cleaned_data
        return Asked(
            words=said.get("q") or "",
            state=said.get("state") or "",
            outcome=said.get("outcome") or "",
            since=_start(said.get("since")),
            until=_start(said.get("until"), DAY),
            before=said.get("before"),
        )


def _start(day: Any, more: timedelta = timedelta()) -> datetime | None:
    """Return when a day begins here, or the one after it."""
    if day is None or not 1970 < day.year < 9999:
        return None
    start = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware below
    return timezone.make_aware(start) + more
