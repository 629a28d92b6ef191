"""Nobody alters, cuts or reorders the access log unnoticed, and an erased owner leaves it whole."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from owners import access
from owners.models import AccessEntry, AccessHead
from tests import factories

LINES = 40


@pytest.fixture
def log(cast: factories.Cast) -> factories.Cast:
    """A log with lines of Ana and of Mallory, in turn."""
    for number in range(LINES):
        owner = cast.ana if number % 2 else cast.mallory
        access.note(
            kind="signed_in",
            actor=owner,
            what={"from": f"192.0.2.{number}"},
            now=factories.START + timedelta(minutes=number),
        )
    return cast


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_an_untouched_log_holds(log: factories.Cast) -> None:
    assert list(access.verify()) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE owners_accessentry SET what = '{}' WHERE number = 7",
        "UPDATE owners_accessentry SET actor_id = 99999 WHERE number = 7",
        "UPDATE owners_accessentry SET kind = 'signed_out' WHERE number = 7",
        "UPDATE owners_accessentry SET at = at + interval '1 second' WHERE number = 7",
        "DELETE FROM owners_accessentry WHERE number = 7",
        "DELETE FROM owners_accessentry WHERE number = 1",
        "DELETE FROM owners_accessentry WHERE number > 38",
        "UPDATE owners_accessentry SET number = number + 1000 WHERE number > 20",
        "UPDATE owners_accessentry SET erased_at = now(), what = '{}' WHERE number = 7",
        "UPDATE owners_accesshead SET number = 39",
    ],
)
def test_every_tampering_shows(log: factories.Cast, tampering: str) -> None:
    sql(tampering)
    assert list(access.verify())


def test_a_line_swapped_with_another_shows(log: factories.Cast) -> None:
    sql("UPDATE owners_accessentry SET number = -1 WHERE number = 7")
    sql("UPDATE owners_accessentry SET number = 7 WHERE number = 8")
    sql("UPDATE owners_accessentry SET number = 8 WHERE number = -1")
    assert {fault.number for fault in access.verify()} >= {7, 8}


def test_erasing_an_owner_blanks_their_lines_and_the_log_still_holds(log: factories.Cast) -> None:
    blanked = access.blank(owner_ids=[log.ana.pk], now=factories.START + timedelta(days=1))
    assert blanked == LINES / 2
    assert not AccessEntry.objects.filter(actor_id=log.ana.pk).exists()
    assert not AccessEntry.objects.filter(what__has_key="from", erased_at__isnull=False).exists()
    assert list(access.verify()) == []


def test_a_log_that_was_replaced_shows_against_a_kept_end(log: factories.Cast) -> None:
    out = StringIO()
    call_command("verify_access_log", stdout=out)
    kept = out.getvalue().rsplit(" ", 1)[1].strip()
    call_command("verify_access_log", expect=kept, stdout=StringIO())
    AccessEntry.objects.all().delete()
    AccessHead.objects.all().delete()
    for number in range(LINES):
        access.note(kind="signed_in", actor=log.ana, now=factories.START, what={"n": number})
    assert list(access.verify()) == []
    with pytest.raises(CommandError):
        call_command("verify_access_log", expect=kept, stderr=StringIO())


def test_a_kind_nobody_knows_is_refused(cast: factories.Cast) -> None:
    with pytest.raises(ValueError, match="not a kind"):
        access.note(kind="something", now=factories.START)
