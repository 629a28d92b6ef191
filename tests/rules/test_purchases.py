"""What an order proposes: what lasts, and nothing that is used up, eaten or done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suppliers import purchases
from suppliers.adapters import goods
from suppliers.contacts import GoodsClaim, Key, Money
from suppliers.purchases import Purchase


def line(name: str, price: str = "", **more: object) -> GoodsClaim:
    return GoodsClaim(name=name, price=Money(amount=price) if price else None, **more)  # type: ignore[arg-type]  # fields


@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        (line("Kaffeemaschine Perla", "399"), True),
        (line("Coffee machine", "199"), True),
        (line("Macchina per il caffè", "199"), True),
        (line("Oil radiator", "80"), True),
        (line("Paper shredder", "60"), True),
        (line("Some thing nobody knows", "12"), False),
        (line("Some thing nobody knows", "120"), True),
        (line("Widget", model="X1"), True),
        (line("Filter for coffee machine", "49"), False),
        (line("Filter cartridges, 6 pack", "59"), False),
        (line("Ground coffee", "50", unit="kg"), False),
        (line("HR54 upgrade", "49"), False),
        (line("Boiler service", "180"), False),
        (line("Wartung der Heizung", "180"), False),
        (line("Abbonamento annuale", "99"), False),
        (line("Garden chair", "90", quantity="12"), False),
        (line("Garden chair", "90", quantity="2"), True),
        (line("Delivery", "60"), False),
        (line("Anything", sort="consumable", model="X"), False),
        (line("Oil", numbers=(Key(scheme="serial", value="A1"),)), True),
        (line("Cleaner", "99", sort="product"), False),
        (line("Lamp", sort="product"), True),
    ],
)
def test_what_lasts_is_proposed(bought: GoodsClaim, expected: object) -> None:
    assert purchases.lasts(bought, is_known=False) is expected


GTIN = (Key(scheme="gtin", value="4006381333931"),)


@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        # used up, whatever machine it is for
        (line("Printer ink, black", "79"), False),
        (line("Robot vacuum bags", "45"), False),
        (line("Coffee machine cleaner", "49"), False),
        (line("Toner cartridge HP 59X", "169", numbers=GTIN), False),
        (line("Cartucce stampante Epson", "55"), False),
        # named by what goes in, on or with it
        (line("Tea kettle", "59"), True),
        (line("Wine fridge 24 bottles", "399"), True),
        (line("Coffee table oak", "149"), True),
        (line("Book shelf", "89"), True),
        (line("Tavolino caffè", "120"), True),
        (line("Cordless drill with 2 batteries", "189"), True),
        (line("Toy car (batteries included)", "60"), True),
        (line("Cordless drill + 2 batteries", "189"), True),
        (line("Washing machine incl. 5 years warranty", "899"), True),
        (line("Waschmaschine inkl. Garantieverlängerung", "899"), True),
        # rights and work
        (line("Extended warranty for washing machine", "99"), False),
        (line("Protection plan 2 years", "59", numbers=GTIN), False),
        (line("Antivirus, yearly subscription", "49"), False),
        (line("Netflix gift card 50", "50", numbers=GTIN), False),
        (line("Bike repair stand", "89", numbers=GTIN), True),
        (line("Inspection camera", "129", numbers=GTIN), True),
        (line("Bike repair", "89"), False),
        # bundles, several, back again
        (line("PlayStation 5 + 2 controllers bundle", "549"), True),
        (line("Espresso machine", "-399"), False),
        (line("AA batteries, 24 pack", "42"), False),
        (line("Shelf", "41", quantity="4"), True),
        (line("Shelf", "41", quantity="5"), False),
        (line("Shelf", "41", quantity="0.5"), False),
    ],
)
def test_awkward_lines_are_read_as_people_read_them(bought: GoodsClaim, expected: object) -> None:
    assert purchases.lasts(bought, is_known=False) is expected


@given(name=st.text(max_size=300), price=st.none() | st.integers(-(10**6), 10**6))
def test_any_line_is_judged(name: str, price: int | None) -> None:
    claim = line(name, "" if price is None else str(price))
    assert purchases.lasts(claim, is_known=False) in (True, False)


def test_what_stands_beside_one_thing_is_part_of_its_price() -> None:
    lines = [line("Boiler", "1890"), line("Versandkosten", "40"), line("Rabatt", "-100")]
    (bought,) = purchases.proposed(lines, is_known=[True, False, False])
    assert [(each.kind, each.sum.amount) for each in bought.lines] == [
        ("gross", "1890.00"),
        ("delivery", "40.00"),
        ("discount", "-100.00"),
    ]
    two = purchases.proposed([*lines, line("Pump", "300")], is_known=[True, False, False, False])
    assert [len(each.lines) for each in two] == [1, 1]


def test_two_of_one_sort_are_told_apart_by_their_serials() -> None:
    one = line("Radio", numbers=(Key(scheme="serial", value="A-1"),))
    other = line("Radio", numbers=(Key(scheme="serial", value="A-2"),))
    assert not purchases.same(one, other)
    assert purchases.same(one, line("radio"))
    assert purchases.same(one, line("Other words", numbers=(Key(scheme="serial", value="a1"),)))


WORDS = st.text(alphabet="abc ", min_size=1, max_size=6).filter(str.strip)
CLAIMS = st.builds(
    GoodsClaim,
    name=WORDS,
    maker=WORDS | st.just(""),
    model=WORDS | st.just(""),
    numbers=st.lists(
        st.builds(Key, scheme=st.sampled_from(["gtin", "serial"]), value=WORDS), max_size=2
    ).map(tuple),
)


@given(one=CLAIMS, other=CLAIMS)
def test_what_is_there_stays_when_more_is_said(one: GoodsClaim, other: GoodsClaim) -> None:
    joined = purchases.joined(Purchase(goods=one), Purchase(goods=other)).goods
    assert joined.name == one.name
    assert set(one.numbers) <= set(joined.numbers)
    assert joined.maker == (one.maker or other.maker)
    again = purchases.joined(Purchase(goods=joined), Purchase(goods=other)).goods
    assert again == joined


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1, "1"),
        ("2.50", "2.5"),
        (True, ""),
        ("x", ""),
        (-1, ""),
        (10, "10"),
        (1e20, ""),
        (None, ""),
    ],
)
def test_a_count_is_a_plain_decimal(value: object, read: str) -> None:
    assert goods.decimal(value) == read
