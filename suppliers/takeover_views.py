"""An asset passes to its next owner: the buyer's pages, and a package from elsewhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assets import handover, transfers, unpacking
from assets.models import PackageFile, Received, Transfer
from assets.packages import PackageError
from assets.passing_words import TakenTo, TransferState
from assets.transfer_rules import Act, Side, TransferError
from assets.views import find_asset
from owners import clock, households
from owners.choices import Rank
from owners.models import Owner
from owners.pages import OwnerRequest, page, said
from suppliers import issuers, passing_on, transfer_words
from suppliers.models import Supplier
from suppliers.transfer_forms import PackageForm, TakeForm, homes_of
from suppliers.transfer_views import FILES, as_file

FORM = ["GET", "HEAD", "POST"]
HELD = "taking_over"  # the session's key
SHOWN = 100


# --- by a link ---------------------------------------------------------------------------


@never_cache
@require_http_methods(FORM)
def offered(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show what is offered to whoever has the link, and take the answer.

    Looking needs no account, taking it here does. The token is in the path of the link only;
    it moves into the session at once, so that no later page or referrer shows it.
    """
    if token:
        request.session[HELD] = token
        return redirect("take-over-offered")
    found = _held(request)
    if found is None:
        request.session.pop(HELD, None)
        return render(request, "suppliers/take_over.html", {"transfer": None}, status=410)
    language = request.user.language if isinstance(request.user, Owner) else found.language
    with translation.override(language):
        if request.method == "POST":
            return _answer(request, found)
        return _show(request, found)


def _held(request: HttpRequest) -> Transfer | None:
    return transfers.find(token=str(request.session.get(HELD, "")), now=clock.now())


def _answer(request: HttpRequest, found: Transfer) -> HttpResponse:
    """Take what somebody with the link says."""
    now, answer = clock.now(), request.POST.get("answer")
    owner = request.user if isinstance(request.user, Owner) else None
    try:
        if answer == "decline":
            transfers.decline(transfer=found, owner=owner, now=now)
            request.session.pop(HELD, None)
            return render(request, "suppliers/take_over.html", {"transfer": found, "no": True})
        if answer == "elsewhere":
            transfers.accept_elsewhere(transfer=found, now=now)
            return redirect("take-over-offered")
        if answer != "here" or owner is None:
            return HttpResponse(status=400)
        form = _take_form(owner, request.POST)
        if not form.is_valid():
            return _show(request, found, form=form, status=422)
        taken = transfers.accept_here(
            transfer=found, owner=owner, household=form.cleaned_data["household"], now=now
        )
    except TransferError as error:
        return _show(request, found, error=transfer_words.why(error.code), status=409)
    request.session.pop(HELD, None)
    return redirect("take-over", key=taken.uuid)


def _take_form(owner: Owner, data: Any = None) -> TakeForm:
    households.ensure_first(owner=owner, now=clock.now())
    return TakeForm(data, homes=homes_of(owner))


def _show(
    request: HttpRequest,
    found: Transfer,
    *,
    form: TakeForm | None = None,
    error: Any = "",
    status: int = 200,
) -> HttpResponse:
    owner = request.user if isinstance(request.user, Owner) else None
    if owner is not None and form is None:
        form = _take_form(owner)
    return render(
        request, "suppliers/take_over.html", shown(found) | {"form": form, "error": error},
        status=status,
    )  # fmt: skip


def shown(found: Transfer) -> dict[str, Any]:
    """Return an offer as its buyer sees it now."""
    acts = transfers.open_acts(found, by=Side.BUYER, now=clock.now())
    return {
        "transfer": found,
        "preview": handover.shown(transfers.seen_by(found)),
        "acts": [act.value for act in acts],
        "who": found.made_by.get_full_name() if found.made_by else "",
        "is_here": found.taken_to == TakenTo.HERE,
    }


@never_cache
@require_safe
def offered_file(request: HttpRequest, form: str) -> HttpResponse:
    """The package for another server, to whoever has the link, once it is handed over."""
    found = _held(request)
    if found is None or found.state != TransferState.COMPLETED or form not in FILES:
        raise Http404
    return as_file(found, form)


# --- by name -----------------------------------------------------------------------------


@page
@require_safe
def take_over_list(request: OwnerRequest) -> HttpResponse:
    """What is offered to the owner, and what they took over."""
    now = clock.now()
    rows = Transfer.objects.to_owner(request.user).select_related("asset", "made_by", "receiving")
    found = [
        row
        for row in rows.order_by("-pk")[:SHOWN]
        if transfers.is_for(row, owner=request.user, now=now)
    ]
    return render(request, "suppliers/take_overs.html", {"rows": found})


def find_offered(owner: Owner, key: UUID) -> Transfer:
    """Return what is offered to an owner, or was taken over by them; or it does not exist."""
    found = transfers.offered_to(owner=owner, key=key, now=clock.now())
    if found is None:
        raise Http404
    return found


@page
@require_http_methods(FORM)
def take_over(request: OwnerRequest, key: UUID) -> HttpResponse:
    """An offer to the owner by name: what goes along, and the answer."""
    owner, now = request.user, clock.now()
    found = find_offered(owner, key)
    form = _take_form(owner, request.POST if request.method == "POST" else None)
    error: Any = ""
    if request.method == "POST":
        try:
            done = _said_by_name(request, found, form)
        except TransferError as refused:
            error = transfer_words.why(refused.code)
        else:
            if done is not None:
                return done
    received = Received.objects.for_owner(owner).filter(package_id=found.uuid).first()
    context = shown(found) | {
        "form": form if request.method == "POST" else _take_form(owner),
        "error": error,
        "is_by_name": True,
        "mine": received.asset if received else None,
        "can_ask_back": Act.ASK_BACK in transfers.open_acts(found, by=Side.BUYER, now=now),
    }
    status = 409 if error else 422 if request.method == "POST" else 200
    return render(request, "suppliers/take_over.html", context, status=status)


def _said_by_name(request: OwnerRequest, found: Transfer, form: TakeForm) -> HttpResponse | None:
    """Do what the buyer says; None where the form has to be shown again."""
    owner, now, answer = request.user, clock.now(), request.POST.get("answer")
    if answer == "decline":
        transfers.decline(transfer=found, owner=owner, now=now)
        messages.success(request, _("Declined."))
        return redirect("take-overs")
    if answer == "ask_back":
        done = transfers.ask_back(transfer=found, by=Side.BUYER, owner=owner, now=now)
        is_undone = done.state == TransferState.UNDONE
        words = _("Undone: it is theirs again.") if is_undone else _("Asked. They have to agree.")
        messages.success(request, words)
        return redirect("take-over", key=found.uuid)
    if answer != "here":
        return HttpResponse(status=400)
    if not form.is_valid():
        return None
    home = form.cleaned_data["household"]
    transfers.accept_here(transfer=found, owner=owner, household=home, now=now)
    return redirect("take-over", key=found.uuid)


# --- a package from elsewhere ------------------------------------------------------------


@page
@require_http_methods(FORM)
def take_in(request: OwnerRequest) -> HttpResponse:
    """Choose the file of a package; it is read and shown before anything is kept."""
    owner, now = request.user, clock.now()
    households.ensure_first(owner=owner, now=now)
    data = request.POST if request.method == "POST" else None
    form = PackageForm(data, homes=homes_of(owner))
    form.files = request.FILES
    if form.is_valid():
        try:
            row = unpacking.look_at(
                raw=form.cleaned_data["file"].read(),
                household=form.cleaned_data["household"],
                owner=owner,
                now=now,
            )
        except PackageError as error:
            form.add_error("file", transfer_words.unreadable(error.code))
        else:
            return redirect("package", key=row.uuid)
    context = {"form": form, "homes": homes_of(owner).count()}
    status = 422 if form.is_bound else 200
    return render(request, "suppliers/take_in.html", context, status=status)


@page
@require_http_methods(FORM)
def package(request: OwnerRequest, key: UUID) -> HttpResponse:
    """What a package says, whose key signed it, and one tap that takes it in."""
    owner, now = request.user, clock.now()
    rows = PackageFile.objects.for_owner(owner).select_related("household")
    row = get_object_or_404(rows, uuid=key)
    if "leave" in request.POST:
        unpacking.forget(row)
        return redirect("take-in")
    error: Any = ""
    try:
        found, files = unpacking.looked_at(row)
        if request.method == "POST":
            received = unpacking.take_looked_at(row=row, owner=owner, now=now)
            said(request, _("Taken over. Who serves it?"), unpacking.change_of(received))
            return redirect("asset-received", key=received.asset.uuid)
        before = unpacking.known(household=row.household, package=found)
    except PackageError as refused:
        messages.error(request, transfer_words.unreadable(refused.code))
        return redirect("take-in")
    word = issuers.ask(url=found["issuer"]["url"], key=found["issuer"]["key"])
    row.is_confirmed = None if word == issuers.Word.SILENT else word == issuers.Word.CONFIRMED
    row.save(update_fields=["is_confirmed"])
    context = {
        "row": row,
        "preview": handover.shown(found),
        "word": word.value,
        "before": before,
        "lacking": [one["name"] for one in found["files"] if one["id"] not in files],
        "error": error,
    }
    return render(request, "suppliers/package.html", context)


# --- what came along ---------------------------------------------------------------------


def find_received(owner: Owner, key: UUID) -> Received:
    """Return what came along with an owner's asset."""
    asset = find_asset(owner, key)
    rows = Received.objects.for_owner(owner).select_related("asset__household", "household")
    return get_object_or_404(rows, asset=asset)


@page
@require_safe
def asset_received(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Who said what before it was ours, who owned it, and who may go on serving it."""
    received = find_received(request.user, key)
    context = {
        "received": received,
        "asset": received.asset,
        "preview": handover.shown(received.package),
        "suggestions": passing_on.suggestions(received),
    }
    return render(request, "suppliers/received.html", context)


@page
@require_POST
def received_supplier(request: OwnerRequest, key: UUID, number: int) -> HttpResponse:
    """Let one of those in who served it before, or ask no more."""
    received = find_received(request.user, key)
    households.require(owner=request.user, household_id=received.household_id, least=Rank.ADMIN)
    try:
        if "leave" in request.POST:
            passing_on.dealt_with(received=received, number=number)
            said(request, _("They are not asked."))
        else:
            change = passing_on.let_in(
                received=received, number=number, owner=request.user, now=clock.now()
            )
            said(request, _("Let in. They may write about it."), change)
    except (IndexError, Supplier.DoesNotExist) as error:
        raise Http404 from error
    return redirect("asset-received", key=received.asset.uuid)
