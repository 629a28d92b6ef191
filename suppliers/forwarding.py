"""How people have their mail and their calls sent on, in words for people.

Pure: what is said for each provider of mail, and the codes that every GSM network knows
(3GPP TS 22.030). Providers move their menus, so each guide says what to look for, when it
was last compared, and whether that was with the provider's own help or with what others
wrote of it, where that help cannot be read without signing in.
"""

# ruff: noqa: E501 - a sentence that is translated stays in one piece

from dataclasses import dataclass, field
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise
CHECKED = date(2026, 11, 22)
NO_ANSWER_S = 20  # how long a phone rings before a call is sent on; networks take 5 to 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """How one provider sends mail on: everything, only some of it, and how to stop.

    `checked` is None where there is nothing to compare it with; `is_by_own_help` says that
    it was compared with the provider's own pages.
    """

    slug: str
    name: Words
    steps: tuple[Words, ...]
    some: Words = ""
    stop: Words = ""
    note: Words = ""
    domains: frozenset[str] = field(default=frozenset())
    checked: date | None = CHECKED
    is_by_own_help: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What is dialled to send calls on in one case, and to undo that."""

    label: Words
    dial: str
    undo: str


GUIDES: tuple[Guide, ...] = (
    Guide(
        slug="gmail",
        name="Gmail",
        domains=frozenset({"gmail.com", "googlemail.com"}),
        steps=(
            _("Open Gmail on a computer. The app on the phone cannot do this."),
            _("Gear, See all settings, then the tab Forwarding and POP/IMAP."),
            _("Add a forwarding address: paste the address above, then Next and Proceed."),
            _("Gmail sends a code there. It shows on this page; type it into Gmail and choose Verify."),
            _("Choose Forward a copy of incoming mail to, keep Gmail's copy in the inbox, and Save Changes."),
        ),
        some=_("Only some senders: in the settings, Filters and Blocked Addresses, Create a new filter, write the supplier's domain under From, Create filter, then Forward it to."),
        stop=_("To stop: Forwarding and POP/IMAP, Disable forwarding, Save Changes; or delete the filter."),
    ),
    Guide(
        slug="outlook",
        name="Outlook.com, Microsoft 365",
        domains=frozenset({"outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.de", "outlook.it", "hotmail.de", "hotmail.it", "live.de", "live.it"}),
        steps=(
            _("Open outlook.com in a browser; at work, outlook.office.com."),
            _("Gear, Mail, Forwarding. Microsoft may ask for a code to your phone first."),
            _("Turn on Enable forwarding, paste the address above, tick Keep a copy of forwarded messages, and Save."),
        ),
        some=_("Only some senders: gear, Mail, Rules, Add new rule. If the sender's address includes the supplier's domain, then Redirect to the address above. Redirect keeps the sender; Forward to does not."),
        stop=_("To stop: turn Enable forwarding off, or delete the rule."),
        note=_("At work or at school the administrator often forbids sending mail outside. Then the test finds nothing: ask them, or give suppliers the addresses from this page."),
    ),
    Guide(
        slug="icloud",
        name="iCloud",
        domains=frozenset({"icloud.com", "me.com", "mac.com"}),
        steps=(
            _("Sign in at icloud.com/mail in a browser."),
            _("Gear above the list of mailboxes, Settings, Mail Forwarding."),
            _("Tick Forward my email to and paste the address above. Leave Delete messages after forwarding off. Done."),
        ),
        some=_("Only some senders: Settings, Rules, the plus at the top right, from the supplier's domain, then Forward to, and Add. A new rule may take 15 minutes to work."),
        is_by_own_help=True,
        stop=_("To stop: take the tick at Forward my email to away, or delete the rule."),
    ),
    Guide(
        slug="yahoo",
        name="Yahoo",
        domains=frozenset({"yahoo.com", "yahoo.de", "yahoo.it", "yahoo.co.uk", "ymail.com", "rocketmail.com", "aol.com"}),
        steps=(
            _("Open Yahoo Mail in a browser: gear, More Settings, Mailboxes, and choose your address."),
            _("Under Forwarding paste the address above and choose Verify."),
            _("Yahoo sends a link there. It shows on this page; open it."),
        ),
        stop=_("To stop: the same place, and take the address out."),
        note=_("Yahoo sends mail on only in its paid plans. Without one, forward single mails by hand, or give suppliers the addresses from this page."),
    ),
    Guide(
        slug="gmx",
        name="GMX, WEB.DE",
        domains=frozenset({"gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.com", "web.de"}),
        steps=(
            _("Sign in at gmx.net or web.de in a browser, open E-Mail, then the gear at the lower left, then Filterregeln (filter rules)."),
            _("Make a rule of your own: for all mails or for the supplier's domain, send on to the address above, and keep the mail."),
            _("The address is asked for permission. The link shows on this page; open it within 24 hours."),
        ),
        is_by_own_help=True,
        stop=_("To stop: delete the rule."),
    ),
    Guide(
        slug="fastmail",
        name="Fastmail",
        domains=frozenset({"fastmail.com", "fastmail.fm", "fastmail.de"}),
        steps=(
            _("Settings, Filters & Rules, Create rule."),
            _("Choose All messages, or the supplier's domain as the sender."),
            _("As the action choose Send a copy to, paste the address above, and Save."),
        ),
        is_by_own_help=True,
        note=_("What Fastmail takes for spam is not sent on."),
        stop=_("To stop: delete the rule."),
    ),
    Guide(
        slug="proton",
        name="Proton Mail",
        domains=frozenset({"proton.me", "protonmail.com", "pm.me"}),
        steps=(
            _("Open mail.proton.me: gear, All settings, Proton Mail, Auto-reply and forward."),
            _("Forward emails, Add forwarding rule: your address, and the address above under Forward to. For only some senders, Add condition."),
            _("Proton sends a request there. It shows on this page; open it and accept."),
        ),
        is_by_own_help=True,
        stop=_("To stop: delete the rule in the same place."),
        note=_("Proton does this only in its paid plans, and what is sent on leaves its encryption."),
    ),
    Guide(
        slug="other",
        checked=None,
        name=_("Any other provider"),
        steps=(
            _("Look in the settings for Forwarding, Redirect, Rules or Filters. Often they are there only in a browser."),
            _("Where you can choose, take Redirect: it keeps the sender, so Steward can check who wrote."),
            _("Paste the address above, and keep a copy in your own mailbox."),
            _("Some providers send a code or a link to the address first. It shows on this page."),
        ),
        stop=_("To stop: the same place, and take the address out."),
        note=_("A single mail needs none of this: forward it to the address above, best as an attachment."),
    ),
)  # fmt: skip


def guide_for(*addresses: str) -> str:
    """Return the guide of the first of an owner's mail addresses whose provider is known."""
    domains = [address.rpartition("@")[2].lower() for address in addresses]
    found = (guide.slug for domain in domains for guide in GUIDES if domain in guide.domains)
    return next(found, "other")


def codes(number: str) -> tuple[Code, ...]:
    """Return what is dialled to send calls on to `number` (E.164) when they are not taken."""
    return (
        Code(
            label=_("When you do not answer"),
            dial=f"**61*{number}**{NO_ANSWER_S}#",
            undo="##61#",
        ),
        Code(label=_("When your phone is off or without network"), dial=f"**62*{number}#", undo="##62#"),
        Code(label=_("When you are on the phone"), dial=f"**67*{number}#", undo="##67#"),
    )  # fmt: skip


UNDO_ALL = "##004#"  # all three cases at once
