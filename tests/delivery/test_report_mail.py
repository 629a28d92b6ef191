"""The monthly report goes out like any mail: plain and HTML, ended by one click."""

from datetime import UTC, datetime

from django.test import Client

from notifications import delivery, month_mail, transports
from notifications.choices import DeliveryPurpose, DeliveryState
from notifications.models import Delivery, ReportWish
from owners.models import Channel
from suppliers.choices import Outcome
from tests.delivery.conftest import Mailbox
from tests.delivery.test_mail import read, stop_path, words
from tests.factories import START, Cast, ContactFactory

FIRST = datetime(2026, 12, 1, 23, 0, tzinfo=UTC)  # 18:00 in New York


def test_the_report_arrives_with_why_it_came_and_how_to_end_it(
    cast: Cast, mailbox: Mailbox, settings: object
) -> None:
    ContactFactory.create(
        household=cast.household, supplier=cast.skyline, said_at=START, outcome=Outcome.SHOWN
    )
    month_mail.wish(owner=cast.ana, household=cast.household, is_on=True, now=START)
    month_mail.make_due(now=FIRST)
    delivery.deliver_due(now=FIRST)
    transports.close()
    (mail,) = read(mailbox)
    assert mail["Subject"] == f"{cast.household.name}: your report for November 2026"
    for said in (words(mail, "plain"), words(mail, "html")):
        assert "1 contact came in" in said
        assert "You get this because you asked for the report of each month by e-mail." in said
        assert "/report/2026-11/" in said
        assert "/preferences/" not in said
    Client().post(stop_path(mail, settings))
    assert not ReportWish.objects.exists()
    sent = Delivery.objects.get(purpose=DeliveryPurpose.REPORT)
    assert sent.state == DeliveryState.SENT


def test_who_has_no_address_left_has_the_page_and_keeps_the_wish(cast: Cast) -> None:
    Channel.objects.filter(owner=cast.ana, kind="email").delete()
    month_mail.wish(owner=cast.ana, household=cast.household, is_on=True, now=START)
    assert month_mail.make_due(now=FIRST) == 1
    assert not Delivery.objects.filter(purpose=DeliveryPurpose.REPORT).exists()
    assert ReportWish.objects.get().next_at > FIRST
