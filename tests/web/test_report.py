"""The monthly report: what each number counts can be opened, and it is the same everywhere."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from notifications import counted, feed, metrics, month_mail, month_pdf, month_words, months
from notifications import messages as mails
from notifications.choices import DeliveryPurpose
from notifications.models import Delivery, Journey, Link, ReportWish
from notifications.months import Month, MonthError, Report
from owners.models import Household, Membership, Owner
from suppliers.choices import Outcome
from suppliers.models import Contact, Supplier
from tests import factories
from tests.web.conftest import played

NOVEMBER = "/report/2026-11/"
NOW = datetime(2026, 11, 13, 23, 35, tzinfo=UTC)  # where the story ends, in the evening
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NIGHTLY = hypothesis.settings.get_current_profile_name() == "nightly"
SITE = "https://steward.example"


@pytest.fixture
def ana(db: None) -> Any:
    """Ana at the end of the story, at that hour."""
    owner = played()
    with time_machine.travel(NOW, tick=False):
        yield owner


@pytest.fixture
def browser(ana: Owner) -> Client:
    """Ana at her browser."""
    client = Client()
    client.force_login(ana)
    return client


def home(owner: Owner) -> Household:
    return Household.objects.for_owner(owner).get()


def month(owner: Owner, text: str = "2026-11", *, now: datetime = NOW) -> Report:
    household = home(owner)
    wanted = Month.parse(text, zone=months.zone_of(owner, household))
    return months.of(owner=owner, household=household, month=wanted, now=now)


def page(browser: Client, path: str) -> str:
    answer = browser.get(path, follow=True)
    assert answer.status_code == 200, path
    return answer.content.decode()


# --- the page ----------------------------------------------------------------------------


def test_it_opens_with_what_came_in_reached_her_and_was_saved(browser: Client) -> None:
    """The story's own sentence: seven contacts, three of them told."""
    html = page(browser, "/report/")
    assert "November 2026" in html
    assert re.search(r"7 contacts came in, 3 reached you, about \d minutes saved", html)


def test_every_number_opens_as_many_events_as_it_says(ana: Owner, browser: Client) -> None:
    report = month(ana)
    lines = [line for part in month_words.parts(report) for line in part.lines]
    named = [line for line in lines if line.name]
    assert len(named) >= 4
    opened = {line.name: line.href for line in named}
    opened |= {stat.name: stat.href for stat in month_words.stats(report)}
    for name, href in opened.items():
        assert page(browser, href).count("<article") == len(report.cases[name]), name


def test_every_link_of_the_report_leads_somewhere(ana: Owner, browser: Client) -> None:
    for line in (line for part in month_words.parts(month(ana)) for line in part.lines):
        if line.href:
            assert page(browser, line.href)


def test_every_measure_says_what_it_counts(browser: Client) -> None:
    assert set(counted.MEANINGS) == set(metrics.NAMES)
    html = page(browser, "/report/how/")
    assert "at most 15 minutes early" in html


@pytest.mark.parametrize("path", ["2026-12", "2026-09", "2026-13", "0000-01", "november", "2026"])
def test_what_is_no_month_of_hers_is_not_found(browser: Client, path: str) -> None:
    assert browser.get(f"/report/{path}/").status_code == 404


def test_months_lead_to_each_other_and_the_one_over_opens_first(ana: Owner) -> None:
    household = home(ana)
    later = NOW + timedelta(days=30)
    assert str(months.latest(owner=ana, household=household, now=later)) == "2026-11"
    november, december = month(ana, now=later), month(ana, "2026-12", now=later)
    assert (str(november.after), str(december.before)) == ("2026-12", "2026-11")
    assert (november.before, december.after) == (None, None)
    assert (november.is_so_far, december.is_so_far) == (False, True)


def test_a_month_in_which_nothing_happened_says_so_and_no_more(ana: Owner) -> None:
    later = NOW + timedelta(days=200)
    quiet = month(ana, "2027-05", now=later)
    assert quiet.is_empty
    assert month_words.parts(quiet) == []
    with time_machine.travel(later, tick=False):
        client = Client()
        client.force_login(ana)
        html = page(client, "/report/2027-05/")
    assert "A quiet month: nothing came in, and nothing is due." in html
    assert "Steward kept watch." in html
    assert "contacts came in" not in html


def test_a_month_begins_and_ends_at_midnight_where_the_owner_lives(cast: factories.Cast) -> None:
    """Half past eight in the evening of the 31st in New York is November in Greenwich."""
    at = datetime(2026, 10, 31, 20, 30, tzinfo=ZoneInfo("America/New_York"))
    said = {"kind": "message", "medium": "email", "said_at": at.astimezone(UTC).isoformat()}
    factories.ContactFactory(household=cast.household, said_at=at, said=said, outcome=Outcome.SHOWN)
    found = [month(cast.ana, text).figures["contacts_received"] for text in ("2026-10", "2026-11")]
    assert found == [1, 0]
    edge = Month.parse("2026-11", zone=ZoneInfo("America/New_York")).period
    lasted = edge.until.astimezone(UTC) - edge.since.astimezone(UTC)
    assert lasted == timedelta(days=30, hours=1)  # the clock went back


@pytest.mark.parametrize(("language", "words"), [("de", "kamen an"), ("it", "arrivat")])
def test_it_speaks_the_owners_language(
    ana: Owner, browser: Client, language: str, words: str
) -> None:
    ana.language = language
    ana.save()
    assert words in page(browser, NOVEMBER)


def test_it_counts_the_readers_notifications_only(ana: Owner) -> None:
    before = month(ana).figures["notifications"]
    ben = factories.OwnerFactory.create()
    factories.MembershipFactory(household=home(ana), owner=ben)
    journey = factories.JourneyFactory(household=home(ana))
    factories.NotificationFactory(journey=journey, owner=ben, told_at=NOW - timedelta(hours=1))
    assert month(ana).figures["notifications"] == before
    assert month(ben).figures["notifications"] == 1


def test_nobody_reads_another_households_report(ana: Owner) -> None:
    mallory = Client()
    mallory.force_login(factories.OwnerFactory.create())
    other = home(ana).uuid
    factories.MembershipFactory(owner=Owner.objects.exclude(pk=ana.pk).latest("pk"))
    for path in (NOVEMBER, "/report/", f"{NOVEMBER}pdf/", f"{NOVEMBER}held/", "/report/log/ocel/"):
        assert mallory.get(f"{path}?household={other}").status_code == 404, path
    supplier = Supplier.objects.for_owner(ana).get()
    assert mallory.get(f"/suppliers/{supplier.uuid}/facts/").status_code == 404
    assert mallory.get(f"/suppliers/{supplier.uuid}/facts/promises/").status_code == 404


# --- the sheet ---------------------------------------------------------------------------


def sheet(report: Report) -> tuple[int, str]:
    found = PdfReader(io.BytesIO(month_pdf.write(report, site=SITE)))
    box = found.pages[0].mediabox
    assert (round(box.width), round(box.height)) == (595, 842)  # A4
    text = " ".join(" ".join(one.extract_text().split()) for one in found.pages)
    return len(found.pages), text


def test_the_pdf_says_what_the_page_says_on_one_sheet(ana: Owner, browser: Client) -> None:
    answer = browser.get(f"{NOVEMBER}pdf/")
    assert answer["Content-Type"] == "application/pdf"
    report = month(ana)
    pages, text = sheet(report)
    assert pages == 1
    for line in (line for part in month_words.parts(report) for line in part.lines):
        assert line.text in text


def test_a_month_in_which_much_happened_is_still_one_sheet(ana: Owner) -> None:
    """Every part is as long as it can be, and every line as long as a title may be."""
    report = month(ana)
    many = [months.Matter(id=str(home(ana).uuid), title=f"Ñandú {n} " * 18) for n in range(60)]
    ahead = [
        months.Ahead(on=NOW.date(), kind="visit", what="Łódź " * 30, journey=str(home(ana).uuid))
        for _ in range(60)
    ]
    long = replace(report, fixed=many, broken=many, ahead=ahead)
    pages, text = sheet(long)
    assert pages == 1
    assert "and 55 more" in text
    assert "Łódź" in text


def test_a_quiet_month_has_a_sheet_too(ana: Owner) -> None:
    pages, text = sheet(month(ana, "2027-05", now=NOW + timedelta(days=200)))
    assert pages == 1
    assert "A quiet month" in text


# --- the mail ----------------------------------------------------------------------------


def wish(owner: Owner, *, at: datetime = NOW) -> ReportWish:
    month_mail.wish(owner=owner, household=home(owner), is_on=True, now=at)
    return ReportWish.objects.get(membership__owner=owner)


FIRST = datetime(2026, 12, 1, 23, 0, tzinfo=UTC)  # 18:00 in New York, the hour of summaries


def test_it_is_mailed_once_in_the_hour_of_summaries_to_who_asked(ana: Owner) -> None:
    assert month_mail.make_due(now=FIRST + timedelta(days=40)) == 0  # nobody asked
    assert wish(ana).next_at == FIRST
    assert month_mail.make_due(now=FIRST - timedelta(seconds=1)) == 0
    for _ in range(3):
        month_mail.make_due(now=FIRST)
    mail = Delivery.objects.get(purpose=DeliveryPurpose.REPORT)
    assert mail.subject == f"{home(ana).name}: your report for November 2026"
    assert "contacts came in" in mail.text
    assert ReportWish.objects.get().next_at == datetime(2027, 1, 1, 23, 0, tzinfo=UTC)


def test_asking_again_or_a_lost_wish_doubles_no_month(ana: Owner) -> None:
    wish(ana)
    month_mail.make_due(now=FIRST)
    ReportWish.objects.update(next_at=FIRST)  # as a restored copy of the table would have it
    month_mail.make_due(now=FIRST + timedelta(hours=1))
    wish(ana, at=FIRST)
    assert Delivery.objects.filter(purpose=DeliveryPurpose.REPORT).count() == 1
    assert ReportWish.objects.count() == 1


def test_a_month_that_was_slept_through_is_not_made_up_for(ana: Owner) -> None:
    wish(ana)
    month_mail.make_due(now=FIRST + timedelta(days=70))
    mail = Delivery.objects.get(purpose=DeliveryPurpose.REPORT)
    assert mail.key.endswith(":2027-01")


def test_the_mail_speaks_german_to_who_does(ana: Owner) -> None:
    ana.language = "de"
    ana.save()
    wish(ana)
    month_mail.make_due(now=FIRST)
    mail = Delivery.objects.get(purpose=DeliveryPurpose.REPORT)
    assert "November 2026" in mail.subject
    assert "kamen an" in mail.text
    assert translation.get_language() != "de"


def test_the_page_begins_and_ends_it(browser: Client) -> None:
    browser.post("/report/mail/", {"on": "1"})
    assert ReportWish.objects.count() == 1
    assert "No more by e-mail" in page(browser, NOVEMBER)
    browser.post("/report/mail/")
    assert ReportWish.objects.count() == 0


def test_one_click_in_the_mail_ends_it_and_nothing_else(ana: Owner) -> None:
    wish(ana)
    token = mails.stop_token(owner=ana.uuid, household=home(ana).uuid, topic=mails.REPORT)
    path, anybody = f"/stop/{token}/", Client(enforce_csrf_checks=True)
    assert "The report of" in anybody.get(path).content.decode()
    assert ReportWish.objects.count() == 1
    for _ in range(2):
        answer = anybody.post(path, {"List-Unsubscribe": "One-Click"})
        assert "The report is not mailed any more." in answer.content.decode()
    assert ReportWish.objects.count() == 0
    assert Membership.objects.get(owner=ana).has_digest_mail


# --- one supplier ------------------------------------------------------------------------


def facts(browser: Client, supplier: Supplier) -> str:
    return page(browser, f"/suppliers/{supplier.uuid}/facts/")


def test_a_suppliers_facts_are_counts_and_a_share_needs_five_closed_matters(
    ana: Owner, browser: Client
) -> None:
    supplier = Supplier.objects.for_owner(ana).get()
    html = facts(browser, supplier)
    assert "1 of 1" in html  # one visit, in its window
    assert "Shares and middle values" in html
    assert "100 %</span>" not in html
    for _ in range(5):
        factories.JourneyFactory(
            household=home(ana), suppliers=[supplier.pk], state="closed", closed_at=NOW - HOUR
        )
    html = facts(browser, supplier)
    assert "Shares and middle values" not in html
    assert "100 %</span>" in html


def test_each_fact_opens_its_events(ana: Owner, browser: Client) -> None:
    supplier = Supplier.objects.for_owner(ana).get()
    html = facts(browser, supplier)
    links = re.findall(rf'href="(/suppliers/{supplier.uuid}/facts/[a-z_]+/)"', html)
    assert links
    for link in links:
        assert "<article" in page(browser, link)


# --- a rebuild ---------------------------------------------------------------------------

DEEDS = ("undo_absorb", "always_show", "split", "works", "not_yet", "rate", "mute")


def do(owner: Owner, deed: str, pick: int, at: datetime) -> None:
    """Do something that is offered; what does not fit at the moment is left undone."""
    try:
        with transaction.atomic():
            if deed in ("undo_absorb", "always_show", "split"):
                contacts = list(Contact.objects.for_owner(owner).order_by("uuid"))
                one = contacts[pick % len(contacts)]
                feed.act_on_contact(owner=owner, contact=one, name=deed, data={}, now=at)
            else:
                matters = Journey.objects.for_owner(owner).filter(is_emptied=False)
                journeys = list(matters.order_by("uuid"))
                matter = journeys[pick % len(journeys)]
                data = {"score": 3} if deed == "rate" else {}
                feed.act(owner=owner, journey=matter, name=deed, data=data, now=at)
    except feed.ActionError:
        return


@given(
    deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 20)), min_size=1, max_size=5)
)
@hypothesis.settings(
    max_examples=60 if NIGHTLY else 6,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_a_rebuild_measures_the_same(ana: Owner, deeds: list[tuple[str, int]]) -> None:
    """Whatever the owner did in between: every number, event and sentence is the same again."""
    with transaction.atomic():
        for step, (deed, pick) in enumerate(deeds):
            do(ana, deed, pick, NOW + step * MINUTE)
        later = NOW + HOUR
        before = month(ana, now=later)
        feed.rebuild(household=home(ana), now=later)
        after = month(ana, now=later)
        assert after.figures == before.figures
        for name in metrics.NAMES:
            assert set(after.cases[name]) == set(before.cases[name]), name
        assert month_words.parts(after) == month_words.parts(before)
        transaction.set_rollback(True)


def test_a_report_is_read_in_as_many_queries_whatever_there_is(ana: Owner, browser: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        page(browser, NOVEMBER)
    for _ in range(12):
        journey = factories.JourneyFactory.create(household=home(ana))
        factories.AppointmentFactory.create(journey=journey, supplier=None)
        contact = factories.ContactFactory.create(
            household=home(ana), said_at=NOW - HOUR, outcome=Outcome.SHOWN
        )
        Link.objects.create(household=home(ana), contact=contact, journey=journey, rule="key")
    with CaptureQueriesContext(connection) as many:
        page(browser, NOVEMBER)
    assert len(many) <= len(few) + 2, (len(few), len(many))


def test_before_anything_came_there_is_no_report(cast: factories.Cast) -> None:
    with pytest.raises(MonthError):
        month(cast.ana, "2020-01")
