"""A stranger's content is parsed in a child that can be killed, and only there."""

import time

import pytest

from suppliers import sandbox
from suppliers.adapters import mail
from suppliers.adapters.context import Context
from suppliers.choices import ContactKind


def test_a_child_is_used_again() -> None:
    assert sandbox.run("visible", {"html": "<p>Hello</p>"}) == "Hello"
    began = time.monotonic()
    for _ in range(20):
        sandbox.run("visible", {"html": "<p>Hello</p>"})
    assert time.monotonic() - began < 20 * 0.05


def test_a_slow_child_is_killed_and_replaced() -> None:
    child = sandbox.Child()
    with pytest.raises(sandbox.RefusedError) as caught:
        child.ask("visible", {"html": "<p>x</p>"}, wall_s=0.0)
    child.kill()
    assert caught.value.reason == "slow"
    assert child.process.returncode is not None
    assert sandbox.run("visible", {"html": "<p>Hello</p>"}) == "Hello"


def test_a_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELD_KEYS", "secret")
    child = sandbox.Child()
    try:
        child.ask("visible", {"html": ""}, wall_s=60)
        with open(f"/proc/{child.process.pid}/environ", "rb") as file:  # noqa: PTH123
            assert b"secret" not in file.read()
    finally:
        child.kill()


MANY = b"".join(b"--a\r\nContent-Type: text/plain\r\n\r\nx\r\n" for _ in range(2000))
DEEP = b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(200)
)


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + MANY,
        DEEP + b"Content-Type: text/plain\r\n\r\nx",
        b"X-Many: x\r\n" * 2000 + b"\r\nx",
    ],
    ids=["parts", "depth", "headers"],
)
def test_a_mail_beyond_the_limits_is_a_plain_contact(body: bytes, context: Context) -> None:
    raw = b"From: Skyline <no-reply@skyline.example>\r\nSubject: Hello\r\n" + body
    (contact,) = mail.read(raw, context=context)
    assert (contact.kind, contact.title) == (ContactKind.MESSAGE, "Hello")
    assert contact.summary == mail.UNREADABLE
    assert contact.sender == "no-reply@skyline.example"


def test_nested_html_costs_no_time(context: Context) -> None:
    raw = b"Subject: Hello\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 100_000 + b"Hello"
    sandbox.run("visible", {"html": ""})  # the start of a child is not what is measured
    began = time.monotonic()
    assert len(mail.read(raw, context=context)) == 1
    assert time.monotonic() - began < 5


def test_a_mail_is_the_same_through_a_child(context: Context) -> None:
    raw = b"From: a@skyline.example\r\nSubject: Visit\r\n\r\nVisit on Monday 16 November 8:00-12:00"
    (contact,) = mail.read(raw, context=context)
    assert contact.visit is not None
    assert contact.visit.window is not None
