"""Every inbound type: what it says, the fields its `data` must and may have, an example."""

from dataclasses import dataclass
from typing import Any

Data = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One type of event. `required` and `optional` go beyond the common part.

    `either` are fields of which one is enough. `example` is a whole `data`.
    """

    name: str
    summary: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    example: Data

    @property
    def title(self) -> str:
        """Its name as words: `order.created` -> "Order created"."""
        return self.name.replace(".", " ").replace("_", " ").capitalize()

    @property
    def family(self) -> str:
        """What it is about: the part before the dot."""
        return self.name.partition(".")[0]

    @property
    def needs_owner(self) -> bool:
        """Whether it is for one owner; what a supplier says of itself is for nobody."""
        return self.family != "supplier"

    @property
    def fields(self) -> tuple[str, ...]:
        """Its own fields, the required ones first."""
        return tuple(dict.fromkeys((*self.required, *self.either, *self.optional)))


OWNER = "own_9f2c1e7ab04d4c6f"
DVR: Data = {"asset": {"serial": "R15-204477"}}
JOB: Data = {"uid": "job-88213@skyline.example"}
ORDER: Data = {"refs": [{"scheme": "order", "value": "4471-88213"}]}
REVISION: Data = {"sequence": 0, "dtstamp": "2026-11-10T18:40:00-05:00"}
WINDOW: Data = {
    "start": "2026-11-13T08:00:00-05:00",
    "end": "2026-11-13T12:00:00-05:00",
    "zone": "America/New_York",
    "kind": "visit",
}
FEE: Data = {"amount": "49.00", "currency": "USD"}
ITEMS: Data = {"items": [{"name": "HR54 upgrade", "quantity": 1, "price": FEE}]}
QUESTION: Data = {
    "linkId": "q1",
    "text": "How satisfied are you with the visit?",
    "type": "integer",
    "options": [1, 2, 3, 4, 5],
    "required": True,
}
PARCEL: Data = {"trackingNumber": "1Z999AA10123456784"}
COVER: Data = {"agreementId": "POL-2291", "kind": "insurance"}
YEAR: Data = {"validFrom": "2027-01-01", "validUntil": "2027-12-31"}
TERMS: Data = {
    "agreementUri": "https://skyline.example/terms",
    "version": "2026-11",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
RECALL: Data = {
    "recallNumber": "26-114",
    "authority": "CPSC",
    "product": "HR44 recorder, made before March 2026",
    "hazard": "The power supply may overheat.",
    "consumerAction": "Unplug it and ask for a new power supply.",
    "remedies": [{"kind": "repair", "text": "A new power supply, free of charge"}],
    "confidence": "serial",
}
PAPER: Data = {
    "url": "https://skyline.example/documents/invoice-5520.pdf",
    "mediaType": "application/pdf",
    "title": "Invoice INV-5520",
}

_VISIT = ("uid", "sequence", "dtstamp")
_WHEN = ("start", "end", "zone", "kind")
_WHERE = ("place", "person", "recurrenceId")
_PROGRESS = ("sequence", "dtstamp", *_WHEN, *_WHERE)
_DELIVERY = ("place", "zone")


def _type(
    name: str,
    summary: str,
    required: str,
    example: Data,
    *,
    optional: tuple[str, ...] = (),
    either: tuple[str, ...] = (),
) -> EventType:
    is_own = name.startswith("supplier.")
    return EventType(
        name=name,
        summary=summary,
        required=tuple(required.split()),
        optional=optional,
        either=either,
        example=example if is_own else {"owner": OWNER, **example},
    )


_TYPES = (
    _type(
        "message.created",
        "You wrote to the owner, or want to. Words that bring no fact are shown as they are.",
        "body",
        {
            **DVR, **ORDER, "medium": "email", "bodyFormat": "text",
            "body": "Our technician brings a new recorder. Please clear the space around it.",
        },
        optional=("bodyFormat",),
    ),
    _type(
        "message.updated",
        "What you wrote has changed; `entity` says which message and which revision.",
        "body",
        {
            **DVR, "entity": {"id": "msg-7", "revision": 2},
            "body": "Our technician brings a new recorder and a new dish.",
        },
        optional=("bodyFormat",),
    ),
    _type(
        "message.withdrawn",
        "What you wrote no longer holds. It is noted, and nobody is told.",
        "body",
        {**DVR, "entity": {"id": "msg-7", "revision": 3}, "body": "Sent in error."},
        optional=("bodyFormat",),
    ),
    _type(
        "call.logged",
        "A call with the owner, in either direction. One that was not answered may be told at "
        "once; a transcript is read for times and numbers.",
        "direction status startedAt durationSeconds",
        {
            **DVR, "direction": "in", "status": "voicemail",
            "startedAt": "2026-11-13T08:12:00-05:00", "durationSeconds": 18,
            "transcript": "Hello, this is Dan from Skyline, I will be there in a few hours.",
            "agent": "Dan",
        },
        optional=("transcript", "agent", "transferredTo"),
    ),
    _type(
        "ticket.opened",
        "You opened a ticket for the owner's trouble.",
        "ticketId status",
        {**DVR, "ticketId": "T-20418", "status": "open", "summary": "It stopped recording."},
    ),
    _type(
        "ticket.updated",
        "The ticket moved on; `status` is your own word for where it stands.",
        "ticketId status",
        {"ticketId": "T-20418", "status": "waiting for parts"},
    ),
    _type(
        "ticket.information_required",
        "You need something from the owner. What Steward holds is offered at once.",
        "ticketId status",
        {
            "ticketId": "T-20418", "status": "waiting for customer",
            "asks": [{"fact": "account_number", "prompt": "Your account number, please."}],
        },
    ),
    _type(
        "ticket.resolved",
        "For you it is solved. The owner is asked whether it is; only the owner closes.",
        "ticketId status",
        {"ticketId": "T-20418", "status": "resolved"},
    ),
    _type(
        "ticket.closed",
        "You closed the ticket. The matter stays open until the owner says that it works.",
        "ticketId status",
        {"ticketId": "T-20418", "status": "closed"},
    ),
    _type(
        "appointment.slots_offered",
        "Times from which the owner may choose; the answer is `owner.appointment.slot_selected`.",
        "requestId slots holdUntil",
        {
            **DVR, "requestId": "req-14", "holdUntil": "2026-11-11T18:00:00-05:00",
            "slots": [
                {
                    "slotId": "a", "start": "2026-11-13T08:00:00-05:00",
                    "end": "2026-11-13T12:00:00-05:00",
                },
                {
                    "slotId": "b", "start": "2026-11-14T13:00:00-05:00",
                    "end": "2026-11-14T17:00:00-05:00",
                },
            ],
        },
    ),
    _type(
        "appointment.requested",
        "A visit, delivery or call is planned. It counts as booked until the owner declines.",
        "uid sequence dtstamp start end zone kind",
        {
            **DVR, **ORDER, **JOB, **REVISION, **WINDOW, "person": "Dan",
            "place": "24 Willie Mays Plaza, New York",
        },
        optional=_WHERE,
    ),
    _type(
        "appointment.updated",
        "The appointment changed: send the whole of it with a higher `sequence`.",
        "uid sequence dtstamp start end zone kind",
        {
            **JOB, **WINDOW, "sequence": 1, "dtstamp": "2026-11-12T09:00:00-05:00",
            "start": "2026-11-13T13:00:00-05:00", "end": "2026-11-13T17:00:00-05:00",
        },
        optional=_WHERE,
    ),
    _type(
        "appointment.confirmed",
        "The appointment stands. With the known time it says nothing new.",
        "uid sequence dtstamp",
        {**JOB, **REVISION},
        optional=(*_WHEN, *_WHERE),
    ),
    _type(
        "appointment.counter_declined",
        "You cannot take the time that the owner proposed; yours still stands.",
        "uid sequence dtstamp",
        {**JOB, **REVISION},
        optional=(*_WHEN, *_WHERE),
    ),
    _type(
        "appointment.cancelled",
        "The appointment does not take place. Whoever was told of it is told of this.",
        "uid sequence dtstamp",
        {**JOB, "sequence": 2, "dtstamp": "2026-11-12T16:00:00-05:00"},
        optional=(*_WHEN, *_WHERE),
    ),
    _type(
        "appointment.reminder",
        "A reminder. It never revives what was cancelled.",
        "uid at",
        {**JOB, "at": "2026-11-12T18:00:00-05:00"},
        optional=_PROGRESS,
    ),
    _type(
        "appointment.en_route",
        "The visitor is on the way; the owner is told when to expect them.",
        "uid at eta",
        {
            **JOB, "at": "2026-11-13T10:40:00-05:00", "person": "Dan",
            "eta": {"start": "2026-11-13T11:00:00-05:00", "end": "2026-11-13T11:20:00-05:00"},
        },
        optional=_PROGRESS,
    ),
    _type(
        "appointment.started",
        "The visitor has arrived. The card moves on without a word.",
        "uid at",
        {**JOB, "at": "2026-11-13T11:08:00-05:00"},
        optional=_PROGRESS,
    ),
    _type(
        "appointment.completed",
        "The work is done. The owner is asked whether it works.",
        "uid at",
        {**JOB, "at": "2026-11-13T11:45:00-05:00", "outcome": "repaired"},
        optional=("outcome", *_PROGRESS),
    ),
    _type(
        "appointment.no_show",
        "Nobody met: you did not come, or nobody opened.",
        "uid at",
        {**JOB, "at": "2026-11-13T12:00:00-05:00", "outcome": "nobody opened"},
        optional=("outcome", *_PROGRESS),
    ),
    _type(
        "survey.requested",
        "You ask for feedback. It never interrupts; it is offered within the owner's caps over "
        "all suppliers, and you learn at once when it is not.",
        "surveyId",
        {
            "surveyId": "srv-2026-11", "about": "job-88213@skyline.example",
            "questions": [QUESTION], "closesAt": "2026-11-30T18:00:00-05:00",
        },
        optional=("about", "closesAt"),
        either=("questions", "url"),
    ),
    _type(
        "survey.reminder",
        "You ask again. The same survey is not asked twice.",
        "surveyId",
        {"surveyId": "srv-2026-11", "url": "https://skyline.example/s/1"},
        optional=("about", "closesAt"),
        either=("questions", "url"),
    ),
    _type(
        "survey.closed",
        "Answers no longer count.",
        "surveyId",
        {"surveyId": "srv-2026-11"},
        optional=("about", "closesAt", "questions", "url"),
    ),
    _type(
        "order.created",
        "The owner ordered something.",
        "orderNumber status items",
        {**DVR, **ITEMS, "orderNumber": "4471-88213", "status": "accepted", "total": FEE},
        optional=("total",),
    ),
    _type(
        "order.updated",
        "The order moved on or changed.",
        "orderNumber status items",
        {**ITEMS, "orderNumber": "4471-88213", "status": "in preparation", "total": FEE},
        optional=("total",),
    ),
    _type(
        "order.cancelled",
        "The order will not be fulfilled.",
        "orderNumber",
        {"orderNumber": "4471-88213", "status": "cancelled"},
        optional=("status", "items", "total"),
    ),
    _type(
        "delivery.scheduled",
        "A parcel comes in this window.",
        "expectedFrom expectedUntil",
        {
            **PARCEL, "orderNumber": "4471-88213",
            "expectedFrom": "2026-11-12T10:00:00-05:00",
            "expectedUntil": "2026-11-12T14:00:00-05:00",
        },
        optional=_DELIVERY,
        either=("trackingNumber", "orderNumber"),
    ),
    _type(
        "delivery.updated",
        "It comes at another time.",
        "expectedFrom expectedUntil",
        {
            **PARCEL, "expectedFrom": "2026-11-13T10:00:00-05:00",
            "expectedUntil": "2026-11-13T14:00:00-05:00",
        },
        optional=_DELIVERY,
        either=("trackingNumber", "orderNumber"),
    ),
    _type(
        "delivery.delivered",
        "It was handed over. The card moves on without a word.",
        "",
        {**PARCEL, "at": "2026-11-12T11:31:00-05:00"},
        optional=("expectedFrom", "expectedUntil", "at", *_DELIVERY),
        either=("trackingNumber", "orderNumber"),
    ),
    _type(
        "delivery.failed",
        "It could not be handed over.",
        "",
        {**PARCEL, "at": "2026-11-12T13:05:00-05:00"},
        optional=("expectedFrom", "expectedUntil", "at", *_DELIVERY),
        either=("trackingNumber", "orderNumber"),
    ),
    _type(
        "quote.offered",
        "A price for work; the owner accepts or declines.",
        "quoteId lines total validUntil",
        {
            **DVR, "quoteId": "Q-310", "lines": [{"name": "New drive, fitted", "price": FEE}],
            "total": FEE, "validUntil": "2026-11-24",
        },
    ),
    _type(
        "quote.withdrawn",
        "The price no longer holds.",
        "quoteId",
        {"quoteId": "Q-310"},
        optional=("lines", "total", "validUntil"),
    ),
    _type(
        "invoice.issued",
        "A bill. A pay link must lie at a domain of yours that is proved.",
        "invoiceNumber total dueDate",
        {
            **ORDER, "invoiceNumber": "INV-5520", "total": FEE, "dueDate": "2026-11-30",
            "links": [PAPER],
        },
    ),
    _type(
        "invoice.due",
        "The bill is not paid yet. With the known amount and day it says nothing new.",
        "invoiceNumber total dueDate",
        {"invoiceNumber": "INV-5520", "total": FEE, "dueDate": "2026-11-30"},
    ),
    _type(
        "invoice.corrected",
        "The bill was wrong; this is what holds.",
        "invoiceNumber total dueDate",
        {
            "invoiceNumber": "INV-5520", "total": {"amount": "39.00", "currency": "USD"},
            "dueDate": "2026-12-07",
        },
    ),
    _type(
        "invoice.paid",
        "The bill is paid. The card moves on without a word.",
        "invoiceNumber",
        {"invoiceNumber": "INV-5520", "total": FEE},
        optional=("total", "dueDate"),
    ),
    _type(
        "payment.requested",
        "You ask for money without a bill, such as a deposit.",
        "paymentId total",
        {**ORDER, "paymentId": "pay-31", "total": FEE, "dueDate": "2026-11-20"},
        optional=("dueDate",),
    ),
    _type(
        "payment.received",
        "The money came. The card moves on without a word.",
        "paymentId total",
        {"paymentId": "pay-31", "total": FEE},
        optional=("dueDate",),
    ),
    _type(
        "payment.refunded",
        "The money went back to the owner.",
        "paymentId total",
        {"paymentId": "pay-31", "total": FEE},
        optional=("dueDate",),
    ),
    _type(
        "promise.made",
        "What you will do by when. The owner is told when it is not kept.",
        "promiseId what dueAt",
        {
            **DVR, "promiseId": "prm-9", "what": "We call you back",
            "dueAt": "2026-11-11T17:00:00-05:00",
        },
    ),
    _type(
        "promise.kept",
        "You did it.",
        "promiseId",
        {"promiseId": "prm-9"},
        optional=("what", "dueAt"),
    ),
    _type(
        "promise.withdrawn",
        "You will not do it.",
        "promiseId",
        {"promiseId": "prm-9"},
        optional=("what", "dueAt"),
    ),
    _type(
        "contract.started",
        "An agreement is in force.",
        "agreementId kind validFrom validUntil",
        {**DVR, **COVER, **YEAR},
        optional=("changes",),
    ),
    _type(
        "contract.renewal_due",
        "The agreement renews unless the owner acts.",
        "agreementId kind validFrom validUntil",
        {**COVER, **YEAR},
        optional=("changes",),
    ),
    _type(
        "contract.changed",
        "The agreement's terms change.",
        "agreementId kind validFrom validUntil",
        {**COVER, **YEAR, "changes": [{"field": "premium", "before": "210.00", "after": "228.00"}]},
        optional=("changes",),
    ),
    _type(
        "contract.ended",
        "The agreement is over.",
        "agreementId kind",
        {**COVER, "validUntil": "2026-12-31"},
        optional=("validFrom", "validUntil", "changes"),
    ),
    _type(
        "warranty.registered",
        "A thing is under warranty.",
        "agreementId validUntil coverage",
        {
            **DVR, "agreementId": "WAR-8", "validUntil": "2028-11-13",
            "coverage": "Parts and labour",
        },
        optional=("validFrom",),
    ),
    _type(
        "warranty.expiring",
        "The warranty ends soon.",
        "agreementId validUntil coverage",
        {"agreementId": "WAR-8", "validUntil": "2028-11-13", "coverage": "Parts and labour"},
        optional=("validFrom",),
    ),
    _type(
        "warranty.void",
        "The warranty no longer holds.",
        "agreementId",
        {"agreementId": "WAR-8", "summary": "It was opened by somebody else."},
        optional=("validFrom", "validUntil", "coverage"),
    ),
    _type(
        "claim.updated",
        "A claim moved on.",
        "claimId status",
        {
            **DVR, "claimId": "CL-7781", "status": "approved",
            "amount": {"amount": "310.00", "currency": "USD"},
            "nextStep": "We pay within five days.",
        },
        optional=("amount", "nextStep"),
    ),
    _type(
        "service.performed",
        "Work that was done; it enters the thing's history.",
        "serviceId performedAt workDone",
        {
            **DVR, "serviceId": "srv-88213", "performedAt": "2026-11-13T11:45:00-05:00",
            "workDone": ["Replaced the drive", "Updated the software"],
            "parts": ["Drive, 2 TB"], "nextDue": "2027-11-01",
        },
        optional=("parts", "reading", "nextDue"),
    ),
    _type(
        "reading.reported",
        "A meter's value.",
        "quantity unit value at quality",
        {
            "asset": {"meterPoint": "DE0001234567890"}, "quantity": "energy", "unit": "kWh",
            "value": 4312.5, "at": "2026-11-01T00:00:00-05:00", "quality": "measured",
        },
    ),
    _type(
        "asset.registered",
        "You registered the owner's thing.",
        "",
        {**DVR, "summary": "The recorder is registered to this address."},
        optional=("changes",),
    ),
    _type(
        "asset.specification_updated",
        "What is known of the thing has changed.",
        "",
        {**DVR, "changes": [{"field": "capacity", "before": "1 TB", "after": "2 TB"}]},
        optional=("changes",),
    ),
    _type(
        "asset.document_added",
        "A manual, certificate or other document of the thing.",
        "document",
        {
            **DVR,
            "document": {
                "kind": "manual", "url": "https://skyline.example/documents/hr54.pdf",
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            },
        },
    ),
    _type(
        "asset.software_available",
        "New software for the thing.",
        "",
        {**DVR, "version": "5.1.2", "summary": "Closes a security hole."},
        optional=("version", "changes"),
    ),
    _type(
        "recall.issued",
        "A product is recalled. It needs no purpose, and one that names the very thing is told "
        "through quiet hours.",
        "recallNumber product hazard consumerAction remedies confidence",
        {**DVR, **RECALL},
        optional=("authority",),
    ),
    _type(
        "recall.updated",
        "The recall changed.",
        "recallNumber product hazard consumerAction remedies confidence",
        {**DVR, **RECALL, "consumerAction": "Unplug it. New power supplies are on their way."},
        optional=("authority",),
    ),
    _type(
        "recall.withdrawn",
        "The recall does not hold any more.",
        "recallNumber",
        {**DVR, "recallNumber": "26-114"},
        optional=("authority", "product", "hazard", "consumerAction", "remedies", "confidence"),
    ),
    _type(
        "recall.remedy_done",
        "The remedy was carried out on this thing.",
        "recallNumber",
        {**DVR, "recallNumber": "26-114"},
        optional=("authority", "product", "hazard", "consumerAction", "remedies", "confidence"),
    ),
    _type(
        "terms.accepted",
        "You accept the owner's terms.",
        "agreementUri version sha256",
        dict(TERMS),
    ),
    _type(
        "terms.alternative_offered",
        "You offer other terms; the owner decides.",
        "agreementUri version sha256",
        {**TERMS, "summary": "We keep call recordings for 90 days instead of 30."},
    ),
    _type(
        "terms.rejected",
        "You do not accept the owner's terms.",
        "agreementUri version sha256",
        dict(TERMS),
    ),
    _type(
        "consent.requested",
        "You ask for a further purpose; the owner grants it or not.",
        "purpose",
        {
            "purpose": "service", "requestId": "con-3",
            "summary": "May we read your recorder's error log from afar?",
        },
        optional=("requestId",),
    ),
    _type(
        "data_request.fulfilled",
        "You hand over, correct or erase what the owner asked for.",
        "requestId",
        {"requestId": "dr-5", "manifest": [{"url": "https://skyline.example/exports/dr-5.zip"}]},
        optional=("manifest",),
    ),
    _type(
        "data_request.refused",
        "You refuse a data request, with the ground.",
        "requestId",
        {"requestId": "dr-5", "ground": "Art. 12(5) GDPR: the same request two weeks ago."},
        optional=("ground",),
    ),
    _type(
        "supplier.contact_updated",
        "Where you call and write from. Domains and addresses must lie in a proved domain.",
        "",
        {"numbers": ["+18005550199"], "domains": ["skyline.example"]},
        optional=("numbers", "domains", "senders"),
    ),
    _type("supplier.ping", "A test. Nobody sees it.", "", {}),
)  # fmt: skip

TYPES: dict[str, EventType] = {found.name: found for found in _TYPES}

FAMILIES: dict[str, str] = {
    "message": "Words to the owner",
    "call": "Calls",
    "ticket": "Tickets",
    "appointment": "Visits, deliveries and calls with a time",
    "survey": "Requests for feedback",
    "order": "Orders",
    "delivery": "Parcels",
    "quote": "Prices offered",
    "invoice": "Bills",
    "payment": "Money asked for and moved",
    "promise": "Promises",
    "contract": "Agreements",
    "warranty": "Warranties",
    "claim": "Claims",
    "service": "Work done",
    "reading": "Meters",
    "asset": "The thing itself",
    "recall": "Recalls",
    "terms": "The owner's terms",
    "consent": "Further purposes",
    "data_request": "Requests about personal data",
    "supplier": "Yourself",
}
