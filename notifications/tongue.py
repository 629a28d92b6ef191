"""Which language words are made in, for what puts thousands of matters into words at once.

Django looks up the thread's language and its catalogue for each word, which was a twelfth
of all the work of the pipeline. Here a word is looked up once in each language.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.utils import translation

# Empty: whatever Django's own language is.
_spoken: ContextVar[str] = ContextVar("spoken", default="")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Make words in a language inside, Django's and ours."""
    if _spoken.get() == language:
        yield
        return
    token = _spoken.set(language)
    try:
        if translation.get_language() == language:
            yield
        else:
            with translation.override(language):
                yield
    finally:
        _spoken.reset(token)


@lru_cache(maxsize=4_096)
def _in(language: str, text: str) -> str:
    with translation.override(language):
        return translation.gettext(text)


def gettext(text: str) -> str:
    """Return a word in the language that is spoken."""
    language = _spoken.get()
    return _in(language, text) if language else translation.gettext(text)


def language() -> str | None:
    """Return the language that is spoken."""
    return _spoken.get() or translation.get_language()
