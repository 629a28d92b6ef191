"""How allauth's sign-in meets ours: first household, verified e-mail, sealed factors."""

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, cast

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import (
    email_added,
    email_changed,
    email_confirmed,
    email_removed,
    password_changed,
    password_reset,
    password_set,
    user_logged_in,
)
from allauth.core.internal.httpkit import get_client_ip
from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import translation
from django.utils.module_loading import import_string

from owners import access, channels, clock, households, sealing, whereabouts
from owners.models import AccessEntry, Owner, hint_of
from owners.unsent import UnsentError

log = structlog.get_logger(__name__)

# One place for every factor: allauth does not say which row a secret belongs to.
PLACE = {"table": "mfa_authenticator", "key": "", "field": "secret"}


class Site(NamedTuple):
    """What letters about signing in are signed with."""

    name: str
    domain: str


OURSELVES = Site(name="Steward", domain=settings.SITE_URL)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Signs owners up with a household of their own."""

    def save_user(
        self,
        request: HttpRequest,
        user: Owner,
        form: Any,
        commit: bool = True,  # noqa: FBT001, FBT002 - allauth's signature
    ) -> Owner:
        """Save the new owner; everyone starts with one household of their own.

        The language is the one the sign-up was read in, and the zone the browser's, so that
        times are right for somebody who skips the welcome.
        """
        spoken = translation.get_language() or settings.LANGUAGE_CODE
        known = [code for code, _name in settings.LANGUAGES]
        user.language = next(
            (code for code in known if code in (spoken, spoken.partition("-")[0])),
            settings.LANGUAGE_CODE,
        )
        user.zone = whereabouts.guess(
            said=str(form.cleaned_data.get("zone") or ""),
            languages=request.headers.get("Accept-Language", ""),
            now=clock.now(),
        )
        with transaction.atomic():
            saved = cast("Owner", super().save_user(request, user, form, commit))
            if commit:
                households.ensure_first(owner=saved, now=clock.now())
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a letter in our name: a request's own Host header says nothing about us.

        Raises UnsentError where the mail server does not take it.
        """
        try:
            super().send_mail(template_prefix, email, {"current_site": OURSELVES, **context})
        except OSError as error:  # smtplib's are, and so is a connection refused
            log.error("letter_unsent", letter=template_prefix, error=type(error).__name__)
            raise UnsentError(template_prefix) from error

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Tell of a change that is made already; that nobody could be told undoes nothing."""
        with suppress(UnsentError):  # it is in the log, and the owner's own log has the change
            super().send_notification_mail(*args, **kwargs)


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
    what = {"from": get_client_ip(request) or ""}
    access.note(kind="signed_in", actor=user, what=what, now=clock.now())


def note_sign_in_failed(
    *, credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: object
) -> None:
    """Log that a sign-in failed, from where, and how often since the last that did not.

    What was typed as the password is never looked at, and an address that is nobody's
    concerns nobody; but as much is done for it, so that no clock tells the two apart.
    """
    typed = str(credentials.get("email") or credentials.get("username") or "")
    owner = Owner.objects.annotate(folded=Lower("email")).filter(folded=typed.lower()).first()
    mine = AccessEntry.objects.filter(subject_id=owner.pk if owner else 0)
    last = mine.filter(kind="signed_in").aggregate(last=Max("number"))["last"] or 0
    failed = mine.filter(kind="sign_in_failed", number__gt=last).count() + 1
    what = {"from": (get_client_ip(request) or "") if request else "", "times": failed}
    with transaction.atomic():
        access.note(kind="sign_in_failed", subject=owner, what=what, now=clock.now())
        if owner is None:
            transaction.set_rollback(True)


def note_email(change: str) -> Callable[..., None]:
    """Return what logs one change of the addresses one signs in with."""

    def note(
        *,
        user: Owner,
        email_address: Any = None,
        to_email_address: Any = None,
        **_: object,
    ) -> None:
        about = email_address or to_email_address
        what = {"change": change, "address": hint_of(about.email) if about else ""}
        access.note(kind="email_changed", actor=user, what=what, now=clock.now())

    return note


# Signals hold their receivers weakly, so these must stay.
NOTE_EMAIL = {
    "added": (email_added, note_email("added")),
    "removed": (email_removed, note_email("removed")),
    "primary": (email_changed, note_email("primary")),
}


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
    user_login_failed.connect(note_sign_in_failed, dispatch_uid="owners.note_sign_in_failed")
    for name, (signal, note) in NOTE_EMAIL.items():
        signal.connect(note, dispatch_uid=f"owners.note_email.{name}")
    user_logged_out.connect(note_signed_out, dispatch_uid="owners.note_signed_out")
    authenticator_added.connect(note_factor_added, dispatch_uid="owners.note_factor_added")
    authenticator_removed.connect(note_factor_removed, dispatch_uid="owners.note_factor_removed")
    for changed in (password_changed, password_set, password_reset):
        changed.connect(note_password, dispatch_uid=f"owners.note_password.{id(changed)}")
