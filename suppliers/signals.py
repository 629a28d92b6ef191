"""The one way news goes up: contacts are stored, and whoever decides may look."""

from django.dispatch import Signal

# Sent after commit with `household_ids`: a set of households that have undecided contacts.
contacts_stored = Signal()
