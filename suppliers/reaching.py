"""Telling suppliers that they may reach a household otherwise than before."""

from datetime import datetime, timedelta

from django.db import transaction

from owners.models import Household
from suppliers import outbox, routes
from suppliers.choices import MandateState
from suppliers.models import Mandate, ReachChange

TYPE = "owner.reach.changed"
SETTLES = timedelta(hours=1)  # whoever sets their wishes sets several; one word for all
AT_ONCE = 500


def changed(*, household: Household, now: datetime) -> None:
    """Note that each supplier who may act is owed a word, within the hour.

    It waits here and not in the outbox, where it would hold back what follows it.
    """
    active = Mandate.objects.filter(household=household, state=MandateState.ACTIVE)
    active = active.select_related("supplier").order_by("pk")
    owed = [
        ReachChange(mandate=mandate, tell_at=now + SETTLES)
        for mandate in routes.reachable(active, TYPE)
    ]
    ReachChange.objects.bulk_create(owed, ignore_conflicts=True)


def tell_due(*, now: datetime) -> int:
    """Send the words that are due; return how many.

    The event holds no wish: when somebody sleeps is nobody's business who is not about to
    write to them. How it is now, a supplier asks when it needs to know.
    """
    with transaction.atomic():
        due = ReachChange.objects.select_for_update(of=("self",), skip_locked=True)
        owed = list(
            due.filter(tell_at__lte=now)
            .select_related("mandate__supplier")
            .order_by("tell_at", "pk")[:AT_ONCE]
        )
        if not owed:
            return 0
        ReachChange.objects.filter(pk__in=[one.pk for one in owed]).delete()
        may_act = [one.mandate for one in owed if one.mandate.state == MandateState.ACTIVE]
        outbox.send_all(
            [
                outbox.Message(mandate=mandate, type=TYPE, data={})
                for mandate in routes.reachable(may_act, TYPE)
            ],
            now=now,
        )
    return len(owed)
