"""What a stranger leaves on the page of a label comes to the Door, like any unknown sender.

It is counted in the summary and told by the owner's own rules; it interrupts nobody.
"""

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from assets.choices import FindableKind
from assets.models import AwaitedWords, FinderNote
from owners import doorbell
from owners.choices import Trust
from suppliers.choices import ContactKind, Medium
from suppliers.contacts import Contact as Said
from suppliers.models import Contact

TYPE = "found.note"


def heard(*, note: FinderNote, now: datetime) -> None:
    """Let a finder's words wait at the Door, in the transaction that keeps them."""
    sender = address_in(note.reach, country=note.household.country)
    said = Said(
        kind=ContactKind.MESSAGE,
        medium=Medium.NONE,
        said_at=now,
        type=TYPE,
        title=note.asset.name,
        body="\n".join(filter(None, (note.text, note.reach))),
        sender=sender,
        who=note.reach[:80],
        asset=str(note.asset.uuid),
    )
    contact = Contact.objects.create(
        uuid=uuid5(NAMESPACE_URL, f"found:{note.uuid}"),
        household_id=note.household_id,
        asset=note.asset,
        kind=said.kind,
        medium=said.medium,
        trust=Trust.UNKNOWN,
        said_at=now,
        received_at=now,
        said=said.to_json(),
    )
    AwaitedWords.objects.put([(contact.household_id, FindableKind.CONTACT, contact.uuid)])
    transaction.on_commit(lambda: doorbell.ring("feed"))


def address_in(reach: str, *, country: str) -> str:
    """Return the mail address or number (E.164) that a finder gave; empty where it is neither."""
    written = reach.strip()
    try:
        validate_email(written)
    except ValidationError:
        pass
    else:
        return written.casefold()
    try:
        number = phonenumbers.parse(written, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
