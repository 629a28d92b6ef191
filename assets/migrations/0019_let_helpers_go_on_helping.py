"""Helpers tick the care of what is shared with them: those there are go on with all there is."""

from typing import Any

from django.db import migrations


def share(apps: Any, schema_editor: Any) -> None:
    """Share every asset of a household with its helpers."""
    membership = apps.get_model("owners", "Membership")
    asset, share = apps.get_model("assets", "Asset"), apps.get_model("assets", "Share")
    for helper in membership.objects.filter(rank="helper").iterator():
        held = share.objects.filter(owner=helper.owner_id, revoked_at=None)
        mine = asset.objects.filter(household=helper.household_id, removed_at=None)
        mine = mine.exclude(lifecycle="ended").exclude(pk__in=held.values("asset"))
        share.objects.bulk_create(
            share(household_id=helper.household_id, asset=one, owner_id=helper.owner_id,
                  may_tick=True, taken_at=one.created_at)
            for one in mine
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("assets", "0018_share_and_pass_on")]

    operations = [migrations.RunPython(share, migrations.RunPython.noop)]
