"""A household to look around in: made for one owner, told around now, gone in one tap.

Everything in it is its own: its suppliers are known to it only, and it tells nobody
anything, because every wish of its one member is `never`. What happens in it goes through
the inbox like anything else; nothing is played, so nobody else's messages are touched.
"""

import json
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from assets import faults, holdings, recalls, register
from assets import privacy as assets_privacy
from assets.choices import AssetKind, CoverageKind, IdentifierScheme, PriceKind
from assets.cover_words import Confidence
from assets.models import Asset
from assets.recall_matching import Criterion, Published
from notifications.models import Journey
from owners import households
from owners.choices import Moment, Topic
from owners.models import Household, Owner
from suppliers import inbox, mandates, particulars
from suppliers import privacy as suppliers_privacy
from suppliers.choices import Purpose, RoleKind, Way
from suppliers.models import Contact, InboundEvent, Mandate

NAME = "Demo household"
ALL = (Purpose.SERVICE, Purpose.BILLING, Purpose.FEEDBACK)


def of(owner: Owner) -> Household | None:
    """Return the owner's demo household, when there is one."""
    mine = Household.objects.for_owner(owner).filter(is_demo=True, name=NAME)
    return mine.order_by("pk").first()


def open_for(*, owner: Owner, now: datetime) -> Household:
    """Make the demo household of an owner, or return the one there is."""
    found = of(owner)
    if found is not None:
        return found
    with transaction.atomic():
        home = households.create(owner=owner, name=NAME, zone=owner.zone, now=now)
        home.is_demo = True
        home.save(update_fields=["is_demo"])
        membership = home.memberships.get(owner=owner)
        silence = [households.TopicWish(topic=topic, moment=Moment.NEVER) for topic in Topic]
        households.change_reach(membership=membership, values={}, topics=silence)
        _tell(home, owner, now)
    return home


def close(*, home: Household, now: datetime) -> None:
    """Delete the demo household with everything in it, papers and suppliers included."""
    if not home.is_demo:
        raise ValueError("only a demo household is deleted so")
    with transaction.atomic():
        known = list(Mandate.objects.filter(household=home).values_list("supplier_id", flat=True))
        # Visits hold on to their supplier, contacts to what arrived, and that to its supplier.
        Journey.objects.filter(household=home).delete()
        Contact.objects.filter(household=home).delete()
        InboundEvent.objects.filter(supplier__in=known).delete()
        suppliers_privacy.erase_household(household=home, now=now)
        assets_privacy.erase_household(household=home, now=now)
        home.delete()


def _thing(home: Household, owner: Owner, now: datetime, **values: Any) -> Asset:
    serial = values.pop("serial")
    return register.add(
        household=home,
        values={"keeper": owner, **values},
        identifiers=[(IdentifierScheme.SERIAL, serial)],
        now=now,
    )


def _tell(home: Household, owner: Owner, now: datetime) -> None:
    dvr = _thing(
        home, owner, now, name="Living-room DVR", kind=AssetKind.ELECTRONICS, template="tv",
        maker="Skyline", model="HR44", place="Living room", serial="R15-204477",
    )  # fmt: skip
    boiler = _thing(
        home, owner, now, name="Boiler", kind=AssetKind.HEATING, template="boiler",
        maker="Vaillant", model="ecoTEC plus", place="Cellar", serial="21-1723-0010",
    )  # fmt: skip
    car = _thing(
        home, owner, now, name="Family car", kind=AssetKind.VEHICLE, template="car",
        maker="Skoda", model="Octavia", place="Garage", serial="TMBJJ7NE0F0000001",
    )  # fmt: skip
    skyline = _supplier(home, "Skyline TV", "skyline.example", dvr, RoleKind.UTILITY, now)
    heating = _supplier(home, "Warm & Co", "warm.example", boiler, RoleKind.REPAIRER, now)
    garage = _supplier(home, "Garage Novak", "novak.example", car, RoleKind.REPAIRER, now)
    zone = ZoneInfo(home.zone)
    today = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    visit = (today + timedelta(days=1)).replace(hour=8)
    _call(owner, home, skyline, dvr, now - timedelta(days=3), 12, now,
          note="The DVR does not record. Not solved.")  # fmt: skip
    _call(owner, home, skyline, dvr, now - timedelta(days=2), 41, now,
          note="Upgrade for 49.00. A technician comes.",
          window={"start": visit.isoformat(), "end": (visit + timedelta(hours=4)).isoformat()},
          fee={"amount": "49.00", "currency": home.currency})  # fmt: skip
    for hours in (26, 20):
        _said(skyline, now - timedelta(hours=hours), now, "message.created",
              body="We confirm your technician visit. Nothing to do for you.")  # fmt: skip
    service = (today + timedelta(days=9)).replace(hour=13)
    _said(heating, now - timedelta(days=1), now, "appointment.requested",
          uid="service-2211@warm.example", sequence=0, dtstamp=now.isoformat(),
          start=service.isoformat(), end=(service + timedelta(hours=2)).isoformat(),
          zone=home.zone, kind="visit")  # fmt: skip
    due = (today + timedelta(days=10)).date()
    _said(garage, now - timedelta(hours=30), now, "invoice.issued",
          invoiceNumber="N-3307", dueDate=due.isoformat(),
          total={"amount": "184.50", "currency": home.currency})  # fmt: skip
    bring_trouble(home=home, owner=owner, now=now, is_quiet=True)


def bring_trouble(*, home: Household, owner: Owner, now: datetime, is_quiet: bool) -> None:
    """Give a household a fault, for which the seller pays, and a fridge that is recalled.

    What is recalled is told to this household alone: no list has it, and nobody else's fridge.
    A recall reaches whoever muted everything, so one that `is_quiet` has no card.
    """
    today = now.astimezone(ZoneInfo(home.zone)).date()
    washer = _thing(
        home, owner, now, name="Washing machine", kind=AssetKind.APPLIANCE, template="washer",
        maker="Weisswasser", model="W 6000", place="Cellar", serial="WW-6000-1177",
    )  # fmt: skip
    bought = today - timedelta(days=695)  # its guarantee ends in about five weeks
    said = {
        "seller": "Volt", "order_no": "V-20417", "ordered_on": bought - timedelta(days=3),
        "delivered_on": bought, "jurisdiction": home.country or "DE",
        "currency": home.currency,
    }  # fmt: skip
    price = [(PriceKind.GROSS, Decimal(649), "")]
    holdings.acquire(asset=washer, values=said, lines=price, now=now, owner=owner)
    guarantee = {
        "kind": CoverageKind.COMMERCIAL_GUARANTEE, "obligor": "Weisswasser",
        "starts_on": bought, "months": 24, "scope": "Motor, pump",
    }  # fmt: skip
    holdings.cover(asset=washer, values=guarantee, now=now, owner=owner)
    fault = {
        "title": "The water stays in", "cause": "defect", "part": "pump",
        "noticed_on": today - timedelta(days=2), "note": "Filter cleaned. The pump hums.",
    }  # fmt: skip
    faults.report(asset=washer, values=fault, owner=owner, now=now)
    fridge = _thing(
        home, owner, now, name="Fridge", kind=AssetKind.APPLIANCE, template="fridge",
        maker="Nordkap", model="NK 320", place="Kitchen", serial="NK320-04518",
    )  # fmt: skip
    recall = Published(
        source=recalls.TOLD,
        number="26-0417",
        title="Nordkap recalls fridges NK 320: the compressor may overheat",
        criteria=(
            Criterion(
                brand="Nordkap", model="NK 320", product="Refrigerators",
                serial_from="NK320-04000", serial_to="NK320-05200",
            ),
        ),
        published_on=today - timedelta(days=1),
        hazard="The relay of the compressor can overheat. There were two fires.",
        remedy="A technician replaces the relay at your home, free of charge.",
        do_not_use=True,
    )  # fmt: skip
    if is_quiet:
        told: dict[str, Any] = {
            "by": "Nordkap",
            "confidence": Confidence.EXACT,
            "contact": uuid.uuid4(),
        }
        recalls.told(asset=fridge, published=recall, now=now, **told)
        return
    notice, _is_new = recalls.store(recall, now=now, household=home, declared_by="Nordkap")
    recalls.look([fridge.pk], now=now, only=[notice])


def _supplier(
    home: Household, name: str, domain: str, asset: Asset, role: RoleKind, now: datetime
) -> Mandate:
    mandate = mandates.note_supplier(
        household=home, name=name, domains=[domain], purposes=ALL, assets=[asset], now=now
    )
    particulars.give_role(asset=asset, supplier=mandate.supplier, kind=role, now=now)
    return mandate


def _call(
    owner: Owner,
    home: Household,
    mandate: Mandate,
    asset: Asset,
    at: datetime,
    minutes: int,
    now: datetime,
    **said: Any,
) -> None:
    data = {
        "direction": "out",
        "medium": "call",
        "supplier": str(mandate.supplier.uuid),
        "asset": str(asset.uuid),
        "started_at": at.isoformat(),
        "duration_s": minutes * 60,
        **said,
    }
    inbox.log(owner=owner, household=home, data=data, now=now)


def _said(mandate: Mandate, at: datetime, now: datetime, kind: str, /, **data: Any) -> None:
    """Store one event as the supplier's own system would have sent it."""
    asset = mandate.assets.get()
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"/{mandate.supplier.code}",
        "type": kind,
        "time": at.isoformat(),
        "data": {
            "owner": mandate.owner_ref,
            "asset": {"serial": asset.identifiers.get().value},
            **data,
        },
    }
    inbox.record(
        received=[
            inbox.Received(
                supplier_id=mandate.supplier_id,
                household_id=None,
                way=Way.WEBHOOK,
                source=str(event["source"]),
                event_id=str(event["id"]),
                type=kind,
                payload=json.dumps(event).encode(),
                routing={},
            )
        ],
        now=now,
    )
