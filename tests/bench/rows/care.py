"""Ten thousand tasks of care that fall due at one moment: worked out, and each a matter."""

import time
from datetime import UTC, datetime, timedelta

from assets.models import Asset, CareTask
from notifications import pipeline, upkeep
from notifications.models import CareCall, Journey
from owners.models import Household
from tests import factories
from tests.bench.bench import Bench, Row

WORK = "{count:,} tasks of care that fall due at once, in {homes} households"
TARGET = "worked out and called for in < 20 s"
HOMES = 100
PLANNED = datetime(2026, 1, 5, 9, tzinfo=UTC)
FALL_DUE = datetime(2026, 6, 1, 9, tzinfo=UTC)


def measure(bench: Bench) -> Row:
    """Work the tasks out as the sweep does, and see how long until each has its matter."""
    count = min(bench.scale, 10_000)
    tasks = planned(count)
    began = time.monotonic()
    while upkeep.sweep(now=FALL_DUE):
        pass
    swept = time.monotonic() - began
    called = CareCall.objects.filter(task__in=tasks).count()
    pipeline.drain(now_fn=lambda: FALL_DUE)
    told = time.monotonic() - began
    matters = Journey.objects.filter(household__name__startswith="Care ").count()
    return Row(
        work=WORK.format(count=count, homes=min(HOMES, count)),
        target=TARGET,
        ours=f"{swept:.1f} s ({count / swept:.0f}/s); every matter on its card after {told:.0f} s",
        floor=f"{called:,} calls, {matters:,} matters",
        is_met=swept < 20 and called == matters == count,
    )


def planned(count: int) -> list[int]:
    """Store the tasks with their things, as planning leaves them: turning on one day."""
    homes = [
        Household(name=f"Care {number}", zone="UTC", intake_alias=f"care{number:012}")
        for number in range(min(HOMES, count))
    ]
    Household.objects.bulk_create(homes)
    owner = factories.OwnerFactory.create()
    for home in homes:
        factories.MembershipFactory.create(household=home, owner=owner)
    things = [
        Asset(household=homes[number % len(homes)], name=f"Thing {number}")
        for number in range(count)
    ]
    Asset.objects.bulk_create(things, batch_size=1000)
    anchor = (FALL_DUE + timedelta(days=10)).date().isoformat()
    yearly = {"kind": "calendar", "mode": "fixed", "every": 1, "unit": "year", "anchor": anchor}
    tasks = [
        CareTask(
            household_id=thing.household_id,
            asset=thing,
            name="Service",
            triggers=[yearly],
            created_at=PLANNED,
            turns_at=FALL_DUE - timedelta(hours=1),
        )
        for thing in things
    ]
    CareTask.objects.bulk_create(tasks, batch_size=1000)
    return [task.pk for task in tasks]
