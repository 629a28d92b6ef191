"""An import taken through its stages as a worker takes it."""

from datetime import timedelta
from typing import Any

from assets import importing
from assets.models import Asset, Import
from tests import factories

NOW = factories.START


def drain(now: Any = NOW) -> None:
    """Do all the work that waits."""
    while importing.work_due(lambda: now):
        pass


def begun(cast: factories.Cast, content: str | bytes, name: str = "file.csv") -> Import:
    """Return a file that was read."""
    raw = content.encode() if isinstance(content, str) else content
    run = importing.begin(household=cast.household, owner=cast.ana, name=name, content=raw, now=NOW)
    drain()
    run.refresh_from_db()
    return run


def checked(
    cast: factories.Cast,
    content: str | bytes,
    *,
    asset: Asset | None = None,
    asset_name: str = "",
    **answers: Any,
) -> Import:
    """Return a file whose rows were checked by these answers."""
    run = begun(cast, content)
    importing.answer(run=run, said=answers, asset=asset, asset_name=asset_name, now=NOW)
    drain()
    run.refresh_from_db()
    return run


def brought(cast: factories.Cast, content: str | bytes, **answers: Any) -> Import:
    """Return a file that was brought in."""
    run = checked(cast, content, **answers)
    importing.start(run=run, now=NOW)
    drain()
    run.refresh_from_db()
    return run


LATER = NOW + timedelta(minutes=5)
