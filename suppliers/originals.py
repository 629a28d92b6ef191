"""A mail as it was sent: shown made harmless, given out byte for byte, its papers kept."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assets import documents
from assets.models import Document
from owners import households, sealing
from owners.choices import Trust
from owners.models import Owner
from suppliers import sandbox
from suppliers.choices import Way
from suppliers.models import Contact

WALL_S = 15.0  # 25 MiB take their time
ANSWER_MOST = 40 * 2**20  # an attachment of 25 MiB in base64


class NoMailError(Exception):
    """The contact did not come as a mail."""


class GoneError(Exception):
    """The mail is not kept any more, or there is no such attachment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a mail. `media_type` is what its bytes are, empty when unknown."""

    number: int
    name: str
    media_type: str
    declared: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A mail as it may be shown. Without `is_readable` there is only what its head says."""

    contact: Contact
    is_kept: bool
    is_readable: bool
    is_proved: bool
    sender: str = ""
    recipient: str = ""
    subject: str = ""
    sent: str = ""
    html: str = ""
    text: str = ""
    is_page_left_out: bool = False  # too large or too deep to be shown
    trackers: int = 0
    left_out: int = 0
    misleading: int = 0
    attachments: tuple[Attachment, ...] = ()

    @property
    def length(self) -> str:
        """How much room its page needs: short, middle or long."""
        lines = self.text.count("\n") + len(self.text) / 80
        rows = lines + 2 * self.html.count("<tr") + 6 * self.html.count("<img")
        return "short" if rows < 12 else "middle" if rows < 30 else "long"


def mails(owner: Owner) -> Any:
    """Return the owner's contacts that came as mails."""
    rows = Contact.objects.for_owner(owner).filter(inbound__way=Way.MAIL)
    return rows.select_related("inbound", "household", "supplier", "asset")


def of(contact: Contact) -> Original:
    """Return the mail behind a contact, read in a child that may fail."""
    said = contact.said
    is_proved = contact.trust >= Trust.AUTHENTICATED and not contact.suspicion
    known = {
        "contact": contact,
        "is_proved": is_proved,
        "sender": said.get("sender", ""),
        "subject": said.get("title", ""),
        "text": said.get("body", ""),
    }
    try:
        content = raw(contact)
    except GoneError:
        return Original(**known, is_kept=False, is_readable=False)
    request = {"raw": base64.b64encode(content).decode(), "is_proved": is_proved}
    try:
        found = sandbox.run("original", request, wall_s=WALL_S)
    except sandbox.RefusedError:
        return Original(**known, is_kept=True, is_readable=False)
    return Original(
        contact=contact,
        is_kept=True,
        is_readable=True,
        is_proved=is_proved,
        sender=found["from"],
        recipient=found["to"],
        subject=found["subject"],
        sent=found["date"],
        html=found["html"],
        text=found["text"],
        is_page_left_out=found["is_left_out"],
        trackers=found["trackers"],
        left_out=found["left_out"],
        misleading=found["misleading"],
        attachments=tuple(
            Attachment(
                number=one["number"],
                name=one["name"] or f"file-{one['number']}",
                media_type=one["type"],
                declared=one["declared"],
                size=one["size"],
            )
            for one in found["attachments"]
        ),
    )


def raw(contact: Contact) -> bytes:
    """Return the mail byte for byte. Raises NoMailError, or GoneError after the retention."""
    if contact.inbound is None or contact.inbound.way != Way.MAIL:
        raise NoMailError
    try:
        return contact.inbound.body
    except sealing.UnsealError as error:
        raise GoneError from error


def attachment(contact: Contact, *, number: int) -> tuple[str, bytes]:
    """Return an attachment's name and bytes. Raises GoneError where there is none."""
    request = {"raw": base64.b64encode(raw(contact)).decode(), "number": number}
    try:
        found = sandbox.run("attachment", request, wall_s=WALL_S, answer_most=ANSWER_MOST)
    except sandbox.RefusedError as error:
        raise GoneError from error
    if found is None:
        raise GoneError
    return found["name"] or f"file-{number}", base64.b64decode(found["content"])


def keep(*, contact: Contact, number: int, owner: Owner, now: datetime) -> Document:
    """Keep an attachment as a document of the household. Raises documents.DocumentError."""
    households.require(owner=owner, household_id=contact.household_id)
    name, content = attachment(contact, number=number)
    return documents.add(
        household=contact.household,
        asset=contact.asset,
        owner=owner,
        name=name,
        content=content,
        now=now,
    )
