"""Plays a story: the clock jumps from one due row to the next, the lines come in between.

Everything else is the product itself. Transports and the calls to suppliers' endpoints
are recorded instead of made; recorded messages count as accepted.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, QuerySet
from django.test import override_settings

from notifications import feed, pipeline, transports
from notifications.models import Journey, Link
from notifications.replay import entrances
from notifications.replay.story import Line, Story
from notifications.replay.world import Cast
from owners import clock, doorbell
from owners.models import ReachRule
from suppliers import inbox, outbox, webhooks
from suppliers.models import Contact, InboundEvent, OutboundEvent, OutboundState

# Entrances that no operator has opened are opened for the length of a replay.
OPEN_ENTRANCES = {
    "MAIL_WEBHOOK_SECRET": "whsec_cmVwbGF5cyBzaWduIHdpdGggdGhpcyBzZWNyZXQ=",
    "MAIL_AUTHSERV_ID": "mx.replay.example",
    "TWILIO_AUTH_TOKENS": ["replays-sign-with-this-token"],
    "REDIS_URL": "",
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
}


class PlayError(Exception):
    """A line could not be played; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


@contextmanager
def recorded() -> Iterator[None]:
    """Inside, nothing leaves this process: entrances are open, transports record."""
    with ExitStack() as stack:
        stack.enter_context(override_settings(**OPEN_ENTRANCES))
        stack.enter_context(doorbell.hushed())
        stack.enter_context(transports.recorded())
        stack.enter_context(_outbox_recorded())
        webhooks.forget_senders()  # secrets of the world before are no longer those of this one
        yield


@contextmanager
def _outbox_recorded() -> Iterator[None]:
    """Let suppliers' endpoints be called by nobody: what is due counts as sent."""

    def send_due(
        *, now: datetime, limit: int = 500, now_fn: Callable[[], datetime] | None = None
    ) -> int:
        due = OutboundEvent.objects.filter(state=OutboundState.PENDING, next_at__lte=now)
        return OutboundEvent.objects.filter(pk__in=due.values("pk")[:limit]).update(
            state=OutboundState.SENT, sent_at=now
        )

    kept, outbox.send_due = outbox.send_due, send_due
    try:
        yield
    finally:
        outbox.send_due = kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a line became: the events it stored, and whether it only repeated others."""

    line: Line
    events: tuple[int, ...] = ()
    repeats: str = ""  # the detail when nothing new was stored


@dataclass(slots=True, kw_only=True)
class Player:
    """Plays lines against the current database. Use inside `recorded`.

    `now` is where the simulated clock stands; `played` is filled as it goes.
    """

    cast: Cast
    now: datetime
    post: entrances.Post = field(default_factory=entrances.in_process)
    played: dict[str, Played] = field(default_factory=dict)

    def play(self, story: Story) -> None:
        """Play every line of `story`, and what falls due in between."""
        queue = self.steps(story)
        heapq.heapify(queue)
        while queue:
            at, _, _, act = heapq.heappop(queue)
            self.run_to(at)
            with clock.fixed(at):
                act()
                self._drain()

    def steps(self, story: Story) -> list[tuple[datetime, int, int, Callable[[], None]]]:
        """Return everything the lines do: when, of which line, its how manieth step, the deed.

        A deed raises PlayError where a way in or a use-case refuses what the line says.
        """
        return [
            (at, line.number, step, self._checked(line, act))
            for line in story.lines
            for step, (at, act) in enumerate(self._steps(line))
        ]

    def _checked(self, line: Line, act: Callable[[], None]) -> Callable[[], None]:
        def checked() -> None:
            try:
                act()
            except (entrances.EntranceError, feed.ActionError) as error:
                raise PlayError(line.number, str(error)) from error

        return checked

    def run_to(self, at: datetime) -> None:
        """Let the clock run to `at`; whatever falls due on the way happens."""
        while True:
            due = pipeline.next_at(after=self.now)
            if due is None or due > at:
                break
            self.now = due
            with clock.fixed(due):
                self._drain()
        self.now = max(self.now, at)

    def _drain(self) -> None:
        pipeline.drain(now_fn=clock.now)

    # What a line does, step by step

    def _steps(self, line: Line) -> Iterator[tuple[datetime, Callable[[], None]]]:
        if line.via == "until":
            yield line.at, lambda: None
        elif line.via == "owner":
            yield line.at, lambda: self._owner(line)
        else:
            for request in entrances.requests(line, cast=self.cast):
                yield request.at, self._sender(line, request)

    def _sender(self, line: Line, request: entrances.Request) -> Callable[[], None]:
        def act() -> None:
            with self._noting(line):
                for _ in range(line.times):
                    entrances.send(request, post=self.post, now=clock.now())

        return act

    @contextmanager
    def _noting(self, line: Line) -> Iterator[None]:
        """Note which inbound events the line stores."""
        before = InboundEvent.objects.aggregate(last=Max("id"))["last"] or 0
        yield
        new = InboundEvent.objects.filter(id__gt=before).order_by("id")
        known = self.played.get(line.id)
        earlier = known.events if known else ()
        events = (*earlier, *new.values_list("id", flat=True))
        self.played[line.id] = Played(
            line=line, events=events, repeats="" if events else "the same message again"
        )

    def _owner(self, line: Line) -> None:
        data = line.data
        owner = self.cast.members[data["by"]]
        do = data["do"]
        if do == "log_call":
            with self._noting(line):
                for _ in range(line.times):
                    inbox.log(
                        owner=owner,
                        household=self.cast.household,
                        data=self._logged(line),
                        now=clock.now(),
                        key=line.id,
                    )
        elif do == "set_reach":
            self._set_reach(line)
        elif do == "open_feed":
            feed.looked(owner=owner, now=clock.now())
        else:
            self._act(line)

    def _logged(self, line: Line) -> dict[str, Any]:
        """Return log_call's fields as the API takes them."""
        given = {name: item for name, item in line.data.items() if name not in {"do", "by"}}
        if "supplier" in given:
            given["supplier"] = str(self.cast.suppliers[given["supplier"]].uuid)
        if "asset" in given:
            given["asset"] = str(self.cast.assets[given["asset"]].uuid)
        return dict(_plain(given))

    def _set_reach(self, line: Line) -> None:
        data = line.data
        ReachRule.objects.update_or_create(
            membership=self.cast.memberships[data["by"]],
            topic=data["topic"],
            defaults={"moment": data["moment"], "channel": data.get("channel", "")},
        )

    def _act(self, line: Line) -> None:
        given = dict(line.data)
        do, by = given.pop("do"), given.pop("by")
        journey_of, contact_id = given.pop("journey_of", None), given.pop("contact", None)
        if do == "merge":
            given["with"] = str(self._journey(line, given["with"]).uuid)
        if do == "choose_asset":
            given["asset"] = str(self.cast.assets[given["asset"]].uuid)
        for repetition in range(line.times):
            try:
                self._decide(line, do, by, journey_of, contact_id, _plain(given))
            except feed.ActionError:
                # A second tap may find that the first one has done it all.
                if repetition == 0:
                    raise

    def _decide(
        self,
        line: Line,
        do: str,
        by: str,
        journey_of: str | None,
        contact_id: str | None,
        data: dict[str, Any],
    ) -> None:
        owner = self.cast.members[by]
        if journey_of is not None:
            feed.act(
                owner=owner,
                journey=self._journey(line, journey_of),
                name=do,
                data=data,
                now=clock.now(),
            )
        else:
            feed.act_on_contact(
                owner=owner,
                contact=self._contact(line, str(contact_id)),
                name=do,
                data=data,
                now=clock.now(),
            )

    def _contact(self, line: Line, story_id: str) -> Contact:
        contact = self.contacts(story_id).first()
        if contact is None:
            raise PlayError(line.number, f"{story_id} has become no contact yet")
        return contact

    def _journey(self, line: Line, story_id: str) -> Journey:
        contact = self._contact(line, story_id)
        link = (
            Link.objects.filter(contact=contact, revoked_at=None).select_related("journey").first()
        )
        if link is None:
            raise PlayError(line.number, f"{story_id} is on no journey")
        return link.journey

    # What came of the lines

    def contacts(self, story_id: str) -> QuerySet[Contact]:
        """Return the contacts that a line became, the first one first."""
        played = self.played.get(story_id)
        events = played.events if played else ()
        return Contact.objects.filter(inbound_id__in=events).order_by("id")

    def story_ids(self) -> dict[UUID, str]:
        """Return the story id of every contact that a line became."""
        owners_of = {event: name for name, played in self.played.items() for event in played.events}
        rows = Contact.objects.filter(inbound_id__in=owners_of).values_list("uuid", "inbound_id")
        return {uuid: owners_of[inbound] for uuid, inbound in rows}


def _plain(value: Any) -> Any:
    """Return `value` as JSON carries it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
