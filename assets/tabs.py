"""The tabs of an asset's page: its own views, and its care, which has an address of its own."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from assets.models import Asset


def of(asset: Asset, at: str, counts: Mapping[str, int] | None = None) -> list[dict[str, Any]]:
    """Return the tabs of an asset; `at` names the one that is shown."""
    here = reverse("asset", args=[asset.uuid])
    labels = {
        "overview": _("Overview"),
        "care": _("Care"),
        "timeline": _("Timeline"),
        "suppliers": _("Suppliers"),
        "costs": _("Costs and cover"),
        "documents": _("Documents"),
        "details": _("Details"),
    }
    return [
        {
            "label": label,
            "href": reverse("asset-care", args=[asset.uuid])
            if name == "care"
            else f"{here}?tab={name}",
            "is_at": name == at,
            "count": (counts or {}).get(name),
        }
        for name, label in labels.items()
    ]
