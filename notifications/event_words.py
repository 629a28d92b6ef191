"""Event types in words: an event without a title of its own is named by its type.

The adapters write that name in English into the contact, as everything they read; here it
is said again in the reader's language.
"""

from django.utils.translation import gettext_noop

from notifications.tongue import gettext as _
from suppliers import catalogue

THINGS = {
    "message": gettext_noop("Message"),
    "call": gettext_noop("Call"),
    "ticket": gettext_noop("Ticket"),
    "appointment": gettext_noop("Appointment"),
    "survey": gettext_noop("Survey"),
    "order": gettext_noop("Order"),
    "delivery": gettext_noop("Delivery"),
    "quote": gettext_noop("Quote"),
    "invoice": gettext_noop("Invoice"),
    "payment": gettext_noop("Payment"),
    "promise": gettext_noop("Promise"),
    "contract": gettext_noop("Contract"),
    "warranty": gettext_noop("Warranty"),
    "claim": gettext_noop("Claim"),
    "service": gettext_noop("Service"),
    "reading": gettext_noop("Reading"),
    "asset": gettext_noop("Asset"),
    "recall": gettext_noop("Recall"),
    "terms": gettext_noop("Terms"),
    "consent": gettext_noop("Consent"),
    "data_request": gettext_noop("Data request"),
    "supplier": gettext_noop("Supplier"),
}
STEPS = {
    "created": gettext_noop("new"),
    "updated": gettext_noop("updated"),
    "withdrawn": gettext_noop("withdrawn"),
    "logged": gettext_noop("noted"),
    "opened": gettext_noop("opened"),
    "information_required": gettext_noop("information needed"),
    "resolved": gettext_noop("resolved"),
    "closed": gettext_noop("closed"),
    "slots_offered": gettext_noop("times offered"),
    "requested": gettext_noop("requested"),
    "confirmed": gettext_noop("confirmed"),
    "counter_declined": gettext_noop("other time declined"),
    "cancelled": gettext_noop("cancelled"),
    "reminder": gettext_noop("reminder"),
    "started": gettext_noop("started"),
    "completed": gettext_noop("done"),
    "no_show": gettext_noop("nobody met"),
    "en_route": gettext_noop("on the way"),
    "scheduled": gettext_noop("scheduled"),
    "delivered": gettext_noop("delivered"),
    "failed": gettext_noop("failed"),
    "offered": gettext_noop("offered"),
    "issued": gettext_noop("issued"),
    "due": gettext_noop("due"),
    "corrected": gettext_noop("corrected"),
    "paid": gettext_noop("paid"),
    "received": gettext_noop("received"),
    "refunded": gettext_noop("refunded"),
    "made": gettext_noop("made"),
    "kept": gettext_noop("kept"),
    "renewal_due": gettext_noop("renewal due"),
    "changed": gettext_noop("changed"),
    "ended": gettext_noop("ended"),
    "registered": gettext_noop("registered"),
    "expiring": gettext_noop("expiring"),
    "void": gettext_noop("void"),
    "performed": gettext_noop("done"),
    "reported": gettext_noop("reported"),
    "specification_updated": gettext_noop("details updated"),
    "document_added": gettext_noop("document added"),
    "software_available": gettext_noop("software available"),
    "remedy_done": gettext_noop("remedied"),
    "accepted": gettext_noop("accepted"),
    "alternative_offered": gettext_noop("alternative offered"),
    "rejected": gettext_noop("rejected"),
    "fulfilled": gettext_noop("fulfilled"),
    "refused": gettext_noop("refused"),
    "contact_updated": gettext_noop("contact updated"),
    "ping": gettext_noop("test"),
}


def _plain(kind: str) -> str:
    """Return a type as the event adapter writes it: `order.created` -> "Order created"."""
    return kind.replace(".", " ").replace("_", " ").strip().capitalize()


PLAIN = {_plain(kind): kind for kind in catalogue.INBOUND}


def said(kind: str) -> str:
    """Return a type in words: what it is about, and what became of it."""
    thing, _dot, step = kind.partition(".")
    if thing not in THINGS or step not in STEPS:
        return _plain(kind)
    return f"{_(THINGS[thing])}: {_(STEPS[step])}"


def title(text: str) -> str:
    """Return a contact's title as its reader says it; a supplier's own words stay."""
    return said(PLAIN[text]) if text in PLAIN else text
