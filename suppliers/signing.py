"""Standard Webhooks signatures: pure.

`v1` is HMAC-SHA256 with a shared secret (`whsec_…`), `v1a` is Ed25519 (`whsk_…` signs,
`whpk_…` verifies). What is signed is `id.timestamp.` and the exact bytes of the body.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TOLERANCE_S = 300
TIMESTAMP = re.compile(r"[0-9]{1,12}\Z")
# No dot, because the dot separates what is signed; printable, because it becomes a key.
WEBHOOK_ID = re.compile(r"[!-\-/-~]{1,255}\Z")
MAX_SIGNATURES = 32
SECRET_SIZES = range(24, 65)

MISSING, WRONG, STALE = "missing_signature", "wrong_signature", "stale_timestamp"


class SignatureError(Exception):
    """The signature is missing, wrong or stale; `code` says which, and never more."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class KeyFormatError(ValueError):
    """A secret or key is not what its prefix says."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A secret or public key in the form that checks fastest."""

    version: str
    key: bytes | Ed25519PublicKey

    def matches(self, content: bytes, signature: bytes) -> bool:
        """Say whether `signature` is this key's for `content`, in constant time."""
        if isinstance(self.key, bytes):
            return hmac.compare_digest(hmac.digest(self.key, content, "sha256"), signature)
        try:
            self.key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


def verifier(value: str) -> Verifier:
    """Return the verifier for `whsec_…` or `whpk_…`; raises KeyFormatError."""
    if value.startswith("whpk_"):
        raw = _decoded(value.removeprefix("whpk_"))
        if len(raw) != 32:
            raise KeyFormatError("A public key has 32 bytes.")
        return Verifier("v1a", Ed25519PublicKey.from_public_bytes(raw))
    return Verifier("v1", _secret(value))


def verify(
    *,
    webhook_id: str | None,
    timestamp: str | None,
    signatures: str | None,
    body: bytes,
    keys: Sequence[Verifier],
    now: datetime,
) -> None:
    """Return when any signature is of any key and fresh; else raise SignatureError."""
    if not webhook_id or not timestamp or not signatures:
        raise SignatureError(MISSING)
    if not WEBHOOK_ID.match(webhook_id) or not TIMESTAMP.match(timestamp):
        raise SignatureError(WRONG)
    content = b"%s.%s.%s" % (webhook_id.encode(), timestamp.encode(), body)
    given = _given(signatures)
    if not any(
        key.matches(content, raw)
        for version, raw in given
        for key in keys
        if key.version == version
    ):
        raise SignatureError(WRONG)
    # Only who holds the key learns that the clock was the trouble.
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise SignatureError(STALE)


def sign(*, webhook_id: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Return the three headers for `body`, signed with each of `whsec_…` or `whsk_…`."""
    timestamp = str(int(at.timestamp()))
    content = b"%s.%s.%s" % (webhook_id.encode(), timestamp.encode(), body)
    found = []
    for key in keys:
        if key.startswith("whsk_"):
            version, raw = "v1a", _private(key).sign(content)
        else:
            version, raw = "v1", hmac.digest(_secret(key), content, "sha256")
        found.append(f"{version},{base64.b64encode(raw).decode()}")
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(found),
    }


def public_key(private: str) -> str:
    """Return the `whpk_…` that verifies what `whsk_…` signs."""
    raw = _private(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"whpk_{base64.b64encode(raw).decode()}"


def new_secret(random: bytes) -> str:
    """Return `whsec_…` for random bytes (24 to 64)."""
    if len(random) not in SECRET_SIZES:
        raise KeyFormatError("A secret has 24 to 64 bytes.")
    return f"whsec_{base64.b64encode(random).decode()}"


def _given(signatures: str) -> list[tuple[str, bytes]]:
    found = []
    for element in signatures.split(" ")[:MAX_SIGNATURES]:
        version, _, text = element.partition(",")
        if version not in {"v1", "v1a"} or len(text) > 128:
            continue
        try:
            found.append((version, base64.b64decode(text, validate=True)))
        except (binascii.Error, ValueError):
            continue  # one broken element does not spoil the others
    return found


@lru_cache(maxsize=16)
def _private(key: str) -> Ed25519PrivateKey:
    # The secret half is the seed, or the seed followed by the public key.
    raw = _decoded(key.removeprefix("whsk_"))
    if len(raw) not in {32, 64}:
        raise KeyFormatError("A private key has 32 or 64 bytes.")
    return Ed25519PrivateKey.from_private_bytes(raw[:32])


def _secret(value: str) -> bytes:
    raw = _decoded(value.removeprefix("whsec_"))
    if len(raw) not in SECRET_SIZES:
        raise KeyFormatError("A secret has 24 to 64 bytes.")
    return raw


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyFormatError("The key is not base64.") from None
