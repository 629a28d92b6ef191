"""The words of faults and who pays for them."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Cause(TextChoices):
    """Why something is broken, as far as the owner knows."""

    UNKNOWN = "unknown", _("It just stopped, or I do not know")
    DEFECT = "defect", _("It was badly made")
    WEAR = "wear", _("It is worn out")
    ACCIDENT = "accident", _("It fell, broke or got wet")
    WEATHER = "weather", _("Storm, hail, flood or lightning")
    THEFT = "theft", _("It was stolen or damaged on purpose")


class Standing(TextChoices):
    """Whether somebody pays."""

    PAYS = "pays", _("Should pay")
    MAYBE = "maybe", _("May pay")
    NO = "no", _("Does not pay")


class ClaimState(TextChoices):
    """How far a claim is."""

    DRAFT = "draft", _("Not sent yet")
    SUBMITTED = "submitted", _("Sent")
    ANSWERED = "answered", _("Answered")
    PAID = "paid", _("Paid or put right")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Remedy(TextChoices):
    """What was done about a claim."""

    REPAIRED = "repaired", _("Repaired")
    REFURBISHED = "refurbished", _("Replaced by a refurbished one")
    REPLACED = "replaced", _("Replaced by a new one")
    REFUNDED = "refunded", _("Money back")
    REDUCED = "reduced", _("Price reduced")


class OrderState(TextChoices):
    """How far a repair is."""

    PLANNED = "planned", _("Planned")
    REQUESTED = "requested", _("Asked for")
    BOOKED = "booked", _("Booked")
    IN_PROGRESS = "in_progress", _("Under way")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Called off")


class Confidence(TextChoices):
    """How sure it is that a recall means this very thing."""

    EXACT = "exact", _("This very one")
    LIKELY = "likely", _("Likely this one")
    POSSIBLE = "possible", _("Possibly this one")


class RecallState(TextChoices):
    """How far a recall is dealt with."""

    NEW = "new", _("To be looked at")
    OWNER_CONFIRMED = "owner_confirmed", _("It is mine")
    NOT_AFFECTED = "not_affected", _("Mine is not affected")
    REMEDY_BOOKED = "remedy_booked", _("Remedy booked")
    REMEDIED = "remedied", _("Put right")
    EXPIRED = "expired", _("Withdrawn by the authority")


class Method(TextChoices):
    """How a thing loses value."""

    STRAIGHT = "straight", _("Evenly over its life")
    DECLINING = "declining", _("By a share each year")
    UNITS = "units", _("By use")
    MARKET = "market", _("As valued")


class Basis(TextChoices):
    """What a value is."""

    MARKET = "market", _("Market value")
    REPLACEMENT = "replacement", _("New today")
    AGREED = "agreed", _("Agreed with the insurer")
    INSURER = "insurer", _("Set by the insurer")


class ContractKind(TextChoices):
    """What a contract about a thing is."""

    UTILITY = "utility", _("Supply (power, water, network)")
    SUBSCRIPTION = "subscription", _("Subscription")
    SERVICE = "service", _("Service contract")
    LEASE = "lease", _("Lease")
    LOAN = "loan", _("Loan")
    INSURANCE = "insurance", _("Insurance")


# Why somebody pays or not; the values are days, numbers and names.
REASONS = {
    "recalled": _("Recall %(number)s is about this one: the remedy is free."),
    "recall_likely": _("Recall %(number)s is about this model. Compare the numbers."),
    "recall_possible": _("Recall %(number)s may be about it. Compare maker and model."),
    "recall_remedied": _("Recall %(number)s was put right already."),
    "recall_expired": _("Recall %(number)s was withdrawn."),
    "send_back": _("Until %(day)s it can go back to the seller without a reason."),
    "presumed": _("Until %(day)s a fault counts as there from the start. You prove nothing."),
    "to_prove": _("Since %(day)s you may have to show that it was there from the start."),
    "reject": _("Until %(day)s you may hand it back for your money, without a try to repair."),
    "by_life": _("The law names no fixed term: as long as one may expect it to last."),
    "at_once": _("Tell the seller at once, in writing."),
    "extended": _("A repair has added %(n)s months (%(source)s)."),
    "tell_by": _("Tell them by %(day)s."),
    "law_unknown": _("Which law holds is not written down, or not in our table."),
    "delivery_unknown": _("When it was delivered is not written down: the time counts from there."),
    "business": _("It was bought for a business. Look at what was agreed."),
    "as_the_seller": _("Who lent the money answers as the seller does, if it was a credit card."),
    "over": _("It ended on %(day)s."),
    "before": _("It begins on %(day)s."),
    "expired": _("It is over."),
    "voided": _("It is void."),
    "suspended": _("It is suspended."),
    "over_use": _("It holds up to %(limit)s; the meter shows more."),
    "use_unknown": _("It holds up to %(limit)s. Read the meter."),
    "not_a_fault": _("It answers for faults, not for what happened to the thing."),
    "wear": _("Not for what wears out."),
    "wear_terms": _("Its terms say whether it pays for wear."),
    "not_sudden": _("An insurer pays for what happens suddenly, not for a fault in the making."),
    "only_sudden": _("Only if something happened to it: a fall, water, fire, theft."),
    "card_terms": _("The card's terms say what it covers, and for how long."),
    "scope": _("It covers %(scope)s."),
    "same_part": _("It is for what was repaired: %(scope)s."),
    "days_unknown": _("From when to when is not written down."),
    "until": _("In force until %(day)s."),
    "lifetime": _("In force for its whole life."),
    "in_force": _("In force."),
    "excess": _("You pay the first %(amount)s %(currency)s."),
}
OTHER_KINDS = {"return": _("Sending it back")}
