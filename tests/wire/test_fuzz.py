"""Whatever comes in by webhook, telephone or the owner's log: no fault, and nothing lost.

2,000 inputs for each entrance here, 20,000 with `--hypothesis-profile=nightly`.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import hypothesis
import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from notifications import feed
from owners import clock
from suppliers import catalogue, inbox, telephony
from suppliers.models import Contact, InboundEvent
from tests.api.conftest import app_of
from tests.factories import Cast
from tests.wire.sending import BATCH, CLOUD, NOW, post

LOT = 50  # inputs between two looks at what came of them
NIGHTLY = hypothesis.settings.get_current_profile_name() == "nightly"
FUZZ = hypothesis.settings(
    max_examples=20_000 if NIGHTLY else 2_000,
    deadline=None,
    derandomize=not NIGHTLY,
    database=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NUMBER, TOKEN = "+12125550111", "a token"

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", "\x00", "\u202e", "\ufeff", "\U0001f600" * 30, "a\u0301" * 200, "=1+1", "../..",
         "2026-11-13T08:00:00-05:00", "2026-02-30T25:00:00Z", "9999-12-31T23:59:59+23:59",
         "0001-01-01T00:00:00Z", "2026-11-01T01:30:00-04:00", "49,00 \u20ac", "NaN", "1e999",
         "Your visit is on Fri 13 Nov between 8am and 12pm.", "http://[::1", "Europe/Berlin",
         "R15-204477", "own_x", "<script>", "in", "answered", "visit", "service", "x" * 3000]
    ),
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), TEXTS, st.integers(), st.floats(allow_nan=False),
    st.sampled_from([2**31, 2**63, 2**64, -1, 10**19, 1e308]),
)  # fmt: skip
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
TYPES = st.sampled_from([*catalogue.names(), "coffee.brewed", "", ".", "x" * 80, "appointment."])
FIELDS = st.sampled_from(
    sorted({field for found in catalogue.INBOUND.values() for field in found.example}
           | {"refs", "entity", "asks", "actions", "links", "expiresAt", "importance", "purpose"})
)  # fmt: skip
# What two readers of JSON may take differently, or what only looks like an event.
BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [b"", b"{", b"[", b"[" * 5000, b'{"a":' * 3000, b"\xef\xbb\xbf{}", b'{"id": "\\ud800"}',
         b'{"type": "a", "type": "b"}', b'{"a": NaN}', b'{"a": 1e400}', b"9" * 5000,
         b'{"id": "a\\u0000"}', b"null", b'"text"', b"\x00", b"{} {}", b'{"a": -Infinity}',
         b'{"id": "\xff"}', b'{"\\u0069d": "1", "id": "2"}', b"[[]]", b"[{}]", b"/* */ {}"]
    ),
)  # fmt: skip


@st.composite
def events(draw: st.DrawFn, owner: str) -> Any:
    """Return a CloudEvent of some type in which a few things are not as they should be."""
    name = draw(TYPES)
    known = catalogue.INBOUND.get(name)
    data: Any = copy.deepcopy(known.example) if known else {"body": "?"}
    data["owner"] = owner
    for field in draw(st.lists(FIELDS, max_size=3)):
        data[field] = draw(JSON)
    found: dict[str, Any] = {
        "specversion": "1.0",
        "id": draw(st.uuids()).hex,
        "source": "/skyline",
        "type": name,
        "time": NOW.isoformat(),
        "data": draw(JSON) if draw(st.integers(0, 9)) == 0 else data,
    }
    if draw(st.integers(0, 5)) == 0:
        found[draw(st.sampled_from([*found, "data_base64", "dataschema", "subject"]))] = draw(JSON)
    return found


@contextmanager
def forgotten() -> Iterator[None]:
    """Take back what an example stored."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def settled(kept: int) -> None:
    """Whatever was taken is stored, read or refused with a reason, and decided."""
    assert InboundEvent.objects.count() >= kept
    now = NOW + timedelta(minutes=10)
    with clock.fixed(now):
        while inbox.process_due(now=now):
            pass
        while feed.consolidate_due(now=now):
            pass
        feed.tell_due(now=now)
    stuck = InboundEvent.objects.exclude(state__in=["processed", "rejected"])
    assert list(stuck.values_list("type", "state", "payload")) == []
    assert not InboundEvent.objects.filter(state="rejected", code="").exists()
    undecided = Contact.objects.filter(decided_at=None)
    assert [contact.said for contact in undecided] == []


def lots(strategy: st.SearchStrategy[Any]) -> Iterator[list[Any]]:
    """Yield the inputs in lots: drawn one by one, as one large input would use up the luck."""
    drawn: list[Any] = []

    @FUZZ
    @given(strategy)
    def draw(one: Any) -> None:
        drawn.append(one)

    draw()
    assert len(drawn) >= FUZZ.max_examples * 0.9, "the inputs have run out"
    for at in range(0, len(drawn), LOT):
        yield drawn[at : at + LOT]


@pytest.mark.django_db
def test_no_webhook_breaks_anything_or_is_lost(cast: Cast) -> None:
    owner = cast.mandate.owner_ref
    forms = st.sampled_from([CLOUD, BATCH, "application/json", "application/json; charset=utf-8"])
    inputs = st.one_of(
        st.tuples(events(owner), st.sampled_from([CLOUD, "application/json"])),
        st.tuples(events(owner), st.just(CLOUD)),
        st.tuples(st.lists(events(owner), max_size=4), st.just(BATCH)),
        st.tuples(BODIES, forms),
    )
    client, taken = Client(), 0
    for lot in lots(inputs):
        kept = 0
        with forgotten():
            for sent, form in lot:
                body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
                answer = post(body, content_type=form, client=client)
                # Without a body the test client sends no form either.
                allowed = (202, 400) if body else (415,)
                assert answer.status_code in allowed, (body, answer.content)
                if answer.status_code == 202:
                    kept += answer.json()["accepted"]
                else:
                    assert answer.json()["code"]
            settled(kept)
        taken += kept
    assert taken > 500


NAMES = st.sampled_from(
    ["MessageSid", "SmsSid", "CallSid", "CallStatus", "CallDuration", "Direction", "From", "To",
     "Body", "NumMedia", "MediaContentType0", "RecordingSid", "RecordingUrl", "RecordingStatus",
     "RecordingDuration", "TranscriptionSid", "TranscriptionStatus", "TranscriptionText",
     "Timestamp", "ForwardedFrom", "StirVerstat", "OptOutType", "Digits", "Extra"]
)  # fmt: skip
VALUES = st.one_of(
    TEXTS,
    st.sampled_from(
        [NUMBER, "+18005550199", "SkylineTV", "completed", "no-answer", "ringing", "inbound",
         "outbound-api", "anonymous", "+", "TN-Validation-Passed-A", "TN-Validation-Failed-B",
         "99999999999999999999", "Fri, 13 Nov 2026 13:00:00 +0000", "Thu, 99 Foo 9999"]
    ),
)  # fmt: skip


def callback(client: Client, kind: str, form: dict[str, str]) -> int:
    path = f"/webhooks/telephony/twilio/{kind}/"
    pairs = list(form.items())
    proof = telephony.signature(f"http://localhost:8000{path}", pairs, auth_token=TOKEN)
    with clock.fixed(NOW):
        answer = client.post(
            path,
            urlencode(form, errors="surrogatepass"),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": proof},
        )
    return answer.status_code


@pytest.mark.django_db
def test_no_callback_of_the_telephone_breaks_anything_or_is_lost(cast: Cast, settings: Any) -> None:
    settings.TWILIO_AUTH_TOKENS = [TOKEN]
    cast.membership.intake_number = NUMBER
    cast.membership.save()
    inputs = st.tuples(
        st.sampled_from(telephony.CALLBACKS),
        st.dictionaries(NAMES, VALUES, max_size=6),
        st.uuids(),
    )
    client, taken = Client(), 0
    for lot in lots(inputs):
        names = set()
        with forgotten():
            for kind, changes, name in lot:
                form = {
                    "CallSid": f"CA{name.hex}", "MessageSid": f"SM{name.hex}", "To": NUMBER,
                    "From": "+12125550147", "CallStatus": "completed", **changes,
                }  # fmt: skip
                if kind != "sms":
                    form.pop("MessageSid", None)
                status = callback(client, kind, form)
                assert status in (200, 400), (status, form)
                is_own = not {"CallSid", "MessageSid", "To", "From", "Direction"} & set(changes)
                if status == 200 and is_own:
                    names.add(form["MessageSid" if kind == "sms" else "CallSid"])
            stored = {kept.partition(":")[0] for kept in _event_ids()}
            assert names <= stored
            settled(len(names))
        taken += len(names)
    assert taken > 500


def _event_ids() -> list[str]:
    return list(InboundEvent.objects.values_list("event_id", flat=True))


@pytest.mark.django_db
def test_nothing_an_owner_logs_breaks_anything_or_is_lost(cast: Cast) -> None:
    app = app_of(cast.ana)
    names = st.sampled_from(
        ["direction", "supplier", "asset", "started_at", "duration_s", "asks", "transfers",
         "medium", "window", "fee", "reference", "status", "household", "documents", "note"]
    )  # fmt: skip
    known = st.sampled_from([str(cast.skyline.uuid), str(cast.dvr.uuid), str(cast.household.uuid)])
    noted = st.dictionaries(names, JSON | known, max_size=3).map(
        lambda data: {"note": "No picture.", **data}
    )
    taken = 0
    for lot in lots(st.one_of(noted, noted, JSON)):
        cache.clear()  # the rate is not what is tried here
        kept = 0
        with forgotten():
            for sent in lot:
                with clock.fixed(NOW):
                    answer = app.post(
                        "/api/v1/contacts/", json.dumps(sent), content_type="application/json"
                    )
                assert answer.status_code < 500, (answer.status_code, sent)
                kept += answer.status_code in (201, 202)
            settled(kept)
        taken += kept
    assert taken > 200
