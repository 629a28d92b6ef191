"""`manage.py replay STORY.jsonl --report REPORT.json`: plays a story and says what came of it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications.replay import scratch, stage, story
from notifications.replay.player import PlayError
from notifications.replay.world import WorldError


class Command(BaseCommand):
    """Plays in a database of its own that is gone afterwards."""

    help = "Play a story through the real ways in, under a simulated clock, and report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the story and where the report goes."""
        parser.add_argument("story", type=Path)
        parser.add_argument("--report", type=Path, help="a file; standard output unless given")

    def handle(self, *, story: Path, report: Path | None, **_options: Any) -> None:
        found = self._played(story)
        text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        if report is None:
            self.stdout.write(text)
        else:
            report.write_text(text, encoding="utf-8")

    def _played(self, path: Path) -> dict[str, Any]:
        try:
            told = story.parse(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{path}: not UTF-8 text", returncode=2) from error
        except story.StoryError as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error
        try:
            return stage.perform_apart(told)
        except (PlayError, WorldError) as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error
        except scratch.ScratchError as error:
            raise CommandError(str(error)) from error
