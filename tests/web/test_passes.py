"""The pass in a browser: made by Ana, read by whoever holds it, ended at once."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets import documents
from notifications import feed, pass_rules, passes, pipeline
from notifications.choices import PassWay
from notifications.models import Journey, Pass, PassTry, PassVisit
from owners import access, sealing
from owners.models import AccessEntry, Membership, Owner
from suppliers.models import Contact
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime.fromisoformat("2026-11-13T18:31:00-05:00")
PULSE_QUERIES, PAGE_QUERIES_MOST = 1, 36
CHROME = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36"


@pytest.fixture(autouse=True)
def evening() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def given(journey: Journey, **wishes: Any) -> Pass:
    """Make a pass of Ana's."""
    owner = Owner.objects.get(email="ana@hart.example")
    return passes.make(
        owner=owner,
        household=journey.household,
        journey=journey,
        asset=journey.asset,
        wishes=passes.Wishes(**wishes),
        now=NOW,
    )


def token_of(held: Pass) -> str:
    """Return the path of a pass's link."""
    return "/passes/" + passes.address_of(held).partition("/passes/")[2]


def text(response: HttpResponseBase) -> str:
    """Return a page as text."""
    return str(response.content.decode())  # type: ignore[attr-defined]


def opened(held: Pass) -> tuple[Client, str]:
    """Return an agent's browser with the pass open, and the address of its page."""
    agent = Client(HTTP_USER_AGENT=CHROME)
    answer = agent.post("/passes/", {"code": passes.code_of(held)})
    assert answer.status_code == 302
    return agent, answer["Location"]


# -- made by its owner -----------------------------------------------------------------


def test_a_pass_is_made_from_a_matter_with_the_least_ticked(ana: Client, journey: Journey) -> None:
    form = text(ana.get(f"/passes/new/?journey={journey.uuid}"))
    ticked = re.findall(r'name="scope" value="(\w+)"[^>]*checked', form)
    assert ticked == list(pass_rules.USUAL)
    answer = ana.post(
        "/passes/new/",
        {"journey": journey.uuid, "scope": ticked, "hours": "1", "may_write": "on"},
    )
    made = Pass.objects.get()
    assert answer["Location"] == f"/passes/mine/{made.uuid}/"
    assert made.expires_at == NOW + timedelta(hours=1)
    page = text(ana.get(answer["Location"]))
    code = passes.code_of(made)
    assert pass_rules.spaced(code) in page
    assert passes.address_of(made) in page
    for letter, word in pass_rules.spell(code, language="en"):
        assert letter in page
        assert word in page


def test_a_fact_that_was_taken_off_stays_off_and_one_that_was_not_offered_is_on(
    ana: Client, journey: Journey
) -> None:
    page = text(ana.get(f"/passes/new/?journey={journey.uuid}"))
    offered = re.findall(r'name="offered" value="([^"]+)"', page)
    assert offered
    body = {"journey": journey.uuid, "scope": ["facts"], "hours": "1"}
    ana.post("/passes/new/", body | {"offered": offered, "facts": offered[1:]})
    assert Pass.objects.latest("pk").without == offered[:1]
    ana.post("/passes/new/", body)
    assert Pass.objects.latest("pk").without == []


def test_each_language_spells_in_its_own_words(ana: Client, story: Owner, journey: Journey) -> None:
    made = given(journey)
    for language, word in (("de", "Berta"), ("it", "Bologna"), ("en", "Bravo")):
        story.language = language
        story.save()
        assert dict(pass_rules.spell("B", language=language))["B"] == word
        spelt = [
            word for _letter, word in pass_rules.spell(passes.code_of(made), language=language)
        ]
        page = text(ana.get(f"/passes/mine/{made.uuid}/"))
        assert all(word in page for word in spelt)


def test_the_matter_lists_its_open_passes(ana: Client, journey: Journey) -> None:
    made = given(journey)
    assert f"/passes/mine/{made.uuid}/" in text(ana.get(f"/journeys/{journey.uuid}/"))
    assert f"/passes/mine/{made.uuid}/" in text(ana.get("/passes/mine/"))


def test_nothing_that_opens_a_pass_is_kept_in_the_clear(journey: Journey) -> None:
    made = given(journey)
    code, token = passes.code_of(made), token_of(made).split("/")[2]
    kept = Pass.objects.filter(pk=made.pk).values().get()
    assert code.encode() not in b"".join(bytes(v) for v in kept.values() if isinstance(v, bytes))
    assert token.encode() not in bytes(kept["sealed_token"])
    with pytest.raises(sealing.UnsealError):
        sealing.unseal(
            kept["sealed_token"], table="notifications_pass", key=str(uuid4()), field="token"
        )


# -- read without an account -----------------------------------------------------------


def test_an_agent_types_the_code_and_reads_what_was_tried(journey: Journey, story: Owner) -> None:
    feed.act(owner=story, journey=journey, name="answer", data={"answer": "not_yet"}, now=NOW)
    journey.refresh_from_db()
    agent, address = opened(given(journey))
    page = text(agent.get(address))
    assert "A visit: not yet" in page
    assert "Please do not ask again" in page
    assert page.index("Already tried") < page.index("Please do not ask again")


def test_a_code_is_taken_however_it_is_typed(journey: Journey) -> None:
    code = passes.code_of(given(journey))
    typed = f" {code[:3].lower()} - {code[3:].lower()} "
    assert Client().post("/pass/", {"code": typed}).status_code == 302


def test_nothing_of_a_pass_may_be_kept(journey: Journey) -> None:
    held = given(journey)
    agent, address = opened(held)
    cookie = agent.cookies["pass"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (address, "Strict", True)
    for answer in (agent.get(address), agent.get(f"{address}pulse/"), agent.get(token_of(held))):
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]


def test_a_program_reads_the_same_as_json(journey: Journey) -> None:
    held = given(journey)
    for answer in (
        Client().get(token_of(held), headers={"Accept": "application/json"}),
        Client().get(token_of(held).rstrip("/") + ".json"),
        Client().post(
            "/passes/",
            json.dumps({"code": passes.code_of(held)}),
            content_type="application/json",
            headers={"Accept": "application/json"},
        ),
    ):
        assert answer.status_code == 200
        said = answer.json()
        assert said["thing"]["name"] == "Living-room DVR"
        assert said["tried"][0]["what"] == "call"
        assert said["expires_at"]
    assert set(PassVisit.objects.values_list("way", flat=True)) == {PassWay.MACHINE}


def test_a_photo_is_seen_only_where_it_was_ticked(journey: Journey, story: Owner) -> None:
    both = [
        documents.add(
            household=journey.household,
            asset=journey.asset,
            owner=story,
            name=f"{name}.txt",
            content=name.encode(),
            now=NOW,
        )
        for name in ("shown", "kept back")
    ]
    agent, address = opened(given(journey, papers=[both[0].uuid]))
    page = text(agent.get(address))
    assert "shown.txt" in page
    assert "kept back.txt" not in page
    assert agent.get(f"{address}papers/{both[0].uuid}/").content == b"shown"
    assert agent.get(f"{address}papers/{both[1].uuid}/").status_code == 410
    assert Client().get(f"{address}papers/{both[0].uuid}/").status_code == 410


def test_another_browser_cannot_go_on_reading(journey: Journey) -> None:
    _agent, address = opened(given(journey))
    stranger = Client()
    stranger.cookies["pass"] = "guessed"
    assert stranger.get(address).status_code == 410
    assert stranger.get(f"{address}pulse/").status_code == 410


# -- ended -----------------------------------------------------------------------------


def test_after_the_end_the_very_next_request_shows_nothing(ana: Client, journey: Journey) -> None:
    held = given(journey)
    agent, address = opened(held)
    assert agent.get(f"{address}pulse/").status_code == 204
    ana.post(f"/passes/mine/{held.uuid}/act/", {"name": "revoke"})
    link = token_of(held)
    for gone in (address, f"{address}pulse/", link):
        assert agent.get(gone).status_code == 410
    assert agent.post(address, {"kind": "promise", "what": "x"}).status_code == 410
    held.refresh_from_db()
    assert held.code_index is None
    assert held.token_index is None
    assert passes.code_of(held) == ""


def test_a_pass_ends_by_itself_and_with_its_makers_membership(
    journey: Journey, story: Owner, evening: Any
) -> None:
    held = given(journey)
    agent, address = opened(held)
    Membership.objects.filter(owner=story).update(rank="viewer")
    assert agent.get(f"{address}pulse/").status_code == 410
    Membership.objects.filter(owner=story).update(rank="admin")
    assert agent.get(f"{address}pulse/").status_code == 204
    evening.move_to(NOW + timedelta(hours=1))
    assert agent.get(f"{address}pulse/").status_code == 410


def test_an_agents_page_left_alone_closes(journey: Journey, evening: Any) -> None:
    agent, address = opened(given(journey, hours=24))
    evening.move_to(NOW + pass_rules.IDLE)
    assert agent.get(address).status_code == 410


def test_what_never_was_and_what_ended_look_the_same(journey: Journey, story: Owner) -> None:
    ended = given(journey)
    link, code = token_of(ended), passes.code_of(ended)
    passes.revoke(held=ended, owner=story, now=NOW)
    answers = [Client().get(address) for address in (link, "/passes/never-was/")]
    assert answers[0].status_code == answers[1].status_code == 410
    assert answers[0].content == answers[1].content
    nobodys = "ZZZZZZ" if code != "ZZZZZZ" else "YYYYYY"
    said = [Client().post("/passes/", {"code": typed}) for typed in (code, nobodys)]
    pages = [text(one).replace(code, "").replace(nobodys, "") for one in said]
    assert said[0].status_code == said[1].status_code == 422
    assert pages[0] == pages[1]


# -- codes cannot be guessed -----------------------------------------------------------


def wrong(times: int, address: str) -> HttpResponseBase:
    """Type wrong codes from one address; return the last answer."""
    agent = Client(REMOTE_ADDR=address)
    for _ in range(times):
        answer = agent.post("/passes/", {"code": "222222"})
    return answer


def test_ten_wrong_codes_lock_an_address_even_for_the_right_one(
    journey: Journey, evening: Any
) -> None:
    code = passes.code_of(given(journey, hours=24))
    assert wrong(10, "203.0.113.7").status_code == 422
    here = Client(REMOTE_ADDR="203.0.113.7")
    locked = here.post("/passes/", {"code": code})
    assert locked.status_code == 429
    assert int(locked["Retry-After"]) == 3600
    assert "60 more minutes" in text(locked)
    assert Client(REMOTE_ADDR="203.0.113.8").post("/passes/", {"code": code}).status_code == 302
    evening.move_to(NOW + pass_rules.ONE_LOCKED)
    assert here.post("/passes/", {"code": code}).status_code == 302


def test_addresses_of_one_ipv6_network_count_as_one(journey: Journey) -> None:
    code = passes.code_of(given(journey))
    for number in range(10):
        wrong(1, f"2001:db8:1:2::{number:x}")
    near, far = Client(REMOTE_ADDR="2001:db8:1:2:3::4"), Client(REMOTE_ADDR="2001:db8:1:3::4")
    assert near.post("/passes/", {"code": code}).status_code == 429
    assert far.post("/passes/", {"code": code}).status_code == 302


def test_a_hundred_wrong_codes_in_all_kill_every_code_made_before(
    ana: Client, journey: Journey, story: Owner, evening: Any
) -> None:
    held = given(journey)
    for number in range(10):
        wrong(10, f"203.0.113.{number}")
    fresh = Client(REMOTE_ADDR="203.0.113.200")
    assert fresh.post("/passes/", {"code": passes.code_of(held)}).status_code == 422
    assert fresh.get(token_of(held)).status_code == 200, "the link goes on"
    assert "no longer opens it" in text(ana.get(f"/passes/mine/{held.uuid}/"))
    evening.move_to(NOW + timedelta(seconds=1))
    ana.post(f"/passes/mine/{held.uuid}/act/", {"name": "code"})
    held.refresh_from_db()
    assert fresh.post("/passes/", {"code": passes.code_of(held)}).status_code == 302


def test_a_code_is_used_up_and_too_old(journey: Journey, evening: Any) -> None:
    held = given(journey, hours=168)
    for _ in range(pass_rules.CODE_OPENS):
        opened(held)
    assert Client().post("/passes/", {"code": passes.code_of(held)}).status_code == 422
    later = given(journey, hours=168)
    evening.move_to(NOW + pass_rules.CODE_LASTS)
    assert Client().post("/passes/", {"code": passes.code_of(later)}).status_code == 422
    assert Client().get(token_of(later)).status_code == 200


def test_another_sites_page_cannot_try_codes(journey: Journey) -> None:
    code = passes.code_of(given(journey))
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert Client().post("/passes/", {"code": code}, headers=headers).status_code == 403
    assert not PassTry.objects.exists()


# -- watched ---------------------------------------------------------------------------


def test_the_owner_sees_who_reads_it_and_the_log_says_so(
    ana: Client, journey: Journey, evening: Any
) -> None:
    held = given(journey)
    agent, address = opened(held)
    page = f"/passes/mine/{held.uuid}/"
    live = text(ana.get(page, headers={"HX-Request": "true"}))
    assert "Being read now" in live
    assert "Chrome, Android" in live
    evening.move_to(NOW + timedelta(seconds=30))
    assert "Nobody reads it now" in text(ana.get(page, headers={"HX-Request": "true"}))
    agent.get(f"{address}pulse/")
    assert "Being read now" in text(ana.get(page, headers={"HX-Request": "true"}))
    kinds = list(AccessEntry.objects.order_by("number").values_list("kind", flat=True))
    assert kinds[-2:] == ["pass_made", "pass_opened"]
    assert not list(access.verify())
    assert "127.0.0.1" not in str(list(PassVisit.objects.values()))


# -- written on ------------------------------------------------------------------------


def write(agent: Client, address: str, **note: Any) -> HttpResponseBase:
    """Fill in one of the forms of the page, as the browser does."""
    page = text(agent.get(address))
    proof = re.search(r'name="proof" value="(\w+)"', page)
    assert proof
    return agent.post(address, {"proof": proof[1], "key": uuid4().hex, **note})


def test_what_an_agent_writes_joins_the_matter_as_said_by_whoever_holds_the_pass(
    ana: Client, journey: Journey
) -> None:
    agent, address = opened(given(journey, scope=list(pass_rules.SCOPES)))
    who = "Jo, billing@skyline.example"
    for note in (
        {"kind": "reference", "reference": "SKY-4471", "who": who},
        {"kind": "promise", "what": "Send a new box", "due_at": "2026-11-16T17:00", "who": who},
        {"kind": "outcome", "step": "Sent a signal", "result": "No picture", "who": who},
    ):
        assert write(agent, address, **note)["Location"].endswith("?noted=1#write")
    pipeline.drain(now_fn=lambda: NOW)
    said = list(Contact.objects.filter(inbound__way="pass").order_by("pk"))
    assert {(one.trust, one.supplier, one.outcome) for one in said} == {(0, None, "shown")}
    assert all(one.links.get(revoked_at=None).journey == journey for one in said)
    page = text(agent.get(address))
    for word in ("SKY-4471", "Send a new box", "Sent a signal: no picture"):
        assert word in page
    theirs = text(ana.get(f"/journeys/{journey.uuid}/"))
    assert "on a pass, unproved" in theirs
    assert "Send a new box" in theirs
    promise = journey.promises.get(what="Send a new box")
    assert promise.supplier is None, "nobody proved whose promise it is"
    assert promise.due_at == datetime.fromisoformat("2026-11-16T17:00:00-05:00")


def test_a_note_sent_twice_is_one(journey: Journey) -> None:
    agent, address = opened(given(journey))
    page = text(agent.get(address))
    proof = re.search(r'name="proof" value="(\w+)"', page)
    assert proof
    for _ in range(2):
        agent.post(
            address,
            {"proof": proof[1], "key": "k", "kind": "reference", "reference": "A-1"},
        )
    pipeline.drain(now_fn=lambda: NOW)
    assert Contact.objects.filter(inbound__way="pass").count() == 1


def test_a_note_overrides_nothing_that_is_believed_more(journey: Journey, story: Owner) -> None:
    held = given(journey)
    agent, address = opened(held)
    before = dict(journey.facts.values_list("name", "value"))
    write(agent, address, kind="reference", reference="EVIL")
    pipeline.drain(now_fn=lambda: NOW)
    after = dict(journey.facts.exclude(name__startswith="reference:").values_list("name", "value"))
    assert after == before
    assert not journey.facts.filter(state="conflict").exists()


def test_nothing_is_written_where_the_owner_allows_none_or_the_matter_is_closed(
    journey: Journey, story: Owner
) -> None:
    agent, address = opened(given(journey, may_write=False))
    assert "Write back" not in text(agent.get(address))
    open_to, there = opened(given(journey))
    assert open_to.post(there, {"kind": "promise", "what": "x"}).status_code == 403, "no proof"
    feed.act(owner=story, journey=journey, name="answer", data={"answer": "works"}, now=NOW)
    assert "Write back" not in text(open_to.get(there))
    held = given(journey)
    answer = Client().post(
        token_of(held),
        json.dumps({"kind": "promise", "what": "x"}),
        content_type="application/json",
        headers={"Accept": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "closed")
    assert not Contact.objects.filter(inbound__way="pass").exists()


def test_a_program_writes_with_its_link(journey: Journey) -> None:
    link = token_of(given(journey))

    def send(**note: Any) -> HttpResponseBase:
        return Client().post(
            link,
            json.dumps(note),
            content_type="application/json",
            headers={"Accept": "application/json"},
        )

    assert send(kind="reference", reference="B-2").status_code == 202
    assert send(kind="reference").status_code == 400
    assert send(kind="nonsense").status_code == 400
    pipeline.drain(now_fn=lambda: NOW)
    assert journey.keys.filter(scheme="ticket", value="B-2", issuer=0).exists()


# -- whose it is -----------------------------------------------------------------------


def test_another_household_neither_sees_nor_ends_a_pass(journey: Journey) -> None:
    held = given(journey)
    mallory = factories.OwnerFactory.create()
    factories.MembershipFactory.create(owner=mallory)
    browser = Client()
    browser.force_login(mallory, backend="django.contrib.auth.backends.ModelBackend")
    for address in ("", "print/"):
        assert browser.get(f"/passes/mine/{held.uuid}/{address}").status_code == 404
    assert browser.post(f"/passes/mine/{held.uuid}/act/", {"name": "revoke"}).status_code == 404
    assert browser.get(f"/passes/new/?journey={journey.uuid}").status_code == 404
    assert str(held.uuid) not in text(browser.get("/passes/mine/"))


def test_who_only_reads_sees_that_there_is_a_pass_but_not_its_code(
    ana: Client, journey: Journey, story: Owner
) -> None:
    held = given(journey)
    reader = factories.OwnerFactory.create()
    factories.MembershipFactory.create(owner=reader, household=journey.household, rank="viewer")
    browser = Client()
    browser.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    page = text(browser.get(f"/passes/mine/{held.uuid}/"))
    assert pass_rules.spaced(passes.code_of(held)) not in page
    assert passes.address_of(held) not in page
    assert browser.post(f"/passes/mine/{held.uuid}/act/", {"name": "revoke"}).status_code == 403


def test_mallory_with_a_pass_of_another_household_sees_only_that(
    journey: Journey, story: Owner
) -> None:
    """Her own pass's page gives her no other pass's papers, notes or words."""
    home = factories.MembershipFactory.create(owner=factories.OwnerFactory.create())
    thing = factories.AssetFactory.create(household=home.household, name="Her kettle")
    hers = passes.make(
        owner=home.owner,
        household=home.household,
        journey=None,
        asset=thing,
        wishes=passes.Wishes(scope=list(pass_rules.SCOPES)),
        now=NOW,
    )
    theirs = given(journey, scope=list(pass_rules.SCOPES))
    paper = documents.add(
        household=journey.household, asset=journey.asset, owner=story, name="x.txt",
        content=b"theirs", now=NOW,
    )  # fmt: skip
    Pass.objects.filter(pk=hers.pk).update(papers=[paper.uuid])
    agent, address = opened(hers)
    page = text(agent.get(address))
    assert "Her kettle" in page
    assert "Write back" not in page
    assert agent.get(f"{address}papers/{paper.uuid}/").status_code == 410
    _other, there = opened(theirs)
    agent.cookies["pass"] = agent.cookies["pass"].value
    assert agent.get(there).status_code == 410


# -- forgotten -------------------------------------------------------------------------


def test_what_ended_loses_its_secrets_and_in_time_everything(journey: Journey) -> None:
    held = given(journey)
    opened(held)
    wrong(1, "203.0.113.9")
    passes.purge_due(now=held.expires_at)
    held.refresh_from_db()
    assert bytes(held.sealed_token) == b""
    assert held.code_index is None
    passes.purge_due(now=NOW + timedelta(hours=26))
    assert not PassTry.objects.exists()
    assert PassVisit.objects.exists()
    passes.purge_due(now=held.expires_at + pass_rules.KEPT + timedelta(seconds=1))
    assert not Pass.objects.exists()
    assert not PassVisit.objects.exists()


def test_a_household_has_only_so_many_passes(ana: Client, journey: Journey) -> None:
    for _ in range(passes.LIVE_MOST):
        given(journey)
    answer = ana.post("/passes/new/", {"journey": journey.uuid, "hours": "1"})
    assert answer.status_code == 422
    assert "many passes already" in text(answer)


def counted(agent: Client, address: str) -> int:
    """Return how many queries a request takes."""
    with CaptureQueriesContext(connection) as seen:
        agent.get(address)
    return len(seen)


def test_a_page_takes_few_queries_and_asking_whether_it_may_go_on_takes_one(
    journey: Journey, story: Owner
) -> None:
    scope = list(pass_rules.SCOPES)
    agent, address = opened(given(journey, scope=scope))
    assert counted(agent, f"{address}pulse/") == PULSE_QUERIES
    before = counted(agent, address)
    for number in range(5):
        write(agent, address, kind="reference", reference=f"N-{number}")
        write(agent, address, kind="outcome", step=f"Step {number}")
    pipeline.drain(now_fn=lambda: NOW)
    assert counted(agent, address) == before <= PAGE_QUERIES_MOST
