"""Keeps the garbage collector away from what lives as long as the process.

After the imports a process holds some hundred thousand objects that never die. Walking
them again and again costs time and, for one unlucky request, a pause.
"""

import gc

# Allocations before the youngest objects are looked at. Decoding one batch of events
# makes several ten thousand that are all gone a moment later.
YOUNG, MIDDLE, OLD = 50_000, 20, 50


def freeze() -> None:
    """Set aside everything made so far; call it once when a process is ready to work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
