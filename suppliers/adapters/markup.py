"""Reads HTML: the words a reader sees, the links, and schema.org mark-up.

Runs in the child process only. The mark-up of real mails is often broken (trailing
commas, comments in scripts, lists where one thing is meant): what can be read is read,
and the rest is left to the text.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import lxml.html  # type: ignore[import-untyped]  # lxml has no types
from lxml import etree

from suppliers.adapters import amounts
from suppliers.adapters.context import Context
from suppliers.adapters.fields import canonical
from suppliers.choices import Stage
from suppliers.contacts import Contact, FactClaim, Key, Money, Visit, Window

MAX_HTML = 100_000  # characters; nothing beyond is read
MAX_ITEMS = 50
MAX_DEPTH = 12
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
UNSEEN = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "template",
        "noscript",
        "svg",
        "object",
        "iframe",
        "meta",
        "link",
    ]
)
HIDDEN = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0(?![.\d])|"
    r"opacity\s{0,3}:\s{0,3}0(?![.\d])|max-height\s{0,3}:\s{0,3}0(?![.\d])|mso-hide",
    re.IGNORECASE,
)
LD_SCRIPT = re.compile(
    r"<script[^>]{0,200}application/ld\+json[^>]{0,200}>(.*?)</script", re.IGNORECASE | re.DOTALL
)


def task(data: dict[str, Any]) -> str:
    """Answer a request of `contained.visible`."""
    return visible(data["html"])[0]


def visible(html: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the words that are seen, and each link with the words near it."""
    root = _tree(html)
    if root is None:
        return "", ()
    parts: list[str] = []
    links: list[tuple[str, str]] = []
    skipped: list[Any] = []
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in {"comment", "pi"}:
            if not skipped:
                parts.append(node.tail or "")
            continue
        if event == "start":
            if skipped or _is_hidden(node):
                skipped.append(node)
                continue
            if node.tag in BLOCKS:
                parts.append("\n")
            parts.append(_one_line(node.text))
            continue
        if skipped:
            skipped.pop()
        elif node.tag == "a" and str(node.get("href", "")).lower().startswith("http"):
            links.append((str(node.get("href"))[:500], "".join(parts[-12:])[-160:]))
        if node.tag in BLOCKS and not skipped:
            parts.append("\n")
        if not skipped:
            parts.append(_one_line(node.tail))
    text = re.sub(r"[ \t\u200b\u200c\u00ad\ufeff\u034f]+", " ", "".join(parts))
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line), tuple(links[:200])


def _one_line(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("\r", " ")


def _tree(html: str) -> Any:
    try:
        parser = lxml.html.HTMLParser(no_network=True, remove_comments=False)
        return lxml.html.document_fromstring(html[:MAX_HTML].replace("\x00", ""), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None  # an empty page


def _is_hidden(node: Any) -> bool:
    if node.tag in UNSEEN or node.get("hidden") is not None:
        return True
    return HIDDEN.search(str(node.get("style", ""))[:2000]) is not None


# --- schema.org --------------------------------------------------------------------------


def items(html: str) -> list[dict[str, Any]]:
    """Return the schema.org things in a page, as they are written there."""
    html = html[:MAX_HTML]
    found: list[Any] = []
    for match in LD_SCRIPT.finditer(html):
        found += _loads(match[1])
    if "itemscope" in html.lower():
        import extruct  # noqa: PLC0415 - it loads an RDF library, and few mails need it

        result = extruct.extract(html, syntaxes=["microdata"], errors="ignore", uniform=True)
        found += result.get("microdata", [])
    return list(_flat(found))[:MAX_ITEMS]


def _loads(script: str) -> list[Any]:
    """Return the values in a script; comments and trailing commas do not spoil it."""
    script = script.replace("<!--", "").replace("-->", "").strip().strip(";")
    for attempt in (script, re.sub(r",(\s{0,50}[}\]])", r"\1", script)):
        try:
            return [json.loads(attempt, strict=False)]
        except (ValueError, RecursionError):
            continue
    return []


def _flat(values: list[Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    for value in values:
        if isinstance(value, list) and depth < MAX_DEPTH:
            yield from _flat(value, depth + 1)
        elif isinstance(value, dict):
            if isinstance(value.get("@graph"), list) and depth < MAX_DEPTH:
                yield from _flat(value["@graph"], depth + 1)
            else:
                yield value


def understood(contact: Contact, things: list[dict[str, Any]], context: Context) -> Contact:
    """Return `contact` with what the mark-up says; what is already there stays."""
    for thing in things:
        types = _types(thing)
        if "Order" in types:
            contact = _order(contact, thing, context)
        elif "Invoice" in types:
            contact = _invoice(contact, thing, context)
        elif "ParcelDelivery" in types:
            contact = _parcel(contact, thing, context)
        elif any(kind.endswith("Reservation") for kind in types):
            contact = _reservation(contact, thing, types, context)
    return contact


def _types(thing: dict[str, Any]) -> list[str]:
    value = thing.get("@type", [])
    names = value if isinstance(value, list) else [value]
    return [str(name).rstrip("/").rsplit("/", 1)[-1] for name in names]


def _one(value: Any) -> Any:
    """Return the one thing meant where a list may stand."""
    return value[0] if isinstance(value, list) and value else value


def _word(value: Any) -> str:
    value = _one(value)
    if isinstance(value, dict):
        value = value.get("name") or value.get("@id") or value.get("@value") or ""
    return "" if isinstance(value, list | dict) or value is None else str(value).strip()[:255]


def _status(value: Any) -> str:
    return _word(value).rstrip("/").rsplit("/", 1)[-1]


def _merged(
    contact: Contact,
    *,
    keys: list[tuple[str, str]],
    facts: list[FactClaim],
    visit: Visit | None = None,
    status: str = "",
) -> Contact:
    names = {fact.name for fact in contact.facts}
    amounts_known = {fact.money for fact in contact.facts if fact.money}
    new = tuple(
        fact
        for fact in facts
        if fact.name not in names and (fact.money is None or fact.money not in amounts_known)
    )
    wanted = (Key(scheme=scheme, value=value) for scheme, value in keys if value)
    return contact.with_(
        keys=tuple(dict.fromkeys((*contact.keys, *wanted))),
        facts=(*contact.facts, *new),
        visit=contact.visit or visit,
        status=contact.status or status[:60],
    )


def _money(value: Any, currency: Any, context: Context) -> Money | None:
    value = _one(value)
    if isinstance(value, dict):
        currency = value.get("priceCurrency") or value.get("currency") or currency
        value = _one(value.get("price", value.get("value", value.get("amount"))))
    if value is None or isinstance(value, bool | dict | list):
        return None
    written = re.sub(r"[^\d.,]", "", str(value))[:30]
    if not any(char.isdigit() for char in written):
        return None
    try:
        amount = canonical(Decimal(written)) if "," not in written else amounts.decimal(written)
    except (InvalidOperation, ValueError):
        return None
    code = _word(currency).upper()
    is_code = len(code) == 3 and code.isalpha()
    return Money(amount=amount, currency=code if is_code else context.currency)


def _order(contact: Contact, thing: dict[str, Any], context: Context) -> Contact:
    offers = thing.get("acceptedOffer") or thing.get("orderedItem") or []
    offers = [item for item in (offers if isinstance(offers, list) else [offers]) if item]
    total = None
    for field in ("price", "totalPaymentDue", "total", "discountedPrice"):
        total = total or _money(thing.get(field), thing.get("priceCurrency"), context)
    first = offers[0] if offers and isinstance(offers[0], dict) else {}
    if total is None and len(offers) == 1:
        total = _money(first.get("price"), first.get("priceCurrency"), context)
    label = _word(first.get("itemOffered") or first.get("orderedItem") or first.get("name"))
    facts = []
    if total is not None:
        # The price of the one thing ordered is what the work costs, whoever names it.
        is_one = len(offers) <= 1
        facts.append(
            FactClaim(name="fee" if is_one else "total", money=total, label=label if is_one else "")
        )
    return _merged(
        contact,
        keys=[("order", _word(thing.get("orderNumber")))],
        facts=facts,
        status=_status(thing.get("orderStatus")),
    )


def _invoice(contact: Contact, thing: dict[str, Any], context: Context) -> Contact:
    facts = []
    is_paid = _status(thing.get("paymentStatus")) == "PaymentComplete"
    total = _money(thing.get("totalPaymentDue"), thing.get("priceCurrency"), context)
    if total is not None and not is_paid:
        facts.append(FactClaim(name="amount_due", money=total))
    due = _day(thing.get("paymentDueDate") or thing.get("paymentDue"))
    if due and not is_paid:
        facts.append(FactClaim(name="due_on", value=due))
    order = _one(thing.get("referencesOrder"))
    number = _word(order.get("orderNumber")) if isinstance(order, dict) else ""
    return _merged(
        contact,
        keys=[("invoice", _word(thing.get("confirmationNumber"))), ("order", number)],
        facts=facts,
        status=_status(thing.get("paymentStatus")),
    )


def _parcel(contact: Contact, thing: dict[str, Any], context: Context) -> Contact:
    tracking = _word(thing.get("trackingNumber"))
    order = _one(thing.get("partOfOrder"))
    number = _word(order.get("orderNumber")) if isinstance(order, dict) else ""
    window = _window(thing.get("expectedArrivalFrom"), thing.get("expectedArrivalUntil"), context)
    visit = None
    if window is not None:
        visit = Visit(
            window=window,
            uid=f"delivery:{tracking or number}" if tracking or number else "",
            kind="delivery",
            place=_place(thing.get("deliveryAddress")),
        )
    keys = [("tracking", tracking), ("order", number)]
    return _merged(contact, keys=keys, facts=[], visit=visit)


# Journeys of the owner's own: nobody comes to the house.
TRAVEL = frozenset(
    {"FlightReservation", "TrainReservation", "BusReservation", "RentalCarReservation",
     "LodgingReservation", "FoodEstablishmentReservation"}
)  # fmt: skip


def _reservation(
    contact: Contact, thing: dict[str, Any], types: list[str], context: Context
) -> Contact:
    status = _status(thing.get("reservationStatus") or thing.get("status"))
    about = _one(thing.get("reservationFor"))
    visit = None
    if isinstance(about, dict) and not TRAVEL.intersection(types):
        window = _window(about.get("startDate"), about.get("endDate"), context)
        if window is not None:
            is_cancelled = "cancel" in status.lower()
            visit = Visit(
                window=window,
                stage=Stage.CANCELLED if is_cancelled else Stage.BOOKED,
                place=_place(about.get("location")),
            )
    keys = [("order", _word(thing.get("reservationNumber") or thing.get("reservationId")))]
    return _merged(contact, keys=keys, facts=[], visit=visit, status=status)


def _place(value: Any) -> str:
    value = _one(value)
    if isinstance(value, dict):
        value = value.get("address") or value
    if isinstance(value, dict):
        names = ("name", "streetAddress", "postalCode", "addressLocality", "addressCountry")
        return ", ".join(_word(value[name]) for name in names if value.get(name))[:300]
    return _word(value)[:300]


def _window(start: Any, end: Any, context: Context) -> Window | None:
    first, last = _moment(start, context), _moment(end, context)
    if first is None and last is None:
        return None
    if first is None or last is None:
        return Window(start=first or last, end=last or first)  # type: ignore[arg-type]  # one of both is there
    return Window(start=first, end=last) if last >= first else None


def _moment(value: Any, context: Context) -> datetime | None:
    """Return an instant; a time without a zone is the household's."""
    written = _word(value.get("@value") if isinstance(value, dict) else value)
    try:
        found = datetime.fromisoformat(written)
        if len(written) == 10:
            return None  # a day is no window
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
