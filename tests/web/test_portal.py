"""The suppliers' portal: who comes in, what they see, what they send."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications import pipeline, portal, portal_log, practice, scorecard
from notifications.models import Appointment, Delivery
from owners import clock
from owners.models import Household, Owner
from suppliers import keys, outbox, proofs, repeats, secrets, staffing, texting
from suppliers.choices import LinkKind, PersonState, StaffRole
from suppliers.models import (
    InboundEvent,
    OutboundEvent,
    SigningSecret,
    Supplier,
    SupplierDomain,
    SupplierNumber,
)
from suppliers.staff import StaffLink, SupplierPerson
from tests import factories
from tests.factories import START, Cast

WORK = "dana@skyline.example"


def person_of(
    supplier: Supplier, role: StaffRole = StaffRole.ADMIN, email: str = WORK
) -> SupplierPerson:
    return SupplierPerson.objects.create(
        supplier=supplier, email=email, name="Dana", role=role, state=PersonState.ACTIVE,
        session_stamp="s" * 32, created_at=START,
    )  # fmt: skip


def letter() -> str:
    """Return the path of the link in the newest letter."""
    staffing.send_due(now=clock.now())
    found = re.search(r"https?://[^/]+(/portal/enter/\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def signed_in(person: SupplierPerson) -> Client:
    """Return a browser in which this person came in by a link."""
    staffing.send_link(email=person.email, now=clock.now())
    browser = Client()
    browser.get(letter())
    assert browser.post("/portal/enter/").status_code == 302
    return browser


@pytest.fixture
def dana(cast: Cast) -> SupplierPerson:
    return person_of(cast.skyline)


def test_a_supplier_signs_up_by_mail_and_comes_in_as_its_admin(db: None) -> None:
    browser = Client()
    answer = browser.post("/portal/sign-up/", {"organisation": "Skyline TV", "email": WORK})
    assert answer.status_code == 200
    assert not Supplier.objects.exists(), "nothing exists until the mailbox has answered"
    path = letter()
    assert browser.get(path)["location"] == "/portal/enter/"
    assert b"Sign Skyline TV up" in browser.get("/portal/enter/").content
    assert browser.post("/portal/enter/", {"name": "Dana"})["location"] == "/portal/first/"
    person = SupplierPerson.objects.get()
    assert (person.role, person.state, person.name) == ("admin", "active", "Dana")
    assert person.supplier.name == "Skyline TV"
    assert browser.get("/portal/").status_code == 200


def test_looking_at_a_link_uses_nothing_up_and_its_button_works_once(dana: SupplierPerson) -> None:
    staffing.send_link(email=WORK, now=clock.now())
    path = letter()
    for _scanner in range(3):
        scanner = Client()
        scanner.get(path)
        scanner.head("/portal/enter/")
        assert scanner.get("/portal/enter/").status_code == 200
    first, second = Client(), Client()
    for browser in (first, second):
        browser.get(path)
    assert first.post("/portal/enter/").status_code == 302
    assert second.post("/portal/enter/").status_code == 410
    assert StaffLink.objects.get().sealed_token is None


def test_a_link_ends_by_itself(dana: SupplierPerson) -> None:
    staffing.send_link(email=WORK, now=clock.now())
    late = clock.now() + staffing.LIFE[LinkKind.SIGN_IN]
    browser = Client()
    path = letter()
    with clock.fixed(late):
        browser.get(path)
        assert browser.post("/portal/enter/").status_code == 410


def test_asking_for_a_link_says_the_same_of_every_address(dana: SupplierPerson) -> None:
    answers = []
    for email in (WORK, "nobody@else.example"):
        answer = Client().post("/portal/sign-in/", {"email": email})
        answers.append((answer.status_code, answer.content.replace(email.encode(), b"-")))
    assert answers[0] == answers[1]
    staffing.send_due(now=clock.now())
    assert [message.to for message in mail.outbox] == [[WORK]]
    again = Client().post("/portal/sign-up/", {"organisation": "Other", "email": WORK})
    assert again.content.replace(WORK.encode(), b"-") == answers[0][1]
    assert StaffLink.objects.filter(kind=LinkKind.SIGN_UP).count() == 0


def test_one_mailbox_and_one_network_get_only_so_many_letters(dana: SupplierPerson) -> None:
    for _ in range(staffing.AN_HOUR + 3):
        staffing.send_link(email=WORK, now=clock.now())
    assert StaffLink.objects.count() == staffing.AN_HOUR
    codes = [
        Client().post("/portal/sign-in/", {"email": f"n{n}@else.example"}).status_code
        for n in range(21)
    ]
    assert codes[:20] == [200] * 20
    assert codes[20] == 429


def test_a_session_is_an_owners_or_a_suppliers_persons_never_both(
    cast: Cast, dana: SupplierPerson
) -> None:
    browser = signed_in(dana)
    assert browser.get("/assets/").status_code == 302, "staff are no owners"
    browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert b"Send me a link" in browser.get("/portal/").content
    assert browser.get("/portal/visits/")["location"] == "/portal/"
    staffing.send_link(email=WORK, now=clock.now())
    browser.get(letter())
    before = browser.cookies["sessionid"].value
    browser.post("/portal/enter/")
    assert browser.cookies["sessionid"].value != before
    assert browser.get("/portal/visits/").status_code == 200
    assert browser.get("/assets/").status_code == 302, "coming in signed the owner out"


def test_a_session_ends_after_a_week_and_when_somebody_is_removed(dana: SupplierPerson) -> None:
    boss = person_of(dana.supplier, email="boss@skyline.example")
    browser, other, late = signed_in(dana), signed_in(dana), signed_in(dana)
    with clock.fixed(clock.now() + timedelta(days=8)):
        assert late.get("/portal/visits/").status_code == 302
    assert browser.post("/portal/leave/", {"everywhere": "1"}).status_code == 302
    assert other.get("/portal/visits/").status_code == 302, "signed out on every device"
    dana.refresh_from_db()
    browser = signed_in(dana)
    staffing.revoke(person=dana, by=boss, now=clock.now())
    assert browser.get("/portal/visits/").status_code == 302
    staffing.send_link(email=WORK, now=clock.now())
    assert not StaffLink.objects.open(clock.now()).filter(person=dana).exists()


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (StaffRole.AGENT, "/portal/visits/", 200),
        (StaffRole.AGENT, "/portal/keys/", 403),
        (StaffRole.AGENT, "/portal/first/", 403),
        (StaffRole.DEVELOPER, "/portal/keys/", 200),
        (StaffRole.DEVELOPER, "/portal/people/", 200),
    ],
)
def test_a_role_opens_its_pages_and_no_more(
    cast: Cast, role: StaffRole, path: str, status: int
) -> None:
    assert signed_in(person_of(cast.skyline, role)).get(path).status_code == status


def test_only_an_admin_changes_people_and_the_last_one_stays(dana: SupplierPerson) -> None:
    admin = signed_in(dana)
    admin.post("/portal/people/invite/", {"email": "tom@skyline.example", "role": "developer"})
    tom = SupplierPerson.objects.get(email="tom@skyline.example")
    browser = Client()
    browser.get(letter())
    assert browser.post("/portal/enter/", {"name": "Tom"}).status_code == 302
    for change in ({"role": "agent"}, {"remove": "1"}):
        browser.post(f"/portal/people/{dana.uuid}/", change)
        admin.post(f"/portal/people/{dana.uuid}/", change)
    assert (
        browser.post(
            "/portal/people/invite/", {"email": "x@y.example", "role": "admin"}
        ).status_code
        == 403
    )
    dana.refresh_from_db()
    assert (dana.role, dana.state) == ("admin", "active")
    admin.post(f"/portal/people/{tom.uuid}/", {"role": "admin"})
    admin.post(f"/portal/people/{dana.uuid}/", {"remove": "1"})
    dana.refresh_from_db()
    assert dana.state == PersonState.REVOKED


def test_every_form_wants_its_token(dana: SupplierPerson) -> None:
    staffing.send_link(email=WORK, now=clock.now())
    strict = Client(enforce_csrf_checks=True)
    strict.get(letter())
    assert strict.post("/portal/enter/").status_code == 403
    assert strict.post("/portal/sign-in/", {"email": WORK}).status_code == 403


def test_one_mailbox_may_work_for_two_suppliers(cast: Cast, dana: SupplierPerson) -> None:
    other = person_of(factories.SupplierFactory.create(name="Warm & Co"))
    stranger = person_of(
        factories.SupplierFactory.create(name="Strange"), email="else@where.example"
    )
    browser = signed_in(dana)
    here = SupplierPerson.objects.get(seen_at__isnull=False)
    target = other if here == dana else dana
    assert browser.post("/portal/change/", {"person": str(stranger.uuid)}).status_code == 404
    assert browser.post("/portal/change/", {"person": str(target.uuid)}).status_code == 302
    assert target.supplier.name.encode() in browser.get("/portal/").content


# --- the pages ---------------------------------------------------------------------------

PAGES = (
    "/portal/", "/portal/first/", "/portal/first/state/", "/portal/visits/",
    "/portal/requests/", "/portal/requests/?done=1", "/portal/send/", "/portal/send/?kind=visit",
    "/portal/send/?kind=invoice", "/portal/send/?kind=promise", "/portal/log/",
    "/portal/log/?way=out", "/portal/scorecard/", "/portal/scorecard/replied/", "/portal/profile/",
    "/portal/keys/", "/portal/people/",
)  # fmt: skip


def world(cast: Cast, supplier: Supplier, canary: str) -> tuple[Appointment, OutboundEvent]:
    """Give a supplier a visit, a request and a refused event, each with a canary."""
    journey = factories.JourneyFactory.create(
        household=cast.household, asset=cast.dvr, suppliers=[supplier.pk], title="Ana's own title"
    )
    start = clock.now() + timedelta(hours=2)
    visit = factories.AppointmentFactory.create(
        journey=journey, supplier=supplier, state="booked", start=start,
        end=start + timedelta(hours=2), uid=f"{canary}-job", zone="UTC", place="Ana's street",
    )  # fmt: skip
    asked = outbox.send(
        mandate=cast.household.mandates.get(supplier=supplier),
        type="owner.appointment.countered",
        data={
            "uid": visit.uid,
            "sequence": 0,
            "body": f"{canary} please later",
            "windows": [{"start": "2026-11-14T14:00:00+00:00", "end": "2026-11-14T18:00:00+00:00"}],
        },
        now=clock.now(),
    )
    portal.send(
        supplier=supplier,
        kind="message.created",
        data={"owner": asked.data["owner"], "body": f"{canary} said"},
        now=clock.now(),
        name=f"{canary}-event",
    )
    return visit, asked


def test_every_page_opens_empty_and_full_and_names_no_owner(
    cast: Cast, dana: SupplierPerson
) -> None:
    browser = signed_in(dana)
    for path in PAGES:
        assert browser.get(path).status_code == 200, path
    visit, asked = world(cast, cast.skyline, "Sky")
    sent = InboundEvent.objects.get(event_id="Sky-event")
    for path in (*PAGES, f"/portal/log/in/{sent.pk}/", f"/portal/log/out/{asked.uuid}/"):
        said = browser.get(path).content.decode()
        for private in ("Ana Hart", "Hart household", "ana@hart", "street", "own title"):
            assert private not in said, f"{path} says {private}"
    assert b"Sky please later" in browser.get("/portal/requests/").content
    assert f'/portal/visits/{visit.uuid}/"' in browser.get("/portal/visits/").content.decode()


def test_another_suppliers_people_see_and_change_nothing(cast: Cast, dana: SupplierPerson) -> None:
    visit, asked = world(cast, cast.skyline, "Zz-Canary")
    sent = InboundEvent.objects.get(event_id="Zz-Canary-event")
    secret = factories.SigningSecretFactory.create(supplier=cast.skyline)
    key = keys.make(supplier=cast.skyline, name="Zz-Canary", now=clock.now()).key
    proof = proofs.claim_domain(supplier=cast.skyline, domain="zz-canary.example", now=clock.now())
    mallory = factories.SupplierFactory.create(name="Mallory & Co")
    browser = signed_in(person_of(mallory, email="mallory@evil.example"))
    for path in (*PAGES, f"/portal/log/?q={asked.data['owner']}", "/portal/log/?q=message"):
        answer = browser.get(path)
        assert b"Zz-Canary" not in answer.content, path
        assert b"zz-canary" not in answer.content, path
    for path in (f"/portal/log/in/{sent.pk}/", f"/portal/log/out/{asked.uuid}/"):
        assert browser.get(path).status_code == 404
    stolen = {
        f"/portal/visits/{visit.uuid}/": {"step": "done"},
        f"/portal/requests/{asked.uuid}/": {"text": "Mallory was here"},
        f"/portal/log/out/{asked.uuid}/": {},
        f"/portal/people/{dana.uuid}/": {"remove": "1"},
        f"/portal/profile/{proof.uuid}/": {"remove": "1"},
        "/portal/keys/secret/": {"end": str(secret.uuid)},
        "/portal/keys/api/": {"revoke": str(key.uuid)},
    }
    for path, body in stolen.items():
        assert browser.post(path, body).status_code == 404, path
    refused = browser.post(
        "/portal/send/", {"owner": asked.data["owner"], "body": "x", "send": "1"}
    )
    assert refused.status_code == 200
    assert not InboundEvent.objects.filter(supplier=mallory).exists()


def test_a_button_on_a_visit_tells_the_owner_and_twice_is_once(
    cast: Cast, dana: SupplierPerson
) -> None:
    visit, _asked = world(cast, cast.skyline, "Sky")
    browser = signed_in(dana)
    for _tap in range(2):
        browser.post(f"/portal/visits/{visit.uuid}/", {"step": "arrived"})
    event = InboundEvent.objects.get(type="appointment.started")
    assert json.loads(event.body)["data"]["uid"] == visit.uid
    browser.post(f"/portal/visits/{visit.uuid}/", {"step": "on_my_way", "minutes": "45"})
    told = json.loads(InboundEvent.objects.get(type="appointment.en_route").body)
    assert told["data"]["eta"]["start"] > told["time"]


def test_a_visit_is_shown_in_the_time_of_its_place(cast: Cast, dana: SupplierPerson) -> None:
    visit, _asked = world(cast, cast.skyline, "Sky")
    visit.start, visit.zone = datetime(2026, 11, 13, 13, 0, tzinfo=UTC), "America/New_York"
    visit.end = visit.start + timedelta(hours=4)
    visit.save()
    browser = signed_in(dana)
    with clock.fixed(visit.start):
        session = browser.session
        until = (clock.now() + timedelta(days=1)).isoformat()
        session["staff"] = {**session["staff"], "until": until}
        session.save()
        said = browser.get("/portal/visits/").content.decode()
    assert "08:00 \u2013 12:00" in said
    assert "Friday, 13 November" in said


def test_taking_an_owners_other_time_moves_the_visit_once(cast: Cast, dana: SupplierPerson) -> None:
    visit, asked = world(cast, cast.skyline, "Sky")
    browser = signed_in(dana)
    for _tap in range(2):
        browser.post(f"/portal/requests/{asked.uuid}/", {"window": "0"})
    moved = json.loads(InboundEvent.objects.get(type="appointment.updated").body)["data"]
    assert (moved["uid"], moved["sequence"]) == (visit.uid, 1)
    assert moved["start"] == "2026-11-14T14:00:00+00:00"
    assert portal.open_requests(supplier=cast.skyline, now=clock.now()) == 0
    assert b"Dana answered" in browser.get("/portal/requests/?done=1").content


def test_a_form_says_what_it_comes_to_before_anything_is_sent(
    cast: Cast, dana: SupplierPerson
) -> None:
    browser = signed_in(dana)
    soon = clock.now() + timedelta(hours=4)
    body = {
        "owner": cast.mandate.owner_ref, "reference": "4471", "name": "n1", "zone": "UTC",
        "what": "visit", "start": f"{soon:%Y-%m-%dT%H:%M}",
        "end": f"{soon + timedelta(hours=2):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    looked = browser.post("/portal/send/?kind=visit", body, headers={"hx-request": "true"})
    assert b"It interrupts the owner" in looked.content
    assert b"<html" not in looked.content
    assert not InboundEvent.objects.exists()
    backwards = browser.post("/portal/send/?kind=visit", {**body, "end": body["start"]})
    assert b"It ends before it begins." in backwards.content
    assert browser.post("/portal/send/?kind=visit", {**body, "send": "1"}).status_code == 302
    assert json.loads(InboundEvent.objects.get().body)["data"]["uid"] == "n1@portal"


# --- the test owner ----------------------------------------------------------------------


def test_the_test_owner_is_judged_like_any_and_reaches_nobody(
    cast: Cast, dana: SupplierPerson
) -> None:
    signed_in(dana).get("/portal/first/")
    mandate = practice.mandate_of(supplier=cast.skyline, now=clock.now())
    sent = portal.send(
        supplier=cast.skyline, kind="message.created",
        data={"owner": mandate.owner_ref, "body": "Hello"}, now=clock.now(),
    )  # fmt: skip
    pipeline.drain(now_fn=clock.now)
    event = InboundEvent.objects.get(event_id=sent.id)
    assert event.contacts.get().outcome == "shown"
    assert not Delivery.objects.filter(household=mandate.household).exclude(kind="feed").exists()
    assert not Household.objects.for_owner(cast.ana).filter(pk=mandate.household_id).exists()
    nobody = Owner.objects.get(memberships__household=mandate.household_id)
    assert (nobody.is_active, nobody.has_usable_password()) == (False, False)
    card = scorecard.of(supplier=cast.skyline, now=clock.now())
    assert card.said_nothing_new.whole == 0


def test_forgetting_the_test_owner_keeps_its_name_and_nothing_else(cast: Cast) -> None:
    mandate = practice.mandate_of(supplier=cast.skyline, now=START)
    data = {"owner": mandate.owner_ref, "body": "Hello"}
    portal.send(supplier=cast.skyline, kind="message.created", data=data, now=START)
    pipeline.drain(now_fn=lambda: START)
    before = Owner.objects.count()
    assert practice.purge_due(START + timedelta(days=6)) == 0
    assert practice.purge_due(START + timedelta(days=8)) == 1
    again = practice.mandate_of(supplier=cast.skyline, now=START)
    assert again.owner_ref == mandate.owner_ref
    assert again.household_id != mandate.household_id
    assert Owner.objects.count() == before
    assert not InboundEvent.objects.filter(supplier=cast.skyline).exists()
    assert Supplier.objects.filter(pk=cast.skyline.pk).exists()


@pytest.mark.parametrize("program", ["sh", "py", "mjs"])
def test_each_program_is_a_signed_event_for_the_test_owner(
    cast: Cast, dana: SupplierPerson, program: str
) -> None:
    page = signed_in(dana).post("/portal/first/").content.decode()
    text = html.unescape(page.split(f'id="program-{program}"')[1].split("</pre>")[0])
    mandate = practice.mandate_of(supplier=cast.skyline, now=clock.now())
    assert re.search(r"whsec_[A-Za-z0-9+/]{40,}=*", text)
    assert mandate.owner_ref in text
    assert "/webhooks/skyline/" in text


def test_the_live_line_turns_from_waiting_to_the_fault_to_accepted(
    cast: Cast, dana: SupplierPerson
) -> None:
    browser = signed_in(dana)
    assert b"waiting for your first event" in browser.get("/portal/first/state/").content
    Client().post("/webhooks/skyline/", b"{}", content_type="application/json")
    assert b"signature headers are missing" in browser.get("/portal/first/state/").content
    mandate = practice.mandate_of(supplier=cast.skyline, now=clock.now())
    data = {"owner": mandate.owner_ref, "body": "Hello"}
    portal.send(supplier=cast.skyline, kind="message.created", data=data, now=clock.now())
    assert b"Accepted." in browser.get("/portal/first/state/").content


# --- keys and proofs ---------------------------------------------------------------------


def test_a_household_speaks_no_more_for_a_supplier_with_people(
    cast: Cast, dana: SupplierPerson
) -> None:
    own = factories.SupplierFactory.create()
    mandate = factories.MandateFactory.create(household=cast.household, supplier=own)
    assert secrets.may_manage(household=cast.household, supplier=own)
    old = secrets.rotate(household=cast.household, supplier=own, now=START).secret
    made = staffing.make_link(supplier=own, now=START, email="new@own.example")
    person = staffing.redeem(token=made.token, now=START)
    assert person.role == StaffRole.ADMIN
    assert not secrets.may_manage(household=cast.household, supplier=own)
    assert not SigningSecret.objects.live(START).filter(pk=old.pk).exists()
    with pytest.raises(staffing.StaffError):
        staffing.make_link(supplier=own, now=START)
    assert mandate.supplier_id == own.pk


def test_a_key_is_shown_once_rotates_with_overlap_and_says_when_it_was_used(
    cast: Cast, dana: SupplierPerson
) -> None:
    browser = signed_in(dana)
    first = browser.post("/portal/keys/secret/").content.decode()
    value = re.search(r"whsec_[A-Za-z0-9+/=]+", first)
    assert value
    assert value[0] not in browser.get("/portal/keys/").content.decode()
    browser.post("/portal/keys/secret/")
    live = SigningSecret.objects.live(clock.now()).filter(supplier=cast.skyline)
    assert sum(one.expires_at is None for one in live) == 1
    assert live.count() >= 2, "the old one works for another day"
    token = re.search(r"stw_[\w-]+", browser.post("/portal/keys/api/").content.decode())
    assert token
    assert b"never used" in browser.get("/portal/keys/").content
    Client().post("/api/supplier/v1/ping/", headers={"authorization": f"Bearer {token[0]}"})
    assert b"last used" in browser.get("/portal/keys/").content
    bad = browser.post("/portal/keys/secret/", {"public_key": "whpk_nonsense"})
    assert bad.status_code == 422


def test_a_domain_counts_only_once_its_record_says_so(cast: Cast) -> None:
    other = factories.SupplierFactory.create()
    proof = proofs.claim_domain(supplier=cast.skyline, domain="sky.example", now=START)
    wanted = proofs.record_text(proof)

    def looked(texts: list[str], minutes: int) -> bool:
        at = START + timedelta(minutes=minutes)
        return proofs.check_domain(proof=proof, now=at, lookup=lambda _name: texts)

    def counts() -> bool:
        return SupplierDomain.objects.filter(household=None, domain="sky.example").exists()

    assert not looked([], 1)
    assert not looked([wanted[:-1], "v=spf1 -all"], 2)
    with pytest.raises(proofs.ProofError):
        looked([wanted], 2)  # not as fast as one can press
    assert not counts()
    assert looked(["other", wanted], 3)
    assert counts()
    copied = proofs.claim_domain(supplier=other, domain="sky.example", now=START)
    assert copied.token != proof.token
    with pytest.raises(proofs.ProofError) as fault:
        proofs.check_domain(
            proof=copied, now=START, lookup=lambda _name: [proofs.record_text(copied)]
        )
    assert fault.value.code == "taken"
    proofs.give_up(proof=proof)
    assert not counts()


def test_a_number_counts_only_once_its_code_comes_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(texting, "is_possible", lambda: True)
    monkeypatch.setattr(texting, "send", lambda *, to, text, name, now: sent.append((to, text)))
    proof = proofs.claim_number(supplier=cast.skyline, text="+1 212 555 0188", now=START)
    assert proofs.send_due(now=START) == 1
    assert proofs.send_due(now=START) == 0
    ((number, text),) = sent
    code = re.search(r"\d{6}", text)
    assert number == "+12125550188"
    assert code
    wrong = f"{(int(code[0]) + 1) % 10**6:06}"
    for _ in range(proofs.TRIES):
        assert not proofs.check_code(proof=proof, code=wrong, now=START)
    with pytest.raises(proofs.ProofError):
        proofs.check_code(proof=proof, code=code[0], now=START)
    assert not SupplierNumber.objects.filter(household=None, number=number).exists()
    later = START + timedelta(minutes=2)
    proofs.claim_number(supplier=cast.skyline, text=number, now=later)
    proofs.send_due(now=later)
    code = re.search(r"\d{6}", sent[-1][1])
    assert code
    with pytest.raises(proofs.ProofError):
        proofs.check_code(proof=proof, code=code[0], now=later + proofs.CODE_LIFE * 2)
    assert proofs.check_code(proof=proof, code=code[0], now=later)
    assert SupplierNumber.objects.filter(household=None, number=number).exists()


def test_a_share_is_shown_from_five_cases_on() -> None:
    assert scorecard.Figure(part=3, whole=4).share is None
    assert scorecard.Figure(part=3, whole=5).share == 60


@pytest.mark.parametrize(("closed", "each"), [(4, (None, None)), (6, (2.0, 0.5))])
def test_what_comes_for_each_matter_is_said_from_five_closed_ones_on(
    closed: int, each: tuple[float | None, float | None]
) -> None:
    nothing = scorecard.Figure(part=0, whole=0)
    card = scorecard.Scorecard(
        since=clock.now(),
        on_time=nothing,
        window_minutes=None,
        fixed_first=scorecard.Figure(part=closed, whole=closed),
        asked_again=nothing,
        replied=nothing,
        reply_hours=None,
        reply_hours_90=None,
        said_nothing_new=scorecard.Figure(part=0, whole=12),
        surveys=scorecard.Figure(part=0, whole=3),
        trend={},
        is_partial=False,
    )
    assert (card.messages_each, card.surveys_each) == each


def test_every_number_of_the_scorecard_opens_what_it_was_counted_from(
    cast: Cast, dana: SupplierPerson
) -> None:
    journey = factories.JourneyFactory.create(
        household=cast.household, asset=cast.dvr, suppliers=[cast.skyline.pk], title="Ana's own"
    )
    for number in range(12):
        start = clock.now() - timedelta(days=1 + 15 * number)
        factories.AppointmentFactory.create(
            journey=journey, supplier=cast.skyline, state="done", start=start, uid=f"job-{number}",
            end=start + timedelta(hours=2), zone="UTC", was_on_time=number != 0,
        )  # fmt: skip
    _visit, asked = world(cast, cast.skyline, "Sky")
    card = scorecard.of(supplier=cast.skyline, now=clock.now())
    assert (card.on_time.part, card.on_time.whole, card.on_time.share) == (5, 6, 83)
    assert [span.figure.whole for span in card.trend["on_time"]] == [0, 0, 6, 6]
    assert [span.figure.share for span in card.trend["on_time"]] == [None, None, 100, 83]
    assert (card.replied.part, card.replied.whole) == (0, 1)
    browser = signed_in(dana)
    page = browser.get("/portal/scorecard/").content.decode()
    assert "5 of 6" in page
    assert page.count("<polyline") == 1, "only where two spans have enough"
    late = browser.get("/portal/scorecard/on_time/").content.decode()
    assert late.count("Late, or nobody came") == 1
    assert "job-0" in late
    assert "Ana" not in late
    replies = browser.get("/portal/scorecard/replied/").content.decode()
    assert f"/portal/log/out/{asked.uuid}/" in replies
    assert browser.get("/portal/scorecard/nonsense/").status_code == 404


# --- the delivery log --------------------------------------------------------------------


def test_the_log_is_searched_as_far_back_as_it_goes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_log, "PAGE", 2)
    monkeypatch.setattr(portal_log, "SLICE", 3)
    monkeypatch.setattr(portal_log, "SLICES", 2)
    made = [
        InboundEvent.objects.create(
            supplier=cast.skyline, way="webhook", body_hash=bytes(32),
            source=f"/s/{number % 3}", event_id=f"e{number}",
            type="survey.requested" if number == 1 else "message.created",
            received_at=START + timedelta(days=number),
            state="rejected" if number == 2 else "processed",
        )
        for number in range(12)
    ]  # fmt: skip
    InboundEvent.objects.create(
        supplier=factories.SupplierFactory.create(), way="webhook", body_hash=bytes(32),
        source="/s/1", event_id="e1", type="survey.requested",
    )  # fmt: skip

    def found(**asked: Any) -> tuple[list[str], int]:
        """Return the ids over all pages, and how many pages it took."""
        ids, before, pages = [], None, 0
        while pages == 0 or before is not None:
            page = portal_log.came_in(
                supplier=cast.skyline, asked=portal_log.Asked(**asked, before=before)
            )
            ids += [row.event_id for row in page.rows]
            before, pages = page.next, pages + 1
        return ids, pages

    assert found() == ([f"e{number}" for number in range(11, -1, -1)], 6)
    assert found(words="survey") == (["e1"], 3)
    assert found(words="e4") == (["e4"], 1)
    assert found(state="rejected")[0] == ["e2"]
    assert found(words="nothing")[0] == []
    since, until = made[3].received_at, made[5].received_at
    assert found(since=since, until=until)[0] == ["e4", "e3"]
    assert found(since=START + timedelta(days=99))[0] == []
    assert found(until=START)[0] == []
    page = portal_log.came_in(supplier=cast.skyline, asked=portal_log.Asked(words="survey"))
    assert (list(page.rows), page.back_to) == ([], made[6].received_at)


def test_the_log_finds_what_came_of_one_owners_events(cast: Cast, dana: SupplierPerson) -> None:
    practice.mandate_of(supplier=cast.skyline, now=clock.now())
    world(cast, cast.skyline, "Sky")
    pipeline.drain(now_fn=clock.now)
    browser = signed_in(dana)
    for query, is_there in (
        (f"q={cast.mandate.owner_ref}", True),
        ("outcome=shown", True),
        ("outcome=refused", False),
        ("since=2000-01-01&until=2000-01-02", False),
        ("since=nonsense", True),
    ):
        page = browser.get(f"/portal/log/?{query}").content.decode()
        assert ("Sky-event" in page) is is_there, query
    out = browser.get(f"/portal/log/?way=out&q={cast.mandate.owner_ref}").content
    assert b"owner.appointment.countered" in out


# --- the same through the API ------------------------------------------------------------


def test_a_programs_write_with_a_key_happens_once(cast: Cast) -> None:
    token = keys.make(supplier=cast.skyline, name="Test", now=START).token
    api = Client(headers={"authorization": f"Bearer {token}"})
    path, key = "/api/supplier/v1/secrets/", {"idempotency-key": "once"}
    mine = SigningSecret.objects.live(clock.now()).filter(supplier=cast.skyline)
    before = mine.count()
    first, again = (api.post(path, {}, "application/json", headers=key) for _try in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again["Idempotency-Replayed"] == "true"
    assert mine.count() == before + 1
    other = api.post("/api/supplier/v1/keys/", {"name": "x"}, "application/json", headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    bad = {"idempotency-key": "bad"}
    refused = api.patch(
        "/api/supplier/v1/profile/",
        {"technical_contact": "dev@sky.example", "webhook_url": "nonsense"},
        "application/json",
        headers=bad,
    )
    assert refused.status_code == 400
    cast.skyline.refresh_from_db()
    assert cast.skyline.technical_contact != "dev@sky.example", "half a write is none"
    mended = {"technical_contact": "dev@sky.example"}
    kept = api.patch("/api/supplier/v1/profile/", mended, "application/json", headers=bad)
    assert kept.status_code == 200
    repeats.purge_due(now=clock.now() + timedelta(days=2))
    gone = api.post(path, {}, "application/json", headers=key)
    assert (gone.status_code, gone.json()["code"]) == (409, "answer_gone")


def test_the_api_does_what_the_pages_do(cast: Cast) -> None:
    visit, asked = world(cast, cast.skyline, "Sky")
    token = keys.make(supplier=cast.skyline, name="Test", now=START).token
    api = Client(headers={"authorization": f"Bearer {token}"})
    stranger = factories.SupplierFactory.create()
    other = Client(
        headers={
            "authorization": f"Bearer {keys.make(supplier=stranger, name='x', now=START).token}"
        }
    )
    root = "/api/supplier/v1"
    found = api.get(f"{root}/visits/").json()["visits"]
    assert [one["id"] for one in found] == [str(visit.uuid)]
    assert found[0]["place"] == ""
    step = {"step": "done"}
    assert other.post(f"{root}/visits/{visit.uuid}/", step, "application/json").status_code == 404
    done = api.post(f"{root}/visits/{visit.uuid}/", step, "application/json")
    assert (done.status_code, done.json()["status"]) == (202, "accepted")
    assert api.get(f"{root}/requests/").json()["requests"][0]["id"] == str(asked.uuid)
    path = f"{root}/requests/{asked.uuid}/"
    assert other.post(path, {"text": "no"}, "application/json").status_code == 404
    bad = api.post(path, {"window": "0"}, "application/json")
    assert (bad.status_code, bad.json()["pointer"]) == (400, "/window")
    assert api.post(path, {"window": 0}, "application/json").json()["sent"]
    assert api.get(f"{root}/requests/").json()["requests"] == []
    assert {one["type"] for one in api.get(f"{root}/log/").json()["events"]} == {
        "message.created", "appointment.completed", "appointment.updated",
    }  # fmt: skip
    out = api.get(f"{root}/log/?way=out&q=owner.appointment").json()["events"]
    assert [one["id"] for one in out] == [str(asked.uuid)]
    assert api.get(f"{root}/log/{asked.uuid}/").json()["tries"] == []
    assert other.get(f"{root}/log/{asked.uuid}/").status_code == 404
    assert api.post(f"{root}/log/{asked.uuid}/replay/").status_code == 202
    assert other.post(f"{root}/log/{asked.uuid}/replay/").status_code == 404
    assert api.get(f"{root}/scorecard/").json()["on_time"]["percent"] is None
    new = {"technical_contact": "dev@skyline.example", "webhook_url": "https://sky.example/in"}
    changed = api.patch(f"{root}/profile/", new, "application/json").json()
    assert changed["endpoint_secret"].startswith("whsec_")
    assert changed["technical_contact"] == "dev@skyline.example"
    made = api.post(f"{root}/secrets/", {}, "application/json").json()
    assert made["secret"].startswith("whsec_")
    assert other.delete(f"{root}/secrets/{made['id']}/").status_code == 404
    assert api.delete(f"{root}/secrets/{made['id']}/").status_code == 204
    key = api.post(f"{root}/keys/", {"name": "CI"}, "application/json").json()
    assert key["token"].startswith("stw_")
    assert other.delete(f"{root}/keys/{key['id']}/").status_code == 404
    assert api.delete(f"{root}/keys/{key['id']}/").status_code == 204
    assert [one["name"] for one in api.get(f"{root}/keys/").json()["keys"]] == ["Test"]


# --- what it costs -----------------------------------------------------------------------

QUERIES = {
    "/portal/": 15, "/portal/visits/": 7, "/portal/requests/": 7, "/portal/log/": 6,
    "/portal/log/?way=out": 6, "/portal/log/?q=message": 9, "/portal/scorecard/": 12,
    "/portal/profile/": 5, "/portal/keys/": 7, "/portal/people/": 6, "/portal/send/": 6,
    "/portal/first/state/": 6,
}  # fmt: skip


def test_every_page_takes_the_same_few_queries_for_one_row_and_for_many(
    cast: Cast, dana: SupplierPerson
) -> None:
    browser = signed_in(dana)
    practice.mandate_of(supplier=cast.skyline, now=clock.now())

    def taken() -> dict[str, int]:
        counts = {}
        for path in QUERIES:
            with CaptureQueriesContext(connection) as seen:
                assert browser.get(path).status_code == 200
            counts[path] = len(seen)
        return counts

    world(cast, cast.skyline, "n0")
    first = taken()
    for number in range(1, 7):
        world(cast, cast.skyline, f"n{number}")
        person_of(cast.skyline, email=f"n{number}@skyline.example")
        keys.make(supplier=cast.skyline, name="x", now=clock.now())
        proofs.claim_domain(supplier=cast.skyline, domain=f"n{number}.example", now=clock.now())
        factories.MandateFactory.create(supplier=cast.skyline)
    assert taken() == first
    over = {path: count for path, count in first.items() if count > QUERIES[path]}
    assert not over
