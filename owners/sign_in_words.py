"""Sentences of allauth that our catalogues say instead of its own.

Its German addresses the same reader in two ways on one page. A catalogue of the project
comes before one of an app, so what is named here is translated by us.
"""

from django.utils.translation import gettext_noop as _

BORROWED = (
    _("Use your password"),
    _("Use authenticator app or code"),
    _("Use a security key"),
    _("We've sent a code to %(recipient)s. The code expires shortly, so please enter it soon."),
    _("Please reauthenticate to safeguard your account."),
    _("Enter Email Verification Code"),
    _("Enter your password:"),
    _("Enter an authenticator code:"),
    _("You will receive a special code for a password-free sign-in."),
    _(
        "Your account is protected by two-factor authentication. "
        "Please enter an authenticator code:"
    ),
    _(
        "You're receiving this email because user %(user_display)s has given your email address "
        "to register an account on %(site_domain)s."
    ),
    _("Your email verification code is listed below. Please enter it in your open browser window."),
    _("Your sign-in code is listed below. Please enter it in your open browser window."),
    _("Your password reset code is listed below. Please enter it in your open browser window."),
    _("This mail can be safely ignored if you did not initiate this action."),
    _(
        "You are receiving this email because you, or someone else, tried to access an account "
        "with email %(email)s. However, we do not have any record of such an account in our "
        "database."
    ),
    _("If it was you, you can sign up for an account using the link below."),
    _("You are receiving this mail because the following change was made to your account:"),
)
