"""Passes: made and ended by the owner, opened and written on by whoever holds one.

A link carries 128 random bits. A code is short enough to be spoken, so what protects it is
counted here, in the database and one try at a time: see `pass_rules` for the numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q

from assets.models import Asset
from notifications import handing, pass_rules
from notifications.choices import JourneyState, PassWay
from notifications.models import Journey, Pass, PassTry, PassVisit
from notifications.pass_rules import Standing
from owners import access, doorbell, sealing
from owners.models import Household, Owner
from suppliers import inbox
from suppliers.choices import Way
from suppliers.models import Supplier

TOKEN_BYTES = SECRET_BYTES = 16
LONGEST_TOKEN = 64
LIVE_MOST, DAY_MOST = 20, 100  # passes of one household: live ones, and made in a day
TURN = 7_043_102  # our number among the database's advisory locks
TRIES_KEPT = timedelta(hours=25)  # a little longer than any code lives
SEEN_EVERY = timedelta(seconds=3)
PURGED = 500
HINT = "pass:"  # before the id, on the channel of hints


class PassError(Exception):
    """The pass cannot be made or written on; `code` says why."""

    def __init__(self, code: str) -> None:
        """Name the reason."""
        super().__init__(code)
        self.code = code


class LockedError(Exception):
    """Too many wrong codes came from one network; `until` says when the next may come."""

    def __init__(self, until: datetime) -> None:
        """Name the end."""
        super().__init__("locked")
        self.until = until


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the owner ticked."""

    scope: Sequence[str] = pass_rules.USUAL
    papers: Sequence[uuid.UUID] = ()
    without: Sequence[str] = ()
    hours: int = pass_rules.USUAL_LENGTH
    may_write: bool = True
    supplier: Supplier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A visit that just began, with the secret that its browser keeps."""

    visit: PassVisit
    secret: str


# -- the owner -------------------------------------------------------------------------


def make(
    *,
    owner: Owner,
    household: Household,
    journey: Journey | None,
    asset: Asset | None,
    wishes: Wishes,
    now: datetime,
) -> Pass:
    """Make a pass about a matter, a thing, or both.

    Raises PassError where the household has as many as it may have.
    """
    made = Pass(
        household=household,
        owner=owner,
        journey=journey,
        asset=asset,
        supplier=wishes.supplier,
        scope=[word for word in pass_rules.SCOPES if word in wishes.scope],
        papers=list(wishes.papers),
        without=list(wishes.without),
        may_write=wishes.may_write and journey is not None,
        created_at=now,
        expires_at=now + pass_rules.LENGTHS[wishes.hours],
    )
    _seal(made, "token", secrets.token_urlsafe(TOKEN_BYTES))
    with transaction.atomic():
        Household.objects.select_for_update(no_key=True).get(pk=household.pk)
        mine = Pass.objects.filter(household=household)
        if mine.live(now).count() >= LIVE_MOST:
            raise PassError("too_many")
        if mine.filter(created_at__gt=now - timedelta(days=1)).count() >= DAY_MOST:
            raise PassError("too_many_today")
        _new_code(made, now)
        made.save()
        _note(made, "pass_made", owner=owner, now=now)
    _hint(made)
    return made


def renew_code(*, held: Pass, owner: Owner, now: datetime) -> Pass:
    """Give a live pass a new code; the old one ends. Who reads it already goes on.

    Raises PassError for one that has ended.
    """
    with transaction.atomic():
        held = Pass.objects.select_for_update(of=("self",)).get(pk=held.pk)
        if not Pass.objects.live(now).filter(pk=held.pk).exists():
            raise PassError("ended")
        _new_code(held, now)
        held.save(
            update_fields=["sealed_code", "code_index", "code_made_at", "code_until", "code_opens"]
        )
        _note(held, "pass_code_renewed", owner=owner, now=now)
    return held


def revoke(*, held: Pass, owner: Owner | None, now: datetime) -> Pass:
    """End a pass for good. Twice is once. Nobody undoes it: a new one is as quickly made.

    Without an owner it ends by itself: what it is about has another owner now.
    """
    with transaction.atomic():
        held = Pass.objects.select_for_update(of=("self",)).get(pk=held.pk)
        if held.revoked_at is None and now < held.expires_at:
            held.revoked_at = now
            _wipe(held)
            held.save(update_fields=["revoked_at", *WIPED])
            _note(held, "pass_revoked", owner=owner, now=now)
    _hint(held)
    return held


def live_on(*, owner: Owner, journey: Journey, now: datetime) -> list[Pass]:
    """Return the owner's passes about a matter that are open."""
    mine = Pass.objects.live(now).for_owner(owner).filter(journey=journey)
    return list(mine.select_related("supplier").order_by("-created_at", "-pk"))


def code_of(held: Pass) -> str:
    """Return the code in the clear; for its owner's eyes only. Empty once it is wiped."""
    return _unseal(held, "code")


def address_of(held: Pass) -> str:
    """Return the link in the clear; for its owner's eyes only. Empty once it is wiped."""
    token = _unseal(held, "token")
    return f"{settings.SITE_URL}/passes/{token}/" if token else ""


def has_live_code(held: Pass, *, now: datetime) -> bool:
    """Whether the code would open the pass now."""
    return bool(held.code_index) and pass_rules.may_open_by_code(_standing(held), now)


def is_present(visit: PassVisit, *, now: datetime) -> bool:
    """Whether somebody reads it at this moment."""
    return now - visit.seen_at < pass_rules.PRESENT


# -- whoever holds it ------------------------------------------------------------------


def open_by_token(*, token: str, way: PassWay, agent: str, now: datetime) -> Opened | None:
    """Open a pass by its link; None for one that does not open, whatever the reason."""
    if not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
        return None
    with transaction.atomic():
        held = _locked(Q(token_index=_index(token, "token")), now)
        if held is None or not pass_rules.may_open(_standing(held), now):
            return None
        return _begin(held, way=way, agent=agent, now=now)


def open_by_code(
    *, typed: str, network: str, way: PassWay, agent: str, now: datetime
) -> Opened | None:
    """Open a pass by its spoken code; None for one that does not open, whatever the reason.

    One try at a time over the whole installation, so that the counts are exact. Raises
    LockedError, before anything is compared, for a network of too many wrong tries.
    """
    place = sealing.blind_index(network, field="passtry.network")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        tries = PassTry.objects.filter(network=place, at__gt=now - pass_rules.ONE_LOCKED)
        wrong = list(tries.order_by("-at").values_list("at", flat=True)[: pass_rules.TRIES_OF_ONE])
        if len(wrong) >= pass_rules.TRIES_OF_ONE:
            raise LockedError(wrong[-1] + pass_rules.ONE_LOCKED)
        # What cannot be a code is looked up all the same: each wrong try takes one road.
        held = _locked(Q(code_index=_index(pass_rules.read_code(typed), "code")), now)
        if held is not None and pass_rules.may_open_by_code(_standing(held), now):
            Pass.objects.filter(pk=held.pk).update(code_opens=F("code_opens") + 1)
            return _begin(held, way=way, agent=agent, now=now)
        PassTry.objects.create(network=place, at=now)
    return None


def go_on(*, visit: uuid.UUID, secret: str, now: datetime) -> PassVisit | None:
    """Return the visit of a page that was opened, while its pass still shows anything.

    Every request asks again, so what was revoked is gone with the next one.
    """
    rows = PassVisit.objects.filter(uuid=visit, held__in=Pass.objects.live(now))
    found = rows.select_related(
        "household", "held__household", "held__owner", "held__supplier",
        "held__asset__household", "held__journey__household", "held__journey__asset",
        "held__journey__card",
    ).first()  # fmt: skip
    if found is None or not hmac.compare_digest(bytes(found.secret_hash), _hash(secret)):
        return None
    if not pass_rules.may_go_on(opened_at=found.opened_at, seen_at=found.seen_at, now=now):
        return None
    if now - found.seen_at >= SEEN_EVERY:
        was_away = not is_present(found, now=now)
        PassVisit.objects.filter(pk=found.pk).update(seen_at=now)
        found.seen_at = now
        if was_away:
            _hint(found.held)
    return found


def watch(*, visits: Collection[uuid.UUID], is_touch: bool, now: datetime) -> dict[uuid.UUID, str]:
    """Return those of some opened pages that may still be shown, each with its version.

    `is_touch` notes that they are open now. Two statements for any number of pages.
    """
    rows = PassVisit.objects.filter(uuid__in=visits, held__in=Pass.objects.live(now))
    may = {
        visit: f"{version or 0}"
        for visit, opened_at, seen_at, version in rows.values_list(
            "uuid", "opened_at", "seen_at", "held__journey__card__version"
        )
        if pass_rules.may_go_on(opened_at=opened_at, seen_at=seen_at, now=now)
    }
    if is_touch:
        PassVisit.objects.filter(uuid__in=may).update(seen_at=now)
    return may


def version_of(visit: PassVisit) -> str:
    """Return what changes whenever the page would."""
    journey = visit.held.journey
    card = getattr(journey, "card", None) if journey else None
    return f"{card.version if card else 0}"


def may_write(held: Pass) -> bool:
    """Whether something may be written on the pass now: its matter is open."""
    journey, _asset = handing.about(held)
    return held.may_write and journey is not None and journey.state == JourneyState.OPEN


def write(*, visit: PassVisit, data: Mapping[str, Any], key: str, now: datetime) -> None:
    """Keep what was written on a pass; it goes the way of everything that arrives.

    `data` has `kind` (reference, promise, outcome) with its fields, and perhaps `who`.
    `key` makes a repetition one note. Raises PassError where nothing may be written, or
    too much was.
    """
    held = visit.held
    journey, asset = handing.about(held)
    if journey is None or not may_write(held):
        raise PassError("closed")
    mine = PassVisit.objects.filter(pk=visit.pk, writes__lt=pass_rules.WRITES)
    if not mine.update(writes=F("writes") + 1):
        raise PassError("too_many")
    said = {
        **data,
        "id": f"pass:{uuid.uuid5(visit.uuid, key)}",
        "journey": str(journey.uuid),
        "asset": str(asset.uuid) if asset else "",
    }
    received = inbox.Received(
        supplier_id=None,
        household_id=held.household_id,
        way=Way.PASS,
        source=f"/passes/{held.uuid}",
        event_id=f"{visit.uuid}:{key}"[:255],
        type="",
        payload=json.dumps(said, separators=(",", ":"), sort_keys=True).encode(),
    )
    inbox.record(received=[received], now=now)
    _hint(held)


def network_of(address: str) -> str:
    """Return the network that tries are counted for: an IPv4 address, or an IPv6 /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


# -- what time brings ------------------------------------------------------------------


def purge_due(*, now: datetime) -> int:
    """Wipe the secrets of passes that ended, and forget what is too old; return how much."""
    tries = PassTry.objects.filter(at__lt=now - TRIES_KEPT).values_list("pk", flat=True)[:PURGED]
    done, _ = PassTry.objects.filter(pk__in=list(tries)).delete()
    ended = Pass.objects.filter(expires_at__lte=now, token_index__isnull=False)
    pks = list(ended.values_list("pk", flat=True)[:PURGED])
    done += Pass.objects.filter(pk__in=pks).update(
        sealed_code=b"", code_index=None, sealed_token=b"", token_index=None
    )
    old = Pass.objects.filter(expires_at__lt=now - pass_rules.KEPT)
    gone, _ = Pass.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:PURGED])).delete()
    return done + gone


# -- inside ----------------------------------------------------------------------------

WIPED = ("sealed_code", "code_index", "sealed_token", "token_index")


def _locked(which: Q, now: datetime) -> Pass | None:
    rows = Pass.objects.live(now).filter(which).select_for_update(of=("self",))
    return rows.select_related("household").first()


def _standing(held: Pass) -> Standing:
    tries = PassTry.objects.filter(at__gte=held.code_made_at)
    return Standing(
        expires_at=held.expires_at,
        code_until=held.code_until,
        revoked_at=held.revoked_at,
        opens=held.opens,
        code_opens=held.code_opens,
        tries_since=tries.count(),
    )


def _begin(held: Pass, *, way: PassWay, agent: str, now: datetime) -> Opened:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    visit = PassVisit.objects.create(
        household_id=held.household_id,
        held=held,
        way=way,
        browser=pass_rules.browser_of(agent),
        secret_hash=_hash(secret),
        opened_at=now,
        seen_at=now,
    )
    Pass.objects.filter(pk=held.pk).update(opens=F("opens") + 1)
    _note(held, "pass_opened", owner=None, now=now, way=way.value, browser=visit.browser)
    _hint(held)
    return Opened(visit=visit, secret=secret)


def _new_code(held: Pass, now: datetime) -> None:
    while True:
        code = "".join(secrets.choice(pass_rules.ALPHABET) for _ in range(pass_rules.CODE_LENGTH))
        if not Pass.objects.filter(code_index=_index(code, "code")).exists():
            break
    _seal(held, "code", code)
    held.code_made_at, held.code_opens = now, 0
    held.code_until = min(now + pass_rules.CODE_LASTS, held.expires_at)


def _seal(held: Pass, field: str, value: str) -> None:
    place = {"table": "notifications_pass", "key": str(held.uuid), "field": field}
    setattr(held, f"sealed_{field}", sealing.seal(value.encode(), **place))
    setattr(held, f"{field}_index", _index(value, field))


def _unseal(held: Pass, field: str) -> str:
    sealed = bytes(getattr(held, f"sealed_{field}"))
    place = {"table": "notifications_pass", "key": str(held.uuid), "field": field}
    return sealing.unseal(sealed, **place).decode() if sealed else ""


def _wipe(held: Pass) -> None:
    held.sealed_code = held.sealed_token = b""
    held.code_index = held.token_index = None


def _index(value: str, field: str) -> bytes:
    return sealing.blind_index(value, field=f"pass.{field}")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _note(held: Pass, kind: str, *, owner: Owner | None, now: datetime, **what: str) -> None:
    about = {"pass": str(held.uuid), **what}
    access.note(kind=kind, actor=owner, household=held.household, what=about, now=now)


def hint_of(held: Pass) -> str:
    """Return what names a pass on the channel of hints."""
    return f"{HINT}{held.uuid}"


def _hint(held: Pass) -> None:
    """Say to who watches that something about this pass changed, once that is committed."""
    hint = {held.household_id: [hint_of(held)]}
    transaction.on_commit(lambda: doorbell.hint(hint))
