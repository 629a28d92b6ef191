"""An app opens a matter, and asks a supplier for personal data."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from notifications import pipeline
from notifications.models import Journey
from owners import clock
from suppliers.models import OutboundEvent
from tests.factories import Cast


def start(app: APIClient, key: str = "once", **values: Any) -> Any:
    given = {"text": "It stopped recording.", **values}
    return app.post("/api/v1/journeys/", given, headers={"Idempotency-Key": key})


def test_a_matter_is_opened_once_for_each_key(cast: Cast, ana: APIClient) -> None:
    about = {"asset": str(cast.dvr.uuid), "mandate": str(cast.mandate.uuid)}
    first, second = start(ana, **about), start(ana, **about)
    assert (first.status_code, second.status_code) == (202, 202), first.content
    assert first.json() == second.json()
    pipeline.pump(now_fn=clock.now)
    assert str(Journey.objects.get().uuid) == first.json()["id"]
    assert OutboundEvent.objects.get().type == "owner.ticket.opened"
    gone = ana.post(f"/api/v1/contacts/{first.json()['contact']}/actions/take_back/")
    assert gone.status_code == 200, gone.content
    assert not OutboundEvent.objects.exists()


def test_a_matter_needs_words_and_things_of_the_owner(
    cast: Cast, ana: APIClient, mallory: APIClient
) -> None:
    assert start(ana, text="  ").status_code == 400
    stolen = start(mallory, mandate=str(cast.mandate.uuid))
    assert stolen.status_code == 400
    assert not OutboundEvent.objects.exists()


@pytest.mark.parametrize(("kind", "article"), [("access", "15"), ("erasure", "17")])
def test_a_supplier_is_asked_for_personal_data(
    cast: Cast, ana: APIClient, mallory: APIClient, kind: str, article: str
) -> None:
    address = f"/api/v1/mandates/{cast.mandate.uuid}/data-requests/"
    assert mallory.post(address, {"kind": kind}).status_code == 404
    answer = ana.post(address, {"kind": kind})
    assert (answer.status_code, answer.json()["is_sent"]) == (202, True), answer.content
    told = OutboundEvent.objects.get().data
    assert (told["kind"], told["article"]) == (kind, f"Art. {article} GDPR")
    assert told["dueAt"] == answer.json()["due"]
    assert ana.post(address, {"kind": "other"}).status_code == 400
