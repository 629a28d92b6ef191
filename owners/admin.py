"""The operator's window on owners; addresses and codes stay sealed."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from owners import access, clock
from owners.models import Channel, Household, Membership, Owner, ReachRule


class Watched(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Says in the access log of those concerned what an operator opened and changed."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a record, and note who looked at it."""
        shown = self.get_object(request, unquote(object_id))
        if shown is not None and request.method == "GET":
            note_operator("operator_looked", request, shown)
        return super().change_view(request, object_id, form_url, extra_context)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note what was changed, beside Django's own log."""
        changed = [part.get("changed", {}) for part in message if isinstance(part, dict)]
        fields = [name for part in changed for name in part.get("fields", [])]
        note_operator("operator_changed", request, obj, fields=fields)
        return super().log_change(request, obj, message)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note what was added."""
        note_operator("operator_changed", request, obj, did="added")
        return super().log_addition(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Note what was deleted."""
        for one in queryset:
            note_operator("operator_changed", request, one, did="deleted")
        return super().log_deletions(request, queryset)


def note_operator(kind: str, request: HttpRequest, record: Model, **more: Any) -> None:
    """Write a line for whoever a record is about: a household, an owner, or neither."""
    household = record if isinstance(record, Household) else getattr(record, "household", None)
    owner = record if isinstance(record, Owner) else getattr(record, "owner", None)
    access.note(
        kind=kind,
        actor=request.user if isinstance(request.user, Owner) else None,
        subject=owner if isinstance(owner, Owner) else None,
        household=household if isinstance(household, Household) else None,
        what={"record": str(record._meta.verbose_name), **more},  # noqa: SLF001 - Django documents it
        now=clock.now(),
    )


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
class OwnerAdmin(Watched):
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
class HouseholdAdmin(Watched):
    """Households and their people."""

    list_display = ("name", "zone", "country", "needs_you_count", "is_demo", "created_at")
    list_filter = ("is_demo",)
    search_fields = ("name", "=uuid")
    ordering = ("name",)
    fields = ("uuid", "name", "zone", "country", "currency", "survey_cap", "needs_you_count")
    readonly_fields = ("uuid", "needs_you_count")
    inlines = (MembershipInline,)


@admin.register(Channel)
class ChannelAdmin(ReadOnly, Watched):
    """Addresses, by their hints only."""

    list_display = ("owner", "kind", "hint", "verified_at", "failed_at", "failure")
    list_filter = ("kind",)
    list_select_related = ("owner",)
    ordering = ("-created_at",)
    fields = ("owner", "kind", "hint", "verified_at", "failed_at", "failure", "created_at")


@admin.register(ReachRule)
class ReachRuleAdmin(ReadOnly, Watched):
    """Cells of the reach matrix that members changed."""

    list_display = ("membership", "topic", "moment", "channel")
    list_select_related = ("membership__owner", "membership__household")
    ordering = ("pk",)
