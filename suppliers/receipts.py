"""Consent receipts in the field names of ISO/IEC TS 27560:2023.

One is made whenever a mandate is given, changed, paused, resumed, ended or put back, in
the same transaction. It is a copy of the consent record as of then, for the household and
for the supplier; `sha256` is over its canonical JSON, so both can see that theirs are the
same. What the standard asks for and nobody told us is said to be unknown, not invented.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from suppliers import disclosure
from suppliers.choices import FactName, MandateState, Purpose
from suppliers.models import ConsentReceipt, Mandate, SupplierDomain, SupplierNumber, TermsRecord

SCHEMA = "ISO/IEC TS 27560:2023; steward 1"
NOTICE = "/terms/notice/1/"
UNKNOWN = "not stated"
# Which article of the GDPR a purpose rests on; the household's word is consent for all.
BASIS = "consent: GDPR Art. 6(1)(a)"
WORDS = {
    Purpose.SERVICE: "Visits, repairs, orders and questions about the things named",
    Purpose.BILLING: "Bills, payments and refunds",
    Purpose.FEEDBACK: "Surveys within the household's cap",
    Purpose.MARKETING: "Offers and adverts",
}
# What happened, as the standard calls the state of a consent.
STATES = {
    "granted": "given",
    "changed": "re-confirmed",
    "paused": "suspended",
    "resumed": "re-confirmed",
    "revoked": "withdrawn",
    "restored": "given",
}

# The same, as the owner reads it.
SAID: dict[str, str | Promise] = {
    "given": gettext_lazy("Given"),
    "re-confirmed": gettext_lazy("Changed"),
    "suspended": gettext_lazy("Paused"),
    "withdrawn": gettext_lazy("Taken back"),
}


def make(*, mandate: Mandate, change: str, now: datetime) -> ConsentReceipt:
    """Store the receipt of what a mandate allows now, inside the caller's transaction."""
    body = write(mandate=mandate, change=change, receipt_id=uuid4(), now=now)
    return ConsentReceipt.objects.create(
        uuid=body["receipt_id"],
        household=mandate.household,
        mandate=mandate,
        event_state=STATES[change],
        body=body,
        sha256=fingerprint(body),
        made_at=now,
    )


def write(*, mandate: Mandate, change: str, receipt_id: UUID, now: datetime) -> dict[str, Any]:
    """Return a receipt as its holder gets it."""
    told = disclosure.told(mandate, state=MandateState.ACTIVE)
    at = now.astimezone(UTC).isoformat()
    principal, controller = (
        mandate.owner_ref,
        f"{settings.SITE_URL}/suppliers/{mandate.supplier.code}",
    )
    return {
        "schema_version": SCHEMA,
        "receipt_id": str(receipt_id),
        "record_id": f"{mandate.owner_ref}-consent",
        "pii_principal_id": principal,
        "pii_processing": {
            "privacy_notice": f"{settings.SITE_URL}{NOTICE}",
            "language": "en",
            "purposes": [
                _purpose(Purpose(name), mandate=mandate, told=told, controller=controller)
                for name in mandate.purposes
            ],
        },
        "party_identification": [
            {
                "party_id": principal,
                "party_name": told["facts"].get(FactName.NAME, UNKNOWN),
                "party_address": told["facts"].get(FactName.ADDRESS, UNKNOWN),
                "party_contact": f"{mandate.alias}@{settings.MAIL_DOMAIN}",
                "party_role": "PII principal",
                "party_type": "household",
            },
            _supplier(mandate, controller),
        ],
        "event": [
            {
                "event_time": at,
                "validity_duration": "until withdrawn",
                "entity_id": principal,
                "event_type": "explicit",
                "event_state": STATES[change],
            }
        ],
        "terms": _terms(mandate),
    }


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return the hash by which two copies of a record are compared."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _purpose(
    purpose: Purpose, *, mandate: Mandate, told: Mapping[str, Any], controller: str
) -> dict[str, Any]:
    return {
        "purpose": purpose.value,
        "purpose_type": WORDS[purpose],
        "lawful_basis": BASIS,
        "pii_information": _information(mandate.facts, told["assets"]),
        "pii_controllers": [controller],
        "collection_method": "given by the PII principal in Steward",
        "processing_method": "kept and used by the PII controller for this purpose",
        "storage_locations": [UNKNOWN],
        "retention_period": "until withdrawn, or as the law asks",
        "jurisdiction": mandate.household.country or UNKNOWN,
        "recipient_third_parties": [],
        "withdrawal_method": "in Steward at any time; the PII controller is told at once",
        "privacy_rights": ["access", "rectification", "erasure", "portability", "withdrawal"],
    }


def _information(facts: Sequence[str], assets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Say which kinds of facts are known; the facts themselves stay out of the record."""
    named = [
        {
            "pii_type": "asset: name and kind",
            "pii_attribute_id": [asset["ref"] for asset in assets],
            "pii_optional": False,
            "sensitive_pii_category": False,
        }
    ]
    return named + [
        {
            "pii_type": name,
            "pii_attribute_id": [],
            "pii_optional": True,
            "sensitive_pii_category": name == FactName.ACCESS,
        }
        for name in facts
    ]


def _supplier(mandate: Mandate, controller: str) -> dict[str, Any]:
    supplier = mandate.supplier
    proved = SupplierDomain.objects.filter(supplier=supplier, household=None).order_by("pk").first()
    number = SupplierNumber.objects.filter(supplier=supplier, household=None).order_by("pk").first()
    return {
        "party_id": controller,
        "party_name": supplier.name,
        "party_address": UNKNOWN,
        "party_contact": number.number if number else UNKNOWN,
        "party_url": f"https://{proved.domain}" if proved else UNKNOWN,
        "party_role": "PII controller",
        "party_type": "supplier",
    }


def _terms(mandate: Mandate) -> list[dict[str, Any]]:
    """Return what was agreed besides: MyTerms agreements by address, version and hash."""
    rows = TermsRecord.objects.filter(mandate=mandate).order_by("at", "pk")
    return [
        {
            "agreement_uri": row.agreement_uri,
            "version": row.version,
            "sha256": row.sha256,
            "event_state": row.event,
            "event_time": row.at.astimezone(UTC).isoformat(),
        }
        for row in rows
        if not row.verdict
    ]
