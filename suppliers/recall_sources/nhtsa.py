"""Recalls of vehicles in the United States: NHTSA, asked by maker, model and model year.

`/recalls/recallsByVehicle?make=&model=&modelYear=` (https://www.nhtsa.gov/nhtsa-datasets-and-apis).
It knows no VIN, so what it finds is about the model, not about one car; and it answers 400
where it has no such vehicle. Days are DD/MM/YYYY, flags come in every spelling.
"""

import json
from datetime import date, timedelta
from urllib.parse import urlencode

from assets.recall_matching import Criterion, Published
from suppliers.recall_sources.values import (
    Read,
    Source,
    SourceError,
    european_day,
    is_yes,
    rows_of,
    text,
)

SEPARATOR = "|"


def key_of(make: str, model: str, year: int) -> str:
    """Return the key of the question about one model of one year."""
    plain = (part.replace(SEPARATOR, " ").strip() for part in (make, model))
    return SEPARATOR.join((*plain, str(year)))[:300]


def _address(key: str, _since: date | None) -> str:
    make, model, year = key.split(SEPARATOR)
    return "/recalls/recallsByVehicle?" + urlencode(
        {"make": make, "model": model, "modelYear": year}
    )


def _read(body: bytes, key: str) -> Read:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError("not_json") from error
    if not isinstance(answer, dict):
        raise SourceError("not_an_object")
    rows = answer.get("results", answer.get("Results"))
    if not isinstance(rows, list):
        raise SourceError("no_results")
    make, model, year = key.split(SEPARATOR)
    found: dict[str, Published] = {}
    for row in rows_of(rows):
        number = text(row.get("NHTSACampaignNumber"), 40)
        if not number:
            continue
        said = text(row.get("ModelYear"), 4)
        criterion = Criterion(
            brand=text(row.get("Make"), 120) or make,
            model=text(row.get("Model"), 200) or model,
            product="vehicle",
            year=int(said if said.isascii() and said.isdigit() else year),
        )
        parts = [part.strip() for part in text(row.get("Component"), 200).split(":")]
        about = ", ".join(part.capitalize() for part in parts if part)
        maker = text(row.get("Manufacturer"), 120) or criterion.brand
        found[number] = Published(
            source="nhtsa",
            number=number,
            title=f"{maker}: {about}" if about else maker,
            criteria=(criterion,),
            published_on=european_day(row.get("ReportReceivedDate")),
            hazard=" ".join(filter(None, (text(row.get("Summary")), text(row.get("Consequence"))))),
            remedy=text(row.get("Remedy")),
            url=f"https://www.nhtsa.gov/recalls?nhtsaId={number}" if number.isalnum() else "",
            do_not_use=is_yes(row.get("parkIt")) or is_yes(row.get("parkOutSide")),
            raw=dict(row),
        )
    return Read(published=tuple(found.values()))


SOURCE = Source(
    base="https://api.nhtsa.gov",
    address=_address,
    read=_read,
    about_things=True,
    again=timedelta(days=7),
    empty=frozenset({400, 404}),
)
