"""The test owner of a supplier: its events go there, are judged like any, and reach nobody.

A household of its own, in which an owner lives who cannot sign in and has no address. No
other supplier and no owner ever sees it, no measure counts it, and what was tried is
forgotten after a week, or at once by `clear`.
"""

import secrets
from datetime import datetime, timedelta

from django.db import transaction

from assets import privacy as assets_privacy
from assets import register
from assets.choices import AssetKind, IdentifierScheme
from notifications.models import Journey
from owners import households
from owners.models import Owner
from suppliers import mandates
from suppliers import privacy as suppliers_privacy
from suppliers.choices import Purpose
from suppliers.models import Contact, InboundEvent, Mandate, OutboundEvent, Supplier
from suppliers.staff import PracticeHousehold

KEPT = timedelta(days=7)
SERIAL = "TEST-0001"
NAME = "Test owner"


def mandate_of(*, supplier: Supplier, now: datetime) -> Mandate:
    """Return the test owner's mandate for a supplier; made when first asked for."""
    with transaction.atomic():
        Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
        found = PracticeHousehold.objects.filter(supplier=supplier).first()
        if found is not None:
            return found.household.mandates.get(supplier=supplier, ended_at=None)
        return _make(supplier, now=now)


def clear(*, supplier: Supplier, now: datetime) -> Mandate:
    """Forget all that was tried on the test owner; it keeps its owner_ref."""
    with transaction.atomic():
        mandate = mandate_of(supplier=supplier, now=now)
        kept = {"owner_ref": mandate.owner_ref, "alias": mandate.alias}
        practice = PracticeHousehold.objects.select_for_update().get(supplier=supplier)
        home = practice.household
        owner = Owner.objects.get(memberships__household=home)
        # Visits hold on to their supplier, contacts to what arrived.
        Journey.objects.filter(household=home).delete()
        Contact.objects.filter(household=home).delete()
        InboundEvent.objects.filter(household=home).delete()
        OutboundEvent.objects.filter(household=home).delete()
        practice.delete()
        suppliers_privacy.erase_household(household=home, now=now)
        assets_privacy.erase_household(household=home, now=now)
        home.delete()
        owner.delete()
        made = _make(supplier, now=now)
        Mandate.objects.filter(pk=made.pk).update(**kept)
        made.refresh_from_db()
    return made


def purge_due(now: datetime) -> int:
    """Forget what was tried a week ago; return how many test owners were cleared."""
    old = PracticeHousehold.objects.filter(made_at__lt=now - KEPT).select_related("supplier")
    row = old.order_by("made_at").first()
    if row is None:
        return 0
    tried = InboundEvent.objects.filter(household=row.household)
    if tried.exists():
        clear(supplier=row.supplier, now=now)
    else:
        row.made_at = now
        row.save(update_fields=["made_at"])
    return 1


def _make(supplier: Supplier, *, now: datetime) -> Mandate:
    owner = Owner(
        email=f"test-owner-{secrets.token_hex(12)}@test.invalid",
        name=NAME,
        is_active=False,
        joined_at=now,
    )
    owner.set_unusable_password()
    owner.save()
    home = households.create(owner=owner, name=NAME, zone="UTC", now=now)
    home.is_demo = True
    home.save(update_fields=["is_demo"])
    asset = register.add(
        household=home,
        values={"name": "Test boiler", "kind": AssetKind.HEATING, "template": "boiler"},
        identifiers=[(IdentifierScheme.SERIAL, SERIAL)],
        now=now,
    )
    PracticeHousehold.objects.create(supplier=supplier, household=home, made_at=now)
    return mandates.grant(
        household=home,
        supplier=supplier,
        purposes=list(Purpose),
        assets=[asset],
        now=now,
    )
