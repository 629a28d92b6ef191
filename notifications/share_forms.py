"""The form in which an owner adds what a supplier said."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.models import Asset, Document
from notifications.forms import LogForm
from owners.models import Owner
from suppliers.choices import Direction, Medium

SHARED_MEDIA = [
    (medium.value, medium.label)
    for medium in (Medium.SMS, Medium.CHAT, Medium.EMAIL, Medium.LETTER)
]
PAPERS_MOST = 20
MAIL = re.compile(r"(?im)^(?:from|von|da|de|subject|betreff|oggetto|objet)\s?:")
READ = ("window_day", "fee_amount", "reference", "supplier", "asset")


def medium_of(note: str, *, has_papers: bool) -> Medium:
    """Return how something probably came: as a letter, a mail or a text."""
    if MAIL.search(note):
        return Medium.EMAIL
    return Medium.LETTER if has_papers else Medium.SMS


class ShareForm(LogForm):
    """What a supplier said to the owner elsewhere, in its own words or on paper."""

    medium = forms.ChoiceField(
        label=_("How it came"), choices=SHARED_MEDIA, initial=Medium.SMS.value
    )
    note = forms.CharField(
        label=_("What they wrote"),
        max_length=8000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Paste the message. Of a letter a photo or a PDF is enough."),
    )
    # What only a call has; None takes a field of the parent away.
    direction = minutes = transfers = asked = None  # type: ignore[assignment]

    def __init__(
        self,
        *args: Any,
        owner: Owner,
        has_papers: bool = False,
        is_read: bool = False,
        **kwargs: Any,
    ) -> None:
        """Offer the owner's own; with papers no words are needed."""
        super().__init__(*args, owner=owner, **kwargs)
        self.owner = owner
        self.has_papers = has_papers
        self.is_read = is_read or bool(self.initial.get("note"))
        self.fields["supplier"].label = _("From whom")
        self.fields["at"].label = _("At")

    def papers(self) -> list[Document]:
        """Return the papers that were kept before, of those that are the owner's."""
        keys = []
        for text in self.data.getlist("documents")[:PAPERS_MOST]:  # type: ignore[attr-defined]  # of a QueryDict
            try:
                keys.append(UUID(text))
            except ValueError:
                continue
        mine = Document.objects.for_owner(self.owner).select_related("asset", "household")
        by_key = {paper.uuid: paper for paper in mine.filter(uuid__in=keys)}
        return [by_key[key] for key in dict.fromkeys(keys) if key in by_key]

    def chosen_asset(self) -> Asset | None:
        """Return the thing that was chosen, whatever else is wrong with the form."""
        try:
            key = UUID(self.data.get("asset", ""))
        except ValueError:
            return None
        mine = Asset.objects.for_owner(self.owner).select_related("household")
        return mine.filter(uuid=key).first()

    def found(self) -> list[Any]:
        """Return the names of the fields that hold what was read."""
        if not self.is_read or self.is_bound:
            return []
        return [self.fields[name].label for name in READ if self.initial.get(name)]

    def says_something(self, values: dict[str, Any]) -> bool:
        """Say whether there is anything to keep."""
        return self.has_papers or super().says_something(values)

    def to_log(self, *, currency: str) -> dict[str, Any]:
        """Return the log entry of something that came to the owner."""
        return super().to_log(currency=currency) | {"direction": Direction.IN.value}
