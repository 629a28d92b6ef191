"""Sessions in the database, read together with the owner who is signed in.

Every request of an owner begins with both, so one prepared statement fetches them.
Whether the session is good is Django's to say: what is not plainly so goes to its own
`get_user`, which also mends, rotates and ends sessions.
"""

from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    middleware,
)
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from owners import clock
from owners.models import Owner
from owners.prepared import fetch

FIELDS = [field.attname for field in Owner._meta.concrete_fields]  # noqa: SLF001 - Django documents it
# The columns by name: what `*` stands for changes under a prepared statement.
_READ = f"""
    SELECT session.session_data, {", ".join(f'owner."{name}"' for name in FIELDS)}
    FROM django_session session
    LEFT JOIN usersessions_usersession known ON known.session_key = session.session_key
    LEFT JOIN owners_owner owner ON owner.id = known.user_id
    WHERE session.session_key = %s AND session.expire_date > %s
"""  # noqa: S608 - our own names


class SessionStore(db.SessionStore):
    """Django's sessions in the database, and the owner that was read with one."""

    owner: Owner | None = None

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing, and no key, when it is not live."""
        rows = fetch(_READ, [self.session_key, clock.now()]) if self.session_key else []
        if not rows:
            self._session_key = None
            return {}
        row = rows[0]
        if row[1] is not None:
            self.owner = Owner.from_db(connection.alias, FIELDS, row[1:])
        held: dict[str, Any] = self.decode(row[0])
        return held


def owner_of(session: SessionBase) -> Owner | None:
    """Return the owner who came with the session, if the session is plainly theirs.

    None says nothing: Django's `get_user` decides then.
    """
    wanted = session.get(SESSION_KEY)
    owner: Owner | None = getattr(session, "owner", None)
    if owner is None or wanted != str(owner.pk) or not owner.is_active:
        return None
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    given = session.get(HASH_SESSION_KEY)
    if not given or not constant_time_compare(given, owner.get_session_auth_hash()):
        return None
    return owner


def live_of(owner: Owner, *, now: datetime) -> list[UserSession]:
    """Return where an owner is signed in, the last used first; two reads for any number."""
    noted = list(UserSession.objects.filter(user=owner).order_by("-last_seen_at", "-pk"))
    keys = [row.session_key for row in noted]
    live = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    known = set(live.values_list("session_key", flat=True))
    return [row for row in noted if row.session_key in known]


def _caller(request: HttpRequest) -> Any:
    found = owner_of(request.session)
    if found is None:
        return middleware.get_user(request)
    request._cached_user = found  # type: ignore[attr-defined]  # noqa: SLF001 - where Django keeps it
    return found


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """Django's, but the owner is not read a second time."""

    def process_request(self, request: HttpRequest) -> None:
        """Let `request.user` be who is signed in, found out when somebody asks."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _caller(request))  # type: ignore[assignment]  # stands for one
