"""How many requests a supplier may make: a token bucket in Redis, shared by all processes.

A process borrows tokens in small lots, so that most requests cost no round trip. Lots
shrink as the bucket empties, so the last token is counted exactly. Without Redis nothing
is limited: intake goes on.
"""

import threading
import time
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from prometheus_client import Counter

log = structlog.get_logger(__name__)

LOT = 50
LOT_LASTS_S = 1.0
RETRY_REDIS_S = 1.0  # how long a process goes without asking a Redis that failed
UNLIMITED = Counter("steward_ratelimit_open_total", "Times the limit was open for want of Redis")

# Redis' own clock, so that processes on several machines agree.
BORROW = """
local rate, burst, lot = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(kept[1]) or burst)
    + math.max(0, now - (tonumber(kept[2]) or now)) * rate)
local given = math.min(lot, math.max(1, math.floor(tokens / 8)))
local wait = 0
if tokens < 1 then
    given = 0
    wait = math.ceil((1 - tokens) / rate)
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - given), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 60)
return {given, wait}
"""


@dataclass(slots=True)
class _Lot:
    tokens: int = 0
    until: float = 0.0


class _Bucket:
    """What this process has borrowed, per supplier."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lots: dict[int, _Lot] = {}
        self.client: redis.Redis | None = None
        self.script: object = None
        self.closed_until = 0.0

    def take(self, supplier_id: int) -> int:
        with self.lock:
            now = time.monotonic()
            lot = self.lots.setdefault(supplier_id, _Lot())
            if lot.tokens > 0 and now < lot.until:
                lot.tokens -= 1
                return 0
            if now < self.closed_until:
                return 0
        try:
            given, wait = self._borrow(supplier_id)
        except redis.RedisError as error:
            self.closed_until = time.monotonic() + RETRY_REDIS_S
            UNLIMITED.inc()
            log.warning("ratelimit_open", error=type(error).__name__)
            return 0
        if not given:
            return max(1, wait)
        with self.lock:
            lot.tokens, lot.until = given - 1, time.monotonic() + LOT_LASTS_S
        return 0

    def _borrow(self, supplier_id: int) -> tuple[int, int]:
        if self.client is None:
            self.client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5
            )
            self.script = self.client.register_script(BORROW)
        given, wait = self.script(  # type: ignore[operator]  # set together with the client
            keys=[f"steward:rate:{supplier_id}"],
            args=[settings.SUPPLIER_RATE, settings.SUPPLIER_BURST, LOT],
        )
        return int(given), int(wait)


_bucket = _Bucket()


def take(supplier_id: int) -> int:
    """Take one request's token; return 0, or after how many seconds to come again."""
    if not settings.REDIS_URL or not settings.SUPPLIER_RATE:
        return 0
    return _bucket.take(supplier_id)


def forget() -> None:
    """Give up what this process has borrowed and its connection: for tests."""
    global _bucket  # noqa: PLW0603 - one bucket for each process
    _bucket = _Bucket()
