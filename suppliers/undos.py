"""How what was changed about suppliers is put back."""

from owners.choices import Rank
from owners.undoing import Way
from suppliers import mandates, particulars

UNDOS: dict[str, Way] = {
    mandates.ENDED: Way(undo=mandates.take_back_end, least=Rank.ADMIN),
    mandates.GRANTED: Way(undo=mandates.take_back_grant, least=Rank.ADMIN),
    mandates.CHANGED: Way(undo=mandates.take_back_change, least=Rank.ADMIN),
    particulars.TAKEN: Way(undo=particulars.put_role_back, least=Rank.ADMIN),
}
