"""Rows of the ablation as methods of the benchmark."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from minsyn.benchmark import METHODS, Method
from studies.ablation.model import ALPHA, DECODERS, PARTITIONS, AblatedMinSyn

__all__ = ["ABLATIONS", "BY_KEY", "KNOWN", "REFERENCES", "Ablation"]


class Ablation(NamedTuple):
    """A row of the ablation: the parts of a model.

    Attributes
    ----------
    partition : str
        A key of `PARTITIONS`.
    balance : bool
        Whether the values of each group are evenly spread.
    decoder : str
        A key of `DECODERS`.
    penalty : bool
        Whether the last penalty is `MinSyn`'s or 0.
    """

    partition: str
    balance: bool
    decoder: str
    penalty: bool

    @property
    def key(self) -> str:
        """Name in files and on the command line."""
        parts = (
            "ablation",
            self.partition,
            "balanced" if self.balance else "unbalanced",
            self.decoder,
            *(() if self.penalty else ("unpenalised",)),
        )
        return "-".join(parts)

    @property
    def label(self) -> str:
        """Name in tables."""
        balance = "balanced" if self.balance else "not balanced"
        return ", ".join([*self.names, balance, *([] if self.penalty else ["no penalty"])])

    @property
    def names(self) -> tuple[str, str]:
        """Of the partition and the decoder in tables and figures."""
        return PARTITIONS[self.partition], DECODERS[self.decoder]

    @property
    def is_run(self) -> bool:
        """False for one group and a single parent, which is the free decoder once more.

        Linear decoders, which are there to tell the link's part, are not run without the penalty.
        """
        again = self.partition == "none" and self.decoder.startswith("single-parent")
        return not again and (self.penalty or not self.decoder.endswith("linear"))

    def method(self) -> Method:
        """The row as a method of the benchmark.

        Examples
        --------
        >>> Ablation("none", True, "free", False).method().key
        'ablation-none-balanced-free-unpenalised'
        """
        return Method(self.key, self.label, partial(_make, self))


def _make(ablation: Ablation, n_components: int, random_state: int) -> AblatedMinSyn:
    return AblatedMinSyn(
        n_components,
        partition=ablation.partition,
        balance=ablation.balance,
        decoder=ablation.decoder,
        alpha=ALPHA if ablation.penalty else 0.0,
        random_state=random_state,
    )


#: Every partition with every decoder, with and without balance and penalty, where that differs.
ABLATIONS: tuple[Ablation, ...] = tuple(
    ablation
    for partition in PARTITIONS
    for decoder in DECODERS
    for balance in (True, False)
    for penalty in (True, False)
    if (ablation := Ablation(partition, balance, decoder, penalty)).is_run
)


#: The rows by their keys.
BY_KEY: Mapping[str, Ablation] = {ablation.key: ablation for ablation in ABLATIONS}


#: All methods by their keys: those of the benchmark, and the rows.
KNOWN: Mapping[str, Method] = {
    **METHODS,
    **{key: ablation.method() for key, ablation in BY_KEY.items()},
}

#: Methods below the ablation's rows, for comparison.
REFERENCES = (
    "minsyn-vector",
    "oracle",
    "minsyn-gaussian",
    "pca",
    "sparse-pca",
    "autoencoder",
)
