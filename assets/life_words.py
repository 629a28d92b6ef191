"""The steps in an asset's life in the reader's words: what each is called, asks and refuses."""

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from assets.lifecycle import Step

LABELS: dict[Step, Lazy] = {
    Step.ORDER: _("I ordered it"),
    Step.CANCEL: _("Not any more"),
    Step.RECEIVE: _("It has arrived"),
    Step.SEND_BACK: _("Send it back"),
    Step.PUT_IN_USE: _("Start using it"),
    Step.STORE: _("Put into storage"),
    Step.TAKE_OUT: _("Take out of storage"),
    Step.REPORT_FAULT: _("It does not work"),
    Step.START_REPAIR: _("Repair started"),
    Step.FINISH_REPAIR: _("It works again"),
    Step.LEND: _("Lend it"),
    Step.LEND_LONGER: _("Lend it for longer"),
    Step.TAKE_BACK: _("It came back"),
    Step.LOSE: _("It is lost"),
    Step.STEAL: _("It was stolen"),
    Step.FIND: _("It was found"),
    Step.OFFER: _("It is to leave"),
    Step.KEEP: _("Keep it after all"),
    Step.END: _("It is gone"),
    Step.BUY_BACK: _("It is here again"),
}
ICONS: dict[Step, str] = {
    Step.LEND: "share",
    Step.LEND_LONGER: "calendar-clock",
    Step.TAKE_BACK: "undo",
    Step.REPORT_FAULT: "triangle-alert",
    Step.FINISH_REPAIR: "check",
    Step.STORE: "package",
}
LEADS: dict[Step, Lazy] = {
    Step.ORDER: _("From whom, and for how much."),
    Step.RECEIVE: _("The time to return it and the seller's guarantee begin on this day."),
    Step.SEND_BACK: _("What was paid back counts against its cost; its covers end."),
    Step.PUT_IN_USE: _("Its care begins on this day."),
    Step.STORE: _("Care that waits for use is paused until you take it out."),
    Step.REPORT_FAULT: _("The fault is kept until it works again."),
    Step.START_REPAIR: _("Who repairs it, and whether they took it along."),
    Step.FINISH_REPAIR: _("What was done is kept in its log, with cost and guarantee."),
    Step.LEND: _("Who has it, and when it is to be back."),
    Step.LEND_LONGER: _("When it is to be back now. You are told again then."),
    Step.LOSE: _("Its page then offers a report for the insurer, with all its numbers."),
    Step.STEAL: _("Its page then offers a report for police and insurer, with all its numbers."),
    Step.OFFER: _("It stays on your list until it is gone."),
    Step.END: _("Its care, covers and contracts stop; its history stays."),
}
ASKED: dict[str, Lazy] = {
    "needed": _("This is needed here."),
    "price": _("Say what it costs."),
    "return_window_over": _("The time to return it is over. Say so if the seller agrees."),
    "before": _("This day is too early."),
    "in_the_future": _("This day is still to come."),
    "wrong_reason": _("This is only for an order that was cancelled."),
    "report_first": _("Report it as lost or stolen first: the day and number count later."),
    "not_from_here": _("Meanwhile it is in another state. Look again."),
}


def why(code: str, field: str) -> Lazy:
    """Return why a step was refused, for the one who asked."""
    return ASKED["price"] if field == "price" else ASKED[code]
