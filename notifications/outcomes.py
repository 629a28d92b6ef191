"""What a transport's answer means for a delivery."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from notifications import ladder
from notifications.choices import DeliveryState
from notifications.claims import Claimed, Verdict
from notifications.fallback import PATIENCE
from notifications.models import Attempt, Delivery
from notifications.transports.values import NotStarted, Sent, TransportError

MOST_UNCONFIRMED = 2  # attempts without an answer, after which the next channel is tried


def verdict_of(
    one: Claimed, answer: asyncio.Task[Any], *, now: datetime, is_repeatable: bool
) -> Verdict:
    """Return what a transport's answer means for the delivery.

    An error that is not the provider's is raised again.
    """
    error = answer.exception()
    if error is None and one.attempt is None:
        return _looked_up(one, answer.result(), now=now)
    if error is None:
        return _accepted(one, answer.result())
    if isinstance(error, NotStarted):
        return Verdict(
            delivery=one.delivery,
            state=DeliveryState.PENDING,
            next_at=now,
            claims=-1,
            attempt=one.attempt,
            outcome="failed",
            detail="was not its turn in time",
        )
    if not isinstance(error, TransportError):
        raise error
    if one.attempt is None:
        # The provider could not be asked; it stays in doubt.
        again = now + timedelta(seconds=settings.DELIVERY_DOUBT_S)
        return Verdict(
            delivery=one.delivery,
            state=DeliveryState.UNKNOWN,
            next_at=again,
            detail=f"could not be looked up: {error}",
        )
    return _refused(one, error, now=now, is_repeatable=is_repeatable)


def _accepted(one: Claimed, sent: Sent) -> Verdict:
    return Verdict(
        delivery=one.delivery,
        state=DeliveryState.DELIVERED if sent.is_final else DeliveryState.SENT,
        provider_ref=sent.ref,
        attempt=one.attempt,
        outcome="sent",
        is_sure=True,
    )


def rested(one: Claimed, *, until: datetime) -> Verdict:
    """Return what becomes of a delivery whose provider rests: it was not begun."""
    row = one.delivery
    said = "its provider refuses everybody at the moment"
    if one.attempt is None:
        return Verdict(
            delivery=row, state=DeliveryState.UNKNOWN, next_at=until, claims=-1, detail=said
        )
    is_over = row.expires_at is not None and until >= row.expires_at
    return Verdict(
        delivery=row,
        state=DeliveryState.FAILED if is_over else DeliveryState.PENDING,
        next_at=None if is_over else until,
        claims=-1,
        attempt=one.attempt,
        outcome="failed",
        detail=said,
        is_asked=True,
        is_late=is_over,
    )


def _looked_up(one: Claimed, found: list[Sent], *, now: datetime) -> Verdict:
    """Return what a look-up says of a delivery in doubt: it went out, or may go again."""
    # The same words may have gone to the same number for another delivery.
    refs = [sent.ref for sent in found]
    others = set(
        Delivery.objects.filter(provider_ref__in=refs)
        .exclude(pk=one.delivery.pk)
        .values_list("provider_ref", flat=True)
    )
    ours = [ref for ref in refs if ref not in others]
    if ours:
        return Verdict(
            delivery=one.delivery,
            state=DeliveryState.SENT,
            provider_ref=ours[0],
            detail="found at the provider after no answer came",
            is_sure=True,
        )
    row = one.delivery
    # Whoever died with it left an attempt open; by now it is as unknown as the others.
    attempts = Attempt.objects.filter(delivery=row.pk)
    attempts.filter(outcome=None).update(outcome="unknown")
    if attempts.filter(outcome="unknown").count() >= MOST_UNCONFIRMED:
        said = "sent twice, never confirmed"
        return Verdict(delivery=row, state=DeliveryState.FAILED, detail=said)
    said = "not known to the provider: sent again"
    return Verdict(delivery=row, state=DeliveryState.PENDING, next_at=now, detail=said)


def _refused(one: Claimed, error: TransportError, *, now: datetime, is_repeatable: bool) -> Verdict:
    row = one.delivery
    common: dict[str, Any] = {
        "delivery": row,
        "attempt": one.attempt,
        "detail": str(error),
        "is_everybodys": error.is_everybodys,
        "asked": error.retry_after,
    }
    outcome = "unknown" if error.is_ambiguous else "failed"
    if error.is_ambiguous and not is_repeatable:
        again = now + timedelta(seconds=settings.DELIVERY_DOUBT_S)
        return Verdict(**common, state=DeliveryState.UNKNOWN, next_at=again, outcome=outcome)
    again_at = None
    if not error.permanent:
        again_at = ladder.retry_at(
            failures=row.failures + 1, key=row.key, now=now, retry_after=error.retry_after
        )
    if again_at is None or (row.expires_at is not None and again_at >= row.expires_at):
        return Verdict(
            **common,
            state=DeliveryState.FAILED,
            failures=1,
            outcome=outcome,
            is_address_bad=error.is_address_bad,
            is_late=not error.permanent,
        )
    return Verdict(
        **common,
        state=DeliveryState.PENDING,
        next_at=again_at,
        failures=1,
        outcome=outcome,
        is_asked=timedelta(seconds=error.retry_after or 0) > PATIENCE,
    )
