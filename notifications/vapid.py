"""How a push service is told who asks (VAPID, RFC 8292): pure, of a key and a time."""

import base64
from datetime import datetime, timedelta
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LIFE = timedelta(hours=12)  # services refuse more than 24 hours
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


def encoded(data: bytes) -> str:
    """Return bytes in base64url as push writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of base64url with or without padding; raises ValueError."""
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


@lru_cache(maxsize=8)
def key_of(private: str, *, seed: str) -> ec.EllipticCurvePrivateKey:
    """Return the signing key: `private` (base64url), or without one a key made of `seed`."""
    if private:
        number = int.from_bytes(decoded(private))
    else:
        made = HKDF(hashes.SHA256(), 40, None, b"steward web push").derive(seed.encode())
        number = int.from_bytes(made) % (ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


@lru_cache(maxsize=8)
def public_of(private: str, *, seed: str) -> str:
    """Return the public key as a browser subscribes with it."""
    return encoded(
        key_of(private, seed=seed)
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )


def authorization(*, audience: str, subject: str, private: str, seed: str, now: datetime) -> str:
    """Return the header for one push service (`audience`: its origin), good for 12 hours."""
    claims = {"aud": audience, "exp": int((now + LIFE).timestamp()), "sub": subject}
    token = jwt.encode(claims, key_of(private, seed=seed), algorithm="ES256")
    return f"vapid t={token}, k={public_of(private, seed=seed)}"
