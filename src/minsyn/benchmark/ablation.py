"""What is due to what: the rows of an ablation, one part of single-parent MinSyn at a time."""

import difflib
from functools import partial
from typing import NamedTuple

from minsyn.benchmark.ablated_minsyn import ALPHA, DECODERS, PARTITIONS, AblatedMinSyn
from minsyn.benchmark.methods import Method

__all__ = ["ABLATIONS", "Ablation", "find_ablation"]

_PREFIX = "ablation"


class Ablation(NamedTuple):
    """A row of the ablation: which parts a model has.

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
            _PREFIX,
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


def find_ablation(key: str) -> Ablation:
    """The row with a key.

    Parameters
    ----------
    key : str
        As `Ablation.key` gives it.

    Raises
    ------
    ValueError
        There is none.

    Examples
    --------
    >>> find_ablation("ablation-synergy-balanced-single-parent").decoder
    'single-parent'
    """
    if key not in _BY_KEY:
        close = difflib.get_close_matches(key, _BY_KEY, n=1, cutoff=0.0)[0]
        raise ValueError(f"methods: {key!r} is unknown; did you mean {close!r}?")
    return _BY_KEY[key]


_BY_KEY = {ablation.key: ablation for ablation in ABLATIONS}
