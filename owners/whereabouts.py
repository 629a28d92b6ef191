"""Where somebody's clock stands who was not asked yet."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from django.utils.translation.trans_real import parse_accept_lang_header

UNKNOWN = "UTC"  # what everybody has of whom nothing is known


def guess(*, said: str, languages: str, now: datetime) -> str:
    """Return the zone a browser names, else the one its first language is spoken in.

    `languages` is an Accept-Language header. A country counts only where all of it has the
    same time: a wrong guess would be worse than none.
    """
    if said in available_timezones():
        return said
    for language, _weight in parse_accept_lang_header(languages.lower()):
        zones = get_global("territory_zones").get(_territory(language), [])
        if len({ZoneInfo(zone).utcoffset(now) for zone in zones}) == 1:
            return str(zones[0])
        return UNKNOWN
    return UNKNOWN


def _territory(language: str) -> str:
    """Return the country in a tag such as `de-at`, else that of most of its speakers."""
    tongue, *more = language.split("-")
    named = [part.upper() for part in more if len(part) == 2]
    likely: str = get_global("likely_subtags").get(tongue, "")
    return named[0] if named else likely.rpartition("_")[2]
