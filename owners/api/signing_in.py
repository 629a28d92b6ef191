"""Who calls the API: a session token of an app, or the session of a browser."""

from dataclasses import dataclass
from typing import Any

from allauth.account.internal.flows import reauthentication
from allauth.core.internal.sessionkit import get_session_user
from allauth.headless import app_settings
from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.contrib.sessions.backends.base import SessionBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from owners import clock, sessions, tokens
from owners.api.problems import Problem
from owners.choices import TokenScope
from owners.models import ApiToken


class SessionToken(XSessionTokenAuthentication):  # type: ignore[misc]  # allauth has no types
    """`X-Session-Token` from `/_allauth/app/v1/`.

    A token that is not live is refused, even beside a live cookie: an app must never
    slip into the browser's session.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the owner of the token, or None when there is no token."""
        if self.get_session_token(request) is None:
            return None
        session = app_settings.TOKEN_STRATEGY.lookup_session(self.get_session_token(request))
        owner = session and (sessions.owner_of(session) or get_session_user(session))
        if not owner:
            raise AuthenticationFailed
        return owner, session

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that the answer is 401."""
        return 'Session realm="steward", header="X-Session-Token"'


class Bearer(BaseAuthentication):
    """`Authorization: Bearer` with a token its owner has made; see `owners.tokens`.

    A token that is not live is refused, even beside a live cookie.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the token's owner, or None when there is no token of ours."""
        scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given.startswith(tokens.PREFIX):
            return None
        found = tokens.holder(token=given.strip(), now=clock.now())
        if found is None:
            raise AuthenticationFailed
        return found.owner, found

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that the answer is 401."""
        return 'Bearer realm="steward"'


class WithinScope(BasePermission):
    """Lets a token do only what its scope allows, and nothing for good."""

    message = "This token may not do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the one who calls may call so."""
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        if getattr(view, "is_sensitive", False):
            return False
        if request.method in SAFE_METHODS:
            return True
        # Whoever decides where messages go could take the account over.
        return token.scope == TokenScope.ACT and not getattr(view, "is_personal", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    """The two things allauth reads of a request, from whichever session it came in."""

    user: Any
    session: Any


def must_be_recent(request: Request) -> None:
    """Raise a Problem unless the caller proved lately who they are.

    The pages ask the same of the same sessions: allauth decides and remembers.
    """
    session = request.auth if isinstance(request.auth, SessionBase) else request._request.session  # noqa: SLF001 - Django's own request
    caller = _Caller(user=request.user, session=session)
    if reauthentication.did_recently_reauthenticate(caller):
        return
    flows = reauthentication.get_reauthentication_flows(request.user)
    raise Problem(
        403,
        code="reauthenticate",
        detail="Confirm who you are at `/_allauth/app/v1/auth/reauthenticate` (with the password)"
        " or `/_allauth/app/v1/auth/2fa/reauthenticate` (with a code), and send this again."
        " A browser does so at `/accounts/reauthenticate/`.",
        more={"flows": [str(flow["id"]) for flow in flows]},
    )


class Session(SessionAuthentication):
    """The browser's cookie; writes need the CSRF token."""


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers subclasses untyped
    """How the schema names the session token."""

    target_class = SessionToken
    name = "SessionToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe the header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Session-Token",
            "description": "The session token that `/_allauth/app/v1/auth/` answers with.",
        }


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers subclasses untyped
    """How the schema names an owner's token."""

    target_class = Bearer
    name = "Token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe the header."""
        return {"type": "http", "scheme": "bearer", "description": "A token from `tokens/`."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers subclasses untyped
    """How the schema names the browser's session."""

    target_class = Session
    name = "Cookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe the cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
