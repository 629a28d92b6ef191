"""SMS to suppliers, over the same transport and switchboard as those to members."""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from notifications import transports
from notifications.transports.values import Message, TransportError
from owners.choices import ChannelKind
from suppliers.texting import TextError


def has_provider() -> bool:
    """Whether anything carries an SMS here."""
    return settings.STEWARD_OUTBOX == "local" or bool(
        settings.TWILIO_ACCOUNT_SID and settings.TWILIO_FROM
    )


def send(*, to: str, text: str, name: UUID, now: datetime) -> None:
    """Send one SMS; raises TextError.

    The thread that calls is borrowed, so what it opens is closed again.
    """
    message = Message(key=str(name), ref=str(name), to=to, text=text)
    try:
        transport = transports.transport_for(ChannelKind.SMS)
        board = transports.switchboard()
        try:
            board.run(transport.send(message))
        except TransportError as error:
            # The provider may have taken it all the same: it is asked before a second copy.
            if not error.is_ambiguous or not board.run(transport.find(message, since=now)):
                raise
    except TransportError as error:
        raise TextError(str(error), is_final=error.permanent or error.is_address_bad) from error
    finally:
        transports.close()
