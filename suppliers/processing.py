"""From stored bytes to contacts: the second half of the inbox.

A batch is claimed, read by its adapters, checked against the mandates, and written with
a number of queries that does not depend on its size. What one row holds cannot hurt the
others: an adapter that fails leaves its own row to be claimed again.
"""

import json
import uuid
from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.db import DataError, transaction
from prometheus_client import Counter

from owners import bulk, sealing
from suppliers import (
    adapters,
    announcing,
    checks,
    claiming,
    envelopes,
    letters,
    outbox,
    proposing,
    published,
    recalling,
    servicing,
    terms,
)
from suppliers.acquaintance import Acquaintance, Home
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.admission import (
    BLOCKED,
    NOBODYS,
    Admission,
    Granted,
    admit,
    belongs,
    is_recognised,
    plain_address,
    refusal_of,
    sender_domain,
)
from suppliers.choices import Authentication, Direction, EventState, MandateState, Way
from suppliers.contacts import Contact, Report
from suppliers.signals import contacts_stored

log = structlog.get_logger(__name__)

# A contact's public id follows from what it is, so any order of arrival gives the same.
NAMESPACE = uuid.UUID("6f0e3a52-2c58-5a38-9d2e-4a3f5b7c8d90")
LEASE = timedelta(seconds=settings.INBOX_LEASE_S)
MAX_CLAIMS = 8
FLOOD = 4  # whoever fills a fourth of a full lot floods the inbox
# Events that are written into the history of things and claims, beside being told.
STATING = frozenset({*servicing.TYPES, *recalling.TYPES, *claiming.TYPES})
NEWEST = 50_000  # events looked through for what others sent
TRANSCRIPT_WAIT = timedelta(minutes=3)

PROCESSED = Counter(
    "steward_inbox_processed_total", "Inbound events by what became of them", ["state"]
)

CLAIM = """
    WITH picked AS (
        SELECT id FROM suppliers_inboundevent
        WHERE state = 'stored' AND (lease_until IS NULL OR lease_until <= %(now)s)
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE suppliers_inboundevent e SET lease_until = %(until)s, claims = e.claims + 1
    FROM picked WHERE e.id = picked.id
    RETURNING e.id, e.uuid, e.supplier_id, e.household_id, e.way, e.source, e.event_id, e.type,
              e.payload, e.routing::text, e.received_at, e.claims
"""
# Beside a full lot that few suppliers fill: what others sent since. It is looked for among
# the newest only, so a heap costs no more to look through the higher it gets.
CLAIM_BESIDE = """
    WITH picked AS (
        SELECT id FROM suppliers_inboundevent
        WHERE state = 'stored' AND (lease_until IS NULL OR lease_until <= %(now)s)
            AND id > (SELECT max(id) FROM suppliers_inboundevent) - %(newest)s
            AND (supplier_id IS NULL OR NOT supplier_id = ANY(%(flooding)s::bigint[]))
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE suppliers_inboundevent e SET lease_until = %(until)s, claims = e.claims + 1
    FROM picked WHERE e.id = picked.id
    RETURNING e.id, e.uuid, e.supplier_id, e.household_id, e.way, e.source, e.event_id, e.type,
              e.payload, e.routing::text, e.received_at, e.claims
"""
FINISH = """
    UPDATE suppliers_inboundevent e
    SET state = d.state, code = d.code, pointer = d.pointer, detail = d.detail,
        household_id = COALESCE(e.household_id, d.household_id), lease_until = NULL
    FROM json_to_recordset(%s::json) AS d(
        id bigint, state text, code text, pointer text, detail text, household_id bigint)
    WHERE e.id = d.id AND e.state = 'stored'
"""
KNOWN = """
    SELECT uuid, said::text, decided_at IS NOT NULL FROM suppliers_contact
    WHERE uuid = ANY(%s) ORDER BY uuid FOR UPDATE
"""
CONTACT_COLUMNS = {
    "uuid": "uuid", "household_id": "bigint", "supplier_id": "bigint", "mandate_id": "bigint",
    "inbound_id": "bigint", "asset_id": "bigint", "owner_id": "bigint", "kind": "text",
    "medium": "text", "direction": "text", "trust": "int", "said_at": "timestamptz",
    "received_at": "timestamptz", "not_before": "timestamptz", "said": "jsonb",
    "suspicion": "text", "refusal": "text",
}  # fmt: skip
# One JSON parameter keeps the statement the same text for any number of rows. By which
# words they are found is noted later.
STORE = f"""
    WITH stored AS (
    INSERT INTO suppliers_contact ({", ".join(CONTACT_COLUMNS)},
        outcome, reason, rule, evidence)
    SELECT d.*, '', '', '', '{{}}'::jsonb
    FROM json_to_recordset(%s::json) AS d(
        {", ".join(f"{name} {kind}" for name, kind in CONTACT_COLUMNS.items())})
    ORDER BY 1
    ON CONFLICT (uuid) DO NOTHING
    RETURNING household_id, uuid
    )
    INSERT INTO assets_awaitedwords (household_id, kind, object)
    SELECT household_id, 'contact', uuid FROM stored
"""  # noqa: S608 - constants only
COMPLETE = """
    WITH completed AS (
    UPDATE suppliers_contact c
    SET said = d.said, kind = d.kind, medium = d.medium, said_at = d.said_at,
        not_before = d.not_before
    FROM json_to_recordset(%s::json) AS d(uuid uuid, said jsonb, kind text, medium text,
        said_at timestamptz, not_before timestamptz)
    WHERE c.uuid = d.uuid AND c.decided_at IS NULL
    RETURNING c.household_id, c.uuid
    )
    INSERT INTO assets_awaitedwords (household_id, kind, object)
    SELECT household_id, 'contact', uuid FROM completed
"""


@dataclass(slots=True)
class Work:
    """One claimed event on its way; `state` stays empty while nothing is decided."""

    id: int
    uuid: uuid.UUID
    supplier_id: int | None
    household_id: int | None
    way: str
    source: str
    event_id: str
    type: str
    payload: bytes | None
    routing: dict[str, Any]
    received_at: datetime
    claims: int
    content: Any = None
    stated: dict[str, Any] = field(default_factory=dict)  # of the history of a thing
    alias: str = ""
    mandate: Granted | None = None
    profile: published.Published | None = None  # what a supplier says of itself
    answer: terms.Answer | None = None  # to the owner's terms
    contacts: list[Contact] = field(default_factory=list)
    report: Report | None = None  # of a letter of ours that came back
    state: str = ""
    code: str = ""
    pointer: str = ""
    detail: str = ""
    is_failed: bool = False  # something unforeseen; the row waits for its next claim

    @property
    def is_open(self) -> bool:
        """Whether the event still has to be read."""
        return not self.state and not self.is_failed

    @property
    def is_faulty(self) -> bool:
        """Whether the supplier has to hear that its event does not hold as it was meant."""
        is_refused = self.answer is not None and self.answer.verdict in terms.OTHER
        return self.state == EventState.REJECTED or is_refused

    def reject(self, code: str, pointer: str, detail: str) -> None:
        """Note that the content breaks the contract; the event stays in the log."""
        self.state, self.code = EventState.REJECTED, code[:40]
        self.pointer, self.detail = pointer[:200], detail[:300]


@dataclass(slots=True)
class Row:
    """One contact as it is stored."""

    uuid: uuid.UUID
    work: Work
    contact: Contact
    household_id: int
    supplier_id: int | None
    mandate_id: int | None
    asset_id: int | None
    admission: Admission

    @property
    def not_before(self) -> datetime | None:
        """When the rules may look: a voicemail waits a little for its transcript."""
        call = self.contact.call
        waits = call is not None and call.awaits_transcript
        return self.contact.said_at + TRANSCRIPT_WAIT if waits else None


def process_due(*, now: datetime, limit: int = 500) -> int:
    """Make contacts of what waits in the inbox; return how many events were taken.

    Sends `contacts_stored` after the commit, with the households concerned.
    """
    batch = _claim(now=now, limit=limit)
    if not batch:
        return 0
    rows = _read(batch)
    try:
        households = _write(batch, rows, now=now)
    except DataError:
        # One value no column takes must not hold up the others: each row for itself.
        households = set()
        for work in batch:
            try:
                mine = [row for row in rows if row.work is work]
                households |= _write([work], mine, now=now)
            except DataError as error:
                log.error("inbox_row_failed", inbound=str(work.uuid), error=type(error).__name__)
                work.is_failed = True
    for state, count in Tally(work.state or "failed" for work in batch).items():
        PROCESSED.labels(state).inc(count)
    if households:
        contacts_stored.send(sender=None, household_ids=households)
    return len(batch)


def preview(*, supplier_id: int, event: dict[str, Any], now: datetime) -> tuple[Work, list[Row]]:
    """Read one CloudEvent as if it had arrived; nothing is stored.

    The work tells whether it would be rejected, the rows what it would say.
    """
    name = uuid.uuid4()
    sealed = sealing.seal(
        json.dumps(event).encode(), table="suppliers_inboundevent", key=str(name), field="payload"
    )
    work = Work(
        id=0,
        uuid=name,
        supplier_id=supplier_id,
        household_id=None,
        way=Way.WEBHOOK,
        source=str(event.get("source", "")),
        event_id=str(event.get("id", "")),
        type=str(event.get("type", "")),
        payload=sealed,
        routing={},
        received_at=now,
        claims=0,
    )
    rows = _read([work])
    for row in rows:
        if row.admission.refusal == BLOCKED:  # that it is blocked, nobody is told
            refusal = refusal_of(row.contact, mandate=work.mandate, asset_id=row.asset_id)
            row.admission = replace(row.admission, refusal=refusal)
    return work, rows


def contact_uuid(
    *, supplier_id: int | None, household_id: int, source: str, event_id: str, identity: str = ""
) -> uuid.UUID:
    """Return the public id of a contact: the same whatever the order of arrival.

    `identity` names the call that several callbacks belong to, within a household.
    """
    if identity:
        return uuid.uuid5(NAMESPACE, f"identity|{household_id}|{identity}")
    return uuid.uuid5(NAMESPACE, f"{supplier_id or ''}|{source}|{event_id}")


def _claim(*, now: datetime, limit: int) -> list[Work]:
    """Claim a lot, the oldest first; beside a flood also what others sent, which waits for none."""
    asked = {"now": now, "until": now + LEASE, "limit": limit}
    claimed = bulk.read(CLAIM, asked)
    if len(claimed) == limit:
        sent = Tally(row[2] for row in claimed if row[2] is not None)
        flooding = [supplier for supplier, count in sent.items() if count * FLOOD >= limit]
        if flooding:
            beside = {"flooding": bulk.array(flooding), "newest": NEWEST}
            claimed += bulk.read(CLAIM_BESIDE, asked | beside)
    return sorted(map(_work, claimed), key=lambda work: work.id)


def _work(row: tuple[Any, ...]) -> Work:
    *before, routing, received_at, claims = row
    return Work(*before, orjson.loads(routing), received_at, claims)  # type: ignore[call-arg]  # the columns that CLAIM returns


# --- reading -----------------------------------------------------------------------------


def _read(batch: list[Work]) -> list[Row]:
    known = Acquaintance()
    for work in batch:
        _open(work)
    known.meet(
        refs=(work.alias for work in batch if work.way == Way.WEBHOOK and work.alias),
        names=(work.alias for work in batch if work.way == Way.MAIL and work.alias),
    )
    known.visit(
        household_ids={work.household_id for work in batch if work.household_id is not None},
        names=(work.alias for work in batch if work.way == Way.MAIL and work.alias),
    )
    for work in batch:
        if work.is_open:
            _place(work, known)
    known.note_domains(
        supplier_ids={work.mandate.supplier_id for work in batch if work.mandate is not None}
    )
    for work in batch:
        if work.is_open and work.household_id is not None:
            _adapt(work, known)
    _returned(batch)
    spoken = [work for work in batch if work.is_open and work.household_id is not None]
    _recognise(spoken, known)
    known.note_assets(
        [
            (work.household_id, hint, _ref(work))
            for work in spoken
            if work.household_id is not None
            for contact in work.contacts
            if (hint := contact.asset or contact.asset_hint)
        ]
    )
    known.note_unwanted(
        (work.household_id, plain_address(contact.sender))
        for work in spoken
        if work.household_id is not None and work.way in (Way.MAIL, Way.TELEPHONY)
        for contact in work.contacts
    )
    rows: list[Row] = []
    for work in spoken:
        rows.extend(_rows(work, known))
    for work in batch:
        if work.is_open:
            work.state = EventState.PROCESSED
    return rows


def _open(work: Work) -> None:
    """Unseal the payload, and find whom it is for."""
    if work.claims > MAX_CLAIMS:
        work.state, work.code = EventState.PARKED, "claimed_too_often"
        work.detail = f"It was claimed {MAX_CLAIMS} times and never finished."
        return
    if work.type in checks.TYPES:
        work.state = EventState.PROCESSED  # the owner's own test says nothing
        return
    if work.payload is None:
        work.reject("purged", "", "The retention passed before it was read.")
        return
    try:
        body = sealing.unseal(
            work.payload, table="suppliers_inboundevent", key=str(work.uuid), field="payload"
        )
    except sealing.UnsealError as error:
        _fail(work, error)
        return
    work.payload = None
    work.content = body
    if work.way == Way.MAIL:
        work.alias = str(work.routing.get("recipient", "")).partition("@")[0].lower()
    elif work.way == Way.WEBHOOK:
        work.content = envelopes.restored(body, work.routing)
        data = work.content.get("data")
        owner_ref = data.get("owner") if isinstance(data, dict) else None
        work.alias = owner_ref if isinstance(owner_ref, str) else ""


def _place(work: Work, known: Acquaintance) -> None:
    """Find the household, and the mandate where the address names one."""
    if work.way == Way.WEBHOOK:
        _place_webhook(work, known)
    elif work.way == Way.MAIL:
        mandate = known.by_alias.get(work.alias)
        if mandate is not None:
            work.mandate, work.household_id = mandate, mandate.household_id
        elif work.household_id is None:
            work.household_id = known.by_intake.get(work.alias)
            if work.household_id is None:
                work.reject("unknown_recipient", "", "Nobody here has this address.")


def _place_webhook(work: Work, known: Acquaintance) -> None:
    if work.type.startswith("supplier."):
        if work.type == "supplier.contact_updated" and work.supplier_id is not None:
            _read_published(work, work.supplier_id)
        return  # what a supplier says of itself is for no household
    if not work.alias:
        data = work.content.get("data")
        if isinstance(data, dict) and data.get("owner") is not None:
            work.reject("invalid_field", "/data/owner", "Must be the owner_ref of a mandate.")
        else:
            work.reject("missing_field", "/data/owner", "This field is required.")
        return
    mandate = known.by_ref.get(work.alias)
    # Another supplier's owner_ref is as unknown as none: nothing can be probed.
    if mandate is None or mandate.supplier_id != work.supplier_id:
        work.reject("unknown_owner", "/data/owner", "You have no mandate with this owner_ref.")
        return
    work.mandate, work.household_id = mandate, mandate.household_id
    if work.type in terms.ANSWERS:
        _read_answer(work, mandate.id)


def _read_answer(work: Work, mandate_id: int) -> None:
    """Read what a supplier says to the owner's terms; yes to another text is no yes."""
    data = work.content.get("data")
    work.answer = terms.read(type=work.type, data=data, mandate_id=mandate_id)
    if work.answer is not None and work.answer.verdict:
        # It stays something said, which the owner reads; only it is no agreement.
        work.code, work.pointer = work.answer.verdict, work.answer.pointer
        work.detail = work.answer.detail


def _read_published(work: Work, supplier_id: int) -> None:
    try:
        work.profile = published.read(work.content.get("data", {}), supplier_id=supplier_id)
    except published.PublishedError as error:
        work.reject(error.code, error.pointer, error.detail)


def _adapt(work: Work, known: Acquaintance) -> None:
    try:
        context = _context(work, known)
        work.contacts = adapters.read(work.way, work.content, context=context)
    except ContentError as error:
        work.reject(error.code, error.pointer, error.detail)
    except Exception as error:  # noqa: BLE001 - one bad row must not stop the others
        _fail(work, error)
    if work.way == Way.WEBHOOK and work.type in STATING and work.content is not None:
        work.stated = work.content.get("data") or {}
    work.content = None


def _fail(work: Work, error: Exception) -> None:
    """Leave the row to its lease; after eight claims it is parked for the operator."""
    work.is_failed = True
    log.error(
        "inbox_row_failed",
        inbound=str(work.uuid),
        way=work.way,
        claims=work.claims,
        exc_info=error,
    )


def _context(work: Work, known: Acquaintance) -> Context:
    household_id = work.household_id or 0
    home = known.homes.get(household_id, Home(household_id, "UTC", "", ""))
    if work.way in {Way.WEBHOOK, Way.OWNER}:
        authentication = Authentication.PASS
    else:
        authentication = Authentication(work.routing.get("authentication") or "none")
    supplier_id = work.mandate.supplier_id if work.mandate else None
    return Context(
        received_at=work.received_at,
        zone=home.zone,
        country=home.country,
        currency=home.currency,
        authentication=authentication,
        recipient=str(work.routing.get("recipient", "")),
        day_first=home.is_day_first,
        supplier_domains=known.domains_of(supplier_id, household_id),
        proof=work.routing.get("proof"),
        caller=work.routing.get("caller"),
        is_greeted=bool(work.routing.get("greeted")),
        return_path=work.routing.get("return_path"),
    )


# --- mail about our own letters ----------------------------------------------------------


def _returned(batch: list[Work]) -> None:
    """Take what came back of our letters out of what was said, and thread what answers one."""
    mails = [work for work in batch if work.is_open and work.way == Way.MAIL and work.contacts]
    named = {work.id: found for work in mails if (found := letters.named_in(work.contacts))}
    if not named:
        return
    letters_by_name = letters.known({name for names in named.values() for name in names})
    for work in mails:
        mine = {
            name: letter
            for name in named.get(work.id, ())
            if (letter := letters_by_name.get(name)) is not None
            and letter.household_id == work.household_id
        }
        report = work.contacts[0].report
        if report is not None and report.letter in mine:
            work.report, work.contacts = report, []
        elif mine:
            work.contacts = [letters.threaded(contact, mine) for contact in work.contacts]


# --- who said it -------------------------------------------------------------------------


def _recognise(batch: list[Work], known: Acquaintance) -> None:
    """Find the supplier of what came to the household's own address, number or log."""
    strangers = [
        work
        for work in batch
        if work.way != Way.PASS and (work.mandate is None or _is_of_another(work, known))
    ]
    if not strangers:
        return
    senders = [
        contact.sender
        for work in strangers
        for contact in work.contacts
        if not (contact.caller and contact.caller.is_name)  # a name is nobody's number
    ]
    hosts = {host for sender in senders if (host := sender_domain(sender))}
    known.note_numbers(sender for sender in senders if sender and "@" not in sender)
    if hosts:
        known.note_domains(supplier_ids=(), hosts=hosts)
    known.note_suppliers(
        named for work in strangers if (named := _named_supplier(work)) is not None
    )
    pairs: dict[int, tuple[int, list[int]]] = {}
    for work in strangers:
        candidates = _candidates(work, known)
        if work.household_id is not None and candidates:
            pairs[work.id] = (work.household_id, candidates)
    known.pair((home, supplier) for home, found in pairs.values() for supplier in found)
    for work in strangers:
        if work.id not in pairs:
            continue
        home, suppliers = pairs[work.id]
        found = known.first_mandate(home, suppliers)
        if found and (work.mandate is None or found.state != MandateState.ENDED):
            work.mandate = found
        if work.way == Way.OWNER:
            work.supplier_id = suppliers[0]
    met = {work.mandate.supplier_id for work in strangers if work.mandate is not None}
    known.note_domains(supplier_ids=met)


def _is_of_another(work: Work, known: Acquaintance) -> bool:
    """Say whether a proved sender writes to an address that another supplier was given.

    A shop's courier does; where the household has let it in, it speaks for itself.
    """
    if work.way != Way.MAIL or work.mandate is None:
        return False
    domains = known.domains_of(work.mandate.supplier_id, work.household_id or 0)
    return bool(domains) and any(
        contact.authentication == Authentication.PASS
        and not belongs(sender_domain(contact.sender), domains)
        for contact in work.contacts
    )


def _named_supplier(work: Work) -> uuid.UUID | None:
    """Return the supplier an owner named in her log, noted at the entrance."""
    named = work.routing.get("supplier") if work.way == Way.OWNER else None
    try:
        return uuid.UUID(str(named)) if named else None
    except ValueError:
        return None


def _candidates(work: Work, known: Acquaintance) -> list[int]:
    home = work.household_id or 0
    named = _named_supplier(work)
    if work.way == Way.OWNER:
        return [known.supplier_ids[named]] if named in known.supplier_ids else []
    found: list[int] = []
    for contact in work.contacts:
        host = sender_domain(contact.sender)
        found += known.writers(host, home) if host else known.callers(contact.sender, home)
    return list(dict.fromkeys(found))


def _rows(work: Work, known: Acquaintance) -> Iterable[Row]:
    home = work.household_id
    if home is None:
        return
    mandate = work.mandate
    supplier_id = mandate.supplier_id if mandate else work.supplier_id
    for number, contact in enumerate(work.contacts):
        asset_id, placed = _with_asset(contact, home, known, owner_ref=_ref(work))
        admission = admit(
            placed,
            way=work.way,
            mandate=mandate,
            asset_id=asset_id,
            domains=known.domains_of(supplier_id, home),
            is_unwanted=(home, plain_address(placed.sender)) in known.unwanted,
        )
        if placed.caller is not None and is_recognised(placed.caller, mandate=mandate):
            placed = placed.with_(caller=replace(placed.caller, is_recognised=True))
        is_named = admission.suspicion not in NOBODYS
        suffix = f"#{number}" if number else ""
        yield Row(
            uuid=contact_uuid(
                supplier_id=work.supplier_id if work.way == Way.WEBHOOK else None,
                household_id=home,
                source=work.source,
                event_id=work.event_id + suffix,
                identity=contact.identity,
            ),
            work=work,
            contact=placed,
            household_id=home,
            supplier_id=supplier_id if is_named else None,
            mandate_id=mandate.id if mandate and is_named else None,
            asset_id=asset_id,
            admission=admission,
        )


def _ref(work: Work) -> str:
    return work.mandate.owner_ref if work.mandate is not None else ""


def _with_asset(
    contact: Contact, home: int, known: Acquaintance, *, owner_ref: str
) -> tuple[int | None, Contact]:
    hint = contact.asset or contact.asset_hint
    if not hint:
        return None, contact
    found = known.asset(home, hint, owner_ref=owner_ref)
    if found is None:
        return None, contact.with_(asset="", asset_hint=hint)
    return found[0], contact.with_(asset=found[1], asset_hint="")


# --- writing -----------------------------------------------------------------------------


def _write(batch: list[Work], rows: list[Row], *, now: datetime) -> set[int]:
    """Store contacts and states in one transaction; return the households concerned."""
    done = [work for work in batch if work.state]
    with transaction.atomic():
        with bulk.pipelined():
            new, completed = _joined(rows)
            if new:
                bulk.write(STORE, [bulk.dumps(map(_columns, new))])
            if completed:
                bulk.write(COMPLETE, [bulk.dumps(map(_completion, completed))])
            if done:
                bulk.write(FINISH, [bulk.dumps(map(_state, done))])
        for work in done:
            if work.profile is not None and work.supplier_id is not None:
                published.apply(work.profile, supplier_id=work.supplier_id)
            if work.answer is not None and work.mandate is not None:
                terms.keep(work.answer, mandate_id=work.mandate.id, said_in=work.uuid, now=now)
            if work.report is not None and work.household_id is not None:
                outbox.came_back(report=work.report, household_id=work.household_id)
        reports = _reports(new)
        servicing.take(reports, now=now)
        recalling.take(reports, now=now)
        claiming.take(reports, now=now)
        proposing.take(_statements(new), now=now)
        announcing.hear(_replies(new), now=now)
        faulty = [work for work in done if work.is_faulty and work.supplier_id]
        outbox.report_rejected(faulty, now=now)
    return {row.household_id for row in (*new, *completed)}


def _reports(rows: list[Row]) -> list[servicing.Report]:
    """Return what signed events with a mandate state of things and claims of ours."""
    return [
        servicing.Report(
            contact=row.uuid,
            type=row.contact.type,
            household_id=row.household_id,
            asset_id=row.asset_id,
            supplier_id=row.supplier_id,
            said_at=row.contact.said_at,
            data=row.work.stated,
        )
        for row in rows
        if row.contact.type in STATING
        and row.work.way == Way.WEBHOOK
        and row.supplier_id is not None
        and not row.admission.refusal
        and not row.admission.suspicion
    ]


def _replies(rows: list[Row]) -> list[announcing.Reply]:
    """Return what suppliers said that may answer what the household told them."""
    return [
        announcing.Reply(contact=row.uuid, mandate_id=row.mandate_id, said=row.contact)
        for row in rows
        if row.mandate_id is not None
        and row.contact.direction == Direction.IN
        and not row.admission.suspicion
    ]


def _statements(rows: list[Row]) -> list[proposing.Statement]:
    """Return what was said of orders and bills by whom the household may come to hear."""
    return [
        proposing.Statement(
            uuid=row.uuid,
            household_id=row.household_id,
            supplier_id=row.supplier_id,
            said=row.contact,
            is_doubtful=bool(row.admission.suspicion),
        )
        for row in rows
        if not row.admission.refusal and proposing.speaks(row.contact)
    ]


def _joined(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Join the callbacks of one call; return what is new and what completes a stored row."""
    merged: dict[uuid.UUID, Row] = {}
    for row in rows:
        first = merged.get(row.uuid)
        if first is None:
            merged[row.uuid] = row
        elif row.contact.identity:
            first.contact = first.contact.completed_by(row.contact)
    calls = [row.uuid for row in merged.values() if row.contact.identity]
    if not calls:
        return list(merged.values()), []
    stored = {key: (said, decided) for key, said, decided in bulk.read(KNOWN, [calls])}
    new, completed = [], []
    for row in merged.values():
        if row.uuid not in stored:
            new.append(row)
            continue
        said, is_decided = stored[row.uuid]
        before = Contact.from_json(json.loads(said))
        together = before.completed_by(row.contact)
        if together == before:
            continue
        if is_decided:
            # The rules have spoken on the first part; this is a further contact of the call.
            row.uuid = uuid.uuid5(row.uuid, f"{row.work.source}|{row.work.event_id}")
            new.append(row)
        else:
            row.contact = together
            completed.append(row)
    return new, completed


def _columns(row: Row) -> dict[str, Any]:
    work, contact, admission = row.work, row.contact, row.admission
    return {
        "uuid": row.uuid,
        "household_id": row.household_id,
        "supplier_id": row.supplier_id,
        "mandate_id": row.mandate_id,
        "inbound_id": work.id,
        "asset_id": row.asset_id,
        "owner_id": work.routing.get("owner") if work.way == Way.OWNER else None,
        "kind": contact.kind,
        "medium": contact.medium,
        "direction": contact.direction,
        "trust": admission.trust,
        "said_at": contact.said_at,
        "received_at": work.received_at,
        "not_before": row.not_before,
        "said": contact.to_json(),
        "suspicion": admission.suspicion,
        "refusal": admission.refusal,
    }


def _completion(row: Row) -> dict[str, Any]:
    return {
        "uuid": row.uuid,
        "said": row.contact.to_json(),
        "kind": row.contact.kind.value,
        "medium": row.contact.medium.value,
        "said_at": row.contact.said_at,
        "not_before": row.not_before,
    }


def _state(work: Work) -> dict[str, Any]:
    return {
        "id": work.id,
        "state": str(work.state),
        "code": work.code,
        "pointer": work.pointer,
        "detail": work.detail,
        "household_id": work.household_id,
    }
