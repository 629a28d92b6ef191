"""Is it alive, is it ready, how far behind is it: for load balancers and for operators."""

import hmac
import ipaddress
import os
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Min, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from notifications.models import Delivery, Notification
from owners import clock
from suppliers.models import Contact, InboundEvent, OutboundEvent

LATE_SECONDS = 60  # a row that has been due this long means that nobody works


def queues(now: datetime) -> dict[str, tuple[int, float]]:
    """Return each queue's due rows and the age in seconds of the oldest (0.0 when empty).

    Every one of these reads a partial index that holds waiting rows only.
    """
    free = Q(not_before=None) | Q(not_before__lte=now)
    due: dict[str, tuple[Any, str]] = {
        "inbox": (InboundEvent.objects.filter(state="stored"), "received_at"),
        "contacts": (Contact.objects.filter(free, decided_at=None), "received_at"),
        "notifications": (
            Notification.objects.filter(state="planned", not_before__lte=now),
            "not_before",
        ),
        "deliveries": (Delivery.objects.filter(state="pending", next_at__lte=now), "next_at"),
        "outbound": (OutboundEvent.objects.filter(state="pending", next_at__lte=now), "next_at"),
    }
    found = {}
    for name, (rows, field) in due.items():
        oldest = rows.aggregate(oldest=Min(field))["oldest"]
        age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
        found[name] = (rows.count() if oldest else 0, age)
    return found


def redis_answers() -> bool | None:
    """Return whether Redis answers within a second; None when none is configured."""
    if not settings.REDIS_URL:
        return None
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=None
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether work can be taken: 503 only when the database is away.

    Without Redis, or with workers that lag, intake still loses nothing, so a load balancer
    must not take this process out; the answer says `degraded`.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        waiting = queues(clock.now())
    except DatabaseError:
        return JsonResponse({"status": "down", "database": False}, status=503)
    has_redis = redis_answers()
    is_late = any(age > LATE_SECONDS for _, age in waiting.values())
    return JsonResponse(
        {
            "status": "degraded" if is_late or has_redis is False else "ok",
            "database": True,
            "redis": has_redis,
            "oldest_due_seconds": {name: round(age, 1) for name, (_, age) in waiting.items()},
        }
    )


class Queues(Collector):
    """Prometheus' view of the queues, read from the database at every scrape."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the number of due rows and the age of the oldest, by queue."""
        depth = GaugeMetricFamily("steward_due_rows", "Rows that are due", labels=["queue"])
        age = GaugeMetricFamily(
            "steward_oldest_due_seconds", "Age of the oldest due row", labels=["queue"]
        )
        for name, (count, seconds) in queues(clock.now()).items():
            depth.add_metric([name], count)
            age.add_metric([name], seconds)
        yield depth
        yield age


def may_scrape(request: HttpRequest) -> bool:
    """Return whether the caller has the token, or sits on this machine (and is no proxy)."""
    if settings.METRICS_TOKEN:
        given = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus: counters of all processes, and the queues."""
    if not may_scrape(request):
        return HttpResponse("Set METRICS_TOKEN and send it as a bearer token.\n", status=403)
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # its constructor has no types
        body = generate_latest(registry)
    else:
        body = generate_latest(PROCESS_REGISTRY)
    waiting = CollectorRegistry()
    waiting.register(Queues())
    return HttpResponse(body + generate_latest(waiting), content_type=CONTENT_TYPE_LATEST)
