"""What schema.org mark-up says: orders, parcels, invoices, reservations and actions.

Only an authenticated sender's mark-up gets here. What is already known of the mail stays.
An order is known by its number, a parcel by its tracking number, a reservation by its
own; updates and cancellations share it. The issuer of each number is the sender.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from suppliers.adapters import amounts, goods
from suppliers.adapters.context import Context
from suppliers.adapters.fields import canonical, hosts
from suppliers.choices import Purpose, Stage
from suppliers.contacts import (
    AskClaim,
    Contact,
    FactClaim,
    GoodsClaim,
    Key,
    Money,
    Visit,
    Window,
)

Thing = dict[str, Any]

MAX_TRIPS = 12
# "2017-06-15T14:00:00+0:00" and "... 14:00:00 +0200" are written, and mean something.
OFFSET = re.compile(r"\s?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})\Z")
DONE = ("delivered", "pickedup", "orderdelivered", "orderpickupavailable")
PAID = ("paymentcomplete", "paymentautomaticallyapplied")


def understood(contact: Contact, things: list[Thing], context: Context) -> Contact:
    """Return `contact` with what the mark-up says; what is already there stays."""
    trips = 0
    for thing in things:
        types = types_of(thing)
        if any(kind in TRIPS for kind in types):
            trips += 1
            if trips > MAX_TRIPS:
                continue
        reader = next((READERS[kind] for kind in types if kind in READERS), None)
        if reader is None and any(kind.endswith("Reservation") for kind in types):
            reader = _reservation
        if reader is not None:
            contact = reader(contact, thing, context)
    return contact


def types_of(thing: Thing) -> list[str]:
    """Return the names of a thing's types, however they are written."""
    value = thing.get("@type", thing.get("type", []))
    names = value if isinstance(value, list) else [value]
    return [str(name).rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in names]


# --- single values -----------------------------------------------------------------------


def _one(value: Any) -> Any:
    """Return the one thing meant where a list may stand."""
    return value[0] if isinstance(value, list) and value else value


def _part(value: Any) -> Thing:
    """Return a part that is a thing itself, or nothing."""
    value = _one(value)
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str:
    value = _one(value)
    if isinstance(value, dict):
        value = value.get("name") or value.get("@id") or value.get("@value") or ""
    is_word = isinstance(value, str | int | float) and not isinstance(value, bool)
    return " ".join(str(value).split())[:255] if is_word else ""


def _first(thing: Thing, *names: str) -> Any:
    return next((thing[name] for name in names if thing.get(name)), None)


def _status(value: Any) -> str:
    return _word(value).rstrip("/").rsplit("/", 1)[-1]


def _is_cancelled(status: str) -> bool:
    return "cancel" in status.lower()


def _money(value: Any, currency: Any, context: Context) -> Money | None:
    value = _one(value)
    if isinstance(value, dict):
        currency = _first(value, "priceCurrency", "currency") or currency
        value = _one(value.get("price", value.get("value", value.get("amount"))))
    if value is None or isinstance(value, bool | dict | list):
        return None
    written = re.sub(r"[^\d.,]", "", str(value)[:60])[:30]
    if not any(char.isdigit() for char in written):
        return None
    try:
        amount = canonical(Decimal(written)) if "," not in written else amounts.decimal(written)
    except (InvalidOperation, ValueError):
        return None
    code = _word(currency).upper()
    is_code = len(code) == 3 and code.isalpha() and code.isascii()
    return Money(amount=amount, currency=code if is_code else context.currency)


def _place(value: Any) -> str:
    """Return a place in one line; an address may be a string."""
    value = _one(value)
    if not isinstance(value, dict):
        return _word(value)[:300]
    address = _one(value.get("address"))
    lines = [_word(value.get("name"))]
    if isinstance(address, dict):
        value = address
    elif address:
        return ", ".join(line for line in (*lines, _word(address)) if line)[:300]
    names = ("streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry")
    lines += [_word(value.get(name)) for name in names]
    return ", ".join(dict.fromkeys(line for line in lines if line))[:300]


def moment(value: Any, context: Context) -> datetime | None:
    """Return an instant; a time without a zone is the household's, a day is none."""
    value = _one(value)
    written = _word(value.get("@value") if isinstance(value, dict) else value)
    offset = OFFSET.search(written)
    if offset is not None and "T" in written.upper():
        written = written[: offset.start()]
        written += f"{offset['sign']}{offset['hours']:0>2}:{offset['minutes']}"
    if len(written) <= 10:
        return None
    try:
        found = datetime.fromisoformat(written)
        local = found if found.tzinfo else found.replace(tzinfo=context.tzinfo)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _day(value: Any) -> str:
    written = _word(value)[:10]
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError:
        return ""


def _when(value: Any, context: Context) -> str:
    """Return an instant, or a day, in its canonical form."""
    found = moment(value, context)
    return found.isoformat() if found is not None else _day(value)


def _window(start: Any, end: Any, context: Context) -> Window | None:
    first, last = moment(start, context), moment(end, context)
    if first is None and last is None:
        return None
    if first is None or last is None:
        return Window(start=first or last, end=last or first)  # type: ignore[arg-type]  # one of both is there
    return Window(start=first, end=last) if last >= first else None


def _merged(
    contact: Contact,
    *,
    keys: list[tuple[str, str]],
    facts: list[FactClaim],
    kind: str,
    visit: Visit | None = None,
    status: str = "",
    purpose: Purpose | None = None,
    bought: tuple[GoodsClaim, ...] = (),
) -> Contact:
    names = {fact.name for fact in contact.facts}
    known = {fact.money for fact in contact.facts if fact.money}
    new = tuple(
        replace(fact, source="markup")
        for fact in facts
        if (fact.value or fact.money)
        and fact.name not in names
        and (fact.money is None or fact.money not in known)
    )
    wanted = (Key(scheme=scheme, value=value) for scheme, value in keys if value)
    return contact.with_(
        type=contact.type or kind,
        keys=tuple(dict.fromkeys((*contact.keys, *wanted))),
        facts=(*contact.facts, *new),
        visit=contact.visit or visit,
        status=contact.status or status[:60],
        goods=contact.goods or bought,
        purpose=purpose or contact.purpose,
    )


# --- what each type says -----------------------------------------------------------------


def _order(contact: Contact, thing: Thing, context: Context) -> Contact:
    offers = _first(thing, "acceptedOffer", "orderedItem") or []
    offers = [item for item in (offers if isinstance(offers, list) else [offers]) if item]
    total = None
    for field in ("price", "totalPaymentDue", "total", "discountedPrice"):
        total = total or _money(thing.get(field), thing.get("priceCurrency"), context)
    first = _part(offers)
    if total is None and len(offers) == 1:
        total = _money(first.get("price"), first.get("priceCurrency"), context)
    label = _word(_first(first, "itemOffered", "orderedItem", "name"))
    # The price of the one thing ordered is what the work costs, whoever names it.
    is_one = len(offers) <= 1
    name = "fee" if is_one else "total"
    status = _status(thing.get("orderStatus"))
    return _merged(
        contact,
        keys=[("order", _word(thing.get("orderNumber")))],
        facts=[
            FactClaim(name=name, money=total, label=label if is_one else ""),
            FactClaim(name="item", value=label),
            FactClaim(name="merchant", value=_word(_first(thing, "merchant", "seller"))),
        ],
        kind="order.cancelled" if _is_cancelled(status) else "order.updated",
        status=status,
        bought=() if _is_cancelled(status) else _bought(offers, total, context),
    )


def _bought(offers: list[Any], total: Money | None, context: Context) -> tuple[GoodsClaim, ...]:
    """Return what was ordered; of one thing alone the order's price is its own."""
    found = []
    for offer in offers[: goods.MOST]:
        if not isinstance(offer, dict):
            continue
        inner = _part(_first(offer, "itemOffered", "orderedItem")) or offer
        price = _money(offer.get("price"), offer.get("priceCurrency"), context)
        if price is None and len(offers) == 1:
            price = total
        line = goods.of_offer(offer, types=frozenset(types_of(inner)), price=price)
        found += [line] if line else []
    return tuple(found)


def _invoice(contact: Contact, thing: Thing, context: Context) -> Contact:
    status = _status(thing.get("paymentStatus"))
    is_paid = status.lower() in PAID
    currency = thing.get("priceCurrency")
    due = None
    for field in ("totalPaymentDue", "minimumPaymentDue", "total"):
        due = due or _money(thing.get(field), currency, context)
    order = _part(thing.get("referencesOrder"))
    day = _day(_first(thing, "paymentDueDate", "paymentDue"))
    return _merged(
        contact,
        keys=[
            ("invoice", _word(_first(thing, "confirmationNumber", "identifier"))),
            ("contract", _word(thing.get("accountId"))),
            ("order", _word(order.get("orderNumber"))),
        ],
        facts=[
            FactClaim(name="amount_due", money=None if is_paid else due),
            FactClaim(name="due_on", value="" if is_paid else day),
            FactClaim(name="merchant", value=_word(_first(thing, "provider", "broker"))),
        ],
        kind="invoice.paid" if is_paid else "invoice.issued",
        status=status,
        purpose=Purpose.BILLING,
    )


def _parcel(contact: Contact, thing: Thing, context: Context) -> Contact:
    tracking = _word(thing.get("trackingNumber"))
    order = _part(thing.get("partOfOrder"))
    number = _word(order.get("orderNumber"))
    until = _first(thing, "expectedArrivalUntil", "expectedArrivalTo")
    window = _window(thing.get("expectedArrivalFrom"), until, context)
    told = _part(_first(thing, "deliveryStatus", "hasDeliveryStatus"))
    status = _status(_first(told, "status", "name") or _first(thing, "deliveryStatus"))
    is_done = status.lower() in DONE
    visit = None
    if window is not None or is_done:
        visit = Visit(
            window=window,
            stage=Stage.DONE if is_done else Stage.BOOKED,
            uid=f"delivery:{tracking or number}" if tracking or number else "",
            kind="delivery",
            place=_place(thing.get("deliveryAddress")),
        )
    day = _day(until)
    return _merged(
        contact,
        keys=[("tracking", tracking), ("order", number)],
        facts=[
            FactClaim(name="carrier", value=_word(_first(thing, "provider", "carrier"))),
            FactClaim(name="item", value=_word(thing.get("itemShipped"))),
            FactClaim(name="merchant", value=_word(order.get("merchant"))),
            FactClaim(name="expected_by", value=day if window is None else ""),
        ],
        kind="delivery.delivered" if is_done else "delivery.updated",
        visit=visit,
        status=status,
    )


TRIPS = frozenset({"FlightReservation", "TrainReservation", "BusReservation", "BoatReservation"})
# Reservations at a place of somebody else's: nobody comes to the house.
STAYS = frozenset({"LodgingReservation", "RentalCarReservation", "FoodEstablishmentReservation"})
STARTS = ("checkinTime", "checkinDate", "checkInTime", "pickupTime", "startTime", "startDate")
ENDS = ("checkoutTime", "checkoutDate", "checkOutTime", "dropoffTime", "endTime", "endDate")


def _reservation(contact: Contact, thing: Thing, context: Context) -> Contact:
    types = types_of(thing)
    status = _status(_first(thing, "reservationStatus", "status"))
    abouts = thing.get("reservationFor")
    listed = [item for item in (abouts if isinstance(abouts, list) else [abouts]) if item]
    about = _part(listed)
    facts = [FactClaim(name="guest", value=_word(thing.get("underName")))]
    visit = None
    if TRIPS.intersection(types):
        facts += [_trip(item, context) for item in listed[:MAX_TRIPS] if isinstance(item, dict)]
    elif STAYS.intersection(types):
        both = {**about, **thing}
        facts += _stay(both, about, context)
    else:
        window = _window(about.get("startDate"), about.get("endDate"), context)
        place = _place(about.get("location"))
        facts += _event_facts(about, context) if window is None else _named(about)
        if window is not None:
            stage = Stage.CANCELLED if _is_cancelled(status) else Stage.BOOKED
            visit = Visit(window=window, stage=stage, place=place)
    number = _first(thing, "reservationNumber", "reservationId", "confirmationNumber")
    return _merged(
        contact,
        keys=[("order", _word(number))],
        facts=facts,
        kind="order.cancelled" if _is_cancelled(status) else "order.updated",
        visit=visit,
        status=status,
    )


def _named(about: Thing) -> list[FactClaim]:
    return [FactClaim(name="what", value=_word(about.get("name")))]


def _stay(thing: Thing, about: Thing, context: Context) -> list[FactClaim]:
    place = _place(about) or _place(thing.get("pickupLocation"))
    if thing.get("pickupLocation"):
        place = _place(thing["pickupLocation"])
    return [
        *_named(about),
        FactClaim(name="starts", value=_when(_first(thing, *STARTS), context)),
        FactClaim(name="ends", value=_when(_first(thing, *ENDS), context)),
        FactClaim(name="place", value=place),
        FactClaim(name="people", value=_word(thing.get("partySize"))),
    ]


def _trip(about: Thing, context: Context) -> FactClaim:
    """Return one leg of a journey by flight, train or bus, named by its number."""
    line = _part(_first(about, "airline", "provider", "busCompany"))
    number = _word(_first(about, "flightNumber", "trainNumber", "busNumber", "name"))
    code = _word(line.get("iataCode"))
    name = f"{code} {number}".strip()
    ends = []
    for side in ("departure", "arrival"):
        stop = _first(about, *(f"{side}{what}" for what in STOPS))
        ends.append(_word(_part(stop).get("iataCode")) or _word(stop))
    times = [_when(about.get(f"{side}Time"), context) for side in ("departure", "arrival")]
    return FactClaim(
        name=f"trip.{name}"[:60],
        value="/".join(times) if any(times) else "",
        label=f"{name}: {' - '.join(end for end in ends if end)}"[:120],
    )


STOPS = ("Airport", "Station", "BusStop", "BoatTerminal")


def _event_facts(about: Thing, context: Context) -> list[FactClaim]:
    return [
        *_named(about),
        FactClaim(name="starts", value=_when(about.get("startDate"), context)),
        FactClaim(name="ends", value=_when(about.get("endDate"), context)),
        FactClaim(name="place", value=_place(about.get("location"))),
    ]


def _event(contact: Contact, thing: Thing, context: Context) -> Contact:
    """Take in when and where something takes place to which nobody has reserved yet."""
    return _merged(contact, keys=[], facts=_event_facts(thing, context), kind="")


# --- actions of a mail -------------------------------------------------------------------

ASKING = {"ConfirmAction": "confirmation", "RsvpAction": "confirmation"}


def _message(contact: Contact, thing: Thing, context: Context) -> Contact:
    """Take in what can be done from the mail (Gmail's actions): questions and addresses."""
    actions = thing.get("potentialAction") or thing.get("action")
    listed = actions if isinstance(actions, list) else [actions]
    asks = list(contact.asks)
    links: list[str] = []
    for action in listed[:10]:
        if not isinstance(action, dict):
            continue
        for kind in types_of(action):
            fact = ASKING.get(kind)
            if fact and all(ask.fact != fact for ask in asks):
                prompt = _word(action.get("name")) or _word(thing.get("description"))
                asks.append(AskClaim(fact=fact, prompt=prompt))
        handler = action.get("handler")
        for part in (action, *(handler if isinstance(handler, list) else [handler])):
            if isinstance(part, dict):
                target = _part(part.get("target"))
                links += [
                    _word(_first(part, "url")),
                    _word(part.get("target") if not target else target.get("urlTemplate")),
                ]
    found = hosts([link for link in links if link])
    return contact.with_(
        asks=tuple(asks), link_domains=tuple(dict.fromkeys((*contact.link_domains, *found)))
    )


Reader = Callable[[Contact, Thing, Context], Contact]
READERS: dict[str, Reader] = {
    "Order": _order,
    "Invoice": _invoice,
    "ParcelDelivery": _parcel,
    "Event": _event,
    "EmailMessage": _message,
}
