"""Signing secrets of the suppliers a household may speak for: made, shown once, rotated."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from owners import access
from owners.models import Household, Owner
from suppliers import outbox
from suppliers.choices import PersonState
from suppliers.models import Mandate, Role, SigningSecret, Supplier, SupplierKey
from suppliers.signing import KeyFormatError, new_secret, verifier

OVERLAP = timedelta(hours=24)  # the old secret keeps working while the sender changes over


class SecretError(Exception):
    """This household does not speak for the supplier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new secret in the clear, to be shown once."""

    secret: SigningSecret
    value: str


def may_manage(*, household: Household, supplier: Supplier) -> bool:
    """Return whether the household speaks for the supplier.

    A supplier is one global entry, so its secret is never a single household's to change:
    only where nobody else knows the entry, it is unproved or the household is a demo, and
    the supplier has no people here who speak for themselves.
    """
    if supplier.verified_at is not None and not household.is_demo:
        return False
    if supplier.people.filter(state=PersonState.ACTIVE).exists():
        return False
    elsewhere = (
        model.objects.filter(supplier=supplier).exclude(household=household)
        for model in (Mandate, Role)
    )
    return not any(rows.exists() for rows in elsewhere)


def rotate(
    *, household: Household, supplier: Supplier, now: datetime, owner: Owner | None = None
) -> Made:
    """Make a new secret; older ones work for another day. Raises SecretError."""
    if not may_manage(household=household, supplier=supplier):
        raise SecretError
    with transaction.atomic():
        made = rotate_own(supplier=supplier, now=now)
        what = {"supplier": supplier.name}
        access.note(kind="secret_rotated", actor=owner, household=household, what=what, now=now)
    return made


def rotate_own(*, supplier: Supplier, now: datetime) -> Made:
    """Make a new secret for a supplier's own people; older ones work for another day."""
    with transaction.atomic():
        Supplier.objects.select_for_update().get(pk=supplier.pk)
        ends = now + OVERLAP
        replaced = list(SigningSecret.objects.live(now).filter(supplier=supplier, version="v1"))
        for old in replaced:
            if old.expires_at is None or old.expires_at > ends:
                old.expires_at = ends
                old.save(update_fields=["expires_at"])
        if replaced:
            # Whoever did not do it themselves should hear of it while the old ones work.
            said = {"at": now.isoformat(), "oldUntil": ends.isoformat()}
            about = outbox.Technical(supplier=supplier, type="steward.secret.rotated", data=said)
            outbox.tell_technicians([about], now=now)
        return _make(supplier, now)


def add_public_key(*, supplier: Supplier, value: str, now: datetime) -> SigningSecret:
    """Take a `whpk_…` that verifies what the supplier signs `v1a`. Raises KeyFormatError."""
    value = value.strip()
    if not value.startswith("whpk_"):
        raise KeyFormatError("A public key begins with whpk_.")
    verifier(value)
    secret = SigningSecret(supplier=supplier, version="v1a", created_at=now)
    secret.set_value(value)
    secret.save()
    return secret


def end(*, secret: SigningSecret, now: datetime) -> None:
    """Let a secret or public key verify nothing from now on. Twice is once."""
    if secret.expires_at is None or secret.expires_at > now:
        secret.expires_at = now
        secret.save(update_fields=["expires_at"])


def _make(supplier: Supplier, now: datetime) -> Made:
    value = new_secret(secrets.token_bytes(32))
    secret = SigningSecret(supplier=supplier, version="v1", created_at=now)
    secret.set_value(value)
    secret.save()
    return Made(secret=secret, value=value)


def set_endpoint(
    *,
    household: Household,
    supplier: Supplier,
    url: str,
    now: datetime,
    owner: Owner | None = None,
) -> str:
    """Let Steward's own events go to `url`, signed with a new secret, which is returned once.

    No `url` stops them. Raises SecretError where the household does not speak for it.
    """
    if not may_manage(household=household, supplier=supplier):
        raise SecretError
    with transaction.atomic():
        value = set_own_endpoint(supplier=supplier, url=url)
        what = {"supplier": supplier.name, "url": url}
        access.note(kind="endpoint_changed", actor=owner, household=household, what=what, now=now)
    return value


def set_own_endpoint(*, supplier: Supplier, url: str) -> str:
    """Let Steward's own events go to `url`; return the new secret they are signed with.

    No `url` stops them and gives no secret.
    """
    value = new_secret(secrets.token_bytes(32)) if url else ""
    with transaction.atomic():
        locked = Supplier.objects.select_for_update().get(pk=supplier.pk)
        locked.webhook_url = url
        locked.webhook_failing_since = locked.webhook_disabled_at = None
        locked.webhook_rest_until = None
        if value:
            locked.set_endpoint_secret(value)
        else:
            locked.sealed_endpoint_secret = None
        locked.save(
            update_fields=[
                "webhook_url",
                "webhook_failing_since",
                "webhook_disabled_at",
                "webhook_rest_until",
                "sealed_endpoint_secret",
            ]
        )
    return value


def close_all(*, supplier: Supplier, now: datetime) -> None:
    """End every secret and key of a supplier, and its endpoint.

    While an entry is unproved, a household that uses it speaks for it. Once it is proved,
    what that household holds must not be the supplier's word to everybody else.
    """
    with transaction.atomic():
        locked = Supplier.objects.select_for_update().get(pk=supplier.pk)
        SigningSecret.objects.live(now).filter(supplier=locked).update(expires_at=now)
        SupplierKey.objects.live().filter(supplier=locked).update(revoked_at=now)
        locked.webhook_url, locked.sealed_endpoint_secret = "", None
        locked.save(update_fields=["webhook_url", "sealed_endpoint_secret"])


def verify(*, supplier: Supplier, now: datetime) -> Made:
    """Note that an operator has proved who the supplier is; return its first secret.

    Everything made for it before ends (see `close_all`).
    """
    with transaction.atomic():
        close_all(supplier=supplier, now=now)
        Supplier.objects.filter(pk=supplier.pk).update(verified_at=now)
        return _make(supplier, now)
