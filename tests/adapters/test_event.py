"""The contract with suppliers: what must be there, and what each type then says."""

import copy
from typing import Any

import pytest

from suppliers.adapters import event, fields
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.choices import ContactKind, Medium, Purpose, Stage
from tests.adapters.conftest import NOW

MOMENT = "2026-11-13T08:00:00-05:00"
LATER = "2026-11-13T12:00:00-05:00"
TOTAL = {"amount": "49.00", "currency": "USD"}
# One right value for each field of the contract.
VALUES: dict[str, Any] = {
    "body": "Hello", "direction": "in", "status": "answered", "startedAt": MOMENT,
    "durationSeconds": 5, "ticketId": "T-1", "requestId": "r-1", "holdUntil": LATER,
    "slots": [{"slotId": "a", "start": MOMENT, "end": LATER}], "uid": "job-1", "sequence": 1,
    "dtstamp": MOMENT, "start": MOMENT, "end": LATER, "zone": "America/New_York", "kind": "visit",
    "at": MOMENT, "eta": {"start": MOMENT, "end": LATER}, "surveyId": "s-1",
    "orderNumber": "4471", "items": [{"name": "HR54", "quantity": 1}], "expectedFrom": MOMENT,
    "expectedUntil": LATER, "quoteId": "q-1", "lines": [{"name": "HR54"}], "total": TOTAL,
    "validUntil": "2027-01-01", "invoiceNumber": "I-1", "dueDate": "2026-11-30",
    "paymentId": "p-1", "promiseId": "p-2", "what": "Call back", "dueAt": LATER,
    "agreementId": "a-1", "validFrom": "2026-01-01", "coverage": "parts", "claimId": "c-1",
    "serviceId": "s-2", "performedAt": MOMENT, "workDone": ["Cleaned"], "quantity": "energy",
    "unit": "kWh", "value": 12.5, "quality": "measured", "recallNumber": "R-9",
    "product": "HR44", "hazard": "Fire", "consumerAction": "Unplug it",
    "remedies": [{"kind": "refund"}], "confidence": "serial", "agreementUri": "urn:a",
    "version": "1", "sha256": "0" * 64, "purpose": "service",
    "document": {"kind": "manual", "url": "https://s.example/m.pdf", "sha256": "0" * 64},
}  # fmt: skip
# Fields of which one of two is enough, so no single one is required by name.
EITHER = {"survey": {"url": "https://s.example/1"}, "delivery": {"trackingNumber": "TN-1"}}


def full(kind: str) -> dict[str, Any]:
    family = kind.partition(".")[0]
    required, _ = event.TYPES[kind]
    data = {"owner": "own_ana", **{name: copy.deepcopy(VALUES[name]) for name in required}}
    if family == "contract":
        data["kind"] = "warranty"
    return {"type": kind, "time": MOMENT, "data": {**data, **EITHER.get(family, {})}}


@pytest.mark.parametrize("kind", event.TYPES)
def test_every_type_is_read_when_it_is_complete(kind: str, context: Context) -> None:
    contacts = event.read(full(kind), context=context)
    assert [contact.type for contact in contacts] == [kind]


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, (required, _) in event.TYPES.items() for field in required],
)
def test_a_missing_field_is_named(kind: str, field: str, context: Context) -> None:
    sent = full(kind)
    del sent["data"][field]
    with pytest.raises(ContentError) as caught:
        event.read(sent, context=context)
    assert (caught.value.code, caught.value.pointer) == ("missing_field", f"/data/{field}")


@pytest.mark.parametrize(
    ("kind", "field", "value", "pointer"),
    [
        ("appointment.requested", "start", "2026-11-13T08:00:00", "/data/start"),
        ("appointment.requested", "end", "2026-11-12T08:00:00Z", "/data/end"),
        ("appointment.requested", "zone", "Mars/Base", "/data/zone"),
        ("appointment.requested", "zone", "../etc/passwd", "/data/zone"),
        ("appointment.requested", "sequence", -1, "/data/sequence"),
        ("appointment.requested", "sequence", True, "/data/sequence"),
        ("appointment.requested", "kind", "party", "/data/kind"),
        ("appointment.requested", "uid", {"a": 1}, "/data/uid"),
        ("invoice.issued", "total", {"currency": "USD"}, "/data/total/amount"),
        ("invoice.issued", "total", {"amount": "many"}, "/data/total/amount"),
        ("invoice.issued", "total", {"amount": "NaN"}, "/data/total/amount"),
        ("invoice.issued", "total", {"amount": "1", "currency": "dollar"}, "/data/total/currency"),
        ("invoice.issued", "dueDate", "soon", "/data/dueDate"),
        ("order.created", "items", [{"quantity": 1}], "/data/items/0/name"),
        ("appointment.slots_offered", "slots", [{"slotId": "a"}], "/data/slots/0/start"),
        ("call.logged", "status", "eaten", "/data/status"),
        ("ticket.opened", "refs", [{"scheme": "order"}], "/data/refs/0/value"),
        ("ticket.opened", "asks", [{"prompt": "?"}], "/data/asks/0/fact"),
        ("ticket.opened", "entity", {"revision": 1}, "/data/entity/id"),
        ("ticket.opened", "importance", "huge", "/data/importance"),
        ("ticket.opened", "medium", "pigeon", "/data/medium"),
        ("ticket.opened", "purpose", "fun", "/data/purpose"),
        ("ticket.opened", "asset", "R15", "/data/asset"),
    ],
)
def test_a_wrong_field_is_named(
    kind: str, field: str, value: Any, pointer: str, context: Context
) -> None:
    sent = full(kind)
    sent["data"][field] = value
    with pytest.raises(ContentError) as caught:
        event.read(sent, context=context)
    assert caught.value.pointer == pointer


def test_an_owner_is_required_except_of_the_supplier_itself(context: Context) -> None:
    with pytest.raises(ContentError) as caught:
        event.read({"type": "message.created", "data": {"body": "Hello"}}, context=context)
    assert caught.value.pointer == "/data/owner"
    (own,) = event.read({"type": "supplier.ping", "data": {}}, context=context)
    assert not own.is_counted


def test_an_unknown_type_is_a_plain_message(context: Context) -> None:
    sent = {"type": "coffee.brewed", "data": {"owner": "own_ana"}}
    (contact,) = event.read(sent, context=context)
    assert (contact.kind, contact.title) == (ContactKind.MESSAGE, "Coffee brewed")


@pytest.mark.parametrize(
    ("step", "stage", "is_counted"),
    [
        ("requested", Stage.BOOKED, True),
        ("updated", Stage.BOOKED, True),
        ("confirmed", Stage.CONFIRMED, True),
        ("cancelled", Stage.CANCELLED, True),
        ("reminder", Stage.BOOKED, True),
        ("en_route", Stage.ON_THE_WAY, False),
        ("started", Stage.STARTED, False),
        ("completed", Stage.DONE, False),
        ("no_show", Stage.MISSED, False),
    ],
)
def test_a_visit_moves_by_its_stages(
    step: str, stage: Stage, *, is_counted: bool, context: Context
) -> None:
    (contact,) = event.read(full(f"appointment.{step}"), context=context)
    assert contact.visit is not None
    assert (contact.visit.stage, contact.is_counted) == (stage, is_counted)
    assert contact.visit.is_reminder == (step == "reminder")
    assert contact.medium == Medium.NONE


@pytest.mark.parametrize(
    ("kind", "purpose"),
    [
        ("survey.requested", Purpose.FEEDBACK),
        ("invoice.issued", Purpose.BILLING),
        ("payment.requested", Purpose.BILLING),
        ("contract.started", Purpose.BILLING),
        ("ticket.opened", Purpose.SERVICE),
        ("recall.issued", None),
    ],
)
def test_a_purpose_follows_from_the_type(
    kind: str, purpose: Purpose | None, context: Context
) -> None:
    (contact,) = event.read(full(kind), context=context)
    assert contact.purpose == purpose


def test_a_time_that_cannot_be_is_ours(context: Context) -> None:
    sent = full("ticket.opened") | {"time": "2031-01-01T00:00:00Z"}
    (contact,) = event.read(sent, context=context)
    assert contact.said_at == NOW


def test_what_is_marked_as_marketing_is_an_advert(context: Context) -> None:
    sent = full("message.created")
    sent["data"]["importance"] = "marketing"
    (contact,) = event.read(sent, context=context)
    assert (contact.kind, contact.purpose) == (ContactKind.ADVERT, Purpose.MARKETING)


def test_html_is_read_as_a_reader_sees_it(context: Context) -> None:
    sent = full("message.created")
    sent["data"] |= {
        "bodyFormat": "html",
        "body": "<p>Visit on Monday 16 November 8:00-12:00</p>"
        "<p style='display:none'>Visit on 17 November 9:00-11:00</p><script>x()</script>",
    }
    (contact,) = event.read(sent, context=context)
    assert contact.body == "Visit on Monday 16 November 8:00-12:00"
    assert contact.visit is not None
    assert contact.visit.window is not None


@pytest.mark.parametrize("year", ["0001", "1969", "2201", "9999"])
def test_a_time_that_no_clock_shows_is_refused(year: str) -> None:
    with pytest.raises(ContentError):
        fields.instant(f"{year}-06-01T12:00:00Z", "/data/start")
    assert fields.instant("2200-06-01T12:00:00Z", "/data/start").year == 2200
