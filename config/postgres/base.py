"""Starts the embedded PostgreSQL when the first connection is asked for, and not before.

So a command that needs no database (help, collectstatic, a type checker that imports the
settings) starts no server.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base

from config import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the embedded server."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return how to connect; the server runs when this returns."""
        try:
            embedded.use(Path(settings.EMBEDDED_HOME), is_fast=settings.IS_TEST_RUN)
        except embedded.StartError as error:
            raise OperationalError(str(error)) from error
        return super().get_connection_params()
