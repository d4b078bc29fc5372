"""The ablation as Markdown: losses, concentration and measured synergies of every row."""

from collections.abc import Sequence

from minsyn.benchmark.ablation import find_ablation
from minsyn.benchmark.experiment import Experiment
from minsyn.benchmark.inference import SCORES
from minsyn.benchmark.measured import MEASURES
from minsyn.benchmark.summary import MethodSummary

__all__ = ["ABLATION_REFERENCES", "ablation_table"]

#: Methods that stand below the ablation's rows, for orientation.
ABLATION_REFERENCES = (
    "minsyn-single-parent",
    "minsyn-correlation",
    "oracle",
    "minsyn-gaussian",
    "pca",
    "sparse-pca",
    "autoencoder",
)

_HEADERS = {
    "train_loss": "Train loss",
    "test_loss": "Test loss",
    "acc": "ACC",
    "ci_synergy": "CI synergy",
    "gk_synergy": "GK synergy",
    "gk_synergy_groups": "GK, groups",
}
#: Fewer than elsewhere: there are many rows.
_DECIMALS = {**SCORES, **MEASURES, "train_loss": 1, "test_loss": 1}


def ablation_table(
    rows: Sequence[MethodSummary], experiment: Experiment, command: str | None = None
) -> str:
    """A row for each combination of partition, decoder, balance and penalty; references last.

    Parameters
    ----------
    rows : sequence of MethodSummary
        Of the ablation's methods and of others.
    experiment : Experiment
        What they come from; its methods give the order.
    command : str, optional
        The command that made it.

    Returns
    -------
    str
        Markdown, with means ± standard deviations over draws.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> text = ablation_table([], Experiment(load_letters("typewriter")))
    >>> text.splitlines()[0].split("|")[1:5]
    [' Partition ', ' Decoder ', ' Balanced ', ' Penalty ']
    """
    found = {row.key: row for row in rows}
    ablated, others = [], []
    for method in experiment.methods:
        row = found.get(method.key)
        if row is None:
            continue
        scores = [row.scores[name].text(decimals) for name, decimals in _DECIMALS.items()]
        scores.append(f"{row.draws - row.unconverged} of {row.draws}")
        if method.key.startswith("ablation-"):
            ablation = find_ablation(method.key)
            yes = ["yes" if part else "no" for part in (ablation.balance, ablation.penalty)]
            ablated.append([*ablation.names, *yes, *scores])
        else:
            others.append([row.label, "", "", "", *scores])
    header = ["Partition", "Decoder", "Balanced", "Penalty", *(_HEADERS[n] for n in _DECIMALS)]
    header.append("Settled")
    lines = [f"| {' | '.join(header)} |", f"|{':--|' * 4}{'--:|' * (len(_DECIMALS) + 1)}"]
    lines += [f"| {' | '.join(cells)} |" for cells in (*ablated, *others)]
    draws = max((row.draws for row in rows), default=0)
    lines += [
        "",
        f"Letters: {experiment.letters.name}; {draws} draw{'' if draws == 1 else 's'}, seed "
        f"{experiment.seed}; {experiment.n_components} latents. Mean"
        f"{' ± standard deviation over draws' if draws > 1 else ' of the only draw'}. Losses are "
        "squared errors summed over the pixels; ACC is in nats; synergies about the pixels are in "
        "bits, measured on the training words and averaged by the pixels' variances, among all "
        "latents and among their groups. Lower is better for all. Settled: draws in which the loss "
        "stopped falling before the evaluations ran out.",
    ]
    dead = [f"{row.label} {row.dead_factors}" for row in rows if row.dead_factors]
    if dead:
        lines += ["", f"Latents without weight, left out of ACC: {', '.join(dead)}."]
    if command is not None:
        lines += ["", f"Made by `{command}`."]
    return "\n".join(lines) + "\n"
