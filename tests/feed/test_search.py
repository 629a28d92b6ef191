"""Search: everything of the owner's, nothing of anybody else's, in few queries."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assets import documents, register
from assets.choices import AssetKind, FindableKind
from assets.models import AwaitedWords, Findable
from notifications import indexing, pipeline, search
from notifications.models import Card, Journey
from owners import households
from owners.models import Household
from suppliers import mandates
from tests import factories
from tests.web.conftest import played

QUERIES_MOST = 8


def titles(owner, text: str) -> list[tuple[str, str]]:
    found = search.find(owner=owner, text=text)
    return [(hit.kind, hit.title) for group in found.groups for hit in group.hits]


def test_an_asset_is_found_by_its_name_maker_and_serial(cast: factories.Cast) -> None:
    for words in ("living", "DVR", "skyline hr44", "R15-204477", "r15204477", "electronics"):
        assert ("asset", "Living-room DVR") in titles(cast.ana, words), words


def test_a_changed_name_is_found_at_once_and_the_old_one_no_more(cast: factories.Cast) -> None:
    register.change(asset=cast.dvr, values={"name": "Küchenofen"}, identifiers=[])
    assert titles(cast.ana, "kuech") == [("asset", "Küchenofen")]
    assert ("asset", "Küchenofen") not in titles(cast.ana, "living")
    assert titles(cast.ana, "204477") == []


def test_a_slip_is_forgiven_where_nothing_is_spelt_like_it(cast: factories.Cast) -> None:
    found = search.find(owner=cast.ana, text="skylien")
    assert found.is_near
    assert {hit.title for group in found.groups for hit in group.hits} >= {"Skyline TV"}


def test_a_household_finds_its_own_words_about_a_supplier_only(cast: factories.Cast, now) -> None:
    mandates.note_supplier(
        household=cast.household,
        name="Installateur Müller",
        numbers=["+4930123456789"],
        domains=["mueller-heizung.example"],
        now=now,
    )
    for words in ("muller", "mueller", "heizung", "3456789"):
        assert ("supplier", "Installateur Müller") in titles(cast.ana, words), words
    assert titles(cast.mallory, "muller") == []


def test_nobody_finds_what_is_anothers(cast: factories.Cast) -> None:
    for words in ("living", "skyline", "dvr", "R15-204477"):
        assert titles(cast.mallory, words) == []


def test_a_shared_household_is_searched_too(cast: factories.Cast) -> None:
    factories.MembershipFactory.create(household=cast.household, owner=cast.mallory)
    assert ("asset", "Living-room DVR") in titles(cast.mallory, "living")


def test_commands_are_found_by_their_words(cast: factories.Cast) -> None:
    assert ("command", "Add an asset") in titles(cast.ana, "add ass")
    assert titles(cast.ana, "")[0] == ("command", "Add an asset")


@pytest.mark.parametrize("words", ["' | 'x", "\\", "&!:*", "a" * 5000, "\x00", "…", "x " * 500])
def test_no_question_breaks_the_search(cast: factories.Cast, words: str) -> None:
    search.find(owner=cast.ana, text=words)


@pytest.mark.django_db
def test_the_story_is_found_by_its_matter_reference_fact_and_words() -> None:
    ana = played()
    journey = Journey.objects.for_owner(ana).get()
    title = Card.objects.for_owner(ana).get().title
    assert ("journey", title) in titles(ana, "skyline")
    assert any(kind == "fact" for kind, _ in titles(ana, "49"))
    assert any(kind == "contact" for kind, _ in titles(ana, "technician"))
    pages = search.find(owner=ana, text="technician").groups
    said = [hit for group in pages for hit in group.hits if hit.kind == "contact"]
    assert {hit.key for hit in said} == {journey.uuid}


@pytest.mark.django_db
def test_words_that_wait_are_rung_for_and_noted_once(now) -> None:
    ana = played()
    journey = Journey.objects.for_owner(ana).get()
    title = Card.objects.for_owner(ana).get().title
    Findable.objects.filter(object=journey.uuid).delete()
    for _ in range(2):
        AwaitedWords.objects.put([(journey.household_id, FindableKind.JOURNEY, journey.uuid)])
    assert ("journey", title) not in titles(ana, "skyline")
    assert "feed" in pipeline.due(now=now)
    pipeline.note()
    assert titles(ana, "skyline").count(("journey", title)) == 1
    assert not AwaitedWords.objects.exists()
    assert pipeline.note() == 0


@pytest.mark.django_db
def test_a_journey_that_was_merged_away_is_found_no_more() -> None:
    ana = played()
    journey = Journey.objects.for_owner(ana).get()
    Journey.objects.filter(pk=journey.pk).update(is_emptied=True)
    AwaitedWords.objects.put([(journey.household_id, FindableKind.JOURNEY, journey.uuid)])
    indexing.note_due()
    assert not Findable.objects.filter(object=journey.uuid).exists()


@pytest.mark.django_db
def test_a_question_takes_few_queries() -> None:
    ana = played()
    for words in ("skyline", "technician", "skylien", "nothing like it", ""):
        with CaptureQueriesContext(connection) as seen:
            search.find(owner=ana, text=words)
        assert len(seen) <= QUERIES_MOST, words


def test_what_is_written_again_unchanged_costs_no_new_row(cast: factories.Cast) -> None:
    row = Findable.objects.filter(kind=FindableKind.ASSET, object=cast.dvr.uuid)
    version = "SELECT xmin::text FROM assets_findable WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(version, [row.get().pk])
        before = cursor.fetchone()
        cast.dvr.save()
        cursor.execute(version, [row.get().pk])
        assert cursor.fetchone() == before


def test_two_things_of_one_name_are_two_hits(cast: factories.Cast, now) -> None:
    for _ in range(2):
        register.add(
            household=cast.household,
            values={"name": "Bike", "kind": AssetKind.VEHICLE},
            now=now + timedelta(hours=1),
        )
    assert titles(cast.ana, "bike") == [("asset", "Bike")] * 2


def test_a_household_that_is_gone_leaves_no_words(cast: factories.Cast, now) -> None:
    home = households.create(owner=cast.ana, name="Second", now=now)
    register.add(household=home, values={"name": "Piano"}, now=now)
    home.delete()
    assert titles(cast.ana, "piano") == []


@pytest.mark.django_db
def test_what_was_stored_before_the_search_is_put_into_it(cast: factories.Cast) -> None:
    ana = played()
    documents.add(
        household=Household.objects.for_owner(ana).get(),
        asset=None,
        owner=ana,
        name="Skyline receipt.txt",
        content=b"Paid to Skyline.",
        now=factories.START,
    )
    while pipeline.note():
        pass
    columns = ("household", "kind", "object", "title", "detail", "at", "terms")
    before = set(Findable.objects.values_list(*columns))
    assert {row[1] for row in before} == set(FindableKind.values)
    Findable.objects.all().delete()
    call_command("index_words", stdout=io.StringIO())
    while pipeline.note():
        pass
    assert set(Findable.objects.values_list(*columns)) == before
    said = io.StringIO()
    call_command("index_words", stdout=said)
    assert {line.split(": ")[1] for line in said.getvalue().splitlines()} == {"0"}
    assert not AwaitedWords.objects.exists()
    assert dict(indexing.put_all(is_again=True, lot=1))
    assert AwaitedWords.objects.filter(kind="journey").exists()
