"""Fills the rig's database: `python -m tests.faults.world HOUSEHOLDS` prints who may write."""

import json
import os
import sys

import django

SUPPLIERS = 10


def fill(households: int) -> list[dict[str, str]]:
    """Store the households, each with one supplier's mandate; return how to write to them."""
    from owners.choices import ChannelKind  # noqa: PLC0415 - models need the set-up below
    from tests import factories  # noqa: PLC0415

    suppliers = [factories.SupplierFactory.create(code=f"supplier-{n}") for n in range(SUPPLIERS)]
    for supplier in suppliers:
        factories.SigningSecretFactory(supplier=supplier)
    written: list[dict[str, str]] = []
    for number in range(households):
        owner = factories.OwnerFactory(email=f"owner{number}@hart.example")
        household = factories.HouseholdFactory(intake_alias=f"in{number}")
        factories.MembershipFactory(
            household=household,
            owner=owner,
            prefers=ChannelKind.SMS,
            quiet_from=None,
            quiet_until=None,
        )
        factories.ChannelFactory(owner=owner, address=f"+1212555{number:04}")
        asset = factories.AssetFactory.create(household=household)
        supplier = suppliers[number % SUPPLIERS]
        mandate = factories.MandateFactory.create(
            household=household, supplier=supplier, assets=[asset]
        )
        written.append(
            {
                "supplier": supplier.code,
                "owner": mandate.owner_ref,
                "asset": str(asset.uuid),
            }
        )
    return written


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(fill(int(sys.argv[1]))))  # noqa: T201
