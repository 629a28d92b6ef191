"""Measures Steward against bare floors, both in one run: `python -m tests.bench`."""
