"""How allauth's sign-in meets ours: first household, verified e-mail, sealed factors."""

import base64
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import (
    email_confirmed,
    password_changed,
    password_reset,
    password_set,
    user_logged_in,
)
from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django.utils.module_loading import import_string

from owners import access, channels, clock, households, sealing
from owners.models import Owner

# One place for every factor: allauth does not say which row a secret belongs to.
PLACE = {"table": "mfa_authenticator", "key": "", "field": "secret"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Signs owners up with a household of their own."""

    def save_user(
        self,
        request: HttpRequest,
        user: Owner,
        form: Any,
        commit: bool = True,  # noqa: FBT001, FBT002 - allauth's signature
    ) -> Owner:
        """Save the new owner; everyone starts with one household of their own."""
        with transaction.atomic():
            saved = cast("Owner", super().save_user(request, user, form, commit))
            if commit:
                households.ensure_first(owner=saved, now=clock.now())
        return saved


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Keeps second factors sealed."""

    def encrypt(self, text: str) -> str:
        """Return `text` sealed, as text."""
        return base64.b64encode(sealing.seal(text.encode(), **PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return what `encrypt` sealed."""
        return sealing.unseal(base64.b64decode(encrypted_text), **PLACE).decode()


class SessionTokens(SessionTokenStrategy):  # type: ignore[misc]  # allauth has no types
    """Session tokens, looked up in one query instead of two."""

    def lookup_session(self, session_token: str) -> SessionBase | None:
        """Return the live session of a token, or None."""
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        session: SessionBase = store(session_key=session_token)
        # The first read loads the row; a missing or expired one clears the key.
        session.get(SESSION_KEY)
        return session if session.session_key else None


def note_confirmed(*, email_address: Any, **_: object) -> None:
    """Let an address that allauth has just verified count as a channel."""
    channels.trust_email(owner=email_address.user, address=email_address.email, now=clock.now())


def note_signed_in(*, request: HttpRequest, user: Owner, **_: object) -> None:
    """Log a sign-in, and from where."""
    what = {"from": request.META.get("REMOTE_ADDR", "") if request else ""}
    access.note(kind="signed_in", actor=user, what=what, now=clock.now())


def note_signed_out(*, user: Owner | None, **_: object) -> None:
    """Log that somebody signed out; a session of nobody is no news."""
    if user is not None:
        access.note(kind="signed_out", actor=user, now=clock.now())


def note_password(*, user: Owner, **_: object) -> None:
    """Log another password."""
    access.note(kind="password_changed", actor=user, now=clock.now())


def note_factor_added(*, user: Owner, authenticator: Any, **_: object) -> None:
    """Log a new passkey or second factor."""
    what = {"type": str(authenticator.type)}
    access.note(kind="factor_added", actor=user, what=what, now=clock.now())


def note_factor_removed(*, user: Owner, authenticator: Any, **_: object) -> None:
    """Log that a passkey or second factor is gone."""
    what = {"type": str(authenticator.type)}
    access.note(kind="factor_removed", actor=user, what=what, now=clock.now())


def connect() -> None:
    """Hear allauth's word of what opens an account."""
    email_confirmed.connect(note_confirmed, dispatch_uid="owners.note_confirmed")
    user_logged_in.connect(note_signed_in, dispatch_uid="owners.note_signed_in")
    user_logged_out.connect(note_signed_out, dispatch_uid="owners.note_signed_out")
    authenticator_added.connect(note_factor_added, dispatch_uid="owners.note_factor_added")
    authenticator_removed.connect(note_factor_removed, dispatch_uid="owners.note_factor_removed")
    for changed in (password_changed, password_set, password_reset):
        changed.connect(note_password, dispatch_uid=f"owners.note_password.{id(changed)}")
