"""What leaves for suppliers: signed, retried, and only to checked addresses."""

import http.server
import json
import re
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.core import mail
from django.test import Client

from owners import clock
from owners.models import Owner
from suppliers import guard, keys, letters, outbox, secrets, signing, tries
from suppliers.models import (
    Contact,
    InboundEvent,
    Mandate,
    OutboundEvent,
    OutboundState,
    Supplier,
)
from tests.factories import Cast
from tests.wire.sending import NOW

pytestmark = pytest.mark.django_db
ENDPOINT_SECRET = "whsec_" + "QQ" * 16


class Sink(http.server.BaseHTTPRequestHandler):
    """An endpoint that answers what the test wants, and keeps what it got."""

    answers: ClassVar[list[tuple[int, dict[str, str]]]] = []
    got: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, headers = self.answers.pop(0) if self.answers else (204, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint(cast: Cast, settings: Any) -> Iterator[Supplier]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Sink.answers.clear()
    Sink.got.clear()
    settings.OUTBOX_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    cast.skyline.webhook_url = f"http://127.0.0.1:{server.server_port}/hook"
    cast.skyline.set_endpoint_secret(ENDPOINT_SECRET)
    cast.skyline.save()
    yield cast.skyline
    server.shutdown()
    server.server_close()
    thread.join()


def say(cast: Cast, **data: Any) -> OutboundEvent:
    cast.mandate.refresh_from_db()
    return outbox.send(
        mandate=cast.mandate, type="owner.message.sent", data={"text": "Hi", **data}, now=NOW
    )


def test_an_event_is_signed_with_the_published_key_and_the_endpoints_secret(
    cast: Cast, endpoint: Supplier
) -> None:
    event = say(cast)
    assert event.via == "webhook"
    assert outbox.send_due(now=NOW) == 1
    headers, body = Sink.got[0]
    published = Client().get("/.well-known/steward-keys.json").json()["keys"][0]["key"]
    for key in (published, ENDPOINT_SECRET):
        signing.verify(
            webhook_id=headers["webhook-id"],
            timestamp=headers["webhook-timestamp"],
            signatures=headers["webhook-signature"],
            body=body,
            keys=[signing.verifier(key)],
            now=NOW,
        )
    event.refresh_from_db()
    assert (event.state, event.sent_at) == (OutboundState.SENT, NOW)
    assert cast.mandate.owner_ref.encode() in body
    assert b"ana@" not in body


def test_a_failing_endpoint_is_tried_on_the_schedule_under_one_id(
    cast: Cast, endpoint: Supplier
) -> None:
    event, now = say(cast), NOW
    Sink.answers.extend([(500, {})] * 10)
    waits = []
    for _ in range(10):
        assert outbox.send_due(now=now) == 1
        event.refresh_from_db()
        waits.append((event.next_at - now).total_seconds())
        assert outbox.send_due(now=now) == 0
        now = event.next_at
    assert event.state == OutboundState.FAILED
    for wait, least in zip(
        waits, (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400), strict=False
    ):
        assert least <= wait <= least * 1.1
    assert len({headers["webhook-id"] for headers, _ in Sink.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in Sink.got}) == 10
    assert list(event.tries.order_by("number").values_list("number", "status")) == [
        (number, 500) for number in range(1, 11)
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_never_followed(
    cast: Cast, endpoint: Supplier, status: int
) -> None:
    event = say(cast)
    Sink.answers.append((status, {"location": endpoint.webhook_url}))
    outbox.send_due(now=NOW)
    event.refresh_from_db()
    assert (event.state, event.detail, len(Sink.got)) == (
        OutboundState.PENDING,
        f"HTTP {status}",
        1,
    )


def test_retry_after_is_obeyed(cast: Cast, endpoint: Supplier) -> None:
    event = say(cast)
    Sink.answers.append((429, {"retry-after": "600"}))
    outbox.send_due(now=NOW)
    event.refresh_from_db()
    assert event.next_at == NOW + timedelta(seconds=600)


@pytest.mark.parametrize("text", ["", "soon", "-5", "9" * 40, "²"])
def test_a_retry_after_without_sense_keeps_the_schedule(cast: Cast, text: str) -> None:
    event = say(cast)
    at = tries.next_try(uuid_=event.uuid, attempts=1, retry_after=text, now=NOW)
    assert NOW + timedelta(seconds=5) <= at <= NOW + timedelta(hours=24)


def test_gone_disables_the_endpoint_and_the_rest_goes_by_mail(
    cast: Cast, endpoint: Supplier
) -> None:
    endpoint.technical_contact = "ops@skyline.example"
    endpoint.save()
    first, second = say(cast), say(cast)
    OutboundEvent.objects.filter(pk=second.pk).update(next_at=NOW + timedelta(hours=1))
    Sink.answers.append((410, {}))
    outbox.send_due(now=NOW)
    endpoint.refresh_from_db()
    assert endpoint.webhook_disabled_at == NOW
    outbox.send_due(now=NOW)
    for event in (first, second):  # also what was told that there is nobody
        event.refresh_from_db()
        assert (event.via, event.state) == ("mail", OutboundState.SENT)
    subjects = [message.subject for message in mail.outbox]
    assert "Your webhook endpoint was switched off" in subjects
    assert len(Sink.got) == 1


def test_an_endpoint_that_fails_for_five_days_is_disabled(cast: Cast, endpoint: Supplier) -> None:
    endpoint.webhook_failing_since = NOW - timedelta(days=5)
    endpoint.save()
    say(cast)
    Sink.answers.append((503, {}))
    outbox.send_due(now=NOW)
    endpoint.refresh_from_db()
    assert endpoint.webhook_disabled_at == NOW


def test_an_endpoint_inside_is_never_called(cast: Cast, endpoint: Supplier, settings: Any) -> None:
    settings.OUTBOX_ALLOWED_NETWORKS = []
    event = say(cast)
    outbox.send_due(now=NOW)
    event.refresh_from_db()
    assert event.detail.startswith("blocked")
    assert Sink.got == []


def test_without_an_endpoint_a_mail_leaves_from_the_alias(cast: Cast) -> None:
    cast.skyline.technical_contact = "desk@skyline.example"
    cast.skyline.save()
    event = say(cast)
    assert event.via == "mail"
    outbox.send_due(now=NOW)
    message = mail.outbox[0]
    assert message.from_email == cast.alias
    assert message.to == ["desk@skyline.example"]
    assert "Hi" in message.body
    assert "ana@" not in message.message().as_string()


def test_without_an_address_of_theirs_none_is_guessed_and_the_text_is_kept(cast: Cast) -> None:
    assert cast.skyline.domains.exists()
    event = say(cast)
    assert (event.via, event.state) == ("none", OutboundState.FAILED)
    assert outbox.send_due(now=NOW) == 0
    (lost,) = outbox.undelivered(households=[cast.household])
    assert "Hi" in letters.words_of(lost)


def test_an_answer_that_waits_for_a_dead_endpoint_is_shown(cast: Cast, endpoint: Supplier) -> None:
    event = say(cast)
    assert list(outbox.undelivered(households=[cast.household])) == []
    Sink.answers.append((503, {}))
    outbox.send_due(now=NOW)
    assert list(outbox.undelivered(households=[cast.household])) == [event]
    assert list(outbox.undelivered(households=[cast.mallory_household])) == []


def test_an_event_may_be_replayed_under_its_id(cast: Cast, endpoint: Supplier) -> None:
    event = say(cast)
    outbox.send_due(now=NOW)
    event.refresh_from_db()
    outbox.replay(event=event, now=NOW)
    assert outbox.send_due(now=NOW) == 1
    assert [headers["webhook-id"] for headers, _ in Sink.got] == [f"msg_{event.uuid.hex}"] * 2
    assert event.tries.count() == 2


INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.1", "192.0.0.192", "192.88.99.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    "168.63.129.16", "::1", "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "fec0::1", "fe80::1",
    "fe80::1%lo", "fc00::1", "fd00:ec2::254", "5f00::1", "3fff::1", "2001:db8::1", "ff02::1",
    "100::1", "::ffff:a9fe:a9fe", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:c0a8:101::1",
    "2001:0:0:0:0:0:80ff:fffe", "2001:10::1", "2001:20::1", "fec0:0:0:ffff::1", "ff0e::1",
    "ff05::2", "::ffff:0:a00:1", "64:ff9b:1:fffe::1", "2620:4f:8000::1", "3ffe::1", "239.1.1.1",
    "240.0.0.1", "192.31.196.1", "192.52.193.1", "192.175.48.1", "198.51.100.1", "203.0.113.1",
    "192.0.2.1", "fe80::a9fe:a9fe",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_inside_address_passes_in_any_spelling(address: str) -> None:
    with pytest.raises(guard.BlockedError):
        guard.checked("https://hooks.example/x", resolver=lambda host, port: [address])
    with pytest.raises(guard.BlockedError):  # one bad answer among good ones
        guard.checked("https://hooks.example/x", resolver=lambda host, port: ["8.8.8.8", address])


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_pass(address: str) -> None:
    _, found = guard.checked("https://hooks.example/x", resolver=lambda host, port: [address])
    assert found == [address]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/", "https://hooks.example:8443/", "https://u:p@hooks.example/",
        "https://user@hooks.example/", "ftp://hooks.example/", "file:///etc/passwd", "https:///x",
        "https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://[::1]/",
        "https://hooks.example\\@127.0.0.1/", "https://hooks.example\t/", "https://a b/",
        "https://0177.0.0.1/", "https://0x7f000001/", "https://127.0.0.1./", "https://017700000001/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://0x7f.0.0.0x1/",
        "https://\u2460\u2461\u2466.0.0.1/", "https://127\u30020\u30020\u30021/",
        "https://\uff11\uff12\uff17.0.0.1/", "https://[fec0::1]/", "https://1.1.1.1/",
        "https://[::1%25lo]/", "https://hooks.example:99999/", "gopher://x/", "//hooks.example/",
    ],
)  # fmt: skip
def test_odd_addresses_are_refused_whatever_they_resolve_to(url: str) -> None:
    with pytest.raises(guard.BlockedError):
        guard.checked(url, resolver=lambda host, port: ["8.8.8.8"])


def test_the_name_is_resolved_once_and_the_checked_address_is_called(
    endpoint: Supplier,
) -> None:
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    port = endpoint.webhook_url.rpartition(":")[2]
    answer = guard.post(
        f"http://hooks.example:{port}",
        body=b"{}",
        headers={},
        timeout=5,
        allowed=["127.0.0.0/8"],
        resolver=rebinding,
    )
    assert (answer.status, asked) == (204, ["hooks.example"])
    assert Sink.got[0][0]["host"].startswith("hooks.example:")


def test_the_supplier_api_is_opened_by_a_live_key_only(cast: Cast) -> None:
    made = keys.make(supplier=cast.skyline, name="test", now=NOW)
    opened = {"authorization": f"Bearer {made.token}"}
    client = Client()
    assert client.post("/api/supplier/v1/ping/", headers=opened).json()["supplier"] == "skyline"
    assert client.post("/api/supplier/v1/ping/").status_code == 401
    wrong = {"authorization": "Bearer stw_wrong"}
    assert client.post("/api/supplier/v1/ping/", headers=wrong).status_code == 401
    keys.revoke(key=made.key, now=NOW)
    assert client.post("/api/supplier/v1/ping/", headers=opened).status_code == 401


def test_any_number_is_stored_and_written_by_as_many_queries(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    cast.skyline.technical_contact = "desk@skyline.example"
    cast.skyline.save()
    mandate = Mandate.objects.select_related("supplier").get(pk=cast.mandate.pk)
    names = [uuid.uuid4() for _ in range(20)]
    messages = [
        outbox.Message(
            mandate=mandate, type="owner.survey.deferred", data={"reason": "owner_cap"}, name=name
        )
        for name in names
    ]
    for again in (1, 2):
        with django_assert_num_queries(2):  # where the last mail came from, and the rows
            outbox.send_all(messages, now=NOW)
        assert OutboundEvent.objects.filter(via="mail").count() == len(names), again
    events = list(OutboundEvent.objects.select_related("supplier", "mandate", "household"))
    with django_assert_num_queries(2):  # the last mails, and the households' languages
        assert len(letters.write_all(events)) == len(names)


def test_an_answer_goes_where_the_last_mail_came_from_and_what_is_technical_does_not(
    cast: Cast,
) -> None:
    cast.skyline.technical_contact = "desk@skyline.example"
    cast.skyline.save()
    for number, sender in enumerate(("old@skyline.example", "jo@skyline.example")):
        inbound = InboundEvent.objects.create(
            supplier=cast.skyline,
            household=cast.household,
            way="mail",
            source="/mail",
            event_id=f"m{number}",
            type="",
            body_hash=bytes(32),
            received_at=NOW,
        )
        Contact.objects.create(
            uuid=uuid.uuid4(),
            household=cast.household,
            supplier=cast.skyline,
            mandate=cast.mandate,
            inbound=inbound,
            kind="message",
            medium="email",
            direction="in",
            said_at=NOW + timedelta(minutes=number),
            received_at=NOW,
            said={"sender": sender, "keys": [{"scheme": "message", "value": f"m{number}@x"}]},
        )
    event = say(cast)
    technical = OutboundEvent.objects.create(
        supplier=cast.skyline,
        household=cast.household,
        mandate=cast.mandate,
        type="steward.endpoint.disabled",
        via="mail",
        created_at=NOW,
        next_at=NOW,
    )
    written = letters.write_all([event, technical])
    assert written[event.pk].recipient == "jo@skyline.example"
    assert written[event.pk].headers["In-Reply-To"] == "<m1@x>"
    assert written[technical.pk].recipient == "desk@skyline.example"
    assert "In-Reply-To" not in written[technical.pk].headers


def test_a_letter_speaks_as_the_household_does(cast: Cast) -> None:
    cast.skyline.technical_contact = "desk@skyline.example"
    cast.skyline.save()
    Owner.objects.filter(pk=cast.ana.pk).update(language="de")
    mandate = Mandate.objects.select_related("supplier").get(pk=cast.mandate.pk)
    window = {"start": NOW.isoformat(), "end": (NOW + timedelta(hours=2)).isoformat()}
    event = outbox.send(mandate=mandate, type="owner.appointment.accepted", data=window, now=NOW)
    written = letters.write_all([event])[event.pk]
    assert written.subject == "Wir nehmen den Termin an"
    assert re.search(r"Der Termin: .* bis \d\d:\d\d", written.text)


def test_a_supplier_tries_its_own_endpoint_with_a_ping(cast: Cast, endpoint: Supplier) -> None:
    made = keys.make(supplier=cast.skyline, name="test", now=NOW)
    opened = {"authorization": f"Bearer {made.token}"}
    with clock.fixed(NOW):
        said = Client().post("/api/supplier/v1/ping/?endpoint=1", headers=opened).json()
    outbox.send_due(now=NOW)
    ((_headers, body),) = Sink.got
    assert json.loads(body)["type"] == "steward.ping"
    assert json.loads(body)["id"] == said["event"]


def test_a_replaced_secret_is_told_while_the_old_one_works(cast: Cast, endpoint: Supplier) -> None:
    secrets.rotate_own(supplier=cast.skyline, now=NOW)
    event = OutboundEvent.objects.get()
    assert event.type == "steward.secret.rotated"
    assert event.data["oldUntil"] > event.data["at"]
