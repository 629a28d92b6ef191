"""The digest: once a day, at the member's own time, what has no card; weekly what was put off.

A digest is a delivery, never a notification. It is never empty and never made twice: the
slot is a column that is claimed, and the row is unique per member and slot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.choices import DeliveryPurpose, NotificationState, SurveyState
from notifications.models import Delivery, Digest, Notification, Survey, Told
from notifications.telling import LATER
from notifications.tongue import speaking
from owners.choices import ChannelKind, Level, Rank
from owners.models import Channel, Membership, reach_of
from owners.reach import Reach, is_weekly_between, next_summary
from suppliers.admission import BLOCKED
from suppliers.choices import ContactKind, Outcome
from suppliers.models import Contact

BATCH = 200
LISTED = 5  # changes named in a digest; the rest is a number
LANGUAGES = [code for code, _name in settings.LANGUAGES]
TITLES = (
    "journey__card__title",
    *(f"journey__card__translations__{code}__title" for code in LANGUAGES),
)
ALIVE = timedelta(hours=24)  # a digest that could not be sent by then is overtaken
# Door, held surveys and adverts are for those who may act on them.
ACTING = (Rank.MEMBER, Rank.ADMIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What came into one household between two slots and has no card."""

    at_the_door: int = 0
    surveys: int = 0
    adverts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """One member's slot that is due: what lies in (`since`, `at`] belongs to it.

    Weekly lines, which wait for their day of the week, begin after `weekly_since`; None
    on the other days.
    """

    membership: Membership
    since: datetime
    at: datetime
    weekly_since: datetime | None = None


def lines(counted: Counted, put_off: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return the lines of a digest; none when there is nothing to say.

    Each with the page, by its URL name, that shows what it counts; empty for Today.
    `put_off` are the titles of the cards that changed in what the member wants to hear
    of in the digest.
    """
    found = []
    if n := counted.at_the_door:
        waits = ngettext("%(n)s contact waits at the door", "%(n)s contacts wait at the door", n)
        found.append((waits % {"n": n}, "door"))
    if n := counted.surveys:
        held = ngettext("%(n)s survey request held back", "%(n)s survey requests held back", n)
        found.append((held % {"n": n}, ""))
    if n := counted.adverts:
        adverts = ngettext("%(n)s advert held back", "%(n)s adverts held back", n)
        found.append((adverts % {"n": n}, "held"))
    found += [(_("Changed: %(title)s") % {"title": title}, "") for title in put_off[:LISTED]]
    if (n := len(put_off) - LISTED) > 0:
        more = ngettext("%(n)s more card changed", "%(n)s more cards changed", n)
        found.append((more % {"n": n}, ""))
    return found


def last_slot(reach: Reach, *, now: datetime) -> datetime:
    """Return the newest digest slot at or before `now`."""
    days = timedelta(days=9 if reach.is_digest_weekly else 2)
    slot = next_summary(reach, now - days)
    while True:
        following = next_summary(reach, slot + timedelta(seconds=1))
        if following > now:
            return slot
        slot = following


def make_due(*, now: datetime) -> int:
    """Make the digests whose slot has come; return how many members were seen to.

    Any number of processes may call it at once: each membership is claimed by one. A
    slot that was missed is made up for by the next, in one digest.
    """
    seen = 0
    while True:
        count = _make_batch(now=now)
        seen += count
        if count < BATCH:
            return seen


def _make_batch(*, now: datetime) -> int:
    with transaction.atomic():
        memberships = list(
            Membership.objects.filter(Q(next_digest_at=None) | Q(next_digest_at__lte=now))
            .select_related("owner", "household")
            .prefetch_related("reach_rules", "channel_wishes")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_digest_at", "pk")[:BATCH]
        )
        if not memberships:
            return 0
        slots = []
        for membership in memberships:
            reach = reach_of(
                membership,
                rules=list(membership.reach_rules.all()),
                kinds=[],
                by_channel=list(membership.channel_wishes.all()),
            )
            slot = _slot_of(membership, reach=reach, now=now)
            membership.next_digest_at = next_summary(reach, now + timedelta(seconds=1))
            if slot is not None:
                slots.append(slot)
                membership.digested_until = slot.at
                # What waits for the day is counted from here, whichever day that will be.
                membership.weekly_until = (
                    slot.at
                    if slot.weekly_since is not None
                    else membership.weekly_until or slot.since
                )
            elif membership.digested_until is None:
                membership.digested_until = last_slot(reach, now=now)
        noted = ["next_digest_at", "digested_until", "weekly_until"]
        Membership.objects.bulk_update(memberships, noted)
        _write(slots, now=now)
    return len(memberships)


def _slot_of(membership: Membership, *, reach: Reach, now: datetime) -> _Slot | None:
    """Return the slot that is due; None when the wishes have changed and it is still to come.

    A membership seen for the first time, or after a change of wishes, gets no digest, only
    its next slot; that covers all that came since the last one, however it was moved.
    """
    expected = membership.next_digest_at
    if expected is None:
        return None
    at = last_slot(reach, now=now)
    if at < expected:
        return None
    since = membership.digested_until or last_slot(reach, now=expected - timedelta(seconds=1))
    is_weekly = is_weekly_between(reach, since, at)
    return _Slot(
        membership=membership,
        since=since,
        at=at,
        weekly_since=(membership.weekly_until or since) if is_weekly else None,
    )


def _write(slots: Sequence[_Slot], *, now: datetime) -> None:
    counted = _counted(slots)
    put_off = _put_off(slots)
    unseen = _unseen(slots)
    made: list[tuple[Digest, str]] = []
    for slot in slots:
        membership = slot.membership
        is_acting = membership.rank in ACTING
        changed = {**put_off.get(membership.pk, {}), **unseen.get(membership.pk, {})}
        with speaking(membership.owner.language):
            said = lines(counted[membership.pk] if is_acting else Counted(), list(changed.values()))
        if said:
            digest = Digest(
                household=membership.household,
                owner=membership.owner,
                slot=slot.at,
                lines=[line for line, _page in said],
                made_at=now,
            )
            made.append((digest, _text(said)))
    if not made:
        return
    # On conflict another process was faster; its delivery carries the same key as ours.
    Digest.objects.bulk_create((digest for digest, _words in made), ignore_conflicts=True)
    # Who wants none by e-mail has it on its page all the same.
    mailed = {
        (slot.membership.household_id, slot.membership.owner_id)
        for slot in slots
        if slot.membership.has_digest_mail
    }
    channels = _mail_channels({owner for _household, owner in mailed})
    Delivery.objects.bulk_create(
        (
            _delivery(digest, text=text, channel=channels[digest.owner_id], now=now)
            for digest, text in made
            if digest.owner_id in channels and (digest.household_id, digest.owner_id) in mailed
        ),
        ignore_conflicts=True,
    )


def _text(said: Sequence[tuple[str, str]]) -> str:
    """Return the words of the mail: each line with the address of its page, then Today's."""
    found = []
    for line, name in said:
        found.append(f"- {line}")
        if name:
            found.append(f"  {settings.SITE_URL}{reverse(name)}")
    return "\n".join([*found, "", f"{settings.SITE_URL}/"])


def _delivery(digest: Digest, *, text: str, channel: Channel, now: datetime) -> Delivery:
    return Delivery(
        key=f"digest:{digest.household_id}:{digest.owner_id}:{digest.slot:%Y%m%dT%H%M}",
        household_id=digest.household_id,
        owner_id=digest.owner_id,
        purpose=DeliveryPurpose.DIGEST,
        kind=ChannelKind.EMAIL,
        channel=channel,
        subject=f"{digest.household.name}: {digest.lines[0]}"[:200],
        text=text,
        next_at=now,
        expires_at=digest.slot + ALIVE,
        created_at=now,
    )


def _mail_channels(owner_ids: Iterable[int]) -> dict[int, Channel]:
    """Return each owner's working e-mail address, the newest where there are several."""
    return {
        channel.owner_id: channel
        for channel in Channel.objects.usable()
        .filter(owner__in=owner_ids, kind=ChannelKind.EMAIL)
        .order_by("verified_at", "pk")
    }


def _counted(slots: Sequence[_Slot]) -> Mapping[int, Counted]:
    """Return what came per membership; three queries for each different span of time."""
    spans: dict[tuple[datetime, datetime], list[_Slot]] = defaultdict(list)
    for slot in slots:
        spans[slot.since, slot.at].append(slot)
    door = Q(outcome=Outcome.DOOR)
    # What no granted purpose covers is an advert, whatever kind it says it is.
    advert = Q(outcome=Outcome.HELD) & (
        Q(kind=ContactKind.ADVERT) | Q(reason="purpose_not_granted")
    )
    advert &= ~Q(reason=BLOCKED)
    found = {}
    for (since, at), members in spans.items():
        households = {slot.membership.household_id for slot in members}
        waiting = _by_household(
            Contact.objects.filter(
                door | advert,
                household__in=households,
                decided_at__gt=since,
                decided_at__lte=at,
            ),
            what="outcome",
        )
        # A survey that was offered on its card in the meantime is not held any more.
        surveys = _by_household(
            Survey.objects.filter(
                household__in=households,
                state=SurveyState.HELD,
                contact__decided_at__gt=since,
                contact__decided_at__lte=at,
            ),
            what="state",
        )
        # One that names no experience of theirs is on no journey, and has no row of its own.
        unnamed = _by_household(
            Contact.objects.filter(
                household__in=households,
                outcome=Outcome.HELD,
                reason__in=("no_experience", "which_experience", "owner_cap"),
                survey=None,
                decided_at__gt=since,
                decided_at__lte=at,
            ),
            what="outcome",
        )
        for slot in members:
            household = slot.membership.household_id
            found[slot.membership.pk] = Counted(
                at_the_door=waiting.get((household, Outcome.DOOR), 0),
                adverts=waiting.get((household, Outcome.HELD), 0),
                surveys=surveys.get((household, SurveyState.HELD), 0)
                + unnamed.get((household, Outcome.HELD), 0),
            )
    return found


def _by_household(
    rows: QuerySet[Contact] | QuerySet[Survey], *, what: str
) -> dict[tuple[int, str], int]:
    """Return how many there are by household and the field `what`."""
    counted = rows.values("household", what).annotate(number=Count("pk")).order_by()
    return {(row["household"], row[what]): row["number"] for row in counted}


def _unseen(slots: Sequence[_Slot]) -> Mapping[int, Mapping[int, str]]:
    """Return the cards that changed silently and were not looked at, for whoever wishes that.

    By membership and journey: the title.
    """
    members = {
        (slot.membership.household_id, slot.membership.owner_id): slot
        for slot in slots
        if slot.membership.has_digest_changes
    }
    if not members:
        return {}
    told = Notification.objects.filter(
        owner__in={owner for _, owner in members},
        household__in={household for household, _ in members},
        state=NotificationState.TOLD,
        level=Level.FEED,
        seen_at=None,
        told_at__gt=min(slot.since for slot in members.values()),
    ).order_by("-told_at", "-pk")
    found: dict[int, dict[int, str]] = defaultdict(dict)
    columns = ("household", "owner", "journey", "told_at", "owner__language", *TITLES)
    for household, owner, journey, at, language, first, *others in told.values_list(*columns):
        slot = members.get((household, owner))
        title = _in(language, first, others)
        if slot is not None and title and slot.since < at <= slot.at:
            found[slot.membership.pk].setdefault(journey, title)
    return found


def _in(language: str, first: str | None, others: Sequence[str | None]) -> str:
    """Return a card's title: it speaks its household's first language, others beside it."""
    return dict(zip(LANGUAGES, others, strict=True)).get(language) or first or ""


def _put_off(slots: Sequence[_Slot]) -> Mapping[int, Mapping[int, str]]:
    """Return the cards on which something was put off to the weekly lines.

    By membership and journey: the title. Each is named once, whatever else the member was
    told of the same matter that week.
    """
    members = {
        (slot.membership.household_id, slot.membership.owner_id): slot
        for slot in slots
        if slot.weekly_since is not None
    }
    marked = (
        Told.objects.filter(
            owner__in={owner for _, owner in members},
            journey__household__in={household for household, _ in members},
            told_at__gt=min(slot.weekly_since for slot in slots if slot.weekly_since),
            snapshot__has_key=LATER,
        )
        .order_by("-told_at", "-pk")
        .values_list(
            "journey__household",
            "owner",
            "journey",
            "owner__language",
            f"snapshot__{LATER}",
            *TITLES,
        )
        if members
        else []
    )
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for household, owner, journey, language, later, first, *others in marked:
        title = _in(language, first, others)
        slot = members.get((household, owner))
        if slot is None or slot.weekly_since is None or not title:
            continue
        if slot.weekly_since < datetime.fromisoformat(later) <= slot.at:
            found[slot.membership.pk][journey] = title
    return found
