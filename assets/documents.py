"""Photos and papers: taken in, found again, put into the bin."""

import contextlib
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_noop

from assets import folding, reading, sniffing, vault
from assets.choices import DocumentKind, FindableKind
from assets.models import Asset, Document, Findable, Wording, in_every_language
from assets.sniffing import LINK
from owners import doorbell, undo
from owners.models import Change, Household, Owner

log = structlog.get_logger(__name__)

ADDED, ADDED_TOGETHER, REMOVED = "document.add", "document.add_together", "document.remove"
FIELDS = frozenset({"name", "kind", "asset"})
FOUND_MOST = 200
WORDS_MOST = 2000  # different words of one paper by which it is found
LETTERS = 200_000  # of one text that are read; a file may be a hundred times as long
LINK_MOST = 500
LEAST_LETTERS = 8  # that a picture must hold to be a paper
HOUSEHOLD_MOST = 20 * 1024**3  # bytes of all that one household keeps, the bin included
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


class DocumentError(Exception):
    """The file cannot be kept; `code` says why, the text says it to people."""

    def __init__(self, code: str, detail: str) -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was made of a file before it is kept."""

    media_type: str
    content: bytes
    thumb: bytes = b""
    text: str = ""


def add(
    *,
    household: Household,
    asset: Asset | None,
    owner: Owner | None,
    name: str,
    content: bytes,
    now: datetime,
    kind: DocumentKind | None = None,
    has_undo: bool = True,
) -> Document:
    """Keep a file for a household. Raises DocumentError for what we do not keep.

    Without an undo of its own it is part of something that is undone as a whole.
    """
    if asset is not None and asset.household_id != household.pk:
        raise DocumentError("unknown_asset", "There is no such object.")
    kept = Document.objects.filter(household=household).aggregate(size=Sum("size"))["size"] or 0
    if kept + len(content) > HOUSEHOLD_MOST:
        raise DocumentError("no_room", "There is no room for it now. Try again later.")
    read = _read(content)
    key = uuid4()
    try:
        vault.put(key, read.content)
        if read.thumb:
            vault.put(key, read.thumb, part=vault.THUMB)
        with transaction.atomic():
            document = Document.objects.create(
                uuid=key,
                household=household,
                asset=asset,
                added_by=owner,
                kind=kind or guess(name, read),
                name=clean_name(name),
                media_type=read.media_type,
                size=len(read.content),
                sha256=hashlib.sha256(read.content).digest(),
                has_thumb=bool(read.thumb),
                has_text=bool(read.text.strip()),
                awaits_reading=_is_unread(read),
                added_at=now,
            )
            _note(document, read.text)
            if document.awaits_reading:
                doorbell.ring("papers")
            if has_undo:
                _remember(document, owner=owner, now=now)
    except vault.VaultError as error:
        raise DocumentError("no_room", "There is no room for it now. Try again later.") from error
    except Exception:
        vault.forget(key)  # no file without its row
        raise
    return document


def add_link(
    *,
    household: Household,
    asset: Asset | None,
    owner: Owner | None,
    url: str,
    now: datetime,
    name: str = "",
    kind: DocumentKind | None = None,
    has_undo: bool = True,
) -> Document:
    """Note where a document lies that is kept elsewhere; nothing is fetched from there.

    Raises DocumentError for what is no address of the web. See `add` for `has_undo`.
    """
    if asset is not None and asset.household_id != household.pk:
        raise DocumentError("unknown_asset", "There is no such object.")
    address = checked_link(url)
    key = uuid4()
    with transaction.atomic():
        document = Document.objects.create(
            uuid=key,
            household=household,
            asset=asset,
            added_by=owner,
            kind=kind or guess(f"{name} {unquote(address)}", _Read(media_type=LINK, content=b"")),
            name=clean_name(name or _last_step(address)),
            media_type=LINK,
            url=address,
            size=0,
            sha256=hashlib.sha256(address.encode()).digest(),
            added_at=now,
        )
        _note(document, "")
        if has_undo:
            _remember(document, owner=owner, now=now)
    return document


def _remember(document: Document, *, owner: Owner | None, now: datetime) -> None:
    undo.remember(
        kind=ADDED,
        label=document.name,
        now=now,
        owner=owner,
        household=document.household,
        subject=document.uuid,
    )


def checked_link(url: str) -> str:
    """Return an address of the web as it is kept and shown. Raises DocumentError.

    No password stands in it, and nothing that turns it round on a screen.
    """
    wrong = DocumentError(
        "link", gettext_noop("Write an address that begins with https:// or http://.")
    )
    address = url.strip()
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong from error
    is_plain = address.isprintable() and not _UNSAFE.search(address.replace("/", ""))
    if parts.scheme not in ("http", "https") or not host or not is_plain or " " in address:
        raise wrong
    if parts.username or parts.password:
        raise DocumentError("link", gettext_noop("Leave out the name and password before the @."))
    if len(address) > LINK_MOST:
        raise DocumentError("link", gettext_noop("This address is too long."))
    return address


def _last_step(address: str) -> str:
    """Return what a link seems to be called: the end of its path, else its host."""
    parts = urlsplit(address)
    steps = [unquote(step) for step in parts.path.split("/") if step]
    return steps[-1] if steps else parts.hostname or address


def note_together(*, kept: Sequence[Document], owner: Owner, now: datetime) -> Change:
    """Keep the adding of several documents of one household as one change, undone at once."""
    return undo.remember(
        kind=ADDED_TOGETHER,
        label=", ".join(document.name for document in kept),
        now=now,
        owner=owner,
        household=kept[0].household,
        after={"documents": [str(document.uuid) for document in kept]},
    )


def change(*, document: Document, values: Mapping[str, Any]) -> Document:
    """Change what a document is called, what it is for, or what it belongs to."""
    asset = values.get("asset")
    if asset is not None and asset.household_id != document.household_id:
        raise DocumentError("unknown_asset", "There is no such object.")
    changed = FIELDS & values.keys()
    for field in changed:
        setattr(document, field, values[field])
    document.name = clean_name(document.name)
    if changed:
        text = text_of(document)  # before the transaction: a file is read, perhaps by a child
        with transaction.atomic():
            document.save(update_fields=sorted(changed))
            _note(document, text)
    return document


def remove(*, document: Document, owner: Owner, now: datetime) -> Change:
    """Put a document into the bin; it can be put back for 30 days."""
    with transaction.atomic():
        document.removed_at = now
        document.save(update_fields=["removed_at"])
        Findable.objects.forget(
            households=[document.household_id],
            kind=FindableKind.DOCUMENT,
            uuids=[document.uuid],
        )
        return undo.remember(
            kind=REMOVED,
            label=document.name,
            now=now,
            owner=owner,
            household=document.household,
            subject=document.uuid,
            is_removal=True,
        )


def take_back(change: Change, owner: Owner, now: datetime) -> None:
    """Put a document that was added into the bin."""
    document = _of(change)
    if document.removed_at is None:
        remove(document=document, owner=owner, now=now)


def take_all_back(change: Change, owner: Owner, now: datetime) -> None:
    """Put all that was added together into the bin; what lies there already stays there."""
    added = Document.objects.filter(
        household=change.household_id, uuid__in=change.after["documents"], removed_at=None
    )
    for document in added.order_by("pk"):
        remove(document=document, owner=owner, now=now)


def put_back(change: Change, owner: Owner, now: datetime) -> None:
    """Take a document out of the bin."""
    document = _of(change)
    document.removed_at = None
    document.save(update_fields=["removed_at"])
    _note(document, text_of(document))


def _of(change: Change) -> Document:
    rows = Document.objects.filter(household=change.household_id, uuid=undo.subject_of(change))
    found = rows.first()
    if found is None:
        raise undo.UndoError(gettext_noop("It is gone for good."))
    return found


def note_words(document: Document) -> None:
    """Let a document be found by its words, read anew; one in the bin is not found."""
    if document.removed_at is None:
        _note(document, text_of(document))


def erase_due(*, before: datetime, limit: int = 200) -> int:
    """Erase documents that lie in the bin since before `before`, with their bytes."""
    old = Document.objects.filter(removed_at__lt=before).order_by("removed_at")[:limit]
    found = list(old)
    for document in found:
        vault.forget(document.uuid)
        document.delete()
    return len(found)


def erase(documents: Sequence[Document]) -> None:
    """Erase documents of one household so that nothing tells of them, once this commits."""
    keys = [document.uuid for document in documents]
    for home in {document.household_id for document in documents}:
        Findable.objects.forget(households=[home], kind=FindableKind.DOCUMENT, uuids=keys)
    Document.objects.filter(pk__in=[document.pk for document in documents]).delete()
    for key in keys:
        transaction.on_commit(partial(vault.forget, key))


def found_by(*, owner: Owner, words: str) -> list[UUID]:
    """Return the documents in which these words stand, or by which they are called."""
    asked = folding.asked(words.replace("\x00", "")[:200])
    if not asked:
        return []
    homes = Household.objects.for_owner(owner).values_list("pk", flat=True)
    mine = Findable.objects.for_owner(owner).filter(kind=FindableKind.DOCUMENT)
    said = mine.said(folding.tsquery(homes, asked)).order_by("-at")
    return list(said.values_list("object", flat=True)[:FOUND_MOST])


def text_of(document: Document) -> str:
    """Return the words in a document, read anew from what is kept; none of a lost one."""
    if not document.has_text:
        return ""
    with contextlib.suppress(vault.VaultError):  # only of what was read in pictures
        return vault.get(document.uuid, part=vault.WORDS).decode("utf-8", "replace")
    try:
        content = vault.get(document.uuid)
    except vault.VaultError:
        log.error("document_lost", document=str(document.uuid))
        return ""  # its row can still be changed, and taken out of the bin
    return _words(document.media_type, content)


def read_due(*, limit: int = 1) -> int:
    """Read the words in pictures that wait for it; return how many were looked at.

    Each is read outside any transaction. One that cannot be read is not tried again.
    """
    if not reading.reads_pictures():
        return 0
    done = 0
    for _document in range(limit):
        with transaction.atomic():
            waiting = Document.objects.filter(awaits_reading=True, removed_at=None)
            rows = waiting.select_for_update(skip_locked=True, of=("self",))
            document = rows.select_related("asset").order_by("pk").first()
            if document is None:
                return done
            # Before it is read: what kills its reader does not wait for the next one.
            document.awaits_reading = False
            document.save(update_fields=["awaits_reading"])
        done += 1
        _read_pictures(document)
    return done


def read_waiting(now: datetime) -> int:
    """Read one paper that waits: a chore for where no worker runs."""
    return read_due()


def _read_pictures(document: Document) -> None:
    try:
        text = reading.picture_words(vault.get(document.uuid)).strip()
        if sum(letter.isalnum() for letter in text) < LEAST_LETTERS:
            return
        vault.put(document.uuid, text.encode(), part=vault.WORDS)
    except (reading.UnreadableError, vault.VaultError) as error:
        log.warning("picture_not_read", document=str(document.uuid), why=str(error)[:80])
        return
    with transaction.atomic():
        kept = Document.objects.select_for_update(of=("self",)).filter(pk=document.pk)
        found = kept.select_related("asset").first()
        if found is None:
            vault.forget(document.uuid)  # erased meanwhile, with all but what we just wrote
            return
        found.has_text = True
        found.save(update_fields=["has_text"])
        if found.removed_at is None:
            _note(found, text)


def read_again(document: Document) -> None:
    """Make thumbnail and words of a document whose bytes are kept anew, and let it be found.

    What cannot be read any more is kept all the same, and found by its name.
    """
    text = ""
    if not document.url:
        try:
            read = _read(vault.get(document.uuid))
        except (DocumentError, vault.VaultError) as error:
            log.warning("document_not_read", document=str(document.uuid), why=str(error)[:80])
        else:
            if read.thumb:
                vault.put(document.uuid, read.thumb, part=vault.THUMB)
            text = read.text
            document.has_thumb, document.has_text = bool(read.thumb), bool(text.strip())
            document.awaits_reading = _is_unread(read)
            document.save(update_fields=["has_thumb", "has_text", "awaits_reading"])
    if document.removed_at is None:
        _note(document, text)


def _is_unread(read: _Read) -> bool:
    """Whether words may stand in pictures that somebody here can read."""
    is_picture = bool(read.thumb) or read.media_type == sniffing.PDF
    return is_picture and not read.text.strip() and reading.reads_pictures()


def clean_name(name: str) -> str:
    """Return a file name as it may be shown and saved anywhere."""
    plain = _UNSAFE.sub(" ", unicodedata.normalize("NFC", name)).strip(" .")
    return plain[:200].strip() or "Document"


def guess(name: str, read: _Read) -> DocumentKind:
    """Return what a file seems to be for; the owner can say otherwise."""
    if read.thumb:
        return DocumentKind.PHOTO
    said = f"{name} {read.text[:2000]}".casefold()
    marks = {
        DocumentKind.RECEIPT: ("receipt", "invoice", "rechnung", "quittung", "fattura", "total"),
        DocumentKind.WARRANTY: ("warranty", "guarantee", "garantie", "garanzia"),
        DocumentKind.MANUAL: ("manual", "instructions", "anleitung", "istruzioni"),
        DocumentKind.CONTRACT: ("contract", "agreement", "vertrag", "contratto"),
    }
    for kind, words in marks.items():
        if any(word in said for word in words):
            return kind
    return DocumentKind.OTHER


def _read(content: bytes) -> _Read:
    if not content:
        raise DocumentError("empty", "The file is empty.")
    if len(content) > sniffing.MOST:
        raise DocumentError("too_large", "The file is larger than 25 MB.")
    found = sniffing.media_type(content)
    if not found:
        raise DocumentError("type", "Photos (JPEG, PNG, WebP, GIF), PDF and plain text are kept.")
    try:
        if found in sniffing.IMAGES:
            full, thumb = reading.photo(content)
            return _Read(media_type="image/jpeg", content=full, thumb=thumb)
        return _Read(media_type=found, content=content, text=_words(found, content))
    except reading.UnreadableError as error:
        raise DocumentError("unreadable", "This file cannot be read. Is it whole?") from error


def _words(media_type: str, content: bytes) -> str:
    if media_type == sniffing.TEXT:
        return content[: 4 * LETTERS].decode("utf-8", "replace").replace("\x00", "")[:LETTERS]
    try:
        return reading.pdf_text(content)
    except reading.UnreadableError:
        return ""  # a locked or odd PDF is kept all the same; it is found by its name


def _note(document: Document, text: str) -> None:
    about = document.asset.name if document.asset else ""
    kinds = in_every_language(DocumentKind(document.kind).label)
    Findable.objects.note(
        [
            Wording(
                household_id=document.household_id,
                kind=FindableKind.DOCUMENT,
                uuid=document.uuid,
                title=document.name,
                detail=about,
                texts=(*kinds, about, document.host, unquote(document.url), text),
                most=WORDS_MOST,
                at=document.added_at,
            )
        ]
    )
