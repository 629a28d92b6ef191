"""Looks at the rig's database when the faults are over: prints what came of everything.

`python -m tests.faults.check` first lets the clock run on, so that holds and leases end,
and drains what is left; with --as-is it only looks.
"""

import json
import os
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import django


def settle() -> int:
    """Drain as if most of an hour had passed: every hold, lease and retry is over by then."""
    from notifications import pipeline  # noqa: PLC0415 - models need the set-up below
    from owners import clock  # noqa: PLC0415

    def drain(ahead: timedelta) -> int:
        return pipeline.drain(now_fn=lambda: clock.now() + ahead)

    return sum(drain(timedelta(minutes=minutes)) for minutes in (5, 30, 40))


def findings() -> dict[str, Any]:
    """Return what is stored, counted."""
    from notifications.models import Card, Delivery, Journey, Link, Notification  # noqa: PLC0415
    from suppliers.models import Contact, InboundEvent, OutboundEvent  # noqa: PLC0415

    journeys_of: dict[str, list[int]] = {}
    for event_id, journey in InboundEvent.objects.values_list(
        "event_id", "contacts__links__journey"
    ).filter(contacts__links__revoked_at=None):
        journeys_of.setdefault(event_id, [])
        if journey is not None:
            journeys_of[event_id].append(journey)
    answers: dict[str, list[tuple[str, int, int]]] = {}
    told = OutboundEvent.objects.filter(type="owner.message.sent").order_by("pk")
    known = told.values_list("supplier__code", "uuid", "mandate", "tried")
    for code, name, mandate, tried in known:
        answers.setdefault(code, []).append((str(name), mandate or 0, tried))
    interrupts = Notification.objects.filter(state="told", level="interrupt")
    return {
        "events": dict(Counter(InboundEvent.objects.values_list("state", flat=True))),
        "contacts": Contact.objects.count(),
        "answers": dict(Counter(told.order_by().values_list("state", flat=True))),
        "answers_of": answers,
        "undecided": Contact.objects.filter(decided_at=None).count(),
        "outcomes": dict(Counter(Contact.objects.values_list("outcome", flat=True))),
        "links": Link.objects.filter(revoked_at=None).count(),
        "journeys_of": journeys_of,
        "journeys": Journey.objects.filter(is_emptied=False).count(),
        "cards": Card.objects.count(),
        "cards_of_one_journey": Card.objects.values("journey").distinct().count(),
        "notifications": dict(Counter(Notification.objects.values_list("state", flat=True))),
        "interrupts": interrupts.count(),
        "interrupts_without_delivery": interrupts.filter(deliveries=None).count(),
        "deliveries": dict(
            Counter(
                f"{kind} {state}" for kind, state in Delivery.objects.values_list("kind", "state")
            )
        ),
        "sms": [
            str(name)
            for name in Delivery.objects.filter(
                kind="sms", state__in=("sent", "delivered")
            ).values_list("uuid", flat=True)
        ],
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    moved = 0 if "--as-is" in sys.argv else settle()
    print(json.dumps({"moved": moved, **findings()}))  # noqa: T201
