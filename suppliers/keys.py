"""Keys: the suppliers' bearer keys of their API, and Steward's published signing keys."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from owners import access
from owners.models import Household, Owner
from suppliers import signing
from suppliers.models import Supplier, SupplierKey

PREFIX = "stw_"
USED_EVERY = timedelta(hours=1)  # noted no finer: a request must not cost a write


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A new key with its token in the clear, to be shown once."""

    key: SupplierKey
    token: str


def make(
    *,
    supplier: Supplier,
    name: str,
    now: datetime,
    household: Household | None = None,
    owner: Owner | None = None,
) -> MadeKey:
    """Make a bearer key; only the hash of its token is kept.

    One that a household made for its supplier is in the household's access log.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        key = SupplierKey.objects.create(
            supplier=supplier, name=name, token_hash=_hash(token), created_at=now
        )
        _note("key_made", key, household=household, owner=owner, now=now)
    return MadeKey(key=key, token=token)


def revoke(
    *,
    key: SupplierKey,
    now: datetime,
    household: Household | None = None,
    owner: Owner | None = None,
) -> SupplierKey:
    """Close a key for ever. Twice is once."""
    if key.revoked_at is None:
        with transaction.atomic():
            key.revoked_at = now
            key.save(update_fields=["revoked_at"])
            _note("key_revoked", key, household=household, owner=owner, now=now)
    return key


def _note(
    kind: str,
    key: SupplierKey,
    *,
    household: Household | None,
    owner: Owner | None,
    now: datetime,
) -> None:
    if household is not None:
        what = {"supplier": key.supplier.name, "key": key.name}
        access.note(kind=kind, actor=owner, household=household, what=what, now=now)


def holder(token: str, *, now: datetime) -> Supplier | None:
    """Return the supplier that holds a live key with this token; notes when it was used."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    # The token has 256 random bits, so a plain hash can neither be guessed nor timed.
    found = SupplierKey.objects.live().filter(token_hash=_hash(token)).select_related("supplier")
    key = found.order_by("pk").first()
    if key is None:
        return None
    if key.used_at is None or now - key.used_at > USED_EVERY:
        SupplierKey.objects.filter(pk=key.pk).update(used_at=now)
    return key.supplier


def published() -> list[dict[str, str]]:
    """Return the keys that verify what Steward signs, the newest first."""
    return [
        {"version": "v1a", "key": signing.public_key(private)}
        for private in settings.STEWARD_SIGNING_KEYS
    ]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
