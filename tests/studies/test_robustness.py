import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import NMF, PCA
from typer.testing import CliRunner

from minsyn.benchmark import find_methods
from minsyn.datasets import Vocabulary, make_word_images
from studies.robustness.__main__ import app
from studies.robustness.damage import DAMAGES
from studies.robustness.losses import CLEAN, damage_losses, damaged_words, measure_robustness
from studies.robustness.report import figure_of_robustness, robustness_table

WORDS = make_word_images(random_state=0)


class Same:
    """A model that gives back what it is given."""

    def reconstruct(self, X):
        return X


def damage(key):
    return DAMAGES[key].apply(WORDS, np.random.default_rng(0))


def losses(estimator, *keys):
    return damage_losses(estimator, WORDS, {key: damage(key) for key in keys}).set_index("damage")


@pytest.mark.parametrize("std", [0.1, 0.3, 0.5])
def test_noise_has_its_deviation_everywhere(std):
    noise = damage(f"noise-{std}").X - WORDS.test
    assert noise.mean() == pytest.approx(0, abs=0.002) and noise.std() == pytest.approx(
        std, rel=0.01
    )
    frame = losses(Same(), f"noise-{std}")
    assert frame.loss[f"noise-{std}"] == pytest.approx(2352 * std**2, rel=0.01)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_salt_and_pepper_are_equally_likely(share):
    given = damage(f"salt-pepper-{share}").X
    grey = (WORDS.test > 0) & (WORDS.test < 1)
    changed = given[grey] != WORDS.test[grey]
    assert changed.mean() == pytest.approx(share, rel=0.05)
    assert given[grey][changed].mean() == pytest.approx(0.5, abs=0.05)
    assert set(np.unique(given[grey][changed])) == {0.0, 1.0}


@pytest.mark.parametrize("ink", [0, 1])
def test_patch_is_one_square_of_one_ink(ink):
    changed = (WORDS.test != damage(f"patch-{ink}").X).reshape(-1, *WORDS.image_shape)
    for image in changed[changed.any(axis=(1, 2))]:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert np.ptp(rows) < 10 and np.ptp(columns) < 10
    given = damage(f"patch-{ink}").X.reshape(-1, *WORDS.image_shape)
    assert set(np.unique(given[changed])) == {float(ink)}
    if ink:
        assert changed.sum(axis=(1, 2)).max() == 100


@pytest.mark.parametrize("key", ["blank", "replaced"])
def test_one_character_is_damaged_and_no_other(key):
    given = damage(key)
    gone = WORDS.groups == given.position[:, None]
    clean = WORDS.test.astype(float)
    assert np.array_equal(given.X[~gone], clean[~gone])
    assert np.bincount(given.position, minlength=3).min() > 90
    if key == "blank":
        assert not given.X[gone].any()
        return
    letters = {tuple(row[WORDS.groups == k]) for row in clean for k in range(3)}
    for row, (image, position) in enumerate(zip(given.X, given.position, strict=True)):
        here = WORDS.groups == position
        assert tuple(image[here]) in letters and not np.array_equal(image[here], clean[row, here])


def test_losses_are_of_the_clean_image_and_its_parts():
    frame = losses(Same(), "blank", "replaced")
    given = damage("blank")
    gone = WORDS.groups == given.position[:, None]
    by_hand = np.sum(np.where(gone, WORDS.test.astype(float), 0) ** 2, axis=1).mean()
    assert frame.loss["blank"] == pytest.approx(by_hand)
    assert frame.others_loss[["blank", "replaced"]].tolist() == [0, 0]
    assert frame.loss[CLEAN] == 0


def test_a_model_of_each_character_alone_keeps_the_others():
    """A linear model whose maps do not cross characters; PCA's do."""
    X = WORDS.train.astype(float)

    class Apart:
        def reconstruct(self, T):
            out = np.empty_like(T)
            for k in range(3):
                here = WORDS.groups == k
                pca = PCA(3).fit(X[:, here])
                out[:, here] = pca.inverse_transform(pca.transform(T[:, here]))
            return out

    apart, together = losses(Apart(), "blank", "replaced"), losses(PCA(9).fit(X), "blank")
    assert apart.others_relative[["blank", "replaced"]].tolist() == pytest.approx([1, 1])
    assert abs(together.others_relative["blank"] - 1) > 0.05


def test_nonnegative_models_get_nonnegative_inputs():
    model = NMF(2, init="nndsvda", max_iter=20).fit(WORDS.train.astype(float))
    assert np.isfinite(losses(model, "noise-0.5").loss).all()


def test_same_numbers_for_any_order_and_jobs(tiny):
    whole = pd.concat(measure_robustness(tiny()), ignore_index=True)
    assert whole.damage.tolist()[: len(DAMAGES) + 1] == [CLEAN, *DAMAGES]
    alone = pd.concat(
        measure_robustness(tiny(("ica",)), [DAMAGES["replaced"], DAMAGES["noise-0.3"]])
    )
    chosen = whole[(whole.method == "ica") & whole.damage.isin({CLEAN, "replaced", "noise-0.3"})]
    pd.testing.assert_frame_equal(
        alone.sort_values(["draw", "damage"], ignore_index=True),
        chosen.sort_values(["draw", "damage"], ignore_index=True),
        check_exact=True,
    )
    text = robustness_table(whole, tiny(), "the command")
    assert "Character replaced: the other characters" in text and "2 draws" in text


def test_draws_differ(tiny):
    experiment = tiny()
    words = experiment.data(0)
    first, second = (
        damaged_words(experiment, words, draw, DAMAGES["noise-0.1"]).X for draw in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_a_letter_without_others_stays(tiny_letters):
    words = make_word_images(
        Vocabulary.from_words(["an", "at", "in"], ["it"]), tiny_letters, random_state=0
    )
    given = DAMAGES["replaced"].apply(words, np.random.default_rng(0))
    assert np.array_equal(given.X, words.test)


def test_no_test_words(tiny):
    with pytest.raises(ValueError, match="no test words"):
        next(measure_robustness(tiny(vocabulary=Vocabulary.from_words(["an", "in", "at"], []))))


def test_figure_has_every_draw_of_every_damage(rng):
    methods = find_methods(["pca", "minsyn-vector"])
    rows = [
        (method.key, draw, damage, *rng.uniform(100, 200, 2))
        for method in methods
        for draw in range(3)
        for damage in (CLEAN, "noise-0.5", "blank")
    ]
    data = pd.DataFrame(rows, columns=["method", "draw", "damage", "loss", "others_loss"])
    data.loc[data.damage != "blank", "others_loss"] = np.nan
    figure = figure_of_robustness(data, methods)
    assert [axes.get_title() for axes in figure.axes] == [
        "Clean",
        "Gaussian noise,\nσ = 0.5",
        "Character blanked",
        "Character blanked:\nthe other characters",
    ]
    panels = [(CLEAN, "loss"), ("noise-0.5", "loss"), ("blank", "loss"), ("blank", "others_loss")]
    for axes, (damage, column) in zip(figure.axes, panels, strict=True):
        for place, method in enumerate(methods):
            own = data[(data.method == method.key) & (data.damage == damage)][column]
            draws, mean = (axes.collections[2 * place + i].get_offsets() for i in (0, 1))
            np.testing.assert_allclose(draws[:, 0], own)
            np.testing.assert_allclose(mean, [[own.mean(), place]])


def test_command(tmp_path):
    options = ("--methods", "pca", "--jobs", "1", "--output", str(tmp_path))
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(tmp_path / "robustness.csv").set_index("damage")
    assert frame.relative["clean"] == 1 < frame.relative["noise-0.5"]
    table = (tmp_path / "robustness.md").read_text()
    assert f"| Clean | {frame.loss['clean']:.1f} (×1.00) |" in table
    assert "python -m studies.robustness" in table and "--seed 0 --methods pca`" in table
    assert (tmp_path / "robustness.png").exists()
    wrong = CliRunner().invoke(app, ["--methods", "pcs", "--output", str(tmp_path)])
    assert wrong.exit_code == 1 and "did you mean 'pca'?" in wrong.output
