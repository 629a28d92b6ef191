"""The list of assets and the search in it, with ten thousand of them beside a hundred."""

from django.db import connection

from assets.choices import AssetKind
from assets.models import Asset, AssetIdentifier, Findable
from owners import bulk, clock
from owners.choices import Rank
from owners.models import Household, Membership, Owner
from tests.bench.bench import Bench, Row
from tests.bench.rows.today import median_ms, reader_of

WORK = "asset list, its last page, a place, the API's list and search: {many:,} assets beside 100"
TARGET = "<= 1.5 x the time with 100 + 5 ms"
FEW, MANY = 100, 10_000
TIMES = 15
WORDS = ("Pump", "Lamp", "Drill", "Chair", "Radio", "Boiler", "Kettle", "Saw", "Bench", "Vice")
ADDRESSES = {
    "list": "/assets/",
    "last page": "/assets/?page=9999",
    "place": "/assets/?place=House+/+Room+1",
    "newest": "/assets/?sort=newest",
    "API": "/api/v1/assets/",
    "search": "/search/?q=serial-77",
    "search a word": "/search/?q=boiler",
}
SLACK_MS = 5.0


def household_of(count: int, email: str) -> Owner:
    """Return an owner whose household has so many assets with numbers, a page of them a place."""
    rooms = 2 if count <= FEW else 30
    owner = Owner.objects.create(email=email, zone="Europe/Berlin")
    household = Household.objects.create(name=email)
    Membership.objects.create(household=household, owner=owner, rank=Rank.ADMIN)
    kinds = list(AssetKind)
    assets = [
        Asset(
            household=household,
            name=f"{WORDS[number % len(WORDS)]} {number:05}",
            kind=kinds[number % len(kinds)],
            maker="Nordvarme",
            place=f"House / Room {number % rooms}",
            created_at=clock.now(),
        )
        for number in range(count)
    ]
    bulk.insert(Asset, assets)
    names = [
        AssetIdentifier(
            household=household,
            asset=asset,
            scheme="serial",
            value=f"SERIAL-{number}",
            folded=f"SERIAL{number}",
        )
        for number, asset in enumerate(assets)
    ]
    bulk.insert(AssetIdentifier, names)
    Findable.objects.note(
        asset.wording(values=[name.value], tags=[])
        for asset, name in zip(assets, names, strict=True)
    )
    return owner


def measure(bench: Bench) -> Row:
    """Ask for each page of both households in turn, so that a slow minute is slow for both."""
    many = min(bench.scale, MANY)
    readers = {
        count: reader_of(household_of(count, f"{count}@assets.example")) for count in (FEW, many)
    }
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    told, is_met = [], True
    for name, address in ADDRESSES.items():
        few, lots = (median_ms(readers[count], address, TIMES) for count in (FEW, many))
        is_met = is_met and lots <= 1.5 * few + SLACK_MS
        told.append(f"{name} {lots:.0f} ms ({lots / few:.2f})")
    return Row(
        work=WORK.format(many=many),
        target=TARGET,
        ours=", ".join(told),
        floor=f"the same with {FEW} assets",
        is_met=is_met,
    )
