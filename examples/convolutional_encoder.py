"""
A torch model of your own with a MinSyn decoder
===============================================

Images of handwritten digits (8 x 8 pixels, from scikit-learn) are encoded by a small convolutional
network. The decoder is not trained: in training mode it sets itself from each batch, so that all
there is to optimise are the encoder's parameters.

    python examples/convolutional_encoder.py
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn

from minsyn.nn import BernoulliDecoder


class Encoder(nn.Module):
    """From images to latents in [0, 1]."""

    def __init__(self, n_latents: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * 4 * 4, n_latents),
            nn.Sigmoid(),  # what the Bernoulli decoder takes for probabilities
        )

    def forward(self, x: Tensor) -> Tensor:
        """Latents of images given as rows of pixels."""
        return self.layers(x.view(-1, 1, 8, 8))


class Model(nn.Module):
    """Encoder and decoder in one module, so that one state_dict holds both."""

    def __init__(self, n_latents: int = 16) -> None:
        super().__init__()
        self.encoder = Encoder(n_latents)
        self.decoder = BernoulliDecoder(n_latents, n_features=64)

    def loss(self, x: Tensor) -> Tensor:
        """Cross-entropy in nats an image; in training, of the decoder that this batch sets."""
        return self.decoder.loss(self.encoder(x), x)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruction: by the batch's decoder in training, by the running one in evaluation."""
        return self.decoder(self.encoder(x), x)


def digits() -> tuple[Tensor, Tensor]:
    """Pixels in [0, 1] for training and for testing."""
    x = torch.from_numpy(load_digits().data).float() / 16
    return x[:1500], x[1500:]


def fit(model: Model, x: Tensor, n_steps: int, batch_size: int = 256) -> None:
    """Adam on random batches; nothing here knows that the decoder is special."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for step in range(n_steps):
        batch = x[torch.randint(len(x), (batch_size,))]
        optimizer.zero_grad()
        loss = model.loss(batch)
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step:4d}: {loss.item():.2f} nats an image")


def cross_entropy_of_means(train: Tensor, test: Tensor) -> float:
    """What is reached without any latents: every pixel predicted by its mean."""
    mean = train.mean(dim=0).clamp(1e-3, 1 - 1e-3)
    return -(test * mean.log() + (1 - test) * (1 - mean).log()).sum(dim=1).mean().item()


@torch.no_grad()
def evaluate(model: Model, train: Tensor, test: Tensor) -> dict[str, float]:
    """Cross-entropies on the test images, in nats an image."""
    model.eval()  # the decoder now uses its running statistics: a single image will do
    return {
        "pixel means": cross_entropy_of_means(train, test),
        "model": model.loss(test).item(),
        "first image alone": model.loss(test[:1]).item(),
    }


def save_and_load(model: Model, path: Path) -> Model:
    """The statistics are buffers, so the state_dict is all that is needed to decode again."""
    torch.save(model.state_dict(), path)
    loaded = Model()
    loaded.load_state_dict(torch.load(path, weights_only=True))
    return loaded.eval()


def draw(model: Model, images: Tensor) -> Figure:
    """What each latent adds to the log odds of pixels; images and their reconstructions."""
    weights, _ = model.decoder.linear_map(model.decoder.running.statistics())
    order = weights.abs().sum(dim=1).argsort(descending=True)
    limit = weights.abs().quantile(0.99).item()
    with torch.no_grad():
        rows = [weights[order[:8]], weights[order[8:]], images[:8], model(images[:8])]
    titles = ["latents: red is drawn, blue erased", "", "test images", "reconstructions"]
    figure, grid = plt.subplots(4, 8, figsize=(7, 4), gridspec_kw={"hspace": 0.4})
    for axes, row, title in zip(grid, rows, titles, strict=True):
        signed = bool(row.min() < 0)
        low, high, colours = (-limit, limit, "RdBu_r") if signed else (0.0, 1.0, "Greys")
        for ax, pixels in zip(axes, row, strict=True):
            ax.imshow(pixels.view(8, 8).numpy(), vmin=low, vmax=high, cmap=colours)
            ax.set(xticks=[], yticks=[])
        axes[0].set_title(title, loc="left", fontsize=9)
    return figure


def main(n_steps: int = 300) -> dict[str, float]:
    """Train, evaluate, save and load again, and look at the latents."""
    torch.manual_seed(0)
    train, test = digits()
    model = Model()
    fit(model, train, n_steps)
    results = evaluate(model, train, test)
    for name, value in results.items():
        print(f"test, {name}: {value:.2f} nats an image")
    with tempfile.TemporaryDirectory() as folder:
        loaded = save_and_load(model, Path(folder) / "model.pt")
    assert torch.equal(loaded(test), model(test))
    draw(loaded, test)
    plt.show()
    return results


if __name__ == "__main__":
    main()
