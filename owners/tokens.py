"""Tokens: how a program acts for an owner, as far as its scope goes."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from owners import access
from owners.choices import TokenScope
from owners.models import ApiToken, Owner

PREFIX = "stwo_"
MOST = 50
NOTED_EVERY = timedelta(minutes=1)  # a write with every request would cost more than the request


class TokenError(Exception):
    """The token cannot be made; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """A new token in the clear, to be shown once."""

    row: ApiToken
    token: str


def make(*, owner: Owner, name: str, scope: TokenScope, now: datetime) -> MadeToken:
    """Make a token; only its hash is kept."""
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        Owner.objects.select_for_update().get(pk=owner.pk)
        if ApiToken.objects.for_owner(owner).live().count() >= MOST:
            raise TokenError(f"At most {MOST} tokens are kept. Revoke one first.")
        row = ApiToken.objects.create(
            owner=owner,
            name=name,
            scope=scope,
            token_hash=_hash(token),
            hint=token[-4:],
            created_at=now,
        )
        what = {"name": name, "scope": scope.value}
        access.note(kind="token_made", actor=owner, what=what, now=now)
    return MadeToken(row=row, token=token)


def revoke(*, token: ApiToken, now: datetime) -> ApiToken:
    """Close a token for ever. Twice is once."""
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().select_related("owner").get(pk=token.pk)
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            what = {"name": token.name}
            access.note(kind="token_revoked", actor=token.owner, what=what, now=now)
    return token


def holder(*, token: str, now: datetime) -> ApiToken | None:
    """Return the live token with its owner, and note about once a minute that it is used."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    # 256 random bits can neither be guessed nor timed out of a plain hash.
    found = ApiToken.objects.live().select_related("owner").filter(token_hash=_hash(token)).first()
    if found is not None and (found.used_at is None or now - found.used_at >= NOTED_EVERY):
        ApiToken.objects.filter(pk=found.pk).update(used_at=now)
    return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
