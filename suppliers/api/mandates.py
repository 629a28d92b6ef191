"""What a supplier may know and what was agreed, as the supplier's side holds it."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from owners import clock
from suppliers import agreements, disclosure, inviting, terms
from suppliers.api.v1 import opened_by_key
from suppliers.choices import MandateState
from suppliers.models import ConsentReceipt, Mandate, Supplier, TermsRecord
from suppliers.problems import problem

PAGE = 100


@opened_by_key("GET")
def mandates(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List the supplier's live mandates by `owner_ref`; `?after=` goes on from one."""
    rows = Mandate.objects.live().filter(supplier=supplier).order_by("owner_ref")
    after = request.GET.get("after", "")
    if after:
        rows = rows.filter(owner_ref__gt=after)
    found = list(rows[: PAGE + 1])
    shown = [{"owner": row.owner_ref, "state": row.state} for row in found[:PAGE]]
    return JsonResponse(
        {"mandates": shown, "next": found[PAGE - 1].owner_ref if len(found) > PAGE else None}
    )


@opened_by_key("GET")
def mandate(request: HttpRequest, *, supplier: Supplier, owner_ref: str) -> HttpResponse:
    """Say what one mandate allows and lets know."""
    found = _find(supplier, owner_ref)
    if found is None:
        return _unknown()
    return JsonResponse({"owner": found.owner_ref, **disclosure.told(found)})


@opened_by_key("GET")
def agreed(request: HttpRequest, *, supplier: Supplier, owner_ref: str) -> HttpResponse:
    """Return every step of the owner's terms: the supplier's copy of the record."""
    found = _find(supplier, owner_ref, is_ended_known=True)
    if found is None:
        return _unknown()
    rows = TermsRecord.objects.filter(mandate=found).select_related("mandate__supplier")
    steps: list[dict[str, Any]] = [
        {**terms.shown(row), "recordSha256": row.record_sha256}
        for row in rows.order_by("-at", "-pk")[:PAGE]
    ]
    offered = [
        {
            "agreementUri": one.agreement.uri,
            "version": one.agreement.version,
            "sha256": one.agreement.sha256,
            "title": str(one.agreement.title),
        }
        for one in terms.standing(found).values()
        if one.is_open
    ]
    return JsonResponse({"offered": offered, "records": steps})


@opened_by_key("GET")
def consents(request: HttpRequest, *, supplier: Supplier, owner_ref: str) -> HttpResponse:
    """Return the consent receipts of one mandate: the supplier's copies, the newest first."""
    found = _find(supplier, owner_ref, is_ended_known=True)
    if found is None:
        return _unknown()
    rows = ConsentReceipt.objects.filter(mandate=found).order_by("-made_at", "-pk")[:PAGE]
    return JsonResponse({"receipts": [{"sha256": row.sha256, "record": row.body} for row in rows]})


@opened_by_key("GET")
def roster(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List the agreements that owners can offer, and of which one may be offered instead."""
    return JsonResponse(
        {
            "agreements": [
                {"agreementUri": one.uri, "version": one.version, "sha256": one.sha256,
                 "title": str(one.title), "about": str(one.about)}
                for one in agreements.ROSTER.values()
            ]
        }
    )  # fmt: skip


@opened_by_key("POST")
def join(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """Accept a household's invitation with the token of its link; it works once."""
    try:
        given = json.loads(request.body or b"{}")
    except ValueError:
        given = None
    token = given.get("token") if isinstance(given, dict) else None
    if not isinstance(token, str) or not token or len(token) > 100:
        return problem(400, code="missing_field", detail="Send the link's token.", pointer="/token")
    try:
        found = inviting.join(token=token, supplier=supplier, now=clock.now())
    except inviting.InvitingError as error:
        return problem(410, code=error.code, detail=error.detail)
    return JsonResponse({"owner": found.owner_ref, **disclosure.told(found)}, status=201)


def _find(supplier: Supplier, owner_ref: str, *, is_ended_known: bool = False) -> Mandate | None:
    rows = Mandate.objects.filter(supplier=supplier, owner_ref=owner_ref)
    if not is_ended_known:
        rows = rows.exclude(state=MandateState.ENDED)
    return rows.select_related("household", "supplier").first()


def _unknown() -> HttpResponse:
    return problem(404, code="unknown_owner", detail="You have no mandate of this name.")
