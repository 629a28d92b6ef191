"""What each field of `data` means and looks like, as parts of a JSON Schema (2020-12).

A field means the same in every type; where a family gives it a narrower meaning, it stands
here as `family.field`. Formats are written as patterns too, because most validators take
`format` for a comment.
"""

from typing import Any

Shape = dict[str, Any]

_DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)"
INSTANT = rf"^{_DAY}[Tt]{_CLOCK}$"
DAY_OR_INSTANT = rf"^{_DAY}([Tt]{_CLOCK})?$"
AMOUNT = r"^-?\d{1,15}(\.\d{1,6})?$"
SHA256 = r"^[0-9a-fA-F]{64}$"


def _text(says: str, *examples: str) -> Shape:
    """Return a text; what is too long for the card is cut, never refused."""
    return {"type": "string", "description": says} | _examples(examples)


def _said(says: str, *examples: str) -> Shape:
    """Return a text that says something."""
    return _text(says, *examples) | {"pattern": r"\S"}


def _name(says: str, *examples: str) -> Shape:
    """Return an identifier."""
    return _said(says, *examples) | {"maxLength": 255}


def _instant(says: str, *examples: str) -> Shape:
    found = {"type": "string", "format": "date-time", "pattern": INSTANT}
    return found | {"description": f"{says} RFC 3339 with an offset."} | _examples(examples)


def _day(says: str, *examples: str) -> Shape:
    found = {"type": "string", "pattern": DAY_OR_INSTANT}
    return (
        found | {"description": f"{says} A date, or RFC 3339 with an offset."} | _examples(examples)
    )


def _examples(examples: tuple[Any, ...]) -> Shape:
    return {"examples": list(examples)} if examples else {}


def _one_of(says: str, *words: str) -> Shape:
    return {"enum": list(words), "description": says}


def _whole(says: str, *examples: int) -> Shape:
    found: Shape = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": says}
    return found | _examples(examples)


def _object(says: str, properties: dict[str, Shape], *required: str) -> Shape:
    found: Shape = {"type": "object", "description": says, "properties": properties}
    return found | ({"required": list(required)} if required else {})


def _list(says: str, items: Shape, *, least: int = 0) -> Shape:
    found: Shape = {"type": "array", "description": says, "items": items}
    return found | ({"minItems": least} if least else {})


def _money(says: str) -> Shape:
    return _object(
        says,
        {
            "amount": {
                "type": "string",
                "pattern": AMOUNT,
                "description": "A decimal number in a string, so that nothing rounds it.",
                "examples": ["49.00"],
            },
            "currency": {
                "type": "string",
                "pattern": "^[A-Z]{3}$",
                "description": "ISO 4217; without it the household's currency is meant.",
                "examples": ["USD"],
            },
        },
        "amount",
    )


def _window(says: str) -> Shape:
    return _object(
        says,
        {"start": _instant("When it begins."), "end": _instant("When it ends.")},
        "start",
        "end",
    )


_LINK = _object(
    "A document or page. It is never opened before the owner opens it.",
    {
        "url": _said("Where it is.", "https://skyline.example/jobs/88213"),
        "sha256": {"type": "string", "pattern": SHA256, "description": "Of its bytes, in hex."},
        "mediaType": _text("Its media type.", "application/pdf"),
        "size": _whole("Its length in bytes."),
        "title": _text("What it is called."),
    },
    "url",
)
_PERSON = {
    "anyOf": [
        _text("The name."),
        _object("A person.", {"name": _text("The name.", "Dan")}),
    ],
    "description": "Who comes; shown to the owner, so that the right one is let in.",
    "examples": ["Dan"],
}
_PLACE = {
    "anyOf": [
        _text("The place in one line."),
        _object(
            "An address in parts, as in schema.org.",
            {
                "streetAddress": _text("Street and number."),
                "addressLocality": _text("Town."),
                "postalCode": _text("Postal code."),
            },
        ),
    ],
    "description": "Where it takes place.",
    "examples": ["24 Willie Mays Plaza, New York"],
}
_LINE = _object(
    "One line.",
    {
        "name": _text("What it is.", "HR54 upgrade"),
        "quantity": {"type": "number", "description": "How many."},
        "price": _money("The price of this line."),
    },
)
_ITEM = _object(
    "One thing that was ordered.",
    {
        "name": _said("What it is called.", "HR54 upgrade"),
        "quantity": {"type": "number", "description": "How many."},
        "gtin": _text("Its GTIN.", "00850012345678"),
        "price": _money("The price of this item."),
        "unit": _text("Of the quantity, in UCUM, where it is not in pieces.", "kg"),
        "kind": {
            "type": "string",
            "description": "What it is: only a product is proposed to the owner as an asset.",
            "enum": ["product", "part", "consumable", "service", "fee", "discount"],
        },
        "maker": _text("Who made it.", "Nordvarme"),
        "model": _text("Its model.", "HR54"),
        "mpn": _text("The maker's part number.", "HR54-200"),
        "serial": _text("Its serial number.", "H54-7719-0042"),
        "imei": _text("Its IMEI.", "490154203237518"),
        "vin": _text("Its VIN.", "1M8GDM9AXKP042788"),
        "digitalLink": _text("Its GS1 Digital Link.", "https://id.gs1.org/01/09506000134352"),
        "warrantyMonths": {
            "type": "integer",
            "description": "For how many months its maker or seller guarantees it.",
        },
    },
    "name",
)
_CHANGE = {
    "anyOf": [
        _text("The change in one sentence."),
        _object(
            "One change.",
            {
                "field": _text("What changes.", "premium"),
                "before": {"description": "What it was."},
                "after": {"description": "What it will be."},
            },
        ),
    ],
}
_QUESTION = _object(
    "One question, as in FHIR's Questionnaire.",
    {
        "linkId": _name("Names the question in the answer.", "q1"),
        "text": _said("The question.", "How satisfied are you?"),
        "type": _one_of("What may be answered.", "integer", "choice", "boolean", "text"),
        "options": _list("What may be chosen.", {"description": "One of them."}),
        "required": {"type": "boolean", "description": "Whether it must be answered."},
    },
    "linkId", "text", "type",
)  # fmt: skip

# The common part: every type may have these.
COMMON: dict[str, Shape] = {
    "owner": _name(
        "The owner_ref of the mandate, as you were given it: never an address or a number.",
        "own_9f2c1e7ab04d4c6f",
    ),
    "asset": _object(
        "The thing it is about. One of these is enough; without it, or with one we do not "
        "know, the owner is asked once.",
        {
            "ref": _text("The reference you were given."),
            "serial": _text("The serial number.", "R15-204477"),
            "vin": _text("The vehicle's number.", "WVWZZZ1JZXW000001"),
            "imei": _text("The phone's number."),
            "gtin": _text("The product's number, where the household has one of it."),
            "policyNumber": _text("The policy it is insured under."),
            "meterPoint": _text("The metering point."),
            "digitalLink": _text("The GS1 Digital Link on the thing itself."),
        },
    ),
    "entity": _object(
        "Your own thing that this is about, such as a job. Of one family of types, what has a "
        "lower revision than one already seen is history and changes nothing.",
        {
            "id": _name("What you call it.", "job-88213"),
            "revision": _whole("Counts its changes.", 3),
        },
        "id",
    ),
    "refs": _list(
        "Numbers by which the matter is known; a contact that names one joins its matter.",
        _object(
            "One number.",
            {
                "scheme": _one_of(
                    "Whose number it is.",
                    *("order", "ticket", "contract", "tracking", "payment"),
                    *("claim", "invoice", "quote", "thread"),
                ),
                "value": _name("The number.", "4471-88213"),
            },
            "scheme", "value",
        ),
    ),
    "title": _text("Shown only where no better title follows from the facts; cut at 200 signs."),
    "summary": _text("One or two sentences in plain text; cut at 1,000 signs."),
    "language": _text("The language of your words, BCP 47.", "en"),
    "importance": _one_of(
        "A hint; the owner's rules decide. What is `marketing` is held as an advert.",
        "safety", "action", "info", "marketing",
    ),
    "medium": _one_of(
        "How it reached the owner at your side, if it did.",
        *("email", "sms", "call", "voicemail", "letter", "chat", "app", "in_person", "none"),
    ),
    "direction": _one_of("`in` is to the owner, `out` from the owner.", "in", "out"),
    "asks": _list(
        "What you ask the owner for. What Steward holds is offered, so it is not typed again.",
        _object(
            "One question.",
            {
                "fact": _name("What is asked for.", "account_number"),
                "prompt": _text("The words.", "Your account number, please."),
            },
            "fact",
        ),
    ),
    "actions": _list(
        "The answers you take, with their deadlines; the nearest deadline is shown.",
        _object(
            "One answer.",
            {
                "action": _name("What it is.", "accept"),
                "label": _text("What it is called."),
                "until": _instant("Until when you take it."),
            },
            "action",
        ),
    ),
    "links": _list("Pages about it.", _LINK),
    "attachments": _list("Documents about it.", _LINK),
    "expiresAt": _instant("After this it is noise, and nobody is told any more."),
    "purpose": _one_of(
        "Which of the mandate's purposes covers it. Without one, surveys are feedback; invoices, "
        "payments and contracts billing; all else service. Recalls need none.",
        "service", "billing", "feedback", "marketing",
    ),
}  # fmt: skip

# The fields of the types; `family.field` where a family means something narrower.
FIELDS: dict[str, Shape] = {
    "about": _text(
        "What the questions are about: the uid of an appointment, a ticket, an order."
    ),
    "agent": _text("Who spoke for you.", "Kim"),
    "agreementId": _name("What you call the agreement.", "POL-2291"),
    "agreementUri": _name("Where the terms stand.", "https://skyline.example/terms"),
    "amount": _money("How much is paid."),
    "appointment.kind": _one_of("What it is.", "visit", "delivery", "call", "drop_off"),
    "at": _instant("When it happened, or when it was told."),
    "authority": _text("Who ordered the recall.", "CPSC"),
    "body": _text("The words, as text or HTML."),
    "bodyFormat": _one_of("How to read `body`; text unless said.", "text", "html"),
    "call.status": _one_of("How it went.", "answered", "missed", "dropped", "voicemail"),
    "changes": _list("What changes.", _CHANGE),
    "claimId": _name("What you call the claim.", "CL-7781"),
    "closesAt": _instant("Until when answers count."),
    "confidence": _one_of(
        "How exactly the thing is named: all of its kind, its batch, or this very one.",
        "class", "batch", "serial",
    ),
    "consumerAction": _said("What the owner should do.", "Unplug it."),
    "contract.kind": _one_of(
        "What it is.", "warranty", "insurance", "subscription", "supply", "maintenance"
    ),
    "coverage": _said("What is covered.", "Parts and labour"),
    "document": _object(
        "A document about the thing.",
        {
            "kind": _said("What it is.", "manual"),
            "url": _said("Where it is.", "https://skyline.example/hr44.pdf"),
            "sha256": {"type": "string", "pattern": SHA256, "description": "Of its bytes, in hex."},
        },
        "kind", "url", "sha256",
    ),
    "domains": _list("Domains you write from; each must lie in one that is proved.", _name("One.")),
    "dtstamp": _instant("When you wrote this revision; it orders equal sequences."),
    "dueAt": _instant("By when."),
    "dueDate": _day("By when it is to be paid.", "2026-11-30"),
    "durationSeconds": _whole("How long the call was.", 312),
    "end": _instant("When the window ends."),
    "eta": _window("When the visitor will be there."),
    "expectedFrom": _instant("When the delivery's window begins."),
    "expectedUntil": _instant("When the delivery's window ends."),
    "ground": _text("Why it is refused, with the article.", "Art. 12(5) GDPR"),
    "hazard": _said("What may happen.", "Fire"),
    "holdUntil": _instant("Until when the slots are kept free."),
    "invoiceNumber": _name("The invoice's number.", "INV-5520"),
    "items": _list("What was ordered.", _ITEM, least=1),
    "lines": _list("What is offered.", _LINE, least=1),
    "manifest": _list("What is handed over.", _LINK),
    "nextDue": _day("When it should be done again.", "2027-11-01"),
    "nextStep": _text("What happens next, and whose turn it is.", "An assessor calls you."),
    "numbers": _list("Phone numbers you call from, E.164.", _name("One.", "+18005550199")),
    "orderNumber": _name("The order's number.", "4471-88213"),
    "outcome": _text("How it went, in a word or two.", "repaired"),
    "parts": _list("Parts that were used.", {"description": "One part."}),
    "paymentId": _name("What you call the payment.", "pay-31"),
    "performedAt": _instant("When the work was done."),
    "person": _PERSON,
    "place": _PLACE,
    "product": _said("What is recalled.", "HR44 recorder"),
    "promiseId": _name("What you call the promise.", "prm-9"),
    "purpose": COMMON["purpose"],
    "quality": _said("How it was found.", "measured"),
    "quantity": _said("What was read.", "energy"),
    "questions": _list("The questions.", _QUESTION, least=1),
    "quoteId": _name("The quote's number.", "Q-310"),
    "reading": _object(
        "A meter read at the visit.",
        {
            "quantity": _text("What was read."),
            "unit": _text("UCUM.", "kWh"),
            "value": {"type": ["number", "string"], "description": "The value."},
        },
    ),
    "recallNumber": _name("The recall's number.", "26-114"),
    "recurrenceId": _text(
        "Of a series: the start that the series gave to this one, RFC 3339."
    ),
    "remedies": _list("What you offer.", {"description": "One remedy."}),
    "requestId": _name("The request this answers, or is.", "req-14"),
    "senders": _list("Addresses you write from.", _name("One.", "visits@skyline.example")),
    "sequence": _whole("Counts the revisions of the appointment, as in iCalendar.", 1),
    "serviceId": _name("What you call the work.", "srv-88213"),
    "sha256": {"type": "string", "pattern": SHA256, "description": "Of the terms' bytes, in hex."},
    "slots": _list(
        "The times to choose from.",
        _object(
            "One time.",
            {
                "slotId": _name("Names it in the answer.", "a"),
                "start": _instant("When it begins."),
                "end": _instant("When it ends."),
            },
            "slotId", "start", "end",
        ),
        least=1,
    ),
    "start": _instant("When the window begins."),
    "startedAt": _instant("When the call began."),
    "status": _name("Your own word for where it stands.", "in progress"),
    "surveyId": _name("What you call the survey.", "srv-2026-11"),
    "ticketId": _name("The ticket's number.", "T-20418"),
    "total": _money("The total, taxes included."),
    "trackingNumber": _name("The parcel's number.", "1Z999AA10123456784"),
    "transcript": _text("What was said. It is marked as read from text."),
    "transferredTo": _text("To whom the caller was passed on."),
    "uid": _name("The UID, the same as in its iCalendar.", "job-88213@skyline.example"),
    "unit": _said("UCUM.", "kWh"),
    "url": _said("Where they are answered.", "https://skyline.example/s/1"),
    "validFrom": _day("Since when.", "2026-01-01"),
    "validUntil": _day("Until when.", "2026-12-31"),
    "value": {"type": ["number", "string"], "pattern": r"\S", "description": "What was read."},
    "version": _name("Which version.", "2026-11"),
    "what": _said("What you promise.", "We call back"),
    "workDone": _list("What was done.", _text("One thing.", "Replaced the drive")),
    "zone": {
        "type": "string",
        "pattern": r"^[A-Za-z0-9_+\-/]{1,64}$",
        "description": "The IANA time zone whose clock the owner reads.",
        "examples": ["America/New_York"],
    },
}  # fmt: skip

# The ends of one window: neither says anything without the other.
PAIRS = (("start", "end"), ("expectedFrom", "expectedUntil"))


def of(family: str, field: str) -> Shape:
    """Return the shape of `field` in a type of `family`."""
    return FIELDS.get(f"{family}.{field}") or FIELDS.get(field) or COMMON[field]
