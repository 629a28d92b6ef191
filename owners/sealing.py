"""Secrets at rest: AES-256-GCM with a key id and bound to their place.

A sealed value names the key it was sealed with, so keys rotate by adding a new first
key and keeping the old ones. The additional data (table, row, field) makes a value
unreadable when somebody moves it to another row.
"""

import base64
import hashlib
import hmac
import os
import zlib
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_SIZE = 12
KEY_ID_SIZE = 4
# Bytes. Up to here a row stays in its page as it is, and deflate, which costs more than all
# else that is done to an event, would save little.
COMPRESS_FROM = 1700
PLAIN, DEFLATED = b"\x00", b"\x01"


class UnsealError(Exception):
    """The value was not sealed here, or for another place, or its key is gone."""


@lru_cache(maxsize=8)
def _cipher(key: str) -> tuple[bytes, AESGCM]:
    raw = base64.urlsafe_b64decode(key)
    return hashlib.sha256(raw).digest()[:KEY_ID_SIZE], AESGCM(raw)


def seal(value: bytes, *, table: str, key: str, field: str) -> bytes:
    """Return `value` compressed (when that pays) and encrypted for one place."""
    return seal_all([value], table=table, keys=[key], field=field)[0]


def seal_all(
    values: Sequence[bytes], *, table: str, keys: Sequence[str], field: str
) -> list[bytes]:
    """Return each value sealed for the row with its key: one key and one field for all."""
    key_id, cipher = _cipher(settings.FIELD_KEYS[0])
    encrypt = cipher.encrypt
    random = os.urandom(NONCE_SIZE * len(values))
    nonces = [random[at : at + NONCE_SIZE] for at in range(0, len(random), NONCE_SIZE)]
    bodies = [
        DEFLATED + zlib.compress(value, 1) if len(value) >= COMPRESS_FROM else PLAIN + value
        for value in values
    ]
    places = f"{table}:%s:{field}"
    sealed = map(encrypt, nonces, bodies, [(places % key).encode() for key in keys])
    return [key_id + nonce + body for nonce, body in zip(nonces, sealed, strict=True)]


def unseal(sealed: bytes | memoryview, *, table: str, key: str, field: str) -> bytes:
    """Return what was sealed for this place.

    Raises UnsealError for a foreign, moved or damaged value.
    """
    sealed = bytes(sealed)
    key_id, rest = sealed[:KEY_ID_SIZE], sealed[KEY_ID_SIZE:]
    place = f"{table}:{key}:{field}".encode()
    for known in settings.FIELD_KEYS:
        known_id, cipher = _cipher(known)
        if known_id == key_id:
            try:
                body = cipher.decrypt(rest[:NONCE_SIZE], rest[NONCE_SIZE:], place)
            except InvalidTag as error:
                raise UnsealError(f"{table}.{field} does not open here") from error
            return zlib.decompress(body[1:]) if body[:1] == DEFLATED else body[1:]
    raise UnsealError(f"no key for {table}.{field}")


def blind_index(value: str, *, field: str) -> bytes:
    """Return a keyed hash by which a sealed value can be looked up exactly."""
    key = base64.urlsafe_b64decode(settings.INDEX_KEY)
    return hmac.digest(key, f"{field}:{value}".encode(), "sha256")
