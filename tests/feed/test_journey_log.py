"""The journey log for process mining: OCEL 2.0 JSON and XES as their standards have them."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.test import Client
from lxml import etree  # type: ignore[import-untyped]  # has no types

from notifications import journey_log
from notifications.models import Decision, Journey, Link, Notification
from owners.models import Household, Owner
from suppliers.choices import Outcome
from suppliers.models import Contact
from tests import factories
from tests.factories import START, Cast
from tests.web.conftest import played

XES = "{http://www.xes-standard.org/}"
NIGHTLY = hypothesis.settings.get_current_profile_name() == "nightly"
SCALARS = {"string", "date", "int", "float", "boolean", "id"}


@pytest.fixture
def ana(db: None) -> Owner:
    """Ana at the end of the story."""
    return played()


def written(kind: str, owner: Owner, *homes: Household) -> bytes:
    pks = [home.pk for home in homes or Household.objects.for_owner(owner)]
    return b"".join(journey_log.write(kind, owner=owner, households=pks))


def ocel(owner: Owner, *homes: Household) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written("ocel", owner, *homes))
    return found


def body(answer: Any) -> bytes:
    """Return what a stream says."""
    return b"".join(answer.streaming_content)


def xes(owner: Owner) -> Any:
    return etree.fromstring(written("xes", owner))


def instant(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    assert at.tzinfo is not None
    return at


# --- OCEL 2.0 ----------------------------------------------------------------------------


def declared(types: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Return what is declared of each type; everything the schema requires is there."""
    found = {}
    for one in types:
        assert set(one) == {"name", "attributes"}
        for attribute in one["attributes"]:
            assert set(attribute) == {"name", "type"}
            assert attribute["type"] in ("string", "time", "integer", "float", "boolean")
        found[one["name"]] = {each["name"]: each["type"] for each in one["attributes"]}
    return found


def is_of(kind: str, value: str) -> bool:
    """Whether a value, which the schema writes as text, is of its declared type."""
    if kind == "boolean":
        return value in ("true", "false")
    return value.lstrip("-").isdecimal() if kind == "integer" else True


def check_ocel(log: dict[str, Any]) -> None:
    """Check what the standard's JSON Schema requires, and what its text adds to that."""
    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    kinds = {"objects": declared(log["objectTypes"]), "events": declared(log["eventTypes"])}
    ids = [one["id"] for one in log["objects"]]
    assert len(ids) == len(set(ids))
    assert len({one["id"] for one in log["events"]}) == len(log["events"])
    for part, types in kinds.items():
        for one in log[part]:
            at = {"time"} if part == "events" else set()
            assert set(one) == {"id", "type", "attributes", "relationships"} | at
            assert all(isinstance(one[name], str) for name in {"id", "type"} | at)
            known = types[one["type"]]
            for attribute in one["attributes"]:
                timed = set() if part == "events" else {"time"}
                assert set(attribute) == {"name", "value"} | timed
                assert isinstance(attribute["value"], str)
                assert is_of(known[attribute["name"]], attribute["value"])
                assert not timed or instant(attribute["time"]).year > 2000
            for relation in one["relationships"]:
                assert set(relation) == {"objectId", "qualifier"}
                assert relation["objectId"] in ids
                assert relation["qualifier"]
            assert not at or instant(one["time"]).year > 2000


def test_the_ocel_log_is_as_the_standard_has_it(ana: Owner) -> None:
    check_ocel(ocel(ana))


def test_everything_that_happened_is_in_it_once(ana: Owner) -> None:
    kinds = Counter(one["type"] for one in ocel(ana)["events"])
    contacts = Counter(Contact.objects.for_owner(ana).values_list("direction", flat=True))
    assert kinds["contact received"] == contacts["in"]
    assert kinds["contact made"] == contacts["out"]
    assert kinds["owner told"] == Notification.objects.filter(state="told", owner=ana).count()
    assert kinds["owner decided"] == Decision.objects.filter(revoked_at=None).count()
    assert kinds["visit done"] == 1


def test_an_event_touches_the_thing_the_supplier_the_matter_and_the_person(ana: Owner) -> None:
    log = ocel(ana)
    types = {one["id"]: one["type"] for one in log["objects"]}
    touched = {
        types[relation["objectId"]] for one in log["events"] for relation in one["relationships"]
    }
    assert touched == {"asset", "supplier", "journey", "person"}


def test_no_person_is_named(ana: Owner) -> None:
    text = written("ocel", ana) + written("xes", ana)
    assert b"ana@hart.example" not in text


# --- XES ---------------------------------------------------------------------------------


def check_xes(log: Any) -> None:
    """Check what the schema of IEEE 1849-2016 requires: elements, their order, attributes."""
    assert log.tag == f"{XES}log"
    assert float(log.get("xes.version")) == 1849.2016
    assert log.get("xes.features") is not None
    order = ["extension", "global", "classifier", *SCALARS, "trace"]
    places = [_rank(child.tag.removeprefix(XES), order) for child in log]
    assert places == sorted(places)
    for extension in log.iter(f"{XES}extension"):
        assert set(extension.keys()) == {"name", "prefix", "uri"}
    for trace in log.iter(f"{XES}trace"):
        inside = [child.tag.removeprefix(XES) for child in trace]
        assert inside == sorted(inside, key=lambda tag: tag == "event")
    for element in log.iter(*(f"{XES}{tag}" for tag in SCALARS)):
        assert set(element.keys()) == {"key", "value"}
        if element.tag == f"{XES}date":
            assert instant(element.get("value")).year >= 1970
        if element.tag == f"{XES}int":
            int(element.get("value"))
        if element.tag == f"{XES}boolean":
            assert element.get("value") in ("true", "false")
    for event in log.iter(f"{XES}event"):
        keys = [child.get("key") for child in event]
        assert len(keys) == len(set(keys))
        assert {"concept:name", "time:timestamp", "lifecycle:transition"} <= set(keys)


def _rank(tag: str, order: list[str]) -> int:
    return 3 if tag in SCALARS else min(order.index(tag), 4)


def events_of(trace: Any) -> Iterator[tuple[datetime, str]]:
    for event in trace.iter(f"{XES}event"):
        words = {child.get("key"): child.get("value") for child in event}
        yield instant(words["time:timestamp"]), words["concept:name"]


def test_the_xes_log_is_as_the_standard_has_it(ana: Owner) -> None:
    check_xes(xes(ana))


def test_each_matter_is_a_trace_with_its_events_in_their_order(ana: Owner) -> None:
    traces = list(xes(ana).iter(f"{XES}trace"))
    assert len(traces) == Journey.objects.for_owner(ana).filter(is_emptied=False).count()
    for trace in traces:
        times = [at for at, _name in events_of(trace)]
        assert times
        assert times == sorted(times)


def test_both_logs_hold_the_same_events_of_matters(ana: Owner) -> None:
    flat = Counter(name for trace in xes(ana).iter(f"{XES}trace") for _, name in events_of(trace))
    on_matters = Counter(
        one["type"]
        for one in ocel(ana)["events"]
        if any(key["qualifier"] == "on" for key in one["relationships"])
    )
    assert flat == on_matters


@pytest.mark.parametrize(
    "text",
    ['<&">', "a\x00b\x0b", "\U0001f600", "ẞ"],
)
def test_any_title_can_be_written(cast: Cast, text: str) -> None:
    """What XML cannot hold at all is left out; the rest reads as it was written."""
    clean = text.replace("\x00", "").replace("\x0b", "")
    factories.JourneyFactory(household=cast.household, title=text.replace("\x00", ""))
    titles = [one.get("value") for one in xes(cast.ana).iter(f"{XES}string")]
    assert clean in titles
    assert ocel(cast.ana)


# --- whose it is -------------------------------------------------------------------------


def test_a_log_is_of_the_owners_own_households_only(cast: Cast) -> None:
    journey = factories.JourneyFactory.create(household=cast.household, title="Secret")
    contact = factories.ContactFactory.create(
        household=cast.household, supplier=cast.skyline, outcome=Outcome.SHOWN
    )
    Link.objects.create(household=cast.household, contact=contact, journey=journey, rule="key")
    for kind in journey_log.NAMES:
        theirs = written(kind, cast.mallory, cast.household)
        assert b"Secret" not in theirs
        assert str(contact.uuid).encode() not in theirs
    stolen = ocel(cast.mallory, cast.household)
    assert not stolen["events"]
    check_ocel(stolen)


def test_what_others_in_the_household_were_told_is_theirs(cast: Cast) -> None:
    ben = factories.OwnerFactory.create()
    factories.MembershipFactory(household=cast.household, owner=ben)
    journey = factories.JourneyFactory.create(household=cast.household)
    factories.NotificationFactory(
        journey=journey, owner=ben, state="told", told_at=START + timedelta(hours=1)
    )
    told = [
        sum(one["type"] == "owner told" for one in ocel(who)["events"]) for who in (cast.ana, ben)
    ]
    assert told == [0, 1]


def test_apps_read_the_log_as_it_is_written(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ana)
    for kind, name in journey_log.NAMES.items():
        answer = client.get(f"/api/v1/journey-log/{kind}/")
        assert answer.streaming
        assert name in answer["Content-Disposition"]
        assert body(answer) == written(kind, cast.ana)
    assert client.get("/api/v1/journey-log/csv/").status_code == 404
    other = cast.mallory_household.uuid
    assert client.get(f"/api/v1/journey-log/ocel/?household={other}").status_code == 400


# --- read by others ----------------------------------------------------------------------


@pytest.mark.skipif(not NIGHTLY, reason="of the nightly profile: pm4py weighs 400 MB")
def test_pm4py_reads_as_many_events_as_were_written(ana: Owner, tmp_path: Path) -> None:
    pm4py = pytest.importorskip("pm4py")
    for kind, name in journey_log.NAMES.items():
        (tmp_path / name).write_bytes(written(kind, ana))
    log = ocel(ana)
    read = pm4py.read_ocel2_json(str(tmp_path / journey_log.NAMES["ocel"]))
    related = [one for one in log["events"] if one["relationships"]]
    assert len(read.events) == len(related)
    assert set(read.objects["ocel:type"]) <= {one["name"] for one in log["objectTypes"]}
    flat = pm4py.read_xes(str(tmp_path / journey_log.NAMES["xes"]))
    traces = list(xes(ana).iter(f"{XES}trace"))
    assert len(flat) == sum(len(list(events_of(trace))) for trace in traces)
    assert flat["time:timestamp"].min().to_pydatetime().astimezone(UTC) < START + timedelta(days=5)
