"""When a thing leaves: what goes along, and who may still write."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from assets import passages
from assets.lifecycle import Step
from notifications import pipeline
from notifications.models import Card
from tests.factories import START, Cast, cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Cast:
    return cast()


def browser_of(home: Cast) -> Client:
    browser = Client()
    browser.force_login(home.ana, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_who_still_knows_is_listed_with_a_preview_of_each_end(home: Cast) -> None:
    passages.take(
        asset=home.dvr, step=Step.END, said={"reason": "scrapped"}, owner=home.ana, now=START
    )
    pipeline.drain(now_fn=lambda: START)
    page = browser_of(home).get(reverse("asset-parting", args=[home.dvr.uuid]))
    text = page.content.decode()
    assert home.skyline.name in text
    assert "/end/" in text
    assert "All is settled" in text
    closed = browser_of(home).post(
        reverse("journey-act", args=[Card.objects.get().journey.uuid]), {"name": "done"}
    )
    assert closed.status_code in (200, 302)
    assert Card.objects.get().section == "done"


def test_what_goes_along_says_what_is_missing(home: Cast) -> None:
    page = browser_of(home).get(reverse("asset-hand-over", args=[home.dvr.uuid]))
    text = page.content.decode()
    assert page.status_code == 200
    assert "R15-204477" in text
    assert "None is kept here yet." in text


@pytest.mark.parametrize("name", ["asset-parting", "asset-hand-over"])
def test_nobody_else_sees_it(home: Cast, name: str) -> None:
    browser: Any = Client()
    browser.force_login(home.mallory, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(reverse(name, args=[home.dvr.uuid])).status_code == 404
