"""Templates of the household's own: made, copied from ours or from a thing, changed, taken away.

One that has the slug of ours stands in its place for this household; without it ours is back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import get_language, gettext_noop

from assets import care_specs, caring, snapshots, starters
from assets.models import Asset, Meter, Template
from assets.starters import STARTERS, Starter
from owners import undo
from owners.models import Change, Household, Owner

ADDED, CHANGED, REMOVED = "template.add", "template.change", "template.remove"
MOST = 60  # of one household
WORDS_MOST = 30
TASKS_MOST = 40
OF_ONE_THING = ("last_done_on", "last_done_at")  # of a task: another thing begins anew
FIELDS = frozenset({"label", "kind", "icon", "scheme", "words", "maker", "model", "place", "care"})


class TemplateError(Exception):
    """It cannot be so; `field` names what, and the text says why."""

    def __init__(self, field: str, detail: str) -> None:
        """Note which, and the reader's words."""
        super().__init__(detail)
        self.field, self.detail = field, detail


def known_to(homes: Iterable[Household]) -> dict[str, Starter]:
    """Return what these households start from: their own first, then ours in its order."""
    rows = Template.objects.filter(household__in=list(homes)).order_by("pk")
    own = {row.slug: starters.read_template(row.body) for row in rows}
    mine = {slug: each for slug, each in own.items() if slug not in STARTERS}
    return {**mine, **{slug: own.get(slug, each) for slug, each in STARTERS.items()}}


def blank() -> dict[str, Any]:
    """Return what a new template begins as."""
    return _body_of(STARTERS[starters.USUAL]) | {"label": "", "words": [], "care": {}}


def copied(starter: Starter) -> dict[str, Any]:
    """Return the values of a template that begins as another one is."""
    return _body_of(starter)


def of_asset(asset: Asset) -> dict[str, Any]:
    """Return the values of a template that begins as a thing is, with its care."""
    known = known_to([asset.household])
    starter = known.get(asset.template, STARTERS[starters.USUAL])
    meters = list(asset.meters.filter(removed_at=None).order_by("pk"))
    names = {str(meter.uuid): meter.name for meter in meters}
    tasks = asset.care_tasks.filter(removed_at=None).order_by("pk")[:TASKS_MOST]
    specs = [_of_any(caring.spec_of(task), names) for task in tasks]
    return _body_of(starter) | {
        "label": asset.name[:60],
        "kind": asset.kind,
        "maker": asset.maker,
        "model": asset.model,
        "words": [],
        "care": {
            "meters": [_meter(meter) for meter in meters],
            "tasks": [spec for spec in specs if spec["triggers"]],
        },
    }


def _of_any(spec: dict[str, Any], meters: Mapping[str, str]) -> dict[str, Any]:
    """Return a task as any thing may have it: meters by name, and nothing of that thing alone."""
    kept = {name: said for name, said in spec.items() if name not in OF_ONE_THING}
    triggers = [
        trigger | ({"meter": meters[trigger["meter"]]} if "meter" in trigger else {})
        for trigger in spec["triggers"]
        if trigger.get("mode") != "once" and trigger.get("meter", "") in {"", *meters}
    ]
    return kept | {"triggers": triggers}


def _meter(meter: Meter) -> dict[str, Any]:
    kept = {"name": meter.name, "unit": meter.unit, "kind": meter.kind}
    if meter.rolls_over_at is not None:
        kept["rolls_over_at"] = f"{meter.rolls_over_at.normalize():f}"
    return kept


def add(
    *,
    household: Household,
    values: Mapping[str, Any],
    owner: Owner,
    now: datetime,
    instead_of: str = "",
) -> tuple[Template, Change]:
    """Keep a template; `instead_of` names one of ours that it stands for. Raises TemplateError."""
    if instead_of and instead_of not in STARTERS:
        raise TemplateError("template", gettext_noop("There is no such object."))
    slug = instead_of or f"own-{uuid4().hex[:12]}"
    mine = Template.objects.filter(household=household)
    with transaction.atomic():
        Household.objects.select_for_update(no_key=True).get(pk=household.pk)
        if mine.filter(slug=slug).exists():
            raise TemplateError("label", gettext_noop("You have changed this one already."))
        if mine.count() >= MOST:
            raise TemplateError(
                "label", gettext_noop("There is no room for it now. Try again later.")
            )
        body = _checked(copied(STARTERS[slug]) if instead_of else blank(), values, slug)
        row = Template.objects.create(household=household, slug=slug, body=body, changed_at=now)
        made = {"rows": [snapshots.name(row)]}
        return row, _remember(ADDED, row, owner=owner, now=now, after=made)


def change(*, row: Template, values: Mapping[str, Any], owner: Owner, now: datetime) -> Change:
    """Change a template; what was added from it stays as it is. Raises TemplateError."""
    before = {"rows": [snapshots.of(row)]}
    body = _checked(values_of(row), values, row.slug)
    with transaction.atomic():
        row.body, row.changed_at = body, now
        row.save(update_fields=["body", "changed_at"])
        return _remember(CHANGED, row, owner=owner, now=now, before=before)


def remove(*, row: Template, owner: Owner, now: datetime) -> Change:
    """Take a template away; ours, where it stood for one, is back."""
    with transaction.atomic():
        change = _remember(REMOVED, row, owner=owner, now=now, before={"rows": [snapshots.of(row)]})
        row.delete()
        return change


def put_back(change: Change, owner: Owner, now: datetime) -> None:
    """Give a template back what it said before."""
    if change.household_id is None:
        raise undo.UndoError(gettext_noop("It is gone for good."))
    slugs = [kept["values"]["slug"] for kept in change.before.get("rows", [])]
    taken = Template.objects.filter(household=change.household_id, slug__in=slugs)
    if taken.exclude(uuid=undo.subject_of(change)).exists():
        raise undo.UndoError(gettext_noop("Another one has taken its place."))
    snapshots.put_back(change.household_id, before=change.before, after=change.after)


def values_of(row: Template) -> dict[str, Any]:
    """Return what a template says, as it is asked for."""
    return _body_of(starters.read_template(row.body))


def _body_of(starter: Starter) -> dict[str, Any]:
    return {
        "label": str(starter.label),
        "kind": starter.kind.value,
        "icon": starter.icon,
        "scheme": starter.scheme.value,
        "words": list(starter.words),
        "maker": starter.maker,
        "model": starter.model,
        "place": starter.place,
        "care": dict(starter.care),
    }


def _checked(base: Mapping[str, Any], values: Mapping[str, Any], slug: str) -> dict[str, Any]:
    """Return a template in the form of our files. Raises TemplateError."""
    said = {**base, **{name: value for name, value in values.items() if name in FIELDS}}
    label = " ".join(str(said["label"]).split())[:60]
    if not label:
        raise TemplateError("label", gettext_noop("Give it a name."))
    care = {name: rows for name, rows in dict(said["care"]).items() if rows}
    try:
        care_specs.check_plan(care)
    except care_specs.SpecError as error:
        raise TemplateError("care", error.reason) from error
    if "icon" not in values:  # the kind's own, unless it was copied with its icon
        said["icon"] = _icon(said["kind"], said["icon"], slug)
    return {
        **said,
        "slug": slug,
        "label": {"en": label, (get_language() or "en")[:2]: label},
        "words": _words(said["words"]),
        "care": care,
    }


def _icon(kind: str, icon: str, slug: str) -> str:
    """Return the icon of the first of ours of a kind, where the one it has is another kind's."""
    if slug in STARTERS or any(e.icon == icon and e.kind == kind for e in STARTERS.values()):
        return icon
    return next((each.icon for each in STARTERS.values() if each.kind == kind), icon)


def _words(words: Sequence[str]) -> list[str]:
    """Return the words by which a line of text means it: single ones, small."""
    found = [" ".join(str(word).split()).casefold()[:40] for word in words]
    return list(dict.fromkeys(word for word in found if word))[:WORDS_MOST]


def _remember(
    kind: str,
    row: Template,
    *,
    owner: Owner,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Change:
    return undo.remember(
        kind=kind,
        label=str(starters.read_template(row.body).label),
        now=now,
        owner=owner,
        household=row.household,
        subject=row.uuid,
        before=before,
        after=after,
    )
