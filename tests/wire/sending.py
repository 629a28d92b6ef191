"""Speaks to the webhooks as Skyline does."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from django.test import Client

from owners import clock
from tests.factories import Cast, signed_headers

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

# What the test client answers, with `json()`; only the stubs have a name for it.
Answer: TypeAlias = "_MonkeyPatchedWSGIResponse"

NOW = datetime(2026, 11, 13, 13, 0, tzinfo=UTC)
CLOUD = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def event(cast: Cast, number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return one good CloudEvent; `changes` replace attributes, None takes one away."""
    found = {
        "specversion": "1.0",
        "id": f"ev-{number}",
        "source": "/suppliers/skyline",
        "type": "message.created",
        "time": NOW.isoformat(),
        "data": {"owner": cast.mandate.owner_ref, "body": f"Message {number}."},
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def post(
    body: bytes | dict[str, Any] | list[Any],
    *,
    code: str = "skyline",
    at: datetime = NOW,
    now: datetime = NOW,
    content_type: str = "",
    headers: dict[str, str] | None = None,
    client: Client | None = None,
    **signing: Any,
) -> Answer:
    """Post a body, signed; `headers` replace or add some, an empty value takes one away."""
    if not content_type:
        content_type = BATCH if isinstance(body, list) else CLOUD
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = signed_headers(raw, at=at, content_type=content_type, **signing)
    given.update(headers or {})
    given = {name: value for name, value in given.items() if value}
    content_type = given.pop("content-type", content_type)
    with clock.fixed(now):
        return (client or Client()).post(
            f"/webhooks/{code}/", data=raw, content_type=content_type, headers=given
        )
