"""A repair is as far as its supplier says in its matter, and the owner may correct it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import faults
from assets.choices import Source
from assets.cover_words import OrderState
from assets.models import WorkOrder
from notifications import opening, pipeline, ties
from notifications.choices import AppointmentState
from notifications.models import Journey
from notifications.repairs import FAR, Standing, Visit, standing
from owners import clock
from suppliers import inbox
from tests.factories import Cast
from tests.wire.sending import NOW
from tests.wire.test_processing import received

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
A, S = AppointmentState, OrderState
FRIDAY, MONDAY = date(2026, 11, 13), date(2026, 11, 16)


@pytest.mark.parametrize(
    ("visits", "is_reported", "expected"),
    [
        ([], False, None),
        ([Visit(state=A.REQUESTED)], False, Standing(state=S.REQUESTED)),
        ([Visit(state=A.BOOKED, on=FRIDAY)], False, Standing(state=S.BOOKED, planned_on=FRIDAY)),
        ([Visit(state=A.STARTED, on=FRIDAY)], False, Standing(state=S.IN_PROGRESS)),
        ([Visit(state=A.DONE, on=FRIDAY)], False, Standing(state=S.DONE)),
        # A second visit is to come: it is not done yet.
        ([Visit(state=A.DONE, on=FRIDAY), Visit(state=A.CONFIRMED, on=MONDAY)], True,
         Standing(state=S.BOOKED, planned_on=MONDAY)),
        ([Visit(state=A.CANCELLED, on=FRIDAY)], False, Standing(state=S.REQUESTED)),
        ([Visit(state=A.CANCELLED), Visit(state=A.DONE)], False, Standing(state=S.DONE)),
        ([Visit(state=A.MISSED)], True, Standing(state=S.DONE)),
        ([], True, Standing(state=S.DONE)),
    ],
)  # fmt: skip
def test_how_far_it_is_follows_from_what_was_said(
    visits: list[Visit],
    is_reported: bool,  # noqa: FBT001 - of a table
    expected: Standing | None,
) -> None:
    assert standing(visits, is_reported=is_reported) == expected


@given(
    st.lists(st.builds(Visit, state=st.sampled_from(list(A)), on=st.dates()), max_size=5),
    st.booleans(),
)
def test_the_order_of_visits_says_nothing_and_every_visit_means_something(
    visits: list[Visit],
    is_reported: bool,  # noqa: FBT001 - drawn
) -> None:
    found = standing(visits, is_reported=is_reported)
    assert found == standing(visits[::-1], is_reported=is_reported)
    assert (found is None) == (not visits and not is_reported)
    assert found is None or found.state in FAR


def order(cast: Cast) -> WorkOrder:
    """A repair that Ana arranges with Skyline: its matter stands."""
    row, _change = faults.order(
        asset=cast.dvr, values={"title": "New power supply"}, owner=cast.ana, now=NOW
    )
    with clock.fixed(NOW):
        opened = opening.start(
            owner=cast.ana, household=cast.household, asset=cast.dvr, mandate=cast.mandate,
            text="New power supply", key="1", now=NOW,
        )  # fmt: skip
        faults.arrange(
            order=row, matter=opened.journey, provider="Skyline TV", owner=cast.ana, now=NOW
        )
        pipeline.drain(now_fn=lambda: NOW)
    return row


def say(cast: Cast, number: int, type_: str, *, after: timedelta, **more: Any) -> None:
    at = NOW + after
    data = {"owner": cast.mandate.owner_ref, "asset": {"serial": "R15-204477"}, **more}
    event = received(cast, number, type=type_, data=data, time=at.isoformat())
    inbox.record(received=[event], now=at)
    pipeline.drain(now_fn=lambda: at + timedelta(minutes=1))


def visit(kind: str, *, after: timedelta, sequence: int = 0) -> dict[str, Any]:
    return {
        "uid": "job-1", "sequence": sequence, "dtstamp": (NOW + after).isoformat(),
        "start": "2026-11-13T13:00:00Z", "end": "2026-11-13T17:00:00Z",
        "zone": "America/New_York", "kind": kind,
    }  # fmt: skip


@pytest.mark.django_db
def test_a_repair_is_booked_and_done_as_its_supplier_says(cast: Cast) -> None:
    row = order(cast)
    row.refresh_from_db()
    assert (row.state, row.provider) == (S.REQUESTED, "Skyline TV")
    say(cast, 1, "appointment.requested", after=HOUR, **visit("visit", after=HOUR))
    assert Journey.objects.count() == 1
    row.refresh_from_db()
    assert (row.state, row.planned_on, row.source) == (S.BOOKED, FRIDAY, Source.SUPPLIER)
    work = {"serviceId": "s", "performedAt": "2026-11-13T15:00:00Z", "workDone": ["Power supply"]}
    say(cast, 2, "appointment.completed", after=5 * DAY, uid="job-1", at="2026-11-13T15:00:00Z")
    say(cast, 3, "service.performed", after=5 * DAY + HOUR, **work)
    row.refresh_from_db()
    assert row.state == S.DONE


@pytest.mark.django_db
def test_the_owners_word_stands_until_the_supplier_says_something_new(cast: Cast) -> None:
    row = order(cast)
    say(cast, 1, "appointment.requested", after=HOUR, **visit("visit", after=HOUR))
    row.refresh_from_db()
    at = NOW + 2 * HOUR
    faults.change_order(order=row, values={"state": S.PLANNED}, owner=cast.ana, now=at)
    pipeline.drain(now_fn=lambda: at + HOUR)
    row.refresh_from_db()
    assert (row.state, row.source) == (S.PLANNED, Source.SELF)
    say(cast, 2, "appointment.confirmed", after=4 * HOUR, uid="job-1", sequence=1,
        dtstamp=(NOW + 4 * HOUR).isoformat())  # fmt: skip
    row.refresh_from_db()
    assert (row.state, row.source) == (S.BOOKED, Source.SUPPLIER)


@pytest.mark.django_db
def test_a_bill_fills_an_amount_that_nobody_wrote(cast: Cast) -> None:
    row = order(cast)
    say(cast, 1, "appointment.requested", after=HOUR, **visit("visit", after=HOUR))
    bill = {"invoiceNumber": "I-1", "total": {"amount": "80.00", "currency": "USD"}}
    say(cast, 2, "invoice.issued", after=2 * HOUR, dueDate="2026-12-01", **bill)
    row.refresh_from_db()
    assert (row.amount, row.currency) == (Decimal(80), "USD")


@pytest.mark.django_db
def test_the_only_repair_of_a_fault_follows_the_matter_of_the_fault(cast: Cast) -> None:
    issue, _made = faults.report(asset=cast.dvr, values={"title": "Dead"}, owner=cast.ana, now=NOW)
    wish = {"title": "Mend", "issue": issue}
    row, _change = faults.order(asset=cast.dvr, values=wish, owner=cast.ana, now=NOW)
    opened = opening.start(
        owner=cast.ana, household=cast.household, asset=cast.dvr, mandate=cast.mandate,
        text="Dead", key="1", now=NOW,
    )  # fmt: skip
    ties.tie(issue=issue, journey=opened.journey, owner=cast.ana, now=NOW)
    row.refresh_from_db()
    assert row.matter == opened.journey
