"""How many queries each list of the API takes: the same for one row as for fifty."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from assets import (
    caring,
    claims,
    documents,
    faults,
    holdings,
    metering,
    recalls,
    register,
    shaping,
    stocking,
    worth,
)
from assets.cover_words import Confidence
from assets.models import Asset, Import, ImportRow, Loan, Meter, Share, Template, Transfer
from assets.passing_words import TransferState
from assets.recall_matching import Published
from notifications import calendar, push_devices
from notifications.choices import PassWay
from notifications.models import Link, Pass, PassVisit
from owners import clock, deletion, households, invitations
from owners.choices import ExportState, Moment, Rank, Scope, Topic
from owners.models import ApiToken, Export, Household, Restore
from suppliers import mandates
from suppliers.announcements import Addressee, Announcement
from suppliers.choices import ContactKind, Outcome
from suppliers.models import (
    BlockedSender,
    ConsentReceipt,
    Mandate,
    OutboundEvent,
    SupplierInvitation,
    SupplierKey,
    TermsRecord,
)
from tests import factories
from tests.api.conftest import app_of
from tests.factories import SigningSecretFactory

PINNED: dict[str, int] = json.loads((Path(__file__).parent / "query_counts.json").read_text())
FEED_MOST = 8
CHANGES_MOST = 24
CONSTANT = {"reach/presets", "terms"}  # no rows: they stand in the code


def agreed(cast: factories.Cast, number: int) -> None:
    """Give Ana one more step of her terms, receipt and invitation of a supplier."""
    about = {"household": cast.household, "mandate": spoken_for(cast)}
    digest = f"{number:064}"
    ConsentReceipt.objects.create(
        **about, event_state="given", body={}, sha256=digest, made_at=factories.START
    )
    TermsRecord.objects.create(
        **about, event="proffered", agreement_uri="https://x.example", version="1",
        sha256=digest, record_sha256=digest, said_in=uuid4(), at=factories.START,
    )  # fmt: skip
    offer = SupplierInvitation(
        household=cast.household, invited_by=cast.ana, name="Volt", shown_as="Ana",
        token_hash=digest.encode()[-32:], expires_at=factories.START,
    )  # fmt: skip
    offer.seal(token=digest, address="")
    offer.save()


def told_something(cast: factories.Cast) -> None:
    """Let Ana tell two suppliers something once more."""
    said = Announcement.objects.create(
        household=cast.household, kind="email", on=factories.START.date(),
        sends_at=factories.START, remind_on=factories.START.date(),
    )  # fmt: skip
    for mandate in Mandate.objects.filter(household=cast.household).order_by("-pk")[:2]:
        Addressee.objects.create(
            household=cast.household, announcement=said, mandate=mandate, event=uuid4()
        )


def rows(cast: factories.Cast, count: int) -> None:
    """Give Ana `count` of everything that is listed."""
    for number in range(count):
        BlockedSender.objects.create(household=cast.household, address=f"{number}@blocked.example")
        asset = factories.AssetFactory.create(household=cast.household, keeper=cast.ana)
        factories.AssetIdentifierFactory.create(asset=asset)
        supplier = factories.SupplierFactory.create()
        factories.SupplierDomainFactory.create(supplier=supplier)
        factories.RoleFactory.create(asset=asset, supplier=supplier)
        factories.MandateFactory.create(household=cast.household, supplier=supplier, assets=[asset])
        agreed(cast, number)
        told_something(cast)
        journey = factories.JourneyFactory.create(
            household=cast.household, asset=asset, suppliers=[supplier.pk]
        )
        factories.CardFactory.create(journey=journey)
        factories.AppointmentFactory.create(journey=journey, supplier=supplier)
        told = factories.NotificationFactory.create(journey=journey, owner=cast.ana)
        factories.DeliveryFactory.create(notification=told)
        shown, _waiting = (
            factories.ContactFactory.create(
                household=cast.household, supplier=supplier, asset=asset, outcome=outcome
            )
            for outcome in (Outcome.SHOWN, Outcome.DOOR)
        )
        factories.ContactFactory.create(
            household=cast.household,
            supplier=supplier,
            kind=ContactKind.ADVERT,
            outcome=Outcome.HELD,
            said_at=clock.now(),
        )
        Link.objects.create(household=cast.household, contact=shown, journey=journey, rule="key")
        factories.proposal_of(shown, name=f"Boiler {number}")
        factories.SurveyFactory.create(journey=journey, supplier=supplier, contact=shown)
        factories.ChannelFactory.create(owner=cast.ana, address=f"+1212555{number:04}")
        household = factories.HouseholdFactory.create()
        factories.MembershipFactory.create(household=household, owner=cast.ana)
        calendar.subscribe(owner=cast.ana, household=household, asset=None, now=factories.START)
        trust(cast, household, asset, number)
        bring(cast, number)
        pass_on(cast, asset)


def bring(cast: factories.Cast, number: int) -> None:
    """Let Ana bring one more file along, and the first of them have one more row."""
    Import.objects.create(
        household=cast.household, owner=cast.ana, name="a.csv", size=1, form="table"
    )
    ImportRow.objects.create(
        household=cast.household, of=first_brought(cast), number=number + 2, values={"Name": "A"}
    )


def pass_on(cast: factories.Cast, asset: Asset) -> None:
    """Let Ana share and offer one more thing, and be shown and offered one of Mallory's."""
    now, home = clock.now(), cast.mallory_household
    Share.objects.create(household=cast.household, asset=asset, made_by=cast.ana)
    Transfer.objects.create(household=cast.household, asset=asset, made_by=cast.ana)
    theirs = factories.AssetFactory.create(household=home)
    Share.objects.create(household=home, asset=theirs, made_by=cast.mallory, owner=cast.ana)
    Transfer.objects.create(
        household=home,
        asset=theirs,
        made_by=cast.mallory,
        addressee=cast.ana,
        state=TransferState.OFFERED,
        offered_at=now,
        expires_at=now + timedelta(days=1),
    )


def first_brought(cast: factories.Cast) -> Import:
    """Return the file that Ana brought along first."""
    return Import.objects.filter(household=cast.household).earliest("pk")


def spoken_for(cast: factories.Cast) -> Mandate:
    """Return the mandate of a supplier that Ana's household speaks for."""
    known = Mandate.objects.filter(household=cast.household, supplier__name="Corner shop").first()
    return known or mandates.note_supplier(
        household=cast.household, name="Corner shop", now=clock.now()
    )


def trust(cast: factories.Cast, household: Household, asset: Asset, number: int) -> None:
    """Give Ana one of everything about people, papers and what was done."""
    now, own = clock.now(), spoken_for(cast)
    factories.MembershipFactory.create(household=household, cover=cast.ana)
    documents.add(
        household=cast.household,
        asset=cast.dvr,
        owner=cast.ana,
        name=f"Receipt {number}.txt",
        content=b"bought for 49.00",
        now=now,
    )
    if number < push_devices.MOST:
        address = f"https://push.example/{number}"
        push_devices.add(owner=cast.ana, endpoint=address, keys={}, now=now)
    care_for(cast, asset, number)
    belong_to(cast, asset, number)
    register.edit(asset=asset, values={"place": f"Shelf {number}"}, owner=cast.ana, now=now)
    gone = factories.AssetFactory.create(household=household)
    register.remove(asset=gone, owner=cast.ana, now=now)
    factories.RoleFactory.create(asset=cast.dvr, supplier=factories.SupplierFactory.create())
    ApiToken.objects.create(owner=cast.ana, name="x", token_hash=f"{number:032}".encode())
    Export.objects.create(owner=cast.ana, state=ExportState.READY)
    Restore.objects.create(
        owner=cast.ana, name="steward.zip", size=1, expires_at=now,
        plan={"made_at": "", "made_by": "", "households": [], "parts": []},
    )  # fmt: skip
    deletion.ask_household(household=household, owner=cast.ana, typed=household.name, now=now)
    if number < invitations.A_DAY:
        ben = "ben@x.example"
        invitations.invite(household=household, by=cast.ana, address=ben, rank=Rank.MEMBER, now=now)
    Pass.objects.create(
        household=cast.household, owner=cast.ana, asset=asset, code_until=now, expires_at=now
    )
    PassVisit.objects.create(
        household=cast.household,
        held=passed(cast),
        way=PassWay.LINK,
        secret_hash=bytes(32),
        opened_at=now,
        seen_at=now,
    )
    OutboundEvent.objects.create(
        supplier=own.supplier, household=cast.household, mandate=own, type="owner.reply"
    )
    SigningSecretFactory.create(supplier=own.supplier)
    SupplierKey.objects.create(supplier=own.supplier, token_hash=f"{number:032}".encode())
    households.set_wishes(
        membership=cast.membership,
        values={},
        topics=[
            households.TopicWish(
                topic=Topic.MONEY, moment=Moment.NOW, scope=Scope.ASSET, subject=asset.uuid
            )
        ],
        now=now,
    )


def belong_to(cast: factories.Cast, asset: Asset, number: int) -> None:
    """Give Ana one of everything that belongs to an asset."""
    now = clock.now()
    holdings.cover(asset=asset, values={"kind": "insurance", "ends_on": now.date()}, now=now)
    spent = {"on": now.date(), "amount": Decimal(number), "currency": "USD"}
    holdings.spend(asset=cast.dvr, values=spent, owner=cast.ana, now=now)
    faults.order(asset=asset, values={"title": "Mend"}, owner=cast.ana, now=now)
    claims.make(asset=asset, values={"kind": "insurance"}, owner=cast.ana, now=now)
    worth.value(asset=asset, values=spent | {"on": factories.START.date()}, owner=cast.ana, now=now)
    fee = {"since": now.date(), "amount": Decimal(1), "currency": "USD"}
    terms = {"kind": "lease", "party": "Ben", "starts_on": now.date(), "fee": fee}
    worth.agree(asset=asset, values=terms, owner=cast.ana, now=now)
    Loan.objects.create(household=cast.household, asset=asset, borrower="Ben", out_on=now.date())
    recalls.told(
        asset=asset,
        published=Published(source="told", number=str(number), title="Fire", criteria=()),
        by="Maker",
        confidence=Confidence.EXACT,
        contact=uuid4(),
        now=now,
    )
    own = {"name": f"Field {number}", "type": "text"}
    shaping.add_field(household=cast.household, values=own)
    register.change(asset=asset, values={}, tags=[f"Tag {number}"])
    Template.objects.create(
        household=cast.household, slug=f"own-{number}", body=starters_body(f"Pump {number}")
    )


def starters_body(label: str) -> dict[str, Any]:
    """Return what a template of the household's own says."""
    return {"slug": "own", "label": {"en": label}, "icon": "package", "kind": "other"}


def care_for(cast: factories.Cast, asset: Asset, number: int) -> None:
    """Give Ana one more task, piece of work, meter, reading, part and fault."""
    now = factories.START
    Meter.objects.create(household=cast.household, asset=asset, name="Hours")
    metering.read(meter=measured(cast), value=Decimal(number), read_on=now.date(), now=now)
    values = {"name": "Filter", "quantity": Decimal(0), "reorder_at": Decimal(1)}
    stocking.add(household=cast.household, values=values, now=now)
    every = {"kind": "calendar", "every": 1, "unit": "year"}
    task = caring.add(asset=asset, spec={"name": "Service", "triggers": [every]}, now=now)
    said = caring.Work(amount=Decimal(5), findings=[{"item": "Brakes", "result": "fail"}])
    caring.log(asset=asset, title="Service", done_on=now.date(), tasks=[task], said=said, now=now)


def measured(cast: factories.Cast) -> Meter:
    """Return the meter whose readings are listed."""
    known = cast.dvr.meters.first()
    return known or metering.add(asset=cast.dvr, values={"name": "Hours"}, now=factories.START)


def passed(cast: factories.Cast) -> Pass:
    """Return the pass whose readers are listed."""
    until = clock.now() + timedelta(days=1)
    known = Pass.objects.filter(household=cast.household, without=["read"]).first()
    return known or Pass.objects.create(
        household=cast.household,
        owner=cast.ana,
        asset=cast.dvr,
        without=["read"],
        code_until=until,
        expires_at=until,
    )


def spelt(name: str, cast: factories.Cast) -> str:
    """Return the address of a pinned list."""
    parts = {"asset": cast.dvr.uuid, "mandate": spoken_for(cast).uuid, "held": passed(cast).uuid}
    parts["meter"] = measured(cast).uuid
    if "{run}" in name:
        parts["run"] = first_brought(cast).uuid
    path, _mark, query = name.partition("?")
    return f"/api/v1/{path.format(**parts)}/?{query}"


def queries(app: Any, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert app.get(address).status_code == 200, address
    return len(seen)


@pytest.mark.parametrize("count", [2, 50])
def test_every_list_takes_the_pinned_number_of_queries(cast: factories.Cast, count: int) -> None:
    rows(cast, count)
    app = app_of(cast.ana)
    assert {name: queries(app, spelt(name, cast)) for name in PINNED} == PINNED


def test_the_pinned_lists_are_not_empty(cast: factories.Cast) -> None:
    """The control: an empty page costs nothing, whatever it would do with rows."""
    rows(cast, 2)
    app, empty = app_of(cast.ana), []
    for name in PINNED:
        said = app.get(spelt(name, cast)).json()
        shown = said.get("results", said) if isinstance(said, dict) else said
        if len(shown) < 2:
            empty.append(name)
    assert empty == []


def test_every_list_of_the_api_is_pinned(cast: factories.Cast) -> None:
    made = SchemaGenerator().get_schema(request=None, public=True)
    lists = set()
    for address, item in made["paths"].items():
        for media in (
            item.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).values()
        ):
            shape = media.get("schema", {})
            if shape.get("type") == "array" or is_page(made, shape):
                lists.add(address.removeprefix("/api/v1/").strip("/"))
    pinned = {name.partition("?")[0] for name in PINNED}
    assert lists - pinned - CONSTANT == {"changes"}, "changes has a test of its own"


def is_page(made: dict[str, Any], shape: dict[str, Any]) -> bool:
    """Return whether an answer holds rows in `results`."""
    name = shape.get("$ref", "").rpartition("/")[2]
    return "results" in made["components"]["schemas"].get(name, {}).get("properties", {})


@pytest.mark.django_db(transaction=True)
def test_a_copy_is_read_in_few_queries_however_many_changes(cast: factories.Cast) -> None:
    app, taken = app_of(cast.ana), []
    for count in (1, 9):
        for _ in range(count):
            journey = factories.JourneyFactory.create(
                household=cast.household, asset=cast.dvr, suppliers=[cast.skyline.pk]
            )
            factories.CardFactory.create(journey=journey)
            factories.AppointmentFactory.create(journey=journey, supplier=cast.skyline)
        assert len(app.get("/api/v1/changes/?limit=100").json()["results"]) > 3 * count
        taken.append(queries(app, "/api/v1/changes/?limit=100"))
    assert taken[0] == taken[1]
    assert taken[0] <= CHANGES_MOST


def test_a_page_of_the_feed_takes_few_queries() -> None:
    assert PINNED["feed"] <= FEED_MOST
