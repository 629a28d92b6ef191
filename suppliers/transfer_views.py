"""An asset passes to its next owner: the seller's pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assets import duedates, handover, metering, packages, packing, serving, transfers
from assets.choices import EndReason
from assets.models import Notice, Transfer
from assets.passing_words import CHECKLISTS, USUAL_CHECKLIST, TransferState
from assets.transfer_rules import Act, Side, TransferError
from assets.views import find_asset
from owners import clock, households
from owners.choices import Rank
from owners.models import Owner
from owners.pages import OwnerRequest, page, said
from suppliers import passing_on, transfer_words
from suppliers.transfer_forms import BeforeForm, HandOverForm, ReasonForm, ToForm, WhatForm

FORM = ["GET", "HEAD", "POST"]
SHOWN = 50
FILES = ("json", "zip", "pdf")
PAST = (
    TransferState.COMPLETED,
    TransferState.DECLINED,
    TransferState.WITHDRAWN,
    TransferState.EXPIRED,
    TransferState.UNDONE,
)


def steps() -> list[str]:
    """Return the steps of the wizard in words."""
    return [_("Why"), _("What goes along"), _("To whom"), _("Before it goes"), _("Offer")]


def find_transfer(owner: Owner, key: UUID) -> Transfer:
    """Return a transfer of the owner's household; anybody else's does not exist."""
    mine = Transfer.objects.for_owner(owner).filter(asset__removed_at=None)
    return get_object_or_404(mine.select_related(*transfers.WITH), uuid=key)


def drafted(owner: Owner, key: UUID) -> Transfer:
    """Return a transfer that is being prepared, for an admin."""
    found = find_transfer(owner, key)
    if found.state != TransferState.DRAFT:
        raise Http404
    households.require(owner=owner, household_id=found.household_id, least=Rank.ADMIN)
    return found


@page
@require_http_methods(FORM)
def asset_transfer(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Begin to pass a thing on: why; what is under way goes on."""
    asset = find_asset(request.user, key)
    mine = Transfer.objects.for_owner(request.user).filter(asset=asset)
    standing = mine.standing().first()
    if standing is not None and standing.state != TransferState.DRAFT:
        return redirect("transfer", key=standing.uuid)
    initial = {"reason": standing.reason} if standing else None
    form = ReasonForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            made = transfers.draft(
                asset=asset,
                reason=EndReason(form.cleaned_data["reason"]),
                owner=request.user,
                now=clock.now(),
            )
        except TransferError as error:
            form.add_error(None, transfer_words.why(error.code))
        else:
            return redirect("transfer-what", key=made.uuid)
    context = {
        "asset": asset,
        "form": form,
        "steps": steps(),
        "past": mine.filter(state__in=PAST).order_by("-pk")[:SHOWN],
        "parts": asset.components.filter(removed_at=None).order_by("name", "pk")[:SHOWN],
    }
    status = 422 if form.is_bound else 200
    return render(request, "suppliers/transfer_why.html", context, status=status)


@page
@require_http_methods(FORM)
def transfer_what(request: OwnerRequest, key: UUID) -> HttpResponse:
    """What goes along, what is asked, and what never does; with a look at all of it."""
    transfer = drafted(request.user, key)
    now = clock.now()
    today = duedates.today_in(transfer.asset.household.zone, now)
    asked = packing.asked_of(transfer.asset, today=today)
    data = request.POST if request.method == "POST" else None
    form = WhatForm(data, transfer=transfer, asked=asked)
    if form.is_valid():
        transfers.change(
            transfer=transfer, values={"wishes": form.wishes()}, owner=request.user, now=now
        )
        return redirect("transfer-what" if "look" in request.POST else "transfer-to", key=key)
    preview = packing.pack(transfer, now=now, on=today)
    context = {
        "transfer": transfer,
        "asset": transfer.asset,
        "form": form,
        "asked": asked,
        "preview": handover.shown(packages.masked(preview)),
        "steps": steps(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "suppliers/transfer_what.html", context, status=status)


@page
@require_http_methods(FORM)
def transfer_to(request: OwnerRequest, key: UUID) -> HttpResponse:
    """To whom it is offered, and for how long."""
    transfer = drafted(request.user, key)
    form = ToForm(request.POST or None, transfer=transfer)
    if form.is_valid():
        try:
            transfers.change(
                transfer=transfer, values=form.values(), owner=request.user, now=clock.now()
            )
        except TransferError as error:
            field = error.field if error.field in form.fields else None
            form.add_error(field, transfer_words.why(error.code))
        else:
            return redirect("transfer-before", key=key)
    context = {"transfer": transfer, "asset": transfer.asset, "form": form, "steps": steps()}
    status = 422 if form.is_bound else 200
    return render(request, "suppliers/transfer_to.html", context, status=status)


@page
@require_http_methods(FORM)
def transfer_before(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Who is told, which contracts run, and what is easily forgotten."""
    transfer = find_transfer(request.user, key)
    now = clock.now()
    if not transfers.open_acts(transfer, by=Side.SELLER, now=now):
        raise Http404
    households.require(owner=request.user, household_id=transfer.household_id, least=Rank.ADMIN)
    served = passing_on.served(transfer.asset)
    data = request.POST if request.method == "POST" else None
    form = BeforeForm(data, transfer=transfer, served=served)
    if form.is_valid():
        got = form.cleaned_data
        values = {"checked": got["checked"], "keeps": [UUID(one) for one in got.get("keeps", ())]}
        transfers.change(transfer=transfer, values=values, owner=request.user, now=now)
        return redirect("transfer", key=key)
    today = duedates.today_in(transfer.asset.household.zone, now)
    context = {
        "transfer": transfer,
        "asset": transfer.asset,
        "form": form,
        "served": served,
        "contracts": passing_on.running(transfer.asset, today=today),
        "recalls": handover.shown(packing.pack(transfer, now=now, on=today))["recalls"],
        "steps": steps(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "suppliers/transfer_before.html", context, status=status)


@page
@require_safe
def transfer_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """A transfer where it is: to be offered, its link, the answer, the hand-over."""
    transfer = find_transfer(request.user, key)
    now = clock.now()
    acts = transfers.open_acts(transfer, by=Side.SELLER, now=now)
    is_admin = transfers.side_of(transfer, request.user) == Side.SELLER
    today = duedates.today_in(transfer.asset.household.zone, now)
    package = transfer.package or packing.pack(transfer, now=now, on=today)
    points = CHECKLISTS.get(transfer.asset.kind, USUAL_CHECKLIST)
    context = {
        "transfer": transfer,
        "asset": transfer.asset,
        "acts": [act.value for act in acts] if is_admin else [],
        "steps": steps(),
        "preview": handover.shown(package),
        "address": address_of(transfer) if is_admin else "",
        "undone": [point.label for point in points if point.value not in transfer.checked],
        "served": passing_on.served(transfer.asset) if Act.OFFER in acts else [],
    }
    return render(request, "suppliers/transfer.html", context)


def address_of(transfer: Transfer) -> str:
    """Return the link of an offer while it opens anything; one that was mailed is its reader's."""
    opens = (TransferState.OFFERED, TransferState.ACCEPTED, TransferState.COMPLETED)
    if transfer.state not in opens or transfer.hint or not transfer.token_hash:
        return ""
    return f"{settings.SITE_URL}{reverse('take-over-open', args=[transfer.token])}"


@page
@require_POST
def transfer_offer(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Offer it as it was prepared."""
    transfer = drafted(request.user, key)
    try:
        transfers.offer(transfer=transfer, owner=request.user, now=clock.now())
    except TransferError as error:
        messages.error(request, transfer_words.why(error.code))
    else:
        words = _("Ready to be handed over.") if transfer.is_paper else _("Offered.")
        messages.success(request, words)
    return redirect("transfer", key=key)


@page
@require_POST
def transfer_withdraw(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take the offer back."""
    transfer = find_transfer(request.user, key)
    try:
        transfers.withdraw(transfer=transfer, owner=request.user, now=clock.now())
    except TransferError as error:
        messages.error(request, transfer_words.why(error.code))
        return redirect("transfer", key=key)
    messages.success(request, _("Taken back. Its link opens nothing any more."))
    return redirect("asset", key=transfer.asset.uuid)


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@page
@require_http_methods(FORM)
def transfer_complete(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Hand it over: the last readings, and the seller's word for it."""
    transfer = find_transfer(request.user, key)
    now = clock.now()
    households.require(owner=request.user, household_id=transfer.household_id, least=Rank.ADMIN)
    acts = transfers.open_acts(transfer, by=Side.SELLER, now=now)
    if not {Act.COMPLETE, Act.ACCEPT} & set(acts):
        return redirect("transfer", key=key)
    data = request.POST if request.method == "POST" else None
    form = HandOverForm(data, asset=transfer.asset, reason=transfer.reason)
    if form.is_valid():
        try:
            transfers.complete(
                transfer=transfer, owner=request.user, now=now, handing=form.handing()
            )
        except TransferError as error:
            form.add_error(None, transfer_words.why(error.code))
        except metering.MeterError as error:
            form.add_error(None, _(error.detail))
        except packages.PackageError as error:
            form.add_error(None, transfer_words.unreadable(error.code))
        else:
            said(request, _("Handed over. Your copy stays with you, to read."))
            return redirect("transfer", key=key)
    context = {
        "transfer": transfer,
        "asset": transfer.asset,
        "form": form,
        "served": passing_on.served(transfer.asset),
    }
    status = 422 if form.is_bound else 200
    return render(request, "suppliers/transfer_complete.html", context, status=status)


@page
@require_POST
def transfer_again(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Offer it anew with what was ticked before."""
    transfer = find_transfer(request.user, key)
    try:
        made = transfers.again(transfer=transfer, owner=request.user, now=clock.now())
    except TransferError as error:
        messages.error(request, transfer_words.why(error.code))
        return redirect("transfer", key=key)
    return redirect("transfer-what", key=made.uuid)


@page
@require_POST
def transfer_ask_back(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Ask for the hand-over to be undone; both have to."""
    transfer = find_transfer(request.user, key)
    try:
        done = transfers.ask_back(
            transfer=transfer, by=Side.SELLER, owner=request.user, now=clock.now()
        )
    except TransferError as error:
        messages.error(request, transfer_words.why(error.code))
    else:
        is_undone = done.state == TransferState.UNDONE
        words = _("Undone: it is yours again.") if is_undone else _("Asked. They have to agree.")
        messages.success(request, words)
    return redirect("transfer", key=key)


@page
@require_safe
def transfer_file(request: OwnerRequest, key: UUID, form: str) -> HttpResponse:
    """What was handed over as a file: the package, with its papers, or on paper."""
    transfer = find_transfer(request.user, key)
    if transfer.package is None or form not in FILES:
        raise Http404
    if form != "pdf" and transfer.state != TransferState.COMPLETED:
        raise Http404
    return as_file(transfer, form)


def as_file(transfer: Transfer, form: str) -> HttpResponse:
    """Return a package as a file of one of the three forms."""
    package: Any = transfer.package or {}
    name = f"{transfer.asset.name} {package['hand_over']['on']}"
    if form == "pdf":
        return serving.as_download(
            handover.paper(package), name=f"{name}.pdf", kind="application/pdf"
        )
    if form == "json":
        return serving.as_download(
            handover.written(package), name="package.json", kind="application/json"
        )
    content = handover.archive(package, transfers.files_of(transfer))
    return serving.as_download(content, name=f"{name}.zip", kind="application/zip")


@page
@require_safe
def transfer_notice(request: OwnerRequest, notice: UUID) -> HttpResponse:
    """Lead from a card to the transfer that it is about."""
    found = get_object_or_404(Notice.objects.for_owner(request.user), uuid=notice)
    owner, now = request.user, clock.now()
    mine = Transfer.objects.for_owner(owner).filter(uuid=found.subject).first()
    if mine is not None and found.household_id == mine.household_id:
        return redirect("transfer", key=mine.uuid)
    if found.asset is not None and found.kind == "received":
        return redirect("asset-received", key=found.asset.uuid)
    if transfers.offered_to(owner=owner, key=found.subject, now=now) is None:
        raise Http404
    return redirect("take-over", key=found.subject)
