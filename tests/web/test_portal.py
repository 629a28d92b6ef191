"""The suppliers' portal: who comes in, what they see, what they send."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from owners import clock
from suppliers import staffing
from suppliers.choices import LinkKind, PersonState, StaffRole
from suppliers.models import Supplier
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
