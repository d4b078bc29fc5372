"""Figures and the terminal's table. Figure functions are pure: data in, a Matplotlib figure out."""

from minsyn.report.ablation import figure_of_ablation
from minsyn.report.batches import BatchCurve, figure_of_batches
from minsyn.report.benchmark import batch_figure, benchmark_figures, save_figures
from minsyn.report.draws import figure_of_draws
from minsyn.report.factors import figure_of_factors
from minsyn.report.maps import MapRow, figure_of_maps
from minsyn.report.progress import CellProgress, cell_progress
from minsyn.report.robustness import figure_of_robustness, terminal_robustness
from minsyn.report.scatter import ScoreCloud, figure_of_scores
from minsyn.report.style import save
from minsyn.report.tasks import figure_of_tasks, terminal_tasks
from minsyn.report.terminal import terminal_comparisons, terminal_table
from minsyn.report.weights import WeightCurve, figure_of_weights
from minsyn.report.words import WordsRow, figure_of_words

__all__ = [
    "BatchCurve",
    "CellProgress",
    "MapRow",
    "ScoreCloud",
    "WeightCurve",
    "WordsRow",
    "batch_figure",
    "benchmark_figures",
    "cell_progress",
    "figure_of_ablation",
    "figure_of_batches",
    "figure_of_draws",
    "figure_of_factors",
    "figure_of_maps",
    "figure_of_robustness",
    "figure_of_scores",
    "figure_of_tasks",
    "figure_of_weights",
    "figure_of_words",
    "save",
    "save_figures",
    "terminal_comparisons",
    "terminal_robustness",
    "terminal_table",
    "terminal_tasks",
]
