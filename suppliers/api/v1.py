"""What suppliers ask Steward: `/api/supplier/v1/`, opened by a bearer key.

The verdict and the reach of an owner need the feed's rules, so they live beside those.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from owners import clock
from suppliers import catalogue, keys, outbox, repeats
from suppliers.admission import BLOCKED
from suppliers.models import InboundEvent, Supplier
from suppliers.problems import problem

View = Callable[..., HttpResponse]
SAFE = ("GET", "HEAD")


def opened_by_key(*methods: str) -> Callable[[View], View]:
    """Give a view the supplier whose bearer key opens it, as `supplier`.

    A write with an `Idempotency-Key` happens once.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def edge(request: HttpRequest, **names: Any) -> HttpResponse:
            if request.method not in methods:
                return problem(
                    405,
                    code="method_not_allowed",
                    detail=f"Use {' or '.join(methods)}.",
                    headers={"Allow": ", ".join(methods)},
                )
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            supplier = (
                keys.holder(token.strip(), now=clock.now()) if scheme.lower() == "bearer" else None
            )
            if supplier is None:
                return problem(
                    401,
                    code="no_key",
                    detail="Send a live key: Authorization: Bearer …",
                    headers={"WWW-Authenticate": 'Bearer realm="supplier"'},
                )
            if request.method in SAFE:
                return view(request, supplier=supplier, **names)
            return repeats.once(
                supplier=supplier,
                request=request,
                work=lambda: view(request, supplier=supplier, **names),
                now=clock.now(),
            )

        return edge

    return decorate


@opened_by_key("GET")
def event(request: HttpRequest, *, supplier: Supplier, key: str) -> HttpResponse:
    """Say what became of one of the supplier's own events; `?source=` tells equal ids apart."""
    mine = InboundEvent.objects.filter(supplier=supplier, event_id=key)
    source = request.GET.get("source")
    if source is not None:
        mine = mine.filter(source=source)
    found = list(mine.order_by("pk")[:2])
    if not found:
        return problem(404, code="unknown_event", detail="You sent no event with this id.")
    if len(found) > 1:
        return problem(
            400, code="source_needed", detail="Several sources use this id; name one by ?source=."
        )
    return JsonResponse(status_of(found[0]))


def status_of(found: InboundEvent) -> dict[str, Any]:
    """Return an event as its supplier sees it in the delivery log."""
    line: dict[str, Any] = {
        "id": found.event_id,
        "source": found.source,
        "type": found.type,
        "status": found.state,
        "received_at": found.received_at.isoformat(),
    }
    for name in ("code", "pointer", "detail"):
        if getattr(found, name):
            line[name] = getattr(found, name)
    contact = found.contacts.order_by("pk").first()
    # That it is blocked, a sender is not told; it looks as if nobody had looked yet.
    if contact is not None and contact.outcome and contact.refusal != BLOCKED:
        line |= {"outcome": contact.outcome, "reason": contact.reason}
    return line


@opened_by_key("GET")
def types(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List every type of the contract: those taken in with their schemas, and those sent."""
    site = settings.SITE_URL
    return JsonResponse(
        {
            "types": [
                {
                    "type": found.name,
                    "title": found.title,
                    "summary": found.summary,
                    "family": found.family,
                    "required": list(found.required),
                    "schema": f"{site}{catalogue.schema_path(found.name)}",
                    "documentation": site + reverse("suppliers:events-family", args=[found.family]),
                    "example": catalogue.cloudevent(found.name),
                }
                for found in catalogue.INBOUND.values()
            ],
            "sent": [
                {
                    "type": found.name,
                    "title": found.title,
                    "summary": found.summary,
                    "family": found.family,
                    "is_sent": found.is_sent,
                    "example": catalogue.cloudevent(found.name),
                }
                for found in catalogue.OUTBOUND.values()
            ],
        }
    )


@require_safe
def schema(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Return the JSON Schema of a type; open to everybody, because `dataschema` names it."""
    if name not in catalogue.INBOUND or number != catalogue.VERSION:
        return problem(404, code="unknown_schema", detail="There is no such schema.")
    response = JsonResponse(
        catalogue.schema(name, base=settings.SITE_URL), content_type="application/schema+json"
    )
    response["Cache-Control"] = "public, max-age=3600"
    response["Access-Control-Allow-Origin"] = "*"  # a validator in a browser may read it
    return response


@opened_by_key("POST")
def ping(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """Answer, so that a supplier can try its key; `?endpoint=1` tries its endpoint as well.

    That sends a `steward.ping` there, or to the technical contact where there is none.
    """
    now = clock.now()
    answer = {"supplier": supplier.code, "at": now.isoformat()}
    if request.GET.get("endpoint") == "1":
        answer["event"] = str(outbox.ping(supplier=supplier, now=now).uuid)
    return JsonResponse(answer)


def steward_keys(request: HttpRequest) -> HttpResponse:
    """Publish the keys that verify what Steward signs."""
    response = JsonResponse({"keys": keys.published()})
    response["Cache-Control"] = "public, max-age=300"
    return response
