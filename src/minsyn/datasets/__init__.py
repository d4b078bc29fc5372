"""Data sets for the evaluation of disentanglement, with known ground-truth factors.

:func:`make_word_images` makes images of words from images of letters and a :class:`Vocabulary`,
which lists the training words and the held-out words. Letters come from Matplotlib's fonts
(:func:`load_typewriter`), from EMNIST handwriting (:func:`load_emnist`) or from your own files
(:func:`load_letters`). :func:`make_expression` makes a table of simulated gene expression, with
ground truth of the same kind, and :func:`load_table` loads published tables, some of which are
known to factor analysis.
"""

from minsyn.datasets.digits import load_digits
from minsyn.datasets.emnist import load_emnist
from minsyn.datasets.expression import ExpressionTable, make_expression
from minsyn.datasets.frequencies import sample_counts, top_words
from minsyn.datasets.letters import Letters
from minsyn.datasets.load import load_letters
from minsyn.datasets.paper import PAPER_LETTERS, PAPER_WORDS
from minsyn.datasets.tables import load_table
from minsyn.datasets.typewriter import load_typewriter
from minsyn.datasets.vocabulary import Vocabulary, combine, paper_vocabulary, top_letters
from minsyn.datasets.words import WordImages, make_word_images

__all__ = [
    "PAPER_LETTERS",
    "PAPER_WORDS",
    "ExpressionTable",
    "Letters",
    "Vocabulary",
    "WordImages",
    "combine",
    "load_digits",
    "load_emnist",
    "load_letters",
    "load_table",
    "load_typewriter",
    "make_expression",
    "make_word_images",
    "paper_vocabulary",
    "sample_counts",
    "top_letters",
    "top_words",
]
