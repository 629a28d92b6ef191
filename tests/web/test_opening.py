"""The pages from which an owner opens a matter or asks for personal data, without a script."""

import uuid
from typing import Any

import pytest
from django.test import Client

from suppliers.models import InboundEvent, OutboundEvent
from tests.factories import Cast


@pytest.fixture
def ana(cast: Cast) -> Client:
    browser = Client()
    browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def form_of(cast: Cast, **values: Any) -> dict[str, str]:
    given = {
        "text": "It stopped recording.", "asset": str(cast.dvr.uuid),
        "mandate": str(cast.mandate.uuid), "key": str(uuid.uuid4()),
    }  # fmt: skip
    return given | values


def test_a_thing_opens_a_matter_with_who_serves_it(cast: Cast, ana: Client) -> None:
    page = ana.get(f"/journeys/start/?asset={cast.dvr.uuid}").content.decode()
    assert f'value="{cast.mandate.uuid}" selected' in page
    form = form_of(cast, day="2026-11-27", opens="08:00", closes="12:00")
    answer = ana.post("/journeys/start/", form, follow=True)
    assert "It goes to Skyline" in answer.content.decode()
    ana.post("/journeys/start/", form)
    told = OutboundEvent.objects.get()
    assert told.data["windows"][0]["start"] == "2026-11-27T08:00:00-05:00"


@pytest.mark.parametrize(
    "wrong", [{"text": ""}, {"day": "2026-11-27"}, {"mandate": str(uuid.uuid4())},
              {"day": "2026-11-27", "opens": "12:00", "closes": "08:00"}],
)  # fmt: skip
def test_half_a_matter_is_not_opened(cast: Cast, ana: Client, wrong: dict[str, str]) -> None:
    assert ana.post("/journeys/start/", form_of(cast, **wrong)).status_code == 422
    assert not InboundEvent.objects.exists()


def test_a_data_request_is_asked_once_for_two_taps(cast: Cast, ana: Client) -> None:
    page = ana.get(f"/suppliers/{cast.skyline.uuid}/").content.decode()
    address = f"/mandates/{cast.mandate.uuid}/data-request/"
    assert address in page
    for _tap in range(2):
        assert ana.post(address, {"kind": "access"}).status_code == 302
    assert ana.post(address, {"kind": "everything"}).status_code == 302
    assert OutboundEvent.objects.get().data["kind"] == "access"


@pytest.mark.parametrize("theirs", ["asset", "mandate"])
def test_mallory_opens_nothing_with_what_is_anas(cast: Cast, theirs: str) -> None:
    browser = Client()
    browser.force_login(cast.mallory, backend="django.contrib.auth.backends.ModelBackend")
    form = form_of(cast, asset="", mandate="")
    form[theirs] = str({"asset": cast.dvr, "mandate": cast.mandate}[theirs].uuid)  # type: ignore[attr-defined]  # both have one
    assert browser.post("/journeys/start/", form).status_code == 422
    assert not InboundEvent.objects.exists()
    assert not OutboundEvent.objects.exists()
