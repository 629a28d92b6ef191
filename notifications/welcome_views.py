"""The first two minutes: who, what, by whom, and when to be disturbed. Any of it can wait."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from assets import register, starters
from assets.models import Asset
from notifications import demo_home
from owners import clock, doorbell, households, whereabouts
from owners.choices import Rank
from owners.forms import ZONES
from owners.models import Household, Owner
from owners.pages import OwnerRequest, page
from owners.reach import PRESETS
from suppliers import inbox, mandates
from suppliers.models import Supplier
from suppliers.typed import read_domain, read_number

STEPS = ("you", "things", "suppliers", "quiet")
LABELS = {
    "you": gettext_lazy("You"),
    "things": gettext_lazy("Your things"),
    "suppliers": gettext_lazy("Who serves them"),
    "quiet": gettext_lazy("When to disturb you"),
}
DEMO = "demo"  # in the session: the banner stands on every page until the demo is deleted


class YouForm(forms.Form):
    """What to call the owner, and where the clock stands."""

    name = forms.CharField(
        label=gettext_lazy("What shall we call you?"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Your language"), choices=settings.LANGUAGES, required=False
    )
    zone = forms.ChoiceField(
        label=gettext_lazy("Your time zone"),
        choices=ZONES,
        help_text=gettext_lazy("Times are shown in it, and your quiet hours follow it."),
    )

    def __init__(self, data: QueryDict | None = None, *, owner: Owner) -> None:
        """Begin with what is known; the browser's zone is taken while none was chosen."""
        known = {"name": owner.name, "language": owner.language, "zone": owner.zone}
        super().__init__(data, initial=known)
        if owner.zone == whereabouts.UNKNOWN:
            self.fields["zone"].widget.attrs["data-zone"] = ""

    def clean_language(self) -> str:
        """Keep the language when none is chosen."""
        return str(self.cleaned_data["language"] or self.initial["language"])


class ServedForm(forms.Form):
    """One supplier, by whatever is known of it, and what it said last."""

    name = forms.CharField(label=gettext_lazy("Their name"), max_length=120)
    address = forms.CharField(
        label=gettext_lazy("Their web address, e-mail or phone number"),
        max_length=253,
        required=False,
        help_text=gettext_lazy("So that you hear at once who writes or calls."),
    )
    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        label=gettext_lazy("What do they look after?"),
        to_field_name="uuid",
        required=False,
        empty_label=gettext_lazy("Nothing in particular"),
    )
    note = forms.CharField(
        label=gettext_lazy("What did they say last?"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "Paste their message, or write down the call. Times and prices in it are read."
        ),
    )

    def __init__(self, *args: Any, owner: Owner, **kwargs: Any) -> None:
        """Offer the owner's things."""
        super().__init__(*args, **kwargs)
        mine = Asset.objects.for_owner(owner).looked_after()
        self.fields["asset"].queryset = mine  # type: ignore[attr-defined]  # the field of a model choice

    def clean_address(self) -> str:
        """Say so when what was written is no address, instead of losing it."""
        typed = str(self.cleaned_data["address"])
        if typed.strip() and not (read_number(typed) or read_domain(typed)):
            raise forms.ValidationError(
                gettext_lazy("Write it as in skyline.example, or a number with + and its country.")
            )
        return typed

    def known(self) -> dict[str, list[str]]:
        """Return the address as a domain or a number."""
        number = read_number(self.cleaned_data["address"])
        domain = read_domain(self.cleaned_data["address"])
        return {"numbers": [number]} if number else {"domains": [domain] if domain else []}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: OwnerRequest) -> HttpResponse:
    """One step of the first two minutes; each can be skipped."""
    step = request.GET.get("step", STEPS[0])
    if step not in STEPS:
        return redirect("welcome")
    if request.method == "POST":
        home = households.ensure_first(owner=request.user, now=clock.now())
        context = TAKERS[step](request, home)
        if context is None:
            return redirect(next_address(step))
        return render(request, "notifications/welcome.html", shown(step, context), status=422)
    return render(request, "notifications/welcome.html", shown(step, OFFERS[step](request)))


def shown(step: str, context: dict[str, Any]) -> dict[str, Any]:
    """Return what every step shows, with its own."""
    number = STEPS.index(step)
    return {
        "step": step,
        "number": number + 1,
        "steps": [LABELS[name] for name in STEPS],
        "skip": next_address(step),
        **context,
    }


def next_address(step: str) -> str:
    """Return where the step after this one is."""
    number = STEPS.index(step) + 1
    if number == len(STEPS):
        return reverse("today")
    return f"{reverse('welcome')}?step={STEPS[number]}"


def offer_you(request: OwnerRequest) -> dict[str, Any]:
    """Ask for the name and the zone."""
    return {"form": YouForm(owner=request.user)}


def take_you(request: OwnerRequest, home: Household) -> dict[str, Any] | None:
    """Note the name and the zone; the household is in the same one."""
    form = YouForm(request.POST, owner=request.user)
    if not form.is_valid():
        return {"form": form}
    owner = request.user
    households.change_owner(owner=owner, values=form.cleaned_data)
    home.refresh_from_db()  # it may be called after its owner
    mine = households.require(owner=owner, household_id=home.pk)
    if home.zone == whereabouts.UNKNOWN and mine.rank == Rank.ADMIN:
        zone = {"zone": form.cleaned_data["zone"]}
        households.change(household=home, values=zone, by=owner, now=clock.now())
    return None


def offer_things(request: OwnerRequest) -> dict[str, Any]:
    """Offer what people usually own."""
    return {
        "starters": [each for each in starters.STARTERS.values() if each.slug != starters.USUAL]
    }


def take_things(request: OwnerRequest, home: Household) -> dict[str, Any] | None:
    """Add what was picked, and what was written, one thing a line."""
    owner, now = request.user, clock.now()
    households.require(owner=owner, household_id=home.pk)
    picked = [
        starters.STARTERS[slug]
        for slug in dict.fromkeys(request.POST.getlist("template"))
        if slug in starters.STARTERS
    ]
    for starter in picked:
        values = {"name": str(starter.label), "template": starter.slug, "kind": starter.kind}
        register.add(household=home, values={**values, "keeper": owner}, now=now)
    for text in str(request.POST.get("lines", "")).splitlines()[:20]:
        if text.strip():
            line = starters.read_line(text)
            kind = starters.STARTERS[line.starter].kind
            values = {"name": line.name, "template": line.starter, "kind": kind}
            register.add(
                household=home,
                values={**values, "place": line.place, "keeper": owner},
                identifiers=line.identifiers,
                now=now,
            )
    return None


def offer_suppliers(request: OwnerRequest) -> dict[str, Any]:
    """Ask who serves one thing."""
    newest = Asset.objects.for_owner(request.user).looked_after().order_by("-created_at").first()
    initial = {"asset": newest.uuid if newest else None}
    return {"form": ServedForm(owner=request.user, initial=initial)}


def take_suppliers(request: OwnerRequest, home: Household) -> dict[str, Any] | None:
    """Note a supplier, and what it said: the first card comes from these words."""
    owner, now = request.user, clock.now()
    form = ServedForm(request.POST, owner=owner)
    if not form.is_valid():
        return {"form": form}
    got = form.cleaned_data
    asset = got["asset"]
    home = asset.household if asset else home
    households.require(owner=owner, household_id=home.pk, least=Rank.ADMIN)
    known = form.known()
    mandate = mandates.note_supplier(
        household=home,
        name=got["name"],
        domains=known.get("domains", []),
        numbers=known.get("numbers", []),
        assets=[asset] if asset else [],
        owner=owner,
        now=now,
    )
    if got["note"]:
        write_down(request, home, mandate.supplier, asset, got["note"])
    return None


def write_down(
    request: OwnerRequest, home: Household, supplier: Supplier, asset: Asset | None, note: str
) -> None:
    """Log the owner's words; what is read from them is asked back on the card."""
    owner, now = request.user, clock.now()
    data: dict[str, Any] = {
        "direction": "in",
        "medium": "call",
        "supplier": str(supplier.uuid),
        "started_at": now.isoformat(),
        "note": note,
    }
    if asset:
        data["asset"] = str(asset.uuid)
    inbox.log(owner=owner, household=home, data=data, now=now)
    doorbell.ring("inbox")


def offer_quiet(request: OwnerRequest) -> dict[str, Any]:
    """Offer three ways of being disturbed."""
    return {
        "presets": [
            ("must_act", _("Only when I must act"), _("Somebody comes, or something failed.")),
            ("normal", _("The usual"), _("Visits, changes and failures at once; bills daily.")),
            ("everything", _("Tell me more"), _("Almost everything at once, adverts weekly.")),
        ]
    }


def take_quiet(request: OwnerRequest, home: Household) -> dict[str, Any] | None:
    """Set how the member is reached."""
    chosen = str(request.POST.get("preset", "normal"))
    if chosen not in PRESETS:
        return offer_quiet(request)
    membership = households.require(owner=request.user, household_id=home.pk)
    wishes = [
        households.TopicWish(topic=topic, moment=moment)
        for topic, moment in PRESETS[chosen].items()
    ]
    households.change_reach(membership=membership, values={}, topics=wishes)
    messages.success(request, _("Ready. This is your house."))
    return None


OFFERS = {
    "you": offer_you,
    "things": offer_things,
    "suppliers": offer_suppliers,
    "quiet": offer_quiet,
}
TAKERS = {
    "you": take_you,
    "things": take_things,
    "suppliers": take_suppliers,
    "quiet": take_quiet,
}


@page
@require_POST
def demo_open(request: OwnerRequest) -> HttpResponse:
    """Open a household to look around in."""
    demo_home.open_for(owner=request.user, now=clock.now())
    doorbell.ring("inbox")
    request.session[DEMO] = True
    return redirect("today")


@page
@require_POST
def demo_close(request: OwnerRequest) -> HttpResponse:
    """Delete the demo household, all of it."""
    home = demo_home.of(request.user)
    if home is not None:
        households.require(owner=request.user, household_id=home.pk, least=Rank.ADMIN)
        demo_home.close(home=home, now=clock.now())
    request.session.pop(DEMO, None)
    messages.success(request, _("The demo is gone. Nothing of it is left."))
    return redirect("welcome")
