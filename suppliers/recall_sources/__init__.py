"""The lists in which authorities publish recalls: where each is asked, and how it is read.

Pure: a source makes addresses and reads bytes, and `recall_watch` does the rest. One line
here adds a source. Whatever cannot be read is a SourceError; a row that cannot be is left out.
"""

from suppliers.recall_sources import cpsc, nhtsa, safety_gate
from suppliers.recall_sources.values import Source

SOURCES: dict[str, Source] = {
    "nhtsa": nhtsa.SOURCE,
    "cpsc": cpsc.SOURCE,
    "safety-gate": safety_gate.SOURCE,
}
