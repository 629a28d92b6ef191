"""What a write names in a header can be taken back, once, by whoever could have written it."""

from typing import Any

from rest_framework.test import APIClient

from assets.models import Asset
from owners import households
from owners.choices import Rank
from owners.models import Change
from suppliers.choices import MandateState
from tests import factories
from tests.api.conftest import app_of

UNDO = "Steward-Undo"


def bin_of(app: APIClient) -> list[dict[str, Any]]:
    return app.get("/api/v1/undo/?removed=true").json()["results"]  # type: ignore[no-any-return]


def test_a_removed_asset_lies_in_the_bin_until_it_is_put_back(
    ana: APIClient, cast: factories.Cast
) -> None:
    gone = ana.delete(f"/api/v1/assets/{cast.dvr.uuid}/")
    change = gone.headers[UNDO]
    (row,) = bin_of(ana)
    assert (row["id"], row["kind"], row["subject"]) == (change, "asset.remove", str(cast.dvr.uuid))
    assert ana.get(f"/api/v1/assets/{cast.dvr.uuid}/").status_code == 404
    done = ana.post(f"/api/v1/undo/{change}/")
    assert done.status_code == 200
    assert done.json()["undone_at"] is not None
    assert ana.get(f"/api/v1/assets/{cast.dvr.uuid}/").status_code == 200
    assert bin_of(ana) == []
    assert ana.post(f"/api/v1/undo/{change}/").json() == done.json()


def test_every_kind_of_change_of_an_app_can_be_taken_back(
    ana: APIClient, cast: factories.Cast
) -> None:
    home, mandate = f"/api/v1/households/{cast.household.uuid}/", cast.mandate
    asset, reach = f"/api/v1/assets/{cast.dvr.uuid}/", f"/api/v1/reach/{cast.household.uuid}/"
    terms = f"/api/v1/mandates/{mandate.uuid}/"
    before = [ana.get(address).json() for address in (home, asset, reach, terms)]
    writes = [
        ana.patch(home, {"name": "The harts"}),
        ana.patch(asset, {"place": "Attic"}),
        ana.patch(reach, {"digest_at": "07:00", "holiday_from": None}),
        ana.patch(terms, {"purposes": ["service"]}),
        ana.delete(terms),
    ]
    assert [write.status_code for write in writes] == [200] * 5
    assert ana.get(terms).json()["state"] == MandateState.ENDED
    for write in reversed(writes):
        assert ana.post(f"/api/v1/undo/{write.headers[UNDO]}/").status_code == 200
    assert [ana.get(address).json() for address in (home, asset, reach, terms)] == before


def test_what_changed_nothing_names_nothing_to_take_back(
    ana: APIClient, cast: factories.Cast
) -> None:
    same = ana.patch(f"/api/v1/assets/{cast.dvr.uuid}/", {"name": cast.dvr.name})
    assert same.status_code == 200
    assert UNDO not in same.headers


def test_a_repeated_write_names_the_same_change_and_version(
    ana: APIClient, cast: factories.Cast
) -> None:
    def rename() -> Any:
        return ana.patch(
            f"/api/v1/assets/{cast.dvr.uuid}/",
            {"name": "Kitchen DVR"},
            headers={"Idempotency-Key": "rename-1"},
        )

    first, again = rename(), rename()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.headers[UNDO] == again.headers[UNDO]
    assert first.headers["ETag"] == again.headers["ETag"]
    assert Change.objects.filter(kind="asset.change").count() == 1
    current = ana.get(f"/api/v1/assets/{cast.dvr.uuid}/")
    assert current.headers["ETag"] == first.headers["ETag"]


def test_an_undo_needs_the_rank_of_the_change(ana: APIClient, cast: factories.Cast) -> None:
    change = ana.delete(f"/api/v1/mandates/{cast.mandate.uuid}/").headers[UNDO]
    ben = factories.MembershipFactory.create(household=cast.household, rank=Rank.MEMBER).owner
    refused = app_of(ben).post(f"/api/v1/undo/{change}/")
    assert (refused.status_code, refused.json()["code"]) == (403, "rank")
    assert app_of(cast.mallory).post(f"/api/v1/undo/{change}/").status_code == 404
    assert ana.post(f"/api/v1/undo/{change}/").status_code == 200


def test_what_is_gone_for_good_is_a_problem_in_words(ana: APIClient, cast: factories.Cast) -> None:
    change = ana.delete(f"/api/v1/assets/{cast.dvr.uuid}/").headers[UNDO]
    Asset.objects.filter(pk=cast.dvr.pk).delete()
    answer = ana.post(f"/api/v1/undo/{change}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")


def test_nobody_sees_the_wishes_of_another_put_back(ana: APIClient, cast: factories.Cast) -> None:
    ben = factories.MembershipFactory.create(household=cast.household)
    change = households.set_wishes(
        membership=ben, values={"digest_weekday": 2}, topics=(), now=factories.START
    )
    Change.objects.filter(pk=change.pk).update(expires_at="2099-01-01T00:00:00Z")
    assert ana.post(f"/api/v1/undo/{change.uuid}/").status_code == 409
    ben.refresh_from_db()
    assert ben.digest_weekday == 2
