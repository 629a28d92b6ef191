"""One worker process: takes what waits from the inbox to planned notifications, then ends.

Started by the row `pipeline`; begins when a line comes on its standard input.
"""

import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main() -> None:
    """Say that it is ready, wait for the signal, work until nothing waits."""
    import django  # noqa: PLC0415 - after the settings are named

    django.setup()
    from config import garbage  # noqa: PLC0415
    from notifications import pipeline  # noqa: PLC0415
    from owners import clock, doorbell  # noqa: PLC0415
    from suppliers.models import Contact, InboundEvent  # noqa: PLC0415

    Contact.objects.exists()
    garbage.freeze()  # as in every task worker
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with doorbell.hushed():
        while True:
            pipeline.pump(now_fn=clock.now)
            if not (
                InboundEvent.objects.filter(state="stored").exists()
                or Contact.objects.filter(decided_at=None).exists()
            ):
                return
            time.sleep(0.005)  # the other one has the rest in hand


if __name__ == "__main__":
    main()
