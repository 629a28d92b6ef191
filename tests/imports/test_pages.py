"""Bringing in a file on the pages: chosen, asked about, shown, done, undone."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assets import importing
from assets.importers.words import ImportState
from assets.models import Asset, Import
from owners import clock
from owners.choices import Rank
from owners.models import Household
from tests import factories
from tests.imports import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(cast: factories.Cast, client: Client) -> Client:
    """Return a browser in which Ana is signed in."""
    client.force_login(cast.ana)
    return client


def drain() -> None:
    while importing.work_due(clock.now):
        pass


def sent(client: Client, content: str | bytes, name: str = "things.csv") -> Import:
    raw = content.encode() if isinstance(content, str) else content
    household = Household.objects.order_by("pk").get(memberships__owner__email="ana@hart.example")
    file = SimpleUploadedFile(name, raw, content_type="text/csv")
    answer = client.post("/imports/", {"file": file, "household": str(household.uuid)})
    assert answer.status_code == 302, answer.content.decode()
    return Import.objects.get(uuid=answer.headers["Location"].split("/")[2])


def filled(client: Client, run: Import, **changes: Any) -> dict[str, Any]:
    """Return the answers as the page offers them, some of them changed."""
    form = client.get(f"/imports/{run.uuid}/").context["form"]
    return {field.name: field.value() for field in form if field.value() is not None} | changes


def test_from_the_file_to_the_assets_and_back(ana: Client, cast: factories.Cast) -> None:
    run = sent(ana, samples.HOMEBOX_OLD)
    waiting = ana.get(f"/imports/{run.uuid}/")
    assert "<noscript><meta http-equiv=" in waiting.content.decode()
    drain()
    asked = ana.get(f"/imports/{run.uuid}/").content.decode()
    assert 'name="currency"' in asked
    assert "Boiler" in asked
    answer = ana.post(f"/imports/{run.uuid}/", filled(ana, run, currency="eur"))
    assert answer.status_code == 302, answer.content.decode()
    drain()
    ready = ana.get(f"/imports/{run.uuid}/").content.decode()
    assert "2 assets" in ready
    assert "1 row is left out" in ready
    assert "0202-01-01" in ready
    ana.post(f"/imports/{run.uuid}/start/")
    drain()
    done = ana.get(f"/imports/{run.uuid}/").content.decode()
    assert "Undo all of it" in done
    assert Asset.objects.filter(name="Boiler").exists()
    change = ana.get(f"/imports/{run.uuid}/").context["change"]
    ana.post(f"/undo/{change.uuid}/")
    drain()
    assert not Asset.objects.filter(name="Boiler").exists()
    assert "Nothing of this file is here" in ana.get(f"/imports/{run.uuid}/").content.decode()


def test_the_mapping_of_a_table_can_be_changed(ana: Client) -> None:
    run = sent(ana, samples.TABLE.encode("cp1252"))
    drain()
    form = ana.get(f"/imports/{run.uuid}/").context["form"]
    (farbe,) = [key for key, column in form.column_names.items() if column == "farbe"]
    values = filled(ana, run)
    assert (values["kind"], values[farbe]) == ("things", "extra")
    answer = ana.post(f"/imports/{run.uuid}/", values | {farbe: "tags"})
    assert answer.status_code == 302, answer.context["form"].errors
    drain()
    ana.post(f"/imports/{run.uuid}/start/")
    drain()
    washer = Asset.objects.get(name="Waschmaschine")
    assert [tag.name for tag in washer.tags.all()] == ["weiß"]


def test_another_kind_of_rows_asks_for_what_it_needs(ana: Client) -> None:
    run = sent(ana, "Date,Description,Cost,Notes\n2024-01-05,Swept,20.00,\n")
    drain()
    answer = ana.post(f"/imports/{run.uuid}/", filled(ana, run, kind="work", currency="EUR"))
    assert answer.status_code == 422
    assert "asset_name" in answer.context["form"].errors


def test_a_file_can_be_read_as_any_table(ana: Client) -> None:
    run = sent(ana, samples.LUBELOGGER_TAX)
    drain()
    ana.post(f"/imports/{run.uuid}/", {"form": "table"})
    run.refresh_from_db()
    assert (run.form, run.state) == ("table", ImportState.ASKING)
    assert "What is in each column?" in ana.get(f"/imports/{run.uuid}/").content.decode()


def test_answers_that_cannot_be_are_said_at_their_fields(ana: Client) -> None:
    run = sent(ana, samples.LUBELOGGER_FUEL)
    drain()
    answer = ana.post(f"/imports/{run.uuid}/", {"currency": "XXQ", "distance": "furlong"})
    assert answer.status_code == 422
    assert {"currency", "distance", "asset_name"} <= set(answer.context["form"].errors)


def test_rows_that_are_left_out_can_be_saved_without_harm(ana: Client) -> None:
    text = 'Name,Notes\nGood,fine\nBad,"=HYPERLINK(""http://x.example"")"\n'
    run = sent(ana, text)
    drain()
    ana.post(f"/imports/{run.uuid}/", filled(ana, run))
    drain()
    saved = ana.get(f"/imports/{run.uuid}/left-out.csv")
    lines = saved.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Row,Why,Name,Notes"
    assert lines[1].startswith("3,Notes holds a formula")
    assert "'=HYPERLINK" in lines[1]
    assert saved.headers["Content-Disposition"].startswith("attachment")


def test_a_page_at_work_looks_again_by_itself_and_reloads_when_a_stage_is_over(
    ana: Client,
) -> None:
    run = sent(ana, samples.HOMEBOX_OLD)
    part = ana.get(f"/imports/{run.uuid}/", headers={"HX-Request": "true"})
    assert 'hx-trigger="every 1s"' in part.content.decode()
    assert "HX-Refresh" not in part.headers
    drain()
    part = ana.get(f"/imports/{run.uuid}/", headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true"


def test_a_cancel_is_one_tap(ana: Client) -> None:
    run = sent(ana, samples.HOMEBOX_OLD)
    drain()
    ana.post(f"/imports/{run.uuid}/cancel/")
    drain()
    run.refresh_from_db()
    assert run.state == ImportState.CANCELLED
    again = ana.post(f"/imports/{run.uuid}/start/", follow=True)
    assert "too late for that" in again.content.decode()


def test_a_viewer_brings_in_nothing(ana: Client, cast: factories.Cast) -> None:
    run = sent(ana, samples.HOMEBOX_OLD)
    drain()
    cast.membership.rank = Rank.VIEWER
    cast.membership.save()
    for path in (f"/imports/{run.uuid}/cancel/", f"/imports/{run.uuid}/start/"):
        assert ana.post(path).status_code == 403
    run.refresh_from_db()
    assert run.state == ImportState.ASKING


@pytest.mark.parametrize("path", ["/assets/", "/assets/add/"])
def test_bringing_in_is_found_from_where_assets_are_added(ana: Client, path: str) -> None:
    assert 'href="/imports/"' in ana.get(path).content.decode()
