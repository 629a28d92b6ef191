"""Rows as they were, kept in a change so that it can be undone."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from assets.models import (
    Acquisition,
    Asset,
    Claim,
    Contract,
    CostEntry,
    Coverage,
    Fee,
    Issue,
    Loan,
    Loss,
    PriceLine,
    RecallMatch,
    ServiceRecord,
    Template,
    Valuation,
    ValuePlan,
    WorkOrder,
)

KINDS: dict[str, type[models.Model]] = {
    model._meta.model_name or "": model  # noqa: SLF001 - Django's own name
    for model in (
        Acquisition,
        Asset,
        Claim,
        Contract,
        CostEntry,
        Coverage,
        Fee,
        Issue,
        Loan,
        Loss,
        PriceLine,
        RecallMatch,
        ServiceRecord,
        Valuation,
        ValuePlan,
        WorkOrder,
        Template,
    )
}


def of(row: models.Model, *, fields: Iterable[str] = ()) -> dict[str, Any]:
    """Return a row as JSON, or only these fields of it."""
    wanted = set(fields)
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields  # noqa: SLF001 - Django's own name
        if not wanted or field.name in wanted
    }
    kept: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return {"model": row._meta.model_name, "pk": row.pk, "values": kept}  # noqa: SLF001 - as above


def name(row: models.Model) -> dict[str, Any]:
    """Return what names a row that was made, so that it can be taken back."""
    return {"model": row._meta.model_name, "pk": row.pk}  # noqa: SLF001 - Django's own name


def put_back(household_id: int, *, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Delete the rows that a change made, and give those it changed or deleted their values."""
    for made in after.get("rows", []):
        model = KINDS[made["model"]]
        model._default_manager.filter(household=household_id, pk=made["pk"]).delete()  # noqa: SLF001 - Django's own name
    for kept in before.get("rows", []):
        model = KINDS[kept["model"]]
        found = model._default_manager.filter(household=household_id, pk=kept["pk"]).first()  # noqa: SLF001 - as above
        row = found or model(pk=kept["pk"])
        for field in model._meta.concrete_fields:  # noqa: SLF001 - as above
            if field.attname in kept["values"]:
                value = kept["values"][field.attname]
                column = field.target_field if isinstance(field, models.ForeignKey) else field
                setattr(row, field.attname, column.to_python(value))
        row.save(force_insert=found is None)
