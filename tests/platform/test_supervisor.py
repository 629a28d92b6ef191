"""One command starts everything, and one Ctrl-C leaves nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from config import embedded, supervisor

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# What is prepared once is there for all of them.
pytestmark = pytest.mark.xdist_group("supervisor")


@contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="steward-test-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


@pytest.fixture
def home() -> Iterator[Path]:
    with folder() as made:
        yield made


@pytest.fixture(scope="module")
def lasting() -> Iterator[Path]:
    """Return a home that the first start prepares and the second finds prepared."""
    with folder() as made:
        yield made


def start(home: Path, port: int, *options: str) -> "subprocess.Popen[str]":
    outside = {"DATABASE_URL", "REDIS_URL", "STEWARD_TEST_HOME", "PYTEST_VERSION"}
    kept = {name: value for name, value in os.environ.items() if name not in outside}
    return subprocess.Popen(
        [sys.executable, "manage.py", "run", "--port", str(port), *options],
        cwd=ROOT,
        env=kept | {"STEWARD_DATA": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += str(line)
        if word in line:
            return said
    raise AssertionError(f"{word!r} never came:\n{said}")


def running(home: Path) -> list[str]:
    """Return the commands of all processes that were started for this home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (
                f"STEWARD_DATA={home}".encode() in (folder / "environ").read_bytes()
                or str(home).encode() in (folder / "cmdline").read_bytes()
            ):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def wait_for(holds: object, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return bool(holds())  # type: ignore[operator]


@pytest.mark.servers
def test_it_serves_restarts_what_crashes_and_stops_without_leaving_a_process(
    lasting: Path,
) -> None:
    port = free_port()
    process = start(lasting, port)
    try:
        read_until(process, "Ctrl-C")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as response:
            assert json.load(response)["database"] is True
        workers = [pid for pid in children_of(process.pid) if "celery" in command(pid)]
        os.kill(workers[0], signal.SIGKILL)
        assert wait_for(
            lambda: (
                workers[0] not in children_of(process.pid)
                and len([pid for pid in children_of(process.pid) if "celery" in command(pid)]) == 2
            )
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert wait_for(lambda: not running(lasting), 5), running(lasting)


@pytest.mark.servers
def test_killing_the_supervisor_leaves_no_process(lasting: Path) -> None:
    process = start(lasting, free_port())
    read_until(process, "Ctrl-C")
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert wait_for(lambda: not running(lasting), 40), running(lasting)


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def test_a_busy_port_gets_a_sentence_that_says_what_to_do(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(home, int(taken.getsockname()[1]))
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "is in use" in said
    assert "choose another port" in said
    assert "Traceback" not in said


def test_a_broken_data_folder_gets_a_sentence_that_says_what_to_do(home: Path) -> None:
    broken = embedded.place(home).data
    broken.mkdir(parents=True)
    (broken / "PG_VERSION").write_text("18\n")
    process = start(home, free_port())
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "is broken" in said
    assert "move it away" in said
    assert "Traceback" not in said


def test_a_file_where_the_data_folder_should_be_gets_a_sentence(home: Path) -> None:
    (home / "data").write_text("not a folder")
    process = start(home / "data", free_port())
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "cannot be used" in said
    assert "Traceback" not in said


def test_mail_is_announced_once_its_port_answers(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAIL_DOMAIN", "mail.example")
    path = home / "lmtp.sock"
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as file:
        tcp.bind(("127.0.0.1", 0))
        file.bind(str(path))
        places = [f"smtp://127.0.0.1:{tcp.getsockname()[1]}", f"lmtp+unix://{path}"]
        run = supervisor.Supervisor(
            home=home, host="127.0.0.1", port=8000, is_demo=False, unanswered=[*places]
        )
        run.tell_of_mail()
        assert capsys.readouterr().out == ""
        tcp.listen()
        file.listen()
        run.tell_of_mail()
        run.tell_of_mail()
    said = capsys.readouterr().out.splitlines()
    assert said == [f"Steward: mail for @mail.example is taken at {place}" for place in places]


def test_tables_are_prepared_again_only_when_a_migration_came() -> None:
    assert supervisor.fingerprint("a") == supervisor.fingerprint("a")
    assert supervisor.fingerprint("a") != supervisor.fingerprint("b")
