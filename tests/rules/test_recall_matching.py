"""Whether a recall means a thing, and how sure that is: by table, and by what always holds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.cover_words import Confidence
from assets.recall_matching import (
    SURENESS,
    Criterion,
    Match,
    Thing,
    in_range,
    judge,
    maker_key,
    match,
    number_key,
    same_maker,
)

F150 = Thing(
    maker="Ford",
    model="F-150 Lariat",
    years=frozenset({2013}),
    numbers=frozenset({"1FTFW1ET5DFC10312"}),
    sorts=frozenset({"car"}),
)
FRIDGE = Thing(
    maker="Samsung",
    model="RF28R7351SR",
    numbers=frozenset({"0B1K4BAN400123Z"}),
    gtins=frozenset({"887276300016"}),
    sorts=frozenset({"fridge"}),
)
BOILER = Thing(
    maker="Vaillant", model="ecoTEC plus", sorts=frozenset({"boiler"}), lots=frozenset({"2117"})
)
EXACT, LIKELY, POSSIBLE = Confidence.EXACT, Confidence.LIKELY, Confidence.POSSIBLE


@pytest.mark.parametrize(
    ("thing", "criterion", "expected"),
    [
        # A vehicle as NHTSA names it: maker, model and year are this model, not this car.
        (F150, Criterion(brand="FORD", model="F-150", year=2013), LIKELY),
        (F150, Criterion(brand="FORD", model="F150", year=2013), LIKELY),
        (F150, Criterion(brand="FORD", model="F-150", year=2014), None),
        (F150, Criterion(brand="FORD", model="F-1500", year=2013), None),
        (F150, Criterion(brand="FORD", model="EXPLORER", year=2013), None),
        (F150, Criterion(brand="LINCOLN", model="F-150", year=2013), None),
        (replace(F150, years=frozenset()), Criterion(brand="FORD", model="F-150", year=2013),
         POSSIBLE),
        # Less is known of ours than the recall asks for.
        (replace(F150, model="F-150"),
         Criterion(brand="FORD", model="F-150 Lightning", year=2013, product="truck"), POSSIBLE),
        (replace(F150, model=""), Criterion(brand="FORD", product="Pickup truck"), POSSIBLE),
        (replace(F150, model=""), Criterion(brand="FORD", model="F-150", product=""), None),
        # A VIN in the range is this very one; one outside is not, whatever else fits.
        (F150, Criterion(brand="Ford", serial_from="1FTFW1ET1DFC10000",
                         serial_to="1FTFW1ETXDFC10999"), EXACT),
        (F150, Criterion(serial_from="1FTFW1ET1DFC10000", serial_to="1FTFW1ETXDFC10999"), EXACT),
        (F150, Criterion(brand="Ford", model="F-150", serial_from="1FTFW1ET1DFC10313",
                         serial_to="1FTFW1ETXDFC10999"), None),
        # Consumer goods as CPSC names them.
        (FRIDGE, Criterion(brand="Samsung Electronics America Inc., of Ridgefield Park, N.J.",
                           model="RF28R7351SR, RF23R6201SR and RS27T5200SR"), LIKELY),
        (FRIDGE, Criterion(brand="Samsung", model="RF28R*"), LIKELY),
        (FRIDGE, Criterion(brand="Samsung", model="RF28RXXX"), LIKELY),
        (FRIDGE, Criterion(brand="Samsung", model="RS27T5200SR"), None),
        (FRIDGE, Criterion(brand="Samsung", product="French Door Refrigerators"), POSSIBLE),
        (FRIDGE, Criterion(brand="Samsung", product="Galaxy phones"), None),
        (FRIDGE, Criterion(brand="Whirlpool", product="Refrigerators"), None),
        # A barcode counts as much as the maker beside it: barcodes are used again.
        (FRIDGE, Criterion(brand="Samsung", gtin="0887276300016"), LIKELY),
        (FRIDGE, Criterion(gtin="00887276300016"), POSSIBLE),
        (FRIDGE, Criterion(brand="Somebody else", gtin="887276300016"), None),
        (FRIDGE, Criterion(brand="Samsung", model="RF28R7351SR", gtin="8806090000003"), POSSIBLE),
        # Serial numbers.
        (FRIDGE, Criterion(brand="Samsung", serial_from="0B1K4BAN400100Z",
                           serial_to="0B1K4BAN400200Z"), EXACT),
        (FRIDGE, Criterion(brand="Samsung", serial_from="0B1K4BAN400124Z",
                           serial_to="0B1K4BAN400200Z"), None),
        (FRIDGE, Criterion(serial_from="0B1K4BAN400123Z"), None),  # whose number is not said
        # Batches.
        (BOILER, Criterion(brand="Vaillant GmbH", lot="2116, 2117"), EXACT),
        (BOILER, Criterion(brand="Vaillant GmbH", model="ecoTEC", lot="2118"), None),
        (BOILER, Criterion(brand="Vaillant", model="ecoTEC", lot="from 2116 up to 2120"), LIKELY),
        (replace(BOILER, lots=frozenset()),
         Criterion(brand="Vaillant", model="ecoTEC plus", lot="2117"), LIKELY),
        # Lists that say "unknown" name no model and no maker.
        (BOILER, Criterion(brand="Vaillant", model="Unknown", product="Gas boiler"), POSSIBLE),
        (BOILER, Criterion(brand="Unknown", model="ecoTEC plus", product="Gas boiler"), None),
        (Thing(), Criterion(brand="Vaillant", model="ecoTEC plus"), None),
    ],
)  # fmt: skip
def test_confidence_follows_what_is_known(
    thing: Thing, criterion: Criterion, expected: Confidence | None
) -> None:
    judged = judge(thing, criterion)
    assert (judged and judged.confidence) == expected


def test_the_surest_criterion_counts() -> None:
    criteria = [
        Criterion(brand="Samsung", product="Refrigerators"),
        Criterion(brand="Samsung", serial_from="0B1K4BAN400100Z", serial_to="0B1K4BAN400200Z"),
        Criterion(brand="Samsung", model="RF28R7351SR"),
    ]
    assert match(FRIDGE, criteria) == Match(confidence=EXACT, by="serial")


def test_elsewhere_a_model_is_only_a_possibility_and_a_number_still_counts() -> None:
    model = [Criterion(brand="Samsung", model="RF28R7351SR")]
    number = [Criterion(brand="Samsung", serial_from="0B1K4BAN400123Z")]
    assert match(FRIDGE, model, is_here=False) == Match(confidence=POSSIBLE, by="model")
    assert match(FRIDGE, number, is_here=False) == Match(confidence=EXACT, by="serial")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Škoda Auto", "SKODA", True),
        ("Robert Bosch GmbH", "Robert Bosch", True),
        ("Mr. Coffee", "MR COFFEE", True),
        ("Hewlett-Packard", "Hewlett Packard Company", True),
        ("Ford", "Fordham", False),
        ("Bosch", "Siemens", False),
        ("", "Siemens", False),
        ("The Company", "Siemens", False),
    ],
)
def test_makers_are_known_by_what_says_who_they_are(
    one: str, other: str, *, expected: bool
) -> None:
    assert same_maker(one, other) is expected
    if expected:
        assert maker_key(one) == maker_key(other)


@pytest.mark.parametrize(
    ("number", "first", "last", "expected"),
    [
        ("A9", "A1", "A10", True),  # counted, not spelled
        ("A11", "A1", "A10", False),
        ("B5", "A1", "A10", False),
        ("5", "A1", "A10", False),
        ("007", "5", "9", True),
        ("AB", "A", "Z", False),
        ("1FTFW1ET9DFC10500", "1FTFW1ET1DFC10000", "1FTFW1ETXDFC10999", True),
        ("1FTFX1ET9DFC10500", "1FTFW1ET1DFC10000", "1FTFW1ETXDFC10999", False),
    ],
)
def test_ranges_are_counted(number: str, first: str, last: str, *, expected: bool) -> None:
    assert in_range(number, first, last) is expected


# --- what always holds -------------------------------------------------------------------

texts = st.text(alphabet="ABF0159- xX,*/", max_size=14)
criteria = st.builds(
    Criterion,
    brand=st.sampled_from(["", "Ford", "FORD Motor Company", "Skoda", "unknown"]),
    model=texts,
    product=st.sampled_from(["", "truck", "phones", "Ford things"]),
    year=st.sampled_from([None, 2013, 2014]),
    gtin=st.sampled_from(["", "4006381333931"]),
    lot=st.sampled_from(["", "L1", "L2"]),
    serial_from=texts,
    serial_to=texts,
)
things = st.builds(
    Thing,
    maker=st.sampled_from(["", "Ford", "Skoda"]),
    model=texts,
    years=st.sampled_from([frozenset(), frozenset({2013})]),
    numbers=st.frozensets(texts, max_size=2),
    lots=st.sampled_from([frozenset(), frozenset({"L1"})]),
    gtins=st.sampled_from([frozenset(), frozenset({"4006381333931"})]),
    sorts=st.sampled_from([frozenset(), frozenset({"car"})]),
)


@given(things, criteria)
def test_exact_always_names_the_piece(thing: Thing, criterion: Criterion) -> None:
    judged = judge(thing, criterion)
    if judged is not None and judged.confidence == EXACT:
        has_number = any(map(number_key, thing.numbers)) and (
            number_key(criterion.serial_from) or number_key(criterion.serial_to)
        )
        assert has_number or (thing.lots and criterion.lot)


@given(things, criteria)
def test_nothing_is_claimed_without_a_maker_or_a_number(thing: Thing, criterion: Criterion) -> None:
    if not thing.maker and not thing.numbers and not thing.gtins and not thing.lots:
        assert judge(thing, criterion) is None


@given(things, st.lists(criteria, max_size=4), criteria)
def test_another_criterion_never_makes_it_less_sure(
    thing: Thing, some: list[Criterion], more: Criterion
) -> None:
    before, after = match(thing, some), match(thing, [*some, more])
    if before is not None:
        assert after is not None
        assert SURENESS.index(after.confidence) >= SURENESS.index(before.confidence)


@given(things, criteria)
def test_elsewhere_is_never_surer_than_here(thing: Thing, criterion: Criterion) -> None:
    here, away = match(thing, [criterion]), match(thing, [criterion], is_here=False)
    assert (here is None) == (away is None)
    if here is not None and away is not None:
        assert SURENESS.index(away.confidence) <= SURENESS.index(here.confidence)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_range_holds_its_ends_and_no_text_breaks_it(one: str, first: str, last: str) -> None:
    in_range(number_key(one), number_key(first), number_key(last))
    key = number_key(one)
    assert in_range(key, key, key)


@given(st.text(max_size=40), st.text(max_size=40))
def test_makers_compare_both_ways_alike(one: str, other: str) -> None:
    assert same_maker(one, other) == same_maker(other, one)
