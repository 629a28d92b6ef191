"""The supplier API where it needs the rules of the feed: the verdict and an owner's reach."""

from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse

from notifications import verdict
from owners import clock
from suppliers import envelopes
from suppliers.api.v1 import opened_by_key
from suppliers.models import Mandate, Supplier
from suppliers.problems import problem

LONGEST = 256 * 1024


@opened_by_key("POST")
def judge(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """Say what one event would come to as of now; it is not stored.

    The body is a CloudEvent, or `{"type", "timestamp", "data"}` as for a plain webhook.
    """
    if len(request.body) > LONGEST:
        return problem(413, code="too_large", detail="An event has at most 256 KiB.")
    try:
        event = envelopes.parse(envelopes.text_of(request.body))
        if not isinstance(event, dict):
            raise envelopes.EnvelopeError("invalid_envelope", "An event is a JSON object.")
        if "specversion" not in event:
            event = {
                "specversion": "1.0",
                "id": uuid4().hex,
                "source": f"/suppliers/{supplier.code}",
                "time": event.get("timestamp", clock.now().isoformat()),
                **{name: event[name] for name in ("type", "data") if name in event},
            }
        for name in ("id", "source", "type"):
            if not isinstance(event.get(name), str) or not event[name]:
                raise envelopes.EnvelopeError(
                    "missing_attribute", "This attribute is required.", f"/{name}"
                )
    except envelopes.EnvelopeError as error:
        return problem(400, code=error.code, detail=error.detail, pointer=error.pointer)
    found = verdict.judge(supplier=supplier, event=event, now=clock.now())
    return JsonResponse(
        {
            "outcome": found.outcome,
            "level": found.level or None,
            "channel": found.channel or None,
            "not_before": found.not_before.isoformat() if found.not_before else None,
            "reason": found.reason,
        }
    )


@opened_by_key("GET")
def reach(request: HttpRequest, *, supplier: Supplier, owner_ref: str) -> HttpResponse:
    """Say what may be told to the owner of one mandate, when and how."""
    mandate = (
        Mandate.objects.live()
        .filter(supplier=supplier, owner_ref=owner_ref)
        .select_related("household")
        .first()
    )
    if mandate is None:
        return problem(404, code="unknown_owner", detail="You have no mandate of this name.")
    return JsonResponse(verdict.reach(mandate=mandate, now=clock.now()))
