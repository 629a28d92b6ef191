"""A product of our own to break: database, Redis, web server, workers, and a phone network.

Everything listens on the loopback or a private socket and is started here; only
processes started here are ever killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import redis

from config import embedded
from tests.delivery import twilio
from tests.factories import signed_headers
from tests.faults import endpoints

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
DEBIAN = Path("/usr/lib/postgresql/15/bin")
DEAD_REDIS = "unix:///nonexistent/redis.sock?db=0"
START_S = 40.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Rig:
    """The running product; `starts` counts how often something was started again."""

    home: Path
    phone: twilio.Twilio
    endpoints: endpoints.Endpoints
    has_redis: bool
    stack: ExitStack
    port: int = field(default_factory=free_port)
    starts: int = 0
    servers: list[embedded.Server] = field(default_factory=list)
    kept: dict[str, tuple[list[str], subprocess.Popen[bytes]]] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)
    orders: queue.SimpleQueue[Callable[[], None]] = field(default_factory=queue.SimpleQueue)

    # Servers

    def start_servers(self) -> None:
        """Start a PostgreSQL that syncs to disk, and a Redis that keeps nothing."""
        if os.environ.get("DATABASE_URL") and (DEBIAN / "postgres").exists():
            # The second run of the suite is against Debian's own binaries.
            binaries = embedded.postgres_binaries
            embedded.postgres_binaries = lambda: DEBIAN
            self.stack.callback(setattr, embedded, "postgres_binaries", binaries)
        services = ["postgres", *(["redis"] if self.has_redis else [])]
        self.servers = embedded.start_servers(self.place, services=services, is_fast=False)
        for server in self.servers:
            self.stack.callback(server.stop)

    @property
    def place(self) -> embedded.Place:
        return embedded.place(self.home)

    @property
    def environment(self) -> dict[str, str]:
        kept = {"PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV"}
        return {name: value for name, value in os.environ.items() if name in kept} | {
            "DATABASE_URL": self.place.database_url,
            "REDIS_URL": self.place.redis_url if self.has_redis else DEAD_REDIS,
            "STEWARD_DATA": str(self.home / "steward"),
            "LOG_LEVEL": "WARNING",
            "SUPPLIER_RATE": "0",
            "TWILIO_API_URL": self.phone.address,
            "TWILIO_ACCOUNT_SID": "AC1",
            "TWILIO_AUTH_TOKENS": "token",
            "TWILIO_FROM": "+12125550199",
            "INBOX_LEASE_S": "8",
            "DELIVERY_LEASE_S": "6",
            "DELIVERY_DOUBT_S": "2",
            "SMS_TIMEOUT": "3",
            "OUTBOX_LEASE_S": "6",
            "OUTBOX_TIMEOUT": "2",
            "OUTBOX_ALLOWED_NETWORKS": "127.0.0.0/8",
        }

    def server(self, name: str) -> embedded.Server:
        return next(server for server in self.servers if server.name == name)

    def restart_postgres(self) -> None:
        """Stop PostgreSQL at once, as a crash would, and start it again."""
        server = self.server("PostgreSQL")
        assert server.process is not None
        server.process.send_signal(signal.SIGQUIT)
        server.process.wait(20)
        time.sleep(0.5)
        embedded.clear_leftovers(self.place)
        server.start()
        embedded.wait_for_postgres(self.place, server)

    def restart_redis(self) -> None:
        """Kill Redis; it comes back empty."""
        server = self.server("Redis")
        assert server.process is not None
        server.process.kill()
        server.process.wait(10)
        self.place.redis_socket.unlink(missing_ok=True)
        time.sleep(0.2)
        server.start()
        embedded.wait_for_redis(self.place, server)

    def flush_redis(self) -> None:
        redis.Redis(unix_socket_path=str(self.place.redis_socket)).flushall()

    def ask(self, question: str) -> int:
        """Return the number that a query counts; -1 while the database is away."""
        try:
            with psycopg.connect(self.place.database_url, connect_timeout=2) as connection:
                row = connection.execute(question).fetchone()
        except psycopg.OperationalError:
            return -1
        return int(row[0]) if row else 0

    def wait_until(self, question: str, *, is_: int, seconds: float) -> None:
        """Return when the query counts so many; keep everything running meanwhile."""
        end = time.monotonic() + seconds
        while (count := self.ask(question)) != is_:
            assert time.monotonic() < end, (
                f"{question}: {count} after {seconds:.0f} s\n{self.last_words()}"
            )
            self.revive()
            time.sleep(0.3)

    def last_words(self) -> str:
        """Return the end of what each kept process wrote."""
        return "\n".join(
            f"--- {name}\n{(self.home / f'{name}.log').read_text()[-2500:]}" for name in self.kept
        )

    # Processes

    def run(self, *command: str) -> str:
        """Run one command of the product to its end."""
        done = subprocess.run(
            [PYTHON, *command],
            cwd=ROOT,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def keep(self, name: str, *command: str) -> None:
        """Start a process and start it again whenever it ends."""
        self.kept[name] = ([PYTHON, *command], self._start(name, [PYTHON, *command]))

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def revive(self) -> None:
        """Start again what has ended, and do what was ordered.

        A server dies with the thread that started it, so only the main thread starts any.
        """
        while not self.orders.empty():
            self.orders.get()()
        for name, (command, process) in list(self.kept.items()):
            if process.poll() is not None:
                self.starts += 1
                self.kept[name] = (command, self._start(name, command))

    def children(self, name: str) -> list[int]:
        """Return the children of a kept process."""
        # Each thread lists the children it forked; the pool is refilled from one of its own.
        found: list[int] = []
        for path in Path(f"/proc/{self.kept[name][1].pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in path.read_text().split()]
        return found

    def stop(self) -> None:
        """End every process that was kept, with its children."""
        self.is_over.set()
        for _command, process in self.kept.values():
            for number in (signal.SIGTERM, signal.SIGKILL):
                if process.poll() is None or number == signal.SIGKILL:
                    try:
                        os.killpg(process.pid, number)
                    except ProcessLookupError:
                        break
                    try:
                        process.wait(3)
                    except subprocess.TimeoutExpired:
                        continue
        self.kept.clear()

    def start_web(self) -> None:
        """Start the web server and return when it answers."""
        self.keep(
            "web", "-m", "granian", "--interface", "wsgi", "--workers", "2",
            "--blocking-threads", "4", "--host", "127.0.0.1", "--port", str(self.port),
            "--no-ws", "--respawn-failed-workers", "--log-level", "error",
            "config.wsgi:application",
        )  # fmt: skip
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.home / "web.log").read_text()[-2000:])

    # Intake

    def post(self, supplier: str, event: dict[str, Any]) -> int:
        """Post one signed event; return the status, 0 when there was no answer."""
        body = json.dumps(event).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/webhooks/{supplier}/",
            data=body,
            headers=signed_headers(body, at=datetime.now(UTC)),  # noqa: TID251 - a supplier's
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


@contextmanager
def running(home: Path, *, has_redis: bool = True) -> Iterator[Rig]:
    """Start servers and a phone network; at the end stop whatever was started."""
    with ExitStack() as stack:
        phone = stack.enter_context(twilio.running())
        peers = stack.enter_context(endpoints.running())
        rig = Rig(home=home, phone=phone, endpoints=peers, has_redis=has_redis, stack=stack)
        if rig.place.base != home:
            stack.callback(shutil.rmtree, rig.place.base, ignore_errors=True)
        rig.start_servers()
        stack.callback(rig.stop)
        rig.run("manage.py", "migrate", "--noinput", "--verbosity", "0")
        yield rig


def events(writers: list[dict[str, str]], *, total: int, now: datetime) -> list[tuple[str, Any]]:
    """Return `total` events over all writers: visits that are booked, near and under way.

    Five events belong to one matter, so a household has as many journeys as a fifth of
    its events.
    """
    made: list[tuple[str, Any]] = []
    matters = total // 5
    for number in range(matters):
        writer = writers[number % len(writers)]
        uid = f"job-{number}@{writer['supplier']}.example"
        start = now + timedelta(minutes=10 + number // len(writers))
        window = {"start": start.isoformat(), "end": (start + timedelta(hours=3)).isoformat()}
        common: dict[str, Any] = {
            "owner": writer["owner"],
            "uid": uid,
            "zone": "America/New_York",
            "refs": [{"scheme": "ticket", "value": f"T-{number}"}],
        }
        said: list[tuple[str, dict[str, Any], int]] = [
            ("appointment.requested", {**window, "sequence": 0, "kind": "visit"}, -50),
            ("appointment.confirmed", {**window, "sequence": 0, "kind": "visit"}, -40),
            ("message.created", {"body": f"About job {number}.", "bodyFormat": "text"}, -30),
            ("appointment.reminder", {"at": now.isoformat()}, -20),
            ("appointment.en_route", {"at": now.isoformat(), "eta": window}, -10),
        ]
        for step, (kind, data, seconds) in enumerate(said):
            at = now + timedelta(seconds=seconds)
            if "sequence" in data:
                data["dtstamp"] = at.isoformat()
            whole = {**common, **data}
            made.append(
                (
                    writer["supplier"],
                    {
                        "specversion": "1.0",
                        "id": f"event-{number}-{step}",
                        "source": f"/suppliers/{writer['supplier']}",
                        "type": kind,
                        "time": at.isoformat(),
                        "datacontenttype": "application/json",
                        "data": whole,
                    },
                )
            )
    return made


@dataclass
class Intake:
    """Suppliers at work: each event is posted until it is answered 202, as the contract says."""

    rig: Rig
    waiting: list[tuple[str, Any]]
    accepted: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    again: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, *, threads: int, pace_s: float = 0.0) -> list[threading.Thread]:
        workers = [threading.Thread(target=self._post_all, args=(pace_s,)) for _ in range(threads)]
        for worker in workers:
            worker.start()
        return workers

    def _post_all(self, pace_s: float) -> None:
        while True:
            with self.lock:
                if not self.waiting:
                    return
                supplier, event = self.waiting.pop(0)
            status = self.rig.post(supplier, event)
            with self.lock:
                if status == 202:
                    self.accepted.add(event["id"])
                elif status in (0, 429) or status >= 500:
                    self.again += 1
                    self.waiting.append((supplier, event))
                else:
                    self.refused[event["id"]] = status
            time.sleep(0.2 if status != 202 else pace_s)


def every(
    seconds: float, act: Callable[[], None], *, over: threading.Event, seed: int
) -> threading.Thread:
    """Do something about every so many seconds until `over`."""
    chance = random.Random(seed)

    def loop() -> None:
        while not over.wait(seconds * chance.uniform(0.7, 1.3)):
            act()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread
