"""One asset shown to one person: what they see, what they may do, and what ends it."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from assets import caring, documents, holdings, metering, sharing
from assets.choices import DocumentKind
from assets.lifecycle import Step
from assets.models import Asset, CareTask, Document, ServiceRecord, Share
from assets.passages import take as take_step
from assets.passing_words import SharePart
from assets.sharing import ShareError
from config.undos import UNDOS
from notifications import delivery
from notifications.models import Delivery
from owners import clock, undoing
from owners.choices import Rank
from owners.households import NotAllowedError
from owners.models import AccessEntry, Membership, Owner
from tests import factories
from tests.api.conftest import app_of
from tests.factories import Cast

NOW = datetime(2026, 11, 9, 13, 0, tzinfo=UTC)
SECRET = "Zz-private"

pytestmark = pytest.mark.django_db


@pytest.fixture
def boiler(cast: Cast) -> Asset:
    """Ana's boiler, with a secret in all that a share never shows."""
    asset = factories.AssetFactory.create(household=cast.household, name="Boiler", maker="Vaillant")
    asset.place, asset.notes = f"{SECRET} cellar", SECRET
    asset.save()
    factories.AssetIdentifierFactory.create(asset=asset, value="R15-204477")
    every = {"kind": "calendar", "every": 1, "unit": "year"}
    task = caring.add(
        asset=asset, spec={"name": "Bleed it", "note": "Open the valve.", "triggers": [every]},
        now=NOW,
    )  # fmt: skip
    caring.log(
        asset=asset, title="Descaled", done_on=date(2026, 5, 4), tasks=[task], owner=cast.ana,
        said=caring.Work(note=SECRET, amount=Decimal(1999), currency="USD", provider="Volt"),
        now=NOW,
    )  # fmt: skip
    holdings.acquire(asset=asset, values={"seller": SECRET, "order_no": SECRET}, now=NOW)
    spent = {"on": NOW.date(), "amount": Decimal(1777), "currency": "USD", "note": SECRET}
    holdings.spend(asset=asset, values=spent, now=NOW)
    metering.add(asset=asset, values={"name": "Hours", "unit": "h"}, now=NOW)
    for name, kind in (("Manual", DocumentKind.MANUAL), (SECRET, DocumentKind.RECEIPT)):
        documents.add(
            household=cast.household, asset=asset, owner=cast.ana, name=f"{name}.txt",
            content=name.encode(), kind=kind, now=NOW,
        )  # fmt: skip
    return asset


@pytest.fixture
def ben() -> Owner:
    """The owner of another household."""
    found: Owner = factories.OwnerFactory.create(name="Ben")
    factories.MembershipFactory.create(owner=found)
    return found


def shared(boiler: Asset, ben: Owner, cast: Cast, **said: Any) -> Share:
    """Return a share that Ben has taken."""
    values: dict[str, Any] = {
        "address": "",
        "parts": list(SharePart),
        "may_tick": True,
        "days": 30,
    } | said
    made = sharing.share(asset=boiler, by=cast.ana, now=NOW, **values)
    return sharing.take(token=made.token, owner=ben, now=NOW)


def browser_of(owner: Owner) -> Client:
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_it_shows_what_it_is_and_what_is_due_and_nothing_of_the_home(
    boiler: Asset, ben: Owner, cast: Cast
) -> None:
    share = shared(boiler, ben, cast)
    said = sharing.shown(share, now=NOW)
    text = json.dumps(said, default=str)
    for private in (SECRET, "1999", "1777", "Ana", "Hart", "USD"):
        assert private not in text, private
    assert [task["name"] for task in said["tasks"]] == ["Bleed it"]
    assert [row["title"] for row in said["done"]] == ["Descaled"]
    assert [row["name"] for row in said["papers"]] == ["Manual.txt"]
    assert [row["value"] for row in said["numbers"]] == ["R15-204477"]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (SharePart.HISTORY, "done"),
        (SharePart.PAPERS, "papers"),
        (SharePart.NUMBERS, "numbers"),
        (SharePart.PHOTO, "photos"),
    ],
)
def test_each_part_is_shown_only_where_it_is_ticked(
    boiler: Asset, ben: Owner, cast: Cast, part: SharePart, name: str
) -> None:
    share = shared(boiler, ben, cast, parts=[one for one in SharePart if one != part])
    assert sharing.shown(share, now=NOW)[name] == []


def test_no_page_of_the_household_opens_and_no_file_but_the_manual(
    boiler: Asset, ben: Owner, cast: Cast
) -> None:
    share = shared(boiler, ben, cast)
    browser = browser_of(ben)
    for name in ("asset", "asset-care", "asset-history", "asset-shares", "asset-transfer"):
        assert browser.get(reverse(name, args=[boiler.uuid])).status_code == 404, name
    for paper in Document.objects.filter(asset=boiler):
        own = browser.get(reverse("document-file", args=[paper.uuid]))
        theirs = browser.get(reverse("shared-file", args=[share.uuid, paper.uuid]))
        assert own.status_code == 404
        wanted = 200 if paper.kind == DocumentKind.MANUAL else 404
        assert theirs.status_code == wanted, paper.kind
    assert app_of(ben).get("/api/v1/assets/").json()["results"] == []
    page = browser.get(reverse("shared-asset", args=[share.uuid])).content.decode()
    assert SECRET not in page
    assert "Bleed it" in page


def test_care_is_ticked_undone_and_written_under_their_name(
    boiler: Asset, ben: Owner, cast: Cast
) -> None:
    share, task = shared(boiler, ben, cast), CareTask.objects.get(asset=boiler)
    record = sharing.tick(share=share, task=task.uuid, owner=ben, now=NOW)
    assert record is not None
    assert (record.logged_by, record.household) == (ben, cast.household)
    task.refresh_from_db()
    assert task.due_on == date(2027, 11, 9)
    sharing.untick(share=share, record=record.uuid, owner=ben, now=NOW)
    record.refresh_from_db()
    assert record.removed_at is not None
    older = ServiceRecord.objects.get(title="Descaled")
    with pytest.raises(ServiceRecord.DoesNotExist):
        sharing.untick(share=share, record=older.uuid, owner=ben, now=NOW)
    kinds = set(AccessEntry.objects.for_owner(cast.ana).values_list("kind", flat=True))
    assert {"share_made", "share_taken", "share_ticked"} <= kinds


def test_who_may_only_look_ticks_nothing_and_nobody_ticks_another_thing(
    boiler: Asset, ben: Owner, cast: Cast
) -> None:
    task = CareTask.objects.get(asset=boiler)
    share = shared(boiler, ben, cast, may_tick=False)
    with pytest.raises(ShareError):
        sharing.tick(share=share, task=task.uuid, owner=ben, now=NOW)
    every = {"kind": "calendar", "every": 1, "unit": "year"}
    other = caring.add(asset=cast.dvr, spec={"name": "Dust", "triggers": [every]}, now=NOW)
    share = sharing.change(share=share, parts=[], may_tick=True, by=cast.ana, now=NOW)
    with pytest.raises(CareTask.DoesNotExist):
        sharing.tick(share=share, task=other.uuid, owner=ben, now=NOW)


@pytest.mark.parametrize("how", ["revoked", "expired", "sold", "binned", "left"])
def test_what_ends_a_share_ends_it_with_the_next_look(
    boiler: Asset, ben: Owner, cast: Cast, how: str
) -> None:
    share, later = shared(boiler, ben, cast), NOW
    if how == "revoked":
        sharing.revoke(share=share, by=cast.ana, now=NOW)
    elif how == "expired":
        later = NOW + timedelta(days=30)
    elif how == "sold":
        take_step(asset=boiler, step=Step.END, said={"reason": "scrapped"}, owner=cast.ana, now=NOW)
    elif how == "binned":
        Asset.objects.filter(pk=boiler.pk).update(removed_at=NOW)
    else:
        sharing.leave(share=share, owner=ben, now=NOW)
    assert not Share.objects.held_by(ben, later).exists()


def test_an_end_can_be_undone_by_an_admin(boiler: Asset, ben: Owner, cast: Cast) -> None:
    share = shared(boiler, ben, cast)
    change = sharing.revoke(share=share, by=cast.ana, now=NOW)
    assert change is not None
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    assert Share.objects.held_by(ben, NOW).get() == share
    assert sharing.revoke(share=share, by=cast.ana, now=NOW) is not None
    assert sharing.revoke(share=share, by=cast.ana, now=NOW) is None


def test_a_link_works_once_for_a_while_and_is_not_in_the_database(
    boiler: Asset, ben: Owner, cast: Cast
) -> None:
    made = sharing.share(
        asset=boiler, by=cast.ana, address="", parts=[], may_tick=False, days=30, now=NOW
    )
    token = made.token
    assert token not in json.dumps(list(Share.objects.values()), default=str)
    assert sharing.find(token=token, now=NOW + timedelta(days=14)) is None
    sharing.take(token=token, owner=ben, now=NOW)
    for again in (token, "x" * 500, ""):
        with pytest.raises(ShareError) as refused:
            sharing.take(token=again, owner=cast.mallory, now=NOW)
        assert refused.value.code == "gone"


def test_whoever_sees_it_already_needs_no_share(boiler: Asset, cast: Cast) -> None:
    made = sharing.share(
        asset=boiler, by=cast.ana, address="", parts=[], may_tick=False, days=30, now=NOW
    )
    with pytest.raises(ShareError) as refused:
        sharing.take(token=made.token, owner=cast.ana, now=NOW)
    assert refused.value.code == "member"


def test_a_letter_goes_out_with_the_link_and_none_for_what_was_ended(
    boiler: Asset, cast: Cast
) -> None:
    now = clock.now()
    for address in ("ben@there.example", "eve@there.example"):
        sharing.share(
            asset=boiler, by=cast.ana, address=address, parts=[], may_tick=False, days=30, now=now
        )
    gone = Share.objects.earliest("pk")
    sharing.revoke(share=gone, by=cast.ana, now=now)
    assert delivery.take_letters(now=now) == 1
    assert delivery.take_letters(now=now) == 0
    letter = Delivery.objects.get()
    assert letter.key == f"share:{Share.objects.latest('pk').uuid}"
    assert "{link}" in letter.text  # the token stays sealed until it is sent


def test_only_so_many_in_a_day(boiler: Asset, cast: Cast) -> None:
    said: dict[str, Any] = {"address": "", "parts": [], "may_tick": False, "days": 30, "now": NOW}
    for _one in range(sharing.A_DAY):
        sharing.share(asset=boiler, by=cast.ana, **said)
    with pytest.raises(ShareError) as refused:
        sharing.share(asset=boiler, by=cast.ana, **said)
    assert refused.value.code == "too_many"


@pytest.mark.parametrize("rank", [Rank.VIEWER, Rank.HELPER, Rank.MEMBER])
def test_only_an_admin_shares(boiler: Asset, cast: Cast, rank: Rank) -> None:
    other = factories.OwnerFactory.create()
    Membership.objects.create(owner=other, household=cast.household, rank=rank)
    with pytest.raises(NotAllowedError):
        sharing.share(
            asset=boiler, by=other, address="", parts=[], may_tick=False, days=30, now=NOW
        )


def test_a_helper_ticks_what_is_shared_with_them_and_what_is_given_to_them(
    boiler: Asset, cast: Cast
) -> None:
    helper: Any = factories.MembershipFactory.create(household=cast.household, rank=Rank.HELPER)
    with pytest.raises(NotAllowedError):
        sharing.require_help(owner=helper.owner, asset=boiler)
    task = CareTask.objects.get(asset=boiler)
    task.assignee = helper.owner
    assert sharing.require_help(owner=helper.owner, asset=boiler, task=task) == helper
    browser = browser_of(cast.ana)
    there = reverse("member-helps", args=[cast.household.uuid, helper.owner.uuid])
    assert "Boiler" in browser.get(there).content.decode()
    browser.post(there, {"assets": [str(boiler.uuid)]})
    assert sharing.require_help(owner=helper.owner, asset=boiler) == helper
    with pytest.raises(NotAllowedError):
        sharing.require_help(owner=helper.owner, asset=cast.dvr)
    browser.post(there, {})
    with pytest.raises(NotAllowedError):
        sharing.require_help(owner=helper.owner, asset=boiler)


def test_the_api_shares_shows_ticks_and_ends(boiler: Asset, ben: Owner, cast: Cast) -> None:
    ana, theirs = app_of(cast.ana), app_of(ben)
    said = {"asset": str(boiler.uuid), "parts": ["history"], "may_tick": True, "days": 30}
    made = ana.post("/api/v1/shares/", said, format="json").json()
    token = made["link"].rstrip("/").rpartition("/")[2]
    taken = theirs.post("/api/v1/shared/", {"token": token}, format="json")
    assert taken.status_code == 201
    there = f"/api/v1/shared/{taken.json()['id']}/"
    task = theirs.get(there).json()["tasks"][0]["id"]
    assert theirs.post(f"{there}tasks/{task}/done/").status_code == 201
    assert app_of(cast.mallory).get(there).status_code == 404
    assert ana.delete(f"/api/v1/shares/{made['id']}/").status_code == 204
    assert theirs.get(there).status_code == 404
    assert theirs.post(f"{there}tasks/{task}/done/").status_code == 404
    again = theirs.post("/api/v1/shared/", {"token": token}, format="json")
    assert again.status_code == 410
