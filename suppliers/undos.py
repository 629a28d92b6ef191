"""How what was changed about suppliers is put back."""

from owners.undo import Undo
from suppliers import mandates, particulars

UNDOS: dict[str, Undo] = {
    mandates.ENDED: mandates.take_back_end,
    particulars.TAKEN: particulars.put_role_back,
}
