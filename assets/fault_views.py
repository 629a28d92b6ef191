"""Something is wrong: who pays, the evidence, the repair and the claim."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import claims, evidence, faults, laws, tabs
from assets.care_words import IssueStatus
from assets.choices import CoverageKind
from assets.cover_words import ClaimState, Standing
from assets.coverage import Payer
from assets.fault_forms import ClaimForm, ClaimMoveForm, FaultForm, OrderForm
from assets.life_views import FORM, answer, today_of
from assets.models import Asset, Claim, Coverage, Issue, WorkOrder
from assets.payer_words import kind_word, obligor_word, said_why
from assets.serving import as_download
from assets.views import find_asset
from owners import clock, households
from owners.models import Change, Owner
from owners.pages import OwnerRequest, page, said

MOVES = {
    ClaimState.DRAFT: gettext_lazy("Take it up again"),
    ClaimState.SUBMITTED: gettext_lazy("It was sent"),
    ClaimState.ANSWERED: gettext_lazy("They answered"),
    ClaimState.PAID: gettext_lazy("They paid or put it right"),
    ClaimState.REFUSED: gettext_lazy("They refused"),
    ClaimState.WITHDRAWN: gettext_lazy("Withdraw it"),
}
SHOWN = 30
PDF, ZIP = "application/pdf", "application/zip"


def find_issue(owner: Owner, key: UUID) -> Issue:
    """Return the owner's fault; any other does not exist."""
    mine = Issue.objects.for_owner(owner).select_related("asset__household", "household")
    return get_object_or_404(mine, uuid=key)


def shown(payers: list[Payer]) -> list[dict[str, Any]]:
    """Return who may pay as a page shows it, in the order in which to ask."""
    return [
        {
            "number": number,
            "kind": kind_word(payer.kind),
            "obligor": obligor_word(payer.obligor),
            "standing": payer.standing,
            "standing_word": Standing(payer.standing).label,
            "why": [said_why(reason) for reason in payer.reasons],
            "deadline": payer.deadline,
            "source": payer.source,
            "checked": payer.checked,
            "reference": payer.reference,
            "can_claim": payer.kind in CoverageKind.values and payer.standing != Standing.NO,
        }
        for number, payer in enumerate(payers)
    ]


@page
@require_http_methods(FORM)
def fault_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Something is wrong: write it down, and see who pays."""
    asset = find_asset(request.user, key)
    form = FaultForm(request.POST or None, today=today_of(asset))
    made: list[Issue] = []

    def save() -> Change:
        issue, change = faults.report(
            asset=asset, values=form.cleaned_data, owner=request.user, now=clock.now()
        )
        made.append(issue)
        return change

    response = answer(
        request,
        form,
        asset=asset,
        title=_("Something is wrong"),
        lead=_("Steward then says who may have to pay, until when, and keeps the evidence."),
        back=reverse("asset", args=[asset.uuid]),
        save=save,
    )
    return redirect("fault", key=made[0].uuid) if made else response


@page
@require_http_methods(FORM)
def fault_edit(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say more of a fault; who pays may change with it."""
    issue = find_issue(request.user, key)
    form = FaultForm(request.POST or None, today=today_of(issue.asset), row=issue)
    return answer(
        request,
        form,
        asset=issue.asset,
        title=_("The fault"),
        back=reverse("fault", args=[issue.uuid]),
        save=lambda: faults.change(
            issue=issue, values=form.cleaned_data, owner=request.user, now=clock.now()
        ),
    )


@page
@require_GET
def fault_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One fault: who pays and why, the evidence, repairs, claims and matters."""
    issue = find_issue(request.user, key)
    payers = shown(faults.payers_for(issue))
    context = {
        "issue": issue,
        "asset": issue.asset,
        "payers": [one for one in payers if one["standing"] != Standing.NO],
        "others": [one for one in payers if one["standing"] == Standing.NO],
        "as_of": laws.as_of(),
        "claims": issue.claims.order_by("-created_at", "-pk")[:SHOWN],
        "orders": issue.orders.order_by("-created_at", "-pk")[:SHOWN],
        "issue_words": IssueStatus.choices,
        "evidence": evidence.contents(issue),
    }
    return render(request, "assets/fault.html", context)


@page
@require_GET
def fault_list(request: OwnerRequest, key: UUID) -> HttpResponse:
    """All faults, repairs and claims of one thing."""
    asset = find_asset(request.user, key)
    context = {
        "asset": asset,
        "tabs": tabs.of(asset, "overview"),
        "issues": asset.issues.filter(removed_at=None).order_by("-noticed_on", "-pk")[:SHOWN],
        "orders": asset.orders.order_by("-created_at", "-pk")[:SHOWN],
        "claims": asset.claims.order_by("-created_at", "-pk")[:SHOWN],
    }
    return render(request, "assets/faults.html", context)


@page
@require_GET
def fault_pdf(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The evidence of a fault on paper."""
    issue = find_issue(request.user, key)
    return as_download(evidence.paper(issue), name=f"{issue.asset.name}.pdf", kind=PDF)


@page
@require_GET
def fault_zip(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The evidence of a fault with every file that proves it."""
    issue = find_issue(request.user, key)
    return as_download(evidence.pack(issue), name=f"{issue.asset.name}.zip", kind=ZIP)


# --- repairs -----------------------------------------------------------------------------


def of_query(request: OwnerRequest, asset: Asset) -> Issue | None:
    """Return the fault that an address names, if it is one of the asset's."""
    try:
        key = UUID(request.GET.get("fault", ""))
    except ValueError:
        return None
    return asset.issues.filter(uuid=key, removed_at=None).first()


@page
@require_http_methods(FORM)
def order_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Plan a repair."""
    asset = find_asset(request.user, key)
    issue = of_query(request, asset)
    form = OrderForm(request.POST or None, asset=asset, issue=issue)
    return answer(
        request,
        form,
        asset=asset,
        title=_("Plan a repair"),
        back=back_of(asset, issue),
        save=lambda: faults.order(
            asset=asset, values=form.cleaned_data, owner=request.user, now=clock.now()
        )[1],
    )


def back_of(asset: Asset, issue: Issue | None) -> str:
    """Return where a repair or claim was come from."""
    if issue is not None:
        return reverse("fault", args=[issue.uuid])
    return reverse("asset-faults", args=[asset.uuid])


@page
@require_http_methods(FORM)
def order_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One repair: how far it is; change it, or take it away."""
    mine = WorkOrder.objects.for_owner(request.user).select_related("asset__household", "issue")
    row = get_object_or_404(mine, uuid=key)
    back = back_of(row.asset, row.issue)
    if "remove" in request.POST:
        households.require(owner=request.user, household_id=row.household_id)
        change = faults.remove_order(order=row, owner=request.user, now=clock.now())
        said(request, _("Removed."), change)
        return redirect(back)
    form = OrderForm(request.POST or None, asset=row.asset, row=row)
    return answer(
        request,
        form,
        asset=row.asset,
        title=row.title,
        back=back,
        save=lambda: faults.change_order(
            order=row, values=form.cleaned_data, owner=request.user, now=clock.now()
        ),
        remove=_("Remove"),
    )


# --- claims ------------------------------------------------------------------------------


@page
@require_http_methods(FORM)
def claim_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Begin a claim; from a fault, whoever is to pay is filled in."""
    asset = find_asset(request.user, key)
    issue = of_query(request, asset)
    form = ClaimForm(request.POST or None, asset=asset, initial=first_of(request, issue))
    made: list[Claim] = []

    def save() -> Change | None:
        claim, change = claims.make(
            asset=asset, values=form.cleaned_data, owner=request.user, now=clock.now()
        )
        made.append(claim)
        return change

    response = answer(
        request, form, asset=asset, title=_("Make a claim"), back=back_of(asset, issue), save=save
    )
    return redirect("claim", key=made[0].uuid) if made else response


def first_of(request: OwnerRequest, issue: Issue | None) -> dict[str, Any]:
    """Return what a claim begins with: the payer that was chosen on the fault's page."""
    if issue is None:
        return {}
    payers = faults.payers_for(issue)
    number = request.GET.get("payer", "")
    first: dict[str, Any] = {"issue": issue.uuid, "note": issue.note}
    if not (number.isascii() and number.isdecimal() and int(number[:4]) < len(payers)):
        return first
    payer = payers[int(number[:4])]
    if payer.kind not in CoverageKind.values:
        return first
    mine = Coverage.objects.filter(asset=issue.asset)
    cover = mine.filter(uuid=payer.cover).first() if payer.cover else None
    return first | {
        "kind": payer.kind.value,
        "obligor": payer.obligor,
        "coverage": cover.uuid if cover else None,
        "answer_by": None,
    }


def find_claim(owner: Owner, key: UUID) -> Claim:
    """Return the owner's claim; any other does not exist."""
    mine = Claim.objects.for_owner(owner).select_related("asset__household", "issue", "coverage")
    found: Claim = get_object_or_404(mine, uuid=key)
    return found


@page
@require_GET
def claim_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One claim: how far it is, what comes next, what came back."""
    claim = find_claim(request.user, key)
    context = {
        "claim": claim,
        "asset": claim.asset,
        "back": back_of(claim.asset, claim.issue),
        "nexts": [
            (state.value, MOVES[state])
            for state in ClaimState
            if state in claims.NEXT[ClaimState(claim.state)]
        ],
        "is_open": claim.state in claims.OPEN,
        "differs": claims.differing(claim),
        "steps": claims.steps(claim),
    }
    return render(request, "assets/claim.html", context)


@page
@require_POST
def claim_settle(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Decide between what was written down and what the other side says."""
    claim = find_claim(request.user, key)
    households.require(owner=request.user, household_id=claim.household_id)
    change = claims.settle(
        claim=claim, theirs="theirs" in request.POST, owner=request.user, now=clock.now()
    )
    said(request, _("Saved."), change)
    return redirect("claim", key=claim.uuid)


@page
@require_http_methods(FORM)
def claim_edit(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say more of a claim, or take it away."""
    claim = find_claim(request.user, key)
    back = reverse("claim", args=[claim.uuid])
    if "remove" in request.POST:
        households.require(owner=request.user, household_id=claim.household_id)
        away = back_of(claim.asset, claim.issue)
        change = claims.remove(claim=claim, owner=request.user, now=clock.now())
        said(request, _("Removed."), change)
        return redirect(away)
    form = ClaimForm(request.POST or None, asset=claim.asset, row=claim)
    return answer(
        request,
        form,
        asset=claim.asset,
        title=_("The claim"),
        back=back,
        save=lambda: claims.change(
            claim=claim, values=form.cleaned_data, owner=request.user, now=clock.now()
        ),
        remove=_("Remove"),
    )


@page
@require_http_methods(FORM)
def claim_move(request: OwnerRequest, key: UUID, state: str) -> HttpResponse:
    """Say how far a claim is now."""
    claim = find_claim(request.user, key)
    back = reverse("claim", args=[claim.uuid])
    if state not in claims.NEXT[ClaimState(claim.state)]:
        return redirect(back)
    which = ClaimState(state)
    form = ClaimMoveForm(
        request.POST or None, claim=claim, state=which, today=today_of(claim.asset)
    )
    return answer(
        request,
        form,
        asset=claim.asset,
        title=str(MOVES[which]),
        back=back,
        save=lambda: claims.move(
            claim=claim, state=which, values=form.values(), owner=request.user, now=clock.now()
        ),
    )
