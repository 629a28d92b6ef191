"""Very many cards, one household with a large share of them."""

from dataclasses import dataclass

from django.db import connection, transaction

from owners import clock
from owners.models import Household, Membership, Owner
from tests.bench import world
from tests.factories import HouseholdFactory, MembershipFactory, OwnerFactory

NEEDS_YOU_EVERY = 50

# Rows that fit, without the checks of foreign keys; every other household gets the rest.
_JOURNEYS = """
    INSERT INTO notifications_journey (uuid, household_id, suppliers, title, state, turn, stage,
        opened_at, last_said_at, is_emptied)
    SELECT gen_random_uuid(), CASE WHEN n <= %(big)s THEN %(household)s
            ELSE (%(homes)s::bigint[])[1 + n %% %(count)s] END,
        '{}'::bigint[], 'Matter ' || n, 'open', 'supplier', 30, t.at, t.at, false
    FROM generate_series(1, %(rows)s) n,
        LATERAL (SELECT %(now)s::timestamptz - n * interval '1 second' AS at) t
"""
_CARDS = """
    INSERT INTO notifications_card
        (uuid, household_id, journey_id, section, title, meta, body, version, changed_at)
    SELECT u, household_id, id, s, title, 'Skyline TV', jsonb_build_object(
        'id', u, 'version', 1, 'changed_at', last_said_at, 'journey', uuid, 'section', s,
        'title', title, 'meta', 'Skyline TV', 'asset', NULL, 'suppliers',
        jsonb_build_array(jsonb_build_object('id', uuid, 'name', 'Skyline TV')), 'thread',
        jsonb_build_array(jsonb_build_object('contact', u, 'outcome', 'shown', 'kind', 'message',
            'at', opened_at)), 'promise', NULL, 'question', NULL, 'conflicts', '[]'::jsonb,
        'survey', NULL, 'actions', jsonb_build_array(jsonb_build_object('name', 'snooze', 'label',
            'Later', 'fields', '[]'::jsonb, 'is_primary', false))), 1, last_said_at
    FROM (
        SELECT *, gen_random_uuid() AS u,
            CASE WHEN id %% %(every)s = 0 THEN 'needs_you' ELSE 'quiet' END AS s
        FROM notifications_journey WHERE id > %(after)s
    ) j
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Big:
    """The household with the most cards, and its owner."""

    household: Household
    owner: Owner
    cards: int


def grow(*, rows: int, others: list[int], big: int) -> Big:
    """Store `rows` cards, the newest `big` of them for one new household."""
    owner = OwnerFactory.create()
    household = HouseholdFactory.create()
    now = clock.now()
    MembershipFactory.create(owner=owner, household=household)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SELECT coalesce(max(id), 0) FROM notifications_journey")
        values = {
            "after": cursor.fetchone()[0],
            "rows": rows,
            "big": big,
            "household": household.pk,
            "homes": others,
            "count": len(others),
            "every": NEEDS_YOU_EVERY,
            "now": now,
        }
        cursor.execute(_JOURNEYS, values)
        cursor.execute(_CARDS, values)
        cursor.execute(
            "UPDATE owners_household SET needs_you_count = (SELECT count(*) FROM"
            " notifications_card WHERE household_id = %s AND section = 'needs_you') WHERE id = %s",
            [household.pk, household.pk],
        )
    # The counts are kept with every write of a card; here they are made once.
    looked = Membership.objects.filter(owner=owner)
    looked.update(looked_at=None, new_count=big)
    world.settle()
    return Big(household=household, owner=owner, cards=big)
