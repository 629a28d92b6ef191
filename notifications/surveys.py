"""Requests for feedback: held, offered within the caps over all suppliers, never loud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from notifications.choices import SurveyState
from notifications.ledger import Ledger, Row
from notifications.merging import Matter, SurveyAsked
from notifications.models import Journey, Survey
from notifications.projections import uuid_for
from suppliers import outbox
from suppliers.choices import ContactKind

AFTER_WORK = timedelta(hours=2)
CAP_SPAN = timedelta(days=30)
SUPPLIER_SPAN = timedelta(days=90)
OPEN_SPAN = timedelta(days=14)  # an offer nobody takes expires


def settle(ledger: Ledger, matters: Mapping[str, Matter]) -> dict[str, dict[str, Any]]:
    """Decide about every request of these journeys; return the offers by journey.

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
    for uuid, matter in asked.items():
        is_open = any(survey.state == SurveyState.OFFERED for survey in rows[uuid].values())
        for request in matter.surveys:
            contact = contacts[request.contact]
            survey = rows[uuid].get(contact) or _new(ledger, uuid, request, contact)
            _decide(ledger, matter, request, survey, recent=recent, is_open=is_open)
            if survey.state == SurveyState.OFFERED:
                is_open = True
                offers[uuid] = {"id": str(survey.uuid), "state": survey.state}
                if all(seen.contact_id != contact for seen in recent):
                    recent.append(survey)
            if survey.held_reason:
                matter.verdicts[request.contact].reason = survey.held_reason
                _tell_supplier(ledger, survey, contact=request.contact)
            saved.append(survey)
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
    for survey in saved:
        _wake_at_its_end(survey)
    return offers


def _wake_at_its_end(survey: Survey) -> None:
    """Have the journey looked at when its offer expires; nothing may come before that."""
    if survey.state != SurveyState.OFFERED or survey.offered_at is None:
        return
    if survey.journey_id is None:
        return
    ends = survey.closes_at or survey.offered_at + OPEN_SPAN
    later = Q(next_at=None) | Q(next_at__gt=ends)
    Journey.objects.filter(later, pk=survey.journey_id).update(next_at=ends)


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
    for row in held:
        survey = row.entry.said.survey
        _defer(
            ledger,
            household=row.household,
            supplier=row.entry.supplier,
            contact=row.entry.id,
            survey_id=survey.survey_id if survey else "",
            reason="owner_cap",
        )
    return {row.id for row in held}


def _tell_supplier(ledger: Ledger, survey: Survey, *, contact: str) -> None:
    """Say once that the owner's cap, or another open survey, holds the request."""
    if survey.held_reason not in ("owner_cap", "one_open") or survey.supplier_id is None:
        return
    if survey.told_supplier == survey.held_reason:
        return
    if _defer(
        ledger,
        household=survey.household_id,
        supplier=survey.supplier_id,
        contact=contact,
        survey_id=survey.survey_id,
        reason=survey.held_reason,
    ):
        survey.told_supplier = survey.held_reason


def _defer(
    ledger: Ledger, *, household: int, supplier: int, contact: str, survey_id: str, reason: str
) -> bool:
    """Send the deferral of one request, for one reason once; false without a mandate.

    Its name follows from the request and the reason, so saying it again is no new event.
    """
    mandate = ledger.live_mandate(supplier, household)
    if mandate is None:
        return False
    outbox.send(
        mandate=mandate,
        type="owner.survey.deferred",
        data={
            "surveyId": survey_id,
            "reason": reason,
            "until": (ledger.now + CAP_SPAN).isoformat(),
        },
        now=ledger.now,
        name=uuid_for(contact, "deferred", reason),
    )
    return True
