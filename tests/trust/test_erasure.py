"""After the grace nothing of an erased owner is left in any table; what is shared stays."""

from datetime import timedelta

import pytest
from django.db import connection

from config import privacy
from owners import access, deletion, exports, invitations
from owners.choices import Rank
from owners.models import AccessEntry, Deletion, Household, Membership, Owner
from suppliers import privacy as purging
from suppliers.models import Contact, InboundEvent, Supplier
from tests import factories
from tests.project.test_isolation import CANARY, world
from tests.web.conftest import played

NOW = factories.START + timedelta(days=30)
AFTER = NOW + timedelta(days=31)


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [row[0] for row in cursor.fetchall()]


def holding(*markers: str) -> dict[str, list[str]]:
    """Return every table of the database in which one of the markers stands."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in tables():
            for marker in markers:
                spelled = (marker, marker.encode().hex())
                where = " OR ".join(["t::text ILIKE %s"] * len(spelled))
                cursor.execute(  # names of tables only
                    f'SELECT count(*) FROM "{table}" t WHERE {where}',  # noqa: S608
                    [f"%{text}%" for text in spelled],
                )
                if cursor.fetchone()[0]:
                    found.setdefault(table, []).append(marker)
    return found


def counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        rows = {}
        for table in tables():
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            rows[table] = cursor.fetchone()[0]
    return rows


def test_nothing_of_an_erased_owner_is_in_any_table(cast: factories.Cast) -> None:
    world(cast)
    Deletion.objects.all().delete()
    access.note(kind="signed_in", actor=cast.ana, what={"name": CANARY}, now=NOW)
    invitations.invite(
        household=cast.household, by=cast.ana, address="ben@hart.example", rank=Rank.MEMBER, now=NOW
    )
    secret = (
        CANARY,
        "hart.example",
        cast.mandate.owner_ref,
        cast.mandate.alias,
        str(cast.ana.uuid),
    )
    assert len(holding(*secret)) > 8
    deletion.ask_account(owner=cast.ana, typed="Ana@hart.example", now=NOW)
    assert privacy.erase_due(now=NOW + timedelta(days=29)) == 0
    assert privacy.erase_due(now=AFTER) == 1
    assert holding(*secret) == {}
    assert list(access.verify()) == []
    assert Owner.objects.filter(pk=cast.mallory.pk).exists()
    assert Supplier.objects.filter(pk=cast.skyline.pk).exists(), "verified: everybody's"


def test_an_erased_household_leaves_no_row_that_was_not_there_before(db: None) -> None:
    """A whole played story goes, its sealed bytes with it."""
    before = counts()
    ana = played()
    household = Household.objects.for_owner(ana).get()
    assert InboundEvent.objects.filter(household=household).exists()
    privacy.erase_account(owner=ana, now=AFTER)
    # What everybody shares stays: the supplier with its proofs, and the log's own lines.
    kept = {
        "suppliers_supplier",
        "suppliers_supplierdomain",
        "suppliers_suppliernumber",
        "suppliers_signingsecret",
        "owners_accessentry",
        "owners_accesshead",
        "django_session",
        "django_migrations",
        "notifications_change",
        "owners_owner",
        "owners_household",
        "owners_membership",
        "owners_channel",
        "account_emailaddress",
    }
    left = {name for name, count in counts().items() if count > before.get(name, 0)} - kept
    assert left == set()
    assert holding("ana@hart.example") == {}


def test_a_shared_household_stays_with_those_who_are_left(cast: factories.Cast) -> None:
    ben = factories.OwnerFactory.create(name="Ben")
    factories.MembershipFactory.create(household=cast.household, owner=ben, rank=Rank.HELPER)
    cleo = factories.OwnerFactory.create(name="Cleo")
    factories.MembershipFactory.create(household=cast.household, owner=cleo, rank=Rank.MEMBER)
    fate = deletion.fates(cast.ana)[0]
    assert (fate.is_erased, fate.heir) == (False, cleo)
    privacy.erase_account(owner=cast.ana, now=AFTER)
    assert Membership.objects.get(owner=cleo).rank == Rank.ADMIN
    cast.dvr.refresh_from_db()
    assert cast.dvr.keeper is None


def test_a_household_goes_and_its_members_stay(cast: factories.Cast) -> None:
    deletion.ask_household(
        household=cast.household, owner=cast.ana, typed="Hart household", now=NOW
    )
    assert privacy.erase_due(now=NOW + timedelta(days=6)) == 0
    assert privacy.erase_due(now=NOW + timedelta(days=7)) == 1
    assert not Household.objects.filter(pk=cast.household.pk).exists()
    assert Owner.objects.filter(pk=cast.ana.pk).exists()


def test_a_deletion_needs_the_right_words_and_can_be_taken_back(cast: factories.Cast) -> None:
    with pytest.raises(deletion.DeletionError):
        deletion.ask_account(owner=cast.ana, typed="yes", now=NOW)
    asked = deletion.ask_account(owner=cast.ana, typed=cast.ana.email, now=NOW)
    with pytest.raises(Deletion.DoesNotExist):
        deletion.cancel(deletion=asked, owner=cast.mallory, now=NOW)
    deletion.cancel(deletion=asked, owner=cast.ana, now=NOW)
    assert privacy.erase_due(now=AFTER) == 0
    kinds = list(AccessEntry.objects.order_by("number").values_list("kind", flat=True))
    assert kinds == ["deletion_asked", "deletion_cancelled"]


def test_old_messages_lose_their_bytes_and_keep_what_they_said(db: None) -> None:
    ana = played()
    household = Household.objects.for_owner(ana).get()
    said = list(Contact.objects.order_by("pk").values_list("said", flat=True))
    late = factories.START + timedelta(days=100)
    household.raw_days = 0
    household.save()
    assert purging.purge_due(now=late) == 0, "kept for ever"
    household.raw_days = 90
    household.save()
    assert purging.purge_due(now=factories.START + timedelta(days=10)) == 0
    assert purging.purge_due(now=late + timedelta(days=10)) > 0
    assert not InboundEvent.objects.filter(
        household=household, payload__isnull=False, contacts__isnull=False
    ).exists()
    assert list(Contact.objects.order_by("pk").values_list("said", flat=True)) == said


def test_every_household_is_looked_through_in_one_go(cast: factories.Cast) -> None:
    late = factories.START + timedelta(days=200)
    purging.purge_due(now=late)
    assert not Household.objects.filter(purged_at=None).exists()


def test_an_erasure_that_fails_holds_up_nothing_else(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = factories.START
    deletion.ask_account(owner=cast.mallory, typed=cast.mallory.email, now=now)

    def crash(**_: object) -> None:
        raise RuntimeError("the disk is away")

    monkeypatch.setattr(privacy, "erase_account", crash)
    late = now + deletion.ACCOUNT_GRACE
    export = exports.ask(owner=cast.ana, now=late)
    with pytest.raises(RuntimeError):
        privacy.work_due(late)
    export.refresh_from_db()
    assert export.done == 1
    assert not Household.objects.filter(purged_at=None).exists()
