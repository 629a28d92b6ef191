"""A task worker keeps its connections, as the web does.

Celery's own part for Django closes them before and after every task: each one then waits
for a new server process and has every statement planned anew, which takes longer than
most tasks. Here a connection is given up only when it is broken or old enough.
"""

from typing import Any

from celery import Celery
from celery.fixups import django as celerys
from django.db import connections


class KeptConnections(celerys.DjangoWorkerFixup):  # type: ignore[name-defined,misc]  # no stub
    """What Celery does around every task, without closing what still works."""

    def close_database(self, **_: Any) -> None:
        """Close what is broken or too old; a server that was restarted is noticed here."""
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
            connection.close_if_health_check_failed()


class Fixup(celerys.DjangoFixup):
    """Celery's part for Django, with the worker's part above."""

    made: KeptConnections | None = None

    @property
    def worker_fixup(self) -> KeptConnections:
        """Return the worker's part; made late, because it needs the settings."""
        self.made = self.made or KeptConnections(self.app)
        return self.made


def fixup(app: Celery) -> Fixup:
    """Set Django up for `app`; Celery calls it by its name."""
    found = Fixup(app)
    found.install()
    return found
