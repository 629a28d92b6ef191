"""The facts that every adapter names alike, in words; what else a supplier names is its own."""

from django.utils.translation import gettext_noop

from notifications.tongue import gettext as _

NAMES = {
    "amount_due": gettext_noop("Amount due"),
    "answer_by": gettext_noop("Answer by"),
    "care_due": gettext_noop("Care due"),
    "care_worker": gettext_noop("Who can do it"),
    "carrier": gettext_noop("Carrier"),
    "claim_amount": gettext_noop("Amount of the claim"),
    "coverage": gettext_noop("Coverage"),
    "document": gettext_noop("Document"),
    "due_on": gettext_noop("To be paid by"),
    "ends": gettext_noop("Ends"),
    "expected_by": gettext_noop("Expected by"),
    "fee": gettext_noop("Price"),
    "guest": gettext_noop("In whose name"),
    "issued_on": gettext_noop("Issued on"),
    "item": gettext_noop("Item"),
    "merchant": gettext_noop("Shop"),
    "next_due": gettext_noop("Next due"),
    "next_step": gettext_noop("Next step"),
    "own_due": gettext_noop("By"),
    "people": gettext_noop("How many people"),
    "person": gettext_noop("Who comes"),
    "place": gettext_noop("Place"),
    "promise": gettext_noop("Promised"),
    "recall_by": gettext_noop("Recalled by"),
    "recall_hazard": gettext_noop("Hazard"),
    "recall_number": gettext_noop("Number of the recall"),
    "recall_remedy": gettext_noop("What is done about it"),
    "recall_sure": gettext_noop("How sure"),
    "reference": gettext_noop("Reference"),
    "refund": gettext_noop("Money back"),
    "repeats": gettext_noop("Repeats"),
    "seller": gettext_noop("Invoiced by"),
    "starts": gettext_noop("Starts"),
    "status": gettext_noop("Status"),
    "total": gettext_noop("Total"),
    "valid_until": gettext_noop("Valid until"),
    "visit": gettext_noop("Visit"),
    "what": gettext_noop("What it is"),
    "window": gettext_noop("Time window"),
    "work_done": gettext_noop("Work done"),
}


def said(name: str) -> str:
    """Return a fact's name in words: `due_on` becomes To be paid by."""
    # A matter may have several of one kind: `reference:3f2a` is a reference.
    if (kind := name.partition(":")[0]) in NAMES:
        return _(NAMES[kind])
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
