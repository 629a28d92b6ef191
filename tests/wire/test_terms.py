"""The owner's terms: offered, answered, kept by both sides; another text is no yes."""

import json
from datetime import datetime

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client

from suppliers import agreements, inbox, keys, terms
from suppliers.choices import TermsEvent, Way
from suppliers.models import InboundEvent, OutboundEvent, TermsRecord
from tests import factories

pytestmark = pytest.mark.django_db
SERVICE = agreements.ROSTER["service-only"]


@pytest.fixture
def answer(cast: factories.Cast, now: datetime):
    """Let Skyline answer the terms; returns the stored event."""
    count = iter(range(100))

    def send(step: str, **changed: str) -> InboundEvent:
        name = f"t{next(count)}"
        data = {
            "owner": cast.mandate.owner_ref,
            "agreementUri": SERVICE.uri,
            "version": SERVICE.version,
            "sha256": SERVICE.sha256,
            **changed,
        }
        event = {"specversion": "1.0", "id": name, "source": "/skyline", "type": f"terms.{step}",
                 "time": now.isoformat(), "data": data}  # fmt: skip
        inbox.record(
            received=[
                inbox.Received(
                    supplier_id=cast.skyline.pk,
                    household_id=None,
                    way=Way.WEBHOOK,
                    source="/skyline",
                    event_id=name,
                    type=f"terms.{step}",
                    payload=json.dumps(event).encode(),
                )
            ],
            now=now,
        )
        inbox.process_due(now=now)
        return InboundEvent.objects.get(event_id=name)

    return send


@pytest.fixture
def offered(cast: factories.Cast, now: datetime) -> TermsRecord:
    return terms.proffer(mandate=cast.mandate, agreement=SERVICE, owner=cast.ana, now=now)


def test_offered_terms_name_address_version_and_hash_of_the_text_that_is_served(
    offered: TermsRecord, client: Client
) -> None:
    event = OutboundEvent.objects.get(type="owner.terms.proffered")
    assert event.data["agreementUri"] == SERVICE.uri
    served = client.get(SERVICE.path)
    assert served.content == SERVICE.text
    assert (event.data["version"], event.data["sha256"]) == ("1", SERVICE.sha256)
    assert event.data["text"].encode() == served.content


def test_a_yes_to_the_offered_text_is_agreed(cast, offered, answer) -> None:
    assert answer("accepted").code == ""
    now_is = terms.standing(cast.mandate)["service-only"]
    assert now_is.record is not None
    assert (now_is.record.event, now_is.is_open) == (TermsEvent.ACCEPTED, True)


@pytest.mark.parametrize(
    ("changed", "verdict", "pointer"),
    [
        ({"sha256": "0" * 64}, terms.OTHER_TEXT, "/data/sha256"),
        ({"version": "2"}, terms.OTHER_VERSION, "/data/version"),
        ({"agreementUri": "https://other.example/1"}, terms.UNKNOWN, "/data/agreementUri"),
        (
            {"agreementUri": agreements.ROSTER["no-adverts"].uri},
            terms.NOT_OFFERED,
            "/data/agreementUri",
        ),
    ],
)
def test_a_yes_to_another_text_is_kept_and_does_not_count(
    cast, offered, answer, changed: dict[str, str], verdict: str, pointer: str
) -> None:
    event = answer("accepted", **changed)
    assert (event.code, event.pointer) == (verdict, pointer)
    kept = TermsRecord.objects.get(event=TermsEvent.ACCEPTED)
    assert kept.verdict == verdict
    told = OutboundEvent.objects.filter(type="steward.event.rejected")
    said = [(one.data["code"], one.data["pointer"]) for one in told]
    assert said == ([(verdict, pointer)] if verdict in terms.OTHER else [])
    assert terms.standing(cast.mandate)["service-only"].record == offered


def test_an_alternative_of_the_roster_is_kept_and_ours_stays_open(cast, offered, answer) -> None:
    other = agreements.ROSTER["no-adverts"]
    event = answer("alternative_offered", agreementUri=other.uri, sha256=other.sha256)
    assert event.code == ""
    assert TermsRecord.objects.filter(event=TermsEvent.ALTERNATIVE, verdict="").exists()
    assert terms.standing(cast.mandate)["service-only"].is_open


def test_what_was_taken_back_cannot_be_accepted_any_more(cast, offered, answer, now) -> None:
    terms.withdraw(mandate=cast.mandate, agreement=SERVICE, owner=cast.ana, now=now)
    assert answer("accepted").code == terms.NOT_OFFERED
    with pytest.raises(terms.TermsError):
        terms.withdraw(mandate=cast.mandate, agreement=SERVICE, owner=cast.ana, now=now)


def test_both_sides_hold_the_same_record_and_nobody_changes_it(
    cast, offered, answer, client: Client, now
) -> None:
    answer("accepted")
    key = keys.make(supplier=cast.skyline, name="x", household=None, owner=None, now=now).token
    got = client.get(
        f"/api/supplier/v1/mandates/{cast.mandate.owner_ref}/terms/",
        headers={"Authorization": f"Bearer {key}"},
    ).json()
    ours = TermsRecord.objects.order_by("-at", "-pk")
    assert [row["recordSha256"] for row in got["records"]] == [row.record_sha256 for row in ours]
    assert [terms.fingerprint(row) for row in ours] == [row.record_sha256 for row in ours]
    with pytest.raises(ProgrammingError), transaction.atomic():
        TermsRecord.objects.update(sha256="0" * 64)


def test_another_suppliers_key_sees_no_terms_and_no_receipts(cast, offered, client, now) -> None:
    volt = factories.SupplierFactory.create(code="volt")
    key = keys.make(supplier=volt, name="x", household=None, owner=None, now=now).token
    for part in ("", "terms/", "receipts/", "reach/"):
        address = f"/api/supplier/v1/mandates/{cast.mandate.owner_ref}/{part}"
        assert client.get(address, headers={"Authorization": f"Bearer {key}"}).status_code == 404
