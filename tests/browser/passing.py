"""The pages of sharing and of passing on, with something on each of them."""

from django.urls import reverse

from assets import caring, handover, sharing, transfers, unpacking
from assets.choices import DocumentKind, EndReason
from assets.documents import add
from assets.models import Asset, Received, Share, Transfer
from assets.passing_words import SharePart
from assets.transfers import Handing
from owners import clock
from owners.choices import Rank
from owners.models import Household, Owner
from suppliers.choices import RoleKind
from suppliers.models import Mandate, Role
from tests import factories

# Pages that say that a link does not work any more.
GONE = {"/shared/take/": "410", "/take-over/": "410"}


def passing_screens(owner: Owner) -> list[str]:
    """Give the owner something shared and passed on, both ways; return where it is seen."""
    now = clock.now()
    home = Household.objects.for_owner(owner).earliest("pk")
    helper = factories.MembershipFactory.create(household=home, rank=Rank.HELPER)
    lamp, mower = (thing(home, name) for name in ("Lamp", "Mower"))
    shared = sharing.share(
        asset=lamp, by=owner, address="", parts=list(SharePart), may_tick=True, days=30, now=now
    )
    drafted = transfers.draft(asset=lamp, reason=EndReason.SOLD, owner=owner, now=now)
    ben = factories.OwnerFactory.create(name="Ben Buyer")
    bens: Household = factories.MembershipFactory.create(owner=ben).household
    agreed = transfers.accept_here(
        transfer=offered(mower, owner), owner=ben, household=bens, now=now
    )
    theirs = thing(bens, "Drill")
    hers = sharing.share(
        asset=theirs, by=ben, address="", parts=list(SharePart), may_tick=True, days=30, now=now
    )
    sharing.take(token=hers.token, owner=owner, now=now)
    bought = transfers.accept_here(
        transfer=offered(theirs, ben), owner=owner, household=home, now=now
    )
    waiting = offered(thing(bens, "Saw"), ben, addressee=owner)
    done = transfers.complete(transfer=bought, owner=ben, now=now, handing=Handing(readings={}))
    received = Received.objects.get(household=home)
    package = {**(done.package or {})}
    Received.objects.filter(pk=received.pk).update(package_id=waiting.uuid)
    looked = unpacking.look_at(raw=handover.written(package), household=home, owner=owner, now=now)
    Received.objects.filter(pk=received.pk).update(package_id=done.uuid)
    steps = [f"/transfers/{drafted.uuid}/{step}" for step in ("", "what/", "to/", "before/")]
    return [
        *GONE,
        reverse("shared"),
        reverse("take-overs"),
        reverse("take-in"),
        reverse("asset-shares", args=[lamp.uuid]),
        reverse("share", args=[shared.uuid]),
        reverse("member-helps", args=[home.uuid, helper.owner.uuid]),
        reverse("shared-asset", args=[sharing_of(owner, bens).uuid]),
        reverse("asset-transfer", args=[thing(home, "Clock").uuid]),
        *steps,
        reverse("transfer", args=[agreed.uuid]),
        reverse("transfer-complete", args=[agreed.uuid]),
        reverse("take-over", args=[waiting.uuid]),
        reverse("take-over", args=[done.uuid]),
        reverse("asset-received", args=[received.asset.uuid]),
        reverse("package", args=[looked.uuid]),
    ]


def thing(home: Household, name: str) -> Asset:
    """Return a thing with a number, care, a manual and somebody who serves it."""
    now = clock.now()
    asset: Asset = factories.AssetFactory.create(household=home, name=name, maker="Hart")
    factories.AssetIdentifierFactory.create(asset=asset)
    every = {"kind": "calendar", "every": 1, "unit": "year"}
    task = caring.add(asset=asset, spec={"name": "Clean it", "triggers": [every]}, now=now)
    caring.write_down(
        asset=asset, title="Cleaned", done_on=now.date(), tasks=[task],
        said=caring.Work(provider="Volt"), now=now,
    )  # fmt: skip
    add(
        household=home, asset=asset, owner=home.memberships.earliest("pk").owner, name="Manual.txt",
        content=b"How to use it.", kind=DocumentKind.MANUAL, now=now,
    )  # fmt: skip
    supplier = factories.SupplierFactory.create(verified_at=now)
    mandate: Mandate = factories.MandateFactory.create(household=home, supplier=supplier)
    mandate.assets.set([asset])
    Role.objects.create(household=home, asset=asset, supplier=supplier, kind=RoleKind.REPAIRER)
    return asset


def offered(asset: Asset, owner: Owner, *, addressee: Owner | None = None) -> Transfer:
    """Return a thing as its owner offers it."""
    now = clock.now()
    drafted = transfers.draft(asset=asset, reason=EndReason.SOLD, owner=owner, now=now)
    made = transfers.offer(transfer=drafted, owner=owner, now=now)
    if addressee is not None:
        made.addressee = addressee
        made.save(update_fields=["addressee"])
    return made


def sharing_of(owner: Owner, home: Household) -> Share:
    """Return a share that the owner still holds: what is sold is shared no more."""
    by = home.memberships.earliest("pk").owner
    made = sharing.share(
        asset=thing(home, "Ladder"), by=by, address="", parts=list(SharePart), may_tick=True,
        days=30, now=clock.now(),
    )  # fmt: skip
    return sharing.take(token=made.token, owner=owner, now=clock.now())
