"""An asset's pages: everything of its life is shown, asked and taken back there."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from assets import faults, labels, passages, register
from assets.choices import Source
from assets.lifecycle import Step
from assets.models import Asset, CostEntry, Coverage, FinderNote, Loan
from owners import clock
from tests import factories


@pytest.fixture
def browser(cast: factories.Cast) -> Client:
    client = Client()
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(browser: Client, asset: Asset, tab: str) -> str:
    answer = browser.get(reverse("asset", args=[asset.uuid]), {"tab": tab})
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_leads_on_from_here_is_asked_and_taken(cast: factories.Cast, browser: Client) -> None:
    address = reverse("asset-step", args=[cast.dvr.uuid, "lend"])
    assert address in shown(browser, cast.dvr, "overview")
    assert browser.get(address).status_code == 200
    refused = browser.post(address, {"on": "2026-01-10", "borrower": "Ben", "due_on": "2026-01-01"})
    assert refused.status_code == 422
    assert not Loan.objects.exists()
    browser.post(address, {"on": "2026-01-10", "borrower": "Ben", "due_on": "2026-01-20"})
    assert Loan.objects.get().borrower == "Ben"
    page = shown(browser, cast.dvr, "overview")
    assert "Ben has it" in page
    assert "overdue" in page
    assert browser.get(address).status_code == 404  # it is lent already


def test_it_is_not_fine_while_something_is_wrong(cast: factories.Cast, browser: Client) -> None:
    now = clock.now()
    assert "Fine. No open matter." in shown(browser, cast.dvr, "overview")
    said = {"title": "No picture"}
    fault, _change = faults.report(asset=cast.dvr, values=said, owner=cast.ana, now=now)
    page = shown(browser, cast.dvr, "overview")
    assert "Something is wrong: No picture" in page
    assert "Fine." not in page
    browser.post(reverse("issue-settle", args=[fault.uuid]), {"status": "resolved"})
    assert "Fine. No open matter." in shown(browser, cast.dvr, "overview")


def test_price_cover_and_costs_are_written_down_and_shown(
    cast: factories.Cast, browser: Client
) -> None:
    where = reverse("asset-acquisition", args=[cast.dvr.uuid])
    assert browser.get(where).status_code == 200
    said = {
        "seller": "Shop", "condition": "new", "bought_as": "consumer", "currency": "EUR",
        "kind_0": "net", "amount_0": "100", "label_0": "", "kind_1": "discount", "amount_1": "10",
        "label_1": "Voucher",
    }  # fmt: skip
    assert browser.post(where, said).status_code == 302
    said = {"kind": "insurance", "obligor": "Alba", "starts_on": "2026-01-01", "months": "24"}
    browser.post(reverse("cover-add", args=[cast.dvr.uuid]), said)
    cover = Coverage.objects.get()
    assert cover.ends_on == date(2027, 12, 31)
    said = {"on": "2026-02-01", "amount": "12.50", "currency": "EUR", "category": "fee"}
    browser.post(reverse("cost-add", args=[cast.dvr.uuid]), said)
    page = shown(browser, cast.dvr, "costs")
    for word in ("Shop", "Voucher", "90.00 EUR", "Alba", "12.50 EUR"):
        assert word in page
    assert browser.get(reverse("cover", args=[cover.uuid])).status_code == 200
    cost = CostEntry.objects.get()
    browser.post(reverse("cost", args=[cost.uuid]), said | {"amount": "13"})
    cost.refresh_from_db()
    assert cost.amount == Decimal(13)
    browser.post(reverse("cost", args=[cost.uuid]), {"remove": "1"})
    assert not CostEntry.objects.exists()


def test_own_fields_tags_and_parts_are_edited_on_one_page(
    cast: factories.Cast, browser: Client
) -> None:
    browser.post(
        reverse("asset-fields"), {"name": "Colour", "type": "choice", "choices": "red\nblue"}
    )
    field = cast.household.custom_fields.get()
    box = register.add(household=cast.household, values={"name": "Box"}, now=clock.now())
    where = reverse("asset-edit", args=[cast.dvr.uuid])
    assert "Colour" in browser.get(where).content.decode()
    said = {
        "name": "DVR", "kind": "electronics", "quantity": "2", "place": "House/Cellar",
        "parent": str(box.uuid), "tag_names": "loft, tv", f"own-{field.uuid}": "red",
        "notes": "By the door",
    }  # fmt: skip
    assert browser.post(where, said).status_code == 302
    page = shown(browser, cast.dvr, "details")
    for word in ("House / Cellar", "Box", "loft", "red", "By the door"):
        assert word in page
    assert "DVR" in shown(browser, box, "details")
    listed = browser.get(reverse("assets"), {"tag": "loft", "place": "House"}).content.decode()
    assert "DVR" in listed
    assert "Box" not in listed
    assert "Colour" in browser.get(reverse("asset-history", args=[cast.dvr.uuid])).content.decode()


def test_a_pasted_code_names_the_thing_and_doubt_is_shown(
    cast: factories.Cast, browser: Client
) -> None:
    code = "https://id.example.org/01/09506000134352/21/12345"
    browser.post(reverse("asset-code", args=[cast.dvr.uuid]), {"code": code})
    assert {"gtin", "serial", "digitalLink"} <= set(
        cast.dvr.identifiers.values_list("scheme", flat=True)
    )
    where = reverse("asset-name", args=[cast.dvr.uuid])
    browser.post(where, {"scheme": "imei", "value": "490154203237519"})
    page = shown(browser, cast.dvr, "details")
    assert "An IMEI has 15 digits" in page
    assert "Its digits fit." in page


def test_history_says_by_whose_word(cast: factories.Cast, browser: Client) -> None:
    register.change(asset=cast.dvr, values={"model": "X9"}, source=Source.SUPPLIER)
    register.edit(asset=cast.dvr, values={"model": "X10"}, owner=cast.ana, now=clock.now())
    page = browser.get(reverse("asset-history", args=[cast.dvr.uuid])).content.decode()
    assert "A supplier" in page
    assert cast.ana.get_full_name() in page
    assert "X9" in page


def test_a_stranger_who_scans_learns_nothing_and_can_leave_word(
    cast: factories.Cast, browser: Client
) -> None:
    label = labels.label_of(cast.dvr, now=clock.now())
    where = reverse("found", args=[label.code])
    assert browser.get(where).headers["Location"] == reverse("asset", args=[cast.dvr.uuid])
    stranger = Client()
    page = stranger.get(where).content.decode()
    for word in (cast.dvr.name, cast.ana.get_full_name(), cast.household.name, str(cast.dvr.uuid)):
        assert word not in page
    left = stranger.post(where, {"text": "In the park <b>", "reach": "555 0101"})
    assert left.status_code == 200
    assert FinderNote.objects.get().asset == cast.dvr
    page = shown(browser, cast.dvr, "overview")
    assert "In the park &lt;b&gt;" in page
    browser.post(reverse("asset-notes-seen", args=[cast.dvr.uuid]))
    assert "In the park" not in shown(browser, cast.dvr, "overview")
    labels.renew(cast.dvr, now=clock.now())
    assert stranger.get(where).status_code == 404


def test_one_address_cannot_fill_the_page_with_messages(cast: factories.Cast) -> None:
    where = reverse("found", args=[labels.label_of(cast.dvr, now=clock.now()).code])
    stranger = Client()
    answers = [stranger.post(where, {"text": "Hello"}).status_code for _ in range(7)]
    assert answers == [200] * 5 + [422] * 2
    assert FinderNote.objects.count() == 5


def test_labels_and_the_report_of_a_loss_are_papers(cast: factories.Cast, browser: Client) -> None:
    passages.take(asset=cast.dvr, step=Step.STEAL, said={"report_no": "PD-7"}, owner=cast.ana,
                  now=clock.now())  # fmt: skip
    for address in (
        reverse("asset-label-pdf", args=[cast.dvr.uuid, "sheet"]),
        reverse("asset-label-pdf", args=[cast.dvr.uuid, "tape"]),
        reverse("asset-labels"),
        reverse("asset-loss-pdf", args=[cast.dvr.uuid]),
    ):
        answer = browser.get(address)
        assert answer.content.startswith(b"%PDF")
    assert "PD-7" in shown(browser, cast.dvr, "overview")


def test_a_place_is_renamed_with_all_in_it(cast: factories.Cast, browser: Client) -> None:
    register.change(asset=cast.dvr, values={"place": "House / Cellar"})
    assert "House / Cellar" in browser.get(reverse("places")).content.decode()
    said = {"household": str(cast.household.uuid), "old": "House", "new": "Villa"}
    browser.post(reverse("places"), said)
    cast.dvr.refresh_from_db()
    assert cast.dvr.place == "Villa / Cellar"


def test_one_line_makes_a_boiler_with_its_october_service(
    cast: factories.Cast, browser: Client
) -> None:
    line = "boiler service every October, Nordvarme, about 180 EUR"
    said = {"name": line, "household": str(cast.household.uuid)}
    assert browser.post(reverse("asset-add"), said).status_code == 302
    boiler = Asset.objects.get(name="Boiler")
    task = boiler.care_tasks.get()
    assert (task.name, task.provider, task.amount, task.currency) == (
        "Service", "Nordvarme", Decimal(180), "EUR",
    )  # fmt: skip
    assert task.due_on is not None
    assert task.due_on.month == 10


def test_a_car_begins_with_its_usual_care_only_when_wanted(
    cast: factories.Cast, browser: Client
) -> None:
    said = {"name": "Our car", "household": str(cast.household.uuid)}
    browser.post(reverse("asset-add"), said)
    assert not Asset.objects.get(name="Our car").care_tasks.exists()
    browser.post(reverse("asset-add"), said | {"name": "Her car", "has_care": "on"})
    car = Asset.objects.get(name="Her car")
    assert car.care_tasks.count() == 3
    assert car.meters.get().name == "Odometer"
