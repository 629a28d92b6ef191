"""The matters about a fault or a claim, for pages that must not know journeys themselves."""

from typing import Any

from django import template

from assets.models import Claim, Issue, RecallMatch
from notifications import ties

register = template.Library()


@register.simple_tag(takes_context=True)
def matters_of_fault(context: template.Context, issue: Issue) -> Any:
    """Return the owner's journeys about a fault."""
    return ties.of_fault(issue, context["request"].user)[: ties.SHOWN]


@register.simple_tag(takes_context=True)
def matters_to_tie(context: template.Context, issue: Issue) -> Any:
    """Return the owner's journeys about the same asset that are not tied to the fault yet."""
    return ties.to_tie(issue, context["request"].user)[: ties.SHOWN]


@register.simple_tag
def matters_of_recall(row: RecallMatch) -> Any:
    """Return the journeys about a recall."""
    return ties.of_recall(row)[: ties.SHOWN]


@register.simple_tag(takes_context=True)
def matters_of_claim(context: template.Context, claim: Claim) -> Any:
    """Return the owner's journeys about a claim."""
    return ties.of_claim(claim, context["request"].user)
