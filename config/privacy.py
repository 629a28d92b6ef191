"""Everything of an owner, given out or erased: each app's own part, put together.

An app that keeps anything of an owner has a `privacy` module; this is the list of them.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from django.template.loader import render_to_string

import assets.privacy
import notifications.privacy
import owners.privacy
import suppliers.privacy
import suppliers.repeats
from assets.models import Asset
from config import export_files
from notifications import practice
from notifications.models import Card
from owners import access, deletion, exports, repeats, undo
from owners.models import Deletion, Export, Household, Owner
from owners.privacy import Piece, Section, Whose


class App(Protocol):
    """What the `privacy` module of an app does."""

    def erase_household(self, *, household: Household, now: datetime) -> None:
        """Erase what the app holds of a household."""

    def erase_owner(self, *, owner: Owner, now: datetime) -> None:
        """Erase what the app holds of an owner outside any household."""


# In the order in which they erase: what names others goes before them.
APPS: tuple[App, ...] = (
    notifications.privacy,
    suppliers.privacy,
    assets.privacy,
    owners.privacy,
)
# Sections that are no table of their own name.
NOT_JSON = ("index", "raw", "files", "calendar", "process-log")
LISTED = 5_000  # rows of each kind in the page to read; the JSON has all of them


def index(of: Whose) -> Iterator[Piece]:
    """Yield the page to read: what is looked after, every matter, and what each file is."""
    context = {
        "owner": of.owner,
        "households": Household.objects.filter(pk__in=of.households).order_by("pk"),
        "things": Asset.objects.filter(household__in=of.households).order_by("name", "pk")[:LISTED],
        "cards": Card.objects.filter(household__in=of.households).order_by("-changed_at", "-pk")[
            :LISTED
        ],
        "files": [name for name in TABLES if name not in NOT_JSON],
    }
    yield Piece(name="index.html", content=render_to_string("privacy/index.html", context).encode())


TABLES: Mapping[str, Section] = {
    **owners.privacy.SECTIONS,
    **assets.privacy.SECTIONS,
    **suppliers.privacy.SECTIONS,
    **notifications.privacy.SECTIONS,
    "index": index,
}
SECTIONS: Mapping[str, Section] = export_files.with_copies(TABLES)


def manifest(export: Export) -> Iterator[Piece]:
    """Yield the file that says what all the others of an export are."""
    return export_files.manifest(export, TABLES)


def not_exported() -> dict[str, str]:
    """Return every table of ours that no export holds, each with the reason."""
    return {
        **owners.privacy.not_exported(),
        **assets.privacy.not_exported(),
        **suppliers.privacy.not_exported(),
        **notifications.privacy.not_exported(),
    }


def work_due(now: datetime) -> int:
    """Do one piece of what waits: an export's next section, an erasure, old messages.

    Returns how much was done; nothing when nothing is due.
    """
    done = exports.work(now=now, sections=SECTIONS, closing=manifest)
    done += suppliers.privacy.purge_due(now=now)
    done += suppliers.repeats.purge_due(now=now)
    done += exports.forget_due(now=now)
    done += notifications.privacy.purge_due(now=now)
    done += assets.privacy.empty_bin(now=now)
    done += undo.forget_due(now=now)
    done += repeats.forget_answers(now=now)
    done += practice.purge_due(now)
    # Last: it is tried until it can be done, and one that fails holds up nothing else.
    return done + erase_due(now=now)


def erase_due(*, now: datetime) -> int:
    """Carry out one deletion whose grace is over; return 1, or 0 without one."""
    with transaction.atomic():
        rows = Deletion.objects.due(now).select_for_update(skip_locked=True, of=("self",))
        due = rows.select_related("owner", "household").first()
        if due is None:
            return 0
        if due.household is not None:
            erase_household(household=due.household, now=now)
        else:
            erase_account(owner=due.owner, now=now)
    return 1


def erase_household(*, household: Household, now: datetime) -> None:
    """Erase a household from every app; its members stay."""
    with transaction.atomic():
        key = household.pk
        for app in APPS:
            app.erase_household(household=household, now=now)
        notifications.privacy.erase_traces(household_id=key)
        access.note(kind="deleted", now=now, what={"of": "household"})


def erase_account(*, owner: Owner, now: datetime) -> None:
    """Erase an owner from every app, with the households nobody else is in.

    Households with other members stay theirs; one of them becomes admin where none is left.
    """
    with transaction.atomic():
        for household in deletion.hand_on(owner=owner):
            erase_household(household=household, now=now)
        for app in APPS:
            app.erase_owner(owner=owner, now=now)
        access.note(kind="deleted", now=now, what={"of": "account"})


class _Stream(io.RawIOBase):
    """Takes what the archive writes and hands it on, so nothing of it is kept."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        found, self.written = b"".join(self.written), []
        return found


def archive(export: Export) -> Iterator[bytes]:
    """Yield the ZIP of a ready export as it is made; memory holds one piece."""
    stream = _Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        name, file = "", None
        for part, content in exports.pieces(export):
            if part != name:
                if file is not None:
                    file.close()
                stamp = zipfile.ZipInfo(f"steward/{part}", export.created_at.timetuple()[:6])
                stamp.compress_type = zipfile.ZIP_DEFLATED
                name, file = part, packed.open(stamp, "w", force_zip64=True)
            if file is not None:
                file.write(content)
            yield stream.taken()
        if file is not None:
            file.close()
    yield stream.taken()
