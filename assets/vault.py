"""Where the bytes of documents lie: sealed, behind Django's storage interface.

The storage may be a disk or an object store; it sees neither names nor content.
"""

import contextlib
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from owners import sealing

FULL, THUMB, WORDS = "full", "thumb", "words"


class VaultError(Exception):
    """The bytes could not be kept, or are not there any more."""


def put(key: UUID, content: bytes, *, part: str = FULL) -> None:
    """Keep `content`. Raises VaultError and leaves nothing when the storage is full."""
    name = _name(key, part)
    sealed = sealing.seal(content, table="assets_document", key=str(key), field=part)
    try:
        stored = default_storage.save(name, ContentFile(sealed))
    except OSError as error:
        with contextlib.suppress(OSError):
            default_storage.delete(name)
        raise VaultError("there is no room") from error
    if stored != name:
        default_storage.delete(stored)
        raise VaultError("this name is taken")


def get(key: UUID, *, part: str = FULL) -> bytes:
    """Return what was kept; raises VaultError when it is not there or was changed."""
    try:
        with default_storage.open(_name(key, part)) as file:
            sealed = file.read()
        return sealing.unseal(sealed, table="assets_document", key=str(key), field=part)
    except (OSError, sealing.UnsealError) as error:
        raise VaultError("it is not there") from error


def forget(key: UUID) -> None:
    """Delete all parts; what is gone already is no fault."""
    for part in (FULL, THUMB, WORDS):
        default_storage.delete(_name(key, part))


def _name(key: UUID, part: str) -> str:
    return f"documents/{key.hex[:2]}/{key.hex}.{part}"
