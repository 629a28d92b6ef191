"""The pages about wishes, people, access and data, as Ana uses them without a script."""

import io
import re
import zipfile
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config import privacy
from notifications import simulation
from notifications.choices import Section
from notifications.ledger import Ledger
from owners import clock, households, invitations, sessions, tokens
from owners.choices import Moment, Rank, Scope, TokenScope, Topic
from owners.models import ApiToken, Change, Deletion, Export, Invitation, Membership, Owner
from tests import factories
from tests.web.conftest import played


@pytest.fixture
def ana(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return client


def wishes(**changed: str) -> dict[str, str]:
    """The form as it stands for Ana, with some fields changed."""
    moments = {topic.value: Moment.NEVER.value for topic in Topic}
    return {
        **moments,
        "prefers": "sms",
        "quiet_from": "22:00",
        "quiet_until": "08:00",
        "has_quiet_exceptions": "on",
        "digest_at": "18:00",
        "digest_weekday": "6",
        "zone": "America/New_York",
        "language": "en",
        **changed,
    }


def test_saved_wishes_hold_and_one_tap_undoes_them(ana: Client, cast: factories.Cast) -> None:
    answer = ana.post("/preferences/", wishes(arriving="now", arriving_by="email"), follow=True)
    assert answer.status_code == 200
    rule = cast.membership.reach_rules.get(topic="arriving")
    assert (rule.moment, rule.channel) == ("now", "email")
    undo = re.search(r'action="(/undo/[^"]+)"', answer.content.decode())
    assert undo
    ana.post(undo[1])
    assert not cast.membership.reach_rules.exists()


def test_each_row_says_in_words_what_it_means(ana: Client) -> None:
    page = ana.post("/preferences/?words=1", wishes(money="now", care="week")).content.decode()
    assert "Money is due: you are interrupted by SMS." in page
    assert "Care is due: one line in the summary on Sunday." in page
    assert "An offer: on its card only." in page


def test_half_a_holiday_is_not_saved(ana: Client, cast: factories.Cast) -> None:
    answer = ana.post("/preferences/", wishes(holiday_from="2026-12-01"))
    assert answer.status_code == 422
    cast.membership.refresh_from_db()
    assert cast.membership.holiday_from is None


def test_an_exception_is_for_what_is_ones_own(ana: Client, cast: factories.Cast) -> None:
    about = f"supplier:{cast.skyline.uuid}"
    ana.post("/preferences/exceptions/", {"about": about, "topic": "money", "moment": "never"})
    rule = cast.membership.reach_rules.get()
    assert (rule.scope, rule.subject, rule.topic) == (Scope.SUPPLIER, cast.skyline.uuid, "money")
    assert "Skyline TV" in ana.get("/preferences/").content.decode()
    foreign = factories.AssetFactory.create(household=cast.mallory_household)
    answer = ana.post(
        "/preferences/exceptions/", {"about": f"asset:{foreign.uuid}", "moment": "never"}
    )
    assert answer.status_code == 400
    ana.post("/preferences/exceptions/", {"about": about, "drop": "1"})
    assert not cast.membership.reach_rules.exists()


def test_last_month_is_replayed_with_wishes_that_are_not_saved(client: Client, db: None) -> None:
    """The base story: one SMS and two silent changes; with "never" it says nothing."""
    client.force_login(played(), backend="django.contrib.auth.backends.ModelBackend")
    with clock.fixed(factories.START + timedelta(days=6)):
        page = client.post("/preferences/", wishes(simulate="1")).content.decode()
        same = client.post(
            "/preferences/",
            wishes(
                simulate="1",
                arriving="now",
                changed="now",
                failed="now",
                question="today",
                money="today",
                care="today",
                legal="today",
            ),
        ).content.decode()
    assert "1 interruption would have been 0" in page
    assert "would not be told" in page
    assert "Nothing would have been told otherwise." in same
    assert not Membership.objects.exclude(reach_rules=None).exists()


def test_an_invitation_is_one_letter_and_one_use(ana: Client, cast: factories.Cast) -> None:
    address = f"/households/{cast.household.uuid}/invite/"
    ana.post(address, {"email": "ben@hart.example", "rank": "helper"})
    sent = Invitation.objects.get()
    ben = factories.OwnerFactory.create(email="ben@hart.example")
    browser = Client()
    assert browser.get(f"/invitation/{sent.token}/", follow=True).status_code == 200
    assert "Make an account" in browser.get("/invitation/").content.decode()
    browser.force_login(ben, backend="django.contrib.auth.backends.ModelBackend")
    browser.get(f"/invitation/{sent.token}/")
    browser.post("/invitation/")
    assert Membership.objects.get(owner=ben).rank == Rank.HELPER
    eve = factories.OwnerFactory.create()
    late = Client()
    late.force_login(eve, backend="django.contrib.auth.backends.ModelBackend")
    assert late.get(f"/invitation/{sent.token}/", follow=True).status_code == 410
    assert not Membership.objects.filter(owner=eve).exists()


def test_an_invitation_that_was_taken_back_or_is_old_opens_nothing(cast: factories.Cast) -> None:
    def fresh(name: str) -> Invitation:
        return invitations.invite(
            household=cast.household,
            by=cast.ana,
            address=f"{name}@hart.example",
            rank=Rank.MEMBER,
            now=factories.START,
        )

    revoked, old = fresh("ben"), fresh("cleo")
    invitations.revoke(invitation=revoked, by=cast.ana, now=factories.START)
    assert invitations.find(token=revoked.token, now=factories.START) is None
    assert invitations.find(token=old.token, now=factories.START) == old
    assert invitations.find(token=old.token, now=factories.START + invitations.LIFE) is None


def test_more_households_send_no_more_invitations(cast: factories.Cast) -> None:
    now = clock.now()
    for number in range(invitations.A_DAY):
        home = households.create(owner=cast.ana, name=f"Home {number}", now=now)
        invitations.invite(
            household=home, by=cast.ana, address="x@hart.example", rank=Rank.VIEWER, now=now
        )
    with pytest.raises(invitations.PeopleError) as refused:
        invitations.invite(
            household=cast.household,
            by=cast.ana,
            address="x@hart.example",
            rank=Rank.VIEWER,
            now=now,
        )
    assert refused.value.code == "too_many"


def test_the_last_admin_stays(ana: Client, cast: factories.Cast) -> None:
    address = f"/households/{cast.household.uuid}/members/{cast.ana.uuid}/"
    ana.post(address, {"remove": "1"})
    ana.post(address, {"rank": "viewer"})
    cast.membership.refresh_from_db()
    assert cast.membership.rank == Rank.ADMIN


def test_a_member_who_was_taken_out_comes_back_exactly(ana: Client, cast: factories.Cast) -> None:
    ben = factories.OwnerFactory.create(name="Ben")
    theirs = factories.MembershipFactory.create(
        household=cast.household, owner=ben, rank=Rank.HELPER, quiet_until=None, quiet_from=None
    )
    theirs.reach_rules.create(topic="money", moment="never")
    cast.dvr.keeper = ben
    cast.dvr.save()
    hidden = {"id", "next_digest_at", "looked_at", "new_count", "digested_until"}

    def state() -> list[object]:
        row = Membership.objects.filter(owner=ben).values().get()
        rules = Membership.objects.get(owner=ben).reach_rules.values("topic", "moment", "scope")
        cast.dvr.refresh_from_db()
        kept = {name: value for name, value in row.items() if name not in hidden}
        return [kept, list(rules), cast.dvr.keeper_id]

    before = state()
    ana.post(f"/households/{cast.household.uuid}/members/{ben.uuid}/", {"remove": "1"})
    assert not Membership.objects.filter(owner=ben).exists()
    cast.dvr.refresh_from_db()
    assert cast.dvr.keeper is None
    assert "Ben" in ana.get("/bin/").content.decode()
    ana.post(f"/undo/{Change.objects.get().uuid}/")
    assert state() == before


def test_only_an_admin_manages_people(cast: factories.Cast, client: Client) -> None:
    ben = factories.OwnerFactory.create()
    factories.MembershipFactory.create(household=cast.household, owner=ben, rank=Rank.MEMBER)
    client.force_login(ben, backend="django.contrib.auth.backends.ModelBackend")
    home = f"/households/{cast.household.uuid}"
    for address, body in (
        (f"{home}/invite/", {"email": "eve@hart.example", "rank": "admin"}),
        (f"{home}/members/{cast.ana.uuid}/", {"remove": "1"}),
        (f"{home}/members/{ben.uuid}/", {"rank": "admin"}),
    ):
        assert client.post(address, body).status_code == 403
    assert (
        client.post(
            "/data/delete/", {"typed": "Hart household", "household": str(cast.household.uuid)}
        ).status_code
        == 403
    )


def test_a_token_is_shown_once_and_only_its_hash_is_kept(ana: Client, cast: factories.Cast) -> None:
    page = ana.post("/access/tokens/", {"name": "my lamp", "scope": "read"}).content.decode()
    token = re.search(r"stwo_[\w-]+", page)
    assert token
    row = ApiToken.objects.get()
    assert token[0].encode() not in bytes(row.token_hash)
    assert token[0] not in ana.get("/access/").content.decode()
    assert tokens.holder(token=token[0], now=factories.START) == row
    ana.post(f"/access/tokens/{row.uuid}/revoke/")
    assert tokens.holder(token=token[0], now=factories.START) is None


def test_everything_is_put_together_and_taken(ana: Client, cast: factories.Cast) -> None:
    factories.CardFactory.create(
        journey__household=cast.household, section=Section.QUIET, title="The boiler"
    )
    ana.post("/data/exports/")
    export = Export.objects.get()
    assert "Being put together" in ana.get(f"/data/exports/{export.uuid}/").content.decode()
    assert ana.get(f"/data/exports/{export.uuid}/steward.zip").status_code == 404
    while privacy.work_due(clock.now()):
        pass
    assert "Download" in ana.get("/data/").content.decode()
    answer = ana.get(f"/data/exports/{export.uuid}/steward.zip")
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    assert b"The boiler" in packed.read("steward/index.html")


def test_a_deletion_is_asked_for_in_words_and_cancelled_in_one_tap(
    ana: Client, cast: factories.Cast
) -> None:
    assert "nobody else is in it" in ana.get("/data/").content.decode()
    ana.post("/data/delete/", {"typed": "no"})
    assert not Deletion.objects.exists()
    ana.post("/data/delete/", {"typed": cast.ana.email})
    asked = Deletion.objects.get()
    assert "will be deleted" in ana.get("/data/").content.decode()
    ana.post(f"/data/delete/{asked.uuid}/cancel/")
    assert not Deletion.objects.exists()


def test_changes_that_open_the_account_ask_who_is_there(cast: factories.Cast) -> None:
    """Somebody with a password who signed in long ago types it again first."""
    cast.ana.set_password(factories.PASSWORD)
    cast.ana.save()
    browser = Client()
    browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    for address in ("/access/tokens/", "/data/exports/", "/data/delete/"):
        answer = browser.post(address, {"name": "x", "scope": "act", "typed": cast.ana.email})
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"]
    assert not ApiToken.objects.exists()
    assert not Deletion.objects.exists()
    assert Owner.objects.filter(pk=cast.ana.pk).exists()


def test_a_scope_that_reads_is_only_that() -> None:
    assert set(TokenScope.values) == {"read", "act"}


def test_sessions_are_read_at_once_and_none_is_ended_by_mistake(
    ana: Client, cast: factories.Cast, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        browser = Client(headers={"user-agent": f"Browser {number}"})
        browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
        browser.get("/access/")
    with django_assert_num_queries(2):
        assert len(sessions.live_of(cast.ana, now=clock.now())) == 5
    assert ana.get("/access/").status_code == 200
    assert ana.post("/access/sessions/end/", {"session": "mine"}).status_code == 400
    assert len(sessions.live_of(cast.ana, now=clock.now())) == 6
    ana.post("/access/sessions/end/")
    assert len(sessions.live_of(cast.ana, now=clock.now())) == 1


def test_a_month_beyond_its_bounds_is_never_loaded(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    membership = Membership.objects.get(owner=played())
    loaded: list[str] = []
    real = Ledger.load_journeys

    def load(self: Ledger, uuids: Iterable[str]) -> None:
        loaded.extend(uuids)
        real(self, uuids)

    monkeypatch.setattr(Ledger, "load_journeys", load)
    now = factories.START + timedelta(days=6)
    wishes = simulation.reach_now(membership)
    assert not simulation.last_month(membership=membership, wishes=wishes, now=now).is_cut
    assert len(loaded) == 1
    monkeypatch.setattr(simulation, "CONTACTS_MOST", 3)
    assert simulation.last_month(membership=membership, wishes=wishes, now=now).is_cut
    assert len(loaded) == 1
