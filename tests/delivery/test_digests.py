"""The digest: at the member's own time, never empty, never twice."""

import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connections

from notifications import digests, telling
from notifications.choices import SurveyState
from notifications.models import Card, Delivery, Digest, Told
from owners import households
from owners.choices import ChannelKind, Level, Rank
from owners.models import Membership, Owner, reach_of
from owners.reach import Reach, next_digest
from suppliers.choices import ContactKind, Outcome
from tests.factories import (
    START,
    CardFactory,
    Cast,
    ContactFactory,
    JourneyFactory,
    MembershipFactory,
    NotificationFactory,
    SurveyFactory,
)

SLOT = datetime(2026, 11, 9, 23, 0, tzinfo=UTC)  # 18:00 in New York
DAY = timedelta(days=1)


def at_the_door(cast: Cast, *, at: datetime = START, **fields: object) -> None:
    ContactFactory(household=cast.household, outcome=Outcome.DOOR, decided_at=at, **fields)


def digest_day(*, until: datetime = SLOT) -> int:
    """Let the slots be worked out at START, and the next ones come."""
    digests.make_due(now=START)
    return digests.make_due(now=until)


@pytest.mark.django_db
class TestContent:
    def test_door_adverts_and_held_surveys_are_counted(self, cast: Cast) -> None:
        at_the_door(cast)
        at_the_door(cast)
        ContactFactory(
            household=cast.household,
            kind=ContactKind.ADVERT,
            outcome=Outcome.HELD,
            decided_at=START,
        )
        request = ContactFactory(
            household=cast.household, kind=ContactKind.SURVEY_REQUEST, outcome=Outcome.HELD
        )
        SurveyFactory(
            journey=JourneyFactory(household=cast.household),
            contact=request,
            state=SurveyState.HELD,
        )
        digest_day()
        digest = Digest.objects.get(owner=cast.ana)
        assert digest.slot == SLOT
        assert digest.lines == [
            "2 contacts wait at the door",
            "1 survey request held back",
            "1 advert held back",
        ]
        text = Delivery.objects.get(owner=cast.ana).text
        assert f"door\n  {settings.SITE_URL}/door/\n" in text
        assert f"advert held back\n  {settings.SITE_URL}/held/\n" in text

    def test_a_survey_offered_in_the_meantime_is_not_held_any_more(self, cast: Cast) -> None:
        request = ContactFactory(household=cast.household, kind=ContactKind.SURVEY_REQUEST)
        SurveyFactory(
            journey=JourneyFactory(household=cast.household),
            contact=request,
            state=SurveyState.OFFERED,
        )
        digest_day()
        assert not Digest.objects.exists()

    def test_it_is_never_empty(self, cast: Cast) -> None:
        digest_day()
        assert not Digest.objects.exists()
        assert not Delivery.objects.exists()

    def test_it_goes_by_mail_and_is_no_notification(self, cast: Cast) -> None:
        at_the_door(cast)
        digest_day()
        row = Delivery.objects.get()
        assert (row.kind, row.purpose, row.notification) == (ChannelKind.EMAIL, "digest", None)
        assert "1 contact waits at the door" in row.text

    def test_without_a_mail_address_it_is_kept_for_the_page(self, cast: Cast) -> None:
        cast.ana.channels.filter(kind=ChannelKind.EMAIL).delete()
        at_the_door(cast)
        digest_day()
        assert Digest.objects.count() == 1
        assert not Delivery.objects.exists()

    def test_what_comes_after_the_slot_waits_for_the_next(self, cast: Cast) -> None:
        at_the_door(cast, at=SLOT + timedelta(minutes=1))
        digest_day(until=SLOT + timedelta(minutes=5))
        assert not Digest.objects.exists()
        digests.make_due(now=SLOT + DAY)
        assert Digest.objects.get().slot == SLOT + DAY

    def test_a_viewer_is_not_asked_to_open_the_door(self, cast: Cast) -> None:
        viewer = MembershipFactory.create(household=cast.household, rank=Rank.VIEWER).owner
        at_the_door(cast)
        digest_day()
        assert not Digest.objects.filter(owner=viewer).exists()

    def test_mallory_hears_nothing_of_another_household(self, cast: Cast) -> None:
        at_the_door(cast)
        digest_day()
        assert not Digest.objects.filter(owner=cast.mallory).exists()

    def test_what_is_put_off_is_named_once_whatever_else_was_told(self, cast: Cast) -> None:
        later = START + timedelta(hours=1)
        bill = JourneyFactory.create(household=cast.household, title="Water bill")
        CardFactory.create(journey=bill, title="Water bill", changed_at=later)
        Told.objects.create(
            journey=bill,
            owner=cast.ana,
            snapshot={telling.LATER: later.isoformat()},
            told_at=later + timedelta(minutes=5),
        )
        NotificationFactory.create(journey=bill, owner=cast.ana, told_at=later)
        today_is_the_day(cast)
        loud = JourneyFactory.create(household=cast.household, title="DVR")
        CardFactory.create(journey=loud, title="DVR", changed_at=later)
        Told.objects.create(journey=loud, owner=cast.ana, snapshot={}, told_at=later)
        digest_day()
        assert Digest.objects.get(owner=cast.ana).lines == ["Changed: Water bill"]
        digests.make_due(now=SLOT + DAY)
        assert Digest.objects.filter(owner=cast.ana).count() == 1


def today_is_the_day(cast: Cast, *, days: int = 0) -> None:
    """Let the weekly lines come with the digest of SLOT, or so many days after it."""
    membership = Membership.objects.select_related("owner", "household").get(pk=cast.membership.pk)
    zone = reach_of(membership, rules=[], kinds=[], by_channel=[]).zone
    membership.digest_weekday = (SLOT + days * DAY).astimezone(zone).weekday()
    membership.next_digest_at = None
    membership.save()


def put_off(cast: Cast, title: str, at: datetime) -> None:
    """Something changed that Ana wants to hear of once a week."""
    journey = JourneyFactory.create(household=cast.household, title=title)
    CardFactory.create(journey=journey, title=title, changed_at=at)
    Told.objects.create(
        journey=journey, owner=cast.ana, snapshot={telling.LATER: at.isoformat()}, told_at=at
    )


def told(cast: Cast) -> list[tuple[int, list[str]]]:
    """What Ana's digests said, and how many days after SLOT."""
    made = Digest.objects.filter(owner=cast.ana).order_by("slot")
    return [((digest.slot - SLOT).days, digest.lines) for digest in made]


@pytest.mark.django_db
class TestWeekly:
    def test_weekly_lines_wait_for_their_day_and_the_rest_does_not(self, cast: Cast) -> None:
        today_is_the_day(cast, days=3)
        digests.make_due(now=START)
        put_off(cast, "Water bill", START + timedelta(hours=1))
        at_the_door(cast)
        for day in range(11):
            if day == 2:
                put_off(cast, "Offer", SLOT + DAY + timedelta(hours=1))
            digests.make_due(now=SLOT + day * DAY)
        assert told(cast) == [
            (0, ["1 contact waits at the door"]),
            (3, ["Changed: Offer", "Changed: Water bill"]),
        ]

    def test_a_changed_card_is_named_in_its_readers_language(self, cast: Cast) -> None:
        today_is_the_day(cast, days=3)
        digests.make_due(now=START)
        put_off(cast, "Water bill", START + timedelta(hours=1))
        Card.objects.update(translations={"de": {"title": "Wasserrechnung"}})
        Owner.objects.filter(pk=cast.ana.pk).update(language="de")
        digests.make_due(now=SLOT + 3 * DAY)
        assert [lines for _day, lines in told(cast)] == [["Geändert: Wasserrechnung"]]

    @pytest.mark.parametrize(("day", "heard"), [(1, 8), (2, 2), (6, 6)])
    def test_another_day_loses_nothing_and_repeats_nothing(
        self, cast: Cast, day: int, heard: int
    ) -> None:
        today_is_the_day(cast, days=3)
        digests.make_due(now=START)
        put_off(cast, "Water bill", START + timedelta(hours=1))
        digests.make_due(now=SLOT)
        digests.make_due(now=SLOT + DAY)
        today_is_the_day(cast, days=day)
        for later in range(1, 15):
            digests.make_due(now=SLOT + later * DAY + timedelta(minutes=1))
        assert told(cast) == [(heard, ["Changed: Water bill"])]

    def test_a_missed_day_of_the_week_is_made_up_for(self, cast: Cast) -> None:
        today_is_the_day(cast, days=1)
        digests.make_due(now=START)
        put_off(cast, "Water bill", START + timedelta(hours=1))
        digests.make_due(now=SLOT + 3 * DAY)
        assert told(cast) == [(3, ["Changed: Water bill"])]


@pytest.mark.django_db
class TestSlots:
    def test_a_missed_day_is_made_up_for_in_one_digest(self, cast: Cast) -> None:
        at_the_door(cast)
        at_the_door(cast, at=START + DAY)
        digest_day(until=SLOT + DAY + timedelta(hours=1))
        digest = Digest.objects.get()
        assert (digest.slot, digest.lines) == (SLOT + DAY, ["2 contacts wait at the door"])

    def test_making_it_again_makes_nothing(self, cast: Cast) -> None:
        at_the_door(cast)
        digest_day()
        for minute in range(5):
            digests.make_due(now=SLOT + timedelta(minutes=minute))
        assert (Digest.objects.count(), Delivery.objects.count()) == (1, 1)

    def test_a_later_wish_moves_the_slot(self, cast: Cast) -> None:
        at_the_door(cast)
        digests.make_due(now=START)
        Membership.objects.filter(owner=cast.ana).update(digest_at=time(20, 0))
        digests.make_due(now=SLOT)
        assert not Digest.objects.exists()
        digests.make_due(now=SLOT + timedelta(hours=2))
        assert Digest.objects.get().slot == SLOT + timedelta(hours=2)

    @pytest.mark.parametrize("wish", ["digest_at", "zone", "household"])
    def test_an_earlier_slot_holds_at_once_and_loses_nothing(self, cast: Cast, wish: str) -> None:
        member = Membership.objects.get(owner=cast.ana, household=cast.household)
        if wish == "household":
            households.change_owner(owner=cast.ana, values={"zone": "UTC"})  # as at home
        digests.make_due(now=START)
        digests.make_due(now=SLOT)
        at_the_door(cast, at=SLOT + timedelta(minutes=1))
        if wish == "digest_at":
            households.change_reach(membership=member, values={"digest_at": time(17, 0)})
        elif wish == "zone":
            households.change_owner(owner=cast.ana, values={"zone": "America/Halifax"})
        else:
            zone = {"zone": "America/Halifax"}
            households.change(household=cast.household, values=zone, by=cast.ana, now=START)
        earlier = SLOT + DAY - timedelta(hours=1)
        digests.make_due(now=SLOT + timedelta(minutes=2))
        digests.make_due(now=earlier)
        digest = Digest.objects.get(owner=cast.ana)
        assert (digest.slot, digest.lines) == (earlier, ["1 contact waits at the door"])


@pytest.mark.django_db(transaction=True)
def test_five_processes_at_once_make_one(cast: Cast) -> None:
    at_the_door(cast)
    digests.make_due(now=START)
    gate = threading.Barrier(5)

    def work() -> None:
        gate.wait()
        digests.make_due(now=SLOT)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert (Digest.objects.count(), Delivery.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 4, 4, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 9, 26, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("wall", [time(1, 45), time(2, 30), time(18, 0)])
def test_one_slot_a_day_across_daylight_saving(zone: str, around: datetime, wall: time) -> None:
    reach = Reach(zone=ZoneInfo(zone), digest_at=wall)
    now, days = around - 3 * DAY, []
    while now < around + 4 * DAY:
        slot = next_digest(reach, now)
        assert digests.last_slot(reach, now=slot) == slot
        assert digests.last_slot(reach, now=slot + timedelta(hours=12)) == slot
        days.append(slot.astimezone(reach.zone).date())
        now = slot + timedelta(seconds=1)
    assert days == sorted(set(days))
    assert (days[-1] - days[0]).days == len(days) - 1


def changed(cast: Cast, title: str, **fields: object) -> None:
    """A card of Ana's changed silently."""
    journey = JourneyFactory.create(household=cast.household, title=title)
    CardFactory.create(journey=journey, title=title, changed_at=START)
    NotificationFactory.create(journey=journey, owner=cast.ana, **{"level": Level.FEED} | fields)


@pytest.mark.django_db
class TestUnseen:
    @pytest.mark.parametrize(
        ("is_wished", "lines"), [(True, ["Changed: Water bill"]), (False, None)]
    )
    def test_a_summary_names_what_changed_unseen_for_who_wishes_that(
        self, cast: Cast, is_wished, lines
    ) -> None:
        cast.membership.has_digest_changes = is_wished
        cast.membership.save()
        hour = START + timedelta(hours=1)
        changed(cast, "Water bill", told_at=hour)
        changed(cast, "Seen", told_at=hour, seen_at=hour)
        changed(cast, "Loud", told_at=hour, level=Level.INTERRUPT)
        digest_day()
        digests.make_due(now=SLOT + DAY)
        assert told(cast) == ([(0, lines)] if lines else [])

    def test_a_weekly_summary_holds_the_week_once(self, cast: Cast) -> None:
        today_is_the_day(cast, days=3)
        Membership.objects.filter(pk=cast.membership.pk).update(
            is_digest_weekly=True, has_digest_changes=True
        )
        digests.make_due(now=START)
        changed(cast, "Water bill", told_at=START + timedelta(hours=1))
        at_the_door(cast, at=START + DAY)
        for day in range(12):
            digests.make_due(now=SLOT + day * DAY)
        assert told(cast) == [(3, ["1 contact waits at the door", "Changed: Water bill"])]
