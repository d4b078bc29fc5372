import numpy as np
import pytest
from scipy.special import expit
from typer.testing import CliRunner

from minsyn.benchmark import METHODS, decoder_maps
from minsyn.datasets import load_typewriter
from minsyn.estimators import Adam, MinSyn
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli
from studies.batch_statistics import BatchDecodedMinSyn, app, batch_method, figure_of_batches


def test_one_batch_of_all_is_the_exact_decoder(rng):
    X = (rng.random((40, 8)) < 0.5).astype(np.float32)
    model = BatchDecodedMinSyn(2, batch_size=40, random_state=3).fit(X)
    exact = MinSyn(2, decoder="bernoulli", solver=Adam(batch_size=40), random_state=3).fit(X)
    np.testing.assert_allclose(model.components_, exact.components_, atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(X), exact.reconstruct(X), atol=1e-5)


def test_each_batch_is_decoded_by_its_own_statistics(rng):
    X = (rng.random((10, 8)) < 0.5).astype(float)
    model = BatchDecodedMinSyn(2, batch_size=4, random_state=0).fit(X)
    assert decoder_maps(model).shape == (3 * 2, 8)  # batches of 4, 3 and 3
    new = (rng.random((3, 8)) < 0.5).astype(float)  # one batch
    Z = model._model.transform(new)
    weights, bias = bernoulli.ci_linear_map(PairwiseStatistics.of(Z, new))
    np.testing.assert_allclose(model.reconstruct(new), expit(Z @ weights + bias))


def test_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="batch_size: 1 must be at least 2"):
        batch_method(1)


def test_figure_has_every_batch_size_and_both_references(cell):
    results = [
        cell(batch_method(size).key, draw, train_loss=10.0 * size + draw)
        for size in (4, 16)
        for draw in (0, 2)
    ]
    results += [cell("minsyn-bernoulli", draw, train_loss=50.0 + draw) for draw in (0, 4)]
    figure = figure_of_batches(results, [16, 4, 149])
    axes = figure.axes[0]
    figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["4", "16"]
    means = [tuple(marks.get_offsets()[0]) for marks in axes.collections[1::2]]
    assert means == [(4, 41), (16, 161)]
    (joined,) = (line for line in axes.lines if list(line.get_xdata()) == [4, 16])
    assert list(joined.get_ydata()) == [41, 161]
    heights = {line.get_label(): line.get_ydata()[0] for line in axes.lines}
    assert heights["statistics fixed after training"] == 52
    assert heights["the paper"] == METHODS["minsyn-bernoulli"].paper.train_loss
    named = [text.get_text() for text in figure.legends[0].texts]
    assert set(named) == {
        "statistics fixed after training",
        "the paper",
        "statistics of the batch itself",
    }
    with pytest.raises(ValueError, match="sizes: none of 149 has a finished cell"):
        figure_of_batches(results, [149])


def test_command(tmp_path):
    letters = load_typewriter(size=4)
    np.savez(tmp_path / "small.npz", images=letters.images, labels=letters.labels)
    options = ("--letters", tmp_path / "small.npz", "--components", 1, "--draws", 1, "--jobs", 1)
    result = CliRunner().invoke(
        app, [*map(str, options), "--batch-sizes", "149 64", "--output", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    table = (tmp_path / "out" / "batch_statistics.md").read_text()
    rows = [line.split(" | ")[0] for line in table.splitlines()[2:5]]
    assert rows == [
        "| MinSyn (Binary)",
        "| MinSyn (Binary), batch statistics (64)",
        "| MinSyn (Binary), batch statistics (149)",
    ]
    assert "--batch-sizes 64,149`" in table
    assert (tmp_path / "out" / "batch_statistics.png").exists()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("", "expected whole numbers"),
        ("4,x", "found 'x'"),
        ("1", "batch_size: 1 must be"),
    ],
)
def test_bad_batch_sizes(tmp_path, sizes, message):
    result = CliRunner().invoke(app, ["--batch-sizes", sizes, "--output", str(tmp_path / "out")])
    assert result.exit_code == 1 and message in result.output.replace("\n", " ")
