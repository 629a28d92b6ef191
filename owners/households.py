"""Households: who is in them, what a member may do, and how each wants to be told."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from owners import access, hearing, undo
from owners.choices import ChannelKind, Moment, Rank, Scope, Topic
from owners.models import Change, ChannelWish, Household, Membership, Owner, ReachRule

WISHES_CHANGED = "wishes.changed"
CHANGED = "household.changed"
RANKS = {Rank.VIEWER: 0, Rank.HELPER: 1, Rank.MEMBER: 2, Rank.ADMIN: 3}
HEARD = frozenset({"zone", "survey_cap"})  # these change what suppliers may say when
HOUSEHOLD_FIELDS = frozenset({"name", "zone", "country", "currency", "survey_cap", "raw_days"})
OWNER_FIELDS = frozenset({"name", "zone", "device_zone", "language"})
WISHES = frozenset(
    {
        "prefers",
        "quiet_from",
        "quiet_until",
        "has_quiet_exceptions",
        "digest_at",
        "digest_weekday",
        "has_digest_mail",
        "is_digest_weekly",
        "has_digest_changes",
        "unmailed",
        "wakers",
        "holiday_from",
        "holiday_until",
        "cover",
    }
)

ENDS = frozenset({"quiet_from", "quiet_until", "holiday_from", "holiday_until"})


class NotAllowedError(Exception):
    """The owner is in the household, but the rank does not allow this."""

    def __init__(self, least: Rank) -> None:
        """Note the rank that would be enough."""
        super().__init__(f"This needs the rank {least.label.lower()}.")
        self.least = least


class WishError(Exception):
    """A wish that cannot be so; `field` names it and the text says why."""

    def __init__(self, field: str, detail: str) -> None:
        """Note which wish, and the reader's words."""
        super().__init__(detail)
        self.field, self.detail = field, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicWish:
    """One row of the reach matrix as a member wants it; no channel: the preferred one.

    With a scope it holds for one supplier, asset or journey only; `over` and
    `within_hours` are its condition, as `owners.reach.Wish` judges it.
    """

    topic: Topic
    moment: Moment
    channel: ChannelKind | None = None
    scope: Scope | Literal[""] = ""
    subject: UUID | None = None
    over: Decimal | None = None
    within_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindWish:
    """What a member wishes of one kind of channel.

    `quiet` None: quiet when everything is; an empty pair: never. No cap: the usual one.
    """

    kind: ChannelKind
    quiet: tuple[time, time] | tuple[()] | None = None
    cap: int | None = None


def create(
    *,
    owner: Owner,
    name: str,
    now: datetime,
    zone: str = "UTC",
    country: str = "",
    currency: str = "EUR",
    survey_cap: int = 2,
    raw_days: int = 90,
) -> Household:
    """Create a household whose admin is `owner`."""
    with transaction.atomic():
        household = Household.objects.create(
            name=name,
            zone=zone,
            country=country,
            currency=currency,
            survey_cap=survey_cap,
            raw_days=raw_days,
            intake_alias=f"in{secrets.token_hex(8)}",
            created_at=now,
        )
        Membership.objects.create(household=household, owner=owner, rank=Rank.ADMIN)
    return household


def ensure_first(*, owner: Owner, now: datetime) -> Household:
    """Return the owner's oldest household; make one of their own when there is none."""
    found = Household.objects.for_owner(owner).order_by("pk").first()
    if found is not None:
        return found
    return create(owner=owner, name=first_name(owner), zone=owner.zone, now=now)


def first_name(owner: Owner) -> str:
    """Return what an owner's own household is called, in their language.

    It is read by whoever they invite, so it says whose it is.
    """
    who = owner.name or owner.email.partition("@")[0]
    with override(owner.language):
        return (_("%(name)s's household") % {"name": who})[:120]


def require(*, owner: Owner, household_id: int, least: Rank = Rank.MEMBER) -> Membership:
    """Return the owner's membership.

    Raises Membership.DoesNotExist outside the household and NotAllowedError below `least`.
    """
    membership = Membership.objects.select_related("household").get(
        owner=owner, household_id=household_id
    )
    if RANKS[Rank(membership.rank)] < RANKS[least]:
        raise NotAllowedError(least)
    return membership


def reachable(*, owner: Owner, household: UUID, least: Rank = Rank.MEMBER) -> Household:
    """Return the household named in a request, when the owner's rank there is enough.

    Raises Household.DoesNotExist for one that is not the owner's, known or not.
    """
    found = Household.objects.for_owner(owner).get(uuid=household)
    require(owner=owner, household_id=found.pk, least=least)
    return found


def change_owner(*, owner: Owner, values: Mapping[str, Any]) -> Owner:
    """Change an owner's name, time zone (at home, and where the device is) or language.

    The household made at sign-up follows, as long as it is called what it was made with.
    """
    changed = OWNER_FIELDS & values.keys()
    before = first_name(owner)
    for field in changed:
        setattr(owner, field, values[field])
    if changed:
        owner.save(update_fields=sorted(changed))
    after = first_name(owner)
    if after != before:
        mine = Membership.objects.filter(owner=owner, rank=Rank.ADMIN).values("household")
        Household.objects.filter(pk__in=mine, name=before).update(name=after)
    if "language" in changed:
        reword(owner)
    if changed & {"zone", "device_zone"}:
        # The digest slot is a time of day in this zone; it is worked out anew.
        Membership.objects.filter(owner=owner).update(next_digest_at=None)
    return owner


def reword(owner: Owner) -> None:
    """Have what an owner's households read said in the owner's language too."""
    mine = Membership.objects.filter(owner=owner).values("household")
    Household.objects.filter(pk__in=mine).update(needs_words=True)


def tongues(households: Iterable[int]) -> dict[int, str]:
    """Return the language that each household speaks to others: its first member's."""
    first = Membership.objects.filter(household__in=households).order_by("household", "pk")
    return dict(first.distinct("household").values_list("household", "owner__language"))


def intake_address(household: Household) -> str:
    """Return where mail goes that belongs to no mandate yet."""
    if not household.intake_alias:
        return ""
    return f"{household.intake_alias}@{settings.MAIL_DOMAIN}"


def give_number(*, membership: Membership, number: str) -> str:
    """Give a member a telephone number of the installation, or take it back with an empty one.

    Returns it as E.164. Raises ValueError for what is no number, or is somebody's already.
    """
    if not number:
        membership.intake_number = None
        membership.save(update_fields=["intake_number"])
        return ""
    try:
        read = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("write the number with its country: +1 212 …") from error
    if not phonenumbers.is_possible_number(read):
        raise ValueError("this is not a phone number")
    membership.intake_number = phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)
    try:
        with transaction.atomic():
            membership.save(update_fields=["intake_number"])
    except IntegrityError as error:
        raise ValueError("another member has this number") from error
    return membership.intake_number


def change(
    *, household: Household, values: Mapping[str, Any], by: Owner, now: datetime
) -> Change | None:
    """Change what a household is called and where it is; for admins.

    Returns what takes it back, or None when nothing is different.
    """
    require(owner=by, household_id=household.pk, least=Rank.ADMIN)
    with transaction.atomic():
        kept = Household.objects.select_for_update(no_key=True).get(pk=household.pk)
        before = {
            field: getattr(kept, field)
            for field in sorted(HOUSEHOLD_FIELDS & values.keys())
            if getattr(kept, field) != values[field]
        }
        for field in HOUSEHOLD_FIELDS & values.keys():
            setattr(household, field, values[field])
        if not before:
            return None
        household.save(update_fields=list(before))
        if "zone" in before:
            Membership.objects.filter(household=household).update(next_digest_at=None)
        change = undo.remember(
            kind=CHANGED,
            label=kept.name,
            owner=by,
            household=household,
            subject=household.uuid,
            before=before,
            after={field: values[field] for field in before},
            now=now,
        )
        if before.keys() & HEARD:
            hearing.tell(hearing.WISHES, household=household, now=now)
        what = {"fields": list(before)}
        access.note(kind="household_changed", actor=by, household=household, what=what, now=now)
    return change


def undo_change(change_made: Change, owner: Owner, now: datetime) -> None:
    """Give a household the name, zone, limits and so on that it had."""
    if change_made.household is None:
        raise undo.UndoError(gettext_noop("The household is gone."))
    household = change_made.household
    change(household=household, values=change_made.before, by=owner, now=now)


def change_reach(
    *,
    membership: Membership,
    values: Mapping[str, Any],
    topics: Sequence[TopicWish] = (),
    kinds: Sequence[KindWish] = (),
) -> Membership:
    """Change how one member wants to be told; topics and kinds not named stay as they are."""
    with transaction.atomic():
        changed = WISHES & values.keys()
        for field in changed:
            setattr(membership, field, values[field])
        if changed:
            membership.next_digest_at = None
            membership.save(update_fields=[*sorted(changed), "next_digest_at"])
        for wish in topics:
            set_topic(membership=membership, wish=wish)
        for kind in kinds:
            _set_kind(membership, kind)
    return membership


def _set_kind(membership: Membership, wish: KindWish) -> None:
    if wish.quiet is None and wish.cap is None:
        membership.channel_wishes.filter(kind=wish.kind).delete()
        return
    begins, ends = wish.quiet or (None, None)
    ChannelWish.objects.update_or_create(
        membership=membership,
        kind=wish.kind,
        defaults={
            "has_own_quiet": wish.quiet is not None,
            "quiet_from": begins,
            "quiet_until": ends,
            "cap": wish.cap,
        },
    )


def set_topic(*, membership: Membership, wish: TopicWish) -> ReachRule:
    """Set one cell of the reach matrix."""
    rule, _is_new = ReachRule.objects.update_or_create(
        membership=membership,
        topic=wish.topic,
        scope=wish.scope,
        subject=wish.subject,
        defaults={
            "moment": wish.moment,
            "channel": wish.channel or "",
            "over": wish.over,
            "within_hours": wish.within_hours,
        },
    )
    return rule


def check_ends(values: Mapping[str, Any]) -> None:
    """Raise WishError for half a night and for half a holiday, or one that runs backwards."""
    if (values.get("quiet_from") is None) != (values.get("quiet_until") is None):
        raise WishError("quiet_until", gettext_noop("Quiet hours need both ends, or none."))
    start, end = values.get("holiday_from"), values.get("holiday_until")
    if (start is None) != (end is None):
        raise WishError("holiday_until", gettext_noop("A holiday needs both ends, or none."))
    if start is not None and end is not None and end < start:
        raise WishError("holiday_until", gettext_noop("This is before it begins."))


def set_wishes(
    *,
    membership: Membership,
    values: Mapping[str, Any],
    topics: Sequence[TopicWish],
    now: datetime,
    kinds: Sequence[KindWish] = (),
) -> Change:
    """Change how one member wants to be told, and remember how it was.

    Raises WishError for ends that do not fit, and for a cover who is not another member.
    """
    kept = {name: getattr(membership, name) for name in ENDS}
    check_ends(kept | {name: values[name] for name in ENDS & values.keys()})
    cover = values.get("cover")
    if cover is not None:
        is_member = membership.household.memberships.filter(owner=cover).exists()
        if not is_member or cover.pk == membership.owner_id:
            raise WishError("cover", "There is no such object.")
    with transaction.atomic():
        before = wishes_kept(membership)
        change_reach(membership=membership, values=values, topics=topics, kinds=kinds)
        hearing.tell(hearing.WISHES, household=membership.household, now=now)
        return undo.remember(
            kind=WISHES_CHANGED,
            label=membership.household.name,
            owner=membership.owner,
            household=membership.household,
            subject=membership.owner.uuid,
            before=before,
            now=now,
        )


def grant_emergency(
    *, membership: Membership, supplier: UUID, is_granted: bool, now: datetime
) -> Change:
    """Take a supplier's word that it is an emergency at any hour, or no more.

    Only the member gives it: what a supplier declares alone wakes nobody.
    """
    others = [one for one in membership.wakers if one != supplier]
    wakers = [*others, supplier] if is_granted else others
    return set_wishes(membership=membership, values={"wakers": wakers}, topics=[], now=now)


def drop_wish(*, membership: Membership, scope: Scope, subject: UUID, now: datetime) -> Change:
    """Forget all wishes for one supplier, asset or journey, and remember how it was."""
    with transaction.atomic():
        before = wishes_kept(membership)
        membership.reach_rules.filter(scope=scope, subject=subject).delete()
        hearing.tell(hearing.WISHES, household=membership.household, now=now)
        return undo.remember(
            kind=WISHES_CHANGED,
            label=membership.household.name,
            owner=membership.owner,
            household=membership.household,
            subject=membership.owner.uuid,
            before=before,
            now=now,
        )


def wishes_kept(membership: Membership) -> dict[str, Any]:
    """Return a member's wishes as plain values that `undo_wishes` reads."""
    membership = Membership.objects.get(pk=membership.pk)
    found: dict[str, Any] = {}
    for name in sorted(WISHES - {"cover"}):
        value = getattr(membership, name)
        if isinstance(value, list):
            found[name] = [str(one) for one in value]
        else:
            found[name] = value.isoformat() if isinstance(value, time | date) else value
    found["cover_id"] = membership.cover_id
    return found | rules_kept(membership)


def rules_kept(membership: Membership) -> dict[str, list[dict[str, Any]]]:
    """Return a member's matrix and wishes by channel as plain values for `restore_rules`."""
    columns = ("topic", "moment", "channel", "scope", "subject", "over", "within_hours")
    by_channel = ("kind", "has_own_quiet", "quiet_from", "quiet_until", "cap")
    return {
        "reach_rules": [
            {name: _plain(value) for name, value in rule.items()}
            for rule in membership.reach_rules.order_by("pk").values(*columns)
        ],
        "channel_wishes": [
            {name: _plain(value) for name, value in wish.items()}
            for wish in membership.channel_wishes.order_by("pk").values(*by_channel)
        ],
    }


def restore_rules(membership: Membership, kept: Mapping[str, Any]) -> None:
    """Give a member back what `rules_kept` kept, instead of what there is."""
    membership.reach_rules.all().delete()
    membership.channel_wishes.all().delete()
    ReachRule.objects.bulk_create(
        ReachRule(membership=membership, **rule) for rule in kept["reach_rules"]
    )
    ChannelWish.objects.bulk_create(
        ChannelWish(membership=membership, **wish) for wish in kept.get("channel_wishes", ())
    )


def _plain(value: Any) -> Any:
    if isinstance(value, time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value


def undo_wishes(change: Change, owner: Owner, now: datetime) -> None:
    """Give a member the wishes back that were changed; nobody undoes another's."""
    membership = Membership.objects.filter(household=change.household, owner=owner).first()
    if membership is None or change.subject != owner.uuid:
        raise undo.UndoError(gettext_noop("These are somebody else's wishes."))
    before = dict(change.before)
    rules = {name: before.pop(name, []) for name in ("reach_rules", "channel_wishes")}
    others = Membership.objects.filter(household=change.household).exclude(owner=owner)
    if not others.filter(owner=before["cover_id"]).exists():
        before["cover_id"] = None  # who left the household is told nothing of it any more
    for name, value in before.items():
        if isinstance(value, str) and name.startswith("holiday"):
            setattr(membership, name, date.fromisoformat(value))
        elif isinstance(value, str) and name.endswith(("_from", "_until", "_at")):
            setattr(membership, name, time.fromisoformat(value))
        else:
            setattr(membership, name, value)
    membership.next_digest_at = None
    # Only the wishes: what was told and counted meanwhile is not this member's to take back.
    membership.save(update_fields=[*before, "next_digest_at"])
    restore_rules(membership, rules)
    hearing.tell(hearing.WISHES, household=membership.household, now=now)
