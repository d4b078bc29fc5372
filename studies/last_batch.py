"""A reading of the paper's row of MinSyn (Binary): what the last, partial batch of a pass shows."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
import typer
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from minsyn.datasets import Letters as LetterImages
from minsyn.datasets import load_letters, make_word_images
from minsyn.metrics import average_character_concentration
from studies.command import Components, Draws, Letters, Output, Seed, app_of, clear_errors, write

__all__ = ["Scores", "last_batch_scores"]

Smoothing = Literal["clip", "add"]
#: The paper's row of MinSyn (Binary).
PAPER = {"train loss": 12.94, "test loss": 48.12, "ACC": 0.558}


class _Statistics(NamedTuple):
    """Means over a batch: of z x, of z and of x."""

    zx: Float[Tensor, "latents pixels"]
    z: Float[Tensor, " latents"]
    x: Float[Tensor, " pixels"]


class Scores(NamedTuple):
    """Scores of one draw, of the last batch and of all words."""

    train_loss: float
    test_loss: float
    acc: float
    train_loss_all: float
    test_loss_all: float


def last_batch_scores(
    letters: LetterImages,
    random_state: int,
    *,
    n_components: int = 9,
    n_steps: int = 501,
    batch_size: int = 64,
    eps: float = 1e-4,
    smoothing: Smoothing = "clip",
    momentum: float = 0.1,
) -> Scores:
    """Train as the paper's appendix says, and score the last batch by its own statistics.

    Adam at a learning rate of .001, Glorot-uniform weights, words in alphabetical order and never
    shuffled. The last batch of 149 words by 64 has 21, and that of 363 has 43.

    Parameters
    ----------
    letters : minsyn.datasets.Letters
        Images of letters.
    random_state : int
        Seed of the draw of letters and of the weights.
    n_components : int
        Latents.
    n_steps : int
        Steps of Adam.
    batch_size : int
        Words in a batch.
    eps : float
        Smallest probability of which a logarithm is taken.
    smoothing : {"clip", "add"}
        Whether probabilities given a pixel are clipped to [eps, 1 - eps], or eps is added to the
        joint ones.
    momentum : float
        Weight of a new batch in the moving average that decodes all words.

    Returns
    -------
    Scores
    """
    words = make_word_images(letters=letters, random_state=random_state)
    train, test = (torch.from_numpy(np.asarray(X, np.float32)) for X in (words.train, words.test))
    torch.manual_seed(random_state)
    weights = torch.empty(n_components, train.shape[1])
    torch.nn.init.xavier_uniform_(weights)
    weights.requires_grad_()
    bias = torch.zeros(n_components, requires_grad=True)

    def encode(x: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch latents"]:
        return torch.sigmoid(x @ weights.T + bias)

    def decoded(z: Tensor, statistics: _Statistics) -> Tensor:
        maps, offset = _decoder(statistics, eps, smoothing)
        return z @ maps + offset

    optimiser = torch.optim.Adam([weights, bias], lr=1e-3)
    batches = train.split(batch_size)
    with torch.no_grad():
        average = _statistics(encode(batches[0]), batches[0])
    for step in range(n_steps):
        x = batches[step % len(batches)]
        z = encode(x)
        statistics = _statistics(z, x)
        loss = binary_cross_entropy_with_logits(decoded(z, statistics), x, reduction="sum")
        optimiser.zero_grad()
        (loss / len(x)).backward()
        optimiser.step()
        average = _Statistics(
            *(
                torch.lerp(old, new.detach(), momentum)
                for old, new in zip(average, statistics, strict=True)
            )
        )
    with torch.no_grad():

        def error(x: Tensor, statistics: _Statistics) -> float:
            x_hat = torch.sigmoid(decoded(encode(x), statistics))
            return float(((x - x_hat) ** 2).sum(1).mean())

        last, last_test = batches[-1], test.split(batch_size)[-1]
        own = _statistics(encode(last), last)
        maps = _decoder(own, eps, smoothing)[0].numpy().astype(float)
        return Scores(
            error(last, own),
            error(last_test, _statistics(encode(last_test), last_test)),
            average_character_concentration(maps, words.groups),
            error(train, average),
            error(test, average),
        )


def _statistics(z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch pixels"]) -> _Statistics:
    return _Statistics(z.T @ x / len(x), z.mean(0), x.mean(0))


def _log_conditionals(
    statistics: _Statistics, eps: float, smoothing: Smoothing
) -> list[Float[Tensor, "latents pixels"]]:
    """Logarithms of p(z_j | x_i): 1 given 1, 0 given 1, 1 given 0, 0 given 0."""
    zx, z, x = statistics.zx, statistics.z[:, None], statistics.x
    cells = (zx, x - zx, z - zx, 1 - z - x + zx)
    pairs = list(zip(cells, (x, x, 1 - x, 1 - x), strict=True))
    if smoothing == "add":
        return [torch.log(cell.clamp(0) + eps) - torch.log(p + eps) for cell, p in pairs]
    return [torch.log((cell / p.clamp(eps, 1 - eps)).clamp(eps, 1 - eps)) for cell, p in pairs]


def _decoder(
    statistics: _Statistics, eps: float, smoothing: Smoothing
) -> tuple[Float[Tensor, "latents pixels"], Float[Tensor, " pixels"]]:
    """Weights and bias of Eq. 10."""
    on_1, on_0, off_1, off_0 = _log_conditionals(statistics, eps, smoothing)
    prior = torch.logit(statistics.x.clamp(eps, 1 - eps))
    return on_1 + off_0 - on_0 - off_1, prior + (on_0 - off_0).sum(0)


def table_of(scores: pd.DataFrame) -> str:
    """Means and standard deviations beside the paper's values, in Markdown."""
    rows = []
    for name, column in zip(PAPER, ("train_loss", "test_loss", "acc"), strict=True):
        mean, sd = scores[column].mean(), scores[column].std()
        digits = 3 if name == "ACC" else 1
        rows.append(
            f"| {name} | {mean:.{digits}f} ± {sd:.{digits}f} | {PAPER[name]} | "
            f"{(PAPER[name] - mean) / sd:+.1f} |"
        )
    all_train, all_test = scores["train_loss_all"].mean(), scores["test_loss_all"].mean()
    return "\n".join(
        [
            f"| | last batch, {len(scores)} draws | paper | distance in standard deviations |",
            "|:--|--:|--:|--:|",
            *rows,
            "",
            "The same models, decoded with the moving average of the statistics, have losses of "
            f"{all_train:.1f} on all training words and {all_test:.1f} on all unseen ones.",
        ]
    )


def last_batch(
    letters: Letters = "typewriter",
    draws: Draws = 20,
    components: Components = 9,
    steps: Annotated[int, typer.Option(help="Steps of Adam.")] = 501,
    smoothing: Annotated[
        Smoothing, typer.Option(help="Small probabilities are clipped, or a constant is added.")
    ] = "clip",
    seed: Seed = 0,
    output: Output = Path("runs/last-batch"),
) -> None:
    """Score the last partial batch of MinSyn (Binary) by its own statistics.

    Writes last_batch.csv and last_batch.md.
    """
    with clear_errors(output):
        images = load_letters(letters)
        scores = pd.DataFrame(
            last_batch_scores(
                images, seed + draw, n_components=components, n_steps=steps, smoothing=smoothing
            )
            for draw in range(draws)
        )
        table = table_of(scores)
        write(output, {"last_batch.csv": scores.to_csv(index=False), "last_batch.md": table}, {})


app = app_of(last_batch)

if __name__ == "__main__":
    app(prog_name="python -m studies.last_batch")
