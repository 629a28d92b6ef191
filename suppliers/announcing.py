"""Tell once: one piece of news of the home or of a thing, to all suppliers that the owner chose.

Each hears it by its own way a few minutes later, so that it can still be taken back: as a
signed event, by mail from its alias, or by SMS. What answers is noted beside its name; who
has not answered after two weeks is one line for the owner, not one for each.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import dateformat, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from assets import duedates, notices
from assets.choices import Lifecycle, NoticeKind
from assets.models import Asset
from owners import access, households
from owners.models import Household, Owner
from suppliers import disclosure, letters, mandates, outbox, pairwise, routes, typed
from suppliers.announcements import Addressee, Announcement
from suppliers.choices import (
    AnswerState,
    FactName,
    MandateState,
    NewsKind,
    Outcome,
    RoleKind,
)
from suppliers.contacts import Contact as Said
from suppliers.models import Contact, Mandate, OutboundEvent, Role

HELD = timedelta(minutes=5)  # in which it can be taken back
PATIENCE = timedelta(days=14)  # before the owner hears who has not answered
REMINDED_AGAIN = timedelta(days=14)
MOST = 500  # suppliers told at once
NAMED = 2  # in the line that reminds
LONGEST_SAID = 300

# Which fact of the home is new.
FACTS: dict[NewsKind, FactName] = {
    NewsKind.MOVED: FactName.ADDRESS,
    NewsKind.NUMBER: FactName.PHONE,
    NewsKind.NAME: FactName.NAME,
}
OF_THINGS = (NewsKind.SOLD, NewsKind.GONE)
CHANGED, MESSAGE = "owner.mandate.changed", "owner.message.sent"
TYPES = {NewsKind.SOLD: "owner.asset.transferred", NewsKind.GONE: "owner.asset.disposed"}
PARTED = tuple(TYPES.values())
TOLD_BY = (CHANGED, *PARTED)
# Who has to know where one lives even if nobody ever said so.
BY_ADDRESS = (RoleKind.INSURER, RoleKind.UTILITY, RoleKind.SUBSCRIPTION, RoleKind.AUTHORITY)
# What an answer says by its type alone.
SAYS: dict[str, AnswerState] = {
    "ticket.opened": AnswerState.RECEIVED,
    "ticket.updated": AnswerState.RECEIVED,
    "ticket.information_required": AnswerState.NEEDS,
    "ticket.resolved": AnswerState.CONFIRMED,
    "ticket.closed": AnswerState.CONFIRMED,
    "contract.changed": AnswerState.CONFIRMED,
    "contract.ended": AnswerState.CONFIRMED,
}
# An answer never takes back a better one: a receipt does not undo a confirmation.
RANK = {
    AnswerState.WAITING: 0,
    AnswerState.RECEIVED: 1,
    AnswerState.ANSWERED: 2,
    AnswerState.NEEDS: 2,
    AnswerState.CONFIRMED: 3,
    AnswerState.SETTLED: 4,
}
BY_OWNER = (AnswerState.CONFIRMED, AnswerState.NEEDS, AnswerState.SETTLED, AnswerState.WAITING)
OPEN = (AnswerState.WAITING, AnswerState.RECEIVED)
KNOWN = (AnswerState.RECEIVED, AnswerState.CONFIRMED)  # an answer that brings nothing new


class NewsError(Exception):
    """It cannot be told; `code` and the text say why, `field` which input."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is told. `value` is what is new; of a thing there is none."""

    kind: NewsKind
    on: date | None = None  # from when it holds; today without one
    value: str = ""
    note: str = ""
    asset: Asset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A supplier that could be told."""

    mandate: Mandate
    via: str  # webhook, mail, sms; none: there is no way to tell it
    roles: tuple[str, ...]  # what it is for the things of the household, as labels
    learns: FactName | None  # the fact that it may not know yet, and would from then on
    told: OutboundEvent | None  # it was told that the thing is gone, when it went
    is_suggested: bool

    @property
    def is_choosable(self) -> bool:
        """Whether there is a way to tell it, and something to tell."""
        return self.via != routes.NONE and self.told is None


def candidates(
    *, household: Household, kind: NewsKind, asset: Asset | None = None
) -> list[Candidate]:
    """Return every supplier with an active mandate, those that should be told suggested.

    Of a thing only those that may know of it are asked about.
    """
    rows = Mandate.objects.filter(household=household, state=MandateState.ACTIVE)
    if asset is not None:
        concerned = Q(assets=asset) | Q(supplier__roles__asset=asset) | Q(assets=None)
        rows = rows.filter(concerned)
    found = list(
        rows.select_related("supplier", "household")
        .prefetch_related("assets")
        .order_by("supplier__name", "pk")
        .distinct()[:MOST]
    )
    vias = routes.of_mandates(found)
    roles: dict[int, list[Role]] = {}
    for role in Role.objects.filter(household=household).order_by("pk"):
        if asset is None or role.asset_id == asset.pk:
            roles.setdefault(role.supplier_id, []).append(role)
    told = _already_told(found, asset) if asset is not None else {}
    return [
        _candidate(
            one, kind, via=vias[one.pk], roles=roles.get(one.supplier_id, ()),
            told=told.get(one.pk), asset=asset,
        )
        for one in found
    ]  # fmt: skip


def _candidate(
    mandate: Mandate,
    kind: NewsKind,
    *,
    via: str,
    roles: Sequence[Role],
    told: OutboundEvent | None,
    asset: Asset | None,
) -> Candidate:
    kinds = {role.kind for role in roles}
    fact = FACTS.get(kind)
    knows = fact is not None and fact in mandate.facts
    if asset is not None:
        suggested = bool(kinds) or asset in mandate.assets.all()
    elif kind == NewsKind.MOVED:
        suggested = knows or bool(kinds & set(BY_ADDRESS))
    else:
        # A mail address of its own, each has already: this is for who was given another.
        suggested = knows or kind == NewsKind.EMAIL
    return Candidate(
        mandate=mandate,
        via=via,
        roles=tuple(dict.fromkeys(str(role.get_kind_display()) for role in roles)),
        learns=None if fact is None or knows else fact,
        told=told,
        is_suggested=suggested and via != routes.NONE and told is None,
    )


def _already_told(found: Sequence[Mandate], asset: Asset) -> dict[int, OutboundEvent]:
    """Return for each mandate the event by which it heard that the thing is gone."""
    if asset.lifecycle != Lifecycle.ENDED:
        return {}
    rows = OutboundEvent.objects.filter(
        mandate__in=found, type__in=(*PARTED, "owner.asset.linked")
    ).select_related("mandate")
    last: dict[int, OutboundEvent] = {}
    for event in rows.order_by("pk"):
        mandate = event.mandate
        name = (event.data.get("asset") or {}).get("ref")
        if mandate is not None and name == pairwise.asset(mandate.owner_ref, asset.uuid):
            last[mandate.pk] = event
    return {pk: event for pk, event in last.items() if event.type in PARTED}


def announce(
    *,
    household: Household,
    news: News,
    chosen: Collection[Mandate],
    owner: Owner,
    now: datetime,
    name: UUID | None = None,
) -> Announcement:
    """Tell the chosen suppliers; the same `name` again returns what was told first.

    A new address, number or name is written down for the home as well, and whoever is told
    it may know it from now on. Raises NewsError for what cannot be told so.
    """
    name, kind, asset = name or uuid4(), news.kind, news.asset
    value = _checked(news, household=household)
    with transaction.atomic():
        # One at a time for a home: the same form sent twice finds what the first wrote.
        Household.objects.select_for_update(no_key=True).get(pk=household.pk)
        known = Announcement.objects.filter(uuid=name).first()
        if known is not None:
            if known.household_id != household.pk:
                raise NewsError("unknown", gettext_noop("There is no such object."))
            return known
        able = {one.mandate.pk: one for one in candidates(
            household=household, kind=kind, asset=asset)}  # fmt: skip
        if not chosen:
            raise NewsError("nobody", gettext_noop("Choose who is told."), field="suppliers")
        if any(one.pk not in able or not able[one.pk].is_choosable for one in chosen):
            raise NewsError(
                "not_reachable",
                gettext_noop("Somebody among them cannot be told so. Look at the list again."),
                field="suppliers",
            )
        fact = FACTS.get(kind)
        told = Announcement(
            uuid=name,
            household=household,
            told_by=owner,
            kind=kind,
            asset=asset,
            on=news.on or duedates.today_in(household.zone, now),
            note=news.note.strip()[:500],
            announced_at=now,
            sends_at=now + HELD,
            remind_on=duedates.today_in(household.zone, now) + PATIENCE,
        )
        before = disclosure.written(household).get(fact, "") if fact is not None else ""
        told.seal(value=value, before=before)
        told.save()
        if fact is not None:
            disclosure.write_home(household, {fact: value})
        spoken = households.tongues([household.pk]).get(household.pk, "")
        with translation.override(spoken or settings.LANGUAGE_CODE):
            for mandate in chosen:
                _tell(told, able[mandate.pk], owner=owner, now=now)
        for one in able.values():
            if one.told is not None and not Addressee.objects.filter(event=one.told.uuid).exists():
                Addressee.objects.create(
                    household=household, announcement=told, mandate=one.mandate,
                    event=one.told.uuid, is_ours=False,
                )  # fmt: skip
        access.note(
            kind="announced",
            actor=owner,
            household=household,
            what={"news": kind.value, "suppliers": [one.supplier.name for one in chosen][:20]},
            now=now,
        )
        review(told, now=now)
    return told


def _checked(news: News, *, household: Household) -> str:
    """Return the value as it is told; raises NewsError where one is missing or wrong."""
    kind, asset = news.kind, news.asset
    value = news.value.strip()[: disclosure.LONGEST]
    if kind in OF_THINGS:
        if asset is None or asset.household_id != household.pk:
            raise NewsError("required", gettext_noop("Say which thing it is."), field="asset")
        if asset.lifecycle not in (Lifecycle.LEAVING, Lifecycle.ENDED):
            raise NewsError(
                "still_yours",
                gettext_noop("It is still yours: say first that it is sold, or gone."),
                field="asset",
            )
        return ""
    if kind == NewsKind.EMAIL:
        # Without one each is told the address that is its own.
        if value:
            try:
                validate_email(value)
            except ValidationError as error:
                raise NewsError(
                    "invalid", gettext_noop("This is no mail address."), field="value"
                ) from error
        return value
    if not value:
        raise NewsError("required", gettext_noop("Write what is new."), field="value")
    if kind == NewsKind.NUMBER:
        number = typed.read_number(value)
        if not number:
            raise NewsError(
                "invalid",
                gettext_noop("Write the number with + and the country code."),
                field="value",
            )
        return number
    return value


def _tell(told: Announcement, one: Candidate, *, owner: Owner, now: datetime) -> None:
    mandate = one.mandate
    taught = [one.learns] if one.learns is not None else []
    if taught:
        mandates.teach(mandate=mandate, facts=taught, owner=owner, now=now)
    name = uuid4()
    type_, data = said_to(told, mandate, via=one.via)
    outbox.send(
        mandate=mandate, type=type_, data=data, now=now, name=name, not_before=told.sends_at
    )
    Addressee.objects.create(
        household_id=told.household_id,
        announcement=told,
        mandate=mandate,
        event=name,
        taught=[fact.value for fact in taught],
        state=AnswerState.WAITING,
    )


def said_to(told: Announcement, mandate: Mandate, *, via: str) -> tuple[str, dict[str, Any]]:
    """Return the event that one supplier gets, its type and data, in the active language."""
    kind = NewsKind(told.kind)
    ref = pairwise.journey(mandate.owner_ref, told.uuid)
    data: dict[str, Any] = {
        "requestId": ref,
        "refs": [{"scheme": "thread", "value": ref}],
        "from": told.on.isoformat(),
        "answerBy": told.remind_on.isoformat(),
        "body": words_of(told, mandate),
    }
    if kind in OF_THINGS and told.asset is not None:
        facts = disclosure.asset_facts(told.asset, mandate.facts, owner_ref=mandate.owner_ref)
        type_ = TYPES[kind]
        data |= {"asset": facts}
    else:
        type_ = CHANGED
        changed = FACTS[kind].value if kind in FACTS else "email"
        data |= disclosure.told(mandate) | {"changed": [changed]}
        if kind == NewsKind.EMAIL:
            data["email"] = told.value or mandates.alias_address(mandate)
    if via == routes.SMS:
        # Nobody reads a form as an SMS: the words alone.
        return MESSAGE, {"body": data["body"], "refs": data["refs"]}
    return type_, data


def words_of(told: Announcement, mandate: Mandate) -> str:
    """Return the news in a sentence or two, in the active language."""
    kind = NewsKind(told.kind)
    day = dateformat.format(told.on, "j F Y")
    what = told.value or mandates.alias_address(mandate)
    if kind in OF_THINGS and told.asset is not None:
        said = _SAID[kind] % {"day": day, "what": told.asset.name}
        ask = _("Please end or change what you hold for us on it. Tell us if you need anything.")
    else:
        said = _SAID_OF_HOME[kind] % {"day": day, "what": " ".join(what.split())}
        ask = _("Please change it wherever you hold it, and tell us if you need anything.")
    return "\n".join(part for part in (said, told.note, ask) if part)


class _Words(dict[NewsKind, str]):
    """Sentences that are put into the active language when they are read."""

    def __getitem__(self, key: NewsKind) -> str:
        return _(super().__getitem__(key))


_SAID_OF_HOME = _Words(
    {
        NewsKind.MOVED: gettext_noop("From %(day)s our address is: %(what)s."),
        NewsKind.NUMBER: gettext_noop("From %(day)s our phone number is: %(what)s."),
        NewsKind.EMAIL: gettext_noop("From %(day)s please write to us at: %(what)s."),
        NewsKind.NAME: gettext_noop("From %(day)s our name is: %(what)s."),
    }
)
_SAID = _Words(
    {
        NewsKind.SOLD: gettext_noop("Since %(day)s we no longer own this: %(what)s."),
        NewsKind.GONE: gettext_noop("Since %(day)s we no longer have this: %(what)s."),
    }
)


# -- taking back ---------------------------------------------------------------------------


def withdraw(*, told: Announcement, owner: Owner, now: datetime) -> tuple[int, int]:
    """Take back what has not gone out; return how many will not hear it, and how many did.

    What the home's facts said before is written down again where nobody was told, and who
    was not told does not keep what it was to learn.
    """
    with transaction.atomic():
        kept = (
            Announcement.objects.select_for_update(of=("self",))
            .select_related("household")
            .get(pk=told.pk)
        )
        rows = list(
            kept.addressees.select_related("mandate__supplier", "mandate__household").order_by("pk")
        )
        if kept.withdrawn_at is not None:
            return 0, sum(1 for row in rows if row.is_ours)
        stopped = [row for row in rows if row.is_ours and outbox.withdraw(name=row.event)]
        if not stopped:
            return 0, len(rows)
        gone = sum(1 for row in rows if row.is_ours) - len(stopped)
        fact = FACTS.get(NewsKind(kept.kind))
        for row in stopped:
            facts = [FactName(name) for name in row.taught]
            if facts:
                mandates.unteach(mandate=row.mandate, facts=facts, owner=owner, now=now)
        if not gone:
            if fact is not None and disclosure.written(kept.household).get(fact) == kept.value:
                disclosure.write_home(kept.household, {fact: kept.before})
            kept.withdrawn_at = now
            kept.save(update_fields=["withdrawn_at"])
        Addressee.objects.filter(pk__in=[row.pk for row in stopped]).delete()
        access.note(
            kind="announcement_withdrawn",
            actor=owner,
            household=kept.household,
            what={"news": kept.kind},
            now=now,
        )
        review(kept, now=now)
    told.withdrawn_at = kept.withdrawn_at
    return len(stopped), gone


def is_open_to_undo(told: Announcement, *, now: datetime) -> bool:
    """Whether some of it can still be taken back."""
    return told.withdrawn_at is None and now < told.sends_at


# -- what is answered ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Something that a supplier with a mandate said, which may answer a piece of news."""

    contact: UUID
    mandate_id: int
    said: Said


def hear(replies: Iterable[Reply], *, now: datetime) -> None:
    """Note what answers a piece of news; what answers none changes nothing.

    An answer is known by what it quotes: the request's name, or our letter. Whoever says
    something without quoting either is not guessed to have answered.
    """
    found = [(one, _quoted(one)) for one in replies]
    quoting = {one.mandate_id for one, quoted in found if quoted}
    if not quoting:
        return
    rows = Addressee.objects.filter(mandate__in=quoting).select_related("announcement", "mandate")
    by_name: dict[tuple[int, str], Addressee] = {}
    for row in rows.select_for_update(of=("self",)).order_by("pk"):
        by_name[row.mandate_id, str(row.event)] = row
        ref = pairwise.journey(row.mandate.owner_ref, row.announcement.uuid)
        by_name[row.mandate_id, ref] = row
    touched: dict[int, Announcement] = {}
    for one, quoted in found:
        names = (by_name.get((one.mandate_id, name)) for name in quoted)
        hit = next((found_ for found_ in names if found_ is not None), None)
        if hit is not None and _note(hit, one, now=now):
            touched[hit.announcement_id] = hit.announcement
    for told in touched.values():
        review(told, now=now)


def _quoted(one: Reply) -> list[str]:
    keys = [key.value for key in one.said.keys if key.scheme in ("thread", "entity")]
    return [*keys, *sorted(letters.named_in([one.said]))]


def _note(row: Addressee, one: Reply, *, now: datetime) -> bool:
    state = state_of(one)
    if RANK[state] < RANK[AnswerState(row.state)] or row.state == AnswerState.SETTLED:
        return False
    if state in KNOWN and says_no_more(one.said):
        # It is said beside the supplier's name and asks for nothing: no card of its own.
        Contact.objects.filter(uuid=one.contact, decided_at=None).update(
            decided_at=now,
            outcome=Outcome.ABSORBED,
            reason="answers_news",
            rule="only_the_known_absorbs",
            evidence={"announcement": str(row.announcement.uuid)},
        )
    row.state, row.changed_at = state, now
    row.answer = Contact.objects.filter(uuid=one.contact).first()
    row.says = " ".join((one.said.body or one.said.summary).split())[:LONGEST_SAID]
    row.save(update_fields=["state", "changed_at", "answer", "says"])
    return True


def note_done(*, event: UUID, now: datetime) -> None:
    """Note that a supplier's own people ticked a piece of news off; any other event is none."""
    row = Addressee.objects.filter(event=event, state__in=OPEN).select_related("announcement")
    found = row.select_for_update(of=("self",)).first()
    if found is not None:
        found.state, found.changed_at = AnswerState.CONFIRMED, now
        found.save(update_fields=["state", "changed_at"])
        review(found.announcement, now=now)


def says_no_more(said: Said) -> bool:
    """Whether an answer is its type and nothing else: no words, no fact, no question, no time."""
    return said.type.startswith("ticket.") and not (
        said.body
        or said.summary
        or said.facts
        or said.asks
        or said.visit
        or said.eta
        or said.promise
        or said.payment_domains
        or said.link_domains
        or said.documents
        or said.is_safety
    )


def state_of(one: Reply) -> AnswerState:
    """Return what a reply says: by what it asks for, its type, or that a machine sent it."""
    if one.said.asks:
        return AnswerState.NEEDS
    if one.said.type in SAYS:
        return SAYS[one.said.type]
    return AnswerState.RECEIVED if one.said.is_automatic else AnswerState.ANSWERED


def settle(*, row: Addressee, state: AnswerState, now: datetime) -> None:
    """Note what the owner knows of an answer; raises NewsError for a state nobody says."""
    if state not in BY_OWNER:
        raise NewsError("invalid", gettext_noop("Choose one of the answers listed."), field="state")
    with transaction.atomic():
        row.state, row.changed_at = state, now
        row.save(update_fields=["state", "changed_at"])
        review(row.announcement, now=now)


def review(told: Announcement, *, now: datetime) -> None:
    """Bring the one line in line that reminds the owner of who has not answered."""
    waiting = list(
        told.addressees.filter(state__in=OPEN, is_ours=True)
        .order_by("mandate__supplier__name", "pk")
        .values_list("mandate__supplier__name", flat=True)
    )
    wanted = []
    if waiting and told.withdrawn_at is None:
        more = len(waiting) - NAMED
        names = ", ".join(waiting[:NAMED])
        wanted.append(
            notices.Wish(
                kind=NoticeKind.TOLD,
                subject=told.uuid,
                household=told.household,
                what=f"{names} +{more}" if more > 0 else names,
                due_on=told.remind_on + REMINDED_AGAIN,
                lead=REMINDED_AGAIN,
            )
        )
    notices.bring_in_line(kinds=[NoticeKind.TOLD], subjects={told.uuid}, wanted=wanted, now=now)


# -- how it stands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How one supplier stands with a piece of news."""

    row: Addressee
    event: OutboundEvent | None

    @property
    def is_lost(self) -> bool:
        """Whether it did not reach them."""
        return self.event is None or self.event.state == "failed"

    @property
    def is_sent(self) -> bool:
        """Whether it has gone out."""
        return self.event is not None and self.event.state == "sent"


def progress(told: Announcement) -> list[Progress]:
    """Return everybody who was told, who needs something first, with what became of it."""
    rows = list(
        told.addressees.select_related("mandate__supplier", "answer").order_by(
            "mandate__supplier__name", "pk"
        )
    )
    events = OutboundEvent.objects.filter(uuid__in=[row.event for row in rows])
    by_name = {event.uuid: event for event in events}
    found = [Progress(row=row, event=by_name.get(row.event)) for row in rows]
    first = {AnswerState.NEEDS: 0, AnswerState.ANSWERED: 1}
    return sorted(found, key=lambda one: first.get(AnswerState(one.row.state), 2))


def counted(rows: Sequence[Progress]) -> Mapping[str, int]:
    """Return how many were told, have answered, and need something."""
    states = [AnswerState(one.row.state) for one in rows]
    return {
        "told": len(rows),
        "answered": sum(1 for state in states if state not in OPEN),
        "needs": states.count(AnswerState.NEEDS),
        "lost": sum(1 for one in rows if one.is_lost),
    }


def mine(owner: Owner) -> QuerySet[Announcement]:
    """Return what the owner's households told, with what a list shows."""
    return Announcement.objects.for_owner(owner).select_related("household", "asset")
