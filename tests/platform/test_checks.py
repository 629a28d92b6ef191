"""An unsafe production instance does not start; a good one starts in silence."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "STEWARD_PRODUCTION": "1",
    "SECRET_KEY": "8Jt2mPq9vXz4LcW7RbN1KdY6HsF3GaT5UeQ0oI-iMnBwVxCzAsDfGhJkLpOiUyTr",
    "FIELD_KEYS": base64.urlsafe_b64encode(b"a key of production, 32 bytes...").decode(),
    "SITE_URL": "https://steward.example",
    "ALLOWED_HOSTS": "steward.example",
    "MAIL_DOMAIN": "mail.steward.example",
    "DATABASE_URL": "postgresql://steward@localhost/steward",
    "REDIS_URL": "redis://localhost",
}


def check(
    changes: dict[str, str], *arguments: str, code: str = ""
) -> "subprocess.CompletedProcess[str]":
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = ["-c", code] if code else ["manage.py", "check", *arguments]
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=inherited | GOOD | changes,
        capture_output=True,
        text=True,
        check=False,
    )


def test_good_production_settings_pass_the_deployment_check_in_silence() -> None:
    done = check({}, "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (
            {
                "SECRET_KEY": "",
                "FIELD_KEYS": "",
                "SITE_URL": "http://steward.example",
                "ALLOWED_HOSTS": "localhost",
                "DATABASE_URL": "",
                "STEWARD_OUTBOX": "local",
                "STEWARD_DEBUG": "1",
            },
            ("E001", "E002", "E003", "E004", "E005", "E006", "E007", "E009"),
        ),
        ({"SECRET_KEY": "short", "ALLOWED_HOSTS": "*"}, ("E002", "E006")),
    ],
)
def test_each_unsafe_setting_is_named_with_a_hint(
    changes: dict[str, str], faults: tuple[str, ...]
) -> None:
    done = check(changes)
    assert done.returncode == 1
    assert tuple(sorted(set(re.findall(r"steward\.(E\d+)", done.stderr)))) == faults
    assert done.stderr.count("HINT") == len(faults)


def test_the_web_process_refuses_unsafe_settings_too() -> None:
    done = check({"SECRET_KEY": ""}, code="import config.wsgi")
    assert done.returncode == 1
    assert "SECRET_KEY is missing or short" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("EMAIL_PORT", "many", "write a whole number"),
        ("STEWARD_DEBUG", "perhaps", "write 1 or 0"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(name: str, value: str, says: str) -> None:
    done = check({name: value})
    assert done.returncode == 1
    assert name in done.stderr
    assert says in done.stderr
