"""Ways in: addresses to take along, and a test that shows whether what is sent on arrives."""

import io
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import mail as outgoing
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from notifications import delivery
from owners import households
from owners.choices import ChannelKind
from owners.models import Channel
from suppliers import checks, forwarding, inbox, mail, mandates, telephony, ways
from suppliers.choices import EventState, Outcome
from suppliers.models import Contact, InboundEvent, SupplierNumber, WayCheck
from tests import factories
from tests.api.conftest import app_of

NUMBER = "+12125550177"
OWN = "+12125550100"


@pytest.fixture
def browser(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def intake(cast: factories.Cast) -> str:
    return households.intake_address(cast.household)


@pytest.fixture
def number(cast: factories.Cast) -> str:
    cast.membership.intake_number = NUMBER
    cast.membership.save()
    return NUMBER


def asked(cast: factories.Cast, address: str, now: datetime) -> WayCheck:
    return checks.ask(owner=cast.ana, household=cast.household, address=address, now=now)


def sent_on(to: str, subject: str, *, now: datetime) -> None:
    """Let a mail arrive, as the owner's provider sends it on."""
    raw = f"From: Steward <x@y.example>\r\nSubject: {subject}\r\n\r\nHello.\r\n"
    mail.receive(raw=raw.encode(), recipient=to, now=now)


def test_the_page_shows_every_address_with_what_to_copy(
    cast: factories.Cast, browser: Client, intake: str, number: str
) -> None:
    page = browser.get("/ways/").content.decode()
    assert intake in page
    assert mandates.alias_address(cast.mandate) in page
    assert f"**61*{NUMBER}**20#" in page
    assert "##61#" in page


def test_the_guide_of_the_owners_provider_comes_first(
    browser: Client, cast: factories.Cast
) -> None:
    cast.ana.email = "ana@web.de"
    cast.ana.save()
    page = browser.get("/ways/").content.decode()
    assert page.index("GMX, WEB.DE") < page.index("Gmail")


def test_an_address_is_saved_as_a_contact(browser: Client, intake: str) -> None:
    card = browser.get(f"/ways/card.vcf?{urlencode({'address': intake})}")
    assert card["Content-Type"].startswith("text/vcard")
    assert f"EMAIL:{intake}\r\n" in card.content.decode()
    assert browser.get("/ways/card.vcf?address=somebody@else.example").status_code == 404


def test_a_test_mail_goes_out_comes_back_and_is_no_contact(
    cast: factories.Cast, browser: Client, intake: str
) -> None:
    with time_machine.travel(factories.START, tick=False):
        answer = browser.post(
            "/ways/test/", {"household": cast.household.uuid, "address": intake}, follow=True
        )
        assert "A test mail is on its way to" in answer.content.decode()
        delivery.deliver_due(now=factories.START)
    (letter,) = outgoing.outbox
    assert letter.to == ["ana@hart.example"]
    later = factories.START + timedelta(seconds=12)
    sent_on(intake, f"Fwd: {letter.subject}", now=later)
    inbox.process_due(now=later)
    assert not Contact.objects.exists()
    assert InboundEvent.objects.get().state == EventState.PROCESSED
    assert InboundEvent.objects.get().body == b""  # that it arrived is all that is kept
    with time_machine.travel(later, tick=False):
        page = browser.get("/ways/").content.decode()
    assert "Arrived after 12 seconds." in page


def test_the_page_looks_again_until_the_test_has_come(
    cast: factories.Cast, browser: Client, intake: str
) -> None:
    check = asked(cast, intake, factories.START)
    address = f"/checks/{check.uuid}/"
    with time_machine.travel(factories.START, tick=False):
        waiting = browser.get(address, headers={"HX-Request": "true"}).content.decode()
        same = browser.get(f"{address}?shown=waiting", headers={"HX-Request": "true"})
    assert 'hx-trigger="every 2s"' in waiting
    assert same.status_code == 204
    with time_machine.travel(factories.START + timedelta(minutes=5), tick=False):
        silent = browser.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "The usual reasons:" in silent
    sent_on(intake, checks.subject_of(check), now=factories.START + timedelta(minutes=6))
    done = browser.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Arrived after 6 minutes." in done
    assert "hx-trigger" not in done


def test_a_mail_with_a_token_of_another_address_is_a_mail_like_any_other(
    cast: factories.Cast, intake: str
) -> None:
    check = asked(cast, intake, factories.START)
    alias = mandates.alias_address(cast.mandate)
    sent_on(alias, checks.subject_of(check), now=factories.START)
    sent_on(intake, "check-abcde-fghjk", now=factories.START)
    inbox.process_due(now=factories.START)
    check.refresh_from_db()
    assert check.arrived_at is None
    assert Contact.objects.count() == 2


def test_without_a_mailbox_the_owner_is_told_what_to_send(
    cast: factories.Cast, browser: Client, intake: str
) -> None:
    Channel.objects.filter(owner=cast.ana, kind=ChannelKind.EMAIL).delete()
    check = asked(cast, intake, factories.START)
    page = browser.get("/ways/").content.decode()
    assert check.channel is None
    assert f"mailto:{intake}?subject={checks.subject_of(check)}" in page


def test_a_test_twice_in_a_moment_is_one_and_a_day_has_twenty(
    cast: factories.Cast, intake: str, now: datetime
) -> None:
    assert asked(cast, intake, now) == asked(cast, intake, now + timedelta(seconds=5))
    for minute in range(1, checks.A_DAY):
        asked(cast, intake, now + timedelta(minutes=minute))
    with pytest.raises(checks.CheckError, match="tomorrow"):
        asked(cast, intake, now + timedelta(hours=1))


@pytest.mark.parametrize("address", ["", "nobody@mail.localhost", "+12125550199"])
def test_only_ones_own_addresses_are_tested(cast: factories.Cast, address: str) -> None:
    with pytest.raises(checks.CheckError, match="no such address"):
        asked(cast, address, factories.START)


def called(client: Client, callback: str, **form: str) -> int:
    """Let the telephony provider post a callback."""
    path = f"/webhooks/telephony/twilio/{callback}/"
    with override_settings(TWILIO_AUTH_TOKENS=["quiet"], SITE_URL="http://testserver"):
        signed = telephony.signature(
            f"http://testserver{path}", sorted(form.items()), auth_token="quiet"
        )
        return client.post(
            path,
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signed},
        ).status_code


def test_a_text_from_the_owners_own_number_is_the_test_and_the_next_one_is_meant(
    cast: factories.Cast, client: Client, number: str, now: datetime
) -> None:
    check = asked(cast, number, now)
    with time_machine.travel(now + timedelta(seconds=9), tick=False):
        text = {"From": OWN, "To": number, "Body": "test"}
        assert called(client, "sms", MessageSid="SM1", **text) == 200
        assert called(client, "sms", MessageSid="SM2", **text) == 200
    check.refresh_from_db()
    assert ways.seconds_of(check) == 9
    kinds = InboundEvent.objects.order_by("pk").values_list("type", flat=True)
    assert list(kinds) == [checks.CALL, "telephony.sms"]


def test_a_strangers_call_that_the_phone_sent_on_proves_it_and_stays_a_call(
    cast: factories.Cast, client: Client, number: str, now: datetime
) -> None:
    check = asked(cast, number, now)
    with time_machine.travel(now + timedelta(seconds=30), tick=False):
        form = {"From": "+12125550188", "To": number, "ForwardedFrom": OWN}
        assert called(client, "voice", CallSid="CA1", CallStatus="completed", **form) == 200
    check.refresh_from_db()
    assert check.arrived_at is not None
    assert InboundEvent.objects.get().type == "telephony.voice"


def test_apps_see_and_test_the_ways_in(cast: factories.Cast, intake: str, number: str) -> None:
    app = app_of(cast.ana)
    shown = app.get(f"/api/v1/households/{cast.household.uuid}/ways/").json()
    assert (shown["intake"]["address"], shown["number"]["address"]) == (intake, number)
    assert len(shown["codes"]) == 3
    given = {"household": str(cast.household.uuid), "address": intake}
    made = app.post("/api/v1/ways/checks/", given)
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    sent_on(intake, made.json()["subject"], now=factories.START)
    assert app.get(f"/api/v1/ways/checks/{made.json()['id']}/").json()["state"] == "works"
    refused = app.post("/api/v1/ways/checks/", given | {"address": "x@y.example"})
    assert refused.status_code == 400


def test_every_guide_says_what_to_do_and_how_to_stop() -> None:
    assert all(guide.steps and guide.stop for guide in forwarding.GUIDES)
    assert forwarding.guide_for("ana@GMail.com") == "gmail"
    assert forwarding.guide_for("ana@hart.example") == "other"


def test_an_operator_gives_a_member_a_number_and_takes_it_back(
    cast: factories.Cast, browser: Client
) -> None:
    call_command("member_number", "ana@hart.example", "+1 (212) 555-0177", stdout=io.StringIO())
    assert f"**62*{NUMBER}#" in browser.get("/ways/").content.decode()
    with pytest.raises(CommandError, match="another member has this number"):
        call_command("member_number", cast.mallory.email, NUMBER)
    with pytest.raises(CommandError, match="with its country"):
        call_command("member_number", cast.mallory.email, "555")
    call_command("member_number", "ana@hart.example", remove=True, stdout=io.StringIO())
    assert NUMBER not in browser.get("/ways/").content.decode()


def test_a_strange_number_that_names_a_supplier_may_be_said_to_be_its_own(
    cast: factories.Cast, browser: Client
) -> None:
    said = {
        "kind": "message",
        "medium": "sms",
        "said_at": factories.START.isoformat(),
        "sender": "+12125550161",
        "title": "Skyline TV: we come on Friday.",
        "quote": "Skyline TV: we come on Friday",
    }
    waiting = {"outcome": Outcome.DOOR, "suspicion": "unknown_sender", "medium": "sms"}
    contact = factories.ContactFactory.create(
        household=cast.household, supplier=None, mandate=None, said=said, **waiting
    )
    page = browser.get("/door/").content.decode()
    assert "This is the number of Skyline TV" in page
    assert page.count("we come on Friday") == 1
    given = {"name": "let_in", "supplier": str(cast.skyline.uuid)}
    browser.post(f"/contacts/{contact.uuid}/act/", given)
    contact.refresh_from_db()
    assert (contact.supplier, contact.mandate) == (cast.skyline, cast.mandate)
    known = SupplierNumber.objects.get(household=cast.household)
    assert (known.supplier, known.number) == (cast.skyline, "+12125550161")


def test_a_supplier_that_bears_its_domains_name_is_known_by_how_it_speaks(
    cast: factories.Cast, browser: Client
) -> None:
    cast.skyline.name = "miller-garage.example"
    cast.skyline.save()
    said = {
        "kind": "message",
        "medium": "voicemail",
        "said_at": factories.START.isoformat(),
        "sender": "+12125550161",
        "body": "This is Miller Garage. Your car is ready.",
    }
    waiting = {"outcome": Outcome.DOOR, "suspicion": "unknown_sender", "medium": "voicemail"}
    contact = factories.ContactFactory.create(
        household=cast.household, supplier=None, mandate=None, said=said, **waiting
    )
    assert "This is the number of miller-garage.example" in browser.get("/door/").content.decode()
    contact.said = {**said, "body": "This is a garage. Your car is ready."}
    contact.save()
    assert "This is the number of" not in browser.get("/door/").content.decode()
