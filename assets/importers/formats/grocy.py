"""Grocy: what its API answers for equipment, chores, their log, and batteries."""

import base64
from datetime import date

from django.utils.translation import gettext_noop

from assets import care_rules
from assets.choices import AssetKind
from assets.importers.drafts import AssetDraft, Draft, RowDrafts, ServiceDraft, TaskDraft, Whose
from assets.importers.faults import RowError
from assets.importers.files import plain
from assets.importers.rows import TO_US, Ask, Format, Row, has

SOURCE = "grocy"
NEVER = date(2999, 12, 31)
WEEKDAYS = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
UNITS = {"hourly": "day", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
OWN = "userfields."


def number(row: Row) -> str:
    """Return the row's own number."""
    return row.need("id", most=20)


def time(row: Row, name: str) -> date | None:
    """Return a day; what never comes, and a day before all, is none."""
    column, cell = row.first(name)
    if cell.startswith("2999"):
        return None
    found = row.day(name)
    if found is None or found == NEVER:
        return None
    if found.year < 1900:
        raise RowError("year", column, cell)
    return found


def words(row: Row) -> str:
    """Return the description as plain text."""
    return plain(row.prose("description"))


def read_equipment(row: Row) -> RowDrafts:
    """Return a thing; where its manual lies is noted."""
    key, name = f"equipment:{number(row)}", row.need("name")
    manual = row.text("instruction_manual_file_name", most=200)
    row.used.add("row_created_timestamp")
    where = ""
    if manual:
        packed = base64.b64encode(manual.encode()).decode()
        where = f"Manual: {manual} (in Grocy: /api/files/equipmentmanuals/{packed})"
    notes = "\n".join(filter(None, (words(row), where)))
    extras = [extra for extra in row.extras() if extra.name.startswith(OWN)]
    named = [type(extra)(name=extra.name[len(OWN) :], value=extra.value) for extra in extras]
    draft = AssetDraft(key=key, name=name, notes=notes[:8000], extras=named)
    return RowDrafts(key=key, drafts=[draft])


def read_chore(row: Row) -> RowDrafts:
    """Return something to be done again and again.

    Nothing here comes more often than daily: what does, says so in its note.
    """
    key, title = f"chore:{number(row)}", row.need("name")
    period = row.text("period_type").lower()
    every = row.whole("period_interval", most=10_000) or 1
    starts = time(row, "start_date")
    if period == "daily" and "period_days" in row.cells and not row.text("period_interval"):
        every = row.whole("period_days", most=10_000) or 1
    notes = words(row)
    config = row.text("period_config", most=200)
    rule = ""
    if period == "weekly" and config:
        days = [day.strip().lower() for day in config.split(",") if day.strip()]
        if set(days) <= WEEKDAYS:
            rule = care_rules.weekly(days, every=min(every, 120))
        else:
            notes = f"{notes}\nOn: {config}".strip()
    if period == "hourly":
        notes = f"{notes}\nIn Grocy: every {every} hours.".strip()
        every = max(1, -(-every // 24))
    is_active = row.text("active").lower() not in ("0", "false")
    draft = TaskDraft(
        whose=TO_US,
        key=key,
        title=title,
        every=every if period in UNITS else 0,
        unit=UNITS.get(period, ""),
        rule=rule,
        is_floating=period not in ("weekly", "monthly", "yearly"),
        starts_on=starts,
        notes=notes[:4000],
        is_active=is_active,
    )
    return RowDrafts(key=key, drafts=[draft])


def read_log(row: Row) -> RowDrafts | None:
    """Return that a chore was done; what was taken back there is left out."""
    if row.text("undone").lower() in ("1", "true"):
        return None
    chore, on = row.need("chore_id", most=20), time(row, "tracked_time")
    if on is None:
        raise RowError("missing", row.first("tracked_time")[0])
    said = row.text("id", most=20)
    key = f"chore_log:{said}" if said else row.key("chore_log", chore, row.first("tracked_time")[1])
    draft = ServiceDraft(
        whose=TO_US,
        on=on,
        title="",  # the task's
        task_key=f"chore:{chore}",
        is_skipped=row.text("skipped").lower() in ("1", "true"),
    )
    return RowDrafts(key=key, drafts=[draft])


def read_battery(row: Row) -> RowDrafts:
    """Return a battery with its charging, where that has a rhythm."""
    name, used_in = row.need("name"), row.text("used_in", most=200)
    said = row.text("id", most=20)
    key = f"battery:{said}" if said else row.key("battery", name)
    days = row.whole("charge_interval_days", usual=0, most=10_000)
    notes = "\n".join(filter(None, (f"Used in: {used_in}" if used_in else "", words(row))))
    drafts: list[Draft] = [
        AssetDraft(key=key, name=name, kind=AssetKind.ELECTRONICS, notes=notes[:8000])
    ]
    if days:
        drafts.append(
            TaskDraft(
                whose=Whose(key=key), key=f"{key}:charge", title="Charge", every=days, unit="day"
            )
        )
    return RowDrafts(key=key, drafts=drafts)


KINDS: tuple[Format, ...] = (
    Format(
        slug="grocy_log",
        label=gettext_noop("Grocy, log of chores"),
        source=SOURCE,
        fits=has("chore_id", "tracked_time"),
        read=read_log,
    ),
    Format(
        slug="grocy_chores",
        label=gettext_noop("Grocy, chores"),
        source=SOURCE,
        fits=has("name", "period_type"),
        read=read_chore,
        asks=frozenset({Ask.ASSET}),
    ),
    Format(
        slug="grocy_batteries",
        label=gettext_noop("Grocy, batteries"),
        source=SOURCE,
        fits=has("name", "charge_interval_days"),
        read=read_battery,
    ),
    Format(
        slug="grocy_equipment",
        label=gettext_noop("Grocy, equipment"),
        source=SOURCE,
        fits=lambda columns, section: (
            "name" in columns
            and (section == "equipment" or "instruction_manual_file_name" in columns)
        ),
        read=read_equipment,
        keeps_extras=True,
    ),
)
