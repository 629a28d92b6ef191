"""What may be wrong with a file or with one of its rows, in words for people."""

from django.utils.translation import gettext_noop

FILE_FAULTS: dict[str, str] = {
    "empty": gettext_noop("There are no rows in this file."),
    "backup": gettext_noop(
        "This is a whole backup of another system. Export its lists as CSV there, and its"
        " attachments."
    ),
    "too_large": gettext_noop("The file is larger than 25 MB. Split it and bring in the parts."),
    "old_excel": gettext_noop("This is an old Excel file. Save it as XLSX or CSV first."),
    "not_a_table": gettext_noop("This is no table. Choose a CSV, TSV, XLSX, JSON or ZIP file."),
    "locked": gettext_noop("This file is locked with a password. Save it without one."),
    "bomb": gettext_noop("This file unpacks to far more than it says. It was not opened."),
    "broken": gettext_noop("This file cannot be read. Is it whole?"),
    "nul": gettext_noop(
        "There are zero bytes in this file, so it is no text. Save it anew as CSV."
    ),
    "cell": gettext_noop(
        "A cell is longer than 32,000 letters, or a quotation mark in it is never closed."
    ),
    "columns": gettext_noop("There are more than 300 columns. Leave out what you do not need."),
    "rows": gettext_noop(
        "There are more than 200,000 rows. Split the file and bring in the parts."
    ),
    "nested": gettext_noop("What is in this file is nested too deeply to be rows."),
    "json_large": gettext_noop("A JSON file may have 8 MB. Split it and bring in the parts."),
    "lost": gettext_noop("The file is not there any more. Choose it again."),
    "stuck": gettext_noop("Reading this file failed several times, so we stopped."),
}

ROW_FAULTS: dict[str, str] = {
    "missing": gettext_noop("%(column)s is empty, and nothing can be made without it."),
    "date": gettext_noop("%(column)s: “%(value)s” is not a date."),
    "year": gettext_noop("%(column)s: “%(value)s” is not in a year from 1900 to 2200."),
    "number": gettext_noop("%(column)s: “%(value)s” is not a number."),
    "negative": gettext_noop("%(column)s: “%(value)s” is below zero."),
    "too_much": gettext_noop("%(column)s: “%(value)s” is too large a number."),
    "currency": gettext_noop("%(column)s: the currency of “%(value)s” is not known."),
    "yes_no": gettext_noop("%(column)s: “%(value)s” is neither yes nor no."),
    "word": gettext_noop("%(column)s: “%(value)s” is none of the words that may stand here."),
    "shortened": gettext_noop(
        "%(column)s: “%(value)s” was shortened by a spreadsheet."
        " Give the column the type Text there, and save it anew."
    ),
    "formula": gettext_noop("%(column)s holds a formula. Put its result there instead."),
    "long_cell": gettext_noop("%(column)s is longer than 32,000 letters."),
    "elsewhere": gettext_noop(
        "“%(value)s” is a file that is not in this list. Bring in the ZIP of attachments."
    ),
    "paper": gettext_noop(
        "“%(value)s” cannot be kept. Photos, PDF and plain text up to 25 MB are."
    ),
    "no_room": gettext_noop("There was no room for “%(value)s”."),
    "no_asset": gettext_noop("There is no asset “%(value)s” here. Bring in the assets first."),
    "no_task": gettext_noop("There is no chore “%(value)s” here. Bring in the chores first."),
    "future": gettext_noop("%(value)s is still to come."),
    "ended": gettext_noop("On %(value)s the asset was not yours any more."),
    "backwards": gettext_noop("It would end on %(value)s, before it begins."),
    "nothing": gettext_noop("There is nothing in this row that can be kept."),
    "cycle": gettext_noop("“%(value)s” would be a part of itself. It was kept without that."),
    "refused": gettext_noop("This row could not be kept: %(value)s"),
}


class FileError(Exception):
    """The file as a whole cannot be read; `code` names the words in FILE_FAULTS."""

    def __init__(self, code: str) -> None:
        """Note the code."""
        super().__init__(FILE_FAULTS[code])
        self.code = code


class RowError(Exception):
    """One row cannot be kept; `code` names the words in ROW_FAULTS."""

    def __init__(self, code: str, column: str = "", value: str = "") -> None:
        """Note what is wrong, where, and what stands there."""
        super().__init__(ROW_FAULTS[code] % {"column": column, "value": value[:80]})
        self.code = code
        self.column = column
        self.value = value[:80]
