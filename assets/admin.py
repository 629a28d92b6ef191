"""The operator's window on assets."""

from django.contrib import admin

from assets.models import Asset, AssetIdentifier
from owners.admin import ReadOnly, Watched


class IdentifierInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """What names the asset."""

    model = AssetIdentifier
    fields = ("scheme", "value")


@admin.register(Asset)
class AssetAdmin(ReadOnly, Watched):
    """What households own; only they change it."""

    list_display = ("name", "household", "kind", "maker", "model", "lifecycle")
    list_filter = ("kind", "lifecycle")
    list_select_related = ("household",)
    search_fields = ("name", "=uuid")
    ordering = ("household", "name")
    inlines = (IdentifierInline,)
