"""Delta sync: everything once, nothing missed under concurrent writers, and stale writes told."""

import random
import threading
import time
from typing import Any

import pytest
from django.db import connection, connections, transaction
from rest_framework.test import APIClient

from assets.models import Asset
from notifications.models import Appointment, Card, Change, Journey
from owners.models import Membership
from suppliers.models import Mandate, Role, Supplier
from tests import factories
from tests.api.conftest import app_of


@pytest.fixture(autouse=True)
def _committed(transactional_db: None) -> None:
    """What is still under way is not handed out, so the tests commit."""


def asked(app: APIClient, since: str = "", limit: int = 100) -> tuple[list[dict[str, Any]], str]:
    """Return everything behind a cursor, and the next cursor."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = app.get("/api/v1/changes/", {"since": since, "limit": str(limit)})
        assert answer.status_code == 200, answer.content
        page = answer.json()
        rows += page["results"]
        since = page["cursor"]
        if not page["has_more"]:
            return rows, since


def ids(rows: list[dict[str, Any]], kind: str) -> list[str]:
    return [row["id"] for row in rows if row["kind"] == kind]


def matter(cast: factories.Cast, **more: Any) -> Journey:
    journey: Journey = factories.JourneyFactory.create(
        household=cast.household, asset=cast.dvr, suppliers=[cast.skyline.pk], **more
    )
    factories.CardFactory.create(journey=journey)
    factories.AppointmentFactory.create(journey=journey, supplier=cast.skyline)
    return journey


def test_a_copy_starts_with_everything_and_then_hears_only_of_changes(
    cast: factories.Cast,
) -> None:
    ana, journey = app_of(cast.ana), matter(cast)
    first, cursor = asked(ana, limit=2)
    assert {row["kind"] for row in first} == {"journey", "card", "asset", "supplier", "appointment"}
    assert ids(first, "journey") == [str(journey.uuid)]
    asset = next(row for row in first if row["kind"] == "asset")
    assert asset["object"] == ana.get(f"/api/v1/assets/{cast.dvr.uuid}/").json()
    assert asked(ana, cursor)[0] == []
    Asset.objects.filter(pk=cast.dvr.pk).update(name="Kitchen DVR")
    changed, cursor = asked(ana, cursor)
    assert [(row["kind"], row["object"]["name"]) for row in changed] == [("asset", "Kitchen DVR")]
    assert changed[0]["version"] > asset["version"]
    assert asked(ana, cursor)[0] == []


def test_a_write_that_changes_nothing_is_no_change(cast: factories.Cast) -> None:
    ana, journey = app_of(cast.ana), matter(cast)
    cursor = asked(ana)[1]
    journey.save()
    assert asked(ana, cursor)[0] == []


def test_what_is_deleted_merged_away_or_no_longer_seen_leaves_a_tombstone(
    cast: factories.Cast,
) -> None:
    ana, journey = app_of(cast.ana), matter(cast)
    cursor = asked(ana)[1]
    Journey.objects.filter(pk=journey.pk).update(is_emptied=True)
    Card.objects.all().delete()
    Appointment.objects.all().delete()
    Mandate.objects.all().delete()
    Role.objects.all().delete()
    rows, cursor = asked(ana, cursor)
    assert {row["kind"] for row in rows} == {"journey", "card", "appointment", "supplier"}
    assert all(row["is_deleted"] and row["object"] is None for row in rows)
    Journey.objects.filter(pk=journey.pk).update(is_emptied=False)
    assert ids(asked(ana, cursor)[0], "journey") == [str(journey.uuid)]


def test_a_suppliers_own_name_reaches_all_who_have_it(cast: factories.Cast) -> None:
    ana, mallory = app_of(cast.ana), app_of(cast.mallory)
    hers, his = asked(ana)[1], asked(mallory)[1]
    Supplier.objects.filter(pk=cast.skyline.pk).update(name="Skyline One")
    (row,), _cursor = asked(ana, hers)
    assert row["object"]["name"] == "Skyline One"
    assert asked(mallory, his)[0] == []


def test_nobody_hears_of_another_household(cast: factories.Cast) -> None:
    matter(cast)
    assert asked(app_of(cast.mallory))[0] == []


def test_who_joins_a_household_gets_all_of_it_and_who_leaves_is_told(cast: factories.Cast) -> None:
    journey, mallory = matter(cast), app_of(cast.mallory)
    cursor = asked(mallory)[1]
    membership = factories.MembershipFactory.create(household=cast.household, owner=cast.mallory)
    rows, cursor = asked(mallory, cursor)
    assert ids(rows, "journey") == [str(journey.uuid)]
    Membership.objects.filter(pk=membership.pk).delete()
    (gone,), cursor = asked(mallory, cursor)
    assert (gone["kind"], gone["id"], gone["is_deleted"]) == (
        "household",
        str(cast.household.uuid),
        True,
    )
    assert asked(mallory, cursor)[0] == []


def test_cursors_that_are_not_ours_start_again(cast: factories.Cast) -> None:
    ana = app_of(cast.ana)
    for nonsense in ("x", "e30", "ü", "W10", "A" * 30_000):
        answer = ana.get("/api/v1/changes/", {"since": nonsense})
        assert answer.status_code == 410
        assert answer.json()["code"] == "cursor"


def test_a_restored_copy_hides_nothing(cast: factories.Cast) -> None:
    """A dump carries numbers that the new server has not reached."""
    Change.objects.update(xact=2**40)
    rows, _cursor = asked(app_of(cast.ana))
    rows += asked(app_of(cast.ana))[0]
    assert str(cast.dvr.uuid) in ids(rows, "asset")


def test_a_change_that_commits_late_is_not_missed(cast: factories.Cast) -> None:
    """The first to begin is the last to commit: the cursor must wait for it."""
    ana = app_of(cast.ana)
    cursor = asked(ana)[1]
    began, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            factories.AssetFactory.create(household=cast.household, name="Slow")
            began.set()
            may_end.wait(20)
        connections.close_all()

    writer = threading.Thread(target=slow)
    writer.start()
    assert began.wait(20)
    factories.AssetFactory.create(household=cast.household, name="Quick")
    early, cursor = asked(ana, cursor)
    may_end.set()
    writer.join(20)
    late, cursor = asked(ana, cursor)
    names = [row["object"]["name"] for row in (*early, *late)]
    assert "Slow" not in [row["object"]["name"] for row in early]
    assert sorted(names) == ["Quick", "Slow"]


def test_a_reader_beside_many_writers_ends_with_an_equal_copy(cast: factories.Cast) -> None:
    ana, copy, cursor = app_of(cast.ana), {}, ""
    things = [factories.AssetFactory.create(household=cast.household) for _ in range(6)]
    is_over = threading.Event()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(15):
            with transaction.atomic():
                asset = chance.choice(things)
                Asset.objects.filter(pk=asset.pk).update(name=f"{seed} {number}")
                time.sleep(chance.random() / 100)
                if chance.random() < 0.2:
                    transaction.set_rollback(True)
        connections.close_all()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    while not is_over.is_set():
        if not any(writer.is_alive() for writer in writers):
            is_over.set()
        rows, cursor = asked(ana, cursor, limit=3)
        copy.update({row["id"]: row["object"]["name"] for row in rows if row["kind"] == "asset"})
    mine = Asset.objects.filter(household=cast.household)
    assert copy == {str(asset.uuid): asset.name for asset in mine}


def test_changes_take_the_same_queries_for_one_object_and_many(
    cast: factories.Cast, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        matter(cast)
    ana = app_of(cast.ana)
    ana.get("/api/v1/changes/")
    with django_assert_max_num_queries(18):
        assert len(ana.get("/api/v1/changes/").json()["results"]) >= 50


def test_a_deleted_household_leaves_no_changes_behind(cast: factories.Cast) -> None:
    assert Change.objects.filter(household=cast.mallory_household.pk).count() == 0
    factories.AssetFactory.create(household=cast.mallory_household)
    cast.mallory_household.delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM notifications_change WHERE household_id = %s",
            [cast.mallory_membership.household_id],
        )
        assert cursor.fetchone() == (0,)


# -- stale writes ----------------------------------------------------------------------


def test_a_stale_change_of_an_asset_is_told_what_it_is_now(cast: factories.Cast) -> None:
    ana, address = app_of(cast.ana), f"/api/v1/assets/{cast.dvr.uuid}/"
    etag = ana.get(address)["ETag"]
    first = ana.patch(address, {"name": "First"}, HTTP_IF_MATCH=etag)
    assert first.status_code == 200
    stale = ana.patch(address, {"name": "Second"}, HTTP_IF_MATCH=etag)
    assert stale.status_code == 409
    assert stale.json()["code"] == "stale"
    assert stale.json()["current"]["name"] == "First"
    again = ana.patch(address, {"name": "Second"}, HTTP_IF_MATCH=stale.json()["etag"])
    assert again.status_code == 200


def test_a_stale_action_on_a_card_does_nothing(cast: factories.Cast) -> None:
    ana, journey = app_of(cast.ana), matter(cast)
    rows, _cursor = asked(ana)
    etag = next(row["etag"] for row in rows if row["kind"] == "card")
    card = Card.objects.get(journey=journey)
    card.body["title"] = "Moved"
    card.save()
    stale = ana.post(
        f"/api/v1/feed/{card.uuid}/actions/reply/", {"text": "Yes"}, HTTP_IF_MATCH=etag
    )
    assert stale.status_code == 409
    assert stale.json()["current"]["title"] == "Moved"
    assert not journey.decisions.exists()
