"""The operator's window on suppliers and on all that arrives and leaves.

Bodies of messages and secrets are never shown: operators see that and why, not what.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from owners import clock
from owners.admin import ReadOnly, Watched
from suppliers import secrets
from suppliers.choices import EventState
from suppliers.models import (
    Contact,
    InboundEvent,
    Mandate,
    OutboundEvent,
    OutboundState,
    Role,
    SigningSecret,
    Supplier,
    SupplierDomain,
    SupplierNumber,
)


class DomainInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Domains: proved ones have no household."""

    model = SupplierDomain
    fields = ("domain", "household")
    raw_id_fields = ("household",)
    extra = 0


class NumberInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Numbers: proved ones have no household."""

    model = SupplierNumber
    fields = ("number", "household")
    raw_id_fields = ("household",)
    extra = 0


class SecretInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """That there are secrets, and until when; never what they are."""

    model = SigningSecret
    fields = ("version", "created_at", "expires_at")


@admin.register(Supplier)
class SupplierAdmin(Watched):
    """Organisations that serve assets; here they are verified."""

    list_display = ("name", "code", "verified_at", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    ordering = ("name",)
    inlines = (DomainInline, NumberInline, SecretInline)
    readonly_fields = ("uuid", "created_at")

    def save_model(
        self,
        request: HttpRequest,
        obj: Supplier,
        form: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Save; once it is verified, no household speaks for it any more."""
        super().save_model(request, obj, form, change)
        if form.initial.get("verified_at") is None and obj.verified_at is not None:
            secrets.close_all(supplier=obj, now=clock.now())
            said = "Its secrets, keys and endpoint were closed: `manage.py verify_supplier %s`"
            messages.info(request, f"{said % obj.code} gives it a new secret.")


@admin.register(Role)
class RoleAdmin(ReadOnly, Watched):
    """What suppliers are for assets."""

    list_display = ("supplier", "kind", "asset", "household")
    list_select_related = ("supplier", "asset", "household")
    list_filter = ("kind",)
    ordering = ("pk",)


@admin.register(Mandate)
class MandateAdmin(ReadOnly, Watched):
    """What households allow; only they change it."""

    list_display = ("supplier", "household", "state", "purposes", "granted_at", "ended_at")
    list_select_related = ("supplier", "household")
    list_filter = ("state",)
    fields = ("supplier", "household", "state", "purposes", "granted_at", "ended_at")
    ordering = ("-granted_at",)


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnly, Watched):
    """What arrived, without its words."""

    list_display = ("id", "way", "supplier", "type", "state", "code", "claims", "received_at")
    list_filter = ("state", "way")
    list_select_related = ("supplier",)
    search_fields = ("=event_id", "=uuid")
    ordering = ("-id",)
    fields = (
        "uuid", "supplier", "household", "way", "source", "event_id", "type", "state",
        "code", "pointer", "detail", "claims", "received_at", "lease_until",
    )  # fmt: skip
    actions = ("process_again",)
    show_full_result_count = False

    @admin.action(description="Process again", permissions=["view"])
    def process_again(self, request: HttpRequest, rows: QuerySet[InboundEvent]) -> None:
        """Put parked and rejected events back into the queue; contacts stay unique."""
        again = rows.filter(state__in=[EventState.PARKED, EventState.REJECTED])
        count = again.update(
            state=EventState.STORED, claims=0, lease_until=None, code="", pointer="", detail=""
        )
        messages.info(request, f"{count} events wait in the queue again.")


@admin.register(Contact)
class ContactAdmin(ReadOnly, Watched):
    """What became of contacts, without their words."""

    list_display = ("uuid", "household", "supplier", "kind", "medium", "outcome", "rule", "said_at")
    list_filter = ("outcome", "kind")
    list_select_related = ("household", "supplier")
    search_fields = ("=uuid",)
    ordering = ("-id",)
    fields = (
        "uuid", "household", "supplier", "kind", "medium", "direction", "trust", "said_at",
        "received_at", "suspicion", "refusal", "outcome", "reason", "rule", "decided_at",
    )  # fmt: skip
    show_full_result_count = False


@admin.register(OutboundEvent)
class OutboundEventAdmin(ReadOnly, Watched):
    """What was told to suppliers, without its words."""

    list_display = ("type", "supplier", "via", "state", "attempts", "created_at", "sent_at")
    list_filter = ("state", "via")
    list_select_related = ("supplier",)
    ordering = ("-id",)
    fields = (
        "uuid", "supplier", "household", "type", "via", "state", "detail", "attempts",
        "created_at", "next_at", "sent_at",
    )  # fmt: skip
    actions = ("send_again",)
    show_full_result_count = False

    @admin.action(description="Send again", permissions=["view"])
    def send_again(self, request: HttpRequest, rows: QuerySet[OutboundEvent]) -> None:
        """Let failed events try again, from the start of their schedule."""
        failed = rows.filter(state=OutboundState.FAILED)
        count = failed.update(
            state=OutboundState.PENDING, attempts=0, lease_until=None, next_at=clock.now()
        )
        messages.info(request, f"{count} events are sent again.")
