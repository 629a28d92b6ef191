"""No owner sees or changes another household's rows: every address, every verb, as Mallory.

The walk goes over the resolver itself, so a new route is walked the day it is added; one
whose parameters the test does not know how to fill makes it fail.
"""

import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern
from django.utils.regex_helper import normalize
from PIL import Image

from assets import (
    caring,
    claims,
    documents,
    faults,
    holdings,
    metering,
    recalls,
    register,
    shaping,
    sharing,
    stocking,
    templating,
    transfers,
    worth,
)
from assets.choices import DocumentKind, EndReason
from assets.cover_words import Confidence
from assets.importers.words import ImportState, RowState
from assets.models import Asset, Import, ImportRow, Notice, PackageFile, Received, Transfer
from assets.passing_words import SharePart
from assets.recall_matching import Criterion, Published
from notifications import calendar, feed, pass_rules, passes, push_devices
from notifications.choices import FactState, PassWay
from notifications.models import Decision, Fact, Link, Pass
from owners import (
    channels,
    clock,
    deletion,
    exports,
    households,
    invitations,
    restores,
    tokens,
    undo,
)
from owners.choices import ChannelKind, ExportState, Rank, TokenScope
from owners.models import Household, Membership, Owner
from suppliers import agreements, announcing, checks, disclosure, inviting, mandates, proofs, terms
from suppliers.choices import FactName, NewsKind, Outcome, PersonState, StaffRole
from suppliers.models import BlockedSender, ConsentReceipt, OutboundEvent, Supplier, SupplierKey
from suppliers.staff import SupplierPerson
from tests import factories

VERBS = ("get", "head", "options", "post", "put", "patch", "delete")
CANARY = "Zz-Canary"
OURS = ("owners", "assets", "suppliers", "notifications")
# The pages call every id `key`; the part of the address before it says whose.
SEGMENTS = {
    "assets": "asset",
    "blocked": "block",
    "care": "task",
    "channels": "channel",
    "claims": "claim",
    "contracts": "contract",
    "checks": "check",
    "recalls": "recall",
    "contacts": "contact",
    "costs": "cost",
    "covers": "coverage",
    "decisions": "decision",
    "delete": "deletion",
    "exports": "export",
    "faults": "issue",
    "fields": "own_field",
    "issues": "issue",
    "households": "household",
    "imports": "run",
    "invitations": "invitation",
    "keys": "supplier_key",
    "log": "contact",
    "meters": "meter",
    "out": "outbound",
    "parts": "part",
    "people": "person",
    "profile": "proof",
    "repairs": "order",
    "requests": "outbound",
    "secrets": "secret",
    "visits": "planned",
    "work": "record",
    "mine": "held",
    "papers": "document",
    "tokens": "token",
    "values": "valuation",
    "undo": "change",
    "journeys": "journey",
    "mandates": "mandate",
    "proposals": "proposal",
    "receipts": "receipt",
    "shared": "shared",
    "shares": "share",
    "suppliers": "supplier",
    "take-in": "package",
    "take-overs": "take_over",
    "templates": "template",
    "transfers": "transfer",
}
NOBODYS = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """What the parameters of routes are filled with: Ana's objects by the parameter's name."""

    objects: dict[str, str]
    others: dict[str, list[str]]


def picture() -> bytes:
    """Return a small photo."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return out.getvalue()


def letter() -> bytes:
    """Return a mail with a page and a file."""
    made = EmailMessage()
    made["Subject"] = CANARY
    made.set_content(CANARY)
    made.add_alternative(f"<p>{CANARY}</p>", subtype="html")
    made.add_attachment(picture(), maintype="image", subtype="png", filename=f"{CANARY}.png")
    return made.as_bytes()


def world(cast: factories.Cast) -> Ids:
    """Give Ana one of everything, with the canary in every text of it."""
    cast.household.name = f"{CANARY} household"
    cast.household.save()
    cast.dvr.name = f"{CANARY} asset"
    cast.dvr.maker = CANARY
    cast.dvr.save()
    journey = factories.JourneyFactory.create(
        household=cast.household,
        asset=cast.dvr,
        suppliers=[cast.skyline.pk],
        title=f"{CANARY} journey",
    )
    card = factories.CardFactory.create(journey=journey, title=f"{CANARY} card")
    said = {"kind": "message", "medium": "email", "said_at": factories.START.isoformat()}
    contacts = [
        factories.ContactFactory.create(
            household=cast.household,
            supplier=cast.skyline,
            mandate=cast.mandate,
            asset=cast.dvr,
            outcome=outcome,
            said=said | {"body": f"{CANARY} words", "sender": f"{CANARY}@skyline.example"},
        )
        for outcome in (Outcome.SHOWN, Outcome.DOOR)
    ]
    contacts[1].inbound = factories.mail_of(cast.household, letter())
    contacts[1].save()
    Link.objects.create(household=cast.household, contact=contacts[0], journey=journey, rule="key")
    fact = Fact.objects.create(
        household=cast.household,
        journey=journey,
        name="fee",
        value=CANARY,
        state=FactState.CURRENT,
        sources=[contacts[0].uuid],
        said_at=factories.START,
    )
    decision = Decision.objects.create(
        household=cast.household, owner=cast.ana, journey=journey, name="reply", data={}
    )
    planned = factories.AppointmentFactory.create(
        journey=journey, supplier=cast.skyline, place=CANARY, uid=CANARY
    )
    factories.SurveyFactory.create(journey=journey, survey_id=CANARY, contact=contacts[0])
    told = factories.NotificationFactory.create(journey=journey, owner=cast.ana, text=CANARY)
    delivery = factories.DeliveryFactory.create(notification=told)
    unproved = channels.add(
        owner=cast.ana, kind=ChannelKind.SMS, address="+12125550111", now=factories.START
    )
    invited = invitations.invite(
        household=cast.household,
        by=cast.ana,
        address="ben@canary.example",
        rank=Rank.MEMBER,
        now=clock.now(),
    )
    token = tokens.make(owner=cast.ana, name=CANARY, scope=TokenScope.READ, now=factories.START)
    export = exports.ask(owner=cast.ana, now=factories.START)
    export.state, export.expires_at = ExportState.READY, clock.now() + timedelta(days=1)
    export.save()
    brought = restores.keep(
        owner=cast.ana,
        name=f"{CANARY}.zip",
        pieces=[b"PK"],
        plan={"made_at": "", "made_by": CANARY, "households": [], "parts": []},
        now=clock.now(),
    )
    leaving = deletion.ask_account(owner=cast.ana, typed=cast.ana.email, now=clock.now())
    change = undo.remember(
        kind="wishes.changed",
        label=CANARY,
        owner=cast.ana,
        household=cast.household,
        subject=cast.ana.uuid,
        before={**households.wishes_kept(cast.membership)},
        is_removal=True,
        now=clock.now(),
    )
    device = push_devices.add(
        owner=cast.ana, endpoint=f"https://{CANARY}.example/x", keys={}, now=factories.START
    )
    subscription = calendar.subscribe(
        owner=cast.ana, household=cast.household, asset=cast.dvr, now=factories.START
    )
    paper = documents.add(
        household=cast.household,
        asset=cast.dvr,
        owner=cast.ana,
        name=f"{CANARY}.txt",
        content=f"{CANARY} bought for 49.00".encode(),
        now=factories.START,
    )
    documents.add(
        household=cast.household,
        asset=cast.dvr,
        owner=cast.ana,
        name=f"{CANARY}.png",
        content=picture(),
        now=factories.START,
    )
    check = checks.ask(
        owner=cast.ana,
        household=cast.household,
        address=households.intake_address(cast.household),
        now=factories.START,
    )
    held = made_pass(cast.ana, cast.household, journey=journey, asset=cast.dvr)
    read = passes.open_by_token(
        token=token_of(held), way=PassWay.LINK, agent=CANARY, now=clock.now()
    )
    assert read is not None
    opened = SupplierKey.objects.create(supplier=cast.skyline, name="Portal", token_hash=bytes(32))
    disclosure.write_home(cast.household, {"address": f"{CANARY} street"})
    mandates.disclose(
        mandate=cast.mandate,
        fact=FactName.ADDRESS,
        is_on=True,
        owner=cast.ana,
        now=factories.START,
    )
    receipt = ConsentReceipt.objects.get()
    agreement = agreements.ROSTER["service-only"]
    terms.proffer(mandate=cast.mandate, agreement=agreement, owner=cast.ana, now=factories.START)
    works = staff_of(cast.skyline, "dana@skyline.example")
    proof = proofs.claim_domain(supplier=cast.skyline, domain="zz.example", now=factories.START)
    secret = factories.SigningSecretFactory.create(supplier=cast.skyline)
    blocked = BlockedSender.objects.create(
        household=cast.household, address=f"{CANARY}@blocked.example"
    )
    offered = inviting.invite(
        household=cast.household,
        by=cast.ana,
        wishes=inviting.Wishes(name=CANARY, shown_as=CANARY, assets=[cast.dvr]),
        now=clock.now(),
    )
    belongings = belong(cast)
    proposed = factories.proposal_of(contacts[0], name=f"{CANARY} boiler")
    own_template, _change = templating.add(
        household=cast.household, values={"label": CANARY}, owner=cast.ana, now=factories.START
    )
    return Ids(
        objects={
            "run": str(brought_along(cast).uuid),
            **belongings,
            **told_by(cast),
            **cared_for(cast),
            **claimed_for(cast),
            **passed_on(cast),
            "answer": str(OutboundEvent.objects.filter(household=cast.household).latest("pk").uuid),
            "asset": str(cast.dvr.uuid),
            "block": str(blocked.uuid),
            "card": str(card.uuid),
            "channel": str(unproved.uuid),
            "change": str(change.uuid),
            "check": str(check.uuid),
            "deletion": str(leaving.uuid),
            "deletion_id": str(leaving.uuid),
            "export": str(export.uuid),
            "restore": str(brought.uuid),
            "invitation": str(invited.uuid),
            "member": str(cast.ana.uuid),
            "token": str(token.row.uuid),
            "contact": str(contacts[1].uuid),
            "decision": str(decision.uuid),
            "delivery": str(delivery.uuid),
            "document": str(paper.uuid),
            "device": str(device.uuid),
            "fact": str(fact.uuid),
            "feed": str(subscription.uuid),
            "held": str(held.uuid),
            "household": str(cast.household.uuid),
            "visit": str(read.visit.uuid),
            "journey": str(journey.uuid),
            "mandate": str(cast.mandate.uuid),
            "notification": str(told.uuid),
            "outbound": str(
                OutboundEvent.objects.filter(household=cast.household).latest("pk").uuid
            ),
            "person": str(works.uuid),
            "proof": str(proof.uuid),
            "secret": str(secret.uuid),
            "planned": str(planned.uuid),
            "owner_ref": cast.mandate.owner_ref,
            "offer": str(offered.uuid),
            "proposal": str(proposed.uuid),
            "receipt": str(receipt.uuid),
            "supplier": str(cast.skyline.uuid),
            "supplier_key": str(opened.uuid),
            "template": str(own_template.uuid),
        },
        others={
            "app_label": ["owners"],
            "callback": ["sms", "voice"],
            "code": ["skyline", "service-only"],
            "content_type_id": ["1"],
            "family": ["appointment"],
            "form": ["sheet"],
            "key": ["abc"],
            "key36": ["abc"],
            "kind": ["sms", "ocel", "xes", "moved", "sold"],
            "month": ["2026-11"],
            "measure": ["contacts_received"],
            "name": list(dict.fromkeys((*feed.JOURNEY_ACTIONS, *feed.CONTACT_ACTIONS))),
            "number": ["1"],
            "paper": ["pdf"],
            "object_id": ["1"],
            "pk": ["1"],
            "provider": ["none"],
            "scope": ["supplier"],
            "state": ["submitted"],
            "step": ["store"],
            "subject": [str(cast.skyline.uuid)],
            "token": ["abc"],
            "topic": ["money"],
            "uidb36": ["1"],
            "url": ["x"],
            "version": ["1"],
        },
    )


def told_by(cast: factories.Cast) -> dict[str, str]:
    """Let Ana tell her supplier that she has moved."""
    cast.skyline.technical_contact = "ops@skyline.example"
    cast.skyline.save()
    told = announcing.announce(
        household=cast.household,
        news=announcing.News(kind=NewsKind.MOVED, value=f"{CANARY} lane", note=CANARY),
        chosen=[cast.mandate],
        owner=cast.ana,
        now=factories.START,
    )
    return {"announcement": str(told.uuid), "addressee": str(told.addressees.get().uuid)}


def belong(cast: factories.Cast) -> dict[str, str]:
    """Give Ana's asset one of everything that belongs to an asset."""
    asset, now = cast.dvr, factories.START
    cover = holdings.cover(
        asset=asset, values={"kind": "insurance", "obligor": CANARY, "terms": CANARY}, now=now
    )
    spent = {"on": now.date(), "amount": Decimal(49), "currency": "USD", "note": CANARY}
    cost = holdings.spend(asset=asset, values=spent, now=now)
    own = shaping.add_field(
        household=cast.household, values={"name": CANARY, "type": "text", "choices": [], "kind": ""}
    )
    values = {"custom": {str(own.uuid): CANARY}, "place": CANARY, "notes": CANARY}
    register.change(asset=asset, values=values, tags=[CANARY])
    holdings.acquire(asset=asset, values={"seller": CANARY}, now=now)
    return {"coverage": str(cover.uuid), "cost": str(cost.uuid), "own_field": str(own.uuid)}


def cared_for(cast: factories.Cast) -> dict[str, str]:
    """Give Ana's asset one of everything that care is made of."""
    asset, now = cast.dvr, factories.START
    meter = metering.add(asset=asset, values={"name": CANARY, "unit": "h"}, now=now)
    every = {"kind": "calendar", "every": 1, "unit": "year"}
    spec = {"name": CANARY, "note": CANARY, "provider": CANARY, "triggers": [every]}
    task = caring.add(asset=asset, spec=spec, now=now)
    stock = {"name": CANARY, "quantity": Decimal(2), "place": CANARY}
    part = stocking.add(household=cast.household, values=stock, now=now)
    point = {"item": CANARY, "result": "fail", "note": CANARY}
    said = caring.Work(
        note=CANARY, findings=[point], readings={meter: Decimal(5)}, parts={part: Decimal(1)}
    )
    record = caring.log(
        asset=asset, title=CANARY, done_on=now.date(), tasks=[task], said=said, now=now
    )
    found: dict[str, Any] = {"task": task, "meter": meter, "part": part, "record": record}
    return {name: str(row.uuid) for name, row in found.items()} | {
        "issue": str(record.issues.get().uuid)
    }


def claimed_for(cast: factories.Cast) -> dict[str, str]:
    """Give Ana's asset a repair and a claim."""
    asset, now = cast.dvr, factories.START
    wish = {"title": CANARY, "provider": CANARY, "note": CANARY}
    order, _made = faults.order(asset=asset, values=wish, owner=cast.ana, now=now)
    said = {"kind": "insurance", "obligor": CANARY, "number": CANARY, "note": CANARY}
    claim, _claimed = claims.make(asset=asset, values=said, owner=cast.ana, now=now)
    on = {"on": now.date(), "amount": Decimal(5), "currency": "USD", "note": CANARY}
    valuation, _valued = worth.value(asset=asset, values=on, owner=cast.ana, now=now)
    terms = {"kind": "lease", "party": CANARY, "starts_on": now.date(), "note": CANARY}
    contract, _agreed = worth.agree(asset=asset, values=terms, owner=cast.ana, now=now)
    published = Published(
        source="cpsc", number=CANARY, title=CANARY, criteria=(Criterion(brand=asset.maker),)
    )
    told: dict[str, Any] = {
        "by": CANARY,
        "confidence": Confidence.EXACT,
        "contact": uuid4(),
        "now": now,
    }
    recall = recalls.told(asset=asset, published=published, **told)
    rows: dict[str, Any] = {"order": order, "claim": claim, "recall": recall}
    notice = Notice.objects.create(
        household=cast.household, asset=asset, kind="cover", subject=uuid4(), what=CANARY
    )
    rows |= {"valuation": valuation, "contract": contract, "notice": notice}
    return {name: str(row.uuid) for name, row in rows.items()}


def passed_on(cast: factories.Cast) -> dict[str, str]:
    """Let Ana share a thing and offer it, and have one that Mallory sold and shows her."""
    now = clock.now()
    shared = sharing.share(
        asset=cast.dvr, by=cast.ana, address="", parts=list(SharePart), may_tick=True, days=30,
        now=now,
    )  # fmt: skip
    drafted = transfers.draft(asset=cast.dvr, reason=EndReason.SOLD, owner=cast.ana, now=now)
    offered = transfers.offer(transfer=drafted, owner=cast.ana, now=now)
    sold, received = bought_of_mallory(cast)
    lamp = factories.AssetFactory.create(household=cast.mallory_household, name="Lamp")
    manual = documents.add(
        household=cast.mallory_household, asset=lamp, owner=cast.mallory, name="Manual.txt",
        content=b"How to use it", kind=DocumentKind.MANUAL, now=now,
    )  # fmt: skip
    hers = sharing.share(
        asset=lamp, by=cast.mallory, address="", parts=list(SharePart), may_tick=True, days=30,
        now=now,
    )  # fmt: skip
    sharing.take(token=hers.token, owner=cast.ana, now=now)
    looked = PackageFile.objects.create(household=cast.household, owner=cast.ana, sent_at=now)
    notice = Notice.objects.get(household=cast.household, kind="received")
    rows: dict[str, Any] = {"share": shared, "transfer": offered, "take_over": sold}
    rows |= {"shared": hers, "manual": manual, "package": looked, "notice": notice}
    rows["received_asset"] = received.asset
    return {name: str(row.uuid) for name, row in rows.items()}


def bought_of_mallory(cast: factories.Cast) -> tuple[Transfer, Received]:
    """Let Mallory sell Ana a thing with its history; what Ana says of it since is hers."""
    now = clock.now()
    kettle = factories.AssetFactory.create(household=cast.mallory_household, name="Kettle")
    meter = metering.add(asset=kettle, values={"name": "Cups", "unit": ""}, now=now)
    every = {"kind": "calendar", "every": 1, "unit": "year"}
    task = caring.add(asset=kettle, spec={"name": "Descale", "triggers": [every]}, now=now)
    caring.log(
        asset=kettle, title="Descaled", done_on=now.date(), tasks=[task],
        said=caring.Work(readings={meter: Decimal(9)}), now=now,
    )  # fmt: skip
    drafted = transfers.draft(asset=kettle, reason=EndReason.SOLD, owner=cast.mallory, now=now)
    offered = transfers.offer(transfer=drafted, owner=cast.mallory, now=now)
    yes = transfers.accept_here(transfer=offered, owner=cast.ana, household=cast.household, now=now)
    nothing = transfers.Handing(readings={})
    sold = transfers.complete(transfer=yes, owner=cast.mallory, now=now, handing=nothing)
    received = Received.objects.get(household=cast.household)
    register.change(asset=received.asset, values={"name": f"{CANARY} kettle", "notes": CANARY})
    return sold, received


def brought_along(cast: factories.Cast) -> Import:
    """Let Ana bring a file along, with a row that is left out."""
    run = Import.objects.create(
        household=cast.household,
        owner=cast.ana,
        name=f"{CANARY}.csv",
        size=1,
        state=ImportState.READY,
        form="table",
        columns=["Name", CANARY],
        rows_read=1,
        bad=1,
    )
    ImportRow.objects.create(
        household=cast.household,
        of=run,
        number=2,
        values={"Name": CANARY},
        state=RowState.BAD,
        fault="date",
        column="Name",
        said=CANARY,
    )
    return run


def made_pass(owner: Owner, household: Household, **about: Any) -> Pass:
    """Return a new pass that shows all it can."""
    return passes.make(
        owner=owner,
        household=household,
        journey=about.get("journey"),
        asset=about["asset"],
        wishes=passes.Wishes(scope=pass_rules.SCOPES, hours=24),
        now=clock.now(),
    )


def token_of(held: Pass) -> str:
    """Return the secret of a pass's link."""
    return passes.address_of(held).rstrip("/").rpartition("/")[2]


def routes(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every address of the resolver as a template with the names of its parameters."""
    for entry in patterns:
        template = prefix + step(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, template)
        else:
            assert isinstance(entry, URLPattern)
            yield template, tuple(re.findall(r"\{(\w+)\}", template))


def step(pattern: Any) -> str:
    """Return one pattern as a template."""
    if isinstance(pattern, RegexPattern):
        template = normalize(str(pattern.regex.pattern))[0][0]
        return re.sub(r"%\((\w+)\)s", r"{\1}", template)
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern))


def choices(template: str, name: str, ids: Ids) -> list[str]:
    """Return what a parameter is filled with; fail for one nobody has told us about."""
    before = template.partition(f"/{{{name}}}")[0].rpartition("/")[2]
    if template.startswith("/suppliers/invitations/"):
        name = "offer"
    if name == "key" and before in SEGMENTS:
        name = SEGMENTS[before]
    if name in ids.objects:
        return [ids.objects[name]]
    if name not in ids.others:
        pytest.fail(f"Say in test_isolation what {{{name}}} of {template} is filled with.")
    return ids.others[name]


def fillings(template: str, names: tuple[str, ...], ids: Ids) -> Iterator[dict[str, str]]:
    """Yield the values for a route's parameters, in every combination."""
    every = [choices(template, name, ids) for name in names]
    for values in itertools.product(*every):
        yield dict(zip(names, values, strict=True))


def body(ids: Ids) -> dict[str, Any]:
    """Return a body that names Ana's objects in every field we know."""
    return {
        **ids.objects,
        "address": "+12125550122",
        "answer": "works",
        "line": "Boiler in the cellar",
        "assets": [ids.objects["asset"]],
        "code": "000000",
        "digest_at": "07:00",
        "email": "ana@hart.example",
        "keeper": ids.objects["asset"],
        "kind": "sms",
        "moment": "never",
        "name": "Mallory was here",
        "note": "Mallory was here",
        "prefers": "email",
        "purposes": ["marketing"],
        "rank": "admin",
        "score": 1,
        "state": "paused",
        "text": "Mallory was here",
        "topic": "money",
        "until": "2026-12-01T08:00:00Z",
        "value": "Mallory was here",
        "windows": [{"start": "2026-12-01T08:00:00Z", "end": "2026-12-01T12:00:00Z"}],
        "with": ids.objects["journey"],
        "with_": ids.objects["journey"],
    }


def send(client: Client, verb: str, address: str, values: dict[str, Any]) -> HttpResponseBase:
    """Send one request in the form that the address reads."""
    if verb in ("get", "head", "options"):
        return getattr(client, verb)(address)  # type: ignore[no-any-return]
    if address.startswith("/api/") or verb != "post":
        return getattr(client, verb)(address, values, content_type="application/json")  # type: ignore[no-any-return]
    flat = {name: value for name, value in values.items() if isinstance(value, str | int)}
    return client.post(address, flat)


def text_of(response: HttpResponseBase) -> str:
    """Return everything a response says."""
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return content.decode("utf-8", "replace") + repr(dict(response.items()))


def rows_of(cast: factories.Cast) -> dict[str, str]:
    """Return a digest of Ana's rows in every table that names a household or an owner."""
    own = {Owner: cast.ana, Household: cast.household, Supplier: cast.skyline}
    parts, values = [], []
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        columns = {field.column for field in model._meta.concrete_fields}
        wheres = [("id", own[model].pk)] if model in own else []
        wheres += [
            (column, pk)
            for column, pk in (
                ("household_id", cast.household.pk),
                ("owner_id", cast.ana.pk),
                ("supplier_id", cast.skyline.pk),
            )
            if column in columns
        ]
        for column, pk in wheres:
            table = model._meta.db_table
            parts.append(  # names of our own tables only
                f"SELECT '{table}.{column}', md5(string_agg(t::text, '|' ORDER BY t::text))"  # noqa: S608
                f" FROM {table} t WHERE {column} = %s"
            )
            values.append(pk)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return dict(cursor.fetchall())


def once_at_home(owner: Owner, household: Household) -> None:
    """Let somebody be an admin of a household, keep its things, hold all one can; then leave."""
    admin = Membership.objects.create(owner=owner, household=household, rank=Rank.ADMIN)
    kept = household.assets.earliest("pk")
    kept.keeper = owner
    kept.save()
    calendar.subscribe(owner=owner, household=household, asset=None, now=factories.START)
    tokens.make(owner=owner, name="Old", scope=TokenScope.ACT, now=factories.START)
    exports.ask(owner=owner, now=factories.START)
    Decision.objects.create(household=household, owner=owner, name="reply", data={})
    by = household.memberships.exclude(owner=owner).get().owner
    invitations.remove(membership=admin, by=by, now=clock.now())


def session_of(owner: Owner) -> str:
    """Return the key of a new session of `owner`."""
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def staff_of(supplier: Supplier, email: str) -> SupplierPerson:
    """Return somebody who works for a supplier, as its admin."""
    return SupplierPerson.objects.create(
        supplier=supplier,
        email=email,
        role=StaffRole.ADMIN,
        state=PersonState.ACTIVE,
        session_stamp="s" * 32,
    )


def staff_session_of(person: SupplierPerson) -> str:
    """Return the key of a new session in the suppliers' portal."""
    client = Client()
    made = client.session
    until = (clock.now() + timedelta(days=1)).isoformat()
    made["staff"] = {"person": person.pk, "stamp": person.session_stamp, "until": until}
    made.save()
    return str(made.session_key)


def cookie_of(held: Pass) -> str:
    """Return what the browser keeps of somebody who opened a pass."""
    opened = passes.open_by_code(
        typed=passes.code_of(held), network="x", way=PassWay.CODE, agent="", now=clock.now()
    )
    assert opened is not None
    return opened.secret


def holding(client: Client, session: str, *, held: str = "") -> Client:
    """Return the browser with nothing but this session, so that no request spoils the next.

    `held` is the cookie of somebody with a pass in hand.

    It is one browser throughout: a new one loads the middleware again, which is slow.
    """
    client.cookies.clear()
    if held:
        client.cookies["pass"] = held
    if session:
        client.cookies["sessionid"] = session
    return client


def secrets_of(cast: factories.Cast) -> list[str]:
    """Return the texts that only Ana may read."""
    return [CANARY, cast.mandate.owner_ref, cast.mandate.alias, "+12125550100", "+12125550111"]


@pytest.mark.parametrize(
    "who",
    ["mallory, once an admin and keeper", "another supplier's staff, holding another pass"],
)
def test_no_address_gives_away_or_changes_anything_of_ana(cast: factories.Cast, who: str) -> None:
    ids = world(cast)
    is_owner = who.startswith("mallory")
    if is_owner:
        once_at_home(cast.mallory, cast.household)
    before, secrets, values = rows_of(cast), secrets_of(cast), body(ids)
    elsewhere = staff_of(factories.SupplierFactory.create(), "mallory@grey.example")
    session = session_of(cast.mallory) if is_owner else staff_session_of(elsewhere)
    kettle = factories.AssetFactory.create(household=cast.mallory_household)
    hers = made_pass(cast.mallory, cast.mallory_household, asset=kettle)
    held = "" if is_owner else cookie_of(hers)
    browser, walked = Client(), 0
    for template, names in routes(get_resolver().url_patterns):
        for filled in fillings(template, names, ids):
            address = template.format(**filled)
            with transaction.atomic():
                for verb in VERBS:
                    response = send(holding(browser, session, held=held), verb, address, values)
                    said = text_of(response)
                    leaked = [
                        secret for secret in secrets if secret in said and secret not in address
                    ]
                    assert not leaked, f"{verb} {address} says {leaked}"
                    assert response.status_code != 500, f"{verb} {address}"
                    walked += 1
                assert rows_of(cast) == before, f"{address} changed Ana's rows"
                transaction.set_rollback(True)
    assert walked > 1000


def test_ana_herself_reaches_every_object_the_walk_names(cast: factories.Cast) -> None:
    """The control: with the same ids the owner is let in, so the walk is no walk in the dark."""
    ids = world(cast)
    client = Client()
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    reached = 0
    for template, names in routes(get_resolver().url_patterns):
        if not template.startswith("/api/v1/") or not set(names) & ids.objects.keys():
            continue
        for filled in fillings(template, names, ids):
            response = client.get(template.format(**filled))
            if response.status_code != 405:
                assert response.status_code == 200, template
                reached += 1
    assert reached >= 8


def test_an_object_of_ana_looks_to_mallory_like_one_that_does_not_exist(
    cast: factories.Cast,
) -> None:
    ids = world(cast)
    shared = {"supplier"}  # a verified supplier is everybody's
    values = body(ids)
    session, browser, compared = session_of(cast.mallory), Client(), 0
    for template, names in routes(get_resolver().url_patterns):
        mine = (set(names) & ids.objects.keys()) - shared
        if not mine or not template.startswith("/api/v1/"):
            continue
        filled = next(fillings(template, names, ids))
        nowhere = {**filled, **{name: str(uuid4()) for name in mine}}
        for verb in ("get", "post", "put", "patch", "delete"):
            answers = []
            for some in (filled, nowhere):
                answer = send(holding(browser, session), verb, template.format(**some), values)
                answers.append((answer.status_code, answer.content))  # type: ignore[attr-defined]
            assert answers[0] == answers[1], f"{verb} {template}"
            assert answers[0][0] in (404, 405), f"{verb} {template}"
            compared += 1
    assert compared > 50


def test_whoever_sold_a_thing_reaches_nothing_of_it(cast: factories.Cast) -> None:
    """Every address of an asset and of what belongs to it, every verb, as its seller."""
    everything, now = world(cast), clock.now()
    asset = Asset.objects.get(uuid=everything.objects["received_asset"])
    task, meter = asset.care_tasks.get(), asset.meters.get()
    record = asset.service_records.get()
    paper = documents.add(
        household=cast.household, asset=asset, owner=cast.ana, name=f"{CANARY}.txt",
        content=CANARY.encode(), now=now,
    )  # fmt: skip
    cover = holdings.cover(asset=asset, values={"kind": "insurance", "obligor": CANARY}, now=now)
    spent = {"on": now.date(), "amount": Decimal(49), "currency": "USD", "note": CANARY}
    cost = holdings.spend(asset=asset, values=spent, now=now)
    fault, _change = faults.report(
        asset=asset, values={"title": CANARY, "noticed_on": now.date()}, owner=cast.ana, now=now
    )
    shared = sharing.share(
        asset=asset, by=cast.ana, address="", parts=list(SharePart), may_tick=True, days=30,
        now=now,
    )  # fmt: skip
    drafted = transfers.draft(asset=asset, reason=EndReason.SOLD, owner=cast.ana, now=now)
    rows: dict[str, Any] = {"asset": asset, "received_asset": asset, "task": task}
    rows |= {"meter": meter, "record": record, "document": paper, "coverage": cover, "cost": cost}
    rows |= {"issue": fault, "share": shared, "transfer": drafted}
    found = {name: str(row.uuid) for name, row in rows.items()}
    found["take_over"] = everything.objects["take_over"]
    nobodys = dict.fromkeys(everything.objects, NOBODYS)
    ids = Ids(objects={**nobodys, **found}, others=everything.others)
    before, values = rows_of(cast), body(ids)
    session, browser, walked = session_of(cast.mallory), Client(), 0
    for template, names in routes(get_resolver().url_patterns):
        for filled in fillings(template, names, ids):
            if not set(filled.values()) & set(found.values()):
                continue
            address = template.format(**filled)
            with transaction.atomic():
                for verb in VERBS:
                    response = send(holding(browser, session), verb, address, values)
                    assert CANARY not in text_of(response), f"{verb} {address}"
                    assert response.status_code != 500, f"{verb} {address}"
                    walked += 1
                assert rows_of(cast) == before, f"{address} changed the buyer's rows"
                transaction.set_rollback(True)
    assert walked > 300


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/api/v1/assets/", "household"),
        ("/api/v1/assets/", "keeper"),
        ("/api/v1/calendar/", "household"),
        ("/api/v1/calendar/", "asset"),
        ("/api/v1/contacts/", "household"),
        ("/api/v1/contacts/", "supplier"),
        ("/api/v1/contacts/", "asset"),
        ("/api/v1/suppliers/", "household"),
        ("/api/v1/suppliers/", "assets"),
        ("/api/v1/mandates/", "household"),
        ("/api/v1/mandates/", "supplier"),
        ("/api/v1/mandates/", "assets"),
    ],
)
def test_ids_of_another_household_in_a_body_are_unknown_ids(
    cast: factories.Cast, address: str, field: str
) -> None:
    ids = world(cast)
    private = factories.SupplierFactory.create(name=CANARY)
    factories.MandateFactory.create(household=cast.household, supplier=private)
    foreign = {**ids.objects, "supplier": str(private.uuid), "keeper": str(cast.ana.uuid)}
    client = Client()
    client.force_login(cast.mallory, backend="django.contrib.auth.backends.ModelBackend")
    valid = {"household": str(cast.mallory_household.uuid), "name": "Mine"}
    if address.endswith("mandates/"):
        valid["supplier"] = str(cast.skyline.uuid)
    answers = []
    for value in (foreign.get(field, ids.objects["asset"]), NOBODYS):
        given = valid | {field: [value] if field == "assets" else value}
        answer = client.post(address, given, content_type="application/json")
        answers.append((answer.status_code, answer.content))
    assert answers[0] == answers[1]
    assert answers[0][0] == 400
    assert f"/{field}".encode() in answers[0][1]
