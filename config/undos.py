"""How every change is undone, by its kind: each app's own part, put together."""

from collections.abc import Mapping

import assets.undos
import notifications.acquiring
import suppliers.undos
from owners import households, invitations
from owners.choices import Rank
from owners.undoing import Way

UNDOS: Mapping[str, Way] = {
    **assets.undos.UNDOS,
    **suppliers.undos.UNDOS,
    **notifications.acquiring.UNDOS,
    # Everybody's wishes are their own, whatever the rank.
    households.WISHES_CHANGED: Way(undo=households.undo_wishes, least=Rank.VIEWER),
    households.CHANGED: Way(undo=households.undo_change, least=Rank.ADMIN),
    invitations.RANKED: Way(undo=invitations.undo_rank, least=Rank.ADMIN),
    invitations.REMOVED: Way(undo=invitations.undo_removed, least=Rank.ADMIN),
}
