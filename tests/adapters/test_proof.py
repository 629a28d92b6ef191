"""Who a mail is from: what proves it, what does not, and the reason is kept and shown."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import dkim
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from pytest_django import Settings

from notifications import feed, pipeline, senders
from notifications.models import Decision, Journey
from owners import clock
from owners.choices import Trust
from suppliers import mail, proof, proving
from suppliers.adapters import headers
from suppliers.choices import Authentication, Outcome
from suppliers.contacts import Proof
from suppliers.models import Contact, InboundEvent
from tests.adapters.test_entrances import message
from tests.factories import Cast

FORWARDERS = {"google.com": "Gmail"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
)
PUBLIC = "".join(
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
    .splitlines()[1:-1]
)
RECORD = f"v=DKIM1; k=rsa; p={PUBLIC}"
ZONE = {
    "s._domainkey.skyline.example": RECORD,
    "s._domainkey.mallory.example": RECORD,
    "s._domainkey.google.com": RECORD,
    "_dmarc.skyline.example": "v=DMARC1; p=reject",
}
PLAIN = (
    b"From: Skyline <visits@skyline.example>\r\nTo: a@mail.localhost\r\nSubject: Your visit\r\n"
    b"Message-ID: <1@skyline.example>\r\n\r\nOn Monday.\r\n"
)


def lookup(name: Any, **_options: Any) -> bytes | None:
    text = name.decode() if isinstance(name, bytes) else name
    found = ZONE.get(text.rstrip("."))
    return found.encode() if found else None


def signed(raw: bytes, domain: str) -> bytes:
    return bytes(dkim.sign(raw, b"s", domain.encode(), PRIVATE) + raw)


def sealed(raw: bytes, results: str, by: str = "google.com") -> bytes:
    head = f"Authentication-Results: mx.{by}; {results}\r\n".encode()
    lines = dkim.arc_sign(head + raw, b"s", by.encode(), PRIVATE, f"mx.{by}".encode())
    return b"".join(lines) + head + raw


def judged(raw: bytes, results: str) -> Proof:
    return proof.judge(headers.read(raw), results=results, forwarders=FORWARDERS)


def checked(raw: bytes) -> Proof:
    return judged(raw, proving.check(raw, lookup=lookup))


def test_a_signature_of_the_senders_domain_proves_it() -> None:
    found = checked(signed(PLAIN, "skyline.example"))
    assert (found.verdict, found.method) == (Authentication.PASS, "dmarc")
    assert "skyline.example" in senders.of_proof(found.to_json())


def test_somebody_elses_signature_proves_nothing_and_is_named() -> None:
    found = checked(signed(PLAIN, "mallory.example"))
    assert (found.verdict, found.signers) == (Authentication.FAIL, ("mallory.example",))
    said = senders.of_proof(found.to_json())
    assert "DMARC" in said
    assert "mallory.example" in said
    assert "skyline.example" in said


def test_a_changed_body_breaks_the_signature() -> None:
    assert checked(signed(PLAIN, "skyline.example") + b"Pay here.").verdict == Authentication.FAIL


def test_without_a_policy_an_unsigned_mail_is_not_proved() -> None:
    found = checked(PLAIN.replace(b"skyline.example", b"garage.example"))
    assert (found.verdict, found.detail) == (Authentication.NONE, "unsigned")


def test_two_senders_prove_nothing() -> None:
    raw = b"From: Mallory <m@mallory.example>\r\n" + signed(PLAIN, "skyline.example")
    assert checked(raw).detail == "two_senders"


def forwarded(by: str = "google.com", results: str = "dkim=pass header.d=skyline.example") -> bytes:
    # The forwarder put a line below, so the sender's signature does not hold any more.
    return sealed(signed(PLAIN, "skyline.example") + b"-- sent on\r\n", results, by)


def test_what_a_forwarder_had_checked_counts_if_we_believe_it() -> None:
    found = checked(forwarded())
    assert (found.verdict, found.method) == (Authentication.PASS, "arc")
    assert "Gmail" in senders.of_proof(found.to_json())


@pytest.mark.parametrize(
    "raw",
    [
        forwarded(by="mallory.example"),
        forwarded(results="dkim=fail header.d=skyline.example"),
        forwarded(results="dkim=pass header.d=mallory.example"),
        forwarded().replace(b"sent on", b"pay me"),
    ],
    ids=["stranger", "not passed", "for another", "changed after"],
)
def test_any_other_seal_proves_nothing(raw: bytes) -> None:
    assert checked(raw).verdict != Authentication.PASS


def test_a_seal_that_our_server_did_not_check_proves_nothing() -> None:
    results = "mx.steward.example; dmarc=fail header.from=skyline.example"
    assert judged(forwarded(), results).verdict == Authentication.FAIL
    assert judged(forwarded(), f"{results}; arc=pass").forwarder == "Gmail"


@pytest.mark.parametrize(
    "raw",
    [
        b"DKIM-Signature: \r\n" + PLAIN,
        b"DKIM-Signature: v=1; d=\xff; s=x; a=rsa-sha256; bh=; b=\r\n" * 200 + PLAIN,
        b"ARC-Seal: i=99999999999999\r\n" * 300 + PLAIN,
        b"",
        b"\r\n\r\n",
        b"From: @\r\n\r\n",
    ],
)
def test_a_broken_signature_breaks_nothing(raw: bytes) -> None:
    started = time.monotonic()
    assert checked(raw).verdict != Authentication.PASS
    assert time.monotonic() - started < 1


# --- the child, and the DNS --------------------------------------------------------------


@contextmanager
def name_server(*, is_silent: bool = False) -> Iterator[str]:
    """Answer for ZONE on a port of this machine, or never."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                try:
                    data, client = server.recvfrom(4096)
                except TimeoutError:
                    continue
                if is_silent:
                    continue
                asked = dns.message.from_wire(data)
                answer = dns.message.make_response(asked)
                name = asked.question[0].name
                found = ZONE.get(str(name).rstrip("."))
                if found:
                    pieces = " ".join(
                        f'"{found[at : at + 200]}"' for at in range(0, len(found), 200)
                    )
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", pieces))
                else:
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                server.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        is_over.set()
        thread.join()


def test_where_the_operator_allows_it_the_dns_is_asked_in_a_child(settings: Settings) -> None:
    raw = signed(PLAIN, "skyline.example")
    assert mail.proof_of(headers.read(raw), raw=raw).detail == "unchecked"
    settings.MAIL_CHECKS_SENDERS = True
    with name_server() as address:
        settings.MAIL_RESOLVERS = [address]
        assert mail.proof_of(headers.read(raw), raw=raw).verdict == Authentication.PASS


def test_a_dns_that_does_not_answer_holds_up_nothing_for_long(settings: Settings) -> None:
    settings.MAIL_CHECKS_SENDERS = True
    raw = signed(signed(PLAIN, "skyline.example"), "mallory.example")
    started = time.monotonic()
    with name_server(is_silent=True) as address:
        settings.MAIL_RESOLVERS = [address]
        found = mail.proof_of(headers.read(raw), raw=raw)
    assert (found.verdict, found.detail) == (Authentication.NONE, "lookup_failed")
    assert time.monotonic() - started < mail.CHECK_S + 2


# --- what the owner sees -----------------------------------------------------------------


def arrived(cast: Cast, now: datetime, *, results: str, **changes: str) -> Contact:
    raw = message("x", **{"Authentication-Results": f"mail.localhost; {results}", **changes})
    mail.receive(raw=raw, recipient=f"{cast.mandate.alias}@mail.localhost", now=now)
    with clock.fixed(now):
        pipeline.drain(now_fn=clock.now)
    return Contact.objects.order_by("-pk")[0]


def test_the_reason_is_kept_and_shown(cast: Cast, now: datetime, client: Client) -> None:
    results = "dkim=pass header.d=mallory.example; dmarc=fail header.from=skyline.example"
    contact = arrived(cast, now, results=results)
    assert contact.outcome == Outcome.DOOR
    assert InboundEvent.objects.get().routing["proof"]["signers"] == ["mallory.example"]
    client.force_login(cast.ana)
    shown = client.get(f"/api/v1/contacts/{contact.uuid}/").json()
    assert "signed by mallory.example" in shown["sender_check"]
    assert b"signed by mallory.example" in client.get("/door/").content


def test_a_strangers_mail_to_the_alias_says_who_leaked_it(
    cast: Cast, now: datetime, client: Client
) -> None:
    client.force_login(cast.ana)
    api = f"/api/v1/mandates/{cast.mandate.uuid}/"
    assert client.get(api).json()["alias_leaks"] == 0
    page = f"/suppliers/{cast.skyline.uuid}/"
    assert b"was leaked" not in client.get(page).content
    contact = arrived(
        cast, now, results="dmarc=pass header.from=adverts.example",
        From="Deals <deals@adverts.example>",
    )  # fmt: skip
    assert (contact.outcome, contact.suspicion) == (Outcome.DOOR, "leaked_alias")
    shown = client.get(f"/api/v1/contacts/{contact.uuid}/").json()
    assert "leaked by Skyline TV" in shown["sender_check"]
    found = client.get(api).json()
    assert (found["alias_leaks"], found["alias_leaked_at"]) == (1, "2026-11-09T13:00:00Z")
    assert b"was leaked" in client.get(page).content
    assert b"leaked by Skyline TV" in client.get("/door/").content


def deals(cast: Cast, now: datetime, **heads: str) -> Contact:
    """Let somebody with a proved domain of its own write to Skyline's alias."""
    return arrived(
        cast,
        now,
        results="dmarc=pass header.from=courier.example",
        From="Courier <post@courier.example>",
        **heads,
    )


def test_who_is_let_in_at_anothers_address_is_itself(cast: Cast, now: datetime) -> None:
    contact = deals(cast, now)
    assert (contact.suspicion, contact.supplier) == ("leaked_alias", cast.skyline)
    feed.act_on_contact(owner=cast.ana, contact=contact, name="let_in", data={}, now=now)
    contact.refresh_from_db()
    assert contact.supplier is not None
    assert contact.supplier != cast.skyline
    assert (contact.suspicion, contact.trust) == ("", Trust.AUTHENTICATED)
    later = deals(cast, now, Subject="Your parcel is near", **{"Message-ID": "<2@courier.example>"})
    assert (later.suspicion, later.supplier) == ("", contact.supplier)


def test_a_let_in_taken_back_leaves_it_at_the_address_it_wrote_to(
    cast: Cast, now: datetime
) -> None:
    contact = deals(cast, now)
    feed.act_on_contact(owner=cast.ana, contact=contact, name="let_in", data={}, now=now)
    journey = Journey.objects.get(links__contact=contact, links__revoked_at=None)
    decision = Decision.objects.get(name="let_in")
    data = {"decision": str(decision.uuid)}
    feed.act(owner=cast.ana, journey=journey, name="undo", data=data, now=now)
    contact.refresh_from_db()
    assert (contact.outcome, contact.suspicion) == (Outcome.DOOR, "leaked_alias")
    assert (contact.supplier, contact.mandate) == (cast.skyline, cast.mandate)


def test_a_mail_of_the_supplier_itself_is_no_leak(cast: Cast, now: datetime) -> None:
    contact = arrived(cast, now, results="dmarc=pass header.from=skyline.example")
    assert (contact.suspicion, contact.outcome) == ("", Outcome.SHOWN)
