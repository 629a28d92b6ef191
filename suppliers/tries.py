"""One try to send something to a supplier, by each of the ways; nothing here is stored.

Every fault of a network is a `Result`. A try may be made on any thread: what it needs of
the database is in its argument.
"""

import smtplib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

import httpx
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from suppliers import guard, texting
from suppliers.letters import Letter

# RFC 8058: this body, and no more; whoever asks for another is not asked.
UNSUBSCRIBE = b"List-Unsubscribe=One-Click"
GONE = 410
LATER = frozenset({408, 425, 429})  # answers of 4xx after which another try makes sense
# Standard Webhooks' example: ten tries, the last about 76 hours after the first.
SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
JITTER = 0.1  # a delay grows by up to this share, so that retries do not come in waves
RETRY_AFTER_MAX = timedelta(hours=24)
KEPT_HERE = "kept here: nothing leaves this machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one try. `status` is HTTP's, None without an answer.

    `answer` is the beginning of what the endpoint said: its supplier's to see, no one else's.
    """

    is_sent: bool
    is_final: bool = False
    status: int | None = None
    detail: str = ""
    retry_after: str = ""
    answer: bytes = b""
    took_ms: int = 0


Try = Callable[[], Result]


def timed(attempt: Try) -> Result:
    """Make a try and note how long it took."""
    began = time.monotonic()
    result = attempt()
    return replace(result, took_ms=round((time.monotonic() - began) * 1000))


def call(*, url: str, body: bytes, headers: dict[str, str], is_foreign: bool = False) -> Try:
    """Return the try that posts `body`.

    `is_foreign`: the address came in a mail, so it may be a public one only, whatever is set.
    """
    return partial(_post, url, body, headers, is_foreign=is_foreign)


def mail(letter: Letter | None) -> Try:
    """Return the try that mails a letter; without one there is nobody to write to."""
    return partial(_mail, letter)


def text(*, number: str, words: str, name: uuid.UUID, now: datetime) -> Try:
    """Return the try that sends `words` as an SMS; without a number there is nobody to text."""
    return partial(_text, number, words, name, now)


def next_try(*, uuid_: uuid.UUID, attempts: int, retry_after: str, now: datetime) -> datetime:
    """Return when to try again after `attempts` tries; the same input gives the same time."""
    delay = SCHEDULE[min(attempts, len(SCHEDULE) - 1)]
    share = uuid.uuid5(uuid_, str(attempts)).int % 1000 / 1000
    return now + max(delay * (1 + JITTER * share), wanted(retry_after, now))


def wanted(retry_after: str, now: datetime) -> timedelta:
    """Return how long the receiver asks to be left alone; nonsense asks for nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(timedelta(seconds=int(retry_after[:9])), RETRY_AFTER_MAX)
    try:
        at = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return timedelta(0)
    return min((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, RETRY_AFTER_MAX)


def _post(url: str, body: bytes, headers: dict[str, str], *, is_foreign: bool) -> Result:
    if settings.STEWARD_OUTBOX == "local":
        return Result(is_sent=True, detail=KEPT_HERE)
    try:
        answer = guard.post(
            url,
            body=body,
            headers=headers,
            timeout=settings.OUTBOX_TIMEOUT,
            allowed=() if is_foreign else settings.OUTBOX_ALLOWED_NETWORKS,
        )
    except guard.BlockedError as error:
        is_final = is_foreign and error.code != "unresolvable"
        return Result(is_sent=False, is_final=is_final, detail=f"blocked: {error.code}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Result(is_sent=False, detail=type(error).__name__)
    return Result(
        is_sent=200 <= answer.status < 300,
        is_final=answer.status == GONE
        or (is_foreign and 300 <= answer.status < 500 and answer.status not in LATER),
        status=answer.status,
        retry_after=answer.retry_after,
        # An address out of a mail belongs to no supplier that could be shown what it said.
        answer=b"" if is_foreign else answer.beginning,
    )


def _mail(letter: Letter | None) -> Result:
    if letter is None:
        return Result(is_sent=False, is_final=True, detail="no address is known")
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=letter.sender,
        to=[letter.recipient],
        headers={"Message-ID": letter.message_id, **letter.headers},
    )
    if letter.calendar:
        # RFC 6047: beside the text, and the parameter says what the body says.
        message.attach_alternative(letter.calendar, f"text/calendar; method={letter.method}")
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        return Result(is_sent=False, detail=type(error).__name__)
    return Result(is_sent=True)


def _text(number: str, words: str, name: uuid.UUID, now: datetime) -> Result:
    if not number:
        return Result(is_sent=False, is_final=True, detail="no number is known")
    try:
        texting.send(to=number, text=words, name=name, now=now)
    except texting.TextError as error:
        return Result(is_sent=False, is_final=error.is_final, detail=str(error)[:300])
    return Result(is_sent=True)
