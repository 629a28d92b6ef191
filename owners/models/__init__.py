"""The rows of owners: people and their wishes, and what makes them trust us with the rest."""

from owners.models.people import (
    Channel,
    ChannelCode,
    ChannelWish,
    Household,
    Membership,
    Owner,
    OwnerManager,
    ReachRule,
    RequestKey,
    hint_of,
    home_zone,
    reach_of,
)
from owners.models.trust import (
    AccessEntry,
    AccessHead,
    ApiToken,
    Change,
    Deletion,
    Export,
    ExportPart,
    Invitation,
)

__all__ = [
    "AccessEntry",
    "AccessHead",
    "ApiToken",
    "Change",
    "Channel",
    "ChannelCode",
    "ChannelWish",
    "Deletion",
    "Export",
    "ExportPart",
    "Household",
    "Invitation",
    "Membership",
    "Owner",
    "OwnerManager",
    "ReachRule",
    "RequestKey",
    "hint_of",
    "home_zone",
    "reach_of",
]
