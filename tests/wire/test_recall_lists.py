"""The lists of authorities: read as they are documented, asked politely, and guarded."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import recalls, register
from assets.choices import AssetKind, IdentifierScheme
from assets.cover_words import Confidence
from assets.models import RecallFeed, RecallMatch, RecallNotice
from suppliers import guard, recall_watch
from suppliers.recall_sources import SOURCES
from suppliers.recall_sources.values import SourceError, european_day, text
from tests import factories

PAYLOADS = Path(__file__).parent / "recall_lists"
NOW = datetime(2026, 11, 9, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CAR = "FORD|F-150|2013"


def payload(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


# -- how they are read ---------------------------------------------------------------------


def test_nhtsa_is_read_with_its_days_and_flags_in_every_spelling() -> None:
    first, second = SOURCES["nhtsa"].read(payload("nhtsa.json"), CAR).published
    assert (first.number, first.published_on, first.do_not_use) == (
        "19V075000", date(2019, 2, 13), False,
    )  # fmt: skip
    assert first.title == (
        "Ford Motor Company: Power train, Automatic transmission, Control module (tcm, pcm)"
    )
    assert (second.published_on, second.do_not_use) == (date(2020, 11, 6), True)
    assert "<b>" not in second.hazard
    (criterion,) = first.criteria
    assert (criterion.brand, criterion.model, criterion.year) == ("FORD", "F-150", 2013)


def test_cpsc_is_read_with_who_made_it_and_which_numbers() -> None:
    (only,) = SOURCES["cpsc"].read(payload("cpsc.json"), "").published
    assert (only.number, only.published_on, only.do_not_use) == ("26-114", date(2026, 11, 5), True)
    assert only.url == "https://www.cpsc.gov/Recalls/2026/Samsung-Recalls-Refrigerators"
    assert {one.brand.split()[0] for one in only.criteria} == {"Samsung"}
    assert {one.gtin for one in only.criteria} == {"", "00887276300016"}
    ranges = {(one.serial_from, one.serial_to) for one in only.criteria if one.serial_from}
    assert ranges == {("0B1K4BAN400100Z", "0B1K4BAN400200Z")}


def test_safety_gate_names_its_weeks_and_each_week_its_alerts() -> None:
    listed = SOURCES["safety-gate"].read(payload("safety-gate-list.xml"), "")
    assert listed.leads == ("10000329", "10000330")
    boiler, doll = SOURCES["safety-gate"].read(payload("safety-gate-week.xml"), "1").published
    assert (boiler.number, boiler.title) == ("SR/02362/26", "Vaillant, Condensing boiler")
    assert [one.lot for one in boiler.criteria] == ["2116, 2117", "2116, 2117"]
    assert (doll.title, doll.url) == ("Doll", "")
    assert [(one.brand, one.gtin) for one in doll.criteria] == [("", "04006381333931")]


@pytest.mark.parametrize(
    ("source", "body", "code"),
    [
        ("nhtsa", b"<html>", "not_json"),
        ("nhtsa", b"[]", "not_an_object"),
        ("nhtsa", b'{"results": "nope"}', "no_results"),
        ("cpsc", b"{}", "not_a_list"),
        ("cpsc", b"[" * 100_000, "not_json"),
        ("safety-gate", b"not xml", "not_xml"),
        ("safety-gate", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "has_doctype"),
    ],
)
def test_what_is_no_list_is_refused(source: str, body: bytes, code: str) -> None:
    with pytest.raises(SourceError) as raised:
        SOURCES[source].read(body, CAR)
    assert raised.value.code == code


@given(st.sampled_from(sorted(SOURCES)), st.binary(max_size=200))
def test_no_bytes_break_a_reader(source: str, body: bytes) -> None:
    try:
        SOURCES[source].read(body, CAR)
    except SourceError:
        return


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["results", "Title", "RecallNumber", "Products", "ProductUPCs", "Model",
                         "NHTSACampaignNumber", "Manufacturers", "Name", "ModelYear"]),
        inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_no_shape_breaks_a_reader(value: Any) -> None:
    for source, wrapped in (("nhtsa", {"results": [value]}), ("cpsc", [value])):
        SOURCES[source].read(json.dumps(wrapped).encode(), CAR)


def test_days_and_texts() -> None:
    assert european_day("02/13/2019") == date(2019, 2, 13)  # only so can it be a day
    assert european_day("2019-02-13T00:00:00") == date(2019, 2, 13)
    assert european_day("31/31/2019") is None
    assert text("A &amp; B<br>\x07C") == "A & B C"
    assert text({"a": 1}) == ""


# -- how they are asked --------------------------------------------------------------------


@dataclass
class Said:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Lists(http.server.ThreadingHTTPServer):
    """The lists of all three authorities, on this machine."""

    def __init__(self) -> None:
        self.answers: dict[str, Said] = {
            "/recalls/recallsByVehicle": Said(body=payload("nhtsa.json")),
            "/RestWebServices/Recall": Said(
                body=payload("cpsc.json"), headers={"ETag": '"v1"', "Last-Modified": "yesterday"}
            ),
            "/safety-gate-alerts/api/download/weeklyReport/list/xml/en": Said(
                body=payload("safety-gate-list.xml")
            ),
            "/safety-gate-alerts/api/download/weeklyReport/detail/xml/10000329": Said(
                body=payload("safety-gate-week.xml")
            ),
            "/safety-gate-alerts/api/download/weeklyReport/detail/xml/10000330": Said(
                body=b"<Safety-Gate/>"
            ),
        }
        self.asked: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Lists

    def do_GET(self) -> None:
        said = self.server.answers.get(self.path.partition("?")[0], Said(status=404))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, headers))
        etag = said.headers.get("ETag")
        is_same = etag is not None and headers.get("if-none-match") == etag
        self.send_response(304 if is_same else said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if not is_same:
            self.send_header("content-length", str(len(said.body)))
        self.end_headers()
        if not is_same:
            self.wfile.write(said.body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def lists(settings: Any) -> Iterator[Lists]:
    server = Lists()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    settings.RECALL_SOURCES = sorted(SOURCES)
    settings.RECALL_BASES = dict.fromkeys(SOURCES, base)
    settings.RECALL_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def car() -> Any:
    home: Any = factories.HouseholdFactory()
    said = {"name": "Pickup", "kind": AssetKind.VEHICLE, "maker": "Ford", "model": "F-150"}
    vin = (IdentifierScheme.VIN, "1FTFW1ET5DFC10312")
    return register.add(household=home, values=said, identifiers=[vin], now=NOW)


def drain(now: datetime = NOW) -> None:
    while recall_watch.work(now):
        pass


@pytest.mark.django_db
def test_nobody_is_asked_unless_the_operator_names_them(lists: Lists, settings: Any) -> None:
    settings.RECALL_SOURCES = []
    car()
    drain()
    assert (lists.asked, RecallFeed.objects.count()) == ([], 0)


@pytest.mark.django_db
def test_every_list_is_asked_and_what_is_owned_is_found(lists: Lists) -> None:
    thing = car()
    drain()
    assert RecallNotice.objects.count() == 2 + 1 + 2
    rows = RecallMatch.objects.filter(asset=thing)
    assert {(row.notice.number, row.confidence) for row in rows} == {
        ("19V075000", Confidence.LIKELY),
        ("20V332000", Confidence.LIKELY),
    }
    paths = [path for path, _headers in lists.asked]
    assert "/recalls/recallsByVehicle?make=FORD&model=F-150&modelYear=2013" in paths
    # What leaves names a model and nothing of anybody.
    assert all("1FTFW1ET5DFC10312" not in path for path in paths)
    drain()
    assert len(lists.asked) == len(paths)  # nothing is due


@pytest.mark.django_db
def test_what_has_not_changed_is_not_sent_again(lists: Lists, settings: Any) -> None:
    settings.RECALL_SOURCES = ["cpsc"]
    drain()
    drain(NOW + DAY)
    first, second = lists.asked
    assert "LastPublishDateStart=2016" in first[0]
    assert "LastPublishDateStart=2026-11-02" in second[0]
    assert second[1]["if-none-match"] == '"v1"'
    feed = RecallFeed.objects.get()
    assert (feed.failures, feed.etag) == (0, '"v1"')


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(status=500), "status 500"),
        (Said(status=302, headers={"Location": "http://127.0.0.1/"}), "status 302"),
        (Said(body=b"<html>sign in</html>"), "unreadable: not_json"),
        (Said(body=b"[" + b" " * 3_000 + b"]"), "blocked: too_large"),
        (Said(body=b"[]", headers={"Content-Encoding": "gzip"}), "blocked: packed"),
    ],
)
def test_what_fails_changes_nothing_and_is_asked_later_and_later(
    lists: Lists, settings: Any, said: Said, error: str
) -> None:
    settings.RECALL_SOURCES = ["cpsc"]
    drain()
    settings.RECALL_MOST_BYTES = 2_000
    lists.answers["/RestWebServices/Recall"] = said
    waits, at = [], NOW + DAY
    for _time in range(7):
        drain(at)
        feed = RecallFeed.objects.get()
        waits.append(feed.next_at - at)
        at = feed.next_at
    assert feed.error == error
    assert waits == [1 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 3 * DAY, 3 * DAY, 3 * DAY]
    assert RecallNotice.objects.count() == 1
    settings.RECALL_MOST_BYTES = 2**20
    lists.answers["/RestWebServices/Recall"] = Said(body=payload("cpsc.json"))
    drain(at)
    feed.refresh_from_db()
    assert (feed.failures, feed.error, feed.next_at - at) == (0, "", DAY)


@pytest.mark.django_db
def test_a_list_that_asks_us_to_wait_is_left_alone_so_long(lists: Lists, settings: Any) -> None:
    settings.RECALL_SOURCES = ["cpsc"]
    lists.answers["/RestWebServices/Recall"] = Said(status=429, headers={"Retry-After": "86400"})
    drain()
    assert RecallFeed.objects.get().next_at == NOW + DAY


@pytest.mark.django_db
def test_no_vehicle_of_that_name_is_an_answer(lists: Lists, settings: Any) -> None:
    settings.RECALL_SOURCES = ["nhtsa"]
    lists.answers["/recalls/recallsByVehicle"] = Said(status=400)
    car()
    drain()
    feed = RecallFeed.objects.get(key=CAR)
    assert (feed.failures, feed.next_at) == (0, NOW + 7 * DAY)


@pytest.mark.django_db
def test_what_is_owned_no_more_is_asked_about_no_more(lists: Lists, settings: Any) -> None:
    settings.RECALL_SOURCES = ["nhtsa"]
    thing = car()
    drain()
    thing.removed_at = NOW
    thing.save()
    recalls.review_asset(thing, now=NOW)
    drain(NOW + DAY)
    assert list(RecallFeed.objects.values_list("key", flat=True)) == [""]


def test_a_list_is_never_reached_inside_our_own_network(lists: Lists) -> None:
    with pytest.raises(guard.BlockedError) as raised:
        guard.get(f"http://127.0.0.1:{lists.server_port}/", most=100, timeout=5)
    assert raised.value.code == "not_https"
    with pytest.raises(guard.BlockedError) as raised:
        guard.get(
            "https://metadata.example/",
            most=100,
            timeout=5,
            resolver=lambda _host, _port: ["169.254.169.254"],
        )
    assert raised.value.code == "not_public"
