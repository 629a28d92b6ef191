"""A played story, and Ana at her browser."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from notifications.models import Journey
from notifications.replay import stage
from owners.models import Owner

STORIES = Path(__file__).resolve().parents[3] / "shared" / "stories"
DOOR = {
    "id": "d1",
    "at": "2026-11-13T12:10:00-05:00",
    "via": "email",
    "mandate": "skyline",
    "from": "Skyline Billing <billing@skyline.example>",
    "auth": "fail",
    "subject": "Payment <script>alert(1)</script>",
    "text": "Pay 49.00 now at https://skyline-pay.example/x <img src=x onerror=alert(1)> today.",
}


def played() -> Owner:
    """Play the base story up to the question whether it works; return Ana."""
    path = STORIES / "dvr.jsonl"
    if not path.exists():
        pytest.skip("the stories are not beside the project")
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    kept = [row for row in rows if row.get("id") not in ("e2", "c9") and "until" not in row]
    stage.play([*kept, DOOR, {"until": "2026-11-13T18:30:00-05:00"}])
    return Owner.objects.get(email="ana@hart.example")


@pytest.fixture
def story(db: None) -> Owner:
    """Ana at the end of the story, and a letter at the Door."""
    return played()


@pytest.fixture
def ana(story: Owner, client: Client) -> Client:
    """Ana's browser, signed in."""
    client.force_login(story)
    return client


@pytest.fixture
def journey(story: Owner) -> Journey:
    """The one journey of the story."""
    return Journey.objects.get()
