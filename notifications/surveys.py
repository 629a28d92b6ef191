"""Requests for feedback: held, offered within the caps over all suppliers, never loud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from notifications.choices import SurveyState
from notifications.ledger import Ledger, Row
from notifications.merging import Matter, SurveyAsked
from notifications.models import Survey
from notifications.projections import uuid_for
from owners import bulk
from suppliers import outbox
from suppliers.choices import ContactKind, MandateState
from suppliers.models import Mandate

AFTER_WORK = timedelta(hours=2)
CAP_SPAN = timedelta(days=30)
SUPPLIER_SPAN = timedelta(days=90)
OPEN_SPAN = timedelta(days=14)  # an offer nobody takes expires
_WAKE = """
    UPDATE notifications_journey j SET next_at = d.next_at
    FROM json_to_recordset(%s::json) AS d(id bigint, next_at timestamptz)
    WHERE j.id = d.id AND (j.next_at IS NULL OR j.next_at > d.next_at)
"""


def settle(ledger: Ledger, matters: Mapping[str, Matter]) -> dict[str, dict[str, Any]]:
    """Decide about every request of these journeys; return the offers by journey.

    A number of reads and writes that does not grow with the requests.

    The reason of a held request is written into its contact's verdict, and a supplier
    over the cap, or second on a journey, is told at once so that it stops asking.
    """
    asked = {uuid: matter for uuid, matter in matters.items() if matter.surveys}
    if not asked:
        return {}
    journeys = {ledger.journeys[uuid].pk: uuid for uuid in asked}
    households = {ledger.journeys[uuid].household_id for uuid in asked}
    contacts = {row.entry.id: row.id for uuid in asked for row in ledger.rows[uuid]}
    rows: dict[str, dict[int, Survey]] = {uuid: {} for uuid in asked}
    for survey in Survey.objects.filter(contact__in=contacts.values()):
        if survey.journey_id in journeys:
            rows[journeys[survey.journey_id]][survey.contact_id] = survey
    recent = _recent(ledger, households)
    offers: dict[str, dict[str, Any]] = {}
    saved: list[Survey] = []
    held: list[tuple[Survey, _Deferral]] = []
    for uuid, matter in asked.items():
        is_open = any(survey.state == SurveyState.OFFERED for survey in rows[uuid].values())
        for request in matter.surveys:
            contact = contacts[request.contact]
            survey = (
                rows[uuid].get(contact)
                or _asked_before(rows[uuid].values(), request)
                or _new(ledger, uuid, request, contact)
            )
            _decide(ledger, matter, request, survey, recent=recent, is_open=is_open)
            if survey.state == SurveyState.OFFERED:
                is_open = True
                offers[uuid] = {"id": str(survey.uuid), "state": survey.state}
                if all(seen.contact_id != contact for seen in recent):
                    recent.append(survey)
            if survey.held_reason:
                matter.verdicts[request.contact].reason = survey.held_reason
                if _is_to_be_told(survey):
                    held.append((survey, _deferral(survey, contact=request.contact)))
            saved.append(survey)
    told = _defer(ledger, [deferral for _survey, deferral in held])
    for survey, deferral in held:
        if deferral in told:
            survey.told_supplier = survey.held_reason
    Survey.objects.bulk_create(
        saved,
        update_conflicts=True,
        unique_fields=["contact"],
        update_fields=[
            "journey",
            "state",
            "held_reason",
            "offered_at",
            "answered_at",
            "score",
            "told_supplier",
        ],
    )
    _wake_at_their_ends(saved)
    return offers


def _wake_at_their_ends(surveys: Iterable[Survey]) -> None:
    """Have journeys looked at when their offers expire; nothing may come before that."""
    ends: dict[int, datetime] = {}
    for survey in surveys:
        if survey.state != SurveyState.OFFERED or survey.offered_at is None:
            continue
        if survey.journey_id is not None:
            end = survey.closes_at or survey.offered_at + OPEN_SPAN
            ends[survey.journey_id] = min(end, ends.get(survey.journey_id, end))
    if ends:
        rows = [{"id": pk, "next_at": end} for pk, end in sorted(ends.items())]
        bulk.write(_WAKE, [bulk.dumps(rows)])


def _asked_before(rows: Iterable[Survey], request: SurveyAsked) -> Survey | None:
    """Return the row of a survey whose later request came first."""
    name, supplier = request.claim.survey_id[:255], request.supplier or None
    return next((r for r in rows if (r.survey_id, r.supplier_id) == (name, supplier)), None)


def _new(ledger: Ledger, uuid: str, request: SurveyAsked, contact: int) -> Survey:
    journey = ledger.journeys[uuid]
    claim = request.claim
    return Survey(
        uuid=uuid_for(request.contact, "survey"),
        household_id=journey.household_id,
        journey=journey,
        supplier_id=request.supplier or None,
        contact_id=contact,
        survey_id=claim.survey_id[:255],
        url=claim.url[:2000],
        questions=list(claim.questions),
        requested_at=request.requested_at,
        closes_at=claim.closes_at,
    )


def _decide(
    ledger: Ledger,
    matter: Matter,
    request: SurveyAsked,
    survey: Survey,
    *,
    recent: list[Survey],
    is_open: bool,
) -> None:
    now = ledger.now
    survey.journey = ledger.journeys[str(survey.journey.uuid)] if survey.journey else None
    if matter.score is not None and survey.state in (SurveyState.OFFERED, SurveyState.HELD):
        survey.state, survey.held_reason = SurveyState.ANSWERED, ""
        survey.score, survey.answered_at = matter.score, matter.scored_at
        return
    if survey.state == SurveyState.OFFERED and survey.offered_at is not None:
        closes = survey.closes_at or survey.offered_at + OPEN_SPAN
        if request.is_closed or now >= closes:
            survey.state = SurveyState.EXPIRED
        return
    if survey.state != SurveyState.HELD:
        return
    if request.is_closed or (survey.closes_at is not None and now >= survey.closes_at):
        survey.state = SurveyState.EXPIRED
        return
    if is_open:
        survey.held_reason = "one_open"
    elif _is_over_cap(
        ledger, recent, household=survey.household_id, supplier=survey.supplier_id or 0
    ):
        survey.held_reason = "owner_cap"
    elif matter.done_at is None and matter.closed_at is None:
        survey.held_reason = "not_done"
    elif _worked_until(matter) + AFTER_WORK > now:
        survey.held_reason = "too_early"
    else:
        survey.state, survey.held_reason, survey.offered_at = SurveyState.OFFERED, "", now


def _worked_until(matter: Matter) -> datetime:
    ends = [end for end in (matter.done_at, matter.closed_at) if end is not None]
    return min(ends)


def _recent(ledger: Ledger, households: Iterable[int]) -> list[Survey]:
    """Return what was offered lately, over all suppliers."""
    return list(
        Survey.objects.filter(
            household__in=households, offered_at__gt=ledger.now - SUPPLIER_SPAN
        ).only("household_id", "supplier_id", "offered_at", "contact_id")
    )


def _is_over_cap(ledger: Ledger, recent: list[Survey], *, household: int, supplier: int) -> bool:
    """Whether the owner's cap lets no further request of this supplier through now."""
    mine = [past for past in recent if past.household_id == household]
    since = ledger.now - CAP_SPAN
    in_cap = [past for past in mine if past.offered_at is not None and past.offered_at > since]
    same = supplier and any(past.supplier_id == supplier for past in mine)
    return bool(same) or len(in_cap) >= ledger.households[household].survey_cap


def defer_unplaced(ledger: Ledger, rows: Iterable[Row]) -> set[int]:
    """Tell the suppliers of requests on no journey that the cap holds them; each once.

    Returns the contacts (by key) that the cap holds; the others wait for their journey.
    """
    asked = [
        row
        for row in rows
        if row.entry.said.kind == ContactKind.SURVEY_REQUEST and row.entry.supplier
    ]
    if not asked:
        return set()
    recent = _recent(ledger, {row.household for row in asked})
    held = [
        row
        for row in asked
        if _is_over_cap(ledger, recent, household=row.household, supplier=row.entry.supplier)
    ]
    deferrals = []
    for row in held:
        survey = row.entry.said.survey
        deferrals.append(
            _Deferral(
                household=row.household,
                supplier=row.entry.supplier,
                contact=row.entry.id,
                survey_id=survey.survey_id if survey else "",
                reason="owner_cap",
            )
        )
    _defer(ledger, deferrals)
    return {row.id for row in held}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deferral:
    """What a supplier is told of a request that is held, so that it stops asking."""

    household: int
    supplier: int
    contact: str
    survey_id: str
    reason: str


def _is_to_be_told(survey: Survey) -> bool:
    """Whether the owner's cap, or another open survey, holds it and nobody has said so."""
    if survey.held_reason not in ("owner_cap", "one_open") or survey.supplier_id is None:
        return False
    return survey.told_supplier != survey.held_reason


def _deferral(survey: Survey, *, contact: str) -> _Deferral:
    return _Deferral(
        household=survey.household_id,
        supplier=survey.supplier_id or 0,
        contact=contact,
        survey_id=survey.survey_id,
        reason=survey.held_reason,
    )


def _defer(ledger: Ledger, deferrals: Sequence[_Deferral]) -> set[_Deferral]:
    """Tell the suppliers that have a mandate, each of one request and reason once.

    Returns what was told. An event's name follows from the request and the reason, so
    saying it again is no new event.
    """
    if not deferrals:
        return set()
    live = Mandate.objects.filter(
        state=MandateState.ACTIVE,
        household__in={one.household for one in deferrals},
        supplier__in={one.supplier for one in deferrals},
    ).select_related("supplier")
    mandates = {(mandate.household_id, mandate.supplier_id): mandate for mandate in live}
    told = [one for one in deferrals if (one.household, one.supplier) in mandates]
    until = (ledger.now + CAP_SPAN).isoformat()
    outbox.send_all(
        [
            outbox.Message(
                mandate=mandates[one.household, one.supplier],
                type="owner.survey.deferred",
                data={"surveyId": one.survey_id, "reason": one.reason, "until": until},
                name=uuid_for(one.contact, "deferred", one.reason),
            )
            for one in told
        ],
        now=ledger.now,
    )
    return set(told)
