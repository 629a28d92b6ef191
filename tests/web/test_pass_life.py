"""The life of a pass, played at random against a model of it: nothing ever opens too much."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from notifications import pass_rules, passes
from notifications.choices import PassWay
from notifications.models import Pass, PassVisit
from suppliers.models import InboundEvent
from tests import factories

SHORT = (2, 12)  # plays, and the steps of each
NETWORKS = ("198.51.100.1", "198.51.100.2", "198.51.100.3")


@dataclass
class Known:
    """What the model knows of one pass."""

    held: Pass
    token: str
    code: str
    code_opens: int = 0
    opens: int = 0
    is_ended: bool = False


@dataclass
class Seen:
    """What the model knows of one opened page."""

    opened: passes.Opened
    known: Known
    seen_at: datetime
    keys: set[str] = field(default_factory=set)


Opening = Seen | MultipleResults[Seen]  # none, where it did not open


class PassLife(RuleBasedStateMachine):
    """Owners make, renew and revoke; agents open, read and write; strangers guess; time passes."""

    made: Bundle[Known] = Bundle("made")
    pages: Bundle[Seen] = Bundle("pages")

    def __init__(self) -> None:
        """Keep what one play writes from the next."""
        super().__init__()
        self.play = transaction.atomic()
        self.play.__enter__()

    def teardown(self) -> None:
        """Forget the play."""
        transaction.set_rollback(True)
        self.play.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        """Ana has one open matter."""
        self.now = factories.START
        self.known: list[Known] = []
        self.all_pages: list[Seen] = []
        self.wrong: list[tuple[str, datetime]] = []
        self.cast = factories.cast()
        self.journey = factories.JourneyFactory.create(household=self.cast.household)
        factories.CardFactory.create(journey=self.journey)

    def is_live(self, known: Known) -> bool:
        return not known.is_ended and self.now < known.held.expires_at

    @rule(target=made, hours=st.sampled_from(sorted(pass_rules.LENGTHS)))
    def make(self, hours: int) -> Known:
        held = passes.make(
            owner=self.cast.ana,
            household=self.cast.household,
            journey=self.journey,
            asset=None,
            wishes=passes.Wishes(hours=hours),
            now=self.now,
        )
        token = passes.address_of(held).rstrip("/").rpartition("/")[2]
        known = Known(held=held, token=token, code=passes.code_of(held))
        self.known.append(known)
        return known

    @rule(known=made)
    def renew(self, known: Known) -> None:
        try:
            held = passes.renew_code(held=known.held, owner=self.cast.ana, now=self.now)
        except passes.PassError:
            assert not self.is_live(known)
            return
        assert self.is_live(known)
        known.held, known.code = held, passes.code_of(held)
        known.code_opens = 0

    @rule(known=made)
    def revoke(self, known: Known) -> None:
        passes.revoke(held=known.held, owner=self.cast.ana, now=self.now)
        known.is_ended = True

    @rule(known=made, target=pages)
    def open_by_link(self, known: Known) -> Opening:
        opened = passes.open_by_token(token=known.token, way=PassWay.LINK, agent="", now=self.now)
        assert (opened is not None) is (self.is_live(known) and known.opens < pass_rules.OPENS)
        return self.page(known, opened)

    @rule(known=made, network=st.sampled_from(NETWORKS), target=pages)
    def open_by_code(self, known: Known, network: str) -> Opening:
        wrong = sum(at >= known.held.code_made_at for _network, at in self.wrong)
        may = (
            self.is_live(known)
            and self.now < known.held.code_until
            and known.code_opens < pass_rules.CODE_OPENS
            and wrong < pass_rules.TRIES_OF_ALL
        )
        opened = self.try_code(known.code, network)
        if opened == "locked":
            return multiple()
        assert (opened is not None) is may
        known.code_opens += may
        return self.page(known, opened)

    @rule(network=st.sampled_from(NETWORKS), times=st.integers(1, 12))
    def guess(self, network: str, times: int) -> None:
        codes = {known.code for known in self.known}
        wrong = next(code for code in ("222222", "333333", "444444") if code not in codes)
        for _ in range(times):
            assert self.try_code(wrong, network) in (None, "locked")

    def try_code(self, code: str, network: str) -> passes.Opened | str | None:
        """Type a code; the model counts what was wrong."""
        since = self.now - pass_rules.ONE_LOCKED
        lately = [at for where, at in self.wrong if where == network and at > since]
        is_locked = len(lately) >= pass_rules.TRIES_OF_ONE
        try:
            opened = passes.open_by_code(
                typed=code, network=network, way=PassWay.CODE, agent="", now=self.now
            )
        except passes.LockedError:
            assert is_locked
            return "locked"
        assert not is_locked
        if opened is None:
            self.wrong.append((network, self.now))
        return opened

    def page(self, known: Known, opened: passes.Opened | str | None) -> Opening:
        if not isinstance(opened, passes.Opened):
            return multiple()
        assert opened.visit.held_id == known.held.pk
        known.opens += 1
        seen = Seen(opened=opened, known=known, seen_at=self.now)
        self.all_pages.append(seen)
        return seen

    @rule(seen=pages, key=st.sampled_from("ab"))
    def write_back(self, seen: Seen, key: str) -> None:
        visit = self.read(seen)
        if visit is None:
            return
        note = {"kind": "reference", "reference": f"R-{key}"}
        passes.write(visit=visit, data=note, key=key, now=self.now)
        seen.keys.add(key)

    @rule(minutes=st.sampled_from((1, 20, 61, 60 * 13, 60 * 24 * 8)))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def read(self, seen: Seen) -> PassVisit | None:
        """Ask whether a page may still be shown; it is exactly what the model says."""
        opened_at = seen.opened.visit.opened_at
        may = (
            self.is_live(seen.known)
            and self.now - seen.seen_at < pass_rules.IDLE
            and self.now - opened_at < pass_rules.LONGEST
        )
        visit = seen.opened.visit.uuid
        assert bool(passes.watch(visits=[visit], is_touch=False, now=self.now)) is may
        found = passes.go_on(visit=visit, secret=seen.opened.secret, now=self.now)
        assert (found is not None) is may
        assert passes.go_on(visit=visit, secret="guessed", now=self.now) is None
        if may:
            seen.seen_at = self.now
        return found

    @invariant()
    def nothing_shows_too_much(self) -> None:
        for seen in self.all_pages:
            if not self.is_live(seen.known):
                assert self.read(seen) is None
        notes = sum(len(seen.keys) for seen in self.all_pages)
        assert InboundEvent.objects.filter(way="pass").count() == notes


@pytest.mark.django_db
def test_no_sequence_of_steps_opens_more_of_a_pass_than_it_should() -> None:
    """The nightly run plays it longer."""
    is_long = settings().max_examples > settings.get_profile("default").max_examples
    examples, steps = (100, 30) if is_long else SHORT
    play = settings(deadline=None, max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(PassLife, settings=play)
