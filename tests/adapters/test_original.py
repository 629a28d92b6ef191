"""A mail as it was sent: everything is there to read, and nothing of it can do anything."""

import io
import re
import time
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from assets.models import Document
from notifications import pipeline
from owners import clock
from suppliers import mail, originals, sandbox
from suppliers.adapters import original
from suppliers.models import Contact, InboundEvent
from tests.factories import Cast, ContactFactory

PASSED = "mail.localhost; dmarc=pass header.from=skyline.example"


def png(width: int = 4, height: int = 4) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


def cleaned(html: str, *, is_proved: bool = True) -> str:
    return original.Page(is_proved=is_proved).made(html)


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)></svg>",
        "<a href='javascript:alert(1)'>x</a>", "<a href='data:text/html,<script>'>x</a>",
        "<form action=//x.example><input name=a><button>b</button></form>", "<iframe src=//x>",
        "<style>*{background:url(//x.example)}</style>", "<link rel=stylesheet href=//x.example>",
        "<meta http-equiv=refresh content='0;url=//x.example'>", "<base href=//x.example>",
        "<table background='//x.example/a.png'><tr><td>a</td></tr></table>",
        "<p style='background:url(//x.example/a)'>a</p>", "<img srcset='//x.example/a 1x'>",
        "<video src=//x.example></video>", "<object data=//x.example></object>",
        "<img src='data:image/svg+xml;base64,PHN2Zz4='>", "<math><mtext><img src=//x.example>",
        "<div id=x class=y name=z>a</div>", "<p onclick=x>a</p>", "<img src='//x.example/a.png'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<a ping=//x.example>a</a>",
        "<td rowspan=99999999>a</td>", "<input type=image src=//x.example>",
    ],
)  # fmt: skip
def test_nothing_in_it_runs_loads_or_sends(html: str) -> None:
    found = cleaned(f"<p>Before</p>{html}<p>After</p>")
    assert not re.search(
        r"script|onerror|onload|onclick|javascript|form|input|iframe|style|url\(|srcset|svg|"
        r"//x\.example|class=|id=|ping=|background|http-equiv|9999",
        found,
    ), found


def test_hidden_pictures_and_what_says_who_clicked_are_counted_and_removed() -> None:
    page = original.Page(is_proved=True)
    html = page.made(
        '<img src="https://t.example/o.gif" width="1" height="1">'
        '<img src="https://t.example/p.gif" style="display:none">'
        '<div style="display:none">preheader</div>'
        '<img src="https://cdn.example/logo.png" alt="Skyline">'
        '<a href="https://skyline.example/v?job=8&utm_source=mail&mc_eid=ana">Your visit</a>'
    )
    assert (page.trackers, page.left_out) == (3, 1)
    assert 'href="https://skyline.example/v?job=8"' in html
    assert "<img" not in html
    assert "preheader" not in html
    assert "Skyline" in html


def test_a_link_says_where_it_really_leads() -> None:
    page = original.Page(is_proved=True)
    html = page.made(
        '<a href="https://pay.mallory.example/x">www.skyline.example</a>'
        '<a href="https://skyline.example/x">skyline.example</a>'
        '<a href="https://xn--skylin-6of.example/">skylin\u0435.example</a>'
    )
    assert "[pay.mallory.example]" in html
    assert "[skyline.example]" not in html
    assert page.misleading >= 1
    assert html.count('rel="noopener noreferrer nofollow"') == 3


def test_no_link_of_an_unproved_sender_leads_anywhere() -> None:
    html = cleaned('<a href="https://pay.mallory.example/x">Pay</a>', is_proved=False)
    assert "href" not in html
    assert "[pay.mallory.example]" in html


@pytest.mark.parametrize(
    "html",
    ["<div>" * 20_000 + "a", "<a>" * 20_000, "<p>" * 33_000, "<table><tr><td>" * 6_000,
     "x" * 200_000, "<" * 90_000, "<!--" * 20_000, "&amp" * 20_000],
)  # fmt: skip
def test_a_page_that_is_a_trap_takes_no_time(html: str) -> None:
    started = time.monotonic()
    cleaned(html)
    assert time.monotonic() - started < 1.5


# --- whole mails -------------------------------------------------------------------------


def letter(*, html: str = "", **heads: str) -> bytes:
    found = EmailMessage()
    for name, value in {
        "From": "Skyline <visits@skyline.example>", "To": "ana@hart.example",
        "Subject": "Your visit", "Message-ID": "<m1@skyline.example>",
        "Authentication-Results": PASSED, **heads,
    }.items():  # fmt: skip
        found[name] = value
    found.set_content("Monday 16 November, 8:00-12:00.\n\nOn Sunday Ana wrote:\n> When?\n")
    found.add_alternative(
        html or '<p>Monday</p><img src="cid:logo"><a href="https://skyline.example/v">Visit</a>',
        subtype="html",
    )
    found.get_payload()[1].add_related(png(), "image", "png", cid="<logo>")  # type: ignore[union-attr,index]
    found.add_attachment(b"%PDF-1.4 invoice", maintype="text", subtype="html",
                         filename="in\u202evoice.html")  # fmt: skip
    found.add_attachment(b"PK\x03\x04", maintype="application", subtype="zip", filename="a.zip")
    return found.as_bytes()


def arrived(cast: Cast, now: datetime, raw: bytes) -> Contact:
    mail.receive(raw=raw, recipient=f"{cast.mandate.alias}@mail.localhost", now=now)
    with clock.fixed(now):
        pipeline.drain(now_fn=clock.now)
    return Contact.objects.latest("pk")


def test_the_page_shows_the_mail_as_it_was_sent(cast: Cast, now: datetime, client: Client) -> None:
    contact = arrived(cast, now, letter())
    address = f"/contacts/{contact.uuid}/original/"
    assert client.get(address).status_code == 302
    client.force_login(cast.ana)
    answer = client.get(address)
    page = answer.content.decode()
    assert "&gt; When?" in page
    assert "a.zip" in page
    assert "frame-src 'self'" in answer["Content-Security-Policy"]
    assert f'src="{address}body/"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    journey = contact.links.get().journey
    assert address in client.get(f"/journeys/{journey.uuid}/").content.decode()


def test_the_frame_may_do_nothing(cast: Cast, now: datetime, client: Client) -> None:
    contact = arrived(cast, now, letter())
    client.force_login(cast.ana)
    answer = client.get(f"/contacts/{contact.uuid}/original/body/")
    policy = answer["Content-Security-Policy"]
    assert policy.startswith(
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'"
    )
    assert "script" not in policy
    assert "'self'" not in policy.replace("frame-ancestors 'self'", "")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    html = answer.content.decode()
    assert "data:image/png;base64," in html
    assert '<a href="https://skyline.example/v"' in html


def test_an_unproved_senders_links_are_dead(cast: Cast, now: datetime, client: Client) -> None:
    failed = PASSED.replace("pass", "fail")
    contact = arrived(cast, now, letter(**{"Authentication-Results": failed}))
    client.force_login(cast.ana)
    body = client.get(f"/contacts/{contact.uuid}/original/body/").content.decode()
    assert "<a" in body
    assert 'href="https://skyline' not in body
    assert (
        "links lead nowhere" in client.get(f"/contacts/{contact.uuid}/original/").content.decode()
    )


def test_the_mail_is_given_out_byte_for_byte(cast: Cast, now: datetime, client: Client) -> None:
    raw = letter()
    contact = arrived(cast, now, raw)
    client.force_login(cast.ana)
    answer = client.get(f"/contacts/{contact.uuid}/original/mail.eml")
    assert answer.content == raw
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_an_attachment_is_what_its_bytes_are(cast: Cast, now: datetime, client: Client) -> None:
    contact = arrived(cast, now, letter())
    client.force_login(cast.ana)
    api = f"/api/v1/contacts/{contact.uuid}/original/"
    found = {one["number"]: one for one in client.get(api).json()["attachments"]}
    assert [(one["media_type"], one["declared_type"]) for one in found.values()] == [
        ("application/pdf", "text/html"), ("", "application/zip"),
    ]  # fmt: skip
    number = next(iter(found))
    for address in (f"{api}{number}/", f"/contacts/{contact.uuid}/original/{number}/"):
        answer = client.get(address)
        assert answer.content.startswith(b"%PDF")
        assert answer["Content-Type"] == "application/octet-stream"
        assert "%E2%80%AE" not in answer["Content-Disposition"]
    assert client.get(f"{api}99/").status_code == 404
    assert client.get(f"/contacts/{contact.uuid}/original/99/").status_code == 404


def test_an_attachment_is_kept_with_one_tap(cast: Cast, now: datetime, client: Client) -> None:
    found = EmailMessage()
    found["From"], found["Subject"] = "Skyline <visits@skyline.example>", "Photo"
    found["Authentication-Results"] = PASSED
    found.set_content("Here it is.")
    found.add_attachment(png(64, 48), maintype="image", subtype="png", filename="dish.png")
    found.add_attachment(b"PK\x03\x04", maintype="image", subtype="png", filename="not.png")
    contact = arrived(cast, now, found.as_bytes())
    client.force_login(cast.ana)
    answer = client.post(f"/contacts/{contact.uuid}/original/1/keep/")
    kept = Document.objects.get()
    assert answer["Location"] == f"/documents/{kept.uuid}/"
    assert kept.household == cast.household
    assert client.post(f"/api/v1/contacts/{contact.uuid}/original/1/").status_code == 201
    assert client.post(f"/api/v1/contacts/{contact.uuid}/original/2/").status_code == 422
    client.post(f"/contacts/{contact.uuid}/original/2/keep/")
    assert Document.objects.count() == 2


def test_after_the_retention_what_was_read_is_still_shown(
    cast: Cast, now: datetime, client: Client
) -> None:
    contact = arrived(cast, now, letter())
    InboundEvent.objects.update(payload=None)
    client.force_login(cast.ana)
    page = client.get(f"/contacts/{contact.uuid}/original/").content.decode()
    assert "not kept any more" in page
    assert "8:00-12:00" in page
    assert client.get(f"/contacts/{contact.uuid}/original/mail.eml").status_code == 404
    assert client.get(f"/contacts/{contact.uuid}/original/1/").status_code == 404
    assert client.get(f"/api/v1/contacts/{contact.uuid}/original/").json()["is_kept"] is False


def test_a_mail_that_breaks_the_reader_can_still_be_saved(
    cast: Cast, now: datetime, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = arrived(cast, now, letter())

    def refused(*_args: Any, **_kwargs: Any) -> Any:
        raise sandbox.RefusedError("slow")

    monkeypatch.setattr(sandbox, "run", refused)
    client.force_login(cast.ana)
    page = client.get(f"/contacts/{contact.uuid}/original/").content.decode()
    assert "could not be opened safely" in page
    assert client.get(f"/contacts/{contact.uuid}/original/body/").status_code == 404
    assert client.get(f"/contacts/{contact.uuid}/original/mail.eml").status_code == 200


def test_a_picture_that_is_a_bomb_is_not_shown(cast: Cast, now: datetime) -> None:
    huge = png(6000, 5000)
    found = EmailMessage()
    found["From"] = "Skyline <visits@skyline.example>"
    found.set_content("a")
    found.add_alternative('<p>a</p><img src="cid:x">', subtype="html")
    found.get_payload()[1].add_related(huge, "image", "png", cid="<x>")  # type: ignore[union-attr,index]
    contact = arrived(cast, now, found.as_bytes())
    shown = originals.of(contact)
    assert "data:image" not in shown.html
    assert shown.left_out == 1
    assert len(shown.attachments) == 1


def test_what_did_not_come_as_a_mail_has_no_original(cast: Cast, client: Client) -> None:
    contact = ContactFactory.create(household=cast.household, supplier=cast.skyline)
    client.force_login(cast.ana)
    assert client.get(f"/contacts/{contact.uuid}/original/").status_code == 404
    assert client.get(f"/api/v1/contacts/{contact.uuid}/original/").status_code == 404


def test_nobody_else_sees_it(cast: Cast, now: datetime, client: Client) -> None:
    contact = arrived(cast, now, letter())
    client.force_login(cast.mallory)
    pages = ("", "body/", "mail.eml", "1/")
    for page in pages:
        assert client.get(f"/contacts/{contact.uuid}/original/{page}").status_code == 404
    assert client.post(f"/contacts/{contact.uuid}/original/1/keep/").status_code == 404
    assert client.get(f"/api/v1/contacts/{contact.uuid}/original/").status_code == 404


def test_showing_it_takes_a_fixed_number_of_queries(
    cast: Cast, now: datetime, client: Client, django_assert_max_num_queries: Any
) -> None:
    contact = arrived(cast, now, letter())
    client.force_login(cast.ana)
    client.get(f"/api/v1/contacts/{contact.uuid}/")  # the first request of a session notes it
    for address, most in (
        (f"/api/v1/contacts/{contact.uuid}/original/", 2),
        (f"/contacts/{contact.uuid}/original/body/", 2),
        (f"/contacts/{contact.uuid}/original/mail.eml", 2),
        (f"/contacts/{contact.uuid}/original/", 6),
    ):
        with django_assert_max_num_queries(most):
            assert client.get(address).status_code == 200
