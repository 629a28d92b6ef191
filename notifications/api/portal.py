"""The supplier API beside the portal's pages: visits, requests, log, scorecard, profile, keys."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.http import HttpRequest, HttpResponse, JsonResponse

from notifications import portal, portal_log, scorecard
from notifications.log_form import LogForm
from owners import clock
from suppliers import keys, proofs, secrets, signing
from suppliers.api.v1 import opened_by_key, status_of
from suppliers.choices import EventState
from suppliers.models import OutboundEvent, OutboundState, SigningSecret, Supplier, SupplierKey
from suppliers.problems import problem

LONGEST = 64 * 1024
View = Callable[..., HttpResponse]


class BodyError(Exception):
    """The body cannot be read; `pointer` says where."""

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        """Note the fault as a problem says it."""
        super().__init__(detail)
        self.code, self.detail, self.pointer = code, detail, pointer


def said_plainly(view: View) -> View:
    """Answer the faults that a caller can mend as problems."""

    @wraps(view)
    def edge(request: HttpRequest, **names: Any) -> HttpResponse:
        try:
            return view(request, **names)
        except BodyError as error:
            return problem(400, code=error.code, detail=error.detail, pointer=error.pointer)
        except portal.PortalError as error:
            status = 404 if error.code.startswith("unknown_") and not error.pointer else 400
            return problem(status, code=error.code, detail=error.detail, pointer=error.pointer)
        except proofs.ProofError as error:
            return problem(400, code=error.code, detail=error.detail)

    return edge


def _body(request: HttpRequest) -> dict[str, Any]:
    if len(request.body) > LONGEST:
        raise BodyError("too_large", "The body has at most 64 KiB.")
    if not request.body:
        return {}
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BodyError("not_json", "The body is not JSON.") from error
    if not isinstance(value, dict):
        raise BodyError("not_json", "The body is a JSON object.")
    return value


def _text(body: dict[str, Any], name: str, *, longest: int = 4000) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest or "\x00" in value:
        raise BodyError("invalid_field", f"Must be a text of at most {longest}.", f"/{name}")
    return value


def _whole(body: dict[str, Any], name: str, default: int | None) -> int | None:
    value = body.get(name, default)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise BodyError("invalid_field", "Must be a whole number.", f"/{name}")
    return value


# --- visits and requests -----------------------------------------------------------------


@opened_by_key("GET")
def visits(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List the visits from today on, the next first."""
    found = portal.visits(supplier=supplier, now=clock.now())
    return JsonResponse({"visits": [_visit(one) for one in found]})


def _visit(one: portal.Visit) -> dict[str, Any]:
    return {
        "id": str(one.uuid),
        "owner": one.owner_ref,
        "state": one.state,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "zone": one.zone,
        "kind": one.kind,
        "uid": one.uid,
        "sequence": one.sequence,
        "place": one.place,
        "refs": list(one.refs),
        "steps": list(one.buttons),
        "is_test": one.is_test,
    }


@opened_by_key("POST")
@said_plainly
def visit(request: HttpRequest, *, supplier: Supplier, key: UUID) -> HttpResponse:
    """Send one `step` of a visit: on_my_way (with `minutes`), arrived, done, no_show."""
    body = _body(request)
    sent = portal.tell_visit(
        supplier=supplier,
        visit=key,
        step=_text(body, "step", longest=20),
        minutes=_whole(body, "minutes", 30) or 0,
        now=clock.now(),
    )
    return JsonResponse({"id": sent.id, "status": sent.status}, status=202)


@opened_by_key("GET")
def requests(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List what owners asked and nobody took in hand; `?done=1` lists what was answered."""
    is_done = request.GET.get("done") == "1"
    found = portal.requests(supplier=supplier, now=clock.now(), is_done=is_done)
    return JsonResponse({"requests": [_request(one) for one in found]})


def _request(one: portal.Request) -> dict[str, Any]:
    return {
        "id": str(one.event.uuid),
        "type": one.event.type,
        "at": one.event.created_at.isoformat(),
        "data": one.event.data,
        "is_test": one.is_test,
        "answered_at": one.answer.answered_at.isoformat() if one.answer else None,
    }


@opened_by_key("POST")
@said_plainly
def answer(request: HttpRequest, *, supplier: Supplier, key: UUID) -> HttpResponse:
    """Answer a request by `text`, by the number of a `window`, or by `decline`; or note it."""
    body = _body(request)
    done = portal.answer(
        supplier=supplier,
        event=key,
        text=_text(body, "text"),
        window=_whole(body, "window", None),
        is_declined=body.get("decline") is True,
        now=clock.now(),
    )
    return JsonResponse(
        {"answered_at": done.answered_at.isoformat(), "sent": done.sent_id or None}, status=202
    )


# --- the log and the scorecard -----------------------------------------------------------


@opened_by_key("GET")
@said_plainly
def log(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List what came in (`?way=in`) or went out (`out`), the newest first.

    `q` is an id, the beginning of a type or an owner_ref; `state`, `outcome` (shown, absorbed,
    held, door, refused), `since` and `until` (days) narrow it. `next` is the `before` of the
    next page: go on while there is one, also after a page without a row.
    """
    is_out = request.GET.get("way") == "out"
    states = OutboundState.CHOICES if is_out else EventState.choices
    form = LogForm(request.GET, states=states)
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise BodyError("invalid_field", str(errors[0]), f"/{name}")
    page: Any
    if is_out:
        page = portal_log.went_out(supplier=supplier, asked=form.asked())
        rows = [_sent(one) for one in page.rows]
    else:
        page = portal_log.came_in(supplier=supplier, asked=form.asked())
        rows = [{"number": one.pk, **status_of(one)} for one in page.rows]
    return JsonResponse(
        {
            "events": rows,
            "next": page.next,
            "back_to": page.back_to.isoformat() if page.back_to else None,
        }
    )


def _sent(event: OutboundEvent) -> dict[str, Any]:
    return {
        "id": str(event.uuid),
        "type": event.type,
        "at": event.created_at.isoformat(),
        "state": event.state,
        "via": event.via,
        "detail": event.detail,
    }


@opened_by_key("GET")
@said_plainly
def sent(request: HttpRequest, *, supplier: Supplier, key: UUID) -> HttpResponse:
    """Show one event you got, with every try and the beginning of what you answered."""
    found = OutboundEvent.objects.filter(supplier=supplier, uuid=key).first()
    if found is None:
        return problem(404, code="unknown_event", detail="You got no event with this id.")
    tries = [
        {
            "at": one.attempt.at.isoformat(),
            "status": one.attempt.status,
            "detail": one.attempt.detail,
            "took_ms": one.attempt.took_ms,
            "answer": one.said,
        }
        for one in portal.tries(found)
    ]
    return JsonResponse({**_sent(found), "data": found.data, "tries": tries})


@opened_by_key("POST")
@said_plainly
def replay(request: HttpRequest, *, supplier: Supplier, key: UUID) -> HttpResponse:
    """Send one event you got once more, under the same id."""
    found = portal.replay(supplier=supplier, event=key, now=clock.now())
    return JsonResponse(_sent(found), status=202)


@opened_by_key("GET")
def card(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """Show your scorecard: counts; a share only from five cases on, and so in its `trend`."""
    found = scorecard.of(supplier=supplier, now=clock.now())
    figures = {
        name: {
            **_counts(getattr(found, name)),
            "trend": [
                {"until": span.until.isoformat(), **_counts(span.figure), "hours": span.hours}
                for span in found.trend[name]
            ],
        }
        for name in scorecard.FIGURES
    }
    return JsonResponse(
        {
            "since": found.since.isoformat(),
            **figures,
            "window_minutes": found.window_minutes,
            "reply_hours": found.reply_hours,
            "reply_hours_90": found.reply_hours_90,
            "messages_each": found.messages_each,
            "surveys_each": found.surveys_each,
            "is_partial": found.is_partial,
        }
    )


def _counts(figure: scorecard.Figure) -> dict[str, int | None]:
    return {"part": figure.part, "whole": figure.whole, "percent": figure.share}


@opened_by_key("GET")
def card_cases(request: HttpRequest, *, supplier: Supplier, name: str) -> HttpResponse:
    """List what one figure of the scorecard was counted from, the newest first."""
    if name not in scorecard.FIGURES:
        return problem(404, code="unknown_figure", detail="The scorecard has no such figure.")
    found = scorecard.cases(supplier=supplier, name=name, now=clock.now())
    return JsonResponse(
        {
            "cases": [
                {
                    "at": case.at.isoformat(),
                    "is_part": case.is_part,
                    "owner": case.owner_ref,
                    "what": case.what,
                    "number": case.inbound,
                    "id": str(case.outbound) if case.outbound else None,
                    "hours": None if case.hours is None else round(case.hours, 1),
                }
                for case in found
            ]
        }
    )


# --- profile and keys --------------------------------------------------------------------


@opened_by_key("GET", "PATCH")
@said_plainly
def profile(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """Show how you are known and what is proved; change `technical_contact`, `webhook_url`.

    A change of `webhook_url` gives the new `endpoint_secret` once.
    """
    made = {}
    if request.method == "PATCH":
        body = _body(request)
        if "technical_contact" in body:
            supplier.technical_contact = _checked(
                _text(body, "technical_contact", longest=254), validate_email, "technical_contact"
            )
            supplier.save(update_fields=["technical_contact"])
        if "webhook_url" in body:
            url = _checked(
                _text(body, "webhook_url", longest=500), URLValidator(["https", "http"]),
                "webhook_url",
            )  # fmt: skip
            made["endpoint_secret"] = secrets.set_own_endpoint(supplier=supplier, url=url) or None
            supplier.refresh_from_db()
    return JsonResponse(
        {
            "code": supplier.code,
            "name": supplier.name,
            "is_verified": supplier.verified_at is not None,
            "technical_contact": supplier.technical_contact,
            "webhook_url": supplier.webhook_url,
            "domains": list(
                supplier.domains.filter(household=None)
                .order_by("domain")
                .values_list("domain", flat=True)
            ),
            "numbers": list(
                supplier.numbers.filter(household=None)
                .order_by("number")
                .values_list("number", flat=True)
            ),
            **made,
        }
    )


def _checked(value: str, check: Callable[[str], None], name: str) -> str:
    if value:
        try:
            check(value)
        except ValidationError as error:
            raise BodyError("invalid_field", "This cannot be an address.", f"/{name}") from error
    return value


@opened_by_key("GET", "POST")
@said_plainly
def own_keys(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List your keys of this API; a POST makes one, whose `token` is shown once."""
    if request.method == "POST":
        name = _text(_body(request), "name", longest=80)
        made = keys.make(supplier=supplier, name=name, now=clock.now())
        return JsonResponse({**_key(made.key), "token": made.token}, status=201)
    rows = SupplierKey.objects.live().filter(supplier=supplier).order_by("pk")
    return JsonResponse({"keys": [_key(row) for row in rows]})


def _key(row: SupplierKey) -> dict[str, Any]:
    return {
        "id": str(row.uuid),
        "name": row.name,
        "made_at": row.created_at.isoformat(),
        "used_at": row.used_at.isoformat() if row.used_at else None,
    }


@opened_by_key("DELETE")
def own_key(request: HttpRequest, *, supplier: Supplier, key: UUID) -> HttpResponse:
    """Close a key for ever; the one you call with too."""
    found = SupplierKey.objects.live().filter(supplier=supplier, uuid=key).first()
    if found is None:
        return problem(404, code="unknown_key", detail="You have no such key.")
    keys.revoke(key=found, now=clock.now())
    return HttpResponse(status=204)


@opened_by_key("GET", "POST")
@said_plainly
def own_secrets(request: HttpRequest, *, supplier: Supplier) -> HttpResponse:
    """List what verifies your events. A POST makes a secret, shown once, or adds a `public_key`.

    Secrets from before work for another 24 hours.
    """
    now = clock.now()
    if request.method == "POST":
        public = _text(_body(request), "public_key", longest=100)
        if public:
            try:
                row = secrets.add_public_key(supplier=supplier, value=public, now=now)
            except signing.KeyFormatError as error:
                raise BodyError("invalid_field", str(error), "/public_key") from error
            return JsonResponse(_secret(row), status=201)
        made = secrets.rotate_own(supplier=supplier, now=now)
        return JsonResponse({**_secret(made.secret), "secret": made.value}, status=201)
    rows = SigningSecret.objects.live(now).filter(supplier=supplier)
    return JsonResponse({"secrets": [_secret(row) for row in rows]})


def _secret(row: SigningSecret) -> dict[str, Any]:
    return {
        "id": str(row.uuid),
        "version": row.version,
        "made_at": row.created_at.isoformat(),
        "works_until": row.expires_at.isoformat() if row.expires_at else None,
    }


@opened_by_key("DELETE")
def own_secret(request: HttpRequest, *, supplier: Supplier, key: UUID) -> HttpResponse:
    """End a secret or public key at once."""
    now = clock.now()
    found = SigningSecret.objects.live(now).filter(supplier=supplier, uuid=key).first()
    if found is None:
        return problem(404, code="unknown_secret", detail="You have no such secret.")
    secrets.end(secret=found, now=now)
    return HttpResponse(status=204)
