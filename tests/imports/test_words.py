"""What the preview of an import says: days, sums and counts as the reader writes them."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import override

from assets.care_words import WorkKind
from assets.choices import CostCategory, CoverageKind, EndReason
from assets.import_words import line
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    CoverageDraft,
    Draft,
    ReadingDraft,
    ServiceDraft,
    Sum,
    Whose,
)

DAY = date(2026, 12, 20)
CAR = Whose(name="Car")


@pytest.mark.parametrize(
    ("draft", "english", "german"),
    [
        (
            CostDraft(
                whose=CAR,
                on=DAY,
                sum=Sum(amount=Decimal(-80), currency="EUR"),
                category=CostCategory.SALE,
            ),
            "Sale · Dec. 20, 2026 · -80.00 EUR",
            "Verkauf · 20. Dezember 2026 · -80,00 EUR",
        ),
        (
            ReadingDraft(whose=CAR, on=DAY, value=Decimal("81234.0"), unit="km"),
            "Meter reading · Dec. 20, 2026 · 81,234 km",
            "Zählerstand · 20. Dezember 2026 · 81.234 km",
        ),
        (
            CoverageDraft(
                whose=CAR, kind=CoverageKind.COMMERCIAL_GUARANTEE, obligor="Miele", ends_on=DAY
            ),
            "Maker's guarantee · Miele · until Dec. 20, 2026",
            "Herstellergarantie · Miele · bis 20. Dezember 2026",
        ),
        (
            ServiceDraft(
                whose=CAR,
                on=DAY,
                title="Oil",
                kind=WorkKind.REPAIR,
                cost=Sum(amount=Decimal("1234.5"), currency="EUR"),
                reading=Decimal("12.5"),
                unit="h",
            ),
            "Repair · Dec. 20, 2026 · Oil · 1,234.50 EUR · 12.5 h",
            "Reparatur · 20. Dezember 2026 · Oil · 1.234,50 EUR · 12,5 h",
        ),
        (
            AssetDraft(key="1", name="Old TV", end_reason=EndReason.SOLD, ended_on=DAY),
            "Old TV · Sold · Dec. 20, 2026",
            "Old TV · Verkauft · 20. Dezember 2026",
        ),
    ],
)
def test_a_line_is_written_as_its_reader_writes(draft: Draft, english: str, german: str) -> None:
    assert line(draft) == english
    with override("de"):
        assert line(draft) == german
