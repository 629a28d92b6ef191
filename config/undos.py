"""How every change is undone, by its kind: each app's own part, put together."""

from collections.abc import Mapping

import assets.undos
import suppliers.undos
from owners import households, invitations
from owners.undo import Undo

UNDOS: Mapping[str, Undo] = {
    **assets.undos.UNDOS,
    **suppliers.undos.UNDOS,
    "wishes.changed": households.undo_wishes,
    "member.rank": invitations.undo_rank,
    "member.removed": invitations.undo_removed,
}
