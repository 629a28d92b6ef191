"""The suppliers who serve a household: what they may do, and how they sign."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from owners import clock, households, undo
from owners.choices import Rank
from owners.models import Change, Household, Owner
from owners.pages import OwnerRequest, chosen_household, page, said, way_back
from suppliers import disclosure, keys, letters, mandates, particulars, receipts, secrets, terms
from suppliers.choices import (
    HOME_FACTS,
    EventState,
    FactName,
    MandateState,
    Purpose,
    RoleKind,
)
from suppliers.forms import EndpointForm, MandateForm, ParticularForm, RoleForm, SupplierForm
from suppliers.models import (
    BlockedSender,
    ConsentReceipt,
    InboundEvent,
    Mandate,
    OutboundEvent,
    OutboundState,
    Role,
    SigningSecret,
    Supplier,
    SupplierInvitation,
    SupplierKey,
    TermsRecord,
)

PAGE = 30
RECORDS = 50
SENT_SHOWN = 10
LOST = 5  # answers shown that did not arrive
STATES = {
    "pause": (
        MandateState.PAUSED,
        gettext_lazy("Paused. What they send is kept, and nobody is told."),
    ),
    "resume": (MandateState.ACTIVE, gettext_lazy("Active again.")),
}


@page
@require_GET
def supplier_list(request: OwnerRequest) -> HttpResponse:
    """Everybody who serves what the owner has."""
    owner = request.user
    mine = Mandate.objects.for_owner(owner).live().select_related("supplier")
    named = mine.annotate(covered=Count("assets")).order_by("supplier__name", "pk")
    rows = Paginator(named, PAGE).get_page(request.GET.get("page"))
    pending = SupplierInvitation.objects.for_owner(owner).open(clock.now())
    context = {"mandates": rows, "invitations": pending.order_by("-created_at")[:PAGE]}
    return render(request, "suppliers/suppliers.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def supplier_add(request: OwnerRequest) -> HttpResponse:
    """Note a supplier nobody here knows yet, with a mandate."""
    owner, now = request.user, clock.now()
    household = household_served(request)
    if household is None:
        return redirect("household")
    initial = {"assets": request.GET.getlist("asset"), "name": request.GET.get("name", "")}
    form = SupplierForm(request.POST or None, household=household, initial=initial)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "suppliers/supplier_add.html", {"form": form}, status=status)
    households.require(owner=owner, household_id=household.pk, least=Rank.ADMIN)
    got = form.cleaned_data
    mandate = mandates.note_supplier(
        household=household,
        name=got["name"],
        domains=[got["domain"]] if got["domain"] else [],
        numbers=[got["number"]] if got["number"] else [],
        assets=list(got["assets"]),
        owner=owner,
        now=now,
    )
    change = undo.latest(kind=mandates.GRANTED, subject=mandate.uuid)
    said(request, _("Added. This is the address to give them."), change)
    return redirect("supplier", key=mandate.supplier.uuid)


def household_served(request: OwnerRequest) -> Household | None:
    """Return the household of the asset that was named, else the one chosen last."""
    try:
        key = UUID(request.GET.get("asset", ""))
    except ValueError:
        return chosen_household(request)
    mine = Household.objects.for_owner(request.user)
    return mine.filter(assets__uuid=key).first() or chosen_household(request)


@page
@require_GET
def supplier_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One supplier: roles, mandate, secrets, matters."""
    return show(request, find_supplier(request.user, key))


def find_supplier(owner: Owner, key: UUID) -> Supplier:
    """Return a supplier that serves the owner; any other does not exist."""
    return get_object_or_404(Supplier.objects.for_owner(owner), uuid=key)


def find_mandate(owner: Owner, key: UUID) -> Mandate:
    """Return the owner's live mandate."""
    mine = Mandate.objects.for_owner(owner).live().select_related("household", "supplier")
    return get_object_or_404(mine, uuid=key)


def show(
    request: OwnerRequest,
    supplier: Supplier,
    *,
    form: MandateForm | None = None,
    made: secrets.Made | None = None,
    made_key: keys.MadeKey | None = None,
    endpoint_secret: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the supplier's page, with a faulty form or a secret to be seen once."""
    owner, now = request.user, clock.now()
    mine = Mandate.objects.for_owner(owner).filter(supplier=supplier)
    mandate = mine.with_leaks().select_related("household", "supplier").order_by("-pk").first()
    roles = Role.objects.filter(household__memberships__owner=owner, supplier=supplier)
    context: dict[str, object] = {
        "supplier": supplier,
        "mandate": mandate,
        "is_live": mandate is not None and mandate.state != MandateState.ENDED,
        "blocked": BlockedSender.objects.filter(mandate=mandate).first() if mandate else None,
        "roles": roles.select_related("asset").order_by("asset__name", "kind", "pk"),
        "made": made,
        "made_key": made_key,
        "endpoint_secret": endpoint_secret,
    }
    if mandate is not None:
        home = mandate.household
        assets = list(mandate.assets.order_by("name", "pk"))
        initial = {"purposes": mandate.purposes, "assets": [asset.uuid for asset in assets]}
        can_sign = secrets.may_manage(household=home, supplier=supplier)
        sent = OutboundEvent.objects.for_owner(owner).filter(supplier=supplier)
        context |= {
            "form": form or MandateForm(initial=initial, household=home),
            "purpose_rows": purpose_rows(mandate),
            "fact_rows": fact_rows(mandate),
            "standing": list(terms.standing(mandate).values()),
            "records": agreed(mandate),
            "receipts": receipts_of(mandate),
            "covered": assets,
            "address": mandates.alias_address(mandate),
            "known": particulars.of(household=home, supplier=supplier),
            "particular_form": ParticularForm(),
            "role_form": RoleForm(household=home),
            "sent": named(sent.order_by("-created_at", "-pk")[:SENT_SHOWN]),
            "lost": named(
                sent.filter(state=OutboundState.FAILED, type__startswith="owner.")
                .exclude(type__regex=r"^owner\.(mandate|asset|reach)\.")  # they need not hear
                .order_by("-created_at")[:LOST]
            ),
            "can_sign": can_sign,
        }
        if can_sign:
            context |= {
                "secrets": SigningSecret.objects.live(now).filter(supplier=supplier),
                "refused": last_refused(supplier),
                "keys": SupplierKey.objects.live().filter(supplier=supplier).order_by("pk"),
                "endpoint_form": EndpointForm(initial={"url": supplier.webhook_url}),
                "snippets": snippets(mandate, made),
            }
    return render(request, "suppliers/supplier.html", context, status=status)


def named(events: Iterable[OutboundEvent]) -> list[OutboundEvent]:
    """Return events each with what it says in words, as its supplier reads them."""
    found = list(events)
    for event in found:
        event.what = letters.subject_of(event)  # type: ignore[attr-defined]
    return found


def last_refused(supplier: Supplier) -> InboundEvent | None:
    """Return the supplier's newest event when it was refused for its content."""
    newest = InboundEvent.objects.filter(supplier=supplier).order_by("-pk").first()
    return newest if newest is not None and newest.state == EventState.REJECTED else None


def purpose_rows(mandate: Mandate) -> list[dict[str, object]]:
    """Return what the supplier may write about, each with its switch."""
    notes = {
        Purpose.SERVICE: _("Visits, repairs, orders, questions about them"),
        Purpose.BILLING: _("Bills, payments and refunds"),
        Purpose.FEEDBACK: _("Surveys; they never interrupt you, and are held within your cap"),
        Purpose.MARKETING: _("Offers and adverts; without it they are held and counted only"),
    }
    return [
        {
            "purpose": purpose,
            "label": purpose.label,
            "note": notes[purpose],
            "is_on": purpose.value in mandate.purposes,
        }
        for purpose in Purpose
    ]


def fact_rows(mandate: Mandate) -> list[dict[str, object]]:
    """Return what the supplier may know, each with its switch and what stands there now."""
    known = disclosure.written(mandate.household)
    read = _("Read from each of the things above")
    return [
        {
            "fact": fact,
            "label": fact.label,
            "note": (known.get(fact.value) or _("Not written down yet"))
            if fact in HOME_FACTS
            else read,
            "is_on": fact.value in mandate.facts,
        }
        for fact in FactName
    ]


def agreed(mandate: Mandate) -> list[TermsRecord]:
    """Return the steps of the owner's terms, the newest first, each with its verdict in words."""
    rows = list(TermsRecord.objects.filter(mandate=mandate).order_by("-at", "-pk")[:RECORDS])
    for row in rows:
        row.why = terms.VERDICTS.get(row.verdict, "")  # type: ignore[attr-defined]
    return rows


def receipts_of(mandate: Mandate) -> list[ConsentReceipt]:
    """Return the receipts of a mandate, the newest first, each with what happened in words."""
    rows = ConsentReceipt.objects.filter(mandate=mandate)
    found = list(rows.order_by("-made_at", "-pk")[:RECORDS])
    for row in found:
        row.what = receipts.SAID[row.event_state]  # type: ignore[attr-defined]
    return found


def snippets(mandate: Mandate, made: secrets.Made | None) -> dict[str, str]:
    """Return a complete signed event to paste, for the shell and for Python."""
    context = {
        "url": f"{settings.SITE_URL}/webhooks/{mandate.supplier.code}/",
        "code": mandate.supplier.code,
        "owner_ref": mandate.owner_ref,
        "zone": mandate.household.zone,
        "secret": made.value if made else "whsec_…",
    }
    return {
        language: render_to_string(f"suppliers/snippet.{language}.txt", context)
        for language in ("sh", "py")
    }


@page
@require_POST
def mandate_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change what a supplier may write about."""
    mandate = find_mandate(request.user, key)
    households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
    form = MandateForm(request.POST, household=mandate.household)
    if not form.is_valid():
        return show(request, mandate.supplier, form=form, status=422)
    change = mandates.change(
        mandate=mandate,
        purposes=[Purpose(purpose) for purpose in form.cleaned_data["purposes"]],
        assets=list(form.cleaned_data["assets"]),
        owner=request.user,
        now=clock.now(),
    )
    said(request, _("Saved."), change)
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_POST
def mandate_state(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Pause a mandate or resume it."""
    mandate = find_mandate(request.user, key)
    households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
    wanted = STATES.get(str(request.POST.get("state", "")))
    if wanted is None:
        return HttpResponse(status=400)
    change = mandates.change(mandate=mandate, state=wanted[0], owner=request.user, now=clock.now())
    said(request, str(wanted[1]), change)
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_POST
def secret_rotate(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Make a new signing secret and show it once, in this answer and never again."""
    mandate = find_mandate(request.user, key)
    households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
    try:
        made = secrets.rotate(
            household=mandate.household,
            supplier=mandate.supplier,
            owner=request.user,
            now=clock.now(),
        )
    except secrets.SecretError:
        return HttpResponse(_("Only the supplier itself changes its secret."), status=403)
    return show(request, mandate.supplier, made=made)


def for_admin(request: OwnerRequest, key: UUID) -> Mandate:
    """Return the owner's live mandate when the owner may change it."""
    mandate = find_mandate(request.user, key)
    households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
    return mandate


@page
@require_POST
def purpose_switch(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Allow a supplier one purpose, or take it back."""
    return switched(request, key, what="purpose", known=Purpose, change=mandates.switch)


def switched(
    request: OwnerRequest,
    key: UUID,
    *,
    what: str,
    known: type[FactName] | type[Purpose],
    change: Callable[..., Change | None],
) -> HttpResponse:
    """Switch one of the things that a mandate lists on or off, and return to the page.

    `change` takes it under the name `what`, as the form does.
    """
    mandate = for_admin(request, key)
    wanted = str(request.POST.get(what, ""))
    if wanted not in known.values:
        return HttpResponse(status=400)
    done = change(
        mandate=mandate,
        is_on=bool(request.POST.get("on")),
        owner=request.user,
        now=clock.now(),
        **{what: known(wanted)},
    )
    said(request, _("Saved. They are told."), done)
    return redirect(way_back(request, reverse("supplier", args=[mandate.supplier.uuid])))


@page
@require_POST
def particular_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Note a name, number or domain of a supplier, or forget one of this household's."""
    mandate = for_admin(request, key)
    form = ParticularForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect("supplier", key=mandate.supplier.uuid)
    got = {"kind": form.cleaned_data["kind"], "value": form.cleaned_data["value"]}
    change = particulars.forget if request.POST.get("forget") else particulars.note
    try:
        change(household=mandate.household, supplier=mandate.supplier, **got)
    except particulars.ParticularError as error:
        messages.error(request, _(str(error)))
    else:
        messages.success(request, _("Saved."))
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_POST
def role_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Note what a supplier is for an asset, or take it away."""
    mandate = for_admin(request, key)
    taken = request.POST.get("take", "")
    if taken:
        mine = Role.objects.filter(household=mandate.household, supplier=mandate.supplier)
        role = get_object_or_404(mine, pk=_number(taken))
        change = particulars.take_role(role=role, owner=request.user, now=clock.now())
        said(request, _("Removed."), change)
        return redirect("supplier", key=mandate.supplier.uuid)
    form = RoleForm(request.POST, household=mandate.household)
    if form.is_valid():
        particulars.give_role(
            asset=form.cleaned_data["asset"],
            supplier=mandate.supplier,
            kind=RoleKind(form.cleaned_data["kind"]),
            now=clock.now(),
        )
        messages.success(request, _("Saved."))
    else:
        messages.error(request, _("Choose a thing and what they are for it."))
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_POST
def key_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Make a key of the supplier's own API and show it once, or revoke one."""
    mandate = for_admin(request, key)
    if not secrets.may_manage(household=mandate.household, supplier=mandate.supplier):
        return HttpResponse(_("Only the supplier itself changes its keys."), status=403)
    revoked = request.POST.get("revoke", "")
    if revoked:
        mine = SupplierKey.objects.filter(supplier=mandate.supplier)
        found = get_object_or_404(mine, pk=_number(revoked))
        keys.revoke(key=found, household=mandate.household, owner=request.user, now=clock.now())
        messages.success(request, _("Revoked. It opens nothing any more."))
        return redirect("supplier", key=mandate.supplier.uuid)
    name = str(request.POST.get("name", ""))[:80]
    made = keys.make(
        supplier=mandate.supplier,
        name=name,
        household=mandate.household,
        owner=request.user,
        now=clock.now(),
    )
    return show(request, mandate.supplier, made_key=made)


@page
@require_POST
def endpoint_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say where Steward's events go, and show their new secret once."""
    mandate = for_admin(request, key)
    form = EndpointForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Write an address that begins with https://."))
        return redirect("supplier", key=mandate.supplier.uuid)
    try:
        value = secrets.set_endpoint(
            household=mandate.household,
            supplier=mandate.supplier,
            url=form.cleaned_data["url"],
            owner=request.user,
            now=clock.now(),
        )
    except secrets.SecretError:
        return HttpResponse(_("Only the supplier itself changes its secret."), status=403)
    mandate.supplier.refresh_from_db()
    return show(request, mandate.supplier, endpoint_secret=value)


def _number(given: str) -> int:
    """Return the row a form names; 0, which is none, for anything else."""
    return int(given) if given.isdecimal() and len(given) < 18 else 0
