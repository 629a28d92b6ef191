"""People, tokens, exports and deletion, all of it goes by the API; tokens keep to their scope."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from rest_framework.test import APIClient

from config import privacy
from notifications import delivery
from owners import clock, tokens
from owners.choices import TokenScope
from owners.models import AccessEntry, ApiToken, Invitation, Membership
from tests import factories
from tests.api.conftest import app_of


@pytest.fixture
def ana(cast: factories.Cast) -> APIClient:
    return app_of(cast.ana)


def with_token(cast: factories.Cast, scope: TokenScope) -> APIClient:
    made = tokens.make(owner=cast.ana, name="lamp", scope=scope, now=factories.START)
    app = APIClient()
    app.credentials(HTTP_AUTHORIZATION=f"Bearer {made.token}")
    return app


def test_a_token_that_reads_changes_nothing(cast: factories.Cast) -> None:
    app = with_token(cast, TokenScope.READ)
    assert app.get("/api/v1/me/").json()["email"] == cast.ana.email
    assert app.patch("/api/v1/me/", {"name": "Eve"}).status_code == 403
    assert ApiToken.objects.get().used_at is not None


def test_a_token_that_acts_opens_and_ends_nothing_for_good(cast: factories.Cast) -> None:
    app = with_token(cast, TokenScope.ACT)
    assert app.patch("/api/v1/me/", {"name": "Ana H."}).status_code == 200
    for name in ("tokens", "exports", "deletion", "invitations"):
        assert app.get(f"/api/v1/{name}/").status_code == 403
        assert app.post(f"/api/v1/{name}/", {}).status_code == 403


def test_no_token_says_where_messages_go(cast: factories.Cast) -> None:
    app = with_token(cast, TokenScope.ACT)
    sms = {"kind": "sms", "address": "+12125550177"}
    assert app.get("/api/v1/channels/").status_code == 200
    assert app.post("/api/v1/channels/", sms).status_code == 403
    channel = factories.ChannelFactory.create(owner=cast.ana, address="+12125550178").uuid
    assert app.delete(f"/api/v1/channels/{channel}/").status_code == 403
    assert app.post(f"/api/v1/channels/{channel}/verify/", {"code": "1"}).status_code == 403
    home = f"/api/v1/households/{cast.household.uuid}/"
    assert app.patch(home, {"name": "Mine"}).status_code == 403


def test_a_token_that_was_revoked_or_never_was_opens_nothing(
    cast: factories.Cast, ana: APIClient
) -> None:
    app = with_token(cast, TokenScope.ACT)
    row = ApiToken.objects.get()
    assert ana.delete(f"/api/v1/tokens/{row.uuid}/").status_code == 204
    assert app.get("/api/v1/me/").status_code == 401
    stranger = APIClient()
    stranger.credentials(HTTP_AUTHORIZATION="Bearer stwo_guess")
    assert stranger.get("/api/v1/me/").status_code == 401


def test_a_letter_goes_out_by_mail_and_lets_one_person_in(
    cast: factories.Cast, ana: APIClient, settings: object
) -> None:
    body = {"household": str(cast.household.uuid), "email": "ben@hart.example", "rank": "helper"}
    assert ana.post("/api/v1/invitations/", body).status_code == 201
    now = clock.now()
    assert delivery.has_letters(now=now)
    delivery.deliver_due(now=now)
    assert not delivery.has_letters(now=now)
    letter = mail.outbox[0]
    token = Invitation.objects.get().token
    assert letter.to == ["ben@hart.example"]
    assert f"/invitation/{token}/" in letter.body
    ben = app_of(factories.OwnerFactory.create(email="ben@hart.example"))
    assert ben.post("/api/v1/invitations/accept/", {"token": token}).json()["rank"] == "helper"
    assert ben.post("/api/v1/invitations/accept/", {"token": token}).status_code == 409
    assert {row["rank"] for row in ana.get("/api/v1/memberships/").json()["results"]} == {
        "admin",
        "helper",
    }


def test_an_invitation_taken_back_in_time_is_not_sent(cast: factories.Cast, ana: APIClient) -> None:
    body = {"household": str(cast.household.uuid), "email": "ben@hart.example"}
    made = ana.post("/api/v1/invitations/", body).json()
    delivery.take_invitations(now=clock.now())
    ana.delete(f"/api/v1/invitations/{made['id']}/")
    delivery.deliver_due(now=clock.now())
    assert mail.outbox == []


def test_an_export_is_asked_for_followed_and_taken(cast: factories.Cast, ana: APIClient) -> None:
    export = ana.post("/api/v1/exports/").json()
    assert (export["state"], export["download"]) == ("waiting", None)
    while privacy.work_due(clock.now()):
        pass
    ready = ana.get(f"/api/v1/exports/{export['id']}/").json()
    assert ready["percent"] == 100
    packed = b"".join(ana.get(ready["download"]).streaming_content)  # type: ignore[attr-defined]
    assert packed.startswith(b"PK")
    assert AccessEntry.objects.filter(kind="export_taken", actor_id=cast.ana.pk).exists()
    assert app_of(cast.mallory).get(ready["download"]).status_code == 404


def test_a_deletion_is_asked_for_and_cancelled(cast: factories.Cast, ana: APIClient) -> None:
    assert ana.post("/api/v1/deletion/", {"typed": "x"}).status_code == 409
    asked = ana.post("/api/v1/deletion/", {"typed": cast.ana.email})
    assert asked.status_code == 201
    assert ana.delete(f"/api/v1/deletion/{asked.json()['id']}/").status_code == 204
    assert ana.get("/api/v1/deletion/").json()["results"] == []


def test_the_log_tells_ana_of_hers_and_mallory_nothing(
    cast: factories.Cast, ana: APIClient
) -> None:
    ana.post("/api/v1/tokens/", {"name": "lamp", "scope": "read"})
    lines = ana.get("/api/v1/access-log/").json()["results"]
    assert lines[0]["kind"] == "token_made"
    assert lines[0]["who"] == str(cast.ana.uuid)
    others = app_of(cast.mallory).get("/api/v1/access-log/").json()["results"]
    assert all(line["kind"] != "token_made" for line in others)


def test_the_last_admin_stays(cast: factories.Cast, ana: APIClient) -> None:
    address = f"/api/v1/households/{cast.household.uuid}/members/{cast.ana.uuid}/"
    assert ana.delete(address).json()["code"] == "last_admin"
    assert ana.patch(address, {"rank": "viewer"}).json()["code"] == "last_admin"
    assert Membership.objects.filter(owner=cast.ana).exists()


def test_what_opens_or_ends_the_account_asks_an_app_who_is_there(cast: factories.Cast) -> None:
    """As on the pages: somebody with a password types it again first, in the same session."""
    cast.ana.set_password(factories.PASSWORD)
    cast.ana.save()
    app = app_of(cast.ana)
    writes = {
        "tokens": {"name": "lamp"},
        "exports": {},
        "deletion": {"typed": cast.ana.email},
    }
    for name, body in writes.items():
        answer = app.post(f"/api/v1/{name}/", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "reauthenticate")
        assert answer.json()["flows"] == ["reauthenticate"]
        assert app.get(f"/api/v1/{name}/").status_code == 200
    assert not ApiToken.objects.exists()
    proof = {"password": factories.PASSWORD}
    proved = app.post("/_allauth/app/v1/auth/reauthenticate", proof)
    assert proved.status_code == 200
    assert app.post("/api/v1/tokens/", writes["tokens"]).status_code == 201
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        assert app.post("/api/v1/tokens/", writes["tokens"]).status_code == 403


def test_channels_changed_by_an_app_are_in_the_log(cast: factories.Cast, ana: APIClient) -> None:
    made = ana.post("/api/v1/channels/", {"kind": "email", "address": "ana@lake.example"}).json()
    assert ana.delete(f"/api/v1/channels/{made['id']}/").status_code == 204
    lines = AccessEntry.objects.filter(kind__startswith="channel").order_by("number")
    assert [(line.kind, line.actor_id, line.what["address"]) for line in lines] == [
        ("channel_added", cast.ana.pk, "a…@lake.example"),
        ("channel_removed", cast.ana.pk, "a…@lake.example"),
    ]


def test_an_admin_says_how_long_messages_are_kept(cast: factories.Cast, ana: APIClient) -> None:
    place = f"/api/v1/households/{cast.household.uuid}/"
    assert ana.patch(place, {"raw_days": 7}).json()["raw_days"] == 7
    assert ana.get(place).json()["raw_days"] == 7
    assert AccessEntry.objects.get(kind="household_changed").actor_id == cast.ana.pk
