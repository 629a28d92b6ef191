"""The operator's window on journeys and deliveries, without the words of anybody."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications.choices import DeliveryState
from notifications.models import (
    Attempt,
    Card,
    Decision,
    Delivery,
    Digest,
    Journey,
    Notification,
    Receipt,
)
from owners import clock
from owners.admin import ReadOnly, Watched

STUCK = (DeliveryState.FAILED, DeliveryState.PARKED, DeliveryState.UNKNOWN)


@admin.register(Journey)
class JourneyAdmin(ReadOnly, Watched):
    """Matters, by their state."""

    list_display = ("uuid", "household", "state", "turn", "stage", "last_said_at", "next_at")
    list_filter = ("state", "turn")
    list_select_related = ("household",)
    search_fields = ("=uuid",)
    ordering = ("-id",)
    fields = (
        "uuid", "household", "asset", "state", "turn", "stage", "opened_at", "last_said_at",
        "done_at", "closed_at", "next_at", "is_emptied",
    )  # fmt: skip
    show_full_result_count = False


@admin.register(Card)
class CardAdmin(ReadOnly, Watched):
    """Where cards stand."""

    list_display = ("uuid", "household", "section", "version", "changed_at")
    list_filter = ("section",)
    list_select_related = ("household",)
    ordering = ("-id",)
    fields = ("uuid", "household", "journey", "section", "version", "changed_at", "snoozed_until")
    show_full_result_count = False


@admin.register(Decision)
class DecisionAdmin(ReadOnly, Watched):
    """What owners did; append-only."""

    list_display = ("name", "household", "owner", "decided_at", "revoked_at")
    list_filter = ("name",)
    list_select_related = ("household", "owner")
    ordering = ("-id",)
    fields = (
        "uuid",
        "household",
        "owner",
        "journey",
        "contact",
        "name",
        "decided_at",
        "revoked_at",
    )
    show_full_result_count = False


@admin.register(Notification)
class NotificationAdmin(ReadOnly, Watched):
    """Decisions to speak."""

    list_display = ("uuid", "household", "owner", "level", "topic", "reason", "state", "told_at")
    list_filter = ("state", "level", "topic")
    list_select_related = ("household", "owner")
    ordering = ("-id",)
    fields = (
        "uuid", "household", "journey", "owner", "level", "topic", "reason", "rule", "state",
        "held_since", "not_before", "expires_at", "deadline", "told_at", "seen_at",
    )  # fmt: skip
    show_full_result_count = False


class AttemptInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Every call of a provider."""

    model = Attempt
    fields = ("started_at", "finished_at", "outcome", "detail")


class ReceiptInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """What the provider said later."""

    model = Receipt
    fields = ("status", "detail", "received_at")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, Watched):
    """Messages on channels, without their text."""

    list_display = ("uuid", "owner", "purpose", "kind", "step", "state", "claims", "next_at")
    list_filter = ("state", "kind", "purpose")
    list_select_related = ("owner",)
    search_fields = ("=uuid", "=provider_ref")
    ordering = ("-id",)
    fields = (
        "uuid", "household", "owner", "notification", "purpose", "kind", "step", "state",
        "detail", "provider_ref", "claims", "failures", "created_at", "next_at", "expires_at",
        "sent_at", "delivered_at",
    )  # fmt: skip
    inlines = (AttemptInline, ReceiptInline)
    actions = ("send_again",)
    show_full_result_count = False

    @admin.action(description="Send again", permissions=["view"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        """Let stuck messages try once more; an unknown one may then arrive twice."""
        count = rows.filter(state__in=STUCK).update(
            state=DeliveryState.PENDING, claims=0, lease_until=None, next_at=clock.now()
        )
        messages.info(request, f"{count} messages are sent again.")


@admin.register(Digest)
class DigestAdmin(ReadOnly, Watched):
    """That digests were made."""

    list_display = ("household", "owner", "slot", "made_at")
    list_select_related = ("household", "owner")
    ordering = ("-id",)
    fields = ("uuid", "household", "owner", "slot", "made_at")
    show_full_result_count = False
