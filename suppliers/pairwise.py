"""Names that one supplier knows a thing by, and no other: pure.

They are made from the mandate's `owner_ref`, which only this supplier has, and the public
id, which no supplier gets. So two suppliers cannot compare theirs, nothing has to be
stored, and the same thing keeps its name.
"""

import hashlib
from uuid import UUID

ASSET, JOURNEY = "ast_", "jrn_"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # as in owner_ref: no 0/O, 1/l/i
LENGTH = 26  # about 128 bits


def name(prefix: str, *, owner_ref: str, uuid: UUID | str) -> str:
    """Return what the supplier of this mandate calls the thing."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}|{owner_ref}|{uuid}".encode()).digest())
    letters = []
    for _ in range(LENGTH):
        number, rest = divmod(number, len(LETTERS))
        letters.append(LETTERS[rest])
    return prefix + "".join(letters)


def asset(owner_ref: str, uuid: UUID | str) -> str:
    """Return what the supplier of this mandate calls an asset."""
    return name(ASSET, owner_ref=owner_ref, uuid=uuid)


def journey(owner_ref: str, uuid: UUID | str) -> str:
    """Return what the supplier of this mandate calls a journey."""
    return name(JOURNEY, owner_ref=owner_ref, uuid=uuid)
