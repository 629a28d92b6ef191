"""What text says: windows, money, questions, kinds; and that no text is too hard to read."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppliers.adapters import text
from suppliers.adapters.context import Context
from suppliers.choices import Stage
from suppliers.contacts import Money, Window
from tests.adapters.conftest import NOW, ana

Contexts = Callable[..., Context]


def window(first: str, last: str) -> Window:
    return Window(
        start=datetime.fromisoformat(f"2026-{first}:00-05:00").astimezone(UTC),
        end=datetime.fromisoformat(f"2026-{last}:00-05:00").astimezone(UTC),
    )


MORNING = window("11-16T08:00", "11-16T12:00")
AFTERNOON = window("11-16T13:00", "11-16T17:00")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Technician comes Mon 16 Nov between 8:00 and 12:00.", MORNING),
        ("Your visit is on Monday, November 16, 8:00 AM - 12:00 PM.", MORNING),
        ("Your visit is now on Monday, November 16, 1:00 PM - 5:00 PM instead.", AFTERNOON),
        ("your visit is on Monday 16 November, between 1pm and 5pm", AFTERNOON),
        ("The technician comes on 11/16/2026 08:00-12:00", MORNING),
        ("Visit: 2026-11-16, 8-12 am/pm 08:00-12:00", MORNING),
        ("We will visit you between 8am and 12pm on Monday", MORNING),
        ("Your appointment\nDate: November 16\nTime: 8:00 - 12:00", MORNING),
        ("Visit moved from Friday 13 November 8:00-12:00 to Monday 16 November 1-5pm", AFTERNOON),
        ("Der Techniker kommt am Montag, 16. November zwischen 8 und 12 Uhr.", MORNING),
        ("Ihr Termin: 16.11.2026, 08.00 bis 12.00 Uhr", MORNING),
        ("Le technicien passera le lundi 16 novembre entre 8h et 12h pour votre box.", MORNING),
        ("Il tecnico arriverà lunedì 16 novembre dalle 8 alle 12.", MORNING),
        ("El técnico llegará el lunes 16 de noviembre entre las 8 y las 12.", MORNING),
    ],
)
def test_a_window_is_read(said: str, expected: Window, context: Context) -> None:
    visit = text.read(said, said_at=NOW, context=context).visit
    assert visit is not None
    assert visit.window == expected


@pytest.mark.parametrize(
    "said",
    [
        "Our hotline is open Monday 16 November 8:00-17:00. Your visit is soon.",  # opening hours
        "Your visit is on Friday 16 November between 8:00 and 12:00.",  # 16 November is a Monday
        "Visit on 16 November 8:00-12:00 or on 17 November 8:00-12:00?",  # two offers
        "Your visit is between 8:00 and 12:00.",  # no day
        "Your visit is on 16 November between 1 and 5.",  # night or afternoon
        "Sale on Monday 16 November, 8:00-12:00.",  # nobody comes
        "Your visit: order 4471-8812, call 555-0100.",
        "On Mon, 16 Nov 2026 08:00:00 -0500 your visit was noted.",
    ],
)
def test_what_has_no_one_reading_is_no_window(said: str, context: Context) -> None:
    visit = text.read(said, said_at=NOW, context=context).visit
    assert visit is None or visit.window is None


def test_day_and_month_follow_the_country_unless_a_weekday_decides(contexts: Contexts) -> None:
    said = "Your visit: 12/11/2026 08:00-12:00"
    home, abroad = contexts(), contexts(day_first=True, country="GB")
    american = text.read(said, said_at=NOW, context=home).visit
    british = text.read(said, said_at=NOW, context=abroad).visit
    decided = text.read(said.replace("12/11", "Friday 12/11"), said_at=NOW, context=abroad).visit
    assert american is not None
    assert british is not None
    assert decided is not None
    assert american.window == window("12-11T08:00", "12-11T12:00")
    assert british.window == window("11-12T08:00", "11-12T12:00")
    assert decided.window == american.window  # 12 November 2026 is a Thursday


@pytest.mark.parametrize(
    ("said", "name", "money"),
    [
        ("Upgrade for 49.00.", "fee", Money(amount="49.00", currency="USD")),
        ("HR54 upgrade, $49.00.", "fee", Money(amount="49.00", currency="USD")),
        ("Upgrade fee: $1,249", "fee", Money(amount="1249.00", currency="USD")),
        ("Die Kosten: 1.249,50 EUR", "fee", Money(amount="1249.50", currency="EUR")),
        ("Total: €49,00", "fee", Money(amount="49.00", currency="EUR")),
        ("Upgrade $49, tax $4. Total: $53.00", "total", Money(amount="53.00", currency="USD")),
        ("Please pay £20.50", "amount_due", Money(amount="20.50", currency="GBP")),
        ("We refunded $5.00 to you", "refund", Money(amount="5.00", currency="USD")),
    ],
)
def test_money_is_read_with_what_it_is_for(
    said: str, name: str, money: Money, context: Context
) -> None:
    facts = text.read(said, said_at=NOW, context=context).facts
    assert [(fact.name, fact.money) for fact in facts] == [(name, money)]


def test_a_discount_is_no_fee(context: Context) -> None:
    assert not text.read("Save $50.00 today", said_at=NOW, context=context).facts


def test_only_real_questions_ask(context: Context) -> None:
    asked = text.read("Please tell us your account number.", said_at=NOW, context=context)
    nothing = text.read("There is nothing you need to do.", said_at=NOW, context=context)
    assert [ask.fact for ask in asked.asks] == ["account"]
    assert not nothing.asks


@pytest.mark.parametrize(
    "said",
    [
        "Your visit on Monday 16 November between 8:00 and 12:00 has been cancelled.",
        "Ihr Termin am 16.11.2026 von 8:00 bis 12:00 Uhr wurde leider abgesagt.",
    ],
)
def test_a_cancelled_visit_is_not_a_booked_one(said: str, context: Context) -> None:
    visit = text.read(said, said_at=NOW, context=context).visit
    assert visit is not None
    assert (visit.stage, visit.window) == (Stage.CANCELLED, MORNING)


def test_a_voicemail_keeps_the_clause_that_says_when(context: Context) -> None:
    said = "Hello, this is about your visit today, we will be there in a few hours."
    read = text.read(said, said_at=NOW, context=context, is_spoken=True, is_voicemail=True)
    assert (read.quote, read.is_arriving) == ("we will be there in a few hours", True)
    assert read.eta is None  # "a few" is no number


def test_a_message_about_a_dated_visit_is_nobody_arriving(context: Context) -> None:
    said = "Your technician will be there Mon 16 Nov 08:00-12:00."
    read = text.read(said, said_at=NOW, context=context, is_spoken=True)
    assert read.visit is not None
    assert not read.is_arriving
    read = text.read("We are on our way.", said_at=NOW, context=context, is_spoken=True)
    assert read.is_arriving


@pytest.mark.parametrize(
    "said",
    [
        "Wir sind in 10 Minuten da.",
        "Siamo da lei tra 10 minuti.",
        "Nous arrivons dans 10 minutes.",
        "Llegamos en 10 minutos.",
    ],
)
@pytest.mark.parametrize("is_spoken", [True, False])
def test_somebody_arriving_is_understood_in_each_language(
    said: str, *, is_spoken: bool, context: Context
) -> None:
    read = text.read(said, said_at=NOW, context=context, is_spoken=is_spoken)
    assert read.is_arriving
    assert read.eta is not None
    assert read.eta.start == NOW + timedelta(minutes=10)


HOSTILE = {
    "on": "On ", "digits": "1", "dots": "1.", "numbers": "1 ", "between": "between 8:00 and ",
    "ranges": "8-", "clocks": "8:00-", "spans": "8:00 - 12:00 ", "dollars": "$1,", "spaces": " ",
    "lines": "\n", "urls": "http://", "brackets": "+1 (", "dates": "Fri 13 Nov ",
    "due": "due on 13 Nov ",
    "wrote": "On 1 x\nwrote", "requests": "please tell us ", "links": "survey pay http://a.b/c ",
}  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_costs_no_more_than_its_length(piece: str, context: Context) -> None:
    def cost(size: int) -> float:
        said = piece * (size // len(piece))
        began = time.process_time()
        text.read(said, subject="visit survey", said_at=NOW, context=context)
        text.visible_reply(said)
        return time.process_time() - began

    cost(1_000)
    # Twenty times the text may take about twenty times as long; the square would be 400.
    assert cost(20_000) < 60 * max(cost(1_000), 0.002)
    assert cost(50_000) < 0.8


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["Fri 13 Nov", "13/11", "31.02.", "8:00", "-", "between", "and", "12", "pm", "$",
             "49.00",
             "visit", "\n", "today", "tomorrow", " ", "cancelled", "99:99", "24:00", "0", "Uhr",
             "is"]
        )
        | st.text(max_size=8),
        max_size=30,
    )
)  # fmt: skip
def test_any_text_can_be_read(pieces: list[str]) -> None:
    said = " ".join(pieces)
    read = text.read(said, subject="visit", said_at=NOW, context=ana(), is_spoken=True)
    if read.visit is not None and read.visit.window is not None:
        assert read.visit.window.start <= read.visit.window.end
    assert isinstance(text.visible_reply(said), str)


@pytest.mark.parametrize(
    ("language", "said", "clock"),
    [
        ("de", "Wir kommen erst um 11 Uhr.", "11:00"),
        ("de", "Leider verspätet. Wir sind erst um 11 bei Ihnen.", "11:00"),
        ("de", "Der Techniker kommt gegen 14:30 Uhr", "14:30"),
        ("en", "We will only be there at 11.", "11:00"),
        ("en", "Sorry, we won't be there until 11", "11:00"),
        ("en", "Our engineer will arrive at 4", "16:00"),
        ("it", "Arriviamo solo alle 11.", "11:00"),
        ("it", "Il tecnico arriverà verso le 15", "15:00"),
        ("fr", "Nous n'arriverons qu'à 11 h.", "11:00"),
        ("fr", "Nous serons chez vous vers 14h30", "14:30"),
        ("es", "Llegaremos a las 11.", "11:00"),
        ("es", "El técnico llegará sobre las 16:00", "16:00"),
        # no time of arrival, or not one
        ("en", "We arrive at 11 Main Street", None),
        ("en", "Please call us by 11.", None),
        ("en", "We're coming at 11 or at 12.", None),
        ("en", "We come at 7", None),
        ("en", "We are open until 6.", None),
        ("en", "It will arrive by 5 December", None),
        ("de", "Wir sind ab 9 Uhr erreichbar.", None),
    ],
)
def test_a_clock_time_without_a_day_is_when_somebody_comes_today(language, said, clock) -> None:
    now = datetime(2026, 11, 13, 8, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    context = Context(
        received_at=now,
        zone="Europe/Berlin",
        country="DE",
        currency="EUR",
        language=language,
        day_first=True,
    )
    found = text.read(said, said_at=now, context=context, is_spoken=True)
    assert found.visit is None
    shown = found.eta.start.astimezone(now.tzinfo).strftime("%H:%M") if found.eta else None
    assert shown == clock
    assert found.eta is None or found.eta.start.date() == now.date()
