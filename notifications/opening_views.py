"""What an owner opens with a supplier: a matter, or a request about personal data."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from assets import faults, recalls
from assets.choices import NoticeKind
from assets.cover_words import RecallState
from assets.models import Asset, Issue, Notice, RecallMatch, WorkOrder
from notifications import noticing, opening, ties
from notifications.forms import Clock, Day, local_instant
from notifications.projections import uuid_for
from owners import clock, doorbell, households
from owners.models import Household, Owner
from owners.pages import OwnerRequest, page
from suppliers.models import Mandate
from suppliers.views import for_admin


class StartForm(forms.Form):
    """What is wrong or asked, with which thing, and who is to hear of it."""

    text = forms.CharField(
        label=gettext_lazy("What is it about?"),
        max_length=opening.LONGEST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("In your own words: what is wrong, or what you would like to know."),
    )
    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        label=gettext_lazy("About what"),
        to_field_name="uuid",
        required=False,
        empty_label=gettext_lazy("No thing in particular"),
    )
    mandate = forms.ModelChoiceField(
        Mandate.objects.none(),
        label=gettext_lazy("Who is to hear of it"),
        to_field_name="uuid",
        required=False,
        empty_label=gettext_lazy("Nobody: just note it"),
    )
    day = forms.DateField(label=gettext_lazy("Day"), widget=Day, required=False)
    opens = forms.TimeField(label=gettext_lazy("From"), widget=Clock, required=False)
    closes = forms.TimeField(label=gettext_lazy("To"), widget=Clock, required=False)
    key = forms.UUIDField(widget=forms.HiddenInput)
    fault = forms.ModelChoiceField(
        Issue.objects.none(), to_field_name="uuid", required=False, widget=forms.HiddenInput
    )

    recall = forms.ModelChoiceField(
        RecallMatch.objects.none(), to_field_name="uuid", required=False, widget=forms.HiddenInput
    )
    order = forms.ModelChoiceField(
        WorkOrder.objects.none(), to_field_name="uuid", required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, owner: Owner, about: Asset | None = None, **kwargs: Any) -> None:
        """Offer the owner's own things, and the suppliers that may know of this one."""
        super().__init__(*args, **kwargs)
        offered = opening.mandates_for(owner, asset=about)
        self.fields["asset"].queryset = Asset.objects.for_owner(owner).looked_after()  # type: ignore[attr-defined]  # the field of a model choice
        self.fields["mandate"].queryset = offered  # type: ignore[attr-defined]  # the field of a model choice
        self.fields["fault"].queryset = Issue.objects.for_owner(owner)  # type: ignore[attr-defined]  # as above
        self.fields["recall"].queryset = recalls.to_book(owner)  # type: ignore[attr-defined]  # as above
        self.fields["order"].queryset = WorkOrder.objects.for_owner(owner)  # type: ignore[attr-defined]  # as above
        self.fields["mandate"].label_from_instance = lambda one: one.supplier.name  # type: ignore[attr-defined]  # a mandate is called as its supplier

    def clean(self) -> dict[str, Any]:
        """Refuse half a time, and one that ends before it starts."""
        values = super().clean() or {}
        window = [values.get(name) for name in ("day", "opens", "closes")]
        if any(window) and not all(window):
            self.add_error("day", _("A visit needs its day, its start and its end."))
        elif all(window) and window[2] <= window[1]:  # type: ignore[operator]  # both are times
            self.add_error("closes", _("The end comes after the start."))
        return values

    def windows(self) -> list[dict[str, str]]:
        """Return the time that would suit, if one was given."""
        got = self.cleaned_data
        if not got["day"]:
            return []
        return [
            {
                "start": local_instant(got["day"], got["opens"]).isoformat(),
                "end": local_instant(got["day"], got["closes"]).isoformat(),
            }
        ]


@page
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: OwnerRequest) -> HttpResponse:
    """Open a matter: with a supplier, or only for oneself."""
    owner, now = request.user, clock.now()
    if request.method != "POST":
        about = _named(Asset.objects.for_owner(owner), request.GET.get("asset"))
        named = opening.mandates_for(owner, asset=about)
        supplier = request.GET.get("supplier")
        chosen = [one for one in named if supplier is None or str(one.supplier.uuid) == supplier]
        initial = {
            "asset": about.uuid if about else None,
            "mandate": chosen[0].uuid if len(chosen) == 1 else None,
            "key": uuid.uuid4(),
        }
        fault = _named(Issue.objects.for_owner(owner), request.GET.get("fault"))
        if fault is not None:
            initial |= {"fault": fault.uuid, "text": _told_of(fault)}
        recall = _named(recalls.to_book(owner), request.GET.get("recall"))
        if recall is not None:
            initial |= {"recall": recall.uuid, "text": _told_of_recall(recall)}
        order = _named(WorkOrder.objects.for_owner(owner), request.GET.get("order"))
        if order is not None:
            told = "\n".join(filter(None, (order.title, order.note)))
            initial |= {"order": order.uuid, "text": told}
        return _show(request, StartForm(initial=initial, owner=owner, about=about), about=about)
    form = StartForm(request.POST, owner=owner)
    if not form.is_valid():
        return _show(request, form, status=422)
    asset, mandate = form.cleaned_data["asset"], form.cleaned_data["mandate"]
    home = asset or mandate
    household = home.household if home else households.ensure_first(owner=owner, now=now)
    households.require(owner=owner, household_id=household.pk)
    try:
        opened = opening.start(
            owner=owner,
            household=household,
            text=form.cleaned_data["text"],
            asset=asset,
            mandate=mandate,
            windows=form.windows(),
            key=str(form.cleaned_data["key"]),
            now=now,
            journey=_matter_of(form.cleaned_data["recall"], household),
        )
    except opening.OpeningError as error:
        field = {"supplier": "mandate"}.get(error.field, error.field)
        form.add_error(field, _(error.detail))
        return _show(request, form, about=asset, status=422)
    fault = form.cleaned_data["fault"]
    if fault is not None and fault.household_id == household.pk:
        ties.tie(issue=fault, journey=opened.journey, owner=owner, now=now)
    _arranged(form, household, opened, owner=owner, now=now)
    _say(request, mandate, key=form.cleaned_data["key"])
    return redirect("today")


def _matter_of(recall: RecallMatch | None, household: Household) -> UUID | None:
    """Return the matter that Steward opened about a recall: the booking joins it."""
    if recall is None or recall.household_id != household.pk:
        return None
    notice = Notice.objects.filter(kind=NoticeKind.RECALL, subject=recall.uuid).first()
    journey = noticing.journey_of(notice) if notice is not None else None
    return journey.uuid if journey is not None else None


def _arranged(
    form: StartForm, household: Household, opened: opening.Opened, *, owner: Owner, now: datetime
) -> None:
    """Let a recall and a repair know by which matter they are arranged, and with whom."""
    mandate = form.cleaned_data["mandate"]
    recall, order = form.cleaned_data["recall"], form.cleaned_data["order"]
    if recall is not None and recall.household_id == household.pk and mandate is not None:
        recalls.move(
            row=recall,
            state=RecallState.REMEDY_BOOKED,
            values={"provider": mandate.supplier.name},
            owner=owner,
            now=now,
        )
    if order is not None and order.household_id == household.pk:
        faults.arrange(
            order=order,
            matter=opened.journey,
            provider=mandate.supplier.name if mandate is not None else "",
            owner=owner,
            now=now,
        )


@page
@require_POST
def data_request(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Ask a supplier what it holds about the household, or to delete it."""
    mandate, now = for_admin(request, key), clock.now()
    kind = request.POST.get("kind", "")
    form = uuid_for(mandate.uuid, kind, f"{now:%Y%m%d%H%M}")  # tapped twice is asked once
    try:
        opening.ask_for_data(owner=request.user, mandate=mandate, kind=kind, key=str(form), now=now)
    except opening.OpeningError as error:
        messages.error(request, _(error.detail))
    else:
        _say(request, mandate, key=form)
    return redirect("supplier", key=mandate.supplier.uuid)


def _say(request: OwnerRequest, mandate: Mandate | None, *, key: UUID) -> None:
    doorbell.ring("inbox")
    words = _("Noted. Its card comes in a moment.")
    if mandate is not None:
        words = _("It goes to %(supplier)s in a moment.") % {"supplier": mandate.supplier.name}
    messages.success(request, words, extra_tags=f"undo:{reverse('log-undo', args=[key])}")


def _told_of_recall(row: RecallMatch) -> str:
    """Return what a supplier is told of a recall, for the owner to change."""
    named = _("Recall %(number)s: %(title)s") % {
        "number": row.notice.number,
        "title": row.notice.title,
    }
    return "\n".join((named, _("Please tell us when the remedy can be carried out.")))


def _told_of(fault: Issue) -> str:
    """Return what a supplier is told of a fault, for the owner to change."""
    since = _("Since %(day)s.") % {"day": date_format(fault.noticed_on, "DATE_FORMAT")}
    return "\n".join(filter(None, (fault.title, since, fault.note)))


def _named(things: Any, name: str | None) -> Any:
    """Return the one of the owner's things that an address names, if it is one."""
    try:
        found = things.filter(uuid=UUID(name or "")).first()
    except ValueError:
        return None
    return found


def _show(
    request: OwnerRequest, form: StartForm, *, about: Asset | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "about": about}
    return render(request, "notifications/journey_start.html", context, status=status)
