"""Many households with one supplier, its events, and two years of decided contacts."""

import json
import random
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from assets.models import Asset
from owners import clock
from owners.choices import Rank
from owners.models import Household, Membership, Owner
from suppliers.choices import Way
from suppliers.inbox import Received
from suppliers.models import Mandate, Supplier
from tests.factories import SigningSecretFactory, SupplierFactory

SOURCE = "/bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The supplier, and of each household its id, its owner and its `owner_ref`."""

    supplier: Supplier
    households: list[int]
    owners: list[int]
    refs: list[str]


@transaction.atomic
def build(name: str, *, households: int) -> World:
    """Store households with a member, a thing and a mandate each."""
    supplier = SupplierFactory.create(code=name, name=name.title())
    SigningSecretFactory.create(supplier=supplier)
    owners = Owner.objects.bulk_create(
        Owner(email=f"{name}{n}@hart.example", name=f"Owner {n}", zone="Europe/Rome")
        for n in range(households)
    )
    homes = Household.objects.bulk_create(
        Household(name=f"Household {n}", zone="Europe/Rome", currency="EUR")
        for n in range(households)
    )
    Membership.objects.bulk_create(
        Membership(household=home, owner=owner, rank=Rank.ADMIN)
        for home, owner in zip(homes, owners, strict=True)
    )
    assets = Asset.objects.bulk_create(
        Asset(household=home, name="Boiler", keeper=owner)
        for home, owner in zip(homes, owners, strict=True)
    )
    mandates = Mandate.objects.bulk_create(
        Mandate(household=home, supplier=supplier, purposes=["service", "billing", "feedback"])
        for home in homes
    )
    covers = Mandate.assets.through
    covers.objects.bulk_create(
        covers(mandate=mandate, asset=asset)
        for mandate, asset in zip(mandates, assets, strict=True)
    )
    return World(
        supplier=supplier,
        households=[home.pk for home in homes],
        owners=[owner.pk for owner in owners],
        refs=[mandate.owner_ref for mandate in mandates],
    )


def event(world: World, number: int, *, chance: random.Random) -> dict[str, object]:
    """Return an event as suppliers send them: visits, their changes, tickets, words, bills."""
    now = clock.now()
    home = number % len(world.refs)
    said_at = now - timedelta(seconds=chance.randrange(3600))
    matter = f"{home}-{chance.randrange(12)}"  # a household has a dozen matters at a time
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(
        days=2, hours=chance.randrange(240)
    )
    kind = chance.random()
    data: dict[str, object]
    if kind < 0.45:
        name = "appointment.updated" if kind < 0.15 else "appointment.requested"
        data = {
            "uid": f"job-{matter}@bench.example",
            "sequence": number,
            "dtstamp": said_at.isoformat(),
            "start": start.isoformat(),
            "end": (start + timedelta(hours=4)).isoformat(),
            "zone": "Europe/Rome",
            "kind": "visit",
            "refs": [{"scheme": "order", "value": f"order-{matter}"}],
        }
    elif kind < 0.65:
        name = "ticket.opened"
        data = {"ticketId": f"t-{uuid.uuid4().hex[:8]}", "status": "open", "title": "A question"}
    elif kind < 0.8:
        name = "invoice.issued"
        data = {
            "invoiceNumber": f"i-{uuid.uuid4().hex[:8]}",
            "total": {"amount": f"{chance.randrange(20, 400)}.00", "currency": "EUR"},
            "dueDate": (now + timedelta(days=14)).date().isoformat(),
            "lines": [],
            "refs": [{"scheme": "order", "value": f"order-{matter}"}],
        }
    else:
        name = "message.created"
        data = {
            "body": "Dear customer, the part has arrived and waits for the visit.",
            "refs": [{"scheme": "order", "value": f"order-{matter}"}],
        }
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": SOURCE,
        "type": name,
        "time": said_at.isoformat(),
        "data": {"owner": world.refs[home], **data},
    }


def received(world: World, count: int) -> list[Received]:
    """Return that many events as the entrance hands them over."""
    chance = random.Random(count)
    found = []
    for number in range(count):
        one = event(world, number, chance=chance)
        found.append(
            Received(
                supplier_id=world.supplier.pk,
                household_id=None,
                way=Way.WEBHOOK,
                source=SOURCE,
                event_id=str(one["id"]),
                type=str(one["type"]),
                payload=json.dumps(one).encode(),
            )
        )
    return found


# Four contacts a matter, each matter closed, evenly over the two years before last month;
# its key, its link, its card and what was told of it are there as well.
_JOURNEYS = """
    INSERT INTO notifications_journey (uuid, household_id, suppliers, title, state, turn, stage,
        opened_at, last_said_at, done_at, closed_at, is_emptied)
    SELECT gen_random_uuid(), (%(homes)s::bigint[])[1 + n %% %(count)s],
        ARRAY[%(supplier)s]::bigint[], 'Old matter ' || n, 'closed', 'owner', 70,
        t.at, t.at + interval '3 days', t.at + interval '3 days', t.at + interval '5 days', false
    FROM generate_series(1, %(matters)s) n,
        LATERAL (SELECT %(now)s::timestamptz - interval '7 days'
                 - (n::float / %(matters)s) * interval '723 days' AS at) t

"""
_CONTACTS = """
    INSERT INTO suppliers_contact (uuid, household_id, supplier_id, kind, medium, direction, trust,
        said_at, received_at, said, suspicion, refusal, outcome, reason, rule, evidence, decided_at)
    SELECT gen_random_uuid(), j.household_id, %(supplier)s, 'message', 'webhook', 'in', 70,
        j.opened_at + k * interval '1 day', j.opened_at + k * interval '1 day',
        jsonb_build_object('kind', 'message', 'medium', 'webhook', 'type', 'message.created',
            'said_at', j.opened_at + k * interval '1 day', 'body', repeat('words ', 30),
            'keys', jsonb_build_array(jsonb_build_object('scheme', 'order',
                'value', 'old-' || j.id))),
        '', '', 'shown', 'words', 'only_the_known_absorbs', '{}', j.opened_at + k * interval '1 day'
    FROM notifications_journey j, generate_series(0, 3) k
    WHERE j.id > %(after)s
"""
_KEYS = """
    INSERT INTO notifications_journeykey (household_id, journey_id, scheme, issuer, value, said_at)
    SELECT household_id, id, 'order', %(supplier)s, 'old-' || id, opened_at
    FROM notifications_journey WHERE id > %(after)s
"""
_LINKS = """
    INSERT INTO notifications_link
        (household_id, contact_id, journey_id, rule, evidence, is_likely, linked_at)
    SELECT c.household_id, c.id, substring(c.said -> 'keys' -> 0 ->> 'value' from 5)::bigint,
        'strong_key', '{}', false, c.said_at
    FROM suppliers_contact c WHERE c.id > %(after)s
"""
_CARDS = """
    INSERT INTO notifications_card
        (uuid, household_id, journey_id, section, title, meta, body, version, changed_at)
    SELECT u, household_id, id, 'done', title, 'Bench', jsonb_build_object(
        'id', u, 'version', 4, 'changed_at', last_said_at, 'journey', uuid, 'section', 'done',
        'title', title, 'meta', 'Bench', 'asset', NULL, 'suppliers',
        jsonb_build_array(jsonb_build_object('id', uuid, 'name', 'Bench')), 'thread',
        jsonb_build_array(jsonb_build_object('contact', u, 'outcome', 'shown', 'kind', 'message',
            'at', opened_at)), 'promise', NULL, 'question', NULL, 'conflicts', '[]'::jsonb,
        'survey', NULL, 'actions', '[]'::jsonb), 4, last_said_at
    FROM (SELECT *, gen_random_uuid() AS u FROM notifications_journey WHERE id > %(after)s) j
"""


def remember(world: World, *, contacts: int) -> None:
    """Store that many old contacts: decided, in closed matters, over two years."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # rows that fit: no checks
        cursor.execute("SELECT coalesce(max(id), 0) FROM notifications_journey")
        after_journey = cursor.fetchone()[0]
        cursor.execute("SELECT coalesce(max(id), 0) FROM suppliers_contact")
        after_contact = cursor.fetchone()[0]
        values = {
            "homes": world.households,
            "count": len(world.households),
            "supplier": world.supplier.pk,
            "matters": max(1, contacts // 4),
            "now": clock.now(),
            "after": after_journey,
        }
        cursor.execute(_JOURNEYS, values)
        for statement in (_CONTACTS, _KEYS, _CARDS):
            cursor.execute(statement, values)
        cursor.execute(_LINKS, {**values, "after": after_contact})
    settle()


def forget_waiting() -> None:
    """Take out of the way what a row left waiting or undecided: it is not the next one's work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE suppliers_inboundevent SET state = 'processed' WHERE state = 'stored'"
        )
        cursor.execute(
            "UPDATE suppliers_contact SET decided_at = now(), outcome = 'shown'"
            " WHERE decided_at IS NULL"
        )


def settle() -> None:
    """Let the planner know what is there, and the log be written, before the clock runs."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
