"""Which journey a contact belongs to: by evidence, in a fixed order, or not at all.

Pure. Each step needs exactly one candidate; likeness of text never counts, nor does the
calendar day. Journeys are compared as they were when the contact was *said*, so late
arrivals find their place.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from notifications.merging import Entry, window_key
from owners.choices import Trust
from suppliers.admission import BLOCKED, PAUSED
from suppliers.choices import ContactKind, Direction, Medium, Outcome, Stage
from suppliers.contacts import Window

# The one matter of a known sender stays the same matter this long after its last contact.
MATTER_SPAN = timedelta(days=30)
BEFORE_VISIT, AFTER_VISIT = timedelta(hours=24), timedelta(hours=4)
CALLER_SPAN = timedelta(hours=24)
# A matter of more contacts is a machine's chatter, and each new one would cost reading all:
# what comes after begins the next matter. So a flood harms nobody but its sender.
FULL = 1_000
# Two different values of one of these, of one issuer, are two matters.
MEANT = "meant"  # instead of a refusal: the owner says that it was meant for them
EXCLUSIVE = frozenset({"order", "ticket", "contract", "claim", "quote", "invoice", "entity"})
# Found again by these alone; a message id only names the message itself.
WEAK_SCHEMES = frozenset({"message", "caller"})
NEVER_LINKED = frozenset(
    {
        *("authentication_failed", "foreign_payment_link", "forwarding_confirmation"),
        *("leaked_alias", "unproved_sender"),
    }
)
OVER = frozenset({Stage.CANCELLED, Stage.DONE, Stage.MISSED})
BILLS = ("invoice.", "payment.")


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A journey as linking sees it. It grows while a batch is linked."""

    id: str
    asset: str = ""
    suppliers: set[int] = field(default_factory=set)
    keys: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    # start, end, supplier, and since when it is over (None while it is not)
    visits: list[tuple[datetime, datetime, int, datetime | None]] = field(default_factory=list)
    callers: dict[str, list[datetime]] = field(default_factory=dict)
    opened_at: datetime
    last_said_at: datetime
    done_at: datetime | None = None
    closed_at: datetime | None = None
    size: int = 0  # its contacts

    def take(self, entry: Entry) -> None:
        """Note what `entry` adds to the evidence."""
        said = entry.said
        self.size += 1
        if entry.supplier:
            self.suppliers.add(entry.supplier)
        self.asset = self.asset or entry.asset
        for key in said.keys:
            self.keys.setdefault((key.scheme, key.value), set()).add(entry.supplier)
        over = said.visit is not None and said.visit.stage in OVER
        over_at = said.said_at if over else None
        if over:
            self.visits = [
                (start, end, supplier, over_at if past is None else past)
                if supplier == entry.supplier
                else (start, end, supplier, past)
                for start, end, supplier, past in self.visits
            ]
        if said.visit is not None and said.visit.window is not None:
            window = said.visit.window
            self.visits.append((window.start, window.end, entry.supplier, over_at))
        if said.visit is not None and said.visit.stage == Stage.DONE:
            self.done_at = self.done_at or said.visit.at or said.said_at
        if said.sender and said.call is not None:
            self.callers.setdefault(said.sender, []).append(said.said_at)
        self.opened_at = min(self.opened_at, said.said_at)
        self.last_said_at = max(self.last_said_at, said.said_at)

    @property
    def is_full(self) -> bool:
        """Whether it takes no more contacts."""
        return self.size >= FULL

    def is_open_at(self, at: datetime) -> bool:
        """Whether the matter was open then."""
        return self.closed_at is None or at < self.closed_at

    def is_done_near(self, at: datetime) -> bool:
        """Whether its work was done within the 30 days before `at`."""
        ends = [end for end in (self.done_at, self.closed_at) if end is not None]
        return any(timedelta(0) <= at - end <= MATTER_SPAN for end in ends)

    def is_near(self, at: datetime) -> bool:
        """Whether `at` lies in the matter's time."""
        if self.opened_at - MATTER_SPAN <= at <= self.last_said_at + MATTER_SPAN:
            return True
        return any(
            start - MATTER_SPAN <= at <= end + MATTER_SPAN for start, end, _, _ in self.visits
        )

    def fits_asset(self, entry: Entry) -> bool:
        """Whether nothing speaks against the asset."""
        if entry.asset and self.asset:
            return entry.asset == self.asset
        if self.asset and entry.covers:
            return self.asset in entry.covers
        return True

    def clashes(self, entry: Entry) -> bool:
        """Whether an identifier of the entry names another matter of the same issuer."""
        for key in entry.said.keys:
            if key.scheme not in EXCLUSIVE or (key.scheme, key.value) in self.keys:
                continue
            for (scheme, _), issuers in self.keys.items():
                if scheme == key.scheme and entry.supplier in issuers:
                    return True
        visit = entry.said.visit
        if visit is not None and visit.uid and ("uid", visit.uid) not in self.keys:
            return visit.window is not None and self._expects_another(entry, visit.window)
        return False

    def _expects_another(self, entry: Entry, window: Window) -> bool:
        """Whether a named visit of the supplier, at another time, is still to come.

        One that is over names no other matter: the next visit has its own UID.
        """
        said_at = entry.said.said_at
        is_named = any(
            scheme == "uid" and entry.supplier in issuers
            for (scheme, _), issuers in self.keys.items()
        )
        to_come = [
            (start, end)
            for start, end, supplier, over_at in self.visits
            if supplier in (entry.supplier, 0) and (over_at is None or said_at < over_at)
        ]
        return is_named and bool(to_come) and (window.start, window.end) not in to_come


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a contact goes, with the rule and the evidence.

    `journey` is an existing journey, or empty. `outcome` is set when no journey is
    wanted (door, held, refused, duplicate); otherwise an empty `journey` founds one.
    """

    journey: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    rule: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    is_likely: bool = False
    possibly: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()  # other journeys that turn out to be the same matter


OUR_OWN = "steward."  # the types of what the asset itself says


def place(
    entry: Entry,
    candidates: Sequence[Candidate],
    *,
    banned: Set[str] = frozenset(),
) -> Placement:
    """Return where `entry` belongs.

    `banned` are journeys from which the owner took this contact.
    """
    known = [candidate for candidate in candidates if candidate.id not in banned]
    refused = _refused(entry)
    if refused is not None:
        return refused
    written = _by_pass(entry, known)
    if written is not None:
        return written
    if entry.is_own and entry.said.matter:
        # What the owner opens is a matter of its own, whatever else runs with this supplier.
        return Placement(rule="new_matter", evidence={"sender": entry.said.sender})
    repeated = _by_message(entry, known)
    if repeated is not None:
        return repeated
    if entry.said.type.startswith(OUR_OWN):
        # Steward has many matters at a time: each call names its own, and none is guessed.
        own = replace(entry, said=entry.said.with_(keys=entry.said.keys[:1], quoted=()))
        named = _by_key(own, known)
        return named or Placement(rule="new_matter", evidence={"sender": "steward"})
    open_to = [candidate for candidate in known if not candidate.is_full]
    for step in (_by_key, _by_window, _by_known_sender, _by_caller):
        found = step(entry, open_to)
        if found is not None:
            return found
    related = _related(entry, known)
    if entry.said.survey is not None:
        return Placement(
            outcome=Outcome.HELD,
            reason="which_experience" if related else "no_experience",
            rule="surveys_never_interrupt",
            evidence={"candidates": list(related)},
            possibly=related,
        )
    if entry.supplier == 0 and not entry.is_own:
        return Placement(
            outcome=Outcome.DOOR,
            reason=entry.suspicion or "unknown_sender",
            rule="unknown_senders_wait",
            evidence={"sender": entry.said.sender},
            possibly=related,
        )
    return Placement(rule="new_matter", evidence={"sender": entry.said.sender}, possibly=related)


def _refused(entry: Entry) -> Placement | None:
    said = entry.said
    is_meant = entry.refusal == MEANT
    if entry.refusal == "automatic_reply":
        return Placement(
            outcome=Outcome.HELD,
            reason=entry.refusal,
            rule="machines_stay_quiet",
            evidence={"sender": said.sender},
        )
    if entry.refusal == BLOCKED:
        return Placement(
            outcome=Outcome.HELD,
            reason=entry.refusal,
            rule="owner_decided",
            evidence={"sender": said.sender},
        )
    if entry.refusal in ("purpose_not_granted", PAUSED):
        return Placement(
            outcome=Outcome.HELD,
            reason=entry.refusal,
            rule="purpose_not_granted",
            evidence={"purpose": said.purpose or "", "signs": list(said.advert_signs)},
        )
    if entry.refusal and not is_meant:
        return Placement(
            outcome=Outcome.REFUSED,
            reason=entry.refusal,
            rule="mandate",
            evidence={"type": said.type},
        )
    # An advert of a supplier with a mandate comes so far only with the purpose granted.
    if said.kind == ContactKind.ADVERT and entry.supplier == 0 and not is_meant:
        return Placement(
            outcome=Outcome.HELD,
            reason="advert",
            rule="purpose_not_granted",
            evidence={"signs": list(said.advert_signs)},
        )
    if entry.suspicion in NEVER_LINKED:
        return Placement(
            outcome=Outcome.DOOR,
            reason=entry.suspicion,
            rule="cannot_be_believed",
            evidence={
                "sender": said.sender,
                "payment_domains": list(said.payment_domains),
                "authentication": said.authentication,
            },
        )
    return None


def _by_pass(entry: Entry, candidates: Iterable[Candidate]) -> Placement | None:
    """What was written on a pass belongs to the matter that the pass is about."""
    named = entry.said.matter
    if not named or all(candidate.id != named for candidate in candidates):
        return None
    return Placement(journey=named, rule="on_a_pass", evidence={"who": entry.said.who})


def _by_message(entry: Entry, candidates: Iterable[Candidate]) -> Placement | None:
    """Return a duplicate when this very message is there already."""
    for key in entry.said.keys:
        if key.scheme != "message":
            continue
        for candidate in candidates:
            if entry.supplier in candidate.keys.get(("message", key.value), ()):
                return Placement(
                    journey=candidate.id,
                    outcome=Outcome.DUPLICATE,
                    reason="same_message",
                    rule="same_message",
                    evidence={"message": key.value},
                )
    return None


def _by_key(entry: Entry, candidates: Sequence[Candidate]) -> Placement | None:
    if entry.supplier == 0 and not entry.is_own:
        return None
    own: dict[str, tuple[str, str]] = {}
    quoted: dict[str, tuple[str, str]] = {}
    keys = [(key.scheme, key.value) for key in entry.said.keys if key.scheme not in WEAK_SCHEMES]
    for candidate in candidates:
        for key in keys:
            # A reply names the message it answers; the thread and the message are one key.
            issuers = candidate.keys.get(key) or (
                candidate.keys.get(("message", key[1])) if key[0] == "thread" else None
            )
            if issuers is None:
                continue
            if entry.supplier in issuers or entry.is_own:
                own.setdefault(candidate.id, key)
            elif _is_quoted(entry, candidate):
                quoted.setdefault(candidate.id, key)
        for token in entry.said.quoted:
            for scheme, value in candidate.keys:
                if value != token or scheme in WEAK_SCHEMES:
                    continue
                issuers = candidate.keys[scheme, value]
                if entry.supplier in issuers or entry.is_own:
                    own.setdefault(candidate.id, (scheme, value))
                elif _is_quoted(entry, candidate):
                    quoted.setdefault(candidate.id, (scheme, value))
    for found, rule in ((own, "strong_key"), (quoted, "quoted_key")):
        if not found:
            continue
        ordered = [candidate for candidate in candidates if candidate.id in found]
        ordered.sort(key=lambda candidate: (candidate.opened_at, candidate.id))
        first, rest = ordered[0], ordered[1:]
        if rest and not _are_one(first, rest, entry):
            return None
        scheme, value = found[first.id]
        return Placement(
            journey=first.id,
            rule=rule,
            evidence={"scheme": scheme, "value": value},
            merges=tuple(candidate.id for candidate in rest),
        )
    return None


def _is_quoted(entry: Entry, candidate: Candidate) -> bool:
    """Whether somebody else may speak of a matter: of an asset that its mandate covers."""
    may_know = bool(candidate.asset) and candidate.asset in entry.covers
    return may_know and candidate.fits_asset(entry)


def _are_one(first: Candidate, rest: Sequence[Candidate], entry: Entry) -> bool:
    """Whether journeys named by one contact of their supplier are the same matter."""
    return all(
        (not other.asset or not first.asset or other.asset == first.asset)
        and entry.supplier in other.suppliers
        and entry.supplier in first.suppliers
        for other in rest
    )


def _by_window(entry: Entry, candidates: Sequence[Candidate]) -> Placement | None:
    visit = entry.said.visit
    if visit is None or visit.window is None or entry.supplier == 0:
        return None
    found = [
        candidate
        for candidate in candidates
        if candidate.fits_asset(entry)
        and any(
            start == visit.window.start
            and end == visit.window.end
            and supplier in (entry.supplier, 0)
            for start, end, supplier, _ in candidate.visits
        )
    ]
    if len(found) != 1:
        return None
    return Placement(
        journey=found[0].id,
        rule="same_visit",
        evidence={"window": window_key(visit.window)},
    )


def _by_known_sender(entry: Entry, candidates: Sequence[Candidate]) -> Placement | None:
    """The one matter of a known sender that fits in asset, stage and time."""
    if entry.supplier == 0:
        return None
    said = entry.said
    is_survey = said.survey is not None or said.kind == ContactKind.SURVEY_CLOSED
    is_bill = said.type.startswith(BILLS)
    found = []
    for candidate in candidates:
        if entry.supplier not in candidate.suppliers or not candidate.fits_asset(entry):
            continue
        if candidate.clashes(entry) or not candidate.is_near(said.said_at):
            continue
        if candidate.is_done_near(said.said_at) and _announces_parcel(entry):
            continue  # the owner is asked how the work went, not kept waiting for a parcel
        if candidate.is_open_at(said.said_at) or (
            (is_survey or is_bill) and candidate.is_done_near(said.said_at)
        ):
            found.append(candidate)
    if is_survey and len(found) > 1:
        done = [candidate for candidate in found if candidate.is_done_near(said.said_at)]
        found = done if len(done) == 1 else found
    if len(found) != 1:
        return None
    return Placement(
        journey=found[0].id,
        rule="known_sender",
        evidence={"sender": said.sender, "asset": found[0].asset},
    )


def _announces_parcel(entry: Entry) -> bool:
    """Whether it says when something will be delivered; what was delivered says no more."""
    visit = entry.said.visit
    return visit is not None and visit.kind == "delivery" and visit.window is not None


def _by_caller(entry: Entry, candidates: Sequence[Candidate]) -> Placement | None:
    """An unknown number that speaks of a visit in one open window, and again for a day."""
    said = entry.said
    if entry.supplier or entry.is_own or said.direction != Direction.IN:
        return None
    if said.medium not in (Medium.CALL, Medium.VOICEMAIL, Medium.SMS) or not said.sender:
        return None
    again = [
        candidate
        for candidate in candidates
        if any(
            abs(said.said_at - at) <= CALLER_SPAN for at in candidate.callers.get(said.sender, ())
        )
    ]
    if len(again) == 1:
        return Placement(
            journey=again[0].id,
            rule="same_number",
            evidence={"number": said.sender},
            is_likely=True,
        )
    if not (said.is_arriving or said.visit is not None or said.eta is not None):
        return None
    inside = []
    for candidate in candidates:
        for start, end, _, over_at in candidate.visits:
            if is_inside(said.said_at, start, end, over_at) and _speaks_of(entry, start, end):
                inside.append((candidate, start, end))
                break
    if len(inside) != 1:
        return None
    candidate, start, end = inside[0]
    return Placement(
        journey=candidate.id,
        rule="open_visit_window",
        evidence={"number": said.sender, "from": start.isoformat(), "until": end.isoformat()},
        is_likely=True,
    )


def _speaks_of(entry: Entry, start: datetime, end: datetime) -> bool:
    """Whether the time that a caller names, if any, is around this visit."""
    said = entry.said
    named = said.eta or (said.visit.window if said.visit is not None else None)
    if named is None:
        return True
    return start - BEFORE_VISIT <= named.end and named.start <= end + AFTER_VISIT


def _related(entry: Entry, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Journeys it may belong to, for the owner to say."""
    said = entry.said
    found = [
        candidate.id
        for candidate in candidates
        if candidate.fits_asset(entry)
        and candidate.is_near(said.said_at)
        and (
            (entry.supplier and entry.supplier in candidate.suppliers)
            or (
                not entry.supplier
                and any(
                    is_inside(said.said_at, start, end, over_at)
                    for start, end, _, over_at in candidate.visits
                )
            )
        )
    ]
    return tuple(found[:5])


def is_inside(at: datetime, start: datetime, end: datetime, over_at: datetime | None) -> bool:
    """Whether `at` lies around an open visit: 24 h before its start to 4 h after its end."""
    if over_at is not None and at >= over_at:
        return False
    return start - BEFORE_VISIT <= at <= end + AFTER_VISIT


def may_still_link(entry: Entry) -> bool:
    """Whether a contact without a journey is looked at again when more is known."""
    return entry.suspicion not in NEVER_LINKED and entry.trust <= Trust.SIGNED
