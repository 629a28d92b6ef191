"""The operator's window on owners; addresses and codes stay sealed."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from owners.models import Channel, Household, Membership, Owner, ReachRule


class ReadOnly:
    """Shows rows and changes none: what happened is not edited."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is changed by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted by hand."""
        return False


class MembershipInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Who is in a household."""

    model = Membership
    fields = ("owner", "rank", "prefers", "digest_at", "looked_at")


@admin.register(Owner)
class OwnerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """People with an account; the password is never shown."""

    list_display = ("email", "name", "zone", "is_active", "is_staff", "joined_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = ("email", "name", "zone", "language", "is_active", "is_staff", "joined_at")
    readonly_fields = ("email", "joined_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Owners sign up themselves."""
        return False


@admin.register(Household)
class HouseholdAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Households and their people."""

    list_display = ("name", "zone", "country", "needs_you_count", "is_demo", "created_at")
    list_filter = ("is_demo",)
    search_fields = ("name", "=uuid")
    ordering = ("name",)
    fields = ("uuid", "name", "zone", "country", "currency", "survey_cap", "needs_you_count")
    readonly_fields = ("uuid", "needs_you_count")
    inlines = (MembershipInline,)


@admin.register(Channel)
class ChannelAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Addresses, by their hints only."""

    list_display = ("owner", "kind", "hint", "verified_at", "failed_at", "failure")
    list_filter = ("kind",)
    list_select_related = ("owner",)
    ordering = ("-created_at",)
    fields = ("owner", "kind", "hint", "verified_at", "failed_at", "failure", "created_at")


@admin.register(ReachRule)
class ReachRuleAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Cells of the reach matrix that members changed."""

    list_display = ("membership", "topic", "moment", "channel")
    list_select_related = ("membership__owner", "membership__household")
    ordering = ("pk",)
