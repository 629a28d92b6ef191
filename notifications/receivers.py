"""The one signal that comes up: contacts are stored, so the rules may look."""

from collections.abc import Set

from owners import doorbell


def contacts_stored(*, household_ids: Set[int], **_signal: object) -> None:
    """Ring for the feed; sent after the commit, with the households concerned."""
    if household_ids:
        doorbell.ring("feed")
