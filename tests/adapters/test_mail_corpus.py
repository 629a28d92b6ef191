"""Every mail of the public corpus goes through the real entrances: none is lost, none is slow."""

import os
import resource
import smtplib
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from notifications import pipeline
from owners import clock
from suppliers import mail, originals, signing
from suppliers.adapters import headers
from suppliers.models import Contact, InboundEvent
from tests import factories
from tests.adapters.conftest import CORPORA
from tests.adapters.test_entrances import SECRET
from tests.adapters.test_mail_server import crlf, listening

MAILS = sorted((CORPORA / "mail").glob("*.eml"))
SLOWEST_S = 2.0

pytestmark = [
    pytest.mark.skipif(not MAILS, reason="the public corpora are not on this machine"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.servers,
]


def spent_s() -> float:
    """The processor time of this process and of its children: a busy machine adds none to it."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for listed in Path("/proc/self/task").glob("*/children"):
        for pid in listed.read_text().split():
            # utime and stime: the name before them may hold spaces, and ends with a bracket.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def stamped(path: Path, recipient: str) -> bytes:
    return f"Delivered-To: {recipient}\r\n".encode() + path.read_bytes()


def test_none_is_lost_at_the_webhook_and_each_is_shown(
    transactional_db: None, settings: Settings, now: datetime, client: Client
) -> None:
    cast = factories.cast()
    settings.MAIL_WEBHOOK_SECRET = SECRET
    alias = f"{cast.mandate.alias}@mail.localhost"
    for number, path in enumerate(MAILS):
        raw, at = stamped(path, alias), now + timedelta(minutes=number)
        started = spent_s()
        signed = signing.sign(webhook_id=f"m{number}", at=at, body=raw, keys=[SECRET])
        with clock.fixed(at):
            answer = Client(headers=signed).post(
                "/webhooks/mail/raw/", raw, content_type="message/rfc822"
            )
            assert answer.status_code == 202, path.name
            pipeline.drain(now_fn=clock.now)
        assert spent_s() - started < SLOWEST_S, path.name
    different = {mail.event_id(headers.read(raw), raw)
                 for path in MAILS if (raw := stamped(path, alias))}  # fmt: skip
    assert InboundEvent.objects.count() == len(different)
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"processed"}
    assert Contact.objects.values("inbound").distinct().count() == len(different)
    client.force_login(cast.ana)
    for contact in Contact.objects.order_by("pk"):
        started = spent_s()
        shown = originals.of(contact)
        assert spent_s() - started < SLOWEST_S, contact.said["title"]
        assert shown.is_readable, contact.said["title"]
        assert shown.text or shown.attachments or shown.html, contact.said["title"]


def test_none_is_lost_at_the_mail_server(transactional_db: None, now: datetime) -> None:
    cast = factories.cast()
    alias = f"{cast.mandate.alias}@mail.localhost"
    sent: dict[str, Any] = {}
    different = set()
    with (
        clock.fixed(now),
        listening("smtp://127.0.0.1:0") as [where],
        smtplib.SMTP(where.host, where.port, timeout=20) as smtp,
    ):
        for path in MAILS:
            started = spent_s()
            raw = crlf(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b""))
            raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
            different.add(mail.event_id(headers.read(raw), raw))
            sent[path.name] = smtp.sendmail("a@b.example", [alias], raw)
            assert spent_s() - started < SLOWEST_S, path.name
    assert set(map(str, sent.values())) == {"{}"}
    assert InboundEvent.objects.count() == len(different)  # some files hold the same mail
