"""Figures, tables for a terminal, and pages of HTML, each a pure function of its data."""

from minsyn._style import COLOURS, WIDTH, new_figure, styled
from minsyn.report.benchmark import benchmark_figures
from minsyn.report.dots import DotRow, Dots, draw_dots, figure_of_dots
from minsyn.report.draws import figure_of_draws
from minsyn.report.factor_tables import correlation_table, loading_tables, synergy_table
from minsyn.report.factors import figure_of_factors
from minsyn.report.html_page import FactorReport, factor_page
from minsyn.report.maps import MapRow, figure_of_maps
from minsyn.report.progress import CellProgress, cell_progress
from minsyn.report.scatter import ScoreCloud, figure_of_scores
from minsyn.report.style import Appearance, appearance, save, save_figures
from minsyn.report.table_rows import LoadingRows, loading_rows
from minsyn.report.terminal import terminal_comparisons, terminal_table
from minsyn.report.what_if import WhatIf
from minsyn.report.words import WordsRow, figure_of_words
from minsyn.report.words_page import benchmark_page

__all__ = [
    "COLOURS",
    "WIDTH",
    "Appearance",
    "CellProgress",
    "DotRow",
    "Dots",
    "FactorReport",
    "LoadingRows",
    "MapRow",
    "ScoreCloud",
    "WhatIf",
    "WordsRow",
    "appearance",
    "benchmark_figures",
    "benchmark_page",
    "cell_progress",
    "correlation_table",
    "draw_dots",
    "factor_page",
    "figure_of_dots",
    "figure_of_draws",
    "figure_of_factors",
    "figure_of_maps",
    "figure_of_scores",
    "figure_of_words",
    "loading_rows",
    "loading_tables",
    "new_figure",
    "save",
    "save_figures",
    "styled",
    "synergy_table",
    "terminal_comparisons",
    "terminal_table",
]
