"""What the asset itself says: care that is due is one matter, under all rules of telling."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from assets import caring, register
from assets.care_words import CareStatus, MarkKind
from assets.models import CareTask, ServiceRecord
from assets.undos import UNDOS
from notifications import calendar, feed, pipeline, upkeep
from notifications.choices import JourneyState, NotificationState, Section
from notifications.models import Card, CareCall, Journey, Notification
from owners import undoing
from owners.choices import Level, Rank, Topic
from owners.models import Change, Membership
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
JULY = datetime(2026, 7, 1, 8, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 20, 8, tzinfo=UTC)
OCTOBER: dict[str, Any] = {
    "name": "Boiler service",
    "triggers": [{"kind": "calendar", "mode": "fixed", "unit": "year", "anchor": "2026-10-01"}],
}


@pytest.fixture
def task() -> CareTask:
    """Ana's boiler wants a service every October."""
    membership: Any = factories.MembershipFactory(rank=Rank.ADMIN)
    asset: Any = factories.AssetFactory(household=membership.household, name="Boiler")
    return caring.add(asset=asset, spec=OCTOBER, now=JULY, owner=membership.owner)


def ana(task: CareTask) -> Any:
    return Membership.objects.get(household=task.household, rank=Rank.ADMIN).owner


def run(at: datetime) -> None:
    pipeline.drain(now_fn=lambda: at)


def card() -> Card:
    return Card.objects.select_related("journey").get()


def put_back(task: CareTask, kind: str, at: datetime) -> None:
    change = Change.objects.filter(kind=kind, undone_at=None).latest("pk")
    undoing.put_back(change=change, owner=ana(task), ways=UNDOS, now=at)


def test_nothing_is_said_before_the_lead_begins(task: CareTask) -> None:
    run(SEPTEMBER - 30 * DAY)
    assert not Card.objects.exists()


def test_due_care_opens_one_matter_that_needs_the_owner(task: CareTask) -> None:
    run(SEPTEMBER)
    run(SEPTEMBER + DAY)
    run(SEPTEMBER + 60 * DAY)
    found = card()
    assert found.section == Section.NEEDS_YOU
    assert found.title == "Boiler: Boiler service, due Thu 1 Oct"
    assert [action["name"] for action in found.body["actions"]] == ["done", "snooze", "skip"]
    assert found.journey.asset == task.asset


def test_it_is_told_once_silently_as_care(task: CareTask) -> None:
    for days in (0, 1, 12, 30):
        run(SEPTEMBER + days * DAY)
    told = Notification.objects.filter(state=NotificationState.TOLD)
    assert [(one.topic, one.level) for one in told] == [(Topic.CARE, Level.FEED)]


def test_done_on_the_card_writes_it_down_and_closes(task: CareTask) -> None:
    run(SEPTEMBER)
    journey = card().journey
    feed.act(owner=ana(task), journey=journey, name="done", data={}, now=SEPTEMBER)
    record = ServiceRecord.objects.get()
    assert (record.title, record.tasks, record.done_by) == (
        "Boiler service",
        [task.uuid],
        ana(task),
    )
    assert card().section == Section.DONE
    task.refresh_from_db()
    assert (task.due_on, task.status) == (date(2027, 10, 1), CareStatus.OK)


def test_undo_on_the_card_takes_back_the_work_and_opens_it(task: CareTask) -> None:
    run(SEPTEMBER)
    journey = card().journey
    feed.act(owner=ana(task), journey=journey, name="done", data={}, now=SEPTEMBER)
    feed.act(owner=ana(task), journey=journey, name="undo", data={}, now=SEPTEMBER)
    assert ServiceRecord.objects.get().removed_at is not None
    assert card().section == Section.NEEDS_YOU
    task.refresh_from_db()
    assert task.due_on == date(2026, 10, 1)


def test_done_from_the_asset_closes_the_card_and_undo_opens_it(task: CareTask) -> None:
    run(SEPTEMBER)
    caring.done(task=task, owner=ana(task), now=SEPTEMBER)
    assert card().section == Section.DONE
    put_back(task, caring.DONE, SEPTEMBER)
    assert card().section == Section.NEEDS_YOU
    caring.done(task=task, owner=ana(task), now=SEPTEMBER)
    assert card().section == Section.DONE


def test_put_off_is_quiet_until_that_day(task: CareTask) -> None:
    run(SEPTEMBER)
    until = (SEPTEMBER + 5 * DAY).isoformat()
    feed.act(
        owner=ana(task), journey=card().journey, name="snooze", data={"until": until}, now=SEPTEMBER
    )
    assert card().section == Section.QUIET
    task.refresh_from_db()
    assert task.quiet_until == date(2026, 9, 25)
    run(SEPTEMBER + 6 * DAY)
    assert card().section == Section.NEEDS_YOU


def test_skipped_closes_and_the_next_one_is_another_matter(task: CareTask) -> None:
    run(SEPTEMBER)
    feed.act(owner=ana(task), journey=card().journey, name="skip", data={}, now=SEPTEMBER)
    assert card().section == Section.DONE
    run(SEPTEMBER + 366 * DAY)
    assert Journey.objects.filter(is_emptied=False).count() == 2
    assert Card.objects.filter(section=Section.NEEDS_YOU).count() == 1


def test_moved_says_the_new_day_on_the_same_card(task: CareTask) -> None:
    run(SEPTEMBER)
    later = SEPTEMBER + timedelta(hours=1)
    moved, day = MarkKind.RESCHEDULE, date(2026, 9, 28)
    caring.mark(task=task, kind=moved, owner=ana(task), now=later, until=day)
    run(later)
    assert card().title == "Boiler: Boiler service, due Mon 28 Sep"


def test_dealt_with_before_the_rules_looked_is_no_card(task: CareTask) -> None:
    upkeep.sweep(now=SEPTEMBER)
    assert CareCall.objects.count() == 1
    caring.done(task=task, owner=ana(task), now=SEPTEMBER)
    run(SEPTEMBER)
    assert not Card.objects.exists()


def test_two_tasks_of_one_asset_are_two_matters(task: CareTask) -> None:
    other = OCTOBER | {"name": "Bleed the radiators"}
    caring.add(asset=task.asset, spec=other, now=JULY)
    run(SEPTEMBER)
    assert Card.objects.filter(section=Section.NEEDS_YOU).count() == 2


def test_a_task_that_goes_takes_its_matter_along(task: CareTask) -> None:
    run(SEPTEMBER)
    caring.remove(task=task, owner=ana(task), now=SEPTEMBER)
    assert card().journey.state == JourneyState.CLOSED


def test_an_asset_in_the_bin_is_quiet_and_back_again_it_speaks(task: CareTask) -> None:
    run(SEPTEMBER)
    register.remove(asset=task.asset, owner=ana(task), now=SEPTEMBER)
    assert card().section == Section.DONE
    put_back(task, register.REMOVED, SEPTEMBER)
    assert card().section == Section.NEEDS_YOU


def test_rebuild_gives_the_same_card(task: CareTask) -> None:
    run(SEPTEMBER)
    before = card().body
    feed.rebuild(household=task.household, now=SEPTEMBER)
    assert card().body == before


def test_it_stands_in_the_calendar_and_in_the_file_that_apps_read(task: CareTask) -> None:
    owner = ana(task)
    feed_of = calendar.subscribe(owner=owner, household=task.household, asset=None, now=JULY)
    written = calendar.read(feed=feed_of, now=SEPTEMBER).decode()
    assert "SUMMARY:Boiler: Boiler service" in written
    assert "DTSTART;VALUE=DATE:20261001" in written
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    page = browser.get(reverse("calendar"), {"from": "2026-09-20"}).content.decode()
    assert "Boiler: Boiler service" in page
