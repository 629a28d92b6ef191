"""`manage.py seed STORY.jsonl`: loads a story's first line into the live database."""

import json
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from notifications.replay import story, world
from owners import clock


class Command(BaseCommand):
    """Prints what outsiders need to speak to the seeded household, as JSON."""

    help = "Load a story's first line into the database and print its passwords and secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the story, and whether to start afresh."""
        parser.add_argument("story", type=Path)
        parser.add_argument(
            "--reset", action="store_true", help="forget the household's past first"
        )
        parser.add_argument("--password", help="one password for all members; generated if absent")

    def handle(self, *, story: Path, reset: bool, password: str | None, **_options: Any) -> None:
        told = self._world(story)
        try:
            with transaction.atomic():
                if reset:
                    world.forget(told)
                found = seeded(told, password=password)
        except world.WorldError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(json.dumps(found, ensure_ascii=False, indent=1))

    def _world(self, path: Path) -> story.World:
        try:
            rows = path.read_text(encoding="utf-8").splitlines()
            return story.parse(rows[0] if rows else "").world
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{path}: not UTF-8 text", returncode=2) from error
        except story.StoryError as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error


def seeded(told: story.World, *, password: str | None) -> dict[str, Any]:
    """Store the world now and return what outsiders need, passwords and secrets included."""
    now = clock.now()
    cast = world.store(told, now=now)
    members = []
    for member in told.members:
        owner = cast.members[member.key]
        chosen = password or secrets.token_urlsafe(18)
        token = world.sign_in(owner, password=chosen, now=now)
        members.append(
            {
                "key": member.key,
                "email": owner.email,
                "password": chosen,
                "session_token": token,
                "intake_address": cast.intake_address,
                "intake_number": cast.memberships[member.key].intake_number,
            }
        )
    suppliers = [
        {
            "key": key,
            "code": supplier.code,
            "secret": cast.secrets[key],
            "owner_ref": cast.mandates[key].owner_ref if key in cast.mandates else None,
            "alias": cast.alias(key) if key in cast.mandates else None,
        }
        for key, supplier in cast.suppliers.items()
    ]
    assets = [{"key": key, "id": str(asset.uuid)} for key, asset in cast.assets.items()]
    return {
        "household": str(cast.household.uuid),
        "members": members,
        "suppliers": suppliers,
        "assets": assets,
    }
