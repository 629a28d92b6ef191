"""The lists of recalls are asked again and again: each question when it is due, and no sooner.

Nothing is asked unless whoever runs Steward names the source in `RECALL_SOURCES`. What
leaves is a day, or the maker, model and year of a vehicle that somebody here owns: nothing
of anybody. A list that does not answer is asked again later and later; one that has not
changed sends nothing; one that cannot be read changes nothing.
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx
import structlog
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

from assets import recalls
from assets.choices import AssetKind
from assets.models import Asset, RecallFeed
from suppliers import guard
from suppliers.recall_sources import SOURCES, nhtsa
from suppliers.recall_sources.values import SourceError

log = structlog.get_logger(__name__)

ASKED = Counter("steward_recall_lists_total", "Questions to lists of recalls", ["source", "came"])
EVERY = timedelta(days=1)  # a list is asked
LEASE = timedelta(minutes=10)
AT_ONCE = 20  # questions of one go: no list is asked more in a row
AFTER_FAILURE = (
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(days=1),
    timedelta(days=3),
)
LONGEST_WAIT = timedelta(days=7)
LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
LOT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of one question."""

    came: str  # changed, same, empty, planned, failed
    found: int = 0
    leads: tuple[str, ...] = ()
    etag: str = ""
    modified: str = ""
    error: str = ""
    wait: timedelta | None = None


def work(now: datetime) -> int:
    """Ask what is due; return how many questions were asked. A chore of the installation."""
    plan(now=now)
    asked = 0
    for feed in _claim(now=now):
        _note(feed, ask(feed, now=now), now=now)
        asked += 1
    return asked


def plan(*, now: datetime) -> None:
    """Let there be the questions that each list named by the operator is always asked."""
    wanted = set(settings.RECALL_SOURCES)
    if not wanted:
        return
    known = set(RecallFeed.objects.filter(source__in=wanted).values_list("source", "key"))
    RecallFeed.objects.bulk_create(
        (
            RecallFeed(source=name, key=key, next_at=now)
            for name in sorted(wanted)
            for key in SOURCES[name].keys
            if (name, key) not in known
        ),
        ignore_conflicts=True,
    )


def _about_things(source: str) -> Answered:
    """Return the questions about what is owned, and forget those about what is no more."""
    cars = Asset.objects.looked_after().filter(kind=AssetKind.VEHICLE)
    pks = list(cars.exclude(maker="").exclude(model="").values_list("pk", flat=True))
    keys: set[str] = set()
    for start in range(0, len(pks), LOT):
        rows = list(Asset.objects.filter(pk__in=pks[start : start + LOT]))
        for thing in recalls.things_of(rows).values():
            named = thing.maker.upper(), thing.model.upper()
            keys |= {nhtsa.key_of(*named, year) for year in thing.years}
    RecallFeed.objects.filter(source=source).exclude(key__in=["", *keys]).delete()
    return Answered(came="planned", leads=tuple(sorted(keys)))


def _claim(*, now: datetime) -> list[RecallFeed]:
    """Take the questions that are due, so that no other process asks them too."""
    with transaction.atomic():
        due = RecallFeed.objects.filter(next_at__lte=now, source__in=settings.RECALL_SOURCES)
        rows = list(due.order_by("next_at", "pk").select_for_update(skip_locked=True)[:AT_ONCE])
        RecallFeed.objects.filter(pk__in=[row.pk for row in rows]).update(next_at=now + LEASE)
    return rows


def ask(feed: RecallFeed, *, now: datetime) -> Answered:
    """Put one question, and keep what is answered; never raises for what comes from outside."""
    source = SOURCES[feed.source]
    if source.about_things and feed.key == "":
        return _about_things(feed.source)
    base = settings.RECALL_BASES.get(feed.source) or source.base
    headers = {"user-agent": f"Steward (+{settings.SITE_URL})", "accept": "*/*"}
    since = feed.seen_until or (None if source.first is None else now.date() - source.first)
    if feed.etag:
        headers["if-none-match"] = feed.etag
    if feed.modified:
        headers["if-modified-since"] = feed.modified
    try:
        page = guard.get(
            base + source.address(feed.key, since),
            most=settings.RECALL_MOST_BYTES,
            timeout=settings.RECALL_TIMEOUT,
            headers=headers,
            allowed=settings.RECALL_ALLOWED_NETWORKS,
        )
    except guard.BlockedError as error:
        return Answered(came="failed", error=f"blocked: {error.code}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Answered(came="failed", error=type(error).__name__)
    if page.status == HTTPStatus.NOT_MODIFIED:
        return Answered(came="same", etag=feed.etag, modified=feed.modified)
    if page.status in source.empty:
        return Answered(came="empty")
    if page.status != HTTPStatus.OK:
        wait = _retry_after(page.retry_after, now) if page.status in LATER else None
        return Answered(came="failed", error=f"status {page.status}", wait=wait)
    try:
        read = source.read(page.body, feed.key)
    except SourceError as error:
        return Answered(came="failed", error=f"unreadable: {error.code}")
    changed = recalls.store_all(read.published, now=now)
    return Answered(
        came="changed",
        found=changed,
        leads=read.leads,
        etag=page.etag[:200] if len(page.etag) <= 200 else "",
        modified=page.modified[:60] if len(page.modified) <= 60 else "",
    )


def _note(feed: RecallFeed, answered: Answered, *, now: datetime) -> None:
    """Note what came of a question, and when it is asked next."""
    ASKED.labels(feed.source, answered.came).inc()
    source = SOURCES[feed.source]
    feed.asked_at, feed.error = now, answered.error[:200]
    if answered.came == "failed":
        log.warning("recall_list_failed", source=feed.source, why=answered.error)
        step = AFTER_FAILURE[min(feed.failures, len(AFTER_FAILURE) - 1)]
        feed.failures = min(feed.failures + 1, 1_000)
        feed.next_at = now + min(max(step, answered.wait or step), LONGEST_WAIT)
    else:
        feed.failures, feed.seen_until = 0, now.date()
        feed.etag, feed.modified = answered.etag, answered.modified
        feed.next_at = now + (EVERY if feed.key in source.keys else source.again)
    feed.save()
    known = set(RecallFeed.objects.filter(source=feed.source).values_list("key", flat=True))
    RecallFeed.objects.bulk_create(
        (
            RecallFeed(source=feed.source, key=key, next_at=now)
            for key in answered.leads
            if key not in known
        ),
        ignore_conflicts=True,
    )


def _retry_after(said: str, now: datetime) -> timedelta | None:
    """Return how long a list asks us to wait; None where it does not say."""
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said[:9]), int(LONGEST_WAIT.total_seconds())))
    try:
        at = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(at.replace(tzinfo=at.tzinfo or UTC) - now, timedelta(0))
