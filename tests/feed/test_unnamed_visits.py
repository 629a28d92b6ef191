"""Visits that nobody named, as those arranged by mail or SMS: answered, and brought to an end."""

from datetime import datetime, timedelta

import pytest

from notifications import feed, portal
from notifications.choices import AppointmentState
from notifications.models import Appointment, Card
from owners import clock
from suppliers import inbox, letters
from suppliers.models import OutboundEvent
from tests.factories import Cast
from tests.wire.test_every_type import NOW
from tests.wire.test_three_ways import NUMBER, mail, sms, told

TEXT = "Your technician visit is on Friday, November 13, 2026, 8:00 AM - 12:00 PM."
START = datetime.fromisoformat("2026-11-13T08:00:00-05:00")


@pytest.fixture
def visit(cast: Cast) -> Appointment:
    cast.membership.intake_number = NUMBER
    cast.membership.save()
    told([mail(cast, TEXT)])
    return Appointment.objects.select_related("journey").get()


@pytest.mark.django_db
@pytest.mark.parametrize("way", [mail, sms])
def test_a_visit_without_a_name_is_answered_by_its_matter_and_time(cast: Cast, way) -> None:
    cast.membership.intake_number = NUMBER
    cast.membership.save()
    told([way(cast, TEXT)])
    found = Appointment.objects.select_related("journey").get()
    assert found.uid == ""
    offered = {action["name"] for action in Card.objects.get().body["actions"]}
    assert {"accept", "counter", "decline"} <= offered
    later = NOW + timedelta(hours=1)
    feed.act(owner=cast.ana, journey=found.journey, name="accept", data={}, now=later)
    sent = OutboundEvent.objects.get(type="owner.appointment.accepted")
    assert (sent.journey, sent.data["uid"]) == (found.journey.uuid, "")
    assert datetime.fromisoformat(sent.data["start"]) == START
    for text in (letters.words_of(sent), letters.sms_of(sent)):
        assert "Fri 13 Nov 2026, 08:00 to 12:00" in text
    if way is mail:
        (letter,) = letters.write_all([sent]).values()
        assert letter.headers["In-Reply-To"] == "<m1@skyline.example>"
        assert letter.calendar == ""


@pytest.mark.django_db
def test_its_supplier_says_on_the_portal_how_far_it_is(cast: Cast, visit: Appointment) -> None:
    day = START - timedelta(hours=1)
    for minutes, step in enumerate(("on_my_way", "arrived", "done")):
        at = day + timedelta(minutes=minutes)
        with clock.fixed(at):
            portal.tell_visit(supplier=cast.skyline, visit=visit.uuid, step=step, now=at)
            while inbox.process_due(now=at) or feed.consolidate_due(now=at):
                pass
        visit.refresh_from_db()
    assert Appointment.objects.count() == Card.objects.count() == 1
    assert visit.state == AppointmentState.DONE
    assert visit.uid
