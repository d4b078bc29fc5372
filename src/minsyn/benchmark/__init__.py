"""The words benchmark: methods x draws of letters -> a store of results -> the paper's table.

An `Experiment` is data. `run` fits its cells, in parallel and each at most once, and keeps them in
a `Store`; `summarise` and `markdown_table` make the table of what is in there.
"""

from minsyn.benchmark.ablated_minsyn import DECODERS, PARTITIONS, AblatedMinSyn
from minsyn.benchmark.ablation import ABLATIONS, Ablation, find_ablation
from minsyn.benchmark.ablation_table import ABLATION_REFERENCES, ablation_table
from minsyn.benchmark.cell import CellResult, decoder_maps, reconstruct, run_cell
from minsyn.benchmark.damage import DAMAGES, Damage, Damaged
from minsyn.benchmark.experiment import Experiment
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
from minsyn.benchmark.measured import MEASURES, MeasuredSynergy, measure_synergy
from minsyn.benchmark.methods import (
    DEFAULT_METHODS,
    FURTHER_METHODS,
    METHODS,
    Method,
    PaperScores,
    batch_method,
    find_methods,
)
from minsyn.benchmark.robustness import (
    CLEAN,
    damage_losses,
    damaged_words,
    measure_robustness,
    robustness_table,
)
from minsyn.benchmark.run import CellFailure, WorkerDiedError, missing_cells, run
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
    caption,
    comparison_note,
    comparison_table,
    comparison_texts,
    markdown_table,
    paper_texts,
    table_notes,
)
from minsyn.benchmark.task_list import TASKS, find_tasks
from minsyn.benchmark.task_table import ORACLE, tasks_frame, tasks_table
from minsyn.benchmark.tasks import TableTask, Task, TaskExperiment, WordTask

__all__ = [
    "ABLATIONS",
    "ABLATION_REFERENCES",
    "CLEAN",
    "CONFIDENCE",
    "DAMAGES",
    "DECODERS",
    "DEFAULT_METHODS",
    "FURTHER_METHODS",
    "MEASURES",
    "METHODS",
    "ORACLE",
    "PARTITIONS",
    "REFERENCE",
    "SCORES",
    "TASKS",
    "AblatedMinSyn",
    "Ablation",
    "BatchDecodedMinSyn",
    "CellFailure",
    "CellGrid",
    "CellResult",
    "Comparison",
    "Damage",
    "Damaged",
    "Experiment",
    "MeasuredSynergy",
    "Method",
    "MethodSummary",
    "PaperScores",
    "Samples",
    "Score",
    "SettingsMismatchError",
    "Store",
    "TableTask",
    "Task",
    "TaskExperiment",
    "WordTask",
    "WorkerDiedError",
    "ablation_table",
    "batch_method",
    "best",
    "bootstrap_interval",
    "caption",
    "compare",
    "comparison_note",
    "comparison_table",
    "comparison_texts",
    "damage_losses",
    "damaged_words",
    "decoder_maps",
    "find_ablation",
    "find_methods",
    "find_tasks",
    "holm",
    "least_p_value",
    "markdown_table",
    "measure_robustness",
    "measure_synergy",
    "missing_cells",
    "paper_texts",
    "reconstruct",
    "results_frame",
    "robustness_table",
    "run",
    "run_cell",
    "summarise",
    "summary_frame",
    "summary_json",
    "table_notes",
    "tasks_frame",
    "tasks_table",
]


def __getattr__(name: str) -> type:
    # The only part that needs torch, which is seconds to load.
    if name == "BatchDecodedMinSyn":
        from minsyn.benchmark.batch_statistics import BatchDecodedMinSyn

        return BatchDecodedMinSyn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
