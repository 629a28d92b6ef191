"""Photos and papers of one asset: an archive of them, or a list of where they lie.

LubeLogger exports the attachments of a vehicle as such an archive: each file is named by its
number, the kind of record it belongs to, that record's day and its own name; those that are
links stand in a table beside them.
"""

import re
from datetime import date
from pathlib import PurePosixPath

from django.utils.translation import gettext_noop

from assets.care_words import WorkKind
from assets.importers.drafts import PaperDraft, RowDrafts
from assets.importers.faults import RowError
from assets.importers.files import ARCHIVE, LINKS
from assets.importers.rows import TO_US, Ask, Format, Row

WORK = {
    "servicerecord": WorkKind.SERVICE,
    "repairrecord": WorkKind.REPAIR,
    "upgraderecord": WorkKind.UPGRADE,
    "gasrecord": WorkKind.FUEL,
    "inspectionrecord": WorkKind.INSPECTION,
}
_NAMED = re.compile(r"\d+_([A-Za-z]+Record)_(\d{4}-\d\d-\d\d)_(.+)")


def fits(columns: frozenset[str], section: str) -> bool:
    """Whether rows are the files of an archive, or say where papers lie."""
    return section == ARCHIVE or columns >= LINKS


def read(row: Row) -> RowDrafts:
    """Return a paper."""
    entry = row.first("file")[1]
    if entry:
        return _file(row, entry)
    kind, on, name = row.text("datatype"), row.text("date"), row.text("name", most=200)
    url = row.first("location")[1]
    if not url.startswith(("https://", "http://")):
        raise RowError("elsewhere", row.first("location")[0], name or url)
    draft = PaperDraft(whose=TO_US, name=name, url=url, on=_day(on), about=WORK.get(kind.lower()))
    return RowDrafts(key=row.key("link", url, on, name), drafts=[draft])


def _file(row: Row, entry: str) -> RowDrafts:
    path = PurePosixPath(entry)
    found = _NAMED.fullmatch(path.name)
    kind, on, name = found.groups() if found else ("", "", path.name)
    draft = PaperDraft(
        whose=TO_US, name=name, entry=entry, on=_day(on), about=WORK.get(kind.lower())
    )
    # Its number in the archive changes with what was added before it.
    return RowDrafts(key=row.key("file", kind, on, name), drafts=[draft])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None  # the paper is kept without it


PAPERS = Format(
    slug="papers",
    label=gettext_noop("Photos and papers of one asset, such as LubeLogger's attachments"),
    source="papers",
    fits=fits,
    read=read,
    asks=frozenset({Ask.ASSET}),
    keeps_file=True,
)
