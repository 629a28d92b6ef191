"""Whatever is sent as a mail is kept and becomes a contact: none is lost, none breaks anything.

2,000 mails here, 20,000 with `--hypothesis-profile=nightly`.
"""

from datetime import datetime, timedelta

import hypothesis
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppliers import inbox, mail, mail_listener, originals
from suppliers.adapters import mime, original
from suppliers.models import Contact, InboundEvent
from tests.factories import Cast

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

EACH = 25  # mails an example
NIGHTLY = hypothesis.settings.get_current_profile_name() == "nightly"
EXAMPLES = (20_000 if NIGHTLY else 2_000) // EACH

NAMES = st.sampled_from(
    ["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Content-Type",
     "Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "Auto-Submitted",
     "Authentication-Results", "ARC-Seal", "DKIM-Signature", "List-Unsubscribe", "Return-Path",
     "Precedence", "MIME-Version", "Received", "", " ", "X\x00Y", "\xff"]
)  # fmt: skip
VALUES = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [b"multipart/mixed; boundary=b",
         b"multipart/report; report-type=delivery-status; boundary=b",
         b"text/html; charset=utf-7", b"text/calendar; method=REQUEST", b"message/rfc822",
         b"message/delivery-status", b"base64", b"quoted-printable", b"x-uuencode", b"8bit",
         b"=?utf-8?B?/////w==?=", b"=?x?Q?=00?=" * 40, b"<a@b> (c (d (e",
         b"attachment; filename*=x''%ff",
         b"mx.x; dmarc=pass header.from=skyline.example", b"i=1; d=google.com", b"auto-replied",
         b"Thu, 99 Foo 99999 99:99:99 +9999", b"visits@skyline.example", b"\"a\nb\" <x@y>", b"<>"]
    ),
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [b"--b\r\n", b"--b--\r\n", b"\r\n", b"Content-Type: text/html\r\n\r\n",
             b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: x\r\n",
             b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"<div>" * 300, b"</p><a href='",
             b"<img src=cid:x>", b"<script type=application/ld+json>[{,</script>", b"\x00\xff\xfe",
             b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:2026\r\nRRULE:FREQ=SECONDLY\r\n",
             b"Your visit is on Monday 16 November, 8:00-12:00.\r\n", b"begin 644 x\r\nzzz\r\n",
             b"> On x wrote:\r\n" * 30,
             "49,00 \u20ac \u202e\U0001f600\r\n".encode(), b"=\r\n=3D=ZZ"]
        ),
        max_size=12,
    ).map(b"".join),
)  # fmt: skip
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r"])


def built(end: bytes, heads: list[tuple[str, bytes]], body: bytes, cut: int | None) -> bytes:
    lines = [name.encode("utf-8", "replace") + b": " + value for name, value in heads]
    return end.join([*lines, b"", body])[:cut]


MAILS = st.builds(
    built,
    ENDS,
    st.lists(st.tuples(NAMES, VALUES), max_size=10),
    BODIES,
    st.none() | st.integers(0, 4000),
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(raws=st.lists(MAILS, min_size=EACH, max_size=EACH))
def _every_one_is_kept(cast: Cast, now: datetime, raws: list[bytes]) -> None:
    with transaction.atomic():
        _kept(cast, now, raws)


def _kept(cast: Cast, now: datetime, raws: list[bytes]) -> None:
    before = InboundEvent.objects.count()
    alias = f"{cast.mandate.alias}@mail.localhost"
    stored = [
        mail.receive(raw=raw, recipient=alias, now=now, return_path="").status for raw in raws
    ]
    new = stored.count("accepted")
    assert set(stored) <= {"accepted", "duplicate"}
    inbox.process_due(now=now + timedelta(seconds=1))
    fresh = InboundEvent.objects.order_by("-pk")[:new]
    assert InboundEvent.objects.count() == before + new
    assert {event.state for event in fresh} <= {"processed"}
    contacts = Contact.objects.filter(inbound__in=[event.pk for event in fresh])
    assert contacts.values("inbound").distinct().count() == new


def test_every_one_is_kept(cast: Cast, now: datetime) -> None:
    _every_one_is_kept(cast, now)


@settings(max_examples=EXAMPLES * 6, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=MAILS, is_proved=st.booleans())
def test_every_one_can_be_shown(raw: bytes, is_proved: bool) -> None:  # noqa: FBT001
    try:
        shown = original.shown(raw, is_proved=is_proved)
    except mime.LimitError:
        return
    assert "<script" not in shown["html"]
    assert is_proved or "href=" not in shown["html"]


@given(text=st.text(max_size=60))
def test_an_address_to_listen_at_is_read_or_refused(text: str) -> None:
    try:
        found = mail_listener.address(text)
    except mail_listener.AddressError:
        return
    assert mail_listener.address(str(found)) == found


def test_what_is_stored_can_be_read_back(cast: Cast, now: datetime) -> None:
    raw = bytes(range(256)) * 4
    mail.receive(raw=raw, recipient=f"{cast.mandate.alias}@mail.localhost", now=now)
    inbox.process_due(now=now)
    contact = Contact.objects.get()
    assert originals.raw(contact) == raw
    assert originals.of(contact).is_kept
