"""The words of care: what is to be done, what was done, and what is counted (EN 13306)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Combinator(TextChoices):
    """How several triggers of one task go together."""

    ANY = "any", _("Whichever comes first")
    ALL = "all", _("When all have come")


class CareState(TextChoices):
    """Whether the owner wants a task to be watched."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")


class CareStatus(TextChoices):
    """How a task stands today, from least to most pressing where it stands in the row of four."""

    OK = "ok", _("Not yet")
    DUE_SOON = "due_soon", _("Due soon")
    DUE = "due", _("Due")
    OVERDUE = "overdue", _("Overdue")
    UNKNOWN = "unknown", _("Last time unknown")
    PAUSED = "paused", _("Paused")


class MarkKind(TextChoices):
    """What the owner decided about one occurrence of a task instead of doing it."""

    SKIP = "skip", _("Skipped")
    SNOOZE = "snooze", _("Put off")
    RESCHEDULE = "reschedule", _("Moved")


class WorkKind(TextChoices):
    """What kind of work was done."""

    SERVICE = "service", _("Service")
    REPAIR = "repair", _("Repair")
    UPGRADE = "upgrade", _("Upgrade")
    INSPECTION = "inspection", _("Inspection")
    CLEANING = "cleaning", _("Cleaning")
    FUEL = "fuel", _("Fuel")
    OTHER = "other", _("Other work")


class Finding(TextChoices):
    """What an inspection says of one of its points."""

    PASS = "pass", _("Good")
    ADVISE = "advise", _("Watch")
    FAIL = "fail", _("Fails")


class Severity(TextChoices):
    """How bad a fault is."""

    LOW = "low", _("Small")
    NORMAL = "normal", _("Normal")
    CRITICAL = "critical", _("Critical")


class IssueStatus(TextChoices):
    """The life of a fault."""

    OPEN = "open", _("Open")
    DIAGNOSED = "diagnosed", _("Diagnosed")
    IN_PROGRESS = "in_progress", _("Being repaired")
    RESOLVED = "resolved", _("Solved")
    ACCEPTED = "accepted", _("Left as it is")


class MeterKind(TextChoices):
    """How the values of a meter go."""

    CUMULATIVE = "cumulative", _("Counts up")
    GAUGE = "gauge", _("Goes up and down")
    CYCLE = "cycle", _("Counts uses")


class SwapKind(TextChoices):
    """Why a meter shows less than before."""

    REPLACED = "replaced", _("The meter was replaced")
    ROLLED_OVER = "rolled_over", _("It went past its last digit")
