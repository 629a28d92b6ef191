"""The embedded servers: nobody sets anything up, and nothing is left behind."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded

SECONDS = 30


def wait_until(holds: Callable[[], bool], seconds: float = SECONDS) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def processes_of(home: Path) -> list[int]:
    """Return every process whose command line names this home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(home).encode() in command and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("embedded") / "data"
    yield folder
    embedded.release(folder)
    base = embedded.place(folder).base
    assert wait_until(lambda: not processes_of(base))
    shutil.rmtree(base, ignore_errors=True)  # as root it lies outside of what pytest clears


def use_in_child(home: Path) -> "subprocess.Popen[str]":
    """Start a process that uses the servers until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; from config import embedded;"
        "print(embedded.use(Path(sys.argv[1]), is_fast=True).database_url, flush=True);"
        "time.sleep(600)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(where: embedded.Place, sql: str) -> object:
    with psycopg.connect(where.database_url) as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.servers
def test_both_servers_answer_and_text_is_ordered_by_unicode(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    assert ask(where, "SELECT lower('ÄÖÜ')") == "äöü"
    assert ask(where, "SELECT datlocprovider FROM pg_database WHERE datname = 'steward'") == "b"
    if embedded.redis_binary():
        assert redis.Redis.from_url(where.redis_url).ping()


@pytest.mark.servers
def test_nobody_else_can_enter(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    for folder in (where.data, where.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with pytest.raises(psycopg.OperationalError, match=r"Peer authentication failed|no pg_hba"):
        psycopg.connect(where.database_url.replace("steward@", "postgres@"))


@pytest.mark.servers
def test_killing_the_only_user_stops_the_servers(home: Path) -> None:
    child = use_in_child(home)
    assert child.stdout is not None
    assert "postgresql://" in child.stdout.readline()
    where = embedded.place(home)
    assert processes_of(where.base)
    child.kill()
    child.wait()
    child.stdout.close()
    assert wait_until(lambda: not processes_of(where.base))


@pytest.mark.servers
def test_the_servers_stay_while_one_user_is_left(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    child = use_in_child(home)
    assert child.stdout is not None
    child.stdout.readline()
    child.kill()
    child.wait()
    child.stdout.close()
    time.sleep(0.5)
    assert ask(where, "SELECT 1") == 1


@pytest.mark.servers
def test_killing_the_keeper_takes_the_servers_with_it_and_the_next_start_works(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    with psycopg.connect(where.database_url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    keepers = [pid for pid in processes_of(home) if b"embedded.py" in command_of(pid)]
    os.kill(keepers[0], signal.SIGKILL)
    assert wait_until(lambda: not processes_of(where.base))
    embedded.release(home)
    embedded.use(home, is_fast=True)
    assert ask(where, "SELECT count(*) FROM kept") == 0


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.servers
def test_a_server_that_dies_is_started_again_within_a_second(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    postmaster = int((where.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)

    def answers() -> bool:
        try:
            return ask(where, "SELECT 1") == 1
        except psycopg.OperationalError:
            return False

    assert wait_until(lambda: not answers(), 2)
    assert wait_until(answers, 5)


@pytest.mark.servers
def test_a_stale_pid_file_does_not_stop_the_start(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    embedded.release(home)
    assert wait_until(lambda: embedded.is_gone(home))
    # The number of a living stranger, as after a restart of the machine.
    (where.data / "postmaster.pid").write_text(f"{os.getppid()}\n{where.data}\n1\n5432\n")
    embedded.use(home, is_fast=True)
    assert ask(where, "SELECT 1") == 1


@pytest.mark.servers
def test_a_broken_data_folder_gets_a_sentence(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    embedded.release(home)
    assert wait_until(lambda: embedded.is_gone(home))
    (where.data / "global" / "pg_control").unlink()
    with pytest.raises(embedded.StartError, match=r"is broken: .* move it away"):
        embedded.use(home, is_fast=True)


@pytest.mark.servers
def test_a_data_folder_of_another_version_gets_a_sentence(home: Path) -> None:
    where = embedded.use(home, is_fast=True)
    embedded.release(home)
    assert wait_until(lambda: embedded.is_gone(home))
    (where.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(embedded.StartError, match="was written by PostgreSQL 14"):
        embedded.use(home, is_fast=True)


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    where = embedded.Place(home=tmp_path / ("long" * 40), base=tmp_path / ("long" * 40))
    assert len(str(where.sockets / ".s.PGSQL.5432.lock")) <= embedded.SOCKET_LIMIT


def test_a_test_run_gets_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEWARD_TEST_HOME", raising=False)
    first = embedded.folder_of_test_run(tmp_path)
    monkeypatch.delenv("STEWARD_TEST_HOME")
    second = embedded.folder_of_test_run(tmp_path)
    assert first != second
    assert os.environ["STEWARD_TEST_HOME"] == str(second)
