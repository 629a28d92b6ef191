"""Reads the supplier contract's events: a CloudEvent in, one contact out.

The payload is the event in structured form: `type`, `time` (or `timestamp`) and `data`;
the entrance has put the binary and bare forms into it. `TYPES` is the contract: for
each type the required fields with their readers, and what the contact then says.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from suppliers.adapters import contained, fields, goods, text
from suppliers.adapters.context import Context
from suppliers.adapters.fields import missing, wrong
from suppliers.choices import CallStatus, ContactKind, Direction, Medium, Purpose, Stage
from suppliers.contacts import (
    AskClaim,
    Call,
    Contact,
    FactClaim,
    Key,
    Money,
    PromiseClaim,
    SurveyClaim,
    Visit,
    Window,
)

Data = dict[str, Any]
Reader = Callable[[Any, str], Any]
Builder = Callable[[Contact, Data, Context], Contact]

AHEAD = timedelta(hours=1)  # a sender's clock may be this far ahead of ours
AT = "/data"
ASSET_FIELDS = (
    "ref", "serial", "vin", "imei", "gtin", "policyNumber", "meterPoint", "digitalLink",
)  # fmt: skip
SCHEMES = frozenset(
    {"order", "ticket", "contract", "tracking", "payment", "claim", "invoice", "quote", "thread"}
)
MEDIA = {medium.value: medium for medium in Medium}
PURPOSES = {purpose.value: purpose for purpose in Purpose}
DIRECTIONS = fields.one_of("in", "out")
IMPORTANCES = fields.one_of("safety", "action", "info", "marketing")
BILLING = ("invoice.", "payment.", "contract.")

# How each required field is read. A field means the same in every type.
READERS: Mapping[str, Reader] = {
    "uid": fields.name,
    "sequence": fields.integer,
    "dtstamp": fields.instant,
    "start": fields.instant,
    "end": fields.instant,
    "at": fields.instant,
    "zone": fields.zone,
    "startedAt": fields.instant,
    "durationSeconds": fields.integer,
    "holdUntil": fields.instant,
    "slots": fields.items,
    "items": fields.items,
    "lines": fields.items,
    "total": fields.money,
    "expectedFrom": fields.instant,
    "expectedUntil": fields.instant,
    "validFrom": fields.day_or_instant,
    "validUntil": fields.day_or_instant,
    "dueDate": fields.day_or_instant,
    "dueAt": fields.instant,
    "performedAt": fields.instant,
    "workDone": fields.words,
    "status": fields.name,
    "body": fields.text,
    "what": fields.said,
    "coverage": fields.said,
    "product": fields.said,
    "hazard": fields.said,
    "consumerAction": fields.said,
    "confidence": fields.said,
    "quantity": fields.said,
    "unit": fields.said,
    "value": fields.measure,
    "quality": fields.said,
    "remedies": fields.entries,
    "document": fields.object_,
    "agreementUri": fields.name,
    "version": fields.name,
    "sha256": fields.said,
}
NAMED = frozenset(
    {
        "ticketId", "requestId", "surveyId", "orderNumber", "trackingNumber", "quoteId",
        "invoiceNumber", "paymentId", "promiseId", "agreementId", "claimId", "serviceId",
        "recallNumber",
    }
)  # fmt: skip


def read(payload: bytes | Data, *, context: Context) -> list[Contact]:
    """Return the one contact that an event makes; an unknown type is a plain message.

    Raises ContentError with a JSON pointer when the contract is not kept.
    """
    event = payload if isinstance(payload, dict) else json.loads(payload)
    kind, data = event.get("type") or "", event.get("data")
    if not isinstance(data, dict):
        raise wrong(AT, "Must be an object.") if data is not None else missing(AT)
    contact = _common(kind, data, said_at=_said_at(event, context), context=context)
    entry = TYPES.get(kind)
    if entry is not None:
        _required, build = entry
        for field, pointer, reader in REQUIRED[kind]:
            value = data.get(field)
            if value is None:
                raise missing(pointer)
            reader(value, pointer)
        contact = build(contact, data, context)
    if data.get("actions") is not None:
        contact = _with_deadline(contact, data["actions"])
    if data.get("importance") == "marketing":
        contact = contact.with_(kind=ContactKind.ADVERT, purpose=Purpose.MARKETING)
    return [contact]


def _said_at(event: Data, context: Context) -> datetime:
    for field in ("time", "timestamp"):
        if event.get(field) is not None:
            said_at = fields.instant(event[field], f"/{field}")
            return said_at if said_at <= context.received_at + AHEAD else context.received_at
    return context.received_at


def _anything(value: Any, pointer: str) -> Any:
    """Accept what has no shape of its own; empty strings say nothing."""
    if value == "":
        raise wrong(pointer, "Must not be empty.")
    return value


def _maybe(data: Data, field: str, reader: Reader = fields.text) -> Any:
    value = data.get(field)
    return None if value is None else reader(value, f"{AT}/{field}")


# --- the common part ---------------------------------------------------------------------


def _common(kind: str, data: Data, *, said_at: datetime, context: Context) -> Contact:
    if not kind.startswith("supplier.") and data.get("owner") is None:
        raise missing(f"{AT}/owner")
    links = _links(data)
    entity, revision = _entity(data)
    title = _maybe(data, "title") or ""
    return Contact.saying(
        kind=ContactKind.MESSAGE,
        type=kind,
        medium=_maybe(data, "medium", _medium) or Medium.NONE,
        direction=Direction(_maybe(data, "direction", DIRECTIONS) or "in"),
        said_at=said_at,
        authentication=context.authentication,
        purpose=_purpose(kind, data),
        title=title[:200] or _spoken(kind),
        summary=(_maybe(data, "summary") or "")[:1000],
        language=(_maybe(data, "language") or "")[:12],
        asset_hint=_asset(data),
        keys=_keys(data, entity),
        entity=entity,
        revision=revision,
        asks=_asks(data),
        is_safety=_maybe(data, "importance", IMPORTANCES) == "safety",
        is_counted=not kind.startswith("supplier."),
        expires_at=_maybe(data, "expiresAt", fields.instant),
        link_domains=fields.hosts(links),
    )


def _medium(value: Any, pointer: str) -> Medium:
    return Medium(fields.one_of(*MEDIA)(value, pointer))


def _spoken(kind: str) -> str:
    """Return a type as words: `ticket.information_required` -> "Ticket information required"."""
    return kind.replace(".", " ").replace("_", " ").strip().capitalize()[:200]


def _purpose(kind: str, data: Data) -> Purpose | None:
    if kind.startswith("recall."):
        return None
    if data.get("purpose") is not None:
        return PURPOSES[fields.one_of(*PURPOSES)(data["purpose"], f"{AT}/purpose")]
    if kind.startswith("survey."):
        return Purpose.FEEDBACK
    return Purpose.BILLING if kind.startswith(BILLING) else Purpose.SERVICE


def _asset(data: Data) -> str:
    asset = data.get("asset")
    if asset is None:
        return ""
    if not isinstance(asset, dict):
        raise wrong(f"{AT}/asset", "Must be an object with ref, serial, vin, imei or another id.")
    for field in ASSET_FIELDS:
        if asset.get(field) is not None:
            return fields.text(asset[field], f"{AT}/asset/{field}")[:255]
    return ""


def _entity(data: Data) -> tuple[str, int | None]:
    entity = data.get("entity")
    if entity is None:
        return "", None
    if not isinstance(entity, dict):
        raise wrong(f"{AT}/entity", "Must be an object with id and revision.")
    if entity.get("id") is None:
        raise missing(f"{AT}/entity/id")
    name = fields.name(entity["id"], f"{AT}/entity/id")
    revision = entity.get("revision")
    return name, None if revision is None else fields.integer(revision, f"{AT}/entity/revision")


def _keys(data: Data, entity: str) -> tuple[Key, ...]:
    keys: list[Key] = [Key(scheme="entity", value=entity)] if entity else []
    refs = data.get("refs")
    if refs is not None and not isinstance(refs, list):
        raise wrong(f"{AT}/refs", "Must be a list of objects with scheme and value.")
    for index, ref in enumerate(refs or []):
        pointer = f"{AT}/refs/{index}"
        if not isinstance(ref, dict):
            raise wrong(pointer, "Must be an object with scheme and value.")
        for field in ("scheme", "value"):
            if ref.get(field) is None:
                raise missing(f"{pointer}/{field}")
        scheme = fields.name(ref["scheme"], f"{pointer}/scheme")
        if scheme in SCHEMES:  # others are taken in and mean nothing to us
            keys.append(Key(scheme=scheme, value=fields.name(ref["value"], f"{pointer}/value")))
    return tuple(dict.fromkeys(keys))


def _asks(data: Data) -> tuple[AskClaim, ...]:
    asks = data.get("asks")
    if asks is None:
        return ()
    if not isinstance(asks, list):
        raise wrong(f"{AT}/asks", "Must be a list of objects with fact and prompt.")
    found = []
    for index, ask in enumerate(asks):
        pointer = f"{AT}/asks/{index}"
        if not isinstance(ask, dict):
            raise wrong(pointer, "Must be an object with fact and prompt.")
        if ask.get("fact") is None:
            raise missing(f"{pointer}/fact")
        prompt = fields.text(ask.get("prompt") or "", f"{pointer}/prompt")
        found.append(AskClaim(fact=fields.name(ask["fact"], f"{pointer}/fact"), prompt=prompt))
    return tuple(found)


def _with_deadline(contact: Contact, actions: Any) -> Contact:
    """Note the nearest deadline of the allowed answers, where nothing else names one."""
    pointer = f"{AT}/actions"
    if not isinstance(actions, list):
        raise wrong(pointer, "Must be a list of objects with action.")
    ends = []
    for index, action in enumerate(actions):
        if not isinstance(action, dict):
            raise wrong(f"{pointer}/{index}", "Must be an object with action.")
        if action.get("action") is None:
            raise missing(f"{pointer}/{index}/action")
        fields.name(action["action"], f"{pointer}/{index}/action")
        if action.get("until") is not None:
            ends.append(fields.instant(action["until"], f"{pointer}/{index}/until"))
    if not ends or any(fact.name == "answer_by" for fact in contact.facts):
        return contact
    nearest = FactClaim(name="answer_by", value=min(ends).isoformat())
    return contact.with_(facts=(*contact.facts, nearest))


def _links(data: Data) -> list[str]:
    found = []
    for field in ("links", "attachments", "manifest"):
        entries = data.get(field)
        if entries is None:
            continue
        if not isinstance(entries, list):
            raise wrong(f"{AT}/{field}", "Must be a list of objects with url.")
        for index, entry in enumerate(entries):
            if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
                raise wrong(f"{AT}/{field}/{index}", "Must be an object with url.")
            found.append(entry["url"])
    return found


def _with_key(contact: Contact, scheme: str, value: Any) -> Contact:
    if value is None:
        return contact
    key = Key(scheme=scheme, value=str(value)[:255])
    return contact if key in contact.keys else contact.with_(keys=(*contact.keys, key))


def _money(data: Data, field: str, context: Context) -> Money | None:
    found: Money | None = _maybe(data, field, fields.money)
    if found is None or found.currency:
        return found
    return Money(amount=found.amount, currency=context.currency)


# --- what each family says ---------------------------------------------------------------


def _message(contact: Contact, data: Data, context: Context) -> Contact:
    body = fields.text(data["body"], f"{AT}/body")
    if _maybe(data, "bodyFormat", fields.one_of("text", "html")) == "html":
        body = contained.visible(body)
    if contact.type == "message.withdrawn":
        return contact.with_(body=body, kind=ContactKind.PROGRESS)
    title = contact.title if data.get("title") else (contact.summary or text.first_line(body))
    return text.understood(
        contact.with_(body=body, title=title[:200]),
        text.read(body, subject=contact.title, said_at=contact.said_at, context=context),
        message_id=contact.entity,
    )


def _call(contact: Contact, data: Data, context: Context) -> Contact:
    pointer = f"{AT}/status"
    status = CallStatus(
        fields.one_of(*[item.value for item in CallStatus])(data["status"], pointer)
    )
    seconds = fields.integer(data["durationSeconds"], f"{AT}/durationSeconds")
    transcript = _maybe(data, "transcript") or ""
    is_voicemail = status == CallStatus.VOICEMAIL
    contact = contact.with_(
        kind=ContactKind.VOICEMAIL if is_voicemail else ContactKind.CALL,
        medium=Medium.VOICEMAIL if is_voicemail else Medium.CALL,
        said_at=fields.instant(data["startedAt"], f"{AT}/startedAt"),
        call=Call(
            status=status,
            duration_s=seconds,
            transcript=transcript,
            transfers=1 if data.get("transferredTo") else 0,
        ),
        is_reaching_out=contact.direction == Direction.IN and status != CallStatus.ANSWERED,
        body=transcript,
    )
    if not transcript:
        return contact
    said = text.read(
        transcript,
        said_at=contact.said_at,
        context=context,
        is_spoken=True,
        is_voicemail=contact.is_reaching_out,
    )
    return text.understood(contact, said)


def _ticket(contact: Contact, data: Data, context: Context) -> Contact:
    contact = _with_key(contact, "ticket", data["ticketId"])
    contact = contact.with_(status=str(data["status"])[:60])
    if contact.type == "ticket.information_required" and not contact.asks:
        prompt = contact.summary or contact.title
        contact = contact.with_(asks=(AskClaim(fact="information", prompt=prompt),))
    if contact.type in {"ticket.resolved", "ticket.closed"}:
        return contact.with_(kind=ContactKind.PROGRESS, is_counted=False, is_resolution=True)
    return contact


def _slots(contact: Contact, data: Data, context: Context) -> Contact:
    facts = []
    for index, slot in enumerate(data["slots"]):
        pointer = f"{AT}/slots/{index}"
        if slot.get("slotId") is None:
            raise missing(f"{pointer}/slotId")
        name = fields.name(slot["slotId"], f"{pointer}/slotId")
        span = fields.window(slot, pointer)
        value = f"{span.start.isoformat()}/{span.end.isoformat()}"
        facts.append(FactClaim(name=f"slot.{name}", value=value, label=name))
    hold = fields.instant(data["holdUntil"], f"{AT}/holdUntil")
    facts.append(FactClaim(name="answer_by", value=hold.isoformat()))
    asks = contact.asks or (AskClaim(fact="slot", prompt=contact.summary),)
    return _with_key(contact, "entity", data["requestId"]).with_(
        kind=ContactKind.VISIT_CHANGE,
        visit=Visit(stage=Stage.ASKED),
        facts=tuple(facts),
        asks=asks,
        expires_at=contact.expires_at or hold,
    )


VISIT_STAGES = {
    "requested": Stage.BOOKED,
    "updated": Stage.BOOKED,
    "confirmed": Stage.CONFIRMED,
    "counter_declined": Stage.BOOKED,
    "cancelled": Stage.CANCELLED,
    "reminder": Stage.BOOKED,
    "en_route": Stage.ON_THE_WAY,
    "started": Stage.STARTED,
    "completed": Stage.DONE,
    "no_show": Stage.MISSED,
}


def _visit(contact: Contact, data: Data, context: Context) -> Contact:
    step = contact.type.partition(".")[2]
    span: Window | None = None
    if data.get("start") is not None or data.get("end") is not None:
        span = fields.window(data, AT)
    kinds = fields.one_of("visit", "delivery", "call", "drop_off")
    visit = Visit(
        window=span,
        stage=VISIT_STAGES[step],
        uid=data["uid"],
        recurrence_id=_maybe(data, "recurrenceId") or "",
        sequence=_maybe(data, "sequence", fields.integer),
        dtstamp=_maybe(data, "dtstamp", fields.instant),
        zone=_maybe(data, "zone", fields.zone) or "",
        kind=_maybe(data, "kind", kinds) or "visit",
        place=_place(data),
        person=_person(data),
        at=_maybe(data, "at", fields.instant),
        is_reminder=step == "reminder",
    )
    contact = _with_key(contact, "uid", data["uid"])
    is_progress = step in {"en_route", "started", "completed", "no_show"}
    return contact.with_(
        kind=ContactKind.VISIT_PROGRESS if is_progress else ContactKind.VISIT_CHANGE,
        visit=visit,
        is_counted=not is_progress,
        status=(_maybe(data, "outcome") or contact.status)[:60],
        is_arriving=step == "en_route",
        eta=_eta(data) if step == "en_route" else None,
    )


def _eta(data: Data) -> Window:
    eta = data["eta"]
    if not isinstance(eta, dict):
        raise wrong(f"{AT}/eta", "Must be an object with start and end.")
    return fields.window(eta, f"{AT}/eta")


def _place(data: Data) -> str:
    place = data.get("place")
    if isinstance(place, dict):  # a schema.org-like place
        return ", ".join(str(value) for value in place.values() if isinstance(value, str))[:300]
    return (_maybe(data, "place") or "")[:300]


def _person(data: Data) -> str:
    for field in ("person", "technician"):
        found = data.get(field)
        if isinstance(found, dict):
            found = found.get("name")
        if isinstance(found, str):
            return found.strip()[:120]
    return ""


def _survey(contact: Contact, data: Data, context: Context) -> Contact:
    url = _maybe(data, "url") or ""
    questions = data.get("questions")
    if contact.type == "survey.closed":
        kind = ContactKind.SURVEY_CLOSED
    else:
        kind = ContactKind.SURVEY_REQUEST
        if questions is None and not url:
            raise missing(f"{AT}/questions")
    if questions is not None:
        fields.items(questions, f"{AT}/questions")
        for index, question in enumerate(questions):
            for field in ("linkId", "text", "type"):
                if question.get(field) is None:
                    raise missing(f"{AT}/questions/{index}/{field}")
    survey = SurveyClaim(
        survey_id=data["surveyId"],
        about=_maybe(data, "about") or "",
        url=url,
        questions=tuple(questions or ()),
        closes_at=_maybe(data, "closesAt", fields.instant),
    )
    return contact.with_(
        kind=kind,
        survey=survey,
        link_domains=tuple(dict.fromkeys((*contact.link_domains, *fields.hosts([url])))),
    )


def _order(contact: Contact, data: Data, context: Context) -> Contact:
    facts = []
    entries = _maybe(data, "items", fields.items) or []
    for index, item in enumerate(entries):
        if item.get("name") is None:
            raise missing(f"{AT}/items/{index}/name")
    total = _money(data, "total", context)
    if total is None and len(entries) == 1 and entries[0].get("price") is not None:
        total = fields.money(entries[0]["price"], f"{AT}/items/0/price")
    if total is not None:
        # The price of the one thing ordered is what the work costs, whoever names it.
        name = "fee" if len(entries) <= 1 else "total"
        label = str(entries[0]["name"])[:120] if len(entries) == 1 else ""
        facts.append(FactClaim(name=name, money=total, label=label))
    contact = _with_key(contact, "order", data["orderNumber"])
    return contact.with_(
        facts=tuple(facts),
        status=str(data.get("status") or "")[:60],
        goods=goods.of_items(entries),
    )


def _delivery(contact: Contact, data: Data, context: Context) -> Contact:
    step = contact.type.partition(".")[2]
    tracking = _maybe(data, "trackingNumber", fields.name)
    order = _maybe(data, "orderNumber", fields.name)
    number = tracking or order
    if number is None:
        raise missing(f"{AT}/trackingNumber")
    contact = _with_key(_with_key(contact, "tracking", tracking), "order", order)
    span = None
    if data.get("expectedFrom") is not None or data.get("expectedUntil") is not None:
        span = fields.window(data, AT, "expectedFrom", "expectedUntil")
    stages = {"delivered": Stage.DONE, "failed": Stage.MISSED}
    return contact.with_(
        kind=ContactKind.VISIT_PROGRESS if step in stages else ContactKind.VISIT_CHANGE,
        is_counted=step != "delivered",
        visit=Visit(
            window=span,
            stage=stages.get(step, Stage.BOOKED),
            uid=f"delivery:{number}"[:255],
            zone=_maybe(data, "zone", fields.zone) or "",
            kind="delivery",
            place=_place(data),
            at=_maybe(data, "at", fields.instant) if step in stages else None,
        ),
    )


def _quote(contact: Contact, data: Data, context: Context) -> Contact:
    contact = _with_key(contact, "quote", data["quoteId"])
    if contact.type == "quote.withdrawn":
        return contact.with_(status="withdrawn")
    facts = (
        FactClaim(name="fee", money=_money(data, "total", context), label=contact.title),
        FactClaim(name="valid_until", value=fields.day_or_instant(data["validUntil"], AT)),
    )
    return contact.with_(facts=facts, status="offered")


def _invoice(contact: Contact, data: Data, context: Context) -> Contact:
    contact = _with_key(contact, "invoice", data["invoiceNumber"])
    if contact.type == "invoice.paid":
        return contact.with_(kind=ContactKind.PROGRESS, is_counted=False, status="paid")
    facts = (
        FactClaim(name="amount_due", money=_money(data, "total", context), label=contact.title),
        FactClaim(name="due_on", value=fields.day_or_instant(data["dueDate"], f"{AT}/dueDate")),
    )
    return contact.with_(
        facts=facts,
        status=contact.type.partition(".")[2],
        payment_domains=fields.hosts(_links(data)),
    )


def _payment(contact: Contact, data: Data, context: Context) -> Contact:
    step = contact.type.partition(".")[2]
    contact = _with_key(contact, "payment", data["paymentId"]).with_(status=step)
    if step == "received":
        return contact.with_(kind=ContactKind.PROGRESS, is_counted=False)
    name = "amount_due" if step == "requested" else "refund"
    facts = [FactClaim(name=name, money=_money(data, "total", context), label=contact.title)]
    if data.get("dueDate") is not None:
        due = fields.day_or_instant(data["dueDate"], f"{AT}/dueDate")
        facts.append(FactClaim(name="due_on", value=due))
    return contact.with_(facts=tuple(facts), payment_domains=fields.hosts(_links(data)))


def _promise(contact: Contact, data: Data, context: Context) -> Contact:
    step = contact.type.partition(".")[2]
    return contact.with_(
        promise=PromiseClaim(
            promise_id=data["promiseId"],
            what=(_maybe(data, "what") or "")[:300],
            due_at=_maybe(data, "dueAt", fields.instant),
            state="open" if step == "made" else step,
        ),
        kind=ContactKind.PROGRESS if step == "kept" else ContactKind.MESSAGE,
    )


def _agreement(contact: Contact, data: Data, context: Context) -> Contact:
    facts = []
    for field, name in (("validFrom", "valid_from"), ("validUntil", "valid_until")):
        if data.get(field) is not None:
            value = fields.day_or_instant(data[field], f"{AT}/{field}")
            facts.append(FactClaim(name=name, value=value))
    if isinstance(data.get("coverage"), str):
        facts.append(FactClaim(name="coverage", value=data["coverage"][:300]))
    contact = _with_key(contact, "contract", data["agreementId"])
    facts += _changes(data)
    return contact.with_(facts=tuple(facts), status=contact.type.partition(".")[2])


def _changes(data: Data) -> list[FactClaim]:
    """Return each change as a fact, in words where it has a field, before and after."""
    facts = []
    for index, change in enumerate(_maybe(data, "changes", fields.entries) or []):
        if isinstance(change, dict) and change.get("field") is not None:
            told = [change[side] for side in ("before", "after") if change.get(side) is not None]
            value = f"{change['field']}: {' → '.join(map(str, told))}"
        else:
            value = change if isinstance(change, str) else json.dumps(change, sort_keys=True)
        facts.append(FactClaim(name=f"change.{index + 1}", value=value[:300]))
    return facts


def _claim(contact: Contact, data: Data, context: Context) -> Contact:
    facts = []
    amount = _money(data, "amount", context)
    if amount is not None:
        facts.append(FactClaim(name="claim_amount", money=amount))
    if data.get("nextStep") is not None:
        facts.append(FactClaim(name="next_step", value=_maybe(data, "nextStep")[:300]))
    contact = _with_key(contact, "claim", data["claimId"])
    return contact.with_(facts=tuple(facts), status=str(data["status"])[:60])


def _service(contact: Contact, data: Data, context: Context) -> Contact:
    facts = [
        FactClaim(name="work_done", value="; ".join(str(item) for item in data["workDone"])[:300])
    ]
    if data.get("nextDue") is not None:
        value = fields.day_or_instant(data["nextDue"], f"{AT}/nextDue")
        facts.append(FactClaim(name="next_due", value=value))
    return _with_key(contact, "entity", data["serviceId"]).with_(
        kind=ContactKind.PROGRESS, is_counted=False, facts=tuple(facts)
    )


def _reading(contact: Contact, data: Data, context: Context) -> Contact:
    value = f"{data['value']} {data['unit']}"[:120]
    fact = FactClaim(name=f"reading.{data['quantity']}"[:60], value=value)
    return contact.with_(kind=ContactKind.PROGRESS, facts=(fact,))


def _asset_news(contact: Contact, data: Data, context: Context) -> Contact:
    if contact.type == "asset.document_added":
        document = data["document"]
        for field in ("kind", "url", "sha256"):
            if document.get(field) is None:
                raise missing(f"{AT}/document/{field}")
        return contact.with_(
            facts=(FactClaim(name="document", value=str(document["url"])[:500]),),
            link_domains=fields.hosts([*_links(data), str(document["url"])]),
        )
    facts = _changes(data)
    if data.get("version") is not None:
        version = _maybe(data, "version", fields.name)
        facts.append(FactClaim(name="software_version", value=version[:120]))
    return contact.with_(facts=tuple(facts))


def _recall(contact: Contact, data: Data, context: Context) -> Contact:
    facts = [
        FactClaim(name=name, value=fields.text(data[field], f"{AT}/{field}")[:500])
        for field, name in (
            ("authority", "authority"), ("product", "product"), ("hazard", "hazard"),
            ("consumerAction", "consumer_action"), ("confidence", "match"),
        )
        if isinstance(data.get(field), str | int)
    ]  # fmt: skip
    step = contact.type.partition(".")[2]
    return _with_key(contact, "entity", data["recallNumber"]).with_(
        kind=ContactKind.RECALL,
        purpose=None,
        is_safety=step in {"issued", "updated"},
        facts=tuple(facts),
        status=step,
    )


def _request(contact: Contact, data: Data, context: Context) -> Contact:
    """Terms, consent and data requests: each may ask the owner for one decision."""
    wanted = {"consent.requested": "consent", "terms.alternative_offered": "terms"}
    facts = []
    for field, name in (("agreementUri", "terms_uri"), ("version", "terms_version")):
        if isinstance(data.get(field), str | int):
            facts.append(FactClaim(name=name, value=str(data[field])[:500]))
    asks = contact.asks
    if contact.type in wanted and not asks:
        asks = (AskClaim(fact=wanted[contact.type], prompt=contact.summary or contact.title),)
    ground = _maybe(data, "ground") or ""
    contact = _with_key(contact, "entity", _maybe(data, "requestId", fields.name))
    return contact.with_(
        facts=tuple(facts), asks=asks, summary=contact.summary or ground[:1000], body=ground
    )


def _own(contact: Contact, data: Data, context: Context) -> Contact:
    """What a supplier says about itself: administration."""
    return contact.with_(kind=ContactKind.PROGRESS, is_counted=False)


# --- the contract ------------------------------------------------------------------------


def _family(
    prefix: str, steps: str, required: str, build: Builder
) -> dict[str, tuple[tuple[str, ...], Builder]]:
    return {f"{prefix}.{step}": (tuple(required.split()), build) for step in steps.split()}


# Where a step ends something, only what names the thing is required: there is no new
# delivery window for what was delivered, and no total of a quote that is withdrawn.
TYPES: Mapping[str, tuple[tuple[str, ...], Builder]] = {
    **_family("message", "created updated", "body", _message),
    **_family("message", "withdrawn", "body", _message),
    **_family("call", "logged", "direction status startedAt durationSeconds", _call),
    **_family(
        "ticket", "opened updated information_required resolved closed", "ticketId status", _ticket
    ),
    **_family("appointment", "slots_offered", "requestId slots holdUntil", _slots),
    **_family(
        "appointment", "requested updated", "uid sequence dtstamp start end zone kind", _visit
    ),
    **_family(
        "appointment", "confirmed counter_declined cancelled", "uid sequence dtstamp", _visit
    ),
    **_family("appointment", "reminder started completed no_show", "uid at", _visit),
    **_family("appointment", "en_route", "uid at eta", _visit),
    **_family("survey", "requested reminder closed", "surveyId", _survey),
    **_family("order", "created updated", "orderNumber status items", _order),
    **_family("order", "cancelled", "orderNumber", _order),
    **_family("delivery", "scheduled updated", "expectedFrom expectedUntil", _delivery),
    **_family("delivery", "delivered failed", "", _delivery),
    **_family("quote", "offered", "quoteId lines total validUntil", _quote),
    **_family("quote", "withdrawn", "quoteId", _quote),
    **_family("invoice", "issued due corrected", "invoiceNumber total dueDate", _invoice),
    **_family("invoice", "paid", "invoiceNumber", _invoice),
    **_family("payment", "requested received refunded", "paymentId total", _payment),
    **_family("promise", "made", "promiseId what dueAt", _promise),
    **_family("promise", "kept withdrawn", "promiseId", _promise),
    **_family(
        "contract",
        "started renewal_due changed",
        "agreementId kind validFrom validUntil",
        _agreement,
    ),
    **_family("contract", "ended", "agreementId kind", _agreement),
    **_family("warranty", "registered expiring", "agreementId validUntil coverage", _agreement),
    **_family("warranty", "void", "agreementId", _agreement),
    **_family("claim", "updated", "claimId status", _claim),
    **_family("service", "performed", "serviceId performedAt workDone", _service),
    **_family("reading", "reported", "quantity unit value at quality", _reading),
    **_family("asset", "registered specification_updated software_available", "", _asset_news),
    **_family("asset", "document_added", "document", _asset_news),
    **_family(
        "recall",
        "issued updated",
        "recallNumber product hazard consumerAction remedies confidence",
        _recall,
    ),
    **_family("recall", "withdrawn remedy_done", "recallNumber", _recall),
    **_family(
        "terms", "accepted alternative_offered rejected", "agreementUri version sha256", _request
    ),
    **_family("consent", "requested", "purpose", _request),
    **_family("data_request", "fulfilled refused", "requestId", _request),
    **_family("supplier", "contact_updated ping", "", _own),
}
# The same as it is read: each required field with its pointer and its reader.
REQUIRED: Mapping[str, tuple[tuple[str, str, Reader], ...]] = {
    kind: tuple(
        (
            field,
            f"{AT}/{field}",
            READERS.get(field, fields.name if field in NAMED else _anything),
        )
        for field in required
    )
    for kind, (required, _build) in TYPES.items()
}
