"""The words of an import as it goes along."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ImportState(TextChoices):
    """How far an import is."""

    READING = "reading", _("Reading the file")
    ASKING = "asking", _("Waiting for your answers")
    CHECKING = "checking", _("Checking every row")
    READY = "ready", _("Ready to be brought in")
    RUNNING = "running", _("Bringing it in")
    DONE = "done", _("Brought in")
    CANCELLING = "cancelling", _("Taking back what was made")
    CANCELLED = "cancelled", _("Cancelled")
    UNDOING = "undoing", _("Taking it back")
    UNDONE = "undone", _("Taken back")
    FAILED = "failed", _("Not readable")


# Work of ours waits in these; in the others the owner is awaited, or nobody.
WORKING = (
    ImportState.READING,
    ImportState.CHECKING,
    ImportState.RUNNING,
    ImportState.CANCELLING,
    ImportState.UNDOING,
)
OVER = (ImportState.DONE, ImportState.CANCELLED, ImportState.UNDONE, ImportState.FAILED)


class RowState(TextChoices):
    """What became of one row."""

    WAITING = "waiting", _("Waiting")
    MADE = "made", _("Brought in")
    KNOWN = "known", _("Already here")
    EMPTY = "empty", _("Nothing to keep")
    BAD = "bad", _("Left out")


class MadeKind(TextChoices):
    """What sort of row an import made."""

    ASSET = "asset", _("Asset")
    COVERAGE = "coverage", _("Guarantee or insurance")
    COST = "cost", _("Cost")
    SERVICE = "service", _("Work")
    READING = "reading", _("Meter reading")
    METER = "meter", _("Meter")
    TASK = "task", _("Care task")
    MARK = "mark", _("Skipped task")
    PART = "part", _("Part in stock")
    PAPER = "paper", _("Document")
    TAG = "tag", _("Tag")
    FIELD = "field", _("Own field")
