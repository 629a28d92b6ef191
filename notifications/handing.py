"""What is handed over with a pass: everything known, put before the rules of its scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from assets.choices import DocumentKind
from assets.models import Asset, Document
from notifications import journeys, pass_rules
from notifications.choices import AppointmentState, FactState
from notifications.models import Appointment, Journey, JourneyKey, Link, Pass
from notifications.pass_rules import Known, Scope
from owners.choices import ChannelKind
from owners.models import Channel, Owner
from suppliers.choices import ContactKind, Direction, Outcome
from suppliers.models import Contact, Supplier

# What an agent can look up: a thread's id or an appointment's UID is not among them.
REFERENCES = ("order", "ticket", "contract", "claim", "quote", "invoice", "tracking")
PAPERS_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the owner can tick on a pass about a matter or a thing."""

    papers: list[Document]
    facts: list[dict[str, Any]]
    suppliers: list[Supplier]


def choices(*, journey: Journey | None, asset: Asset | None, now: datetime) -> Choices:
    """Return what a pass about these may show piece by piece, and for whom it may be."""
    described = journeys.describe(journey, now=now) if journey else None
    named = [key for row in (described or {}).get("contacts", ()) for key in row["documents"]]
    served = Q(pk__in=journey.suppliers if journey else ())
    if asset is not None:
        served |= Q(pk__in=asset.roles.values("supplier"))
        served |= Q(pk__in=asset.mandates.live().values("supplier"))
    facts = {
        fact["name"]: fact
        for fact in (described or {}).get("facts", ())
        if fact["state"] != FactState.REPLACED and is_offered(fact["name"])
    }
    return Choices(
        papers=list(papers_of(journey=journey, asset=asset, named=named)),
        facts=list(facts.values()),
        suppliers=list(Supplier.objects.filter(served).order_by("name", "pk")),
    )


def is_offered(name: str) -> bool:
    """Whether a fact may be on a pass at all."""
    return Scope(words=frozenset(pass_rules.SCOPES)).has_fact(name)


def papers_of(
    *, journey: Journey | None, asset: Asset | None, named: list[str]
) -> QuerySet[Document]:
    """Return the photos and papers of a thing, and those that came with what was said."""
    household = journey.household_id if journey else asset.household_id if asset else 0
    about = Q(uuid__in=named)
    if asset is not None:
        about |= Q(asset=asset)
    mine = Document.objects.filter(about, household=household, removed_at=None)
    return mine.order_by("-added_at", "-pk")[:PAPERS_MOST]


def scope_of(held: Pass) -> Scope:
    """Return a pass's scope as the rules read it."""
    return Scope(
        words=frozenset(held.scope),
        papers=frozenset(str(key) for key in held.papers),
        without=frozenset(held.without),
    )


def shown(held: Pass, *, now: datetime) -> dict[str, Any]:
    """Return what whoever holds the pass sees now."""
    return pass_rules.shown(known(held, now=now), scope_of(held))


def about(held: Pass) -> tuple[Journey | None, Asset | None]:
    """Return the matter and the thing of a pass as they are now.

    A matter that was put together with another goes on in that one; a thing in the bin is
    not shown.
    """
    journey = held.journey
    if journey is not None and journey.is_emptied:
        moved = Link.objects.filter(contact__links__journey=journey, revoked_at=None)
        found = moved.select_related("journey__household", "journey__asset", "journey__card")
        link = found.order_by("pk").first()
        journey = link.journey if link else None
    asset = held.asset or (journey.asset if journey else None)
    if asset is not None and asset.removed_at is not None:
        asset = None
    return journey, asset


def known(held: Pass, *, now: datetime) -> Known:
    """Return everything there is to say about a pass's matter and thing."""
    journey, asset = about(held)
    described = journeys.describe(journey, now=now) if journey else None
    about_thing = _thing(asset, held.papers)
    about_owner = _owner(held.owner)
    if journey is None or described is None:
        return Known(matter={"title": "", "state": ""}, **about_thing, **about_owner)
    said = {row["id"]: row for row in described["contacts"]}
    return Known(
        matter={"title": described["title"], "state": described["state"]},
        facts=[_fact(fact, said) for fact in described["facts"]],
        tried=_tried(journey, described, said),
        references=_references(journey),
        visits=described["appointments"],
        promises=described["promises"],
        notes=[
            {"at": row["at"], "text": row["text"]}
            for row in described["contacts"]
            if row["outcome"] == Outcome.OWN and row["text"]
        ],
        asked=_asked(journey),
        **about_thing,
        **about_owner,
    )


def _thing(asset: Asset | None, papers: list[UUID]) -> dict[str, Any]:
    found: dict[str, Any] = {"papers": []}
    if papers:
        rows = Document.objects.filter(uuid__in=papers, removed_at=None).order_by("-added_at")
        found["papers"] = [
            {
                "id": str(row.uuid),
                "name": row.name,
                "media_type": row.media_type,
                "is_photo": row.kind == DocumentKind.PHOTO and row.has_thumb,
            }
            for row in rows
        ]
    if asset is None:
        return found
    found["thing"] = {
        "name": asset.name,
        "kind": asset.kind,
        "maker": asset.maker,
        "model": asset.model,
        "place": asset.place,
    }
    found["identifiers"] = [
        {"scheme": row.scheme, "label": row.get_scheme_display(), "value": row.value}
        for row in asset.identifiers.order_by("scheme", "pk")
    ]
    return found


def _owner(owner: Owner | None) -> dict[str, Any]:
    if owner is None:
        return {}
    phones = Channel.objects.for_owner(owner).usable().filter(kind=ChannelKind.SMS)
    phone = phones.order_by("pk").first()
    first = owner.get_full_name().split()
    return {"name": first[0] if first else "", "phone": phone.address if phone else ""}


def _fact(fact: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    sources = [_source(key, said) for key in fact["sources"]]
    at = next((source["at"] for source in sources if source["at"]), None)
    return {**fact, "sources": sources, "said_at": at}


def _source(key: str, said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return who said something, how and when; the owner's corrections are no contacts."""
    row = said.get(key)
    if row is None or row["outcome"] == Outcome.OWN or row["direction"] == Direction.OUT:
        return {"who": "", "is_owner": True, "medium": "", "at": row["at"] if row else None}
    is_pass = row["type"].startswith("pass.")
    who = row["supplier"]["name"] if row["supplier"] else row["who"]
    medium = "pass" if is_pass else row["medium"]
    return {"who": who, "is_owner": False, "medium": medium, "at": row["at"]}


def _tried(
    journey: Journey, described: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what was done about the matter so far, the oldest first."""
    steps = [dict(step) for step in described["tried"]]
    told = {(step["what"], step["at"]) for step in steps}
    done = Appointment.objects.filter(journey=journey, state=AppointmentState.DONE)
    for visit in done.filter(done_at__isnull=False).order_by("done_at", "pk"):
        at = visit.done_at.isoformat() if visit.done_at else None
        if (visit.kind, at) not in told:
            steps.append({"what": visit.kind, "at": at, "result": "done"})
    steps += [
        {"what": "work_done", "at": _fact(fact, said)["said_at"], "result": fact["value"]}
        for fact in described["facts"]
        if fact["name"] == "work_done" and fact["state"] != FactState.REPLACED
    ]
    steps += [
        {"what": "call", "at": row["at"], "result": ""}
        for row in described["contacts"]
        if row["kind"] == ContactKind.CALL and row["outcome"] == Outcome.OWN
    ]
    return sorted(steps, key=lambda step: step["at"] or "")


def _references(journey: Journey) -> list[dict[str, str]]:
    rows = JourneyKey.objects.filter(journey=journey, scheme__in=REFERENCES)
    found = list(rows.order_by("said_at", "pk"))
    names = dict(
        Supplier.objects.filter(pk__in={row.issuer for row in found}).values_list("pk", "name")
    )
    return [
        {"scheme": row.scheme, "value": row.value, "issuer": names.get(row.issuer, "")}
        for row in found
    ]


def _asked(journey: Journey) -> dict[str, int]:
    """Return how often each fact was asked for on this matter."""
    rows = Contact.objects.filter(
        links__journey=journey, links__revoked_at=None, said__has_key="asks"
    )
    return Counter(
        str(ask.get("fact", ""))
        for said in rows.values_list("said", flat=True)
        for ask in said["asks"]
    )
