"""A week with Steward, as its owner lives it: wishes, a journey, a push that was missed, a report.

Signed events come in, messages go out to real servers on this machine; only the clock is ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from notifications import pipeline
from notifications.choices import DeliveryPurpose
from notifications.models import Delivery, Notification
from notifications.replay import crowd
from owners import clock
from suppliers.models import Contact
from tests.api.conftest import app_of
from tests.delivery import push_service
from tests.delivery.conftest import Mailbox
from tests.delivery.push_service import PushService
from tests.delivery.test_kills import device
from tests.delivery.test_mail import stop_path
from tests.delivery.twilio import Twilio
from tests.factories import START, Cast
from tests.wire.sending import event, post

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOKYO = ZoneInfo("Asia/Tokyo")
SUNDAY = 6
SEVEN = {"amount": "7.00", "currency": "USD"}

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Week:
    """The clock, what Skyline says while it runs, and where messages go."""

    cast: Cast
    twilio: Twilio
    mailbox: Mailbox
    pushed: PushService
    settings: Any
    now: datetime = START
    said: int = 0

    @property
    def reach(self) -> str:
        return f"/api/v1/reach/{self.cast.household.uuid}/"

    def mails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(one.content or b"", policy=policy.default)  # type: ignore[arg-type]
            for one in self.mailbox.taken
        ]

    def until(self, at: datetime) -> None:
        """Let everything that falls due by `at` happen, each at its time."""
        crowd.run_to(at + timedelta(microseconds=1), self.now)
        self.now = at

    def say(self, name: str, **data: Any) -> None:
        self.said += 1
        sent = event(
            self.cast,
            self.said,
            type=name,
            time=self.now.isoformat(),
            data={"owner": self.cast.mandate.owner_ref, "asset": {"serial": "R15-204477"}, **data},
        )
        assert post(sent, at=self.now, now=self.now).status_code == 202
        with clock.fixed(self.now):
            pipeline.drain(now_fn=clock.now)


@pytest.fixture
def week(cast: Cast, twilio: Twilio, mailbox: Mailbox, pushed: PushService, settings: Any) -> Week:
    return Week(cast, twilio, mailbox, pushed, settings)


@pytest.fixture
def pushed(cast: Cast, settings: Any) -> Iterator[PushService]:
    settings.REACH_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    with push_service.running() as service:
        device(cast, endpoint=f"{service.address}/phone", keys=service.keys())
        yield service


def at_browser(cast: Cast) -> Client:
    browser = Client()
    browser.force_login(cast.ana)
    return browser


def words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def whys(app: APIClient) -> dict[str, str]:
    """Return why each was told, by its reason."""
    return {row["reason"]: row["why"] for row in notifications(app)}


def notifications(app: APIClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.get("/api/v1/notifications/").json()["results"]
    return found


def visit(start: datetime, *, sequence: int, said: datetime) -> dict[str, object]:
    return {
        "uid": "job-1",
        "sequence": sequence,
        "dtstamp": said.isoformat(),
        "start": start.isoformat(),
        "end": (start + 2 * HOUR).isoformat(),
        "zone": "America/New_York",
        "kind": "visit",
    }


def wish(week: Week) -> None:
    """SMS is preferred, nights are quiet, and the device is in Tokyo."""
    wishes = {
        "prefers": "sms",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "has_quiet_exceptions": False,
        "is_digest_weekly": True,
        "digest_weekday": SUNDAY,
        "digest_at": "18:00",
        "has_digest_mail": True,
        "has_digest_changes": True,
        "topics": [
            {"topic": "money", "moment": "now", "channel": "email"},
        ],
    }
    with time_machine.travel(week.now, tick=False):
        assert app_of(week.cast.ana).patch(week.reach, wishes).status_code == 200
        at_browser(week.cast).post("/preferences/here/", {"zone": "Asia/Tokyo"})


def night_keeps_the_message_back(week: Week) -> datetime:
    """It is 22:00 in Tokyo and 08:00 at home: the SMS of a near visit waits until 07:00."""
    app = app_of(week.cast.ana)
    start = START + 20 * HOUR
    week.say("appointment.requested", **visit(start, sequence=0, said=week.now))
    week.until(START + HOUR)
    moved = start + HOUR
    week.say("appointment.updated", **visit(moved, sequence=1, said=week.now))
    week.until(START + 9 * HOUR - timedelta(minutes=1))
    assert week.twilio.bodies() == []
    week.until(START + 9 * HOUR + timedelta(minutes=10))
    assert len(week.twilio.bodies()) == 1
    assert week.now.astimezone(TOKYO).hour == 7
    assert "It waited for the end of your quiet hours." in whys(app)["booked"]
    return moved


def a_push_nobody_looks_at(week: Week, moved: datetime) -> None:
    """Now such news comes by push. Nobody looks at it: the next channel is tried in time."""
    app = app_of(week.cast.ana)
    change = {"topics": [{"topic": "changed", "moment": "now", "channel": "push"}]}
    assert app.patch(week.reach, change).status_code == 200
    later = moved + 5 * HOUR
    week.until(START + 11 * HOUR)
    week.say("appointment.updated", **visit(later, sequence=2, said=week.now))
    week.until(week.now + timedelta(minutes=10))
    assert (len(week.pushed.taken), len(week.twilio.bodies())) == (1, 1)
    deadline = Notification.objects.get(reason="moved").deadline
    assert deadline is not None
    week.until(deadline - HOUR - timedelta(minutes=1))
    assert len(week.twilio.bodies()) == 2
    # It says when at home, where the visit is, and by which channels it was tried.
    home = moved.astimezone(ZoneInfo(week.cast.ana.zone))
    assert f"(was Tue {home.day} Nov, {home:%H:%M}" in week.twilio.bodies()[1]
    assert "Times in New York." in week.twilio.bodies()[1]
    [told] = [row for row in notifications(app) if row["reason"] == "moved"]
    assert told["why"] == "It is your wish for: a time, place or price changed."
    tried = [(row["channel"], row["outcome"]) for row in told["deliveries"]]
    assert tried[:2] == [("push", "sent"), ("sms", "sent")]
    with time_machine.travel(week.now, tick=False):
        link = week.twilio.bodies()[1].rpartition("http://localhost:8000")[2]
        assert at_browser(week.cast).get(link, follow=True).status_code == 200
    week.until(later)
    assert week.mailbox.taken == []


def a_bill_whose_mails_end(week: Week) -> None:
    """A bill comes by mail, whose button ends such mails; the next comes otherwise."""
    week.until(START + 2 * DAY + 12 * HOUR)
    bill = {"total": {"amount": "49.00", "currency": "USD"}, "dueDate": "2026-11-12"}
    week.say("invoice.issued", invoiceNumber="INV-1", **bill)
    week.until(week.now + DAY)
    [mail] = week.mails()
    assert "49.00" in words(mail)
    assert Client().post(stop_path(mail, week.settings)).status_code == 200
    week.say("invoice.issued", invoiceNumber="INV-2", **bill | {"total": SEVEN})
    week.until(week.now + DAY)
    assert len(week.mails()) == 1
    assert "7.00" in week.twilio.bodies()[-1]
    check = visit(START + 12 * DAY, sequence=0, said=week.now) | {"uid": "job-2"}
    week.say("appointment.requested", **check)


def one_summary_on_sunday(week: Week) -> None:
    """What changed silently comes once, on Sunday evening where the owner is."""
    week.until(START + 11 * DAY)
    [_, digest] = week.mails()
    assert words(digest).startswith("- Changed: Visit: Sat 21 Nov")
    sent = Delivery.objects.get(purpose=DeliveryPurpose.DIGEST).sent_at
    assert sent is not None
    at = sent.astimezone(TOKYO)
    assert (at.weekday(), at.hour, at.minute) == (SUNDAY, 18, 0)


def a_report_to_believe(week: Week) -> None:
    """The month's report counts what was lived, and every number opens what it counts."""
    with time_machine.travel(week.now, tick=False):
        browser = at_browser(week.cast)
        page = browser.get("/report/2026-11/").content.decode()
        promises = browser.get("/report/2026-11/promises/").content.decode()
    assert "6 contacts came in, 6 reached you" in page
    assert week.said == Contact.objects.filter(household=week.cast.household).count() == 6
    assert "You were interrupted 5 times." in page
    assert Delivery.objects.filter(notification__level="interrupt", step=0).count() == 5
    assert "0 of 2 promises and visits were kept." in page
    assert "Visit: moved less than 24 hours before" in promises
    assert "Visit: nobody came" in promises


def test_a_week(week: Week) -> None:
    wish(week)
    moved = night_keeps_the_message_back(week)
    a_push_nobody_looks_at(week, moved)
    a_bill_whose_mails_end(week)
    one_summary_on_sunday(week)
    a_report_to_believe(week)
