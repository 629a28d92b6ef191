"""What every row uses: a throw-away database, servers, the load generator, the table."""

import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from celery import Celery
from django.conf import settings
from django.db import connection
from django.test import Client
from psycopg import sql

from config.celery import app as steward
from owners.models import Owner
from tests import factories
from tests.bench import load

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    work: str
    target: str
    ours: str
    floor: str
    is_met: bool


@dataclass(slots=True)
class Bench:
    """A database of its own with the cast in it, for as long as the bench runs."""

    seconds: int = 8
    rounds: int = 3
    scale: int = 10_000_000  # the most rows stored; the rows that grow stop there
    is_quick: bool = False
    database: str = field(default_factory=lambda: f"steward_bench_{os.getpid()}")
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="steward-bench-")))
    stack: ExitStack = field(default_factory=ExitStack)
    kept: str = ""
    cast: factories.Cast | None = None
    served: int = 0  # the process id of the last web server started

    def __enter__(self) -> Self:
        self.kept = str(settings.DATABASES["default"]["NAME"])
        self._admin("CREATE DATABASE {}")
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = self.database
        environment = {**os.environ, "DATABASE_URL": self.url}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True
        )
        self.cast = factories.cast()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stack.close()
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = self.kept
        self._admin("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        """The address of the bench's database."""
        given = connection.settings_dict
        return (
            f"postgresql://{given['USER']}:{given['PASSWORD']}@/{self.database}"
            f"?host={given['HOST'] or 'localhost'}&port={given['PORT'] or 5432}"
        )

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of the processes that are measured."""
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "REDIS_URL": settings.REDIS_URL,
            "LOG_LEVEL": "ERROR",
            "SUPPLIER_RATE": "1000000",
            "SUPPLIER_BURST": "10000000",
            **more,
        }

    def connect(self) -> psycopg.Connection:
        """Open a connection of our own."""
        return psycopg.connect(self.url, autocommit=True)

    def _admin(self, statement: str) -> None:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(self.database)))

    @contextmanager
    def serve(self, target: str, **environment: str) -> Iterator[int]:
        """Serve a WSGI application by granian, 2 workers with 4 threads; yield its port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2",
            "--blocking-threads", "4", "--backpressure", "64", "--port", str(port),
            "--no-access-log", "--log-level", "warning", target,
        ]  # fmt: skip
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment(**environment),
        )
        self.served = process.pid
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(20)

    @contextmanager
    def worker(
        self, app: Celery = steward, *, module: str = "config.celery", **environment: str
    ) -> Iterator[int]:
        """Run a task worker with two processes, as `make run` does; yield its process id."""
        command = [
            sys.executable, "-m", "celery", "-A", module, "worker", "--concurrency", "2",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
            "--hostname", f"{self.database}@bench",
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment(**environment))
        try:
            until = time.monotonic() + 30
            while not app.control.ping([f"{self.database}@bench"], timeout=0.5):
                if time.monotonic() > until or process.poll() is not None:
                    raise TimeoutError("the task worker did not start")
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)

    def signed_in(self, owner: int) -> str:
        """Return the cookie of a session in which this owner is signed in."""
        client = Client()
        backend = "django.contrib.auth.backends.ModelBackend"
        client.force_login(Owner.objects.get(pk=owner), backend=backend)
        name = settings.SESSION_COOKIE_NAME
        return f"{name}={client.cookies[name].value}"

    def median(self, measure: Callable[[int], load.Load]) -> load.Load:
        """Return the round with the median rate."""
        found = sorted((measure(number) for number in range(self.rounds)), key=lambda one: one.rate)
        return found[len(found) // 2]


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing", timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server did not start")


def machine() -> str:
    """Say what this was measured on."""
    model = platform.processor() or platform.machine()
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        model = found[1] if found else model
    except OSError:
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    busy = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, "
        f"PostgreSQL {version.split()[0]} (fsync {fsync}), load {busy:.1f} at the end"
    )


def table(rows: list[Row]) -> str:
    """Return the table in Markdown."""
    verdict = {True: "yes", False: "no"}
    lines = [
        machine(),
        "",
        "| work | target | reached | floor in the same run | met |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.work} | {row.target} | {row.ours} | {row.floor} | {verdict[row.is_met]} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def median(values: list[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)
