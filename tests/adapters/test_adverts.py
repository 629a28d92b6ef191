"""Where a mail can be stopped, and what is an advert: with evidence, and precision first."""

import pytest

from suppliers.adapters import adverts, headers
from suppliers.contacts import Unsubscribe


def head(*fields: str) -> headers.Head:
    return headers.read("\r\n".join((*fields, "", "Hello")).encode())


ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["Subject: Hello"], None),
        (
            ["List-Unsubscribe: <https://skyline.example/u?t=1>", ONE_CLICK],
            Unsubscribe(url="https://skyline.example/u?t=1", is_one_click=True),
        ),
        (
            ["List-Unsubscribe: <https://skyline.example/u>"],
            Unsubscribe(url="https://skyline.example/u"),
        ),
        (
            [
                "List-Unsubscribe: <mailto:stop@skyline.example?subject=stop>,",
                " <https://skyline.example/u>",
                "List-Unsubscribe-Post: list-unsubscribe = one-click",
            ],
            Unsubscribe(
                url="https://skyline.example/u",
                is_one_click=True,
                mailto="mailto:stop@skyline.example?subject=stop",
            ),
        ),
        # One click needs an https address.
        (
            ["List-Unsubscribe: <mailto:stop@skyline.example>", ONE_CLICK],
            Unsubscribe(mailto="mailto:stop@skyline.example"),
        ),
        (["List-Unsubscribe: <http://skyline.example/u>", ONE_CLICK], None),
        (["List-Unsubscribe: <https://ana@skyline.example/u>"], None),
        (["List-Unsubscribe: <https://skyline.example:8443/u>"], None),
        (["List-Unsubscribe: <mailto:a@x.example,b@y.example>"], None),
        (["List-Unsubscribe: https://skyline.example/u"], None),
        (["List-Unsubscribe: <https://[skyline>, <javascript:alert(1)>"], None),
    ],
)
def test_where_a_mail_can_be_stopped_is_kept(
    fields: list[str], expected: Unsubscribe | None
) -> None:
    assert adverts.unsubscribe_of(head(*fields)) == expected


def test_the_head_says_that_a_mail_went_to_many() -> None:
    found = head("List-Id: <news.skyline.example>", "Precedence: Bulk", "Feedback-ID: 1:2:skyline")
    assert adverts.bulk_signs(found) == (
        adverts.LIST_ID,
        adverts.BULK_PRECEDENCE,
        adverts.CAMPAIGN,
    )
    assert adverts.bulk_signs(head("Subject: Hello")) == ()
