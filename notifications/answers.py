"""The owner's answers to suppliers: how and when each arrived, and when it did not."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from notifications import why
from notifications.models import Journey
from notifications.tongue import gettext as _
from owners.models import Household
from suppliers import letters, outbox, routes
from suppliers.models import OutboundEvent, OutboundState

SHOWN = 100
OWN_WORDS = ("body", "answer", "text", "remedy")  # what the owner wrote, by the field it is in
VIAS: dict[str, str | Promise] = {
    routes.WEBHOOK: gettext_lazy("to their systems"),
    routes.MAIL: gettext_lazy("by mail"),
    routes.SMS: gettext_lazy("by SMS"),
    routes.ONE_CLICK: gettext_lazy("at the sender's address"),
    routes.NONE: gettext_lazy("not at all"),
}


def of_journey(journey: Journey) -> list[dict[str, Any]]:
    """Return the answers on one journey, the oldest first."""
    rows = _of([journey.household]).filter(journey=journey.uuid).order_by("-pk")[:SHOWN]
    return show_all(list(reversed(rows)))


def show_all(events: Sequence[OutboundEvent]) -> list[dict[str, Any]]:
    """Return answers as `show` does, with as many queries for any number."""
    waiting = [event.mandate for event in events if event.mandate and not _is_settled(event)]
    ways = routes.all_of_mandates(waiting, is_every=True) if waiting else {}
    return [show(event, ways=ways) for event in events]


def of_households(households: Iterable[Household]) -> QuerySet[OutboundEvent]:
    """Return the answers of these households, the newest first."""
    return _of(households).order_by("-created_at", "-pk")


def _of(households: Iterable[Household]) -> QuerySet[OutboundEvent]:
    return OutboundEvent.objects.filter(
        household__in=households, type__startswith="owner."
    ).select_related("supplier", "household", "mandate")


def show(
    event: OutboundEvent, *, ways: Mapping[int, Sequence[str]] | None = None
) -> dict[str, Any]:
    """Return one answer as people and programs see it; `ways` are known for many at once."""
    is_settled = _is_settled(event)
    others = [] if is_settled else routes.others_of(event, ways=ways)
    return {
        "id": str(event.uuid),
        "supplier": {"id": str(event.supplier.uuid), "name": event.supplier.name},
        "journey": str(event.journey) if event.journey else None,
        "at": event.created_at.isoformat(),
        "type": event.type,
        "text": letters.words_of(event),
        "words": next((str(event.data[name]) for name in OWN_WORDS if event.data.get(name)), ""),
        "via": event.via,
        "via_label": str(VIAS.get(event.via, event.via)),
        "state": event.state,
        "sent_at": event.sent_at.isoformat() if event.sent_at else None,
        "next_at": event.next_at.isoformat() if event.state == OutboundState.PENDING else None,
        "tried": event.tried,
        "why": how(event),
        "can_send_again": not is_settled and event.via != routes.NONE,
        "other_ways": [{"via": via, "label": str(VIAS[via])} for via in others],
    }


def row(event: OutboundEvent) -> dict[str, Any]:
    """Return an answer for a long list: the other ways stand on its journey."""
    return show(event, ways={event.mandate_id or 0: ()}) | {"other_ways": []}


def _is_settled(event: OutboundEvent) -> bool:
    """Whether nothing needs to be done about it: it arrived, or was only just written."""
    is_new = event.state == OutboundState.PENDING and event.tried == 0
    return event.state == OutboundState.SENT or is_new


def is_missing(answer: dict[str, Any]) -> bool:
    """Whether an answer, as shown, was tried and has not arrived."""
    return bool(
        answer["state"] != OutboundState.SENT and (answer["tried"] or answer["via"] == "none")
    )


def how(event: OutboundEvent) -> str:
    """Say in plain words how an answer arrived, or why it did not."""
    about = {"supplier": event.supplier.name}
    if event.state == OutboundState.SENT:
        said = {
            routes.WEBHOOK: _("%(supplier)s's systems took it."),
            routes.MAIL: _("It went to %(supplier)s by mail."),
            routes.SMS: _("It went to %(supplier)s by SMS."),
        }
        return said.get(event.via, _("It went to %(supplier)s.")) % about
    if event.state == OutboundState.PENDING and event.tried == 0:
        return _("It is on its way to %(supplier)s.") % about
    return why.not_delivered(
        supplier=event.supplier.name,
        is_given_up=event.state == OutboundState.FAILED,
        is_switched_off=event.supplier.webhook_disabled_at is not None,
        returned=event.detail.partition(outbox.CAME_BACK)[2],
        via=event.via,
    )
