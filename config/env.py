"""Typed readers of the environment; a value that cannot be read stops the start."""

import os

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """Return the variable, or `default` when it is unset or empty."""
    return os.environ.get(name, "") or default


def flag(name: str, *, default: bool = False) -> bool:
    """Return the variable as yes or no."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.strip().lower() in TRUE:
        return True
    if raw.strip().lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {raw!r}; write 1 or 0.")


def number(name: str, default: int, *, least: int = 0) -> int:
    """Return the variable as a whole number not below `least`."""
    raw = os.environ.get(name, "")
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {raw!r}; write a whole number.") from error
    if value < least:
        raise ImproperlyConfigured(f"{name} is {value}; the least is {least}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return the variable as a list of comma-separated words."""
    raw = os.environ.get(name, "")
    found = [word.strip() for word in raw.split(",") if word.strip()]
    return found or list(default)
