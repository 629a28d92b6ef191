"""One file for each row of the table: WORK, TARGET and `measure(bench) -> Row`."""

from tests.bench.rows import (
    assets,
    batches,
    care,
    counts,
    deliveries,
    feed,
    imports,
    memory,
    paint,
    pipeline,
    recall,
    single,
    today,
    visible,
)

# The rows that store millions come last: what they leave would weigh on the others.
ROWS = {
    "single": single,
    "today": today,
    "assets": assets,
    "paint": paint,
    "batches": batches,
    "visible": visible,
    "deliveries": deliveries,
    "memory": memory,
    "imports": imports,
    "care": care,
    "pipeline": pipeline,
    "recall": recall,
    "counts": counts,
    "feed": feed,
}
