"""What an order proposes: things that last, once each, and only an owner's tap adds them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from assets import templating
from assets.choices import IdentifierScheme, Lifecycle, PriceKind, Source
from assets.models import Acquisition, Asset, AssetIdentifier, Coverage
from config.undos import UNDOS
from notifications import acquiring, pipeline
from notifications.models import Journey
from owners import undoing
from suppliers import inbox, proposing
from suppliers.choices import ProposalState
from suppliers.models import Proposal, Role
from tests.factories import Cast
from tests.wire.sending import NOW
from tests.wire.test_processing import received

pytestmark = pytest.mark.django_db
BOILER = {
    "name": "Nordvarme HR54 condensing boiler",
    "quantity": 1,
    "maker": "Nordvarme",
    "model": "HR54",
    "serial": "H54-7719-0042",
    "gtin": "4006381333931",
    "price": {"amount": "1890.00", "currency": "EUR"},
    "warrantyMonths": 60,
}
FITTING = {"name": "Installation", "price": {"amount": "420.00", "currency": "EUR"}}


def told(cast: Cast, number: int, kind: str, **data: Any) -> None:
    """Let Skyline say something of its order 4471."""
    said = {"owner": cast.mandate.owner_ref, "orderNumber": "4471-88213", **data}
    inbox.record(received=[received(cast, number, type=kind, data=said)], now=NOW)
    pipeline.drain(now_fn=lambda: NOW)


def ordered(cast: Cast, *items: dict[str, Any], number: int = 1) -> None:
    told(cast, number, "order.created", status="confirmed", items=list(items))


def only(cast: Cast) -> Proposal:
    (row,) = acquiring.mine(cast.ana).open()
    return row


def test_an_order_proposes_the_thing_with_all_it_says(cast: Cast) -> None:
    ordered(cast, BOILER, FITTING)
    known = proposing.prefilled(only(cast))
    assert known.values["kind"] == "heating"
    assert (known.values["maker"], known.seller, known.currency) == (
        "Nordvarme",
        "Skyline TV",
        "EUR",
    )
    assert set(known.identifiers) == {
        (IdentifierScheme.SERIAL, "H54-7719-0042"),
        (IdentifierScheme.GTIN, "4006381333931"),
    }
    assert [(kind, amount) for kind, amount, _ in known.lines] == [
        (PriceKind.GROSS, Decimal("1890.00")),
        (PriceKind.INSTALLATION, Decimal("420.00")),
    ]
    assert not Asset.objects.filter(maker="Nordvarme").exists()  # nobody has tapped


def test_one_tap_adds_it_as_the_supplier_stated_it(cast: Cast) -> None:
    ordered(cast, BOILER, FITTING)
    asset, _change = acquiring.accept(proposal=only(cast), owner=cast.ana, now=NOW)
    assert (asset.lifecycle, asset.source, asset.keeper) == (
        Lifecycle.ORDERED,
        Source.SUPPLIER,
        cast.ana,
    )
    bought = Acquisition.objects.get(asset=asset)
    assert (bought.order_no, bought.total, bought.source) == (
        "4471-88213",
        Decimal(2310),
        Source.SUPPLIER,
    )
    assert Coverage.objects.get(asset=asset).months == 60
    assert Role.objects.get(asset=asset).kind == "seller"
    assert Journey.objects.get().asset == asset  # the matter is about it now
    assert not acquiring.mine(cast.ana).open().exists()


def test_what_is_added_begins_with_its_usual_care_unless_nobody_wants_it(cast: Cast) -> None:
    ordered(cast, BOILER)
    asset, change = acquiring.accept(proposal=only(cast), owner=cast.ana, now=NOW)
    usual = templating.known_to([cast.household])["boiler"].care
    assert {task.name for task in asset.care_tasks.all()} == {t["name"] for t in usual["tasks"]}
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    added, _change = acquiring.accept(
        proposal=only(cast), owner=cast.ana, now=NOW, has_care=False, values={"name": "Burner"}
    )
    assert not added.care_tasks.exists()


def test_undo_asks_again_and_leaves_nothing(cast: Cast) -> None:
    ordered(cast, BOILER)
    asset, change = acquiring.accept(proposal=only(cast), owner=cast.ana, now=NOW)
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    asset.refresh_from_db()
    assert asset.removed_at is not None
    assert Journey.objects.get().asset != asset
    assert only(cast).asset is None


def test_no_is_one_tap_too_and_can_be_undone(cast: Cast) -> None:
    ordered(cast, BOILER)
    change = proposing.decline(proposal=only(cast), owner=cast.ana, now=NOW)
    assert not acquiring.mine(cast.ana).open().exists()
    ordered(cast, BOILER, number=2)
    assert not acquiring.mine(cast.ana).open().exists()  # the same order asks no second time
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    only(cast)


def test_what_was_answered_is_not_answered_again(cast: Cast) -> None:
    ordered(cast, BOILER)
    row = only(cast)
    proposing.decline(proposal=row, owner=cast.ana, now=NOW)
    with pytest.raises(proposing.ProposalError):
        acquiring.accept(proposal=row, owner=cast.ana, now=NOW)


def test_several_statements_of_one_order_are_one_proposal(cast: Cast) -> None:
    ordered(cast, {"name": BOILER["name"], "price": BOILER["price"]})
    told(cast, 2, "order.updated", status="shipped", items=[BOILER])
    row = only(cast)
    assert len(row.said_in) == 2
    numbers = {number.scheme for number in proposing.read(row).goods.numbers}
    assert numbers == {"serial", "gtin"}


def test_a_cancelled_order_proposes_nothing(cast: Cast) -> None:
    ordered(cast, BOILER)
    told(cast, 2, "order.cancelled")
    assert Proposal.objects.get().state == ProposalState.WITHDRAWN
    assert not acquiring.mine(cast.ana).open().exists()


def test_what_was_delivered_is_here_with_its_guarantee(cast: Cast) -> None:
    cast.household.country = "DE"
    cast.household.save()
    ordered(cast, BOILER)
    told(cast, 2, "delivery.delivered", at="2026-11-09T10:00:00Z")
    asset, _change = acquiring.accept(proposal=only(cast), owner=cast.ana, now=NOW)
    assert asset.lifecycle == Lifecycle.RECEIVED
    bought = Acquisition.objects.get(asset=asset)
    assert bought.delivered_on == date(2026, 11, 9)
    assert bought.return_by == date(2026, 11, 23)
    kinds = set(Coverage.objects.filter(asset=asset).values_list("kind", flat=True))
    assert kinds == {"legal_guarantee", "commercial_guarantee"}


def test_what_is_owned_by_its_serial_is_not_proposed(cast: Cast) -> None:
    AssetIdentifier.objects.create(
        household=cast.household, asset=cast.dvr, scheme="serial", value="h54 7719 0042"
    )
    ordered(cast, BOILER)
    row = Proposal.objects.get()
    assert (row.state, row.asset) == (ProposalState.KNOWN, cast.dvr)


def test_what_is_like_a_thing_can_be_that_thing(cast: Cast) -> None:
    AssetIdentifier.objects.create(
        household=cast.household, asset=cast.dvr, scheme="gtin", value="4006381333931"
    )
    ordered(cast, BOILER)
    row = only(cast)
    assert proposing.alike([row]) == {row.pk: [cast.dvr]}
    before = Asset.objects.count()
    asset, change = acquiring.accept(proposal=row, owner=cast.ana, now=NOW, asset=cast.dvr)
    assert (asset, Asset.objects.count()) == (cast.dvr, before)
    assert cast.dvr.identifiers.filter(value="H54-7719-0042").exists()
    assert Acquisition.objects.get(asset=asset).seller == "Skyline TV"
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    assert not cast.dvr.identifiers.filter(value="H54-7719-0042").exists()
    assert not Acquisition.objects.filter(asset=asset).exists()
    assert Asset.objects.filter(pk=cast.dvr.pk, removed_at=None).exists()


def test_nobody_elses_proposal_is_shown(cast: Cast) -> None:
    ordered(cast, BOILER)
    assert not acquiring.mine(cast.mallory).exists()


def test_who_waits_at_the_door_proposes_nothing(cast: Cast) -> None:
    cast.mandate.state = "ended"
    cast.mandate.ended_at = NOW - timedelta(days=1)
    cast.mandate.save()
    ordered(cast, BOILER)
    assert not acquiring.mine(cast.ana).exists()
