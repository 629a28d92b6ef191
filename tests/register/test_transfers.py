"""An asset passes to its next owner: what goes along, what never does, and what ends with it."""

import io
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from assets import (
    caring,
    documents,
    holdings,
    labels,
    metering,
    packages,
    packing,
    recalls,
    sharing,
    stocking,
    transfers,
    unpacking,
)
from assets.care_words import WorkKind
from assets.choices import DocumentKind, EndReason, IdentifierScheme, Lifecycle, NoticeKind, Source
from assets.cover_words import Confidence, RecallState
from assets.models import (
    Asset,
    AssetIdentifier,
    CareTask,
    Document,
    Label,
    MeterReading,
    Notice,
    Ownership,
    Part,
    RecallMatch,
    Received,
    ServiceRecord,
    Share,
    Transfer,
)
from assets.packing import Wishes
from assets.passing_words import SharePart, TransferState
from assets.recall_matching import Published
from assets.transfers import Handing, Side, TransferError
from notifications import calendar, pass_rules, passes
from notifications.models import CalendarFeed, Pass
from owners import undo
from owners.choices import ChannelKind, Rank
from owners.households import NotAllowedError
from owners.models import AccessEntry, Change, Household, Membership, Owner
from suppliers import passing_on
from suppliers.choices import MandateState, RoleKind
from suppliers.models import Mandate, OutboundEvent, Role
from tests import factories
from tests.factories import Cast

NOW = datetime(2026, 11, 9, 13, 0, tzinfo=UTC)
TODAY = date(2026, 11, 9)
VIN = "1M8GDM9AXKP042788"
SECRET = "Zz-private"  # stands in everything that never passes

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """Ana's car, Ben who may buy it, and what Ana told about it."""

    ana: Owner
    ben: Owner
    home: Household
    bens: Household
    car: Asset
    garage: Mandate
    insurer: Mandate
    manual: Document
    photo: Document
    receipt: Document


def picture() -> bytes:
    """Return a photo that says where it was taken."""
    out = io.BytesIO()
    image = Image.new("RGB", (64, 48), "teal")
    exif = image.getexif()
    exif[0x010E] = SECRET
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.fixture
def sale(cast: Cast) -> Sale:
    ben = factories.OwnerFactory.create(name="Ben Buyer", email="ben@buyer.example")
    factories.ChannelFactory.create(owner=ben, kind=ChannelKind.EMAIL, address="ben@buyer.example")
    bens = factories.HouseholdFactory.create(name="Ben's household")
    factories.MembershipFactory.create(owner=ben, household=bens)
    car = factories.AssetFactory.create(
        household=cast.household, name="Golf", kind="vehicle", maker="VW", model="Golf VII"
    )
    car.place, car.notes, car.bought_on = f"{SECRET} garage", SECRET, date(2019, 3, 1)
    car.in_service_on, car.keeper = date(2019, 3, 2), cast.ana
    car.save()
    for scheme, value in (
        (IdentifierScheme.VIN, VIN),
        (IdentifierScheme.ASSET_TAG, f"{SECRET}-7"),
        (IdentifierScheme.POLICY_NUMBER, f"{SECRET}-8"),
    ):
        AssetIdentifier.objects.create(
            household=cast.household, asset=car, scheme=scheme, value=value
        )
    meter = metering.add(asset=car, values={"name": "Odometer", "unit": "km"}, now=NOW)
    metering.read(meter=meter, value=Decimal(20), read_on=date(2019, 3, 2), now=NOW)
    service = caring.add(
        asset=car,
        spec={
            "name": "Service",
            "note": SECRET,
            "amount": "300",
            "currency": "USD",
            "triggers": [
                {"kind": "calendar", "every": 12, "unit": "month"},
                {"kind": "meter", "meter": "Odometer", "every": "15000"},
            ],
        },
        now=NOW,
    )
    caring.log(
        asset=car,
        title="Oil and filters",
        done_on=date(2026, 5, 4),
        tasks=[service],
        owner=cast.ana,
        said=caring.Work(
            note=SECRET,
            provider="Garage Muster",
            amount=Decimal("312.40"),
            currency="USD",
            readings={meter: Decimal(81_000)},
            findings=[{"item": "Brakes", "result": "advise", "note": SECRET}],
        ),
        now=NOW,
    )
    caring.write_down(
        asset=car,
        title="Fuel",
        done_on=date(2026, 6, 1),
        said=caring.Work(kind=WorkKind.FUEL, provider=f"{SECRET} filling station"),
        now=NOW,
    )
    caring.write_down(
        asset=car,
        title="New clutch",
        done_on=date(2025, 1, 8),
        source=Source.SUPPLIER,
        said=caring.Work(kind=WorkKind.REPAIR, provider="Garage Muster"),
        now=NOW,
    )
    holdings.acquire(
        asset=car, values={"seller": SECRET, "currency": "USD", "payment": SECRET}, now=NOW
    )
    holdings.spend(
        asset=car,
        values={"on": TODAY, "amount": Decimal(9), "currency": "USD", "note": SECRET},
        now=NOW,
    )
    holdings.cover(asset=car, values={"kind": "insurance", "obligor": SECRET}, now=NOW)
    holdings.cover(
        asset=car,
        values={
            "kind": "extended_warranty",
            "obligor": "VW",
            "reference": "EW-4711-0815",
            "ends_on": date(2028, 3, 1),
        },
        now=NOW,
    )
    stocking.add(
        household=cast.household,
        values={
            "name": "Winter tyres",
            "quantity": Decimal(4),
            "fits": [car.uuid],
            "place": SECRET,
            "note": SECRET,
        },
        now=NOW,
    )
    kept = {}
    for name, kind, content in (
        ("Manual.txt", DocumentKind.MANUAL, b"How to drive it."),
        ("Front.jpg", DocumentKind.PHOTO, picture()),
        (f"{SECRET}.txt", DocumentKind.RECEIPT, SECRET.encode()),
    ):
        kept[kind] = documents.add(
            household=cast.household,
            asset=car,
            owner=cast.ana,
            name=name,
            content=content,
            kind=kind,
            now=NOW,
        )
    garage = served(cast, car, "Garage Muster", RoleKind.REPAIRER, others=[cast.dvr])
    insurer = served(cast, car, "Safe Insurance", RoleKind.INSURER, others=[])
    return Sale(
        ana=cast.ana,
        ben=ben,
        home=cast.household,
        bens=bens,
        car=car,
        garage=garage,
        insurer=insurer,
        manual=kept[DocumentKind.MANUAL],
        photo=kept[DocumentKind.PHOTO],
        receipt=kept[DocumentKind.RECEIPT],
    )


def served(cast: Cast, car: Asset, name: str, role: RoleKind, *, others: list[Asset]) -> Mandate:
    """Let a verified supplier with an endpoint serve the car, and these things."""
    supplier = factories.SupplierFactory.create(
        name=name, verified_at=NOW, technical_contact="desk@served.example"
    )
    mandate = factories.MandateFactory.create(household=cast.household, supplier=supplier)
    mandate.assets.set([car, *others])
    Role.objects.create(household=cast.household, asset=car, supplier=supplier, kind=role)
    return mandate


def everything(sale: Sale) -> Wishes:
    """Return the wishes of a seller who ticks all that can be ticked, and more."""
    asked = packing.asked_of(sale.car, today=TODAY)
    return Wishes(
        papers=frozenset(str(row.uuid) for row in [*asked.papers, sale.receipt]),
        covers=frozenset(str(row.uuid) for row in sale.car.coverages.all()),
        parts=frozenset(str(row.uuid) for row in asked.parts),
    )


def offered(sale: Sale, **values: Any) -> Transfer:
    """Return the car, offered to Ben."""
    drafted = transfers.draft(asset=sale.car, reason=EndReason.SOLD, owner=sale.ana, now=NOW)
    said = {"email": "ben@buyer.example", "wishes": everything(sale), **values}
    drafted = transfers.change(transfer=drafted, values=said, owner=sale.ana, now=NOW)
    return transfers.offer(transfer=drafted, owner=sale.ana, now=NOW)


def accepted(sale: Sale, **values: Any) -> Transfer:
    made = offered(sale, **values)
    return transfers.accept_here(transfer=made, owner=sale.ben, household=sale.bens, now=NOW)


def handed_over(sale: Sale, *, readings: Any = None, **values: Any) -> Transfer:
    return transfers.complete(
        transfer=accepted(sale, **values),
        owner=sale.ana,
        now=NOW,
        handing=Handing(readings=readings or {}, amount=Decimal(12_500), currency="USD"),
    )


# --- what passes -------------------------------------------------------------------------


def test_nothing_that_is_the_owners_own_is_in_the_package(sale: Sale) -> None:
    package = handed_over(sale).package
    assert package is not None
    text = json.dumps(package)
    for private in (SECRET, "Ana", "ana@", "Hart", "12500", "12_500", "312.4", "Safe Insurance"):
        assert private not in text, private
    assert str(sale.car.uuid) not in text
    assert str(sale.home.uuid) not in text


def test_what_the_thing_is_and_what_was_done_passes_with_who_said_so(sale: Sale) -> None:
    package = handed_over(sale).package
    assert package is not None
    assert [one["data"]["value"] for one in packages.of_type(package, "identifier")] == [VIN]
    works = {one["data"]["title"]: one for one in packages.of_type(package, "work")}
    assert works.keys() == {"Oil and filters", "New clutch"}
    assert works["New clutch"]["source"] == "supplier"
    assert works["Oil and filters"]["data"]["provider"] == "Garage Muster"
    assert works["Oil and filters"]["data"]["findings"] == [{"item": "Brakes", "result": "advise"}]
    assert "cost" not in works["Oil and filters"]["data"]
    assert [one["data"]["obligor"] for one in packages.of_type(package, "coverage")] == ["VW"]
    assert [one["data"]["name"] for one in packages.of_type(package, "part")] == ["Winter tyres"]
    assert [one["data"]["name"] for one in packages.of_type(package, "supplier")] == [
        "Garage Muster"
    ]
    assert {one["name"] for one in package["files"]} == {"Manual.txt", "Front.jpg"}


def test_what_care_cost_passes_only_where_it_is_ticked(sale: Sale) -> None:
    wishes = replace(everything(sale), has_costs=True)
    package = handed_over(sale, wishes=wishes).package
    assert package is not None
    paid = [one["data"].get("cost") for one in packages.of_type(package, "work")]
    assert {"amount": "312.4", "currency": "USD"} in paid


@pytest.mark.parametrize("state", [RecallState.NEW, RecallState.REMEDIED])
def test_recalls_and_their_remedies_pass_and_an_open_one_speaks_to_the_buyer(
    sale: Sale, state: RecallState
) -> None:
    row = recalls.told(
        asset=sale.car,
        published=Published(
            source="told", number="26-114", title="Airbag", criteria=(), hazard="Fire", remedy="New"
        ),
        by="VW",
        confidence=Confidence.EXACT,
        contact=uuid4(),
        now=NOW,
    )
    if state == RecallState.REMEDIED:
        said = {"remedied_on": date(2026, 3, 1), "provider": "Garage Muster"}
        recalls.move(row=row, state=RecallState.REMEDIED, values=said, owner=sale.ana, now=NOW)
    handed_over(sale)
    theirs = RecallMatch.objects.get(asset__household=sale.bens)
    assert (theirs.state, theirs.notice.number) == (state, "26-114")
    speaks = Notice.objects.filter(household=sale.bens, kind=NoticeKind.RECALL, settled_at=None)
    assert speaks.exists() == (state == RecallState.NEW)


def test_without_ticks_only_what_is_usual_goes_along(sale: Sale) -> None:
    drafted = transfers.draft(asset=sale.car, reason=EndReason.SOLD, owner=sale.ana, now=NOW)
    made = transfers.offer(transfer=drafted, owner=sale.ana, now=NOW)
    assert made.package is not None
    assert [one["name"] for one in made.package["files"]] == ["Manual.txt"]
    assert packages.of_type(made.package, "coverage", "part") == []


def test_numbers_are_masked_until_the_thing_is_accepted(sale: Sale) -> None:
    made = offered(sale)
    seen = json.dumps(transfers.seen_by(made))
    assert VIN not in seen
    assert VIN[-3:] in seen
    assert "EW-4711-0815" not in seen
    hashes = {one["sha256"] for one in packages.of_type(made.package or {}, "identifier")}
    assert not any(sha in seen for sha in hashes)  # a hash of it could be tried out
    yes = transfers.accept_here(transfer=made, owner=sale.ben, household=sale.bens, now=NOW)
    assert VIN in json.dumps(transfers.seen_by(yes))


def test_what_passes_is_what_was_offered_whatever_is_written_since(sale: Sale) -> None:
    yes = accepted(sale)
    caring.write_down(asset=sale.car, title="Later", done_on=TODAY, now=NOW)
    sale.car.service_records.filter(title="New clutch").update(removed_at=NOW)
    done = transfers.complete(transfer=yes, owner=sale.ana, now=NOW, handing=Handing(readings={}))
    titles = {one["data"]["title"] for one in packages.of_type(done.package or {}, "work")}
    assert titles == {"Oil and filters", "New clutch"}


def test_the_package_is_signed_and_every_change_of_it_shows(sale: Sale) -> None:
    package = handed_over(sale).package
    assert package is not None
    raw = json.dumps(package).encode()
    assert packages.read(raw) == package
    for part, name, value in (
        ("asset", "name", "Passat"),
        ("hand_over", "on", "2026-11-08"),
        ("issuer", "url", "https://x.example"),
    ):
        forged = json.loads(raw)
        forged[part][name] = value
        with pytest.raises(packages.PackageError) as refused:
            packages.read(json.dumps(forged).encode())
        assert refused.value.code == "signature"
    forged = json.loads(raw)
    forged["records"][0]["data"]["value"] = "OTHER"
    with pytest.raises(packages.PackageError) as refused:
        packages.read(json.dumps(forged).encode())
    assert refused.value.code == "hash"


# --- the buyer's -------------------------------------------------------------------------


def test_the_buyer_has_the_history_under_other_ids_and_its_care_goes_on(sale: Sale) -> None:
    handed_over(sale)
    received = Received.objects.for_owner(sale.ben).get()
    car = received.asset
    assert (car.name, car.household, car.lifecycle) == ("Golf", sale.bens, Lifecycle.ACTIVE)
    assert car.uuid != sale.car.uuid
    assert (car.place, car.notes, car.keeper) == ("", "", sale.ben)
    mine = {row.title: row for row in ServiceRecord.objects.filter(asset=car)}
    assert mine["Oil and filters"].source == Source.IMPORTED
    assert mine["New clutch"].source == Source.SUPPLIER
    assert all(row.cost is None for row in mine.values())
    task = CareTask.objects.get(asset=car)
    theirs = CareTask.objects.get(asset=sale.car)
    assert mine["Oil and filters"].tasks == [task.uuid]
    assert task.uuid != theirs.uuid
    assert task.due_on is not None
    assert task.due_on <= date(2027, 5, 4)
    readings = MeterReading.objects.filter(meter__asset=car).order_by("read_on")
    assert [row.value for row in readings] == [20, 81_000]
    assert {row.name for row in Document.objects.filter(asset=car)} == {"Manual.txt", "Front.jpg"}
    assert Part.objects.get(household=sale.bens).fits == [car.uuid]
    assert received.lacking == []
    assert received.is_confirmed


def test_the_buyer_reads_how_many_had_it_and_not_who(sale: Sale) -> None:
    handed_over(sale)
    car = Received.objects.for_owner(sale.ben).get().asset
    rows = Ownership.objects.filter(asset=car).order_by("number")
    assert [(row.number, row.since, row.until, row.is_ours) for row in rows] == [
        (1, date(2019, 3, 1), TODAY, False),
        (2, TODAY, None, True),
    ]
    # And the one after that reads of two.
    again = transfers.draft(asset=car, reason=EndReason.GIFTED, owner=sale.ben, now=NOW)
    made = transfers.offer(transfer=again, owner=sale.ben, now=NOW)
    assert [one["number"] for one in (made.package or {})["owners"]] == [1, 2]
    sources = {one["source"] for one in packages.of_type(made.package or {}, "work")}
    assert sources == {"imported", "supplier"}


def test_the_last_reading_is_the_sellers_and_goes_along(sale: Sale) -> None:
    meter = sale.car.meters.get()
    done = handed_over(sale, readings={meter: Decimal(84_210)})
    values = [one["data"]["value"] for one in packages.of_type(done.package or {}, "reading")]
    assert "84210" in values
    assert packages.read(json.dumps(done.package).encode())
    assert sale.car.meters.get().readings.filter(value=84_210).exists()


def test_a_photo_goes_along_without_what_the_camera_noted(sale: Sale) -> None:
    handed_over(sale)
    from assets import vault  # noqa: PLC0415 - here only

    row = Document.objects.get(household=sale.bens, name="Front.jpg")
    assert SECRET.encode() not in vault.get(row.uuid)


def test_whoever_served_it_is_let_in_anew_with_one_tap_or_not_at_all(sale: Sale) -> None:
    handed_over(sale)
    assert not Mandate.objects.filter(household=sale.bens).exists()
    received = Received.objects.for_owner(sale.ben).get()
    (row,) = passing_on.suggestions(received)
    assert (row.name, row.is_in, row.is_dealt_with) == ("Garage Muster", False, False)
    passing_on.let_in(received=received, number=0, owner=sale.ben, now=NOW)
    mandate = Mandate.objects.get(household=sale.bens)
    assert list(mandate.assets.all()) == [received.asset]
    assert mandate.owner_ref != sale.garage.owner_ref
    assert passing_on.suggestions(received)[0].is_in


# --- what ends ---------------------------------------------------------------------------


def test_the_sellers_time_ends_and_their_copy_stays(sale: Sale) -> None:
    done = handed_over(sale)
    sale.car.refresh_from_db()
    assert (sale.car.lifecycle, sale.car.end_reason, sale.car.ended_on) == (
        Lifecycle.ENDED,
        EndReason.SOLD,
        TODAY,
    )
    assert done.state == TransferState.COMPLETED
    assert sale.car.service_records.count() == 3
    assert sale.car.costs.filter(amount=-12_500).exists()
    assert Ownership.objects.get(asset=sale.car).until == TODAY
    with pytest.raises(caring.CareError):
        caring.write_down(
            asset=sale.car, title="After", done_on=TODAY + timedelta(days=1), now=NOW + timedelta(2)
        )


def test_suppliers_hear_that_it_has_another_owner_and_not_who(sale: Sale) -> None:
    handed_over(sale)
    told = OutboundEvent.objects.filter(type="owner.asset.transferred")
    assert {one.mandate_id for one in told} == {sale.garage.pk, sale.insurer.pk}
    for event in OutboundEvent.objects.filter(household=sale.home):
        said = json.dumps(event.data)
        for private in ("Ben", "buyer", str(sale.bens.uuid)):
            assert private not in said
    assert not OutboundEvent.objects.filter(household=sale.bens).exists()
    assert not OutboundEvent.objects.filter(type="owner.asset.disposed").exists()


def test_leave_for_it_alone_ends_and_leave_for_other_things_goes_on(sale: Sale) -> None:
    handed_over(sale)
    sale.garage.refresh_from_db()
    sale.insurer.refresh_from_db()
    assert sale.garage.state == MandateState.ACTIVE
    assert sale.car not in sale.garage.assets.all()
    assert sale.garage.assets.exists()  # none would mean all
    assert sale.insurer.state == MandateState.ENDED


def test_whose_last_bill_may_come_keeps_its_leave(sale: Sale) -> None:
    handed_over(sale, keeps=[sale.insurer.uuid])
    sale.insurer.refresh_from_db()
    assert sale.insurer.state == MandateState.ACTIVE


def test_every_link_to_it_is_dead(sale: Sale) -> None:
    label = labels.label_of(sale.car, now=NOW)
    held = passes.make(
        owner=sale.ana,
        household=sale.home,
        journey=None,
        asset=sale.car,
        wishes=passes.Wishes(scope=pass_rules.SCOPES, hours=24),
        now=NOW,
    )
    calendar.subscribe(owner=sale.ana, household=sale.home, asset=sale.car, now=NOW)
    shared = sharing.share(
        asset=sale.car,
        by=sale.ana,
        address="",
        parts=list(SharePart),
        may_tick=True,
        days=30,
        now=NOW,
    )
    token = shared.token
    handed_over(sale)
    assert not Label.objects.filter(code=label.code).exists()
    assert not Pass.objects.live(NOW).filter(pk=held.pk).exists()
    assert not CalendarFeed.objects.filter(asset=sale.car).exists()
    assert sharing.find(token=token, now=NOW) is None
    assert Share.objects.get().revoked_at == NOW


# --- who says so, and when ---------------------------------------------------------------


def test_it_changes_hands_when_both_have_said_so_and_not_before(sale: Sale) -> None:
    made = offered(sale)
    with pytest.raises(TransferError):
        transfers.complete(transfer=made, owner=sale.ana, now=NOW, handing=Handing(readings={}))
    assert not Received.objects.exists()
    sale.car.refresh_from_db()
    assert (sale.car.lifecycle, sale.car.leaving_as) == (Lifecycle.LEAVING, "for_sale")


def test_the_offer_reaches_who_is_here_by_their_rules_and_others_by_mail(sale: Sale) -> None:
    made = offered(sale)
    notice = Notice.objects.get(kind=NoticeKind.OFFERED, settled_at=None)
    assert (notice.household, notice.what) == (sale.bens, "Golf")
    assert list(Transfer.objects.waiting(NOW)) == []
    transfers.withdraw(transfer=made, owner=sale.ana, now=NOW)
    assert not Notice.objects.filter(kind=NoticeKind.OFFERED, settled_at=None).exists()
    other = offered(sale, email="new@buyer.example")
    assert list(Transfer.objects.waiting(NOW)) == [other]


@pytest.mark.parametrize("how", ["withdraw", "decline", "expire"])
def test_what_comes_to_nothing_leaves_no_link_that_opens(sale: Sale, how: str) -> None:
    made = offered(sale)
    token = made.token
    assert transfers.find(token=token, now=NOW) == made
    if how == "withdraw":
        transfers.withdraw(transfer=made, owner=sale.ana, now=NOW)
    elif how == "decline":
        transfers.decline(transfer=made, owner=None, now=NOW)
    else:
        assert transfers.sweep(now=NOW + timedelta(days=15)) == 1
    assert transfers.find(token=token, now=NOW) is None
    assert token.encode() not in bytes(Transfer.objects.get().sealed_token or b"")


def test_the_token_is_not_in_the_database(sale: Sale) -> None:
    made = offered(sale)
    kept = json.dumps(list(Transfer.objects.values()), default=str)
    assert made.token not in kept


@pytest.mark.parametrize("rank", [Rank.VIEWER, Rank.HELPER, Rank.MEMBER])
def test_only_an_admin_passes_things_on(sale: Sale, rank: Rank) -> None:
    made = accepted(sale)
    other = factories.OwnerFactory.create()
    Membership.objects.create(owner=other, household=sale.home, rank=rank)
    for act in (
        lambda: transfers.draft(asset=sale.car, reason=EndReason.SOLD, owner=other, now=NOW),
        lambda: transfers.change(transfer=made, values={"keeps": []}, owner=other, now=NOW),
        lambda: transfers.withdraw(transfer=made, owner=other, now=NOW),
        lambda: transfers.complete(
            transfer=made, owner=other, now=NOW, handing=Handing(readings={})
        ),
        lambda: transfers.ask_back(transfer=made, by=Side.SELLER, owner=other, now=NOW),
    ):
        with pytest.raises(NotAllowedError):
            act()


def test_a_buyer_who_left_the_household_gets_nothing_and_nothing_is_lost(sale: Sale) -> None:
    yes = accepted(sale)
    Membership.objects.filter(owner=sale.ben).delete()
    with pytest.raises(TransferError) as refused:
        transfers.complete(transfer=yes, owner=sale.ana, now=NOW, handing=Handing(readings={}))
    assert refused.value.code == "buyer_gone"


def test_one_side_alone_undoes_nothing(sale: Sale) -> None:
    done = handed_over(sale)
    from config.undos import UNDOS  # noqa: PLC0415 - here only
    from owners.undoing import put_back  # noqa: PLC0415 - here only

    for change in Change.objects.filter(household=sale.home, kind="asset.step"):
        with pytest.raises(undo.UndoError):
            put_back(change=change, owner=sale.ana, ways=UNDOS, now=NOW)
    transfers.ask_back(transfer=done, by=Side.SELLER, owner=sale.ana, now=NOW)
    sale.car.refresh_from_db()
    assert sale.car.lifecycle == Lifecycle.ENDED
    assert Notice.objects.filter(
        kind=NoticeKind.ASK_BACK, household=sale.bens, settled_at=None
    ).exists()


def test_both_together_undo_it(sale: Sale) -> None:
    done = handed_over(sale)
    theirs = Received.objects.for_owner(sale.ben).get().asset
    transfers.ask_back(transfer=done, by=Side.SELLER, owner=sale.ana, now=NOW)
    back = transfers.ask_back(transfer=done, by=Side.BUYER, owner=sale.ben, now=NOW)
    assert back.state == TransferState.UNDONE
    sale.car.refresh_from_db()
    assert (sale.car.lifecycle, sale.car.ended_on) == (Lifecycle.LEAVING, None)
    assert not Asset.objects.for_owner(sale.ben).filter(pk=theirs.pk).exists()
    assert Ownership.objects.get(asset=sale.car).until is None
    assert not sale.car.costs.filter(amount=-12_500).exists()


def test_on_paper_the_seller_says_so_alone_and_there_is_no_link(sale: Sale) -> None:
    made = offered(sale, is_paper=True)
    assert made.token == ""
    done = transfers.complete(transfer=made, owner=sale.ana, now=NOW, handing=Handing(readings={}))
    assert done.state == TransferState.COMPLETED
    assert not Received.objects.exists()
    sale.car.refresh_from_db()
    assert sale.car.lifecycle == Lifecycle.ENDED


def test_all_of_it_stands_in_the_log_of_both(sale: Sale) -> None:
    handed_over(sale)
    mine = set(AccessEntry.objects.for_owner(sale.ana).values_list("kind", flat=True))
    theirs = set(AccessEntry.objects.for_owner(sale.ben).values_list("kind", flat=True))
    assert {"transfer_offered", "transfer_accepted", "transfer_completed"} <= mine
    assert {"transfer_accepted", "package_taken"} <= theirs


# --- another server ----------------------------------------------------------------------


def elsewhere(sale: Sale) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the package and files that somebody fetches for another server."""
    made = transfers.accept_elsewhere(transfer=offered(sale), now=NOW)
    done = transfers.complete(transfer=made, owner=sale.ana, now=NOW, handing=Handing(readings={}))
    assert done.package is not None
    return done.package, transfers.files_of(done)


def test_a_package_taken_in_twice_is_one_asset(sale: Sale) -> None:
    package, files = elsewhere(sale)
    taken = [
        unpacking.take_in(
            package=packages.read(json.dumps(package).encode()),
            files=files,
            household=sale.bens,
            owner=sale.ben,
            is_confirmed=False,
            now=NOW,
        )
        for _again in range(2)
    ]
    assert taken[0] == taken[1]
    assert Asset.objects.filter(household=sale.bens).count() == 1
    assert taken[0].lacking == []


def test_a_file_that_is_missing_or_was_changed_is_named_and_the_rest_is_kept(sale: Sale) -> None:
    package, _files = elsewhere(sale)
    by_name = {row["name"]: row["id"] for row in package["files"]}
    received = unpacking.take_in(
        package=package,
        files={by_name["Manual.txt"]: b"Something else."},
        household=sale.bens,
        owner=sale.ben,
        is_confirmed=False,
        now=NOW,
    )
    assert sorted(received.lacking) == ["Front.jpg", "Manual.txt"]
    assert ServiceRecord.objects.filter(asset=received.asset).count() == 2


def test_the_same_package_with_other_content_is_refused(sale: Sale) -> None:
    package, files = elsewhere(sale)
    said: dict[str, Any] = {
        "household": sale.bens,
        "owner": sale.ben,
        "is_confirmed": False,
        "now": NOW,
    }
    unpacking.take_in(package=package, files=files, **said)
    other = {**package, "asset": {**package["asset"], "name": "Passat"}}
    with pytest.raises(packages.PackageError) as refused:
        unpacking.take_in(package=other, files=files, **said)
    assert refused.value.code == "other_content"
