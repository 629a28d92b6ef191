"""Every change can be taken back, by whoever could have made it and by nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assets import documents, register
from assets.choices import IdentifierScheme
from assets.models import Asset, Document
from config.undos import UNDOS
from owners import clock, households, invitations, undo, undoing
from owners.choices import Rank
from owners.models import AccessEntry, Change, Household, Membership, Owner
from suppliers import mandates, particulars
from suppliers.choices import MandateState, Purpose, RoleKind
from suppliers.models import Mandate, Role
from tests import factories


def browser_of(owner: Owner) -> Client:
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def member(cast: factories.Cast, rank: Rank, email: str = "ben@hart.example") -> Owner:
    ben = factories.OwnerFactory.create(email=email)
    Membership.objects.create(household=cast.household, owner=ben, rank=rank)
    return ben


def ended(cast: factories.Cast) -> Change:
    change = mandates.end(mandate=cast.mandate, owner=cast.ana, now=clock.now())
    assert change
    return change


def allowed_more(cast: factories.Cast) -> Change:
    change = mandates.change(
        mandate=cast.mandate, purposes=[Purpose.MARKETING], owner=cast.ana, now=clock.now()
    )
    assert change
    return change


def granted(cast: factories.Cast) -> Change:
    made = mandates.note_supplier(
        household=cast.household, name="Warm", owner=cast.ana, now=clock.now()
    )
    change = undo.latest(kind=mandates.GRANTED, subject=made.uuid)
    assert change
    return change


def role_taken(cast: factories.Cast) -> Change:
    now = clock.now()
    role = particulars.give_role(
        asset=cast.dvr, supplier=cast.skyline, kind=RoleKind.REPAIRER, now=now
    )
    return particulars.take_role(role=role, owner=cast.ana, now=now)


def renamed(cast: factories.Cast) -> Change:
    change = households.change(
        household=cast.household, values={"name": "Elsewhere"}, by=cast.ana, now=clock.now()
    )
    assert change
    return change


def ranked(cast: factories.Cast) -> Change:
    eve = member(cast, Rank.MEMBER, "eve@hart.example")
    membership = Membership.objects.get(owner=eve)
    change = invitations.change_rank(
        membership=membership, rank=Rank.VIEWER, by=cast.ana, now=clock.now()
    )
    assert change
    return change


def taken_out(cast: factories.Cast) -> Change:
    eve = member(cast, Rank.MEMBER, "eve@hart.example")
    return invitations.remove(
        membership=Membership.objects.get(owner=eve), by=cast.ana, now=clock.now()
    )


OF_ADMINS = [ended, allowed_more, granted, role_taken, renamed, ranked, taken_out]


@pytest.mark.parametrize("make", OF_ADMINS)
def test_who_could_not_make_a_change_cannot_undo_it(
    cast: factories.Cast, make: "object", caplog: pytest.LogCaptureFixture
) -> None:
    change = make(cast)  # type: ignore[operator]  # one of the functions above
    for rank in (Rank.MEMBER, Rank.HELPER, Rank.VIEWER):
        ben = member(cast, rank, f"{rank}@hart.example")
        answer = browser_of(ben).post(f"/undo/{change.uuid}/")
        assert answer.status_code == 403, rank
    assert browser_of(cast.mallory).post(f"/undo/{change.uuid}/").status_code == 404
    change.refresh_from_db()
    assert change.undone_at is None
    assert browser_of(cast.ana).post(f"/undo/{change.uuid}/").status_code == 302
    change.refresh_from_db()
    assert change.undone_at is not None


def test_the_operation_itself_asks_for_the_rank(cast: factories.Cast) -> None:
    change = ended(cast)
    with pytest.raises(households.NotAllowedError):
        undoing.put_back(
            change=change, owner=member(cast, Rank.MEMBER), ways=UNDOS, now=clock.now()
        )
    with pytest.raises(Membership.DoesNotExist):
        undoing.put_back(change=change, owner=cast.mallory, ways=UNDOS, now=clock.now())


def test_an_undo_of_wishes_leaves_what_was_told_and_counted(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = households.set_wishes(
        membership=cast.membership, values={"digest_weekday": 2}, topics=(), now=clock.now()
    )
    real = Membership.save

    def save(self: Membership, *args: Any, **kwargs: Any) -> None:
        # A card is written at this very moment.
        Membership.objects.filter(pk=self.pk).update(new_count=7)
        real(self, *args, **kwargs)

    monkeypatch.setattr(Membership, "save", save)
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=clock.now())
    cast.membership.refresh_from_db()
    assert (cast.membership.new_count, cast.membership.digest_weekday) == (7, 6)


def test_an_undo_of_wishes_never_brings_back_a_cover_who_left(cast: factories.Cast) -> None:
    ben = member(cast, Rank.MEMBER)
    households.change_reach(membership=cast.membership, values={"cover": ben})
    change = households.set_wishes(
        membership=cast.membership, values={"cover": None}, topics=(), now=clock.now()
    )
    invitations.remove(membership=Membership.objects.get(owner=ben), by=ben, now=clock.now())
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=clock.now())
    cast.membership.refresh_from_db()
    assert cast.membership.cover is None


def test_a_viewer_takes_back_only_their_own_wishes(cast: factories.Cast) -> None:
    ben = member(cast, Rank.VIEWER)
    mine = Membership.objects.get(owner=ben)
    change = households.set_wishes(
        membership=mine, values={"digest_weekday": 2}, topics=(), now=clock.now()
    )
    browser_of(cast.ana).post(f"/undo/{change.uuid}/")
    mine.refresh_from_db()
    assert mine.digest_weekday == 2
    browser_of(ben).post(f"/undo/{change.uuid}/")
    mine.refresh_from_db()
    assert mine.digest_weekday == 6


def test_a_household_gets_back_what_it_was(cast: factories.Cast) -> None:
    before = Household.objects.values().get(pk=cast.household.pk)
    values = {"name": "Lake", "zone": "Europe/Rome", "raw_days": 7, "survey_cap": 0}
    change = households.change(
        household=cast.household, values=values, by=cast.ana, now=clock.now()
    )
    assert change
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=clock.now())
    assert Household.objects.values().get(pk=cast.household.pk) == before


def test_saving_what_is_already_so_leaves_nothing_to_undo(cast: factories.Cast) -> None:
    same = {"name": cast.household.name}
    assert (
        households.change(household=cast.household, values=same, by=cast.ana, now=clock.now())
        is None
    )
    assert not Change.objects.exists()


def test_a_mandate_allows_again_what_it_allowed(cast: factories.Cast) -> None:
    purposes, covered = list(cast.mandate.purposes), set(cast.mandate.assets.all())
    change = mandates.change(
        mandate=cast.mandate,
        state=MandateState.PAUSED,
        purposes=[Purpose.MARKETING],
        assets=[],
        owner=cast.ana,
        now=clock.now(),
    )
    assert change
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=clock.now())
    mandate = Mandate.objects.get(pk=cast.mandate.pk)
    assert (list(mandate.purposes), set(mandate.assets.all())) == (purposes, covered)
    assert mandate.state != MandateState.PAUSED


def test_a_mandate_given_by_mistake_ends_and_lives_again(cast: factories.Cast) -> None:
    change = granted(cast)
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=clock.now())
    mandate = Mandate.objects.get(uuid=undo.subject_of(change))
    assert mandate.state == MandateState.ENDED
    again = undo.latest(kind=mandates.ENDED, subject=mandate.uuid)
    assert again
    undoing.put_back(change=again, owner=cast.ana, ways=UNDOS, now=clock.now())
    mandate.refresh_from_db()
    assert mandate.state != MandateState.ENDED


def test_lines_of_mandates_say_who_did_it(cast: factories.Cast) -> None:
    change = ended(cast)
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=clock.now())
    granted(cast)
    lines = AccessEntry.objects.filter(kind__startswith="mandate").order_by("number")
    assert [(line.kind, line.actor_id) for line in lines] == [
        ("mandate_ended", cast.ana.pk),
        ("mandate_restored", cast.ana.pk),
        ("mandate_granted", cast.ana.pk),
    ]


def test_after_its_time_a_change_stays(cast: factories.Cast) -> None:
    change = ended(cast)
    with pytest.raises(undo.UndoError):
        undoing.put_back(
            change=change, owner=cast.ana, ways=UNDOS, now=clock.now() + timedelta(days=31)
        )
    assert not Role.objects.filter(household=cast.mallory_household).exists()


def test_an_undo_of_a_thing_leaves_what_somebody_else_changed(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = cast.dvr.name
    change = register.edit(asset=cast.dvr, values={"name": "Box"}, owner=cast.ana, now=clock.now())
    assert change
    real = Asset.save

    def save(self: Asset, *args: Any, **kwargs: Any) -> None:
        Asset.objects.filter(pk=self.pk).update(place="Attic")
        real(self, *args, **kwargs)

    monkeypatch.setattr(Asset, "save", save)
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=clock.now())
    cast.dvr.refresh_from_db()
    assert (cast.dvr.name, cast.dvr.place) == (name, "Attic")


def test_a_thing_with_many_numbers_is_noted_once(
    cast: factories.Cast, django_assert_max_num_queries: Any
) -> None:
    many = [(IdentifierScheme.SERIAL, f"SN-{number}") for number in range(30)]
    with django_assert_max_num_queries(8):
        register.change(asset=cast.dvr, values={}, identifiers=many)
    assert cast.dvr.identifiers.filter(folded="SN29").exists()


def test_what_was_added_is_taken_back_by_its_toast_and_lies_in_the_bin(
    cast: factories.Cast,
) -> None:
    browser = browser_of(cast.ana)
    added = browser.post(
        "/assets/add/",
        {"name": "Kayak", "kind": "other", "household": str(cast.household.uuid)},
        follow=True,
    )
    kayak = Asset.objects.get(name="Kayak")
    change = undo.latest(kind=register.ADDED, subject=kayak.uuid)
    assert change is not None
    assert f"/undo/{change.uuid}/" in added.content.decode()
    browser.post(f"/undo/{change.uuid}/")
    kayak.refresh_from_db()
    assert kayak.removed_at is not None
    assert "Kayak" in browser.get("/bin/").content.decode()
    browser.post(f"/undo/{change.uuid}/")  # twice is once
    assert Change.objects.filter(kind=register.REMOVED, subject=kayak.uuid).count() == 1

    paper = SimpleUploadedFile("Receipt.txt", b"Paddle 20.00 EUR")
    kept = browser.post(
        "/documents/add/", {"files": paper, "asset": str(cast.dvr.uuid), "kind": ""}, follow=True
    )
    document = Document.objects.get()
    change = undo.latest(kind=documents.ADDED, subject=document.uuid)
    assert change is not None
    assert f"/undo/{change.uuid}/" in kept.content.decode()
    browser.post(f"/undo/{change.uuid}/")
    document.refresh_from_db()
    assert document.removed_at is not None
