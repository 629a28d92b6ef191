"""Everything the rules need about some households, loaded in a bounded number of queries.

The households are locked first (skipping those somebody else works on), so what is read
here stays true until the transaction ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from assets.models import Asset
from notifications.choices import JourneyState, NotificationState
from notifications.consolidation import MATTER_SPAN, Candidate
from notifications.merging import Decided, Entry, Matter
from notifications.models import (
    Appointment,
    Decision,
    Journey,
    JourneyKey,
    Link,
    Notification,
    Told,
)
from owners.choices import Rank, Trust
from owners.models import Channel, Household, Membership, ReachRule, reach_of
from owners.reach import Reach
from suppliers import processing
from suppliers.choices import MandateState, Outcome
from suppliers.contacts import Contact as Said
from suppliers.models import Contact, Mandate, Supplier

# Journeys this much older than the oldest new contact cannot be meant without a key.
LOOK_BACK = MATTER_SPAN + timedelta(days=15)
DOOR_SPAN = timedelta(hours=72)
AHEAD = timedelta(days=1)


@dataclass(slots=True)
class Row:
    """A contact's columns beside what it says."""

    id: int
    uuid: UUID
    household: int
    received_at: datetime
    verdict: tuple[str, str, str, dict[str, Any]]  # as stored: outcome, reason, rule, evidence
    entry: Entry
    is_undecided: bool = False

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
    cover: int = 0  # the member who is told while this one is away


CONTACT_COLUMNS = (
    "id",
    "uuid",
    "household_id",
    "supplier_id",
    "mandate_id",
    "asset_id",
    "owner_id",
    "trust",
    "said",
    "suspicion",
    "refusal",
    "received_at",
    "outcome",
    "reason",
    "rule",
    "evidence",
)


@dataclass(slots=True)
class Ledger:
    """The loaded state of the locked households."""

    now: datetime
    households: dict[int, Household]
    assets: dict[str, Asset] = field(default_factory=dict)  # by public UUID
    asset_uuids: dict[int, str] = field(default_factory=dict)
    suppliers: dict[int, Supplier] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)  # of the suppliers
    covers: dict[int, frozenset[str]] = field(default_factory=dict)  # mandate -> asset uuids
    journeys: dict[str, Journey] = field(default_factory=dict)  # by public UUID
    candidates: dict[int, list[Candidate]] = field(default_factory=dict)  # by household
    rows: dict[str, list[Row]] = field(default_factory=dict)  # by journey UUID
    decisions: dict[str, list[Decided]] = field(default_factory=dict)
    told: dict[tuple[str, int], Told] = field(default_factory=dict)
    planned: dict[tuple[str, int], Notification] = field(default_factory=dict)
    members: dict[int, list[Member]] = field(default_factory=dict)  # by household

    @classmethod
    def open(cls, households: Iterable[Household], *, now: datetime) -> Ledger:
        """Return a ledger of locked households with their assets."""
        ledger = cls(now=now, households={household.pk: household for household in households})
        for asset in Asset.objects.filter(household__in=ledger.households):
            ledger.assets[str(asset.uuid)] = asset
            ledger.asset_uuids[asset.pk] = str(asset.uuid)
        return ledger

    # -- contacts ----------------------------------------------------------------------

    def undecided(self, limit: int) -> list[Row]:
        """Return the contacts that wait for a decision, in the order they were said."""
        ready = Q(not_before=None) | Q(not_before__lte=self.now)
        contacts = (
            Contact.objects.filter(ready, household__in=self.households, decided_at=None)
            .order_by("household_id", "said_at", "uuid")
            .values_list(*CONTACT_COLUMNS)[:limit]
        )
        rows = self.read(contacts)
        for row in rows:
            row.is_undecided = True
        return rows

    def loose(self, households: set[int]) -> list[Row]:
        """Return contacts without a journey that may find one when more is known."""
        contacts = (
            # One that was let in waits for its decision again: it is in `undecided` already.
            Contact.objects.filter(household__in=households, decided_at__isnull=False)
            .filter(
                Q(outcome=Outcome.DOOR, said_at__gte=self.now - DOOR_SPAN)
                | Q(
                    outcome=Outcome.HELD,
                    kind="survey_request",
                    said_at__gte=self.now - MATTER_SPAN,
                )
            )
            .exclude(pk__in=Link.objects.filter(revoked_at=None).values("contact"))
            .order_by("said_at", "uuid")
            .values_list(*CONTACT_COLUMNS)
        )
        return self.read(contacts)

    def read(self, contacts: Iterable[tuple[Any, ...]]) -> list[Row]:
        """Return contacts (their `CONTACT_COLUMNS`) as the rules see them."""
        found = list(contacts)
        self._load_covers({row[4] for row in found if row[4] is not None})
        return [self._row(columns) for columns in found]

    def _row(self, columns: tuple[Any, ...], *, is_likely: bool = False) -> Row:
        (
            pk,
            uuid,
            household,
            supplier,
            mandate,
            asset,
            owner,
            trust,
            said,
            suspicion,
            refusal,
            received_at,
            *verdict,
        ) = columns
        covers = self.covers.get(mandate, frozenset())
        about = self.asset_uuids.get(asset, "")
        is_unknown = bool(said.get("asset_hint"))  # it names a thing, and none of ours
        if not about and not is_unknown and len(covers) == 1 and trust != Trust.OWNER:
            about = next(iter(covers))
        return Row(
            id=pk,
            uuid=uuid,
            household=household,
            received_at=received_at,
            verdict=tuple(verdict),
            entry=Entry(
                id=str(uuid),
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
        pairs = Mandate.assets.through.objects.filter(mandate_id__in=missing)
        for mandate, asset in pairs.values_list("mandate_id", "asset_id"):
            if asset in self.asset_uuids:
                found[mandate].add(self.asset_uuids[asset])
        self.covers.update({mandate: frozenset(assets) for mandate, assets in found.items()})

    # -- journeys ----------------------------------------------------------------------

    def load_candidates(self, rows: Sequence[Row]) -> None:
        """Load the journeys to which `rows` could belong, as linking sees them."""
        households = {row.household for row in rows}
        oldest = min(row.entry.said.said_at for row in rows)
        values = {key.value for row in rows for key in row.entry.said.keys}
        values |= {token for row in rows for token in row.entry.said.quoted}
        near = Q(last_said_at__gte=oldest - LOOK_BACK) | Q(next_at__isnull=False)
        if values:
            near |= Q(
                pk__in=JourneyKey.objects.filter(household__in=households, value__in=values).values(
                    "journey"
                )
            )
        journeys = Journey.objects.filter(near, household__in=households, is_emptied=False)
        by_pk: dict[int, Candidate] = {}
        for journey in journeys:
            self.journeys[str(journey.uuid)] = journey
            candidate = Candidate(
                id=str(journey.uuid),
                asset=self.asset_uuids.get(journey.asset_id or 0, ""),
                suppliers=set(journey.suppliers),
                opened_at=journey.opened_at,
                last_said_at=journey.last_said_at,
                done_at=journey.done_at,
                closed_at=journey.closed_at if journey.state == JourneyState.CLOSED else None,
            )
            by_pk[journey.pk] = candidate
            self.candidates.setdefault(journey.household_id, []).append(candidate)
        if not by_pk:
            return
        keys = JourneyKey.objects.filter(journey__in=by_pk).values_list(
            "journey_id", "scheme", "issuer", "value", "said_at"
        )
        for pk, scheme, issuer, value, said_at in keys:
            if scheme == "caller":
                by_pk[pk].callers.setdefault(value, []).append(said_at)
            else:
                by_pk[pk].keys.setdefault((scheme, value), set()).add(issuer)
        visits = Appointment.objects.filter(journey__in=by_pk, start__isnull=False).values_list(
            "journey_id", "start", "end", "supplier_id", "over_at"
        )
        for pk, start, end, supplier, over_at in visits:
            if start is not None and end is not None:
                by_pk[pk].visits.append((start, end, supplier or 0, over_at))

    def load_journeys(self, uuids: Iterable[str]) -> None:
        """Load what is needed to fold journeys: their contacts, decisions and what was told."""
        wanted = set(uuids)
        missing = wanted - self.journeys.keys()
        if missing:
            for journey in Journey.objects.filter(uuid__in=missing):
                self.journeys[str(journey.uuid)] = journey
        by_pk = {self.journeys[uuid].pk: uuid for uuid in wanted if self.journeys[uuid].pk}
        if not by_pk:
            return
        links = list(
            Link.objects.filter(journey__in=by_pk, revoked_at=None).values_list(
                "journey_id", "is_likely", *(f"contact__{name}" for name in CONTACT_COLUMNS)
            )
        )
        self._load_covers({link[6] for link in links if link[6] is not None})
        for journey, is_likely, *columns in links:
            self.rows.setdefault(by_pk[journey], []).append(
                self._row(tuple(columns), is_likely=is_likely)
            )
        decisions = Decision.objects.filter(journey__in=by_pk, revoked_at=None).select_related(
            "contact"
        )
        for decision in decisions:
            self.decisions.setdefault(by_pk[decision.journey_id], []).append(  # type: ignore[index]  # filtered by journey above
                decided(decision)
            )
        for told in Told.objects.filter(journey__in=by_pk):
            self.told[by_pk[told.journey_id], told.owner_id] = told
        planned = Notification.objects.filter(journey__in=by_pk, state=NotificationState.PLANNED)
        for notification in planned:
            self.planned[by_pk[notification.journey_id], notification.owner_id] = notification

    def load_people(self, households: Iterable[int], suppliers: Iterable[int]) -> None:
        """Load the members with their wishes, and the suppliers' names."""
        wanted = set(households) - self.members.keys()
        if wanted:
            self._load_members(wanted)
        unknown = set(suppliers) - self.suppliers.keys() - {0}
        if unknown:
            self.suppliers.update(Supplier.objects.in_bulk(unknown))
            self.names = {pk: supplier.name for pk, supplier in self.suppliers.items()}

    def _load_members(self, households: set[int]) -> None:
        memberships = list(
            Membership.objects.filter(household__in=households)
            .select_related("owner")
            .order_by("pk")
        )
        rules: dict[int, list[ReachRule]] = defaultdict(list)
        for rule in ReachRule.objects.filter(membership__household__in=households):
            rules[rule.membership_id].append(rule)
        channels: dict[int, dict[str, Channel]] = defaultdict(dict)
        owners = {membership.owner_id for membership in memberships}
        for channel in Channel.objects.usable().filter(owner__in=owners).order_by("pk"):
            channels[channel.owner_id].setdefault(channel.kind, channel)
        for household in households:
            self.members[household] = []
        for membership in memberships:
            membership.household = self.households[membership.household_id]
            mine = channels[membership.owner_id]
            self.members[membership.household_id].append(
                Member(
                    owner=membership.owner_id,
                    rank=membership.rank,
                    language=membership.owner.language,
                    reach=reach_of(membership, rules=rules[membership.pk], kinds=list(mine)),
                    channels=mine,
                    cover=membership.cover_id or 0,
                )
            )

    def told_about(self, household: int, asset: str) -> list[Member]:
        """Return who is told: the asset's keeper, else every admin; who is away is covered."""
        members = self.members.get(household, [])
        keeper = self.assets[asset].keeper_id if asset in self.assets else None
        return on_duty(members, keeper=keeper, now=self.now)

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

    def live_mandate(self, supplier: int, household: int) -> Mandate | None:
        """Return the household's mandate for a supplier, if one lives."""
        return Mandate.objects.filter(
            supplier=supplier, household=household, state=MandateState.ACTIVE
        ).first()


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


def decided(decision: Decision) -> Decided:
    """Return a decision as the rules see it."""
    return Decided(
        id=str(decision.uuid),
        name=decision.name,
        at=decision.decided_at,
        contact=str(decision.contact.uuid) if decision.contact else "",
        data=decision.data,
        owner=decision.owner_id or 0,
    )


def entry_of(ledger: Ledger, row: processing.Row) -> Row:
    """Return a contact that is not stored (yet) as the rules see it."""
    contact = Contact(
        uuid=row.uuid,
        household_id=row.household_id,
        supplier_id=row.supplier_id,
        mandate_id=row.mandate_id,
        asset_id=row.asset_id,
        trust=row.admission.trust,
        said=row.contact.to_json(),
        suspicion=row.admission.suspicion,
        refusal=row.admission.refusal,
        received_at=ledger.now,
    )
    columns = tuple(getattr(contact, name) for name in CONTACT_COLUMNS)
    return ledger.read([columns])[0]
