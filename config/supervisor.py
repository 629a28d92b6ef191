"""Runs the whole product on one machine: services, web, worker, beat; started and stopped as one.

Nothing of Django is imported here, so the address is there a second after the services are.
Every child leads a process group of its own (a terminal's Ctrl-C reaches only us, and a crashed
child's own children are swept away with it) and gets SIGTERM by itself when we die (Linux).
"""

import argparse
import base64
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from config import embedded

BASE = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
RESTART_SECONDS = 0.5  # before a crashed child is started again
STOP_SECONDS = 20.0
WEB_SECONDS = 60.0
APPS = ("owners", "assets", "suppliers", "notifications")


class StopError(Exception):
    """The start cannot go on; the message says what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal one thing."""
    sys.stdout.write(f"Steward: {text}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    started = time.monotonic()
    sys.stdout.write(f"Steward: {text} ... ")
    sys.stdout.flush()
    try:
        yield
    except BaseException:
        sys.stdout.write("\n")
        raise
    sys.stdout.write(f"{time.monotonic() - started:.1f} s\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Child:
    """One process that is kept running until all are stopped."""

    name: str
    command: list[str]
    log: Path
    is_kept: bool = True  # a one-off job may end
    is_heard: bool = False  # what it says is for the person at the terminal
    process: "subprocess.Popen[bytes] | None" = None
    starts_at: float = 0.0
    told_at: float = -60.0  # when its last crash was mentioned

    def start(self) -> None:
        """Start it, with what it says going to its log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own processes
                self.command,
                cwd=BASE,
                stdin=subprocess.DEVNULL,
                stdout=None if self.is_heard else log,
                stderr=log,
                process_group=0,
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl
            )

    def has_ended(self) -> bool:
        """Return whether it was started and runs no more."""
        return self.process is not None and self.process.poll() is not None

    def signal(self, number: int) -> None:
        """Send a signal to it and to its own children."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def ask_to_stop(self) -> None:
        """Ask only the process itself: it stops its own children in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


@dataclass(slots=True)
class Supervisor:
    """All children, from start to stop."""

    home: Path
    host: str
    port: int
    is_demo: bool
    children: list[Child] = field(default_factory=list)
    is_stopping: bool = False
    unanswered: list[str] = field(default_factory=list)  # where mail is to be taken, not yet

    def run(self) -> None:
        """Start everything, watch over it, and stop it all when asked to."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.stop_on_signal)
        try:
            self.start()
            self.watch()
        finally:
            self.stop()

    def stop_on_signal(self, number: int, frame: FrameType | None) -> None:
        """Begin the stop; a second Ctrl-C changes nothing, it is under way."""
        if not self.is_stopping:
            self.is_stopping = True
            raise KeyboardInterrupt

    # --- start

    def start(self) -> None:
        """Bring everything up, one line a step."""
        refuse_busy_port(self.host, self.port)
        self.home.mkdir(parents=True, exist_ok=True)
        self.prepare_environment()
        self.start_services()
        self.migrate()
        if self.is_demo and not self.mark("demo").exists():
            with step("telling the demo household's past"):
                self.job("manage.py", "demo", "past")
            self.mark("demo").touch()
        with step("starting web"):
            self.add("web", self.web_command())
            self.wait_for_web()
        self.start_workers()
        if os.environ.get("MAIL_LISTEN"):
            self.add("mail", [PYTHON, "manage.py", "mail_server"])
            self.unanswered = [place.strip() for place in os.environ["MAIL_LISTEN"].split(",")]
        self.welcome()
        if self.is_demo and not self.mark("demo-told").exists():
            # The rest of the story arrives through the running server's own entrances.
            self.add("story", [PYTHON, "manage.py", "demo", "live"], is_job=True)
        if self.is_demo:
            self.add("suppliers", [PYTHON, "manage.py", "demo", "answer"])

    def prepare_environment(self) -> None:
        """Say to all children, through the environment, where things are."""
        metrics = self.home / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)  # counters of processes that are gone
        metrics.mkdir()
        (self.home / "logs").mkdir(exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
        os.environ["STEWARD_DATA"] = str(self.home)
        os.environ.setdefault("SITE_URL", f"http://localhost:{self.port}")
        os.environ["PYTHONUNBUFFERED"] = "1"
        if not os.environ.get("STEWARD_PRODUCTION"):
            # Whoever sends to the mail and telephone entrances here is our own child.
            secret = base64.b64encode(secrets.token_bytes(32)).decode()
            os.environ.setdefault("MAIL_WEBHOOK_SECRET", f"whsec_{secret}")
            os.environ.setdefault("TWILIO_AUTH_TOKENS", secrets.token_hex(16))
        if self.is_demo:
            os.environ["STEWARD_OUTBOX"] = "local"
        elif not (os.environ.get("EMAIL_HOST") or os.environ.get("STEWARD_PRODUCTION")):
            os.environ.setdefault("STEWARD_OUTBOX", "local")

    def start_services(self) -> None:
        """Start the embedded PostgreSQL and Redis, unless others are named."""
        needed = [
            service
            for service, name in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL"))
            if not os.environ.get(name)
        ]
        if not needed:
            return
        names = {"postgres": "PostgreSQL", "redis": "Redis"}
        with step("starting " + " and ".join(names[service] for service in needed)):
            where = embedded.use(self.home, services=needed)
        if "postgres" in needed:
            os.environ["DATABASE_URL"] = where.database_url
        if "redis" in needed and embedded.redis_binary():
            os.environ["REDIS_URL"] = where.redis_url

    def migrate(self) -> None:
        """Bring the tables up to date, when a migration came since the last start."""
        wanted = fingerprint(os.environ["DATABASE_URL"])
        mark = self.mark("migrated")
        if mark.exists() and mark.read_text() == wanted:
            return
        with step("preparing the tables"):
            self.job("manage.py", "migrate", "--noinput", "--verbosity", "0")
        mark.write_text(wanted)

    def start_workers(self) -> None:
        """Start what does the work; without Redis, the loop that needs none."""
        if not os.environ.get("REDIS_URL"):
            say("no Redis found: 'drain' looks for work instead of the workers.")
            self.add("drain", [PYTHON, "manage.py", "drain", "--forever"])
            return
        celery = [PYTHON, "-m", "celery", "-A", "config.celery"]
        quiet = ["--loglevel", "WARNING"]
        slim = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self.add("worker", [*celery, "worker", "--concurrency", "2", *slim, *quiet])
        # Fixed ticks only, so the scheduler needs no file to remember them.
        self.add("beat", [*celery, "beat", "--scheduler", "celery.beat:Scheduler", *quiet])

    def welcome(self) -> None:
        """Print the address, and how to sign in."""
        say(f"ready at {os.environ['SITE_URL']}")
        if self.is_demo:
            guide = self.home / "welcome.txt"
            for line in guide.read_text().splitlines() if guide.exists() else ():
                say(line)
        if os.environ.get("STEWARD_OUTBOX") == "local":
            say(f"mails and SMS are kept at {os.environ['SITE_URL']}/outbox/ and sent to nobody")
        say(f"logs are in {self.home / 'logs'}; Ctrl-C stops everything.")

    def web_command(self) -> list[str]:
        """Return the web server: granian with 2 workers.

        With nothing in front, one address serves pages and the event stream: the ASGI
        application, which hands requests to threads of its own. Behind a proxy that routes
        by path, config.wsgi and config.asgi are two processes (docs/operations.md).
        """
        command = [PYTHON, "-m", "granian", "--interface", "asgi"]
        command += ["--workers", "2", "--backlog", "1024"]
        # An open stream would hold up a stop for ever.
        command += ["--workers-kill-timeout", "2"]
        command += ["--host", self.host, "--port", str(self.port), "--no-ws"]
        command += ["--respawn-failed-workers", "--respawn-interval", "0.5"]
        return [*command, "--log-level", "warning", "config.asgi:application"]

    def wait_for_web(self) -> None:
        """Return when the web server answers."""
        web = self.children[-1]
        end = time.monotonic() + WEB_SECONDS
        while time.monotonic() < end:
            if web.has_ended():
                break
            try:
                with urllib.request.urlopen(f"http://{self.address}/healthz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise StopError(f"the web server does not answer: {tail(web.log)}")

    @property
    def address(self) -> str:
        """Where to reach the web server from here."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def mark(self, name: str) -> Path:
        """Return the file whose presence says that something was done."""
        return self.home / f"{name}.done"

    def add(self, name: str, command: list[str], *, is_job: bool = False) -> Child:
        """Start one more child; a job ends by itself and tells the terminal what it does."""
        log = self.home / "logs" / f"{name}.log"
        child = Child(name=name, command=command, log=log, is_kept=not is_job, is_heard=is_job)
        child.log.write_bytes(b"")
        child.start()
        self.children.append(child)
        return child

    def job(self, *command: str) -> None:
        """Run a command to its end; StopError with its last words when it fails."""
        child = self.add(command[1], [PYTHON, *command])
        assert child.process is not None  # noqa: S101 - just started
        status = child.process.wait()
        self.children.remove(child)
        if status:
            raise StopError(f"'{' '.join(command)}' failed: {tail(child.log)}")

    # --- watch and stop

    def watch(self) -> None:
        """Start again what crashes, until the stop."""
        while True:
            time.sleep(0.1)
            self.tell_of_mail()
            for child in list(self.children):
                if child.has_ended():
                    self.revive(child)

    def tell_of_mail(self) -> None:
        """Say where mail is taken, once something answers there."""
        domain = os.environ.get("MAIL_DOMAIN") or "mail.localhost"
        for place in [place for place in self.unanswered if answers(place)]:
            self.unanswered.remove(place)
            say(f"mail for @{domain} is taken at {place}")

    def revive(self, child: Child) -> None:
        """Start a child again after a breath; let a finished one-off job go."""
        assert child.process is not None  # noqa: S101 - it has ended
        if not child.is_kept:
            if child.process.returncode:
                say(f"{child.name} failed: {tail(child.log)}")
            self.children.remove(child)
            return
        if not child.starts_at:
            if time.monotonic() - child.told_at > 30:
                status = child.process.returncode
                say(f"{child.name} stopped (status {status}; see {child.log}); starting it again.")
                child.told_at = time.monotonic()
            child.signal(signal.SIGKILL)  # its own children must not outlive it
            child.starts_at = time.monotonic() + RESTART_SECONDS
        elif time.monotonic() >= child.starts_at:
            child.starts_at = 0.0
            child.start()

    def stop(self) -> None:
        """Stop everything; nothing of ours runs when this returns."""
        self.is_stopping = True
        if self.children:
            say("stopping ...")
        for child in self.children:
            child.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, end - time.monotonic()))
            child.signal(signal.SIGKILL)
        embedded.release(self.home)
        end = time.monotonic() + STOP_SECONDS
        while not embedded.is_gone(self.home) and time.monotonic() < end:
            time.sleep(0.05)


def tail(log: Path) -> str:
    """Return a log's last words and where the rest is."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return f"{embedded.last_words(text)} (all of it is in {log})"


def fingerprint(database_url: str) -> str:
    """Return a digest that changes when a migration is added, here or in a library."""
    digest = hashlib.sha256(database_url.encode())
    for app in APPS:
        for path in sorted((BASE / app / "migrations").glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    digest.update((BASE / "requirements.txt").read_bytes())
    return digest.hexdigest()


def refuse_busy_port(host: str, port: int) -> None:
    """Raise StopError when somebody else listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StopError(
                f"port {port} is in use ({error.strerror}). Stop what listens there (perhaps"
                f" another Steward), or choose another port: make demo PORT={port + 1}"
            ) from error


def answers(place: str) -> bool:
    """Return whether something listens at one of the addresses of MAIL_LISTEN."""
    try:
        where = urlsplit(place)
        if where.scheme.endswith("unix"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(where.path)
        else:
            name = (where.hostname or "", where.port or 0)
            socket.create_connection(name, timeout=0.2).close()
    except (OSError, ValueError):
        return False
    return True


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`."""
    parser.add_argument("--demo", action="store_true", help="with a demo household's own data")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)


def main(arguments: Sequence[str]) -> int:
    """Run until stopped; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="manage.py run", description="Run web, worker and beat, with their services."
    )
    add_options(parser)
    options = parser.parse_args(list(arguments))
    data = Path(os.environ.get("STEWARD_DATA") or BASE / ".steward").absolute()
    home = data / "demo" if options.demo else data
    supervisor = Supervisor(home=home, host=options.host, port=options.port, is_demo=options.demo)
    try:
        supervisor.run()
    except KeyboardInterrupt:
        say("stopped.")
    except (StopError, embedded.StartError) as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"the data folder {home} cannot be used: {error}. Free it, or set STEWARD_DATA.")
        return 1
    return 0
