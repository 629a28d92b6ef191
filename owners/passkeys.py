"""Setting up a key as people mean it: one that signs in by itself."""

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """Allauth's form, which makes a passkey unless somebody wants a second factor only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Tick the box; without it "Sign in with a passkey" would not know the key."""
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True
