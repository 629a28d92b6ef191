"""The imports keep the promises of docs/architecture.md."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


def test_imports_point_towards_the_owner_and_every_module_has_its_place() -> None:
    # A process of its own: import-linter sets up logging anew and silences the loggers there are.
    lint = (
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db
def test_the_models_need_no_new_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_migration_has_a_name() -> None:
    files = [path for path in ROOT.glob("*/migrations/0*.py") if ".venv" not in path.parts]
    assert files
    assert not [path.name for path in files if "_auto_" in path.name]
