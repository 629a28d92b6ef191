"""Numbers and domains as people type them, brought into the form in which they compare: pure."""

import re

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
SPACING = str.maketrans("", "", " ()-./\u00a0\u2011")
DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")


def read_number(text: str) -> str:
    """Return a phone number as it is compared; nothing when it is none, or of no country."""
    number = text.strip().translate(SPACING)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    return number if NUMBER.fullmatch(number) else ""


def read_domain(text: str) -> str:
    """Return the domain of a web or mail address; nothing when it is none."""
    host = text.strip().lower().removeprefix("https://").removeprefix("http://")
    host = host.partition("/")[0].rpartition("@")[2].partition(":")[0].removeprefix("www.")
    return host if DOMAIN.fullmatch(host) else ""
