"""Log lines are JSON with the request's id, and a secret path is in none of them."""

import json
import logging
from io import StringIO

import pytest
import structlog
from django.conf import settings
from django.test import Client


@pytest.fixture
def lines() -> StringIO:
    return StringIO()


@pytest.fixture(autouse=True)
def _logged(lines: StringIO) -> object:
    config = settings.LOGGING["formatters"]["json"]
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=config["processors"], foreign_pre_chain=config["foreign_pre_chain"]
        )
    )
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()


def test_a_request_is_one_line_with_its_id_and_route(client: Client, lines: StringIO) -> None:
    response = client.get("/nowhere/secret-token-of-a-pass/")
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    request = next(line for line in found if line["event"] == "request")
    assert request["request_id"] == response["X-Request-ID"]
    assert request["status"] == 404
    assert "secret-token-of-a-pass" not in lines.getvalue()


def test_a_library_s_line_carries_the_household_that_is_worked_on(lines: StringIO) -> None:
    structlog.contextvars.bind_contextvars(household_id=7)
    logging.getLogger("some.library").warning("It took %s s", 3)
    line = json.loads(lines.getvalue())
    assert line["household_id"] == 7
    assert line["event"] == "It took 3 s"
    assert line["level"] == "warning"


def test_probes_and_webhooks_are_silent_while_they_succeed(client: Client, lines: StringIO) -> None:
    client.get("/healthz")
    assert lines.getvalue() == ""
