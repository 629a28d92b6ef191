"""What a thing is called by and tagged with: every change is told, and can be taken back."""

import pytest
from django.test import Client

from assets import register, shaping
from assets.choices import IdentifierScheme
from assets.undos import UNDOS
from owners import undoing
from owners.models import Change
from tests.api.conftest import app_of
from tests.factories import START as NOW
from tests.factories import Cast

pytestmark = pytest.mark.django_db
SERIAL = IdentifierScheme.SERIAL


def values(cast: Cast) -> list[str]:
    return list(cast.dvr.identifiers.order_by("value").values_list("value", flat=True))


def test_tags_that_come_and_go_are_history(cast: Cast) -> None:
    register.edit(asset=cast.dvr, values={}, tags=["loud", "old"], owner=cast.ana, now=NOW)
    register.edit(asset=cast.dvr, values={}, tags=["old"], owner=cast.ana, now=NOW)
    told = [(row.before, row.after) for row in shaping.history(cast.dvr) if row.name == "tag"]
    assert sorted(told) == [("", "loud"), ("", "old"), ("loud", "")]


def test_a_tag_written_with_a_field_is_by_who_wrote_it(cast: Cast) -> None:
    register.edit(asset=cast.dvr, values={"notes": "x"}, tags=["loud"], owner=cast.ana, now=NOW)
    (told,) = [row for row in shaping.history(cast.dvr) if row.name == "tag"]
    assert told.by == "Ana Hart"


@pytest.mark.parametrize("way", ["page", "app"])
def test_a_change_of_its_numbers_is_taken_back(cast: Cast, client: Client, way: str) -> None:
    client.force_login(cast.ana)
    if way == "page":
        said = {"scheme": "serial", "value": "NEW-1"}
        assert client.post(f"/assets/{cast.dvr.uuid}/names/", said).status_code == 302
        assert values(cast) == ["NEW-1", "R15-204477"]
    else:
        answer = app_of(cast.ana).patch(
            f"/api/v1/assets/{cast.dvr.uuid}/",
            {"identifiers": [{"scheme": "serial", "value": "NEW-1"}]},
            format="json",
        )
        assert answer.headers["Steward-Undo"]
        assert values(cast) == ["NEW-1"]
    change = Change.objects.latest("pk")
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    assert values(cast) == ["R15-204477"]


def test_the_same_numbers_are_no_change(cast: Cast) -> None:
    same = [(SERIAL, "r15 204477")]
    assert (
        register.edit(asset=cast.dvr, values={}, identifiers=same, owner=cast.ana, now=NOW) is None
    )
