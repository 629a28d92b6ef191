"""What a calendar message means for an appointment (RFC 5546): the state machine, pure.

An appointment is held by UID and RECURRENCE-ID. Statements about it (PUBLISH, REQUEST,
ADD, CANCEL) are ordered by SEQUENCE and then DTSTAMP, whatever the order of arrival; talk
about it (REPLY, COUNTER, DECLINECOUNTER, REFRESH) never changes when it takes place.
Whether its sender may say so is not decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from suppliers.choices import Stage
from suppliers.contacts import Visit, Window

PUBLISH, REQUEST, ADD, CANCEL = "PUBLISH", "REQUEST", "ADD", "CANCEL"
REPLY, COUNTER, DECLINECOUNTER, REFRESH = "REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH"
STATEMENTS = frozenset({PUBLISH, REQUEST, ADD, CANCEL})
METHODS = STATEMENTS | {REPLY, COUNTER, DECLINECOUNTER, REFRESH}
ZONE = "calendar_zone"  # the fact that is asked for where nobody knows a calendar's time zone

Version = tuple[int, datetime]


class Effect(StrEnum):
    """What a message does to what is held."""

    APPLIES = "applies"  # it is the newest statement, or one without a number
    AGAIN = "again"  # the version that is held, once more
    CONTRADICTS = "contradicts"  # the version that is held, with another time
    HISTORY = "history"  # an older version: it changes nothing
    PROPOSES = "proposes"  # another time is asked for, and the owner decides
    STANDS = "stands"  # what the owner proposed is put aside; what was booked stands
    RESEND = "resend"  # the owner is asked to send the appointment again
    ANSWERS = "answers"  # somebody invited says yes or no


TALK = {
    REPLY: Effect.ANSWERS,
    COUNTER: Effect.PROPOSES,
    DECLINECOUNTER: Effect.STANDS,
    REFRESH: Effect.RESEND,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is known of one UID and RECURRENCE-ID before a message is taken in.

    `ended` is the version that last cancelled the whole series.
    """

    version: Version | None = None
    window: Window | None = None
    is_cancelled: bool = False
    ended: Version | None = None


NOTHING = Held()


def version_of(visit: Visit) -> Version | None:
    """Return the number and time that order a statement; None where it has neither."""
    if visit.sequence is None or visit.dtstamp is None:
        return None
    return visit.sequence, visit.dtstamp


def effect(visit: Visit, held: Held = NOTHING) -> Effect:
    """Return what a message does to the appointment that is held."""
    if visit.method in TALK:
        # An answer carries the SEQUENCE of what it answers, and a DTSTAMP of its own.
        is_old = (
            held.version is not None
            and visit.sequence is not None
            and visit.sequence < held.version[0]
        )
        return Effect.HISTORY if is_old else TALK[visit.method]
    version = version_of(visit)
    if version is None:
        return Effect.APPLIES
    if held.ended is not None and version <= held.ended and visit.stage != Stage.CANCELLED:
        return Effect.HISTORY
    if held.version is None or version > held.version:
        return Effect.APPLIES
    if version < held.version:
        return Effect.HISTORY
    if visit.stage == Stage.CANCELLED:
        # Of two messages with one number, the cancellation is the later.
        return Effect.AGAIN if held.is_cancelled else Effect.APPLIES
    if held.is_cancelled:
        return Effect.HISTORY
    is_other = None not in (visit.window, held.window) and visit.window != held.window
    return Effect.CONTRADICTS if is_other else Effect.AGAIN
