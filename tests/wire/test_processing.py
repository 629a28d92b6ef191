"""What was stored becomes contacts: for the right household, once, whatever lies beside it."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from owners.choices import Trust
from suppliers import adapters, admission, inbox, processing
from suppliers.acquaintance import Acquaintance
from suppliers.admission import Admission
from suppliers.choices import EventState, MandateState, Way
from suppliers.contacts import Contact as Value
from suppliers.models import Contact, InboundEvent, OutboundEvent
from suppliers.signals import contacts_stored
from tests import factories
from tests.factories import AssetFactory, Cast, MandateFactory, SupplierFactory
from tests.statements import counted
from tests.wire.sending import NOW, event, post


def received(cast: Cast, number: int, **changes: Any) -> inbox.Received:
    found = event(cast, number, **changes)
    return inbox.Received(
        supplier_id=cast.skyline.pk,
        household_id=None,
        way=Way.WEBHOOK,
        source=found["source"],
        event_id=found["id"],
        type=found["type"],
        payload=json.dumps(found).encode(),
    )


def data(cast: Cast, **more: Any) -> dict[str, Any]:
    return {"owner": cast.mandate.owner_ref, "body": "Hello", **more}


def processed(events: Sequence[inbox.Received]) -> list[Contact]:
    inbox.record(received=events, now=NOW)
    inbox.process_due(now=NOW)
    return list(Contact.objects.order_by("inbound_id"))


def event_of(contact: Contact) -> str:
    assert contact.inbound is not None
    return contact.inbound.event_id


def mail(cast: Cast, sender: str, proof: str, recipient: str = "") -> inbox.Received:
    raw = (
        f"From: {sender}\r\nTo: x@y.example\r\nSubject: Your visit\r\n"
        "Message-ID: <m1@skyline.example>\r\nDate: Fri, 13 Nov 2026 12:00:00 +0000\r\n\r\nHi.\r\n"
    )
    recipient = recipient or cast.alias
    return inbox.Received(
        supplier_id=None,
        household_id=None,
        way=Way.MAIL,
        source=f"mail:{recipient}",
        event_id=f"{sender}|{proof}",
        type="",
        payload=raw.encode(),
        routing={"recipient": recipient, "authentication": proof},
    )


@pytest.mark.django_db
def test_a_signed_event_becomes_one_contact_of_its_household(cast: Cast) -> None:
    heard: list[set[int]] = []

    def hear(household_ids: set[int], **_: object) -> None:
        heard.append(household_ids)

    contacts_stored.connect(hear)
    try:
        found = processed([received(cast, 1, data=data(cast, asset={"serial": "r15 204477"}))])
    finally:
        contacts_stored.disconnect(hear)
    assert len(found) == 1
    contact = found[0]
    assert (contact.household, contact.supplier, contact.asset) == (
        cast.household,
        cast.skyline,
        cast.dvr,
    )
    assert (contact.trust, contact.refusal, contact.suspicion) == (Trust.SIGNED, "", "")
    assert contact.said["asset"] == str(cast.dvr.uuid)
    assert heard == [{cast.household.pk}]
    assert inbox.process_due(now=NOW + timedelta(hours=1)) == 0


@pytest.mark.django_db
def test_an_unknown_asset_stays_a_hint(cast: Cast) -> None:
    found = processed([received(cast, 1, data=data(cast, asset={"serial": "nobody's"}))])
    assert (found[0].asset, found[0].said["asset_hint"]) == (None, "nobody's")


@pytest.mark.django_db
@pytest.mark.parametrize("owner", [None, "own_nobody", 7, "mallory's"])
def test_an_owner_without_a_mandate_is_rejected_and_the_supplier_told(
    cast: Cast, owner: Any
) -> None:
    if owner == "mallory's":  # another supplier's mandate is as unknown as none
        elsewhere = MandateFactory.create(household=cast.mallory_household)
        owner = elsewhere.owner_ref
    assert processed([received(cast, 1, data={"owner": owner, "body": "x"})]) == []
    stored = InboundEvent.objects.get()
    assert (stored.state, stored.pointer) == (EventState.REJECTED, "/data/owner")
    told = OutboundEvent.objects.get()
    assert (told.type, told.data["id"], told.data["pointer"]) == (
        "steward.event.rejected",
        "ev-1",
        "/data/owner",
    )


@pytest.mark.django_db
def test_a_content_error_is_kept_with_its_pointer(cast: Cast) -> None:
    wrong = received(cast, 1, data={"owner": cast.mandate.owner_ref})
    found = processed([wrong, received(cast, 2)])
    assert [event_of(contact) for contact in found] == ["ev-2"]
    stored = InboundEvent.objects.get(event_id="ev-1")
    assert (stored.state, stored.code, stored.pointer) == (
        "rejected",
        "missing_field",
        "/data/body",
    )


@pytest.mark.django_db
def test_the_mandate_says_what_it_does_not_cover(cast: Cast) -> None:
    other = AssetFactory.create(household=cast.household)
    advert = received(cast, 1, data=data(cast, purpose="marketing"))
    outside = received(cast, 2, data=data(cast, asset={"ref": str(other.uuid)}))
    recall = received(
        cast,
        3,
        type="recall.withdrawn",
        data={"owner": cast.mandate.owner_ref, "recallNumber": "R1"},
    )
    found = processed([advert, outside, recall])
    assert [contact.refusal for contact in found] == [
        "purpose_not_granted",
        "asset_outside_mandate",
        "",
    ]
    cast.mandate.state = MandateState.ENDED
    cast.mandate.save()
    late = processed([received(cast, 4)])[-1]
    assert late.refusal == "mandate_ended"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sender", "proof", "trust", "suspicion"),
    [
        ("visits@skyline.example", "pass", Trust.AUTHENTICATED, ""),
        ("visits@mail.skyline.example", "pass", Trust.AUTHENTICATED, ""),
        ("visits@skyline.example", "none", Trust.UNAUTHENTICATED, ""),
        ("visits@skyline.example", "fail", Trust.UNAUTHENTICATED, "authentication_failed"),
        ("visits@skyline.example.evil.example", "pass", Trust.UNAUTHENTICATED, "leaked_alias"),
        ("visits@notskyline.example", "pass", Trust.UNAUTHENTICATED, "leaked_alias"),
    ],
)
def test_a_mail_to_the_alias_is_believed_as_far_as_its_sender_proves(
    cast: Cast, sender: str, proof: str, trust: Trust, suspicion: str
) -> None:
    found = processed([mail(cast, sender, proof)])
    assert [(item.trust, item.suspicion) for item in found] == [(trust, suspicion)]
    assert found[0].mandate == cast.mandate


@pytest.mark.django_db
def test_a_strangers_mail_to_the_household_names_no_supplier(cast: Cast) -> None:
    recipient = f"{cast.household.intake_alias}@mail.localhost"
    found = processed([mail(cast, "hello@stranger.example", "pass", recipient)])
    assert (found[0].supplier, found[0].mandate, found[0].suspicion) == (
        None,
        None,
        "unknown_sender",
    )


@pytest.mark.django_db
def test_all_domains_of_a_supplier_count_however_it_was_found(cast: Cast) -> None:
    factories.SupplierDomainFactory.create(supplier=cast.skyline, domain="skyline-pay.example")
    known = Acquaintance()
    known.note_domains(supplier_ids=(), hosts=["mail.skyline.example"])
    assert known.writers("mail.skyline.example", cast.household.pk) == [cast.skyline.pk]
    known.note_domains(supplier_ids=[cast.skyline.pk])
    assert set(known.domains_of(cast.skyline.pk, cast.household.pk)) == {
        "skyline.example",
        "skyline-pay.example",
    }


@pytest.mark.django_db
def test_what_the_owner_logs_is_believed_and_names_the_supplier(cast: Cast) -> None:
    logged = {"direction": "out", "supplier": str(cast.skyline.uuid), "note": "No picture."}
    for _ in range(2):
        inbox.log(owner=cast.ana, household=cast.household, data=logged, now=NOW, key="k1")
    inbox.process_due(now=NOW)
    contact = Contact.objects.get()
    assert (contact.trust, contact.supplier, contact.owner) == (
        Trust.OWNER,
        cast.skyline,
        cast.ana,
    )


@pytest.mark.django_db
def test_a_row_that_fails_leaves_the_others_alone_and_is_parked_at_last(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = adapters.read

    def fragile(way: str, payload: Any, **context: Any) -> list[Value]:
        if payload["id"] == "ev-1":
            raise ZeroDivisionError
        return read(way, payload, **context)

    monkeypatch.setattr(adapters, "read", fragile)
    found = processed([received(cast, 1), received(cast, 2)])
    assert [event_of(contact) for contact in found] == ["ev-2"]
    now = NOW
    for _ in range(processing.MAX_CLAIMS):
        assert InboundEvent.objects.get(event_id="ev-1").state == EventState.STORED
        now += processing.LEASE
        assert inbox.process_due(now=now) == 1
    assert InboundEvent.objects.get(event_id="ev-1").state == EventState.PARKED
    assert inbox.process_due(now=now + timedelta(days=1)) == 0


@pytest.mark.django_db
def test_a_value_no_column_takes_harms_only_its_own_row(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = admission.admit

    def careless(contact: Value, **known: Any) -> Admission:
        too_long = "x" * 100 if contact.body == "Message 1." else ""
        return replace(judge(contact, **known), suspicion=too_long)

    monkeypatch.setattr(processing, "admit", careless)
    found = processed([received(cast, 1), received(cast, 2)])
    assert [event_of(contact) for contact in found] == ["ev-2"]


@pytest.mark.django_db
def test_a_nul_in_the_text_is_not_a_fault(cast: Cast) -> None:
    found = processed([received(cast, 1, data=data(cast, body="a\x00b", asset={"ref": "\x00"}))])
    assert len(found) == 1


@pytest.mark.django_db
def test_words_that_look_like_an_escaped_nul_stay_as_they_are(cast: Cast) -> None:
    [found] = processed([received(cast, 1, data=data(cast, body=r"C:\u0000 and \\u0000"))])
    assert found.said["body"] == r"C:\u0000 and \\u0000"


@pytest.mark.django_db
def test_a_batch_of_500_takes_at_most_15_queries(cast: Cast) -> None:
    mandates = [MandateFactory.create(supplier=cast.skyline) for _ in range(20)]
    events = [
        received(cast, number, data={"owner": mandates[number % 20].owner_ref, "body": "x"})
        for number in range(500)
    ]
    inbox.record(received=events, now=NOW)
    with counted() as seen:
        assert inbox.process_due(now=NOW) == 500
    assert len(seen) <= 10, seen
    assert Contact.objects.count() == 500


@pytest.mark.django_db
def test_the_order_of_arrival_does_not_change_a_contacts_name(cast: Cast) -> None:
    there = processed([received(cast, 1), received(cast, 2)])
    names = {item.uuid for item in there}
    Contact.objects.all().delete()
    InboundEvent.objects.all().delete()
    back = processed([received(cast, 2), received(cast, 1)])
    assert {item.uuid for item in back} == names


@pytest.mark.django_db
def test_two_suppliers_with_one_id_make_two_contacts(cast: Cast) -> None:
    other = SupplierFactory.create()
    mandate = MandateFactory.create(household=cast.household, supplier=other)
    payload = event(cast, 1, data={"owner": mandate.owner_ref, "body": "x"})
    theirs = inbox.Received(
        supplier_id=other.pk,
        household_id=None,
        way=Way.WEBHOOK,
        source=payload["source"],
        event_id=payload["id"],
        type=payload["type"],
        payload=json.dumps(payload).encode(),
    )
    assert len(processed([received(cast, 1), theirs])) == 2


@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_posts_of_one_id_store_one_row() -> None:
    cast = factories.cast()
    answers: list[dict[str, Any]] = []
    barrier = threading.Barrier(20)

    def send() -> None:
        barrier.wait()
        try:
            answers.append(post(event(cast)).json())
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["accepted"] for answer in answers) == [0] * 19 + [1]
    assert InboundEvent.objects.count() == 1
    assert inbox.process_due(now=NOW) == 1
    assert Contact.objects.count() == 1
