"""Apps sign in by allauth headless; factors are sealed; the first sign-up gets a household."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend as LocmemBackend
from django.test import Client
from rest_framework.test import APIClient

from owners.choices import ChannelKind
from owners.models import Channel, Household, Owner
from tests import factories

AUTH = "/_allauth/app/v1/auth"


def post(app: APIClient, address: str, values: dict[str, Any], token: str = "") -> Any:
    headers: dict[str, Any] = {"HTTP_X_SESSION_TOKEN": token} if token else {}
    return app.post(address, values, format="json", **headers).json()


def sign_up(app: APIClient) -> str:
    """Sign Eve up, verify her address by the code that was mailed, and return her token."""
    values = {"email": "eve@hart.example", "password": "one lamp in a quiet house"}
    begun = post(app, f"{AUTH}/signup", values)
    token = begun["meta"]["session_token"]
    words = mail.outbox[-1].body.split()
    for word in words:
        answer = post(app, f"{AUTH}/email/verify", {"key": word.strip(".:")}, token)
        if answer["status"] == 200:
            return str(answer["meta"].get("session_token", token))
    raise AssertionError("no code in the mail")


@pytest.fixture
def patient(settings: Any) -> None:
    """Let a test try every word of a mail as the code."""
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 1000
    settings.ACCOUNT_RATE_LIMITS = False


def test_who_signs_up_gets_a_household_and_a_verified_channel(db: None, patient: None) -> None:
    app = APIClient()
    token = sign_up(app)
    eve = Owner.objects.get(email="eve@hart.example")
    assert Household.objects.for_owner(eve).count() == 1
    channel = Channel.objects.for_owner(eve).usable().get()
    assert (channel.kind, channel.address) == (ChannelKind.EMAIL, "eve@hart.example")
    me = APIClient().get("/api/v1/me/", HTTP_X_SESSION_TOKEN=token)
    assert me.json()["email"] == "eve@hart.example"


def test_signing_out_ends_the_token_at_once(db: None, patient: None) -> None:
    app = APIClient()
    token = sign_up(app)
    app.delete(f"{AUTH}/session", HTTP_X_SESSION_TOKEN=token)
    assert APIClient().get("/api/v1/me/", HTTP_X_SESSION_TOKEN=token).status_code == 401


def test_an_owner_who_is_switched_off_is_out_at_once(cast: factories.Cast) -> None:
    browser = Client()
    browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    token = browser.cookies["sessionid"].value
    assert APIClient().get("/api/v1/me/", HTTP_X_SESSION_TOKEN=token).status_code == 200
    cast.ana.is_active = False
    cast.ana.save()
    assert APIClient().get("/api/v1/me/", HTTP_X_SESSION_TOKEN=token).status_code == 401


def test_second_factors_are_sealed() -> None:
    adapter = get_adapter()
    sealed = adapter.encrypt("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert adapter.decrypt(sealed) == "JBSWY3DPEHPK3PXP"


def test_an_unverified_address_signs_nobody_in(db: None) -> None:
    app = APIClient()
    values = {"email": "eve@hart.example", "password": "one lamp in a quiet house"}
    token = post(app, f"{AUTH}/signup", values)["meta"]["session_token"]
    assert APIClient().get("/api/v1/me/", HTTP_X_SESSION_TOKEN=token).status_code == 401


class Away(LocmemBackend):
    """A mail server that does not answer."""

    def send_messages(self, messages: Any) -> int:
        """Refuse the connection."""
        raise ConnectionRefusedError(111, "Connection refused")


AWAY = f"{__name__}.Away"


def test_a_code_that_cannot_be_mailed_is_said_and_loses_nothing(
    client: Client, db: None, patient: None, settings: Any
) -> None:
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, AWAY
    values = {"email": "eve@hart.example", "password1": "one lamp in a quiet house"}
    for address, sent in (
        ("signup", values),
        ("login/code", {"email": "eve@hart.example"}),
        ("login/code", {"email": "nobody@hart.example"}),  # no stranger learns who has an account
    ):
        answer = client.post(f"/accounts/{address}/", sent)
        assert (answer.status_code, answer["Retry-After"]) == (503, "120")
        assert "Nothing is lost" in answer.content.decode()
    asked = APIClient().post(f"{AUTH}/code/request", {"email": "eve@hart.example"}, format="json")
    assert (asked.status_code, asked["Content-Type"]) == (503, "application/problem+json")
    assert asked.json()["code"] == "mail_unsent"

    settings.EMAIL_BACKEND = backend
    signing = {"login": values["email"], "password": values["password1"]}
    client.post("/accounts/login/", signing)
    assert mail.outbox[-1].to == ["eve@hart.example"]  # the account is there, and its code comes


def test_a_change_counts_though_nobody_could_be_told_of_it(
    client: Client, cast: factories.Cast, patient: None, settings: Any
) -> None:
    settings.EMAIL_BACKEND = AWAY
    cast.ana.set_password("one lamp in a quiet house")
    cast.ana.save()
    EmailAddress.objects.create(user=cast.ana, email=cast.ana.email, verified=True, primary=True)
    client.post(
        "/accounts/login/", {"login": cast.ana.email, "password": "one lamp in a quiet house"}
    )
    changed = {"oldpassword": "one lamp in a quiet house", "password1": "two lamps in the hall"}
    client.post("/accounts/password/change/", {**changed, "password2": changed["password1"]})
    cast.ana.refresh_from_db()
    assert cast.ana.check_password("two lamps in the hall")


@pytest.mark.parametrize(
    ("zone", "languages", "expected"),
    [
        ("America/Denver", "de", "America/Denver"),  # what the browser says
        ("", "de-AT,de;q=0.8", "Europe/Vienna"),  # without its script
        ("Mars/Olympus", "it", "Europe/Rome"),
        ("", "en-US,de;q=0.5", "UTC"),  # a country of many clocks
        ("", "x" * 40, "UTC"),
    ],
)
def test_times_are_right_for_who_skips_the_welcome(
    client: Client, db: None, patient: None, zone: str, languages: str, expected: str
) -> None:
    values = {"email": "eve@hart.example", "password1": "one lamp in a quiet house", "zone": zone}
    client.post("/accounts/signup/", values, HTTP_ACCEPT_LANGUAGE=languages)
    eve = Owner.objects.get(email="eve@hart.example")
    assert (eve.zone, Household.objects.for_owner(eve).get().zone) == (expected, expected)
