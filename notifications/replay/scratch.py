"""A database for one replay: made from a migrated template, dropped at the end.

Migrating takes seconds, copying a template a fraction of one. The template holds no
rows but those of migrations; it is named after the migrations it went through, so a new
one is made when they change and the old ones are dropped.
"""

import hashlib
import inspect
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, ObjectInUse

NAME_SIZE = 63  # PostgreSQL's longest name


class ScratchError(Exception):
    """No database of its own could be had for the replay."""


@contextmanager
def database() -> Iterator[None]:
    """Let the default connection use a fresh, migrated database inside.

    Raises ScratchError when the role may not create one.
    """
    home = str(connection.settings_dict["NAME"])
    name = f"{home[:24]}_replay_{uuid.uuid4().hex[:16]}"
    try:
        copy(template(home), name)
    except InsufficientPrivilege as error:
        raise ScratchError(
            "A replay runs in a database of its own; let this role create one (CREATEDB)."
        ) from error
    try:
        with _using(name):
            yield
    finally:
        _drop(name)


@contextmanager
def _using(name: str) -> Iterator[None]:
    """Point the default connection at the database `name`."""
    home = connection.settings_dict["NAME"]
    _point_at(name)
    try:
        yield
    finally:
        _point_at(str(home))


def _point_at(name: str) -> None:
    connection.close()
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's connection has it
    connection.settings_dict["NAME"] = name


@contextmanager
def _server() -> Iterator[psycopg.Connection]:
    """Connect to the server's own database: there others are made and dropped."""
    wanted = connection.get_connection_params()
    keep = {"host", "port", "user", "password", "connect_timeout", "sslmode", "sslrootcert"}
    params = {name: value for name, value in wanted.items() if name in keep}
    with psycopg.connect(**{**params, "dbname": "postgres"}, autocommit=True) as server:
        yield server


def template(home: str) -> str:
    """Return the name of the migrated template of the database `home`, made when it is missing.

    Who asks while another makes it waits for that one.
    """
    prefix = f"{home[:24]}_replay_template_"
    name = named(home)
    if name in databases(prefix):
        return name
    with _server() as server:
        # Held until this connection ends, so a killed process leaves no turn behind.
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [prefix])
        if name not in databases(prefix):
            _make(name, building=f"{prefix}making_{os.getpid()}"[:NAME_SIZE])
        for old in databases(prefix):
            if old != name:
                _drop(old)
    return name


def _make(name: str, *, building: str) -> None:
    with _server() as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
    try:
        with _using(building):
            call_command("migrate", verbosity=0, interactive=False)
        with _server() as server:
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(building), sql.Identifier(name)
                )
            )
    finally:
        _drop(building)


def named(home: str) -> str:
    """Return the name of a template: by the names and the very text of the migrations on disk."""
    state = hashlib.sha256()
    loader = MigrationLoader(None)
    for key in sorted(loader.disk_migrations):
        migration = loader.disk_migrations[key]
        state.update("/".join(key).encode())
        state.update(
            inspect.getsource(inspect.getmodule(type(migration)) or type(migration)).encode()
        )
    return f"{home[:24]}_replay_template_{state.hexdigest()[:12]}"


def databases(prefix: str) -> set[str]:
    """Return the server's databases whose names start with `prefix`."""
    with _server() as server:
        rows = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix]
        )
        return {str(name) for (name,) in rows}


def copy(template: str, name: str) -> None:
    """Make the database `name`, equal to a template."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template)
    )
    with _server() as server:
        try:
            server.execute(statement)
        except ObjectInUse:
            # Two replays may copy at once; PostgreSQL lets only one read the template.
            server.execute("SELECT pg_sleep(0.5)")
            server.execute(statement)


def _drop(name: str) -> None:
    with _server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} (FORCE)").format(sql.Identifier(name)))
