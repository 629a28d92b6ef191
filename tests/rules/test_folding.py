"""Words meet whatever the case, the accents and the spelling."""

import pytest

from assets import folding


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Müller Heizung", "muller"),
        ("Müller Heizung", "mueller"),
        ("Mueller Heizung", "Müller"),
        ("MÜLLER", "mü"),
        ("Straße 12", "strasse"),
        ("STRASSE", "Straße"),
        ("Café Ærø", "cafe aero"),
        ("Łódź", "lodz"),
        ("Ёлка", "ёлка"),
        ("R15-204477", "r15204477"),
        ("R15-204477", "R15-2044"),
        ("R15-204477", "204477"),
        ("+18005550199", "800 555 0199"),
        ("+18005550199", "(555) 0199"),
        ("visits@skyline.example", "skyline.example"),
    ],
)
def test_what_is_asked_meets_what_is_written(written: str, asked: str) -> None:
    known = folding.terms(written)
    *whole, last = folding.asked(asked)
    assert all(any(word in known for word in spelt) for spelt in whole)
    assert any(term.startswith(word) for word in last for term in known)


@pytest.mark.parametrize(
    ("slip", "name"),
    [("skylien", "skyline"), ("skylne", "skyline"), ("boilr", "boiler"), ("washng", "washing")],
)
def test_a_slip_of_the_finger_is_near(slip: str, name: str) -> None:
    assert folding.is_near(slip, name)


@pytest.mark.parametrize(("word", "name"), [("car", "bar"), ("tv", "tx"), ("house", "horse-")])
def test_short_words_must_be_right(word: str, name: str) -> None:
    assert not folding.is_near(word[:3], name)


def test_another_word_is_not_near() -> None:
    assert not folding.is_near("washing", "heating")


def test_a_text_of_any_length_has_a_bounded_number_of_terms() -> None:
    text = " ".join(f"word{number}" for number in range(5000))
    assert len(folding.terms(text)) == folding.MOST
    assert all(len(term) <= folding.LONGEST for term in folding.terms("x" * 5000))


def test_no_text_breaks_out_of_its_lexeme() -> None:
    shown = folding.lexemes(7, title="o'clock \\' ' | & ! :A", texts=["'); drop"])
    assert shown == "'7.o':1A '7.clock':1A '7.a':1A '7.drop':2"
