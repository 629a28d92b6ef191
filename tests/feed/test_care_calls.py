"""What the asset itself says: care that is due is one matter, under all rules of telling."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from assets import caring, metering, register
from assets.care_words import CareStatus, MarkKind
from assets.models import CareTask, ServiceRecord
from assets.undos import UNDOS
from notifications import calendar, feed, pipeline, upkeep
from notifications.choices import JourneyState, NotificationState, Section
from notifications.ledger import Ledger
from notifications.models import Card, CareCall, Journey, Notification
from owners import undoing
from owners.choices import Level, Rank, Topic
from owners.models import Change, Membership
from suppliers import inbox
from suppliers.choices import RoleKind, Way
from suppliers.models import Mandate, OutboundEvent
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


def test_what_the_feed_takes_up_while_it_is_done_is_closed_as_well(
    task: CareTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep.sweep(now=SEPTEMBER)  # said, and not yet in the feed
    opened = Ledger.open

    def after_the_feed(*args: Any, **more: Any) -> Ledger:
        monkeypatch.setattr(Ledger, "open", opened)
        feed.consolidate_due(now=SEPTEMBER)  # it held the household's lock, for which we waited
        assert card().section == Section.NEEDS_YOU
        return opened(*args, **more)

    monkeypatch.setattr(Ledger, "open", after_the_feed)
    caring.done(task=task, owner=ana(task), now=SEPTEMBER)
    assert CareCall.objects.get().is_over
    assert Journey.objects.get().state == JourneyState.CLOSED


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


def test_moved_and_moved_back_is_no_contradiction(task: CareTask) -> None:
    run(SEPTEMBER)
    later = {**OCTOBER, "triggers": [{**OCTOBER["triggers"][0], "anchor": "2026-10-03"}]}
    for at, spec in enumerate([later, OCTOBER], start=1):
        caring.change(task=task, spec=spec, owner=ana(task), now=SEPTEMBER + at * DAY)
        run(SEPTEMBER + at * DAY)
    assert card().title == "Boiler: Boiler service, due Thu 1 Oct"


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


# -- whose task it is ---------------------------------------------------------------------


def ben(task: CareTask, rank: Rank = Rank.HELPER) -> Any:
    membership: Any = factories.MembershipFactory(household=task.household, rank=rank)
    return membership.owner


def told_to() -> list[Any]:
    rows = Notification.objects.filter(state=NotificationState.TOLD).order_by("told_at", "pk")
    return [row.owner for row in rows.select_related("owner")]


def assign(task: CareTask, member: Any, at: datetime) -> None:
    task.refresh_from_db()
    spec = caring.spec_of(task)
    caring.change(task=task, spec=spec, assignee=member, owner=ana(task), now=at)


def test_whoever_a_task_is_assigned_to_is_told_and_nobody_else(task: CareTask) -> None:
    member = ben(task)
    assign(task, member, JULY)
    run(SEPTEMBER)
    run(SEPTEMBER + DAY)
    assert told_to() == [member]


def test_assigned_anew_the_next_one_is_told_too(task: CareTask) -> None:
    member = ben(task)
    run(SEPTEMBER)
    run(SEPTEMBER + DAY)
    assert told_to() == [ana(task)]
    assign(task, member, SEPTEMBER + DAY)
    run(SEPTEMBER + 2 * DAY)
    run(SEPTEMBER + 3 * DAY)
    assert told_to() == [ana(task), member]
    assert Journey.objects.filter(is_emptied=False).count() == 1


def test_assigned_to_nobody_the_keeper_is_told(task: CareTask) -> None:
    member, keeper = ben(task), ben(task, Rank.MEMBER)
    task.asset.keeper = keeper
    task.asset.save()
    assign(task, member, JULY)
    run(SEPTEMBER)
    run(SEPTEMBER + DAY)
    assign(task, None, SEPTEMBER + DAY)
    run(SEPTEMBER + 2 * DAY)
    run(SEPTEMBER + 3 * DAY)
    assert told_to() == [member, keeper]


def test_who_left_the_household_is_told_nothing(task: CareTask) -> None:
    member = ben(task)
    assign(task, member, JULY)
    Membership.objects.filter(owner=member).delete()
    run(SEPTEMBER)
    run(SEPTEMBER + DAY)
    assert told_to() == [ana(task)]


# -- with its reading, and booked -----------------------------------------------------------


def test_done_with_a_reading_and_a_cost_in_one_tap(task: CareTask) -> None:
    meter = metering.add(asset=task.asset, values={"name": "Hours", "unit": "h"}, now=JULY)
    run(SEPTEMBER)
    data = {"reading": "1204", "amount": "180.50"}
    feed.act(owner=ana(task), journey=card().journey, name="done", data=data, now=SEPTEMBER)
    record = ServiceRecord.objects.get()
    assert record.cost is not None
    assert record.cost.amount == Decimal("180.50")
    assert record.readings.get().value == Decimal(1204)
    assert record.readings.get().meter == meter


@pytest.mark.parametrize("data", [{"reading": "many"}, {"reading": "-1"}, {"amount": "NaN"}])
def test_what_is_no_number_is_refused_with_its_field(task: CareTask, data: dict[str, str]) -> None:
    run(SEPTEMBER)
    with pytest.raises(feed.ActionError) as refused:
        feed.act(owner=ana(task), journey=card().journey, name="done", data=data, now=SEPTEMBER)
    assert refused.value.field == next(iter(data))
    assert not ServiceRecord.objects.exists()


WINDOWS = [{"start": "2026-09-28T08:00:00+00:00", "end": "2026-09-28T12:00:00+00:00"}]


@pytest.fixture
def warm(task: CareTask) -> Mandate:
    """The supplier that serves the boiler, and may be asked."""
    mandate: Any = factories.MandateFactory(household=task.household)
    mandate.assets.set([task.asset])
    factories.RoleFactory(
        household=task.household,
        asset=task.asset,
        supplier=mandate.supplier,
        kind=RoleKind.REPAIRER,
    )
    found: Mandate = mandate
    return found


def book(task: CareTask, at: datetime = SEPTEMBER) -> None:
    run(at)
    journey = Journey.objects.get(is_emptied=False)
    feed.act(owner=ana(task), journey=journey, name="book", data={"windows": WINDOWS}, now=at)
    run(at + timedelta(seconds=30))


def hear(mandate: Mandate, kind: str, when: datetime, **data: Any) -> None:
    """Let the supplier answer, quoting what it was asked with."""
    asked = OutboundEvent.objects.get(type="owner.appointment.requested").data
    asset = {"ref": asked["asset"]["ref"]}
    tell(mandate, kind, when, {"refs": asked["refs"], "asset": asset, **data})


def confirm(mandate: Mandate, at: datetime) -> None:
    start, end = WINDOWS[0]["start"], WINDOWS[0]["end"]
    hear(
        mandate,
        "appointment.confirmed",
        at,
        uid="v-1@warm",
        sequence=0,
        dtstamp=at.isoformat(),
        start=start,
        end=end,
    )


def test_the_card_offers_to_book_who_serves_the_thing(task: CareTask, warm: Mandate) -> None:
    run(SEPTEMBER)
    labels = {action["name"]: action["label"] for action in card().body["actions"]}
    assert labels["book"] == f"Book {warm.supplier.name}"


def test_booked_it_is_asked_for_and_the_card_waits(task: CareTask, warm: Mandate) -> None:
    book(task)
    sent = OutboundEvent.objects.get(type="owner.appointment.requested")
    assert (sent.supplier, sent.data["windows"]) == (warm.supplier, WINDOWS)
    assert sent.data["body"] == "Boiler service"
    assert card().section == Section.QUIET
    run(SEPTEMBER + 8 * DAY)
    assert card().section == Section.NEEDS_YOU  # nobody answered for a week


def test_the_answer_joins_the_matter(task: CareTask, warm: Mandate) -> None:
    book(task)
    confirm(warm, SEPTEMBER + DAY)
    assert card().section == Section.ON_ITS_WAY
    assert card().title.startswith("Visit: Mon 28 Sep")
    # Nobody accepts what they asked for themselves.
    assert "accept" not in {action["name"] for action in card().body["actions"]}


def test_booked_by_mistake_is_undone_before_it_goes_out(task: CareTask, warm: Mandate) -> None:
    run(SEPTEMBER)
    data = {"windows": WINDOWS}
    journey = card().journey
    feed.act(owner=ana(task), journey=journey, name="book", data=data, now=SEPTEMBER)
    feed.act(owner=ana(task), journey=journey, name="undo", data={}, now=SEPTEMBER)
    run(SEPTEMBER + DAY)
    assert not OutboundEvent.objects.filter(type="owner.appointment.requested").exists()
    assert card().section == Section.NEEDS_YOU


def test_nobody_to_ask_is_said(task: CareTask) -> None:
    run(SEPTEMBER)
    with pytest.raises(feed.ActionError) as refused:
        book(task)
    assert refused.value.field == "supplier"


def finished(mandate: Mandate, at: datetime) -> None:
    hear(mandate, "appointment.completed", at, uid="v-1@warm", at=at.isoformat())


AFTER = datetime(2026, 9, 28, 11, tzinfo=UTC)


def test_yes_it_is_done_closes_the_task_by_whoever_did_it(task: CareTask, warm: Mandate) -> None:
    meter = metering.add(asset=task.asset, values={"name": "Hours", "unit": "h"}, now=JULY)
    book(task)
    confirm(warm, SEPTEMBER + DAY)
    finished(warm, AFTER)
    assert card().body["question"] == "Is it done: Boiler service?"
    assert card().body["actions"][0]["name"] == "works"
    later = AFTER + DAY
    data = {"reading": "1210", "amount": "180"}
    feed.act(owner=ana(task), journey=card().journey, name="works", data=data, now=later)
    record = ServiceRecord.objects.get()
    assert (record.provider, record.done_on) == (warm.supplier.name, date(2026, 9, 28))
    assert record.readings.get().meter == meter
    assert card().section == Section.DONE
    task.refresh_from_db()
    assert task.due_on == date(2027, 10, 1)
    assert OutboundEvent.objects.filter(type="owner.journey.closed").count() == 1


def test_undo_of_that_opens_both_again(task: CareTask, warm: Mandate) -> None:
    book(task)
    confirm(warm, SEPTEMBER + DAY)
    finished(warm, AFTER)
    feed.act(owner=ana(task), journey=card().journey, name="works", data={}, now=AFTER)
    feed.act(owner=ana(task), journey=card().journey, name="undo", data={}, now=AFTER)
    task.refresh_from_db()
    assert task.due_on == date(2026, 10, 1)
    assert card().section == Section.NEEDS_YOU


def test_silence_after_the_work_completes_the_task_and_says_who_stated_it(
    task: CareTask, warm: Mandate
) -> None:
    book(task)
    confirm(warm, SEPTEMBER + DAY)
    finished(warm, AFTER)
    run(AFTER + 13 * DAY)
    assert not ServiceRecord.objects.exists()
    run(AFTER + 15 * DAY)
    record = ServiceRecord.objects.get()
    assert (record.provider, record.source, record.done_on) == (
        warm.supplier.name, "supplier", date(2026, 9, 28),
    )  # fmt: skip
    assert (record.cost, record.logged_by) == (None, None)
    task.refresh_from_db()
    assert task.due_on == date(2027, 10, 1)
    assert card().journey.state == JourneyState.CLOSED
    run(AFTER + 40 * DAY)
    assert ServiceRecord.objects.count() == 1


def test_not_yet_after_the_silence_takes_that_back(task: CareTask, warm: Mandate) -> None:
    book(task)
    confirm(warm, SEPTEMBER + DAY)
    finished(warm, AFTER)
    at = AFTER + 15 * DAY
    run(at)
    feed.act(owner=ana(task), journey=card().journey, name="not_yet", data={}, now=at)
    assert ServiceRecord.objects.get().removed_at == at
    task.refresh_from_db()
    assert task.due_on == date(2026, 10, 1)
    assert card().journey.state == JourneyState.OPEN


def test_taken_back_on_its_page_opens_what_silence_closed(task: CareTask, warm: Mandate) -> None:
    book(task)
    confirm(warm, SEPTEMBER + DAY)
    finished(warm, AFTER)
    at = AFTER + 15 * DAY
    run(at)
    caring.unlog(record=ServiceRecord.objects.get(), owner=ana(task), now=at)
    run(at + DAY)
    assert card().journey.state == JourneyState.OPEN
    run(at + 20 * DAY)
    assert card().journey.state == JourneyState.OPEN
    put_back(task, caring.UNDONE, at + 20 * DAY)
    assert card().section != Section.NEEDS_YOU


def test_the_suppliers_report_completes_the_task_and_only_the_owner_closes(
    task: CareTask, warm: Mandate
) -> None:
    book(task)
    confirm(warm, SEPTEMBER + DAY)
    hear(
        warm,
        "service.performed",
        AFTER,
        serviceId="s-1",
        performedAt=AFTER.isoformat(),
        workDone=["Boiler service"],
    )
    task.refresh_from_db()
    assert task.due_on == date(2027, 10, 1)
    assert card().journey.state == JourneyState.OPEN
    feed.act(owner=ana(task), journey=card().journey, name="works", data={}, now=AFTER)
    assert ServiceRecord.objects.count() == 1
    assert card().journey.state == JourneyState.CLOSED


def test_a_suppliers_own_matter_closes_the_due_task_that_is_theirs(
    task: CareTask, warm: Mandate
) -> None:
    spec = OCTOBER | {"provider": warm.supplier.name}
    caring.change(task=task, spec=spec, owner=ana(task), now=JULY)
    run(SEPTEMBER)
    opened = SEPTEMBER + DAY
    event = {"uid": "own-1@warm", "sequence": 0, "dtstamp": opened.isoformat(), "kind": "visit"}
    event |= {"start": WINDOWS[0]["start"], "end": WINDOWS[0]["end"], "zone": "UTC"}
    tell(warm, "appointment.requested", opened, event)
    tell(warm, "appointment.completed", AFTER, {"uid": "own-1@warm", "at": AFTER.isoformat()})
    theirs = Journey.objects.get(suppliers=[warm.supplier_id])
    feed.act(owner=ana(task), journey=theirs, name="works", data={}, now=AFTER)
    assert ServiceRecord.objects.get().provider == warm.supplier.name
    assert not Card.objects.exclude(section=Section.DONE).exists()


def tell(mandate: Mandate, kind: str, at: datetime, data: dict[str, Any]) -> None:
    event = {
        "specversion": "1.0",
        "id": f"{kind}-{at.isoformat()}",
        "source": "/warm",
        "type": kind,
        "time": at.isoformat(),
        "data": {"owner": mandate.owner_ref, **data},
    }
    inbox.record(
        received=[
            inbox.Received(
                supplier_id=mandate.supplier_id,
                household_id=None,
                way=Way.WEBHOOK,
                source="/warm",
                event_id=str(event["id"]),
                type=kind,
                payload=json.dumps(event).encode(),
                routing={},
            )
        ],
        now=at,
    )
    run(at)
