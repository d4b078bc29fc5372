"""The words benchmark: methods x draws of letters -> a store of results -> the paper's table.

`run` fits the cells of an `Experiment`, in parallel and each at most once, and keeps them in a
`Store`; `summarise` and `benchmark_table` make the table from the stored cells.
"""

from minsyn._threads import one_thread
from minsyn.benchmark.affine import AffineDecoder, affine_decoder
from minsyn.benchmark.cell import (
    MEASURES,
    CellResult,
    decoder_maps,
    make_estimator,
    reconstruct,
    run_cell,
)
from minsyn.benchmark.experiment import Experiment, describe_words, digest
from minsyn.benchmark.grid import CellGrid, Samples
from minsyn.benchmark.inference import (
    CONFIDENCE,
    REFERENCE,
    SCORES,
    Comparison,
    bootstrap_interval,
    compare,
    holm,
    least_p_value,
)
from minsyn.benchmark.markdown import counted, markdown_page, markdown_table
from minsyn.benchmark.methods import (
    DEFAULT_METHODS,
    METHODS,
    Method,
    PaperScores,
    find_methods,
)
from minsyn.benchmark.runner import CellFailure, WorkerDiedError, missing_cells, run
from minsyn.benchmark.store import SettingsMismatchError, Store
from minsyn.benchmark.summary import (
    MethodSummary,
    Score,
    best,
    results_frame,
    summarise,
    summary_frame,
    summary_json,
)
from minsyn.benchmark.table import (
    benchmark_table,
    caption,
    comparison_note,
    comparison_table,
    comparison_texts,
    paper_texts,
    table_notes,
)

__all__ = [
    "CONFIDENCE",
    "DEFAULT_METHODS",
    "MEASURES",
    "METHODS",
    "REFERENCE",
    "SCORES",
    "AffineDecoder",
    "CellFailure",
    "CellGrid",
    "CellResult",
    "Comparison",
    "Experiment",
    "Method",
    "MethodSummary",
    "PaperScores",
    "Samples",
    "Score",
    "SettingsMismatchError",
    "Store",
    "WorkerDiedError",
    "affine_decoder",
    "benchmark_table",
    "best",
    "bootstrap_interval",
    "caption",
    "compare",
    "comparison_note",
    "comparison_table",
    "comparison_texts",
    "counted",
    "decoder_maps",
    "describe_words",
    "digest",
    "find_methods",
    "holm",
    "least_p_value",
    "make_estimator",
    "markdown_page",
    "markdown_table",
    "missing_cells",
    "one_thread",
    "paper_texts",
    "reconstruct",
    "results_frame",
    "run",
    "run_cell",
    "summarise",
    "summary_frame",
    "summary_json",
    "table_notes",
]
