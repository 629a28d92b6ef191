"""Every row of the wire contract's two tables."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import OperationalError
from django.test import Client, override_settings

from suppliers import inbox, ratelimit, webhooks
from suppliers.models import Contact, InboundEvent
from tests.factories import Cast, SupplierFactory
from tests.wire.sending import BATCH, CLOUD, NOW, Answer, event, post

pytestmark = pytest.mark.django_db


def test_a_structured_event_is_stored_byte_for_byte(cast: Cast) -> None:
    body = json.dumps(event(cast), indent=3).encode()
    response = post(body, webhook_id="msg_1")
    assert response.status_code == 202
    assert response.json() == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
        "events": [{"id": "ev-1", "status": "accepted"}],
    }
    stored = InboundEvent.objects.get()
    assert stored.body == body
    assert (stored.source, stored.event_id, stored.webhook_id) == (
        "/suppliers/skyline",
        "ev-1",
        "msg_1",
    )


def test_a_batch_keeps_its_good_events_in_their_own_bytes(cast: Cast) -> None:
    good, other = json.dumps(event(cast, 1), indent=1), json.dumps(event(cast, 2))
    bad = json.dumps(event(cast, 3, id=None))
    body = f" [ {good} ,\n{bad}, {other}]\n".encode()
    answer = post(body, content_type=BATCH)
    assert answer.status_code == 202
    assert answer.json()["events"] == [
        {"id": "ev-1", "status": "accepted"},
        {
            "id": "",
            "status": "rejected",
            "code": "missing_attribute",
            "pointer": "/1/id",
            "detail": "This attribute is required.",
        },
        {"id": "ev-2", "status": "accepted"},
    ]
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 1)
    bodies = {item.event_id: item.body.decode() for item in InboundEvent.objects.all()}
    assert bodies == {"ev-1": good, "ev-2": other}


def test_a_batch_repeats_and_reuses_ids_as_a_single_event_does(cast: Cast) -> None:
    post(event(cast, 1))
    changed = event(cast, 1, type="message.updated")
    answer = post([event(cast, 1), event(cast, 2), event(cast, 2), changed]).json()
    assert [item["status"] for item in answer["events"]] == [
        "duplicate",
        "accepted",
        "duplicate",
        "duplicate",
    ]
    assert [item.get("code") for item in answer["events"]] == [None, None, None, "id_reused"]
    assert post([event(cast, 1), event(cast, 2)]).status_code == 202


@pytest.mark.parametrize("size", [1, 1000])
def test_a_batch_has_one_to_a_thousand_events(cast: Cast, size: int) -> None:
    answer = post([event(cast, number) for number in range(size)])
    assert answer.status_code == 202
    assert answer.json()["accepted"] == InboundEvent.objects.count() == size


@pytest.mark.parametrize(
    ("events", "code"),
    [(0, "empty_batch"), (1001, "batch_too_long")],
)
def test_a_batch_of_no_or_too_many_events_is_refused(cast: Cast, events: int, code: str) -> None:
    answer = post([event(cast, number) for number in range(events)])
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not InboundEvent.objects.exists()


def test_a_batch_in_which_nothing_is_valid_is_refused_with_the_first_pointer(cast: Cast) -> None:
    answer = post([event(cast, 1, source=None), 7])
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "nothing_valid"
    assert answer.json()["pointer"] == "/0/source"
    assert [item["pointer"] for item in answer.json()["events"]] == ["/0/source", "/1"]


def test_binary_mode_takes_the_attributes_from_the_headers(cast: Cast) -> None:
    data = {"owner": cast.mandate.owner_ref, "body": "Hello"}
    headers = {
        "ce-specversion": "1.0",
        "ce-id": '"a%20b"',
        "ce-source": "/caf%C3%A9",
        "ce-type": "message.created",
        "ce-time": NOW.isoformat(),
    }
    answer = post(json.dumps(data).encode(), content_type="application/json", headers=headers)
    assert answer.json()["events"] == [{"id": "a b", "status": "accepted"}]
    stored = InboundEvent.objects.get()
    assert stored.source == "/café"
    inbox.process_due(now=NOW)
    assert Contact.objects.get().said["body"] == "Hello"


@pytest.mark.parametrize("raw", ["%", "%zz", "%C0%80", "%ED%A0%80", "a%00b", "%FF"])
def test_binary_mode_refuses_what_is_not_percent_encoded_utf8(cast: Cast, raw: str) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": raw,
        "ce-source": "/s",
        "ce-type": "message.created",
    }
    answer = post(b"{}", content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/ce-id")


def test_a_bare_body_is_named_by_its_webhook_id(cast: Cast) -> None:
    body = {
        "type": "message.created",
        "timestamp": "2026-11-13T12:00:00Z",
        "data": {"owner": cast.mandate.owner_ref, "body": "Hello"},
    }
    answer = post(body, content_type="application/json", webhook_id="msg_bare")
    assert answer.json()["events"] == [{"id": "msg_bare", "status": "accepted"}]
    assert InboundEvent.objects.get().source == "/suppliers/skyline"
    inbox.process_due(now=NOW)
    contact = Contact.objects.get()
    assert (contact.said["body"], contact.said_at.hour) == ("Hello", 12)
    again = post(body, content_type="application/json", webhook_id="msg_bare")
    assert again.json()["duplicates"] == 1


def test_the_webhook_id_names_only_bare_bodies(cast: Cast) -> None:
    post(event(cast, 1), webhook_id="msg_same")
    answer = post(event(cast, 2), webhook_id="msg_same")
    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize("attribute", ["id", "type", "source", "specversion"])
def test_a_missing_attribute_is_never_invented(cast: Cast, attribute: str) -> None:
    nothing: dict[str, Any] = {attribute: None}
    answer = post(event(cast, **nothing))
    assert answer.status_code == 400
    assert answer.json()["pointer"] == f"/{attribute}"
    assert answer.json()["code"] == "missing_attribute"
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id": 7}, "/id"),
        ({"id": ""}, "/id"),
        ({"id": "x" * 256}, "/id"),
        ({"id": "a\u0000b"}, "/id"),
        ({"source": ["/x"]}, "/source"),
        ({"type": {"a": 1}}, "/type"),
        ({"specversion": "0.3"}, "/specversion"),
        ({"data_base64": "AAAA"}, "/data_base64"),
    ],
)
def test_a_wrong_attribute_is_pointed_at(cast: Cast, changes: dict[str, Any], pointer: str) -> None:
    answer = post(event(cast, **changes))
    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)


def test_the_same_id_is_a_duplicate_for_ever_and_keeps_its_first_body(cast: Cast) -> None:
    post(event(cast))
    later = NOW + timedelta(days=400)
    answer = post(event(cast), at=later, now=later)
    assert answer.status_code == 202
    assert answer.json()["events"] == [{"id": "ev-1", "status": "duplicate"}]
    other = post(event(cast, type="message.updated"), at=later, now=later).json()
    assert other["events"][0]["status"] == "duplicate"
    assert other["events"][0]["code"] == "id_reused"
    assert InboundEvent.objects.get().type == "message.created"


def test_two_suppliers_may_use_the_same_id(cast: Cast) -> None:
    other = SupplierFactory.create(code="northwind")
    secret = cast.skyline.secrets.get()
    secret.pk, secret.uuid, secret.supplier = None, other.uuid, other
    secret.set_value(cast.secret)
    secret.save()
    assert post(event(cast)).json()["accepted"] == 1
    assert post(event(cast), code="northwind").json()["accepted"] == 1


def test_an_unknown_type_is_kept_and_named_so(cast: Cast) -> None:
    answer = post(event(cast, type="robot.danced"))
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert answer.json()["events"] == [{"id": "ev-1", "status": "unknown_type"}]
    inbox.process_due(now=NOW)
    assert Contact.objects.get().kind == "message"


@pytest.mark.parametrize("code", ["nobody", "mail", "telephony"])
def test_an_unknown_or_reserved_code_is_not_found(cast: Cast, code: str) -> None:
    if code != "nobody":
        SupplierFactory.create(code=code)
    answer = post(event(cast), code=code)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_an_inactive_supplier_is_not_found(cast: Cast) -> None:
    cast.skyline.is_active = False
    cast.skyline.save()
    assert post(event(cast)).status_code == 404


@pytest.mark.parametrize(
    ("content_type", "limit"),
    [(CLOUD, 256 * 1024), ("application/json", 256 * 1024), (BATCH, 4 * 1024 * 1024)],
)
def test_a_body_over_its_limit_is_too_large(cast: Cast, content_type: str, limit: int) -> None:
    answer = post(b" " * (limit + 1), content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")


def test_a_body_at_its_limit_is_taken(cast: Cast) -> None:
    small = json.dumps(event(cast)).encode()
    assert post(small.ljust(256 * 1024)).status_code == 202
    batch = f"[{small.decode()}]".encode()
    assert post(batch.ljust(4 * 1024 * 1024), content_type=BATCH).status_code == 202


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/cloudevents+xml",
        "application/cloudevents-batch",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/cloudevents+json; charset=latin-1",
    ],
)
def test_an_unknown_content_type_is_refused(cast: Cast, content_type: str) -> None:
    answer = post(event(cast), content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (415, "application/problem+json")


@pytest.mark.parametrize(
    "content_type",
    ["Application/CloudEvents+JSON", "application/cloudevents+json; charset=UTF-8"],
)
def test_a_content_type_is_read_in_any_case(cast: Cast, content_type: str) -> None:
    assert post(event(cast), content_type=content_type).status_code == 202


def test_a_compressed_body_is_refused(cast: Cast) -> None:
    assert post(event(cast), headers={"content-encoding": "gzip"}).status_code == 415


def test_a_supplier_over_its_rate_is_told_when_to_come_again(cast: Cast) -> None:
    if not settings.REDIS_URL:
        pytest.skip("no Redis here, so nothing is limited")
    ratelimit.forget()
    redis.Redis.from_url(settings.REDIS_URL).delete(f"steward:rate:{cast.skyline.pk}")
    with override_settings(SUPPLIER_RATE=1, SUPPLIER_BURST=5):
        began = time.monotonic()
        found: list[Answer] = []
        while not found or found[-1].status_code == 202:
            found.append(post(event(cast, len(found))))
        refilled = time.monotonic() - began
    refused = found[-1]
    assert refused.status_code == 429
    assert 5 <= len(found) - 1 <= 5 + refilled
    assert 1 <= int(refused["Retry-After"]) <= 2
    assert refused["Content-Type"] == "application/problem+json"
    assert InboundEvent.objects.count() == len(found) - 1


def test_without_redis_nothing_is_limited(cast: Cast) -> None:
    ratelimit.forget()
    with override_settings(SUPPLIER_RATE=1, SUPPLIER_BURST=1, REDIS_URL="redis://127.0.0.1:1/0"):
        found = [post(event(cast, number)).status_code for number in range(3)]
    ratelimit.forget()
    assert found == [202, 202, 202]


@pytest.mark.parametrize("write", ["_record_one", "_record_many"])
def test_a_database_that_is_away_is_503_and_nothing_is_kept(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(inbox, write, away)
    answer = post(event(cast) if write == "_record_one" else [event(cast, 1), event(cast, 2)])
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert int(answer["Retry-After"]) > 0
    assert not InboundEvent.objects.exists()


def test_options_agrees_to_the_abuse_handshake(cast: Cast) -> None:
    answer = Client().options(
        "/webhooks/skyline/",
        headers={"webhook-request-origin": "events.skyline.example", "webhook-request-rate": "120"},
    )
    assert answer.status_code == 200
    assert answer["WebHook-Allowed-Origin"] == "events.skyline.example"
    assert answer["WebHook-Allowed-Rate"] == "12000"
    assert "POST" in answer["Allow"]


def test_options_without_an_origin_agrees_to_nothing(cast: Cast) -> None:
    answer = Client().options("/webhooks/skyline/", headers={"origin": "https://a.example"})
    assert "WebHook-Allowed-Origin" not in answer
    assert Client().options("/webhooks/nobody/").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_other_methods_are_not_allowed(cast: Cast, method: str) -> None:
    answer = getattr(Client(), method)("/webhooks/skyline/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


def test_a_webhook_sets_no_cookie_and_needs_no_csrf_token(cast: Cast) -> None:
    answer = post(event(cast), client=Client(enforce_csrf_checks=True))
    assert answer.status_code == 202
    assert not answer.cookies


def test_one_event_costs_one_statement(cast: Cast, django_assert_num_queries: Any) -> None:
    with override_settings(SENDER_CACHE_S=60.0):
        webhooks.forget_senders()
        post(event(cast, 1))
        try:
            with django_assert_num_queries(0):  # the insert goes past Django's own cursor
                post(event(cast, 2))
        finally:
            webhooks.forget_senders()
    assert InboundEvent.objects.count() == 2
