"""An SMS costs one message where that can be, and never loses its first sentence."""

from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.sms_text import fitted, is_gsm, segments

LINK = "steward.example/w/k3j"


def test_signs_that_only_look_nicer_do_not_make_it_dear() -> None:
    made = fitted("“Skyline” comes 8\u201312…", link=LINK)
    assert made == f'"Skyline" comes 8-12...\n{LINK}'
    assert is_gsm(made)


def test_letters_of_another_alphabet_are_kept() -> None:
    made = fitted("Мастер придёт в 8:00", link=LINK)
    assert made == f"Мастер придёт в 8:00\n{LINK}"


def test_later_sentences_wait_behind_the_link() -> None:
    made = fitted(f"They come at 08:00. {'It is about the roof. ' * 9}", link=LINK)
    assert segments(made) == 1
    assert made.startswith("They come at 08:00. It is about the roof.")
    assert made.endswith(f" ...\n{LINK}")


def test_lengths_are_counted_as_providers_count_them() -> None:
    assert [segments("a" * n) for n in (160, 161, 306, 307)] == [1, 2, 2, 3]
    assert [segments("€" * n) for n in (80, 81)] == [1, 2]
    assert [segments("ж" * n) for n in (70, 71, 134, 135)] == [1, 2, 2, 3]
    assert segments("😀" * 35) == 1


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=400))
def test_it_never_takes_more_messages_than_the_whole_text(text: str) -> None:
    made = fitted(text, link=LINK)
    assert made.endswith(LINK)
    assert segments(made) <= segments(f"{text}\n{LINK}")
