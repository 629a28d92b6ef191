"""What others collected of real calendars, mails and pages: none of it breaks a reader."""

import warnings
from pathlib import Path

import pytest

from suppliers.adapters import headers, ical, markup, mime, schema_org, text
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from tests.adapters.conftest import CORPORA

NO_CORPORA = "the shared corpora are not beside this checkout"


def files(folder: str, pattern: str = "*") -> list[Path]:
    return sorted((CORPORA / folder).glob(pattern))


def of(folder: str, pattern: str = "*") -> pytest.MarkDecorator:
    found = [pytest.param(path, id=path.name) for path in files(folder, pattern)]
    skipped = [pytest.param(None, marks=pytest.mark.skip(reason=NO_CORPORA))]
    return pytest.mark.parametrize("path", found or skipped)


# These hold no event, or are beyond a limit or repair.
WITHOUT_EVENT = {
    "3.ics", "4.ics", "Casablanca.ics", "categories.ics",
    "custom_component.ics", "mansour.ics", "mathBirthdays.ics", "rfc5545-sec3.6.2.ics",
    "rfc5545-sec3.6.3.ics", "rfc5545-sec3.6.4.ics", "rfc5545-sec3.6.5.ics",
    "rfc5545-sec3.6.6.ics", "rfc5545-sec4.4.ics", "rfc5545-sec4.5.ics",
}  # fmt: skip


@of("ics-valid", "*.ics")
def test_a_valid_calendar_yields_its_events(path: Path, context: Context) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's guesses at vendors' zone names
        if path.name in WITHOUT_EVENT:
            with pytest.raises(ContentError):
                ical.read(path.read_bytes(), context=context)
        else:
            assert ical.read(path.read_bytes(), context=context)


@of("ics-invalid", "*.ics")
def test_an_invalid_calendar_gets_a_verdict(path: Path, context: Context) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdict = ""
        try:
            found = ical.read(path.read_bytes(), context=context)
        except ContentError as error:
            found, verdict = [], error.code
    assert found or verdict in {"invalid_calendar", "no_event", "too_large"}


@of("mail", "*.eml")
def test_every_mail_is_taken_in(path: Path, context: Context) -> None:
    contacts = mime.read(path.read_bytes(), context=context)
    assert len(contacts) == 1
    assert contacts[0].title or contacts[0].body or contacts[0].sender


@of("markup", "*.html")
def test_a_page_is_read_however_broken(path: Path, context: Context) -> None:
    html = path.read_text(errors="replace")
    base = mime.plain(headers.Head(()), context)
    found = schema_org.understood(base, markup.items(html), context)
    is_reservation = "Reservation" in html and "reservationNumber" in html
    assert bool(found.keys) == is_reservation


@of("replies", "*.txt")
def test_a_reply_keeps_what_its_writer_wrote(path: Path) -> None:
    written = path.read_text(errors="replace")
    visible = text.visible_reply(written)
    assert visible
    assert len(visible) <= len(written)
