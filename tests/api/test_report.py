"""The monthly report, a supplier's facts and the wish for the mail, through the API."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from pypdf import PdfReader

from notifications import metrics
from notifications.models import ReportWish
from owners.models import Household, Owner
from suppliers.models import Supplier
from tests import factories
from tests.web.conftest import played

NOW = datetime(2026, 11, 13, 23, 35, tzinfo=UTC)
REPORT = "/api/v1/report/"


@pytest.fixture
def ana(db: None) -> Iterator[Owner]:
    """Ana at the end of the story, at that hour."""
    owner = played()
    with time_machine.travel(NOW, tick=False):
        yield owner


@pytest.fixture
def app(ana: Owner) -> Client:
    """An app of Ana's."""
    client = Client()
    client.force_login(ana)
    return client


def read(app: Client, path: str, status: int = 200) -> Any:
    answer = app.get(path)
    assert answer.status_code == status, (path, answer.content[:300])
    return answer.json()


def test_an_app_reads_every_measure_and_what_it_was_counted_from(app: Client) -> None:
    report = read(app, REPORT)
    assert report["lead"].startswith("7 contacts came in, 3 reached you")
    assert report["measures"]["contacts_received"] == 7
    assert (report["month"], report["is_so_far"], report["before"]) == ("2026-11", True, None)
    for name in metrics.NAMES:
        found = read(app, f"{REPORT}cases/{name}/?month=2026-11")
        assert found["total"] == len(found["cases"])
        assert found["meaning"]
    received = read(app, f"{REPORT}cases/contacts_received/")
    assert received["total"] == 7
    assert all(case["kind"] == "contact" and case["at"] for case in received["cases"])


@pytest.mark.parametrize("path", ["?month=2026-12", "?month=x", "cases/stars/", "?month=2020-01"])
def test_what_there_is_no_report_of_is_a_problem(app: Client, path: str) -> None:
    assert read(app, f"{REPORT}{path}", 404)["code"] in ("no_report", "unknown_measure")


def test_an_app_keeps_the_sheet(app: Client) -> None:
    answer = app.get(f"{REPORT}pdf/")
    assert answer["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(answer.content)).pages) == 1


def test_an_app_turns_the_mail_on_and_off(app: Client, ana: Owner) -> None:
    home = Household.objects.for_owner(ana).get()
    for is_mailed in (True, True, False):
        body = {"household": str(home.uuid), "is_mailed": is_mailed}
        answer = app.put(f"{REPORT}mail/", body, content_type="application/json")
        assert answer.json() == body
        assert read(app, REPORT)["is_mailed"] is is_mailed
        assert ReportWish.objects.count() == is_mailed


def test_an_app_reads_a_suppliers_facts_and_their_events(app: Client, ana: Owner) -> None:
    supplier = Supplier.objects.for_owner(ana).get()
    root = f"/api/v1/suppliers/{supplier.uuid}/facts/"
    card = read(app, root)
    assert card["has_shares"] is False
    facts = {fact["name"]: fact for fact in card["facts"]}
    assert (facts["promises"]["said"], facts["promises"]["share"]) == ("1 of 1", None)
    assert read(app, f"{root}promises/")["cases"][0]["kind"] == "visit"


def test_another_owner_reads_none_of_it(ana: Owner) -> None:
    mallory, home = Client(), Household.objects.for_owner(ana).get()
    mallory.force_login(factories.OwnerFactory.create())
    supplier = Supplier.objects.for_owner(ana).get()
    assert mallory.get(f"{REPORT}?household={home.uuid}").status_code == 400
    assert mallory.get(f"{REPORT}pdf/?household={home.uuid}").status_code == 400
    assert mallory.get(f"/api/v1/suppliers/{supplier.uuid}/facts/").status_code == 404
    body = {"household": str(home.uuid), "is_mailed": True}
    answer = mallory.put(f"{REPORT}mail/", body, content_type="application/json")
    assert answer.status_code == 400
    assert not ReportWish.objects.exists()
