"""Who calls the API: a session token of an app, or the session of a browser."""

from typing import Any

from allauth.core.internal.sessionkit import get_session_user
from allauth.headless import app_settings
from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from owners import sessions


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


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers subclasses untyped
    """How the schema names the browser's session."""

    target_class = Session
    name = "Cookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe the cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
