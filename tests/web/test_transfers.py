"""The pages on which a thing passes to its next owner, as seller, buyer and stranger use them."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from assets.models import Asset, Document, Notice, Received, ServiceRecord, Transfer
from assets.passing_words import TransferState
from notifications import pipeline
from notifications.models import Card
from owners import clock
from owners.choices import ChannelKind
from owners.models import Owner
from suppliers import guard, issuers
from suppliers.models import Mandate
from tests import factories
from tests.factories import Cast
from tests.register.test_transfers import SECRET, VIN, Sale, sale  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """The two browsers."""

    seller: Client
    buyer: Client


def browser_of(owner: Owner | None) -> Client:
    """Return a browser, signed in a moment ago."""
    browser = Client()
    if owner is not None:
        browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
        kept = browser.session
        kept["account_authentication_methods"] = [
            {"method": "password", "at": clock.now().timestamp(), "email": owner.email}
        ]
        kept.save()
    return browser


@pytest.fixture
def both(sale: Sale) -> Both:  # noqa: F811 - the fixture
    return Both(seller=browser_of(sale.ana), buyer=browser_of(sale.ben))


def prepared(both: Both, sale: Sale, **to: str) -> Transfer:  # noqa: F811 - the fixture
    """Walk the wizard up to the offer, as without JavaScript."""
    seller = both.seller
    begun = seller.post(reverse("asset-transfer", args=[sale.car.uuid]), {"reason": "sold"})
    transfer = Transfer.objects.get()
    assert begun.headers["Location"] == reverse("transfer-what", args=[transfer.uuid])
    page = seller.get(begun.headers["Location"]).content.decode()
    assert "As they see it" in page
    cover = sale.car.coverages.get(kind="extended_warranty")
    what = {"has_history": "on", "covers": [str(cover.uuid)], "papers": [str(sale.manual.uuid)]}
    seller.post(reverse("transfer-what", args=[transfer.uuid]), what)
    said = {"way": "link", "days": "14", "email": "", **to}
    seller.post(reverse("transfer-to", args=[transfer.uuid]), said)
    seller.post(reverse("transfer-before", args=[transfer.uuid]), {"checked": ["keys", "sign_off"]})
    transfer.refresh_from_db()
    return transfer


def offered(both: Both, sale: Sale, **to: str) -> Transfer:  # noqa: F811 - the fixture
    transfer = prepared(both, sale, **to)
    both.seller.post(reverse("transfer-offer", args=[transfer.uuid]))
    transfer.refresh_from_db()
    assert transfer.state == TransferState.OFFERED
    return transfer


def test_the_car_is_sold_with_its_history_from_browser_to_browser(
    both: Both,
    sale: Sale,  # noqa: F811 - the fixture
) -> None:
    transfer = offered(both, sale)
    page = both.seller.get(reverse("transfer", args=[transfer.uuid])).content.decode()
    assert f"/take-over/{transfer.token}/" in page
    first = both.buyer.get(f"/take-over/{transfer.token}/")
    assert first.headers["Location"] == reverse("take-over-offered")
    look = both.buyer.get(first.headers["Location"]).content.decode()
    assert "Oil and filters" in look
    assert VIN not in look
    assert SECRET not in look
    home = str(sale.bens.uuid)
    yes = both.buyer.post(
        reverse("take-over-offered"), {"answer": "here", "household": home}, follow=True
    )
    assert VIN in yes.content.decode()
    done = both.seller.post(
        reverse("transfer-complete", args=[transfer.uuid]),
        {"meter0": "84210", "amount": "12500", "currency": "USD"},
        follow=True,
    )
    assert "Handed over" in done.content.decode()
    car = Asset.objects.for_owner(sale.ben).get()
    came = both.buyer.get(reverse("asset-received", args=[car.uuid])).content.decode()
    assert "Garage Muster" in came
    assert "12500" not in came
    both.buyer.post(reverse("received-supplier", args=[car.uuid, 0]))
    assert Mandate.objects.filter(household=sale.bens, assets=car).exists()
    # Whoever sold it sees nothing of it any more.
    assert both.seller.get(reverse("asset", args=[car.uuid])).status_code == 404
    assert both.seller.get(reverse("asset", args=[sale.car.uuid])).status_code == 200


def test_who_has_no_account_may_look_and_is_led_back_here(both: Both, sale: Sale) -> None:  # noqa: F811 - the fixture
    transfer = offered(both, sale)
    stranger = browser_of(None)
    page = stranger.get(f"/take-over/{transfer.token}/", follow=True).content.decode()
    assert "Oil and filters" in page
    assert VIN not in page
    assert f"{reverse('account_signup')}?next={reverse('take-over-offered')}" in page
    transfer.refresh_from_db()
    assert transfer.opened_at is not None


def test_a_link_that_came_to_nothing_says_so(both: Both, sale: Sale) -> None:  # noqa: F811 - the fixture
    transfer = offered(both, sale)
    token = transfer.token
    both.seller.post(reverse("transfer-withdraw", args=[transfer.uuid]))
    gone = browser_of(None).get(f"/take-over/{token}/", follow=True)
    assert gone.status_code == 410
    assert "does not work any more" in gone.content.decode()


def test_without_a_fresh_sign_in_nothing_is_handed_over(both: Both, sale: Sale) -> None:  # noqa: F811 - the fixture
    transfer = offered(both, sale)
    both.buyer.get(f"/take-over/{transfer.token}/")
    both.buyer.post(
        reverse("take-over-offered"), {"answer": "here", "household": str(sale.bens.uuid)}
    )
    sale.ana.set_password("a quiet house")  # by which she can be asked who she is
    sale.ana.save()
    stale = Client()
    stale.force_login(sale.ana, backend="django.contrib.auth.backends.ModelBackend")
    answer = stale.post(reverse("transfer-complete", args=[transfer.uuid]), {})
    assert "reauthenticate" in answer.headers["Location"]
    transfer.refresh_from_db()
    assert transfer.state == TransferState.ACCEPTED


def test_the_known_buyer_reads_of_it_on_today_and_the_seller_of_the_answer(
    both: Both,
    sale: Sale,  # noqa: F811 - the fixture
) -> None:
    factories.ChannelFactory.create(
        owner=sale.ben, kind=ChannelKind.EMAIL, address="ben2@buyer.example"
    )
    transfer = offered(both, sale, way="mail", email="ben@buyer.example")
    pipeline.drain(now_fn=clock.now)
    card = Card.objects.get(household=sale.bens)
    assert card.title == "Golf is offered to you, with its history"
    notice = Notice.objects.get(household=sale.bens)
    there = both.buyer.get(reverse("transfer-notice", args=[notice.uuid]))
    assert there.headers["Location"] == reverse("take-over", args=[transfer.uuid])
    both.buyer.post(there.headers["Location"], {"answer": "here", "household": str(sale.bens.uuid)})
    pipeline.drain(now_fn=clock.now)
    titles = set(Card.objects.filter(household=sale.home).values_list("title", flat=True))
    assert "Golf: its next owner said yes. Hand it over?" in titles


def test_another_server_takes_the_file_in_once_and_says_whose_it_is(
    both: Both,
    sale: Sale,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transfer = offered(both, sale)
    stranger = browser_of(None)
    stranger.get(f"/take-over/{transfer.token}/")
    assert stranger.get("/take-over/package.json").status_code == 404
    stranger.post(reverse("take-over-offered"), {"answer": "elsewhere"})
    both.seller.post(reverse("transfer-complete", args=[transfer.uuid]), {})
    packed = stranger.get("/take-over/package.zip")
    names = zipfile.ZipFile(io.BytesIO(packed.content)).namelist()
    assert names[:2] == ["package.json", "handover.pdf"]
    assert len(names) == 3
    monkeypatch.setattr(issuers, "ask", lambda **_said: issuers.Word.OTHER)
    file = io.BytesIO(packed.content)
    file.name = "golf.zip"
    home = str(sale.bens.uuid)
    sent = both.buyer.post(reverse("take-in"), {"file": file, "household": home})
    look = both.buyer.get(sent.headers["Location"]).content.decode()
    assert "Not a key of" in look
    assert not Received.objects.exists()
    taken = both.buyer.post(sent.headers["Location"])
    received = Received.objects.get()
    assert taken.headers["Location"] == reverse("asset-received", args=[received.asset.uuid])
    assert not received.is_confirmed
    assert Document.objects.filter(asset=received.asset).count() == 1
    assert ServiceRecord.objects.filter(asset=received.asset).count() == 2


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 no archive", "no hand-over of Steward"),
        (b"{}", "no hand-over of Steward"),
        (b'{"format": "steward.asset-package", "version": 2}', "later version"),
        (b"[" * 5000, "no hand-over of Steward"),
        (b'{"a": 1, "a": 2}', "no hand-over of Steward"),
        (b'{"a": NaN}', "no hand-over of Steward"),
        (b'{"a": "\\ud800"}', "no hand-over of Steward"),
    ],
    ids=["empty", "zip", "object", "later", "deep", "twice", "nan", "half a letter"],
)
def test_a_file_that_is_none_gets_a_clear_word(
    both: Both,
    sale: Sale,  # noqa: F811 - the fixture
    raw: bytes,
    said: str,
) -> None:
    file = io.BytesIO(raw)
    file.name = "x.json"
    home = str(sale.bens.uuid)
    answer = both.buyer.post(reverse("take-in"), {"file": file, "household": home})
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_a_forged_file_is_refused(both: Both, sale: Sale) -> None:  # noqa: F811 - the fixture
    transfer = offered(both, sale, way="paper")
    both.seller.post(reverse("transfer-complete", args=[transfer.uuid]), {})
    there = reverse("transfer-file", args=[transfer.uuid, "json"])
    package = json.loads(both.seller.get(there).content)
    package["hand_over"]["reason"] = "gifted"
    file = io.BytesIO(json.dumps(package).encode())
    file.name = "x.json"
    home = str(sale.bens.uuid)
    answer = both.buyer.post(reverse("take-in"), {"file": file, "household": home})
    assert "changed after it was signed" in answer.content.decode()


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b'{"keys": [{"version": "v1a", "key": "whpk_mine"}]}', issuers.Word.CONFIRMED),
        (b'{"keys": [{"version": "v1a", "key": "whpk_other"}]}', issuers.Word.OTHER),
        (b'{"keys": "x"}', issuers.Word.SILENT),
        (b"<html>", issuers.Word.SILENT),
        (b'{"keys": [1, null]}', issuers.Word.OTHER),
    ],
)
def test_a_server_is_asked_for_its_keys(
    answer: bytes, word: issuers.Word, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(url: str, **_said: Any) -> guard.Page:
        assert url == "https://there.example/.well-known/steward-keys.json"
        return guard.Page(status=200, body=answer)

    monkeypatch.setattr(guard, "get", page)
    assert issuers.ask(url="https://there.example", key="whpk_mine") == word


def test_a_server_that_may_not_be_reached_is_silent() -> None:
    for url in ("http://127.0.0.1:1", "https://localhost", "http://169.254.169.254"):
        assert issuers.ask(url=url, key="whpk_x") == issuers.Word.SILENT


def test_on_paper_there_is_a_pdf_and_no_link(both: Both, sale: Sale) -> None:  # noqa: F811 - the fixture
    transfer = offered(both, sale, way="paper")
    there = reverse("transfer", args=[transfer.uuid])
    assert "/take-over/" not in both.seller.get(there).content.decode()
    paper = both.seller.get(reverse("transfer-file", args=[transfer.uuid, "pdf"]))
    assert paper.content.startswith(b"%PDF")


def test_mallory_finds_no_page_of_it(both: Both, sale: Sale, cast: Cast) -> None:  # noqa: F811 - the fixture
    transfer = offered(both, sale)
    mallory = browser_of(cast.mallory)
    for name in ("transfer", "transfer-what", "transfer-to", "transfer-before"):
        assert mallory.get(reverse(name, args=[transfer.uuid])).status_code == 404
    assert mallory.get(reverse("take-over", args=[transfer.uuid])).status_code == 404
