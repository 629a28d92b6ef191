"""schema.org mark-up: what each type says, and that broken mark-up is read all the same."""

import json
import time
from typing import Any

import pytest

from suppliers.adapters import headers, markup, mime, schema_org
from suppliers.adapters.context import Context
from suppliers.choices import Purpose, Stage
from suppliers.contacts import Contact, Money


def page(*things: Any) -> str:
    written = (thing if isinstance(thing, str) else json.dumps(thing) for thing in things)
    scripts = (f'<script type="application/ld+json">{thing}</script>' for thing in written)
    return f"<html><body>{''.join(scripts)}</body></html>"


def read(html: str, context: Context) -> Contact:
    base = mime.plain(headers.Head(()), context)
    return schema_org.understood(base, markup.items(html), context)


def keys(contact: Contact) -> dict[str, str]:
    return {key.scheme: key.value for key in contact.keys}


def facts(contact: Contact) -> dict[str, Any]:
    return {fact.name: fact.money or fact.value for fact in contact.facts}


ORDER = {
    "@context": "https://schema.org",
    "@type": "Order",
    "orderNumber": "4471-88213",
    "orderStatus": "http://schema.org/OrderProcessing",
    "merchant": {"@type": "Organization", "name": "Skyline TV"},
    "priceCurrency": "USD",
    "price": "49.00",
    "acceptedOffer": {"@type": "Offer", "itemOffered": {"@type": "Product", "name": "HR54"}},
}


def test_an_order_has_its_number_price_and_status(context: Context) -> None:
    found = read(page(ORDER), context)
    assert keys(found) == {"order": "4471-88213"}
    assert facts(found) == {
        "fee": Money(amount="49.00", currency="USD"), "item": "HR54", "merchant": "Skyline TV",
    }  # fmt: skip
    assert (found.type, found.status) == ("order.updated", "OrderProcessing")


@pytest.mark.parametrize("status", ["OrderCancelled", "https://schema.org/OrderCancelled"])
def test_a_cancelled_order_shares_its_number(status: str, context: Context) -> None:
    found = read(page({**ORDER, "orderStatus": status}), context)
    assert (keys(found)["order"], found.type) == ("4471-88213", "order.cancelled")


PARCEL = {
    "@type": "ParcelDelivery",
    "trackingNumber": "1Z999",
    "expectedArrivalFrom": "2026-11-16T08:00:00-05:00",
    "expectedArrivalUntil": "2026-11-16T12:00:00-05:00",
    "itemShipped": {"@type": "Product", "name": "HR54"},
    "partOfOrder": {"@type": "Order", "orderNumber": "4471-88213"},
    "deliveryAddress": "12 Elm Street, Springfield",
}


@pytest.mark.parametrize("who", ["provider", "carrier"])
def test_a_parcel_has_its_window_and_carrier(who: str, context: Context) -> None:
    found = read(page({**PARCEL, who: {"@type": "Organization", "name": "Fast"}}), context)
    assert keys(found) == {"tracking": "1Z999", "order": "4471-88213"}
    assert found.visit is not None
    assert (found.visit.kind, found.visit.place) == ("delivery", "12 Elm Street, Springfield")
    assert facts(found)["carrier"] == "Fast"


def test_a_delivered_parcel_is_done(context: Context) -> None:
    told = {**PARCEL, "deliveryStatus": {"@type": "DeliveryEvent", "name": "Delivered"}}
    found = read(page(told), context)
    assert found.visit is not None
    assert (found.visit.stage, found.type) == (Stage.DONE, "delivery.delivered")


def test_a_parcel_by_a_day_is_no_window(context: Context) -> None:
    found = read(
        page({**PARCEL, "expectedArrivalFrom": "", "expectedArrivalUntil": "2026-11-16"}), context
    )
    assert found.visit is None
    assert facts(found)["expected_by"] == "2026-11-16"


def test_an_invoice_is_a_bill_until_it_is_paid(context: Context) -> None:
    bill = {
        "@type": "Invoice",
        "confirmationNumber": "I-7",
        "accountId": "C-9",
        "paymentDueDate": "2026-11-30T00:00:00Z",
        "totalPaymentDue": {"price": "1,249.50", "priceCurrency": "EUR"},
        "referencesOrder": [{"@type": "Order", "orderNumber": "4471"}],
        "paymentStatus": "https://schema.org/PaymentDue",
    }  # fmt: skip
    found = read(page(bill), context)
    assert keys(found) == {"invoice": "I-7", "contract": "C-9", "order": "4471"}
    assert facts(found) == {
        "amount_due": Money(amount="1249.50", currency="EUR"), "due_on": "2026-11-30",
    }  # fmt: skip
    assert (found.type, found.purpose) == ("invoice.issued", Purpose.BILLING)
    paid = read(page({**bill, "paymentStatus": "PaymentComplete"}), context)
    assert (facts(paid), paid.type) == ({}, "invoice.paid")


STAY = {
    "reservationNumber": "R1",
    "reservationStatus": "http://schema.org/ReservationConfirmed",
    "underName": {"@type": "Person", "name": "Ana Hart"},
}


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (
            {"@type": "LodgingReservation", "checkinDate": "2026-11-20T15:00:00+0:00",
             "checkoutDate": "2026-11-22T11:00:00+01:00",
             "reservationFor": {"@type": "LodgingBusiness", "name": "Elm Inn", "address": "Elm 1"}},
            {"what": "Elm Inn", "starts": "2026-11-20T15:00:00+00:00",
             "ends": "2026-11-22T10:00:00+00:00", "place": "Elm Inn, Elm 1"},
        ),
        (
            {"@type": "RentalCarReservation", "pickupTime": "2026-11-20T15:00:00Z",
             "dropoffTime": "2026-11-22T15:00:00Z", "pickupLocation": {"name": "Airport"},
             "reservationFor": {"@type": "RentalCar", "name": "Small car"}},
            {"what": "Small car", "starts": "2026-11-20T15:00:00+00:00",
             "ends": "2026-11-22T15:00:00+00:00", "place": "Airport"},
        ),
        (
            {"@type": ["FoodEstablishmentReservation", "Thing"], "startTime": "2026-11-20T19:00:00",
             "partySize": 4, "reservationFor": {"@type": "FoodEstablishment", "name": "Da Ana"}},
            {"what": "Da Ana", "starts": "2026-11-21T00:00:00+00:00", "place": "Da Ana",
             "people": "4"},
        ),
        (
            {"@type": "http://schema.org/TrainReservation", "reservationFor": [
                {"@type": "TrainTrip", "trainNumber": "ICE 7", "departureStation": {"name": "Bonn"},
                 "arrivalStation": {"name": "Ulm"}, "departureTime": "2026-11-20T08:00:00+01:00",
                 "arrivalTime": "2026-11-20T11:00:00+01:00"}]},
            {"trip.ICE 7": "2026-11-20T07:00:00+00:00/2026-11-20T10:00:00+00:00"},
        ),
        (
            {"@type": "BusReservation", "reservationFor": {"busNumber": "12",
             "departureBusStop": "A", "departureTime": "2026-11-20T08:00:00+01:00"}},
            {"trip.12": "2026-11-20T07:00:00+00:00/"},
        ),
    ],
)  # fmt: skip
def test_a_reservation_elsewhere_is_facts_and_no_visit(
    thing: dict[str, Any], expected: dict[str, str], context: Context
) -> None:
    found = read(page({**STAY, **thing}), context)
    assert found.visit is None
    assert keys(found) == {"order": "R1"}
    assert facts(found) == {**expected, "guest": "Ana Hart"}
    assert found.status == "ReservationConfirmed"


def test_a_cancelled_reservation_cancels_its_visit(context: Context) -> None:
    event = {"@type": "Event", "name": "Repair café", "startDate": "2026-11-20T08:00:00-05:00"}
    thing = {**STAY, "@type": "EventReservation", "reservationFor": event}
    booked = read(page(thing), context)
    gone = read(page({**thing, "reservationStatus": "ReservationCancelled"}), context)
    assert booked.visit is not None
    assert gone.visit is not None
    assert (booked.visit.stage, gone.visit.stage) == (Stage.BOOKED, Stage.CANCELLED)
    assert (keys(booked), gone.type) == (keys(gone), "order.cancelled")


def test_an_action_of_a_mail_is_a_question(context: Context) -> None:
    mail = {
        "@type": "EmailMessage",
        "potentialAction": [
            {"@type": "ConfirmAction", "name": "Confirm your visit",
             "handler": {"@type": "HttpActionHandler", "url": "https://skyline.example/c"}},
            {"@type": "ViewAction", "target": "https://skyline.example/v"},
        ],
    }  # fmt: skip
    found = read(page(mail), context)
    assert [(ask.fact, ask.prompt) for ask in found.asks] == [
        ("confirmation", "Confirm your visit")
    ]
    assert found.link_domains == ("skyline.example",)


WHOLE = json.dumps(ORDER)


@pytest.mark.parametrize(
    "script",
    [
        WHOLE,
        WHOLE.replace("}", ",}"),
        f"<!-- {WHOLE} -->",
        f"// made by a shop\n{WHOLE}",
        f"/* made by a shop */ {WHOLE};",
        f"<![CDATA[{WHOLE}]]>",
        f"[{WHOLE},]",
        f"[{WHOLE}",
        f"{WHOLE}{WHOLE}",
        WHOLE.replace('"', "&quot;"),
        json.dumps({"@context": "https://schema.org", "@graph": [ORDER]}),
        json.dumps([[ORDER]]),
        WHOLE.replace('"Order"', '["Order", "Thing"]').replace("Skyline TV", "Skyline // TV, }"),
    ],
    ids=[
        "whole", "commas", "comment", "line", "block", "cdata", "list", "unclosed", "two",
        "escaped", "graph", "nested", "types",
    ],
)  # fmt: skip
def test_broken_mark_up_is_read_all_the_same(script: str, context: Context) -> None:
    found = read(page(script), context)
    assert keys(found) == {"order": "4471-88213"}


@pytest.mark.parametrize(
    "piece", ['\\"', "{", "}{", "[", ",", "/*", "//", '"', '{"a":', "&quot;", "<!--"]
)
def test_hostile_mark_up_costs_no_more_than_its_length(piece: str) -> None:
    script = piece * (markup.MAX_HTML // len(piece))
    began = time.process_time()
    assert markup.items(page('"' + script)) == []
    assert time.process_time() - began < 2
