"""A supplier is invited by mail or link, and its yes makes a mandate and lets it in."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from notifications import delivery
from notifications.models import Delivery
from owners.choices import Rank
from suppliers import inviting, keys, staffing
from suppliers.choices import FactName, LinkKind, Purpose
from suppliers.models import Mandate, Supplier, SupplierDomain, SupplierInvitation
from suppliers.staff import SupplierPerson
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def at() -> datetime:
    """The pages ask the real clock."""
    from owners import clock  # noqa: PLC0415 - read when the test runs

    return clock.now()


def invited(cast: factories.Cast, at: datetime, **said) -> SupplierInvitation:
    wishes = inviting.Wishes(
        **{"name": "Volt", "shown_as": "Ana from Elm Street", "assets": [cast.dvr],
           "facts": [FactName.SERIAL], "purposes": [Purpose.SERVICE], **said}
    )  # fmt: skip
    return inviting.invite(household=cast.household, by=cast.ana, wishes=wishes, now=at)


def test_a_link_is_opened_without_an_account_and_a_yes_lets_in(cast, at, client: Client) -> None:
    made = invited(cast, at)
    page = client.get(f"/invited/{made.token}/", follow=True).content.decode()
    assert "Ana from Elm Street invites you" in page
    assert "Hart" not in page
    assert cast.ana.email not in page
    answer = client.post(
        "/invited/", {"answer": "accept", "email": "boss@volt.example", "name": "Vera"}
    )
    assert answer.headers["location"] == "/portal/"
    mandate = Mandate.objects.get(supplier__name="Volt")
    assert (mandate.purposes, mandate.facts) == (["service"], ["serial"])
    assert list(mandate.assets.all()) == [cast.dvr]
    assert client.get("/portal/").status_code == 200
    # Nothing that was said on the way proves anything.
    assert mandate.supplier.verified_at is None
    assert not SupplierDomain.objects.filter(supplier=mandate.supplier).exists()
    assert client.get(f"/invited/{made.token}/", follow=True).status_code == 410


def test_a_typed_address_opens_no_other_suppliers_place(cast, at, client: Client) -> None:
    """Whoever holds a link may type any address: that must not make them its owner."""
    first = staffing.make_link(supplier=cast.skyline, email="boss@skyline.example", now=at)
    boss = staffing.redeem(token=first.token, now=at)
    made = invited(cast, at)
    client.get(f"/invited/{made.token}/", follow=True)
    client.post("/invited/", {"answer": "accept", "email": boss.email, "name": "Mallory"})
    claimed = SupplierPerson.objects.exclude(pk=boss.pk).get(email=boss.email)
    assert not staffing.elsewhere(claimed).exists()
    client.post("/portal/change/", {"person": str(boss.uuid)})
    assert b"Skyline" not in client.get("/portal/", follow=True).content
    # And the real one, signing in by letter, ends the session that claimed the address.
    link = staffing._make(
        kind=LinkKind.SIGN_IN, supplier=claimed.supplier, person=claimed, email=boss.email, now=at
    )
    stamp = claimed.session_stamp
    assert staffing.redeem(token=link.token, now=at).session_stamp != stamp
    claimed.refresh_from_db()
    assert staffing.elsewhere(claimed).get() == boss, "now the mailbox has answered"


def test_a_mailed_link_is_only_in_the_letter_and_joins_whom_the_mailbox_is(
    cast, at, client: Client
) -> None:
    first = staffing.make_link(supplier=cast.skyline, email="boss@skyline.example", now=at)
    boss = staffing.redeem(token=first.token, now=at)
    made = invited(cast, at, email="Boss@Skyline.example")
    assert inviting.url_of(made, site=settings.SITE_URL) == ""
    delivery.take_supplier_invitations(now=at)
    letter = Delivery.objects.get(key=f"supplier-invitation:{made.uuid}")
    assert "{link}" in letter.text
    assert made.token not in letter.text
    mandate, person = inviting.accept(token=made.token, now=at)
    assert (person, mandate.supplier) == (boss, cast.skyline)
    assert mandate == cast.mandate, "what it had is widened, nothing is made twice"
    mandate.refresh_from_db()
    assert mandate.facts == ["serial"]
    assert Supplier.objects.count() == 1


def test_a_supplier_joins_with_its_key(cast, at, client: Client) -> None:
    volt = factories.SupplierFactory.create(code="volt", name="Volt")
    key = keys.make(supplier=volt, name="x", now=at).token
    made = invited(cast, at)
    answers = [
        client.post(
            "/api/supplier/v1/invitations/",
            {"token": made.token},
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 410]
    assert answers[0].json()["owner"] == Mandate.objects.get(supplier=volt).owner_ref


@pytest.mark.parametrize("why", ["revoked", "expired", "declined", "no longer an admin"])
def test_an_invitation_that_is_over_opens_nothing(cast, at, why: str) -> None:
    made, later = invited(cast, at), at
    if why == "revoked":
        inviting.revoke(invitation=made, by=cast.ana, now=at)
    elif why == "expired":
        later = at + inviting.LIFE + timedelta(seconds=1)
    elif why == "declined":
        inviting.decline(token=made.token, now=at)
    else:
        cast.membership.rank = Rank.MEMBER
        cast.membership.save()
    assert inviting.find(token=made.token, now=later) is None
    with pytest.raises(inviting.InvitingError):
        inviting.accept(token=made.token, email="a@volt.example", now=later)
    assert not Mandate.objects.filter(supplier__name="Volt").exists()


def test_the_pages_of_who_invites(cast, at, client: Client) -> None:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(
        "/suppliers/invite/",
        {"name": "Volt", "shown_as": "Ana", "purposes": ["service"], "facts": ["serial"],
         "assets": [str(cast.dvr.uuid)]},
    )  # fmt: skip
    made = SupplierInvitation.objects.get()
    assert made.token in client.get(answer.headers["location"]).content.decode()
    assert b"Volt" in client.get("/suppliers/").content
    client.post(f"/suppliers/invitations/{made.uuid}/revoke/")
    assert b"Volt" not in client.get("/suppliers/").content
