"""One file for each row of the table: NAME, TARGET and `measure(bench) -> Row`."""

from tests.bench.rows import batches, single

ROWS = {
    "single": single,
    "batches": batches,
}
