"""What others collected of real calendars, pages and replies, through the real entrances.

Nothing is lost and nothing breaks; where an expected result lies beside a file, the
facts we use are those. (Their mails: test_mail_corpus.)
"""

import json
import time
import warnings
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from suppliers import inbox, mail, sandbox
from suppliers.adapters import ical, text
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.adapters.mail import read
from suppliers.contacts import Contact as Said
from suppliers.models import Contact, InboundEvent
from tests.adapters.conftest import CORPORA
from tests.factories import Cast

NO_CORPORA = "the shared corpora are not beside this checkout"
SLOWEST_S = 2.0
LARGEST = 512 * 2**20


def files(folder: str, pattern: str = "*") -> list[Path]:
    return sorted((CORPORA / folder).glob(pattern))


def of(folder: str, pattern: str = "*") -> pytest.MarkDecorator:
    found = [pytest.param(path, id=path.name) for path in files(folder, pattern)]
    skipped = [pytest.param(None, marks=pytest.mark.skip(reason=NO_CORPORA))]
    return pytest.mark.parametrize("path", found or skipped)


needs_corpora = pytest.mark.skipif(not files("markup"), reason=NO_CORPORA)


@pytest.fixture
def proved(settings: Settings, context: Context) -> None:
    """Believe the mails' own verdict; the start of a child is not what is measured."""
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"
    read(b"Subject: Hello\r\n\r\nHello", context=context)


def envelope(name: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Skyline <visits@skyline.example>"
    message["Subject"] = f"About {name}"
    message["Message-ID"] = f"<{name}@skyline.example>"
    message["Authentication-Results"] = "mx.steward.example; dmarc=pass header.from=skyline.example"
    return message


def taken_in(raw: bytes, cast: Cast, now: datetime) -> list[Said]:
    """Return what one mail says, through the intake; it is whole, in time and in memory."""
    began = time.monotonic()
    recorded = mail.receive(raw=raw, recipient=cast.alias, now=now)
    inbox.process_due(now=now)
    assert time.monotonic() - began < SLOWEST_S
    event = InboundEvent.objects.get(event_id=recorded.id)
    assert event.state == "processed"
    rows = Contact.objects.filter(inbound=event).order_by("pk")
    return [Said.from_json(row.said) for row in rows]


def peak_memory() -> int:
    """Return the most that any child which waits for the next mail has used, in bytes."""
    peaks = [0]
    for child in sandbox._idle:
        status = Path(f"/proc/{child.process.pid}/status").read_text()
        peaks += [
            int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")
        ]
    return max(peaks)


# -- calendars -------------------------------------------------------------------------

# These hold no event, or are beyond a limit or repair.
WITHOUT_EVENT = {
    "3.ics", "4.ics", "Casablanca.ics", "categories.ics", "custom_component.ics", "mansour.ics",
    "mathBirthdays.ics", "rfc5545-sec3.6.2.ics", "rfc5545-sec3.6.3.ics", "rfc5545-sec3.6.4.ics",
    "rfc5545-sec3.6.5.ics", "rfc5545-sec3.6.6.ics", "rfc5545-sec4.4.ics", "rfc5545-sec4.5.ics",
}  # fmt: skip


@of("ics-valid", "*.ics")
def test_a_valid_calendar_yields_its_events(path: Path, context: Context) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's guesses at vendors' zone names
        if path.name in WITHOUT_EVENT:
            with pytest.raises(ContentError) as refused:
                ical.read(path.read_bytes(), context=context)
            assert refused.value.code in {"no_event", "too_large"}
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


def invitation(path: Path) -> bytes:
    message = envelope(path.name)
    message.set_content("See the calendar.")
    message.add_attachment(path.read_bytes(), maintype="text", subtype="calendar")
    return message.as_bytes()


@needs_corpora
def test_every_calendar_comes_in_by_mail_and_none_is_lost(
    cast: Cast, now: datetime, proved: None
) -> None:
    kept = refused = 0
    for path in (*files("ics-valid", "*.ics"), *files("ics-invalid", "*.ics")):
        said = taken_in(invitation(path), cast, now)
        assert said, path.name
        assert not said[0].status.startswith("unreadable"), path.name
        verdicts = [item for item in said[0].remarks if item.startswith("calendar_refused:")]
        # A calendar states a visit, or its mail says why it does not; it is never just gone.
        assert bool(verdicts) != any(item.visit is not None for item in said), path.name
        kept, refused = kept + (not verdicts), refused + bool(verdicts)
    assert (kept + refused, refused) == (101, REFUSED)
    assert peak_memory() < LARGEST


REFUSED = 20


@needs_corpora
def test_a_zone_without_a_name_is_asked_for_and_never_assumed(
    cast: Cast, now: datetime, proved: None
) -> None:
    (said,) = taken_in(invitation(CORPORA / "ics-valid" / "blankTzid.ics"), cast, now)
    assert said.visit is not None
    assert (said.visit.uid, said.visit.window) == ("t21ocubdt9jagerldbkak7uhcg@google.com", None)
    assert [ask.fact for ask in said.asks] == ["calendar_zone"]
    assert said.remarks == ("zone_unknown:nameless",)


# -- pages -----------------------------------------------------------------------------


def page(path: Path) -> bytes:
    message = envelope(path.name)
    message.set_content("<p>Hello</p>", subtype="html")
    message.set_content(path.read_text(errors="replace"), subtype="html", cte="base64")
    return message.as_bytes()


def name_of(thing: dict[str, Any], field: str) -> str:
    found = thing.get(field)
    name = found.get("name", "") if isinstance(found, dict) else found or ""
    return " ".join(str(name).split())


def instant(written: str) -> str:
    if len(written) == 10:
        return written
    written = written.replace("+0:00", "+00:00")
    return datetime.fromisoformat(written).astimezone(UTC).isoformat()


def expected_of(thing: dict[str, Any]) -> dict[str, str]:
    """Return the facts we use of what lies beside a page."""
    kind = thing["@type"]
    about = thing.get("reservationFor", thing)
    facts = {"guest": name_of(thing, "underName")}
    if kind == "FlightReservation":
        line = about["airline"]["iataCode"]
        times = (instant(about["departureTime"]), instant(about["arrivalTime"]))
        facts[f"trip.{line} {about['flightNumber']}"] = "/".join(times)
    elif kind == "LodgingReservation":
        where = about["address"]
        lines = (about["name"], *(where[part] for part in ADDRESS))
        facts |= {
            "what": about["name"],
            "starts": instant(thing["checkinDate"]),
            "ends": instant(thing["checkoutDate"]),
            "place": ", ".join(dict.fromkeys(lines)),
        }
    elif kind in ("EventReservation", "Event"):
        where = about.get("location", {})
        lines = (where.get("name"), *(where.get("address", {}).get(part) for part in ADDRESS))
        start = instant(about["startDate"])
        facts |= {
            "what": about["name"],
            "starts": start,
            "ends": instant(about["endDate"]) if "endDate" in about else start,
            "place": ", ".join(line for line in lines if line),
        }
    else:
        return {}
    return {name: value for name, value in facts.items() if value}


ADDRESS = ("streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry")
USED = ("what", "starts", "ends", "place", "guest", "trip.")


def read_of(said: Said) -> dict[str, str]:
    """Return the same of what was read: a visit has its times and place in itself."""
    found = {
        fact.name: fact.value
        for fact in said.facts
        if fact.source == "markup" and fact.name.startswith(USED)
    }
    if said.visit is not None and said.visit.window is not None and "what" in found:
        window = said.visit.window
        found |= {"starts": window.start.isoformat(), "ends": window.end.isoformat()}
        found |= {"place": said.visit.place} if said.visit.place else {}
    return found


@needs_corpora
@of("markup", "*.html")
def test_a_page_says_what_lies_beside_it(
    path: Path, cast: Cast, now: datetime, proved: None
) -> None:
    (said,) = taken_in(page(path), cast, now)
    things = json.loads(path.with_suffix(".json").read_text())
    wanted: dict[str, str] = {}
    for thing in things:
        wanted |= expected_of(thing)
    assert read_of(said) == wanted
    numbers = {thing["reservationNumber"] for thing in things if "reservationNumber" in thing}
    assert {key.value for key in said.keys if key.scheme == "order"} == numbers
    status = {thing["reservationStatus"] for thing in things if "reservationStatus" in thing}
    assert {said.status} == {item.rsplit("/", 1)[-1] for item in status} or not status
    assert peak_memory() < LARGEST


# -- replies ---------------------------------------------------------------------------

# What the writer wrote; where it is long, how it begins and ends, and what is not in it.
VISIBLE = {
    "correct_sig.txt": "this is an email with a correct -- signature.",
    "email_1_4.txt": "Awesome! I haven't had another problem with it.",
    "email_1_6.txt": "I get proper rendering as well.\n\nSent from a magnificent torch of pixels",
    "email_1_7.txt": ":+1:",
    "email_2_1.txt": "Outlook with a reply",
    "email_2_2.txt": "Outlook with a reply directly above line",
    "email_2_3.txt": "Outlook with a reply directly above line",
    "email_BlackBerry.txt": "Here is another email",
    "email_iPhone.txt": "Here is another email",
    "email_multi_word_sent_from_my_mobile_device.txt": "Here is another email",
    "email_sent_from_my_not_signature.txt": (
        "Here is another email\n\nSent from my desk, is much easier then my mobile phone."
    ),
    "pathological.txt": (
        "I think you're onto something. I will try to fix the problem as soon as I\n"
        "get back to a computer."
    ),
}
EDGES = {
    "email_1_1.txt": ("Hi folks", "-Abhishek Kona", "mailing list"),
    "email_1_2.txt": ("Hi,", "delete them all individually.\"", "Abhishek Kona"),
    "email_1_3.txt": ("Oh thanks.", "-Abhishek Kona", "Russell"),
    "email_1_5.txt": ("One: Here's", "for a while.", "> "),
    "email_1_8.txt": ("I will reply under this one", "and under this.", "Tim Haines"),
    "email_bullets.txt": ("test 2", "- and another", "Give us"),
    "email_long_quote.txt": ("Hi folks", "-Abhishek Kona", "\n>"),
    "email_one_is_not_on.txt": ("Thank, this", "when I run...", "Dave"),
    "email_sig_delimiter_in_middle_of_line.txt": ("Hi there!", "kthxbai", "> "),
    "greedy_on.txt": ("On your remote host", "tunnel is not working.", "George"),
}  # fmt: skip


@of("replies", "*.txt")
def test_a_reply_is_what_its_writer_wrote(path: Path) -> None:
    written = path.read_text(errors="replace")
    began = time.process_time()
    visible = text.visible_reply(written)
    assert time.process_time() - began < 0.25
    if path.name in VISIBLE:
        assert visible == VISIBLE[path.name]
    else:
        begins, ends, never = EDGES[path.name]
        assert visible.startswith(begins)
        assert visible.rstrip().endswith(ends)
        assert never not in visible


@needs_corpora
@pytest.mark.parametrize("name", ["pathological.txt", "email_long_quote.txt"])
def test_a_hostile_reply_costs_no_more_than_its_length(name: str) -> None:
    written = (CORPORA / "replies" / name).read_text(errors="replace")

    def cost(times: int) -> float:
        whole = written * times
        began = time.process_time()
        text.visible_reply(whole)
        return time.process_time() - began

    cost(1)
    assert cost(8) < 40 * max(cost(1), 0.005)


@needs_corpora
def test_every_reply_comes_in_by_mail(cast: Cast, now: datetime, proved: None) -> None:
    for path in files("replies", "*.txt"):
        message = envelope(path.name)
        message.set_content(path.read_text(errors="replace"), cte="base64")
        (said,) = taken_in(message.as_bytes(), cast, now)
        assert said.body.strip(), path.name
    assert peak_memory() < LARGEST
