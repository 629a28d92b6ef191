"""What an owner opens with a supplier: a matter in the owner's words, or a request for data.

It is written down like any log of the owner's, as a journey of its own, and goes to the
supplier a moment later, so that it can still be taken back. Both carry the same names: an
answer that quotes one, or the letter, falls into the same journey.
"""

import calendar
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import dateformat
from django.utils.translation import gettext_noop

from assets.models import Asset
from notifications.projections import name_for, uuid_for
from notifications.tongue import gettext as _
from owners.models import Household, Owner
from suppliers import disclosure, inbox, outbox, pairwise
from suppliers.choices import Direction, MandateState, Medium
from suppliers.models import Mandate
from suppliers.processing import contact_uuid

TICKET, DATA_REQUEST = "owner.ticket.opened", "owner.data_request.created"
VISIT = "owner.appointment.requested"
REF = "thread"  # the scheme under which a supplier quotes the matter's name
HELD = timedelta(seconds=10)  # a toast stays for eight
LONGEST = 4_000
ARTICLES = {"access": "Art. 15 GDPR", "erasure": "Art. 17 GDPR"}


class OpeningError(Exception):
    """It cannot be opened; `code` and `detail` say why, `field` which input."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What was opened: its journey stands a moment later, under the id given here."""

    journey: uuid.UUID
    contact: uuid.UUID
    is_sent: bool  # a supplier hears of it
    due: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What goes out: its type, the owner's words, and what the supplier is told with them."""

    type: str
    words: str
    data: dict[str, Any]
    due: date | None = None


def month_after(day: date) -> date:
    """Return the day one month later; the last of a shorter month (GDPR Art. 12(3))."""
    year, month = divmod(day.year * 12 + day.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def mandates_for(owner: Owner, *, asset: Asset | None = None) -> QuerySet[Mandate]:
    """Return the mandates by which a matter may be opened: active, and covering the asset."""
    active = Mandate.objects.for_owner(owner).filter(state=MandateState.ACTIVE)
    if asset is not None:
        covering = Q(assets=asset) | Q(assets=None)
        active = active.filter(covering, household=asset.household_id)
    return active.select_related("supplier", "household").order_by("supplier__name").distinct()


def start(  # noqa: PLR0913 - what a matter may be opened with
    *,
    owner: Owner,
    household: Household,
    text: str,
    key: str,
    now: datetime,
    asset: Asset | None = None,
    mandate: Mandate | None = None,
    windows: Sequence[Mapping[str, str]] = (),
    journey: uuid.UUID | None = None,
) -> Opened:
    """Open a matter, or speak on a `journey` that there is; the same key again is the same one.

    Without a mandate it is only noted.
    Raises OpeningError where nothing is said, or the supplier may not know of the asset.
    """
    words = text.strip()[:LONGEST]
    if not words:
        raise OpeningError("required", gettext_noop("Write what it is about."), field="text")
    if asset is not None and asset.household_id != household.pk:
        raise OpeningError("unknown", gettext_noop("There is no such object."), field="asset")
    data: dict[str, Any] = {"body": words}
    if mandate is not None:
        if not _may_hear(owner, mandate, household=household, asset=asset):
            raise OpeningError(
                "not_covered",
                gettext_noop("They may not know of this. Choose another, or let them first."),
                field="supplier",
            )
        data |= _told(mandate, asset)
        if windows:
            data |= {"windows": [dict(one) for one in windows], "zone": household.zone}
    return _open(
        owner=owner,
        household=household,
        what=_Said(type=TICKET, words=words, data=data),
        asset=asset,
        mandate=mandate,
        key=key,
        now=now,
        journey=journey,
    )


def ask_for_visit(
    *,
    owner: Owner,
    asset: Asset,
    journey: uuid.UUID,
    mandate: Mandate,
    text: str,
    windows: Sequence[Mapping[str, str]],
    key: str,
    now: datetime,
) -> Opened:
    """Ask a supplier to come, on a matter that there is; its answer joins that one.

    The same key again is the same request. Raises OpeningError where the supplier may not
    know of the asset.
    """
    household = asset.household
    if not _may_hear(owner, mandate, household=household, asset=asset):
        raise OpeningError(
            "not_covered",
            gettext_noop("They may not know of this. Choose another, or let them first."),
            field="supplier",
        )
    data: dict[str, Any] = {"body": text, **_told(mandate, asset), "zone": household.zone}
    data["windows"] = [dict(one) for one in windows]
    return _open(
        owner=owner,
        household=household,
        what=_Said(type=VISIT, words=text, data=data),
        asset=asset,
        mandate=mandate,
        key=key,
        now=now,
        journey=journey,
    )


def ask_for_data(*, owner: Owner, mandate: Mandate, kind: str, key: str, now: datetime) -> Opened:
    """Ask a supplier what it holds about the owner (`access`), or to delete it (`erasure`).

    Raises OpeningError for another kind.
    """
    if kind not in ARTICLES:
        raise OpeningError("invalid", gettext_noop("Ask for access or erasure."), field="kind")
    household = mandate.household
    due = month_after(now.astimezone(ZoneInfo(household.zone)).date())
    about = {"article": ARTICLES[kind], "day": dateformat.format(due, "j F Y")}
    if kind == "access":
        title = _("Please tell us what you hold about us.")
        words = _(
            "Under %(article)s, please tell us which personal data you hold about us and send "
            "us a copy, by %(day)s."
        )
    else:
        title = _("Please delete what you hold about us.")
        words = _(
            "Under %(article)s, please erase the personal data you hold about us and confirm it, "
            "by %(day)s."
        )
    said = f"{title}\n{words % about}"
    data = {"kind": kind, "article": ARTICLES[kind], "dueAt": due.isoformat(), "body": said}
    return _open(
        owner=owner,
        household=household,
        what=_Said(type=DATA_REQUEST, words=said, data=data, due=due),
        asset=None,
        mandate=mandate,
        key=key,
        now=now,
    )


def withdraw(*, name: uuid.UUID) -> bool:
    """Keep what a contact (by its UUID) opened from its supplier; False when it has gone out."""
    return outbox.withdraw(name=_letter(name))


def _letter(contact: uuid.UUID) -> uuid.UUID:
    """Return the name of the event that goes out with what was written down."""
    return uuid_for(contact, "opening")


def _may_hear(owner: Owner, mandate: Mandate, *, household: Household, asset: Asset | None) -> bool:
    allowed = mandates_for(owner, asset=asset).filter(household=household)
    return allowed.filter(pk=mandate.pk).exists()


def _told(mandate: Mandate, asset: Asset | None) -> dict[str, Any]:
    """Return what the supplier may know: the granted facts, and no more."""
    data: dict[str, Any] = {}
    if facts := disclosure.home_facts(mandate.household, mandate.facts):
        data["facts"] = facts
    if asset is not None:
        data["asset"] = disclosure.asset_facts(asset, mandate.facts, owner_ref=mandate.owner_ref)
    return data


def _open(
    *,
    owner: Owner,
    household: Household,
    what: _Said,
    asset: Asset | None,
    mandate: Mandate | None,
    key: str,
    now: datetime,
    journey: uuid.UUID | None = None,
) -> Opened:
    contact = contact_uuid(
        supplier_id=None,
        household_id=household.pk,
        source=f"{inbox.OWNER_SOURCE}/{owner.uuid}/{household.uuid}",
        event_id=key,
    )
    journey = journey or uuid.UUID(name_for(contact, "journey"))
    letter = _letter(contact)
    log: dict[str, Any] = {"direction": Direction.OUT.value, "medium": Medium.APP.value}
    log |= {"note": what.words, **({"asset": str(asset.uuid)} if asset else {})}
    opens: dict[str, Any] = {"journey": str(journey), "type": what.type}
    data: dict[str, Any] = {"journey": str(journey), **what.data}
    if mandate is not None:
        ref = {"scheme": REF, "value": pairwise.journey(mandate.owner_ref, journey)}
        keys = [ref, {"scheme": REF, "value": f"{letter}@{settings.MAIL_DOMAIN}"}]
        data["refs"] = [ref]
        if what.type == DATA_REQUEST:
            data["requestId"] = ref["value"]
            keys.append({"scheme": "entity", "value": ref["value"]})
        log["supplier"], opens["keys"] = str(mandate.supplier.uuid), keys
    log["opens"] = opens
    with transaction.atomic():
        kept = inbox.log(owner=owner, household=household, data=log, key=key, now=now)
        # Sent again, a form that was taken back stays taken back.
        if mandate is not None and kept.status != inbox.DUPLICATE:
            outbox.send(
                mandate=mandate, type=what.type, data=data, now=now, name=letter,
                not_before=now + HELD,
            )  # fmt: skip
    return Opened(journey=journey, contact=contact, is_sent=mandate is not None, due=what.due)
