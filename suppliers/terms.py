"""The owner's terms: offered, answered and taken back, each step kept by both sides.

The household is the first party: it proffers an agreement of the roster, the supplier
accepts it, offers one other of the same roster, or rejects it (IEEE 7012). A record says
which text (address, version, hash), what happened and when; it is never changed, and its
own hash lets the two copies be compared. An answer that names another text than the one
offered is kept, and does not count.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, gettext_noop

from owners import access
from owners.models import Owner
from suppliers import agreements, outbox
from suppliers.agreements import Agreement
from suppliers.choices import MandateState, TermsEvent
from suppliers.models import Mandate, TermsRecord

ANSWERS = {
    "terms.accepted": TermsEvent.ACCEPTED,
    "terms.alternative_offered": TermsEvent.ALTERNATIVE,
    "terms.rejected": TermsEvent.REJECTED,
}
UNKNOWN, NOT_OFFERED = "terms_unknown", "terms_not_offered"
OTHER_VERSION, OTHER_TEXT = "terms_version", "terms_hash"
# A yes that was meant for what is offered, and is to something else: its sender must hear.
OTHER = frozenset({OTHER_VERSION, OTHER_TEXT})
# Why an answer does not count, as the owner reads it.
VERDICTS: dict[str, str | Promise] = {
    UNKNOWN: gettext_lazy("They named an agreement that nobody knows here."),
    NOT_OFFERED: gettext_lazy("They answered terms that you have not offered them."),
    OTHER_VERSION: gettext_lazy("They said yes to another version. It does not count."),
    OTHER_TEXT: gettext_lazy("They said yes to another text: the hash differs. It does not count."),
}


class TermsError(Exception):
    """The terms cannot be so; `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a supplier said to the owner's terms. `verdict` says why it does not count."""

    event: TermsEvent
    agreement_uri: str
    version: str
    sha256: str
    verdict: str = ""
    pointer: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one agreement stands between a household and a supplier."""

    agreement: Agreement
    record: TermsRecord | None  # the last step that counts
    is_open: bool  # offered, and not taken back


def proffer(*, mandate: Mandate, agreement: Agreement, owner: Owner, now: datetime) -> TermsRecord:
    """Offer the supplier one agreement; raises TermsError when it is on offer already."""
    with transaction.atomic():
        kept = Mandate.objects.select_for_update(no_key=True).get(pk=mandate.pk)
        if kept.state == MandateState.ENDED:
            raise TermsError("ended", gettext_noop("This mandate has ended; give a new one."))
        if standing(mandate)[agreement.code].is_open:
            raise TermsError("offered", gettext_noop("These terms are offered already."))
        return _say(mandate, agreement, TermsEvent.PROFFERED, owner=owner, now=now)


def withdraw(*, mandate: Mandate, agreement: Agreement, owner: Owner, now: datetime) -> TermsRecord:
    """Take an offered or accepted agreement back; raises TermsError when there is none."""
    with transaction.atomic():
        Mandate.objects.select_for_update(no_key=True).get(pk=mandate.pk)
        if not standing(mandate)[agreement.code].is_open:
            raise TermsError("not_offered", gettext_noop("These terms are not offered."))
        return _say(mandate, agreement, TermsEvent.WITHDRAWN, owner=owner, now=now)


def lapse(*, mandate: Mandate, now: datetime) -> list[dict[str, Any]]:
    """Record that what was offered holds no more, as the mandate it was for has ended.

    Returns what names each text, for the word that the supplier gets of the end; inside the
    caller's transaction.
    """
    gone = [one.agreement for one in standing(mandate).values() if one.is_open]
    for agreement in gone:
        _record(
            mandate,
            event=TermsEvent.WITHDRAWN,
            uri=agreement.uri,
            version=agreement.version,
            sha256=agreement.sha256,
            verdict="",
            said_in=uuid4(),
            at=now,
        ).save()
    return [_named(agreement) for agreement in gone]


def _named(agreement: Agreement) -> dict[str, Any]:
    return {
        "agreementUri": agreement.uri,
        "version": agreement.version,
        "sha256": agreement.sha256,
        "title": str(agreement.title),
    }


def standing(mandate: Mandate) -> dict[str, Standing]:
    """Return where each agreement of the roster stands, by its code."""
    rows = TermsRecord.objects.filter(mandate=mandate, verdict="").order_by("at", "pk")
    last: dict[str, TermsRecord] = {}
    is_open: set[str] = set()
    for row in rows:
        if row.event == TermsEvent.ALTERNATIVE:
            continue  # of theirs: it says nothing of where ours stands
        last[row.agreement_uri] = row
        if row.event == TermsEvent.PROFFERED:
            is_open.add(row.agreement_uri)
        elif row.event == TermsEvent.WITHDRAWN:
            is_open.discard(row.agreement_uri)
    return {
        code: Standing(agreement=one, record=last.get(one.uri), is_open=one.uri in is_open)
        for code, one in agreements.ROSTER.items()
    }


def read(*, type: str, data: Any, mandate_id: int) -> Answer | None:  # noqa: A002 - the contract's word
    """Return a supplier's answer with its verdict; None for what is no whole answer.

    A field that is missing or no text is the reader's fault to find, not ours.
    """
    event = ANSWERS.get(type)
    if event is None or not isinstance(data, Mapping):
        return None
    given = [data.get(name) for name in ("agreementUri", "version", "sha256")]
    if not all(isinstance(one, str | int) and str(one) for one in given):
        return None
    uri, version, digest = (str(one).strip()[:500] for one in given)
    verdict, pointer, detail = _judge(event, uri, version, digest.lower(), mandate_id=mandate_id)
    return Answer(
        event=event,
        agreement_uri=uri,
        version=version[:40],
        sha256=digest.lower()[:64],
        verdict=verdict,
        pointer=pointer,
        detail=detail,
    )


def keep(answer: Answer, *, mandate_id: int, said_in: UUID, now: datetime) -> None:
    """Store a supplier's answer, inside the caller's transaction; the same event is one."""
    mandate = Mandate.objects.select_related("household", "supplier").get(pk=mandate_id)
    record = _record(
        mandate,
        event=answer.event,
        uri=answer.agreement_uri,
        version=answer.version,
        sha256=answer.sha256,
        verdict=answer.verdict,
        said_in=said_in,
        at=now,
    )
    TermsRecord.objects.bulk_create([record], ignore_conflicts=True)


def _judge(
    event: TermsEvent, uri: str, version: str, digest: str, *, mandate_id: int
) -> tuple[str, str, str]:
    agreement = agreements.by_uri(uri)
    if agreement is None:
        return UNKNOWN, "/data/agreementUri", "No agreement of the roster is at this address."
    if event != TermsEvent.ALTERNATIVE:
        mandate = Mandate.objects.get(pk=mandate_id)
        if not standing(mandate)[agreement.code].is_open:
            return NOT_OFFERED, "/data/agreementUri", "The owner does not offer you these terms."
    if version != agreement.version:
        said = f"The owner's offer is version {agreement.version}."
        return OTHER_VERSION, "/data/version", said
    if digest != agreement.sha256:
        return OTHER_TEXT, "/data/sha256", f"The text has the SHA-256 {agreement.sha256}."
    return "", "", ""


def _say(
    mandate: Mandate, agreement: Agreement, event: TermsEvent, *, owner: Owner, now: datetime
) -> TermsRecord:
    """Tell the supplier, and keep what was said."""
    name = uuid4()
    said = _named(agreement)
    if event == TermsEvent.PROFFERED:
        said["text"] = agreement.text.decode()
    outbox.send(mandate=mandate, type=f"owner.terms.{event.value}", data=said, now=now, name=name)
    record = _record(
        mandate,
        event=event,
        uri=agreement.uri,
        version=agreement.version,
        sha256=agreement.sha256,
        verdict="",
        said_in=name,
        at=now,
    )
    record.save()
    access.note(
        kind="mandate_changed",
        actor=owner,
        household=mandate.household,
        what={"supplier": mandate.supplier.name, "terms": event.value, "uri": agreement.uri},
        now=now,
    )
    return record


def _record(
    mandate: Mandate,
    *,
    event: TermsEvent,
    uri: str,
    version: str,
    sha256: str,
    verdict: str,
    said_in: UUID,
    at: datetime,
) -> TermsRecord:
    row = TermsRecord(
        household=mandate.household,
        mandate=mandate,
        event=event,
        agreement_uri=uri,
        version=version,
        sha256=sha256,
        verdict=verdict,
        said_in=said_in,
        at=at,
    )
    row.record_sha256 = fingerprint(row)
    return row


def shown(row: TermsRecord) -> dict[str, Any]:
    """Return a record as each side can hold it: the same bytes for both."""
    return {
        "event": str(row.event),
        "agreementUri": row.agreement_uri,
        "version": row.version,
        "sha256": row.sha256,
        "at": row.at.astimezone(UTC).isoformat(),
        "firstParty": row.mandate.owner_ref,
        "secondParty": row.mandate.supplier.code,
        "verdict": row.verdict,
        "saidIn": str(row.said_in),
    }


def fingerprint(row: TermsRecord) -> str:
    """Return the hash over all that a record says."""
    text = json.dumps(shown(row), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
