"""One file for each row of the table: WORK, TARGET and `measure(bench) -> Row`."""

from tests.bench.rows import batches, pipeline, single

ROWS = {
    "single": single,
    "batches": batches,
    "pipeline": pipeline,
}
