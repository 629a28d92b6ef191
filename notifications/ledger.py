"""Everything the rules need about some households, loaded in a bounded number of queries.

The households are locked first (skipping those somebody else works on), so what is read
here stays true until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings

from assets.models import Asset
from notifications.choices import JourneyState
from notifications.consolidation import MATTER_SPAN, Candidate
from notifications.merging import Decided, Entry, Matter
from notifications.models import Journey, Notification
from owners import bulk
from owners.choices import Rank, Trust
from owners.models import (
    Channel,
    ChannelWish,
    Household,
    Membership,
    Owner,
    ReachRule,
    home_zone,
    reach_of,
)
from owners.reach import Reach
from suppliers import processing
from suppliers.contacts import Contact as Said
from suppliers.models import Supplier
from suppliers.particulars import Proved

# Journeys this much older than the oldest new contact cannot be meant without a key.
LOOK_BACK = MATTER_SPAN + timedelta(days=15)
DOOR_SPAN = timedelta(hours=72)
AHEAD = timedelta(days=1)


@dataclass(slots=True)
class Row:
    """A contact's columns beside what it says."""

    id: int
    household: int
    received_at: datetime
    verdict: tuple[str, str, str, dict[str, Any]]  # as stored: outcome, reason, rule, evidence
    entry: Entry
    is_undecided: bool = False

    @property
    def uuid(self) -> UUID:
        """Its public id."""
        return UUID(self.entry.id)

    @property
    def outcome(self) -> str:
        """What became of it, as stored."""
        return self.verdict[0]


@dataclass(slots=True)
class Member:
    """A member who may be told."""

    owner: int
    rank: str
    language: str
    reach: Reach
    channels: dict[str, Channel]
    zone: ZoneInfo  # at home: what is said of visits is said in it, wherever the member is
    cover: int = 0  # the member who is told while this one is away
    uuid: str = ""


class StoredCard(NamedTuple):
    """What is stored of a card: its feed item as JSON, and the other languages it is in."""

    pk: int
    section: str
    version: int
    changed_at: datetime
    body: str
    languages: list[str]
    snoozed_until: datetime | None


LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)

# Statements are written out: they run with every lot, and making them by the ORM takes
# longer than running them. Columns of a model stand in the order of its fields.
_CONTACT = """
    c.id, c.uuid::text, c.household_id, c.supplier_id, c.mandate_id, c.asset_id, c.owner_id,
    c.trust, c.said::text, c.suspicion, c.refusal, c.received_at, c.outcome, c.reason, c.rule,
    c.evidence::text
"""
_HOME, _MANDATE = 2, 4  # their places among them
_ASSET = ("id", "uuid", "household_id", "name", "kind", "keeper_id")
_ASSETS = """
    SELECT id, uuid, household_id, name, kind, keeper_id FROM assets_asset
    WHERE household_id = ANY(%s::bigint[])
"""
_UNDECIDED = f"""
    SELECT {_CONTACT} FROM suppliers_contact c
    WHERE c.household_id = ANY(%s::bigint[]) AND c.decided_at IS NULL
        AND (c.not_before IS NULL OR c.not_before <= %s)
    ORDER BY c.household_id, c.said_at, c.uuid LIMIT %s
"""  # noqa: S608 - constants only
# One that was let in waits for its decision again: it is among the undecided already.
# Each half has a partial index of its own.
_LOOSE = f"""
    SELECT {_CONTACT} FROM (
        SELECT id FROM suppliers_contact
        WHERE household_id = ANY(%(households)s::bigint[]) AND outcome = 'door'
            AND said_at >= %(door)s
        UNION ALL
        SELECT id FROM suppliers_contact
        WHERE household_id = ANY(%(households)s::bigint[]) AND outcome = 'held'
            AND kind IN ('survey_request', 'survey_closed') AND said_at >= %(survey)s
    ) l JOIN suppliers_contact c USING (id)
    WHERE c.decided_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM notifications_link k WHERE k.contact_id = c.id AND k.revoked_at IS NULL)
    ORDER BY c.said_at, c.uuid
"""  # noqa: S608 - constants only
_COVERS = """
    SELECT mandate_id, asset_id FROM suppliers_mandate_assets
    WHERE mandate_id = ANY(%s::bigint[])
"""
_JOURNEY = (
    "id", "uuid", "household_id", "asset_id", "suppliers", "state", "opened_at",
    "last_said_at", "done_at", "closed_at", "is_emptied", "size",
)  # fmt: skip
_JOURNEY_COLUMNS = ", ".join(f"j.{name}" for name in _JOURNEY)
_CANDIDATES = f"""
    SELECT {_JOURNEY_COLUMNS} FROM (
        SELECT id FROM notifications_journey
        WHERE household_id = ANY(%(households)s::bigint[]) AND NOT is_emptied
            AND last_said_at >= %(since)s
        UNION
        SELECT id FROM notifications_journey
        WHERE household_id = ANY(%(households)s::bigint[]) AND NOT is_emptied
            AND next_at IS NOT NULL
        UNION
        SELECT k.journey_id FROM json_to_recordset(%(keys)s::json) AS w(home bigint, value text)
        JOIN notifications_journeykey k ON k.household_id = w.home AND k.value = w.value
    ) near JOIN notifications_journey j USING (id)
    WHERE NOT j.is_emptied
"""  # noqa: S608 - constants only
# What was written on a pass names its journey, however long that has been silent.
_NAMED = f"""
    SELECT {_JOURNEY_COLUMNS} FROM notifications_journey j
    WHERE j.uuid = ANY(%s::uuid[]) AND j.household_id = ANY(%s::bigint[]) AND NOT j.is_emptied
"""  # noqa: S608 - constants only
_JOURNEYS = f"""
    SELECT {_JOURNEY_COLUMNS} FROM notifications_journey j WHERE j.uuid = ANY(%s::uuid[])
"""  # noqa: S608 - constants only
_KEYS = """
    SELECT journey_id, scheme, issuer, value, said_at FROM notifications_journeykey
    WHERE journey_id = ANY(%s::bigint[])
"""
_VISITS = """
    SELECT journey_id, start, "end", supplier_id, over_at FROM notifications_appointment
    WHERE journey_id = ANY(%s::bigint[]) AND start IS NOT NULL AND "end" IS NOT NULL
"""
_LINKED = f"""
    SELECT l.journey_id, l.is_likely, {_CONTACT}
    FROM notifications_link l JOIN suppliers_contact c ON c.id = l.contact_id
    WHERE l.journey_id = ANY(%s::bigint[]) AND l.revoked_at IS NULL
"""  # noqa: S608 - constants only
_REVOKED = """
    SELECT l.contact_id, j.uuid::text
    FROM notifications_link l JOIN notifications_journey j ON j.id = l.journey_id
    WHERE l.contact_id = ANY(%s::bigint[]) AND l.revoked_at IS NOT NULL
"""
_CARDS = """
    SELECT journey_id, id, section, version, changed_at, body::text,
        ARRAY(SELECT jsonb_object_keys(translations)), snoozed_until
    FROM notifications_card WHERE journey_id = ANY(%s::bigint[])
"""
_DECISIONS = """
    SELECT d.journey_id, d.uuid::text, d.name, d.decided_at, c.uuid::text, d.data::text,
        d.owner_id
    FROM notifications_decision d LEFT JOIN suppliers_contact c ON c.id = d.contact_id
    WHERE d.journey_id = ANY(%s::bigint[]) AND d.revoked_at IS NULL
"""
_TOLD = """
    SELECT journey_id, owner_id, snapshot::text FROM notifications_told
    WHERE journey_id = ANY(%s::bigint[])
"""
_NOTIFICATION = tuple(column.attname for column in Notification._meta.concrete_fields)  # noqa: SLF001 - Django's own name
_PLANNED = f"""
    SELECT {", ".join(f"n.{name}" for name in _NOTIFICATION[:-2])}, n.why::text, n.snapshot::text
    FROM notifications_notification n
    WHERE n.journey_id = ANY(%s::bigint[]) AND n.state = 'planned'
"""  # noqa: S608 - names of a model
_SUPPLIERS = """
    SELECT s.id, s.uuid, s.name,
        ARRAY(SELECT d.domain FROM suppliers_supplierdomain d
            WHERE d.supplier_id = s.id AND d.household_id IS NULL),
        ARRAY(SELECT n.number FROM suppliers_suppliernumber n
            WHERE n.supplier_id = s.id AND n.household_id IS NULL)
    FROM suppliers_supplier s WHERE s.id = ANY(%s::bigint[])
"""
_MEMBERSHIP = tuple(column.attname for column in Membership._meta.concrete_fields)  # noqa: SLF001 - Django's own name
_OWNER = ("id", "zone", "device_zone", "language")
_CHANNEL = ("id", "owner_id", "kind")
_MEMBERS = f"""
    SELECT {", ".join(f"m.{name}" for name in _MEMBERSHIP)}, o.language, o.zone, o.device_zone,
        o.uuid::text,
        (SELECT json_agg(row_to_json(r) ORDER BY r.id)
            FROM owners_reachrule r WHERE r.membership_id = m.id)::text,
        (SELECT json_agg(row_to_json(w) ORDER BY w.id)
            FROM owners_channelwish w WHERE w.membership_id = m.id)::text,
        (SELECT json_agg(json_build_array(c.id, c.kind) ORDER BY c.chosen_at DESC NULLS LAST, c.id)
            FROM owners_channel c WHERE c.owner_id = m.owner_id
            AND c.verified_at IS NOT NULL AND c.failed_at IS NULL)::text
    FROM owners_membership m JOIN owners_owner o ON o.id = m.owner_id
    WHERE m.household_id = ANY(%s::bigint[]) ORDER BY m.id
"""  # noqa: S608 - names of a model


@dataclass(slots=True)
class Ledger:
    """The loaded state of the locked households."""

    now: datetime
    households: dict[int, Household]
    assets: dict[str, Asset] = field(default_factory=dict)  # by public UUID
    asset_uuids: dict[int, str] = field(default_factory=dict)
    suppliers: dict[int, Supplier] = field(default_factory=dict)
    proved: dict[int, Proved] = field(default_factory=dict)  # of these suppliers
    names: dict[int, str] = field(default_factory=dict)  # of the suppliers
    covers: dict[int, frozenset[str]] = field(default_factory=dict)  # mandate -> asset uuids
    journeys: dict[str, Journey] = field(default_factory=dict)  # by public UUID
    seen: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # those only compared so far
    candidates: dict[int, list[Candidate]] = field(default_factory=dict)  # by household
    # Of a contact, the journeys from which it was taken: such a link is never made again.
    banned: dict[int, set[str]] = field(default_factory=dict)
    # What is stored of the keys of those journeys: scheme, issuer and value, and when said.
    keys: dict[int, dict[tuple[str, int, str], datetime]] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)  # by journey UUID
    decisions: dict[str, list[Decided]] = field(default_factory=dict)
    told: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)  # what each knows
    planned: dict[tuple[str, int], Notification] = field(default_factory=dict)
    cards: dict[str, StoredCard] = field(default_factory=dict)  # by journey UUID
    members: dict[int, list[Member]] = field(default_factory=dict)  # by household

    @classmethod
    def open(cls, households: Iterable[Household], *, now: datetime) -> Ledger:
        """Return a ledger of locked households with their assets."""
        ledger = cls(now=now, households={household.pk: household for household in households})
        for row in bulk.read(_ASSETS, [bulk.array(ledger.households)]):
            asset = Asset.from_db("default", _ASSET, row)
            ledger.assets[str(asset.uuid)] = asset
            ledger.asset_uuids[asset.pk] = str(asset.uuid)
        return ledger

    # -- contacts ----------------------------------------------------------------------

    def waiting(self, limit: int) -> tuple[list[Row], list[Row]]:
        """Return contacts that wait for a decision, and loose ones of the same households.

        The first are in the order they were said; the others have no journey, and may find
        one when more is known.
        """
        homes = bulk.array(self.households)
        spans = {"door": self.now - DOOR_SPAN, "survey": self.now - MATTER_SPAN}
        undecided, loose = bulk.read_all(
            (_UNDECIDED, [homes, self.now, limit]), (_LOOSE, {"households": homes, **spans})
        )
        concerned = {row[_HOME] for row in undecided}
        rows = self.read([*undecided, *(row for row in loose if row[_HOME] in concerned)])
        waiting, others = rows[: len(undecided)], rows[len(undecided) :]
        for row in waiting:
            row.is_undecided = True
        return waiting, others

    def read(self, contacts: list[tuple[Any, ...]]) -> list[Row]:
        """Return contacts (their columns) as the rules see them."""
        self._load_covers({row[_MANDATE] for row in contacts if row[_MANDATE] is not None})
        return [self._row(columns) for columns in contacts]

    def _row(self, columns: Sequence[Any], *, is_likely: bool = False) -> Row:
        (
            pk,
            uuid,
            household,
            supplier,
            mandate,
            asset,
            owner,
            trust,
            told,
            suspicion,
            refusal,
            received_at,
            outcome,
            reason,
            rule,
            evidence,
        ) = columns
        said = orjson.loads(told)
        covers = self.covers.get(mandate, frozenset())
        about = self.asset_uuids.get(asset, "")
        is_unknown = bool(said.get("asset_hint"))  # it names a thing, and none of ours
        if not about and not is_unknown and len(covers) == 1 and trust != Trust.OWNER:
            about = next(iter(covers))
        return Row(
            id=pk,
            household=household,
            received_at=received_at,
            verdict=(outcome, reason, rule, orjson.loads(evidence)),
            entry=Entry(
                id=uuid,
                said=_not_from_the_future(Said.from_json(said), received_at),
                supplier=supplier or 0,
                trust=trust,
                asset=about,
                covers=covers,
                suspicion=suspicion,
                refusal=refusal,
                is_likely=is_likely,
                owner=owner or 0,
            ),
        )

    def _load_covers(self, mandates: set[int]) -> None:
        missing = mandates - self.covers.keys()
        if not missing:
            return
        found: dict[int, set[str]] = {mandate: set() for mandate in missing}
        for mandate, asset in bulk.read(_COVERS, [bulk.array(missing)]):
            if asset in self.asset_uuids:
                found[mandate].add(self.asset_uuids[asset])
        self.covers.update({mandate: frozenset(assets) for mandate, assets in found.items()})

    # -- journeys ----------------------------------------------------------------------

    def load_candidates(self, rows: Sequence[Row]) -> None:
        """Load the journeys to which `rows` could belong, as linking sees them."""
        said = [(row.household, row.entry.said) for row in rows]
        keys = {(home, key.value) for home, one in said for key in one.keys}
        keys |= {(home, token) for home, one in said for token in one.quoted}
        found = bulk.read(
            _CANDIDATES,
            {
                "households": bulk.array({home for home, _one in said}),
                "since": min(one.said_at for _home, one in said) - LOOK_BACK,
                "keys": bulk.dumps({"home": home, "value": value} for home, value in keys),
            },
        )
        if named := {one.matter for _home, one in said if one.matter}:
            homes = bulk.array({home for home, _one in said})
            near = {row[0] for row in found}
            more = bulk.read(_NAMED, [f"{{{','.join(named)}}}", homes])
            found = [*found, *(row for row in more if row[0] not in near)]
        by_pk: dict[int, Candidate] = {}
        for row in found:
            pk, uuid, home, asset, suppliers, state, opened_at, last_said_at, *rest = row
            name = str(uuid)
            self.seen[name] = row
            done_at, closed_at, _is_emptied, size = rest
            candidate = Candidate(
                id=name,
                asset=self.asset_uuids.get(asset or 0, ""),
                suppliers=set(suppliers),
                opened_at=opened_at,
                last_said_at=last_said_at,
                done_at=done_at,
                closed_at=closed_at if state == JourneyState.CLOSED else None,
                size=size,
            )
            by_pk[pk] = candidate
            self.candidates.setdefault(home, []).append(candidate)
        if not by_pk:
            return
        pks = [bulk.array(by_pk)]
        self.keys.update({pk: {} for pk in by_pk})
        known, visits, revoked = bulk.read_all(
            (_KEYS, pks), (_VISITS, pks), (_REVOKED, [bulk.array(row.id for row in rows)])
        )
        for contact, journey in revoked:
            self.banned.setdefault(contact, set()).add(journey)
        for pk, scheme, issuer, value, said_at in known:
            self.keys[pk][scheme, issuer, value] = said_at
            if scheme == "caller":
                by_pk[pk].callers.setdefault(value, []).append(said_at)
            else:
                by_pk[pk].keys.setdefault((scheme, value), set()).add(issuer)
        for pk, start, end, supplier, over_at in visits:
            by_pk[pk].visits.append((start, end, supplier or 0, over_at))

    def stand_in(self, uuids: Iterable[str]) -> None:
        """Have the journeys of these candidates at hand; the others stay what was read."""
        for uuid in uuids:
            if uuid not in self.journeys and uuid in self.seen:
                self.journeys[uuid] = Journey.from_db("default", _JOURNEY, self.seen[uuid])

    def load_journeys(self, uuids: Iterable[str]) -> None:
        """Load what is needed to fold journeys: their contacts, decisions and what was told."""
        wanted = set(uuids)
        self.stand_in(wanted)
        missing = wanted - self.journeys.keys()
        if missing:
            for row in bulk.read(_JOURNEYS, [f"{{{','.join(missing)}}}"]):
                self.journeys[str(row[1])] = Journey.from_db("default", _JOURNEY, row)
        by_pk = {self.journeys[uuid].pk: uuid for uuid in wanted if self.journeys[uuid].pk}
        if not by_pk:
            return
        pks = [bulk.array(by_pk)]
        links, decisions, told, planned, cards = bulk.read_all(
            *((statement, pks) for statement in (_LINKED, _DECISIONS, _TOLD, _PLANNED, _CARDS))
        )
        mandate = _MANDATE + 2
        self._load_covers({link[mandate] for link in links if link[mandate] is not None})
        for uuid in by_pk.values():  # read again, they replace what was read before
            self.rows[uuid], self.decisions[uuid] = [], []
        for journey, is_likely, *columns in links:
            self.rows[by_pk[journey]].append(self._row(columns, is_likely=is_likely))
        for journey, uuid, name, at, contact, data, owner in decisions:
            self.decisions[by_pk[journey]].append(
                Decided(
                    id=uuid,
                    name=name,
                    at=at,
                    contact=contact or "",
                    data=orjson.loads(data),
                    owner=owner or 0,
                )
            )
        for journey, owner, snapshot in told:
            self.told[by_pk[journey], owner] = orjson.loads(snapshot)
        for journey, *columns in cards:
            self.cards[by_pk[journey]] = StoredCard(*columns)
        for *plain, why, snapshot in planned:
            values = (*plain, orjson.loads(why), orjson.loads(snapshot))
            notification = Notification.from_db("default", _NOTIFICATION, values)
            self.planned[by_pk[notification.journey_id], notification.owner_id] = notification

    def load_people(self, households: Iterable[int], suppliers: Iterable[int]) -> None:
        """Load the members with their wishes, and the suppliers' names."""
        wanted = set(households) - self.members.keys()
        unknown = set(suppliers) - self.suppliers.keys() - {0}
        if not wanted and not unknown:
            return
        members, named = bulk.read_all(
            (_MEMBERS, [bulk.array(wanted)]), (_SUPPLIERS, [bulk.array(unknown)])
        )
        for *columns, domains, numbers in named:
            supplier = Supplier.from_db("default", ("id", "uuid", "name"), columns)
            self.suppliers[supplier.pk] = supplier
            self.proved[supplier.pk] = Proved(domains=domains, numbers=numbers)
        self.names = {pk: supplier.name for pk, supplier in self.suppliers.items()}
        for household in wanted:
            self.members[household] = []
        for row in members:
            *columns, language, zone, device_zone, uuid, rules, wishes, channels = row
            membership = Membership.from_db("default", _MEMBERSHIP, columns)
            membership.household = self.households[membership.household_id]
            person = membership.owner_id
            about = (person, zone, device_zone, language)
            membership.owner = Owner.from_db("default", _OWNER, about)
            mine: dict[str, Channel] = {}
            for pk, kind in orjson.loads(channels or "[]"):
                mine.setdefault(kind, Channel.from_db("default", _CHANNEL, (pk, person, kind)))
            self.members[membership.household_id].append(
                Member(
                    owner=membership.owner_id,
                    rank=membership.rank,
                    language=language if language in LANGUAGES else settings.LANGUAGE_CODE,
                    reach=reach_of(
                        membership,
                        rules=[ReachRule(**rule) for rule in orjson.loads(rules or "[]")],
                        kinds=list(mine),
                        by_channel=[_by_channel(wish) for wish in orjson.loads(wishes or "[]")],
                    ),
                    channels=mine,
                    zone=ZoneInfo(home_zone(membership.owner, membership.household)),
                    cover=membership.cover_id or 0,
                    uuid=uuid,
                )
            )

    def languages(self, household: int) -> list[str]:
        """Return the languages of the household's members, its first member's first."""
        spoken = [member.language for member in self.members.get(household, [])]
        return list(dict.fromkeys(spoken)) or [settings.LANGUAGE_CODE]

    def told_about(self, household: int, asset: str, *, meant_for: str = "") -> list[Member]:
        """Return who is told: whom it is meant for, else the asset's keeper, else every admin.

        Who is away is covered.
        """
        members = self.members.get(household, [])
        keeper = self.assets[asset].keeper_id if asset in self.assets else None
        if meant_for:
            keeper = next((one.owner for one in members if one.uuid == meant_for), keeper)
        return on_duty(members, keeper=keeper, now=self.now)

    def granted(self, member: Member, matter: Matter) -> frozenset[int]:
        """Return the matter's suppliers whose word that it is an emergency counts for them."""
        if not member.reach.wakers:
            return frozenset()
        wakers = member.reach.wakers
        known = {pk: self.suppliers[pk] for pk in matter.suppliers if pk in self.suppliers}
        return frozenset(pk for pk, supplier in known.items() if str(supplier.uuid) in wakers)

    def wishing(self, member: Member, matter: Matter, *, journey: str) -> Member:
        """Return the member with the wishes that hold for one matter."""
        if not member.reach.overrides:
            return member
        suppliers = [
            str(self.suppliers[supplier].uuid)
            for supplier in matter.suppliers
            if supplier in self.suppliers
        ]
        about = member.reach.about(suppliers=suppliers, asset=matter.asset, journey=journey)
        return replace(member, reach=about)


def _by_channel(row: dict[str, Any]) -> ChannelWish:
    """Return a wish of one kind of channel from its JSON, where a time of day is a text."""
    ends = {
        name: time.fromisoformat(row[name]) if row[name] else None
        for name in ("quiet_from", "quiet_until")
    }
    return ChannelWish(**(row | ends))


def on_duty(members: Sequence[Member], *, keeper: int | None, now: datetime) -> list[Member]:
    """Return who is told of a matter at `now`: the keeper, else every admin.

    Somebody on holiday is replaced by their cover; without one nothing interrupts them.
    """
    kept = [member for member in members if member.owner == keeper]
    meant = kept or [member for member in members if member.rank == Rank.ADMIN]
    if not any(member.reach.is_away(now) for member in meant):
        return meant
    here = {member.owner: member for member in members if not member.reach.is_away(now)}
    found: dict[int, Member] = {}
    for member in meant:
        if not member.reach.is_away(now):
            found[member.owner] = member
        elif member.cover in here:
            found[member.cover] = here[member.cover]
        else:
            found[member.owner] = replace(member, reach=member.reach.hushed())
    return list(found.values())


def _not_from_the_future(said: Said, received_at: datetime) -> Said:
    """A sender's clock may be off, but nothing was said a day after it arrived."""
    return said if said.said_at <= received_at + AHEAD else said.with_(said_at=received_at)


def entry_of(ledger: Ledger, row: processing.Row) -> Row:
    """Return a contact that is not stored (yet) as the rules see it."""
    columns = (
        0,
        str(row.uuid),
        row.household_id,
        row.supplier_id,
        row.mandate_id,
        row.asset_id,
        None,
        row.admission.trust,
        orjson.dumps(row.contact.to_json()),
        row.admission.suspicion,
        row.admission.refusal,
        ledger.now,
        "",
        "",
        "",
        "{}",
    )
    return ledger.read([columns])[0]
