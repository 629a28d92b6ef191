"""Which language words are made in, for what puts thousands of matters into words at once.

Django looks up the thread's language and its catalogue for each word, which was a twelfth
of all the work of the pipeline. Here a word is looked up once in each language.
"""

from contextvars import ContextVar, Token
from functools import lru_cache

from django.utils import translation

# Empty: whatever Django's own language is.
_spoken: ContextVar[str] = ContextVar("spoken", default="")


class speaking:  # noqa: N801 - reads like the function it replaces, which cost more than the words
    """Make words in a language inside, Django's and ours."""

    __slots__ = ("_before", "_language", "_token")

    def __init__(self, language: str) -> None:
        self._language = language
        self._token: Token[str] | None = None
        self._before: translation.override | None = None

    def __enter__(self) -> None:
        if _spoken.get() == self._language:
            return
        self._token = _spoken.set(self._language)
        if translation.get_language() != self._language:
            self._before = translation.override(self._language)
            self._before.__enter__()

    def __exit__(self, *raised: object) -> None:
        if self._before is not None:
            self._before.__exit__(None, None, None)
        if self._token is not None:
            _spoken.reset(self._token)


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
