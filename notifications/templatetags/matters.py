"""What happened with a thing or a supplier, for pages that must not know journeys themselves."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django import template
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.choices import OperationalStatus
from assets.models import Asset
from notifications import badges
from notifications.choices import AppointmentState, JourneyState, Turn
from notifications.models import Appointment, Journey, Link
from owners import clock
from suppliers import particulars
from suppliers.models import Contact, Mandate, Role, Supplier, SupplierNumber

register = template.Library()

ABOUT_SHOWN, WITH_SHOWN = 20, 10
MANY = 500  # the latest matters among which each supplier's last is looked for
NOT_COMING = (AppointmentState.DECLINED, AppointmentState.CANCELLED, AppointmentState.MISSED)


def _mine(context: template.Context, which: Q) -> QuerySet[Journey]:
    mine = Journey.objects.for_owner(context["request"].user)
    return mine.filter(which, is_emptied=False)


@register.simple_tag(takes_context=True)
def matters_about(context: template.Context, asset: Asset) -> Any:
    """Return the owner's latest journeys about an asset."""
    mine = _mine(context, Q(asset=asset)).select_related("card")
    return mine.order_by("-last_said_at")[:ABOUT_SHOWN]


@register.simple_tag
def health_of(asset: Asset, journeys: Iterable[Journey]) -> dict[str, str]:
    """Return how an asset is, in a sentence, from its state, faults and open matters."""
    if asset.operational_status != OperationalStatus.IN_SERVICE:
        state = "unknown" if asset.operational_status == OperationalStatus.STORED else "bad"
        return {"state": state, "text": asset.get_operational_status_display()}
    fault = asset.issues.filter(removed_at=None).open().first()
    if fault is not None:
        return {"state": "bad", "text": _("Something is wrong: %(what)s") % {"what": fault.title}}
    running = [journey for journey in journeys if journey.state == JourneyState.OPEN]
    if not running:
        return {"state": "fine", "text": _("Fine. No open matter.")}
    mine = sum(1 for journey in running if journey.turn == Turn.OWNER)
    if mine:
        text = ngettext("%(n)s matter waits for you", "%(n)s matters wait for you", mine)
        return {"state": "soon", "text": text % {"n": mine}}
    count = len(running)
    text = ngettext("%(n)s matter is looked after", "%(n)s matters are looked after", count)
    return {"state": "fine", "text": text % {"n": count}}


@register.simple_tag(takes_context=True)
def matter_of(context: template.Context, contact: Contact) -> Journey | None:
    """Return the journey that a contact is on, or None while it waits somewhere else."""
    live = Link.objects.filter(contact=contact, revoked_at=None)
    return _mine(context, Q(pk__in=live.values("journey"))).select_related("card").first()


@register.simple_tag(takes_context=True)
def matters_with(context: template.Context, supplier: Supplier) -> Any:
    """Return the owner's latest journeys with a supplier."""
    mine = _mine(context, Q(suppliers__contains=[supplier.pk])).select_related("card", "asset")
    return mine.order_by("-last_said_at")[:WITH_SHOWN]


class Serving(NamedTuple):
    """A supplier in the list of all: what it is here for, and what was or comes last."""

    mandate: Mandate
    roles: list[str]
    number: str
    visit: Appointment | None
    last: Journey | None


@register.simple_tag(takes_context=True)
def serving(context: template.Context, mandates: Iterable[Mandate]) -> list[Serving]:
    """Return each mandate with its roles, a number to call, the next visit, the latest matter."""
    found = list(mandates)
    owner = context["request"].user
    theirs = {mandate.supplier_id for mandate in found}
    homes = {mandate.household_id for mandate in found}
    roles: dict[tuple[int, int], list[str]] = {}
    for role in (
        Role.objects.filter(household__in=homes, supplier__in=theirs, asset__removed_at=None)
        .select_related("asset")
        .order_by("kind", "asset__name")
    ):
        said = f"{role.get_kind_display()}: {role.asset.name}"
        roles.setdefault((role.household_id, role.supplier_id), []).append(said)
    numbers: dict[tuple[int | None, int], str] = {}
    known = Q(household=None) | Q(household__in=homes)
    for number in SupplierNumber.objects.filter(known, supplier__in=theirs).order_by("-number"):
        numbers[number.household_id, number.supplier_id] = number.number
    visits: dict[tuple[int, int], Appointment] = {}
    coming = Appointment.objects.for_owner(owner).filter(over_at=None, end__gt=clock.now())
    for visit in coming.exclude(state__in=NOT_COMING).order_by("-start"):
        if visit.supplier_id is not None:
            visits[visit.household_id, visit.supplier_id] = visit
    latest: dict[tuple[int, int], Journey] = {}
    for journey in _mine(context, Q(suppliers__overlap=list(theirs))).order_by("-last_said_at")[
        :MANY
    ]:
        for supplier in journey.suppliers:
            latest.setdefault((journey.household_id, supplier), journey)
    return [
        Serving(
            mandate=mandate,
            roles=roles.get(key, []),
            number=numbers.get(key) or numbers.get((None, mandate.supplier_id), ""),
            visit=visits.get(key),
            last=latest.get(key),
        )
        for mandate in found
        for key in [(mandate.household_id, mandate.supplier_id)]
    ]


@register.simple_tag
def badge_of(supplier: Supplier, known: particulars.Particulars | None) -> dict[str, Any]:
    """Return whether a supplier is really who it says, with the reasons."""
    return badges.of_supplier(
        name=supplier.name,
        is_verified=supplier.verified_at is not None,
        domains=known.proved_domains if known else (),
        numbers=known.proved_numbers if known else (),
        noted=[*known.domains, *known.numbers] if known else (),
    ).to_json()
