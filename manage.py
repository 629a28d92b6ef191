#!/usr/bin/env python
"""Steward's commands: `manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Run one command."""
    if sys.argv[1:2] == ["run"]:
        # The supervisor needs nothing of Django, so it is up a second or two sooner.
        from config import supervisor

        sys.exit(supervisor.main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
