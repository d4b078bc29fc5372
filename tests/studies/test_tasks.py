import builtins

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA, FastICA
from typer.testing import CliRunner

from minsyn.benchmark import Experiment, Method, Store, find_methods, run_cell
from minsyn.datasets import PAPER_WORDS, Letters, Vocabulary, load_letters, load_typewriter
from minsyn.estimators.vectors.grouping import find_groups
from minsyn.metrics import group_agreement
from studies.tasks.__main__ import app
from studies.tasks.catalogue import TASKS, find_tasks
from studies.tasks.data import TaskExperiment, WordTask
from studies.tasks.report import figure_of_tasks, tasks_frame, tasks_table

SEED = np.random.SeedSequence(5, spawn_key=(0, 1))


@pytest.fixture(scope="module")
def letters():
    return load_typewriter(size=8)


def task(letters, key):
    return find_tasks(letters, [key])[0]


@pytest.mark.parametrize(
    ("key", "n_train", "n_test", "n_features", "n_groups"),
    [
        ("words-3", 149, 363, 3 * 64, 3),
        ("words-5", 140, 400, 5 * 64, 5),
        ("few-40", 40, None, 3 * 64, 3),
        ("few-25", 25, None, 3 * 64, 3),
        ("new-images", 1490, 363, 3 * 64, 3),
        ("shift-1", 1490, 363, 3 * 64, 3),
        ("overlap-half", 149, 363, 2 * 64, 3),
        ("fonts", 149, 363, 3 * 784, 3),
        ("digits", 150, 400, 3 * 64, 3),
        ("genes", 300, 300, 200, 6),
    ],
)
def test_each_task_is_what_it_says(letters, key, n_train, n_test, n_features, n_groups):
    if key == "words-5":
        pytest.importorskip("wordsegment")
    found = task(letters, key)
    data = found.draw(SEED)
    assert data.train.shape == (n_train, n_features)
    assert data.test.shape[1:] == (n_features,)
    assert len(data.test) == n_test if n_test else 100 < len(data.test) <= 363
    assert set(data.groups) - {-1} == set(range(n_groups))
    assert found.n_groups == n_groups
    assert found.n_components == (15 if key == "genes" else 3 * n_groups)
    assert found.in_unit_range == (data.train.min() >= 0 and data.train.max() <= 1)
    again, other = found.draw(SEED), found.draw(np.random.SeedSequence(6))
    assert np.array_equal(data.train, again.train) and np.array_equal(data.test, again.test)
    assert not np.array_equal(data.train, other.train)


@pytest.mark.parametrize("key", [key for key in TASKS if key not in ("genes", "words-4")])
def test_held_out_words_are_new_combinations_of_letters_that_were_seen(letters, key):
    if key == "words-5":
        pytest.importorskip("wordsegment")
    words = task(letters, key).draw(SEED)
    assert not set(words.train_words) & set(words.test_words)
    for seen, new in zip(words.train_factors.T, words.test_factors.T, strict=True):
        assert set(new) <= set(seen)


def test_few_words_are_other_words_in_each_draw(letters):
    found = task(letters, "few-25")
    first, second = (set(found.draw(np.random.SeedSequence(s)).train_words) for s in (0, 1))
    assert first <= set(PAPER_WORDS) and first != second


def test_new_images_differ_within_a_word_and_paper_words_do_not(letters):
    new, paper = (task(letters, key).draw(SEED) for key in ("new-images", "words-3"))
    assert len(np.unique(new.train[:10], axis=0)) > 1
    ends = paper.train.reshape(149, 8, 3, 8)
    same = [word[0] == word[2] for word in paper.train_words]
    assert any(same)
    assert np.array_equal(ends[same][:, :, 0], ends[same][:, :, 2])


def test_the_paper_s_words_are_those_of_the_benchmark(letters):
    (pca,) = find_methods(["pca"])
    ours = TaskExperiment(task(letters, "words-3"), (pca,), draws=2, seed=3).data(1)
    theirs = Experiment(letters, (pca,), draws=2, seed=3).data(1)
    assert np.array_equal(ours.train, theirs.train) and np.array_equal(ours.test, theirs.test)


def test_a_table_leaves_out_methods_for_ink_and_takes_the_linear_autoencoder(letters):
    methods = find_methods(["minsyn-bernoulli", "autoencoder", "pca"])
    experiment = TaskExperiment(task(letters, "genes"), methods, draws=1)
    assert [method.key for method in experiment.methods] == ["autoencoder", "pca"]
    with pytest.raises(ValueError, match=r"none suits the values of 'Gene-like table'"):
        TaskExperiment(task(letters, "genes"), methods[:1])
    with pytest.raises(ValueError, match=r"MinSyn \(Binary\) takes values from 0 to 1"):
        run_cell(methods[0], 0, experiment.data(0), 15, 0)


class Grouped(PCA):
    """Says which groups it was told, the first feature set apart."""

    def set_params(self, grouping, n_components):
        self.told, self.n_components = grouping, sum(n_components)
        self.each = n_components
        return self

    def fit(self, X, y=None):
        self.groups_ = np.where(np.arange(X.shape[1]) == 0, 5, self.told)
        return super().fit(X)


def test_an_oracle_of_a_table_and_what_is_said_of_its_groups(letters):
    data = task(letters, "genes").draw(np.random.SeedSequence(0))
    grouped = Grouped()
    method = Method("g", "G", lambda m, seed: grouped, knows_positions=True)
    result = run_cell(method, 0, data, 15, 0)
    # As many latents as each module has causes; genes in no module have none.
    assert grouped.each == [3, 3, 3, 2, 2, 2]
    assert result.n_groups == 6
    assert result.wrong_features == (data.groups[0] != 5)
    assert result.adjusted_rand > 0.95
    assert run_cell(*find_methods(["pca"]), 0, data, 15, 0).n_groups is None


def test_concentration_leaves_out_features_of_no_group(letters):
    data = task(letters, "genes").draw(np.random.SeedSequence(0))
    (pca,) = find_methods(["pca"])
    result = run_cell(pca, 0, data, 15, 0)
    assert result.acc <= np.log(6)
    maps, shares = result.maps[:, data.groups >= 0] ** 2, []
    for module in range(6):
        shares.append(maps[:, data.groups[data.groups >= 0] == module].sum(1) / maps.sum(1))
    assert result.acc == pytest.approx(-np.mean(np.sum(shares * np.log(shares), 0)), rel=1e-4)


def test_cells_are_stored_with_their_groups(letters, tmp_path):
    experiment = TaskExperiment(task(letters, "genes"), find_methods(["pca"]), draws=1)
    store = Store(tmp_path, experiment)
    cell = run_cell(*experiment.methods, 0, experiment.data(0), 15, 0)
    grouped = type(cell)(**{**vars(cell), "n_groups": 6, "adjusted_rand": 0.5, "wrong_features": 3})
    store.add(grouped)
    (read,) = Store(tmp_path, experiment).results()
    assert (read.n_groups, read.adjusted_rand, read.wrong_features) == (6, 0.5, 3)
    with pytest.raises(ValueError, match="task is 'genes' there and 'digits' here"):
        Store(tmp_path, TaskExperiment(task(letters, "digits"), experiment.methods))


def test_table_has_means_ratios_and_groups(letters, cell):
    methods = find_methods(["pca", "minsyn-vector", "oracle"])
    cells = [
        cell("pca", 0, test_loss=30.0, acc=0.9),
        cell("pca", 1, test_loss=60.0, acc=0.8),
        cell("oracle", 0, test_loss=10.0, acc=0.0, n_groups=3),
        cell("oracle", 1, test_loss=40.0, acc=0.0, n_groups=3),
        cell("minsyn-vector", 0, test_loss=11.0, acc=0.0, n_groups=3, adjusted_rand=1.0,
             wrong_features=0),
        cell("minsyn-vector", 1, test_loss=50.0, acc=0.1, n_groups=2, adjusted_rand=0.5,
             wrong_features=9),
    ]  # fmt: skip
    frame = tasks_frame({"digits": cells, "genes": []}, seed=7)
    pca = frame[frame.method == "pca"]
    assert pca.oracle_ratio.tolist() == [3.0, 1.5]
    tasks = find_tasks(letters, ["digits", "genes"])
    text = tasks_table(frame, tasks, methods, "the command").splitlines()
    assert "| Three-digit numbers | 45.00 (×2.25) | **30.50** (×1.18) | 25.00 |" in text
    assert (
        "| Three-digit numbers | 0.850 | 0.050 | 0.000 | 2 (1 draw), 3 (1 draw) of 3 |" in text[6]
    )
    assert text[6].endswith(" | 0.750 | 4.5 |")
    assert not any("Gene-like" in line for line in text)
    assert "Means over 2 draws, seed 7." in "\n".join(text) and text[-1].endswith("command`.")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["digit"], "task: 'digit' is unknown; did you mean 'digits'?"),
        (["zzz"], "'zzz' is unknown. Known are words-3, words-4"),
        ([], "task: none given"),
    ],
)
def test_bad_tasks_are_named(letters, keys, message):
    with pytest.raises(ValueError) as caught:
        find_tasks(letters, keys)
    assert message in str(caught.value)


def test_letters_without_an_image(letters):
    few = Letters(letters.images[:2], letters.labels[:2])
    with pytest.raises(ValueError, match="has no image of"):
        find_tasks(few, ["words-3"])


def test_longer_words_say_what_they_need(letters, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **settings):
        if name == "wordsegment":
            raise ImportError(name)
        return real(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"task words-4.*pip install 'minsyn\[words\]'"):
        find_tasks(letters, ["words-4"])


@pytest.mark.parametrize("settings", [{"draws": 0}, {"seed": -1}, {"methods": ()}])
def test_settings_out_of_range(letters, settings):
    given = {"methods": find_methods(["pca"]), **settings}
    with pytest.raises(ValueError, match=next(iter(settings))):
        TaskExperiment(task(letters, "words-3"), **given)


def test_a_task_of_one_s_own(letters):
    vocabulary = Vocabulary.from_words(["an", "in", "at"], ["it"])
    own = WordTask("own", "Own", letters, vocabulary, samples_per_word=2)
    assert own.draw(SEED).train.shape == (6, 128) and own.draw(SEED).test.shape == (1, 128)


def test_figure_has_every_ratio_and_the_oracles_line(letters):
    tasks = find_tasks(letters, ["digits", "genes"])
    methods = find_methods(["pca", "minsyn-vector", "oracle"])
    rows = [
        (task, method, draw, ratio + 0.1 * draw)
        for task, scale in (("digits", 3.0), ("genes", 1.2))
        for method, ratio in (("pca", scale), ("minsyn-vector", 1.05), ("oracle", 1.0))
        for draw in range(2)
    ]
    frame = pd.DataFrame(rows, columns=["task", "method", "draw", "oracle_ratio"])
    figure = figure_of_tasks(frame, tasks, methods)
    assert [axes.get_title() for axes in figure.axes] == [task.label for task in tasks]
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["PCA", "MinSyn (Vector)"]  # the oracle is the line
    for axes, pca in zip(figure.axes, (3.0, 1.2), strict=True):
        assert axes.get_xscale() == "log"
        draws = [marks.get_offsets()[:, 0] for marks in axes.collections[::2]]
        np.testing.assert_allclose(draws, [[pca, pca + 0.1], [1.05, 1.15]])
        means = [marks.get_offsets()[0, 0] for marks in axes.collections[1::2]]
        np.testing.assert_allclose(means, [pca + 0.05, 1.1])
        upright = [line for line in axes.lines if list(line.get_xdata()) == [1, 1]]
        assert len(upright) == 1 and list(upright[0].get_ydata()) == [0, 1]


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def small_letters(tmp_path_factory):
    letters = load_typewriter(size=8, fonts=("DejaVuSansMono", "DejaVuSerif"))
    path = tmp_path_factory.mktemp("letters") / "small.npz"
    np.savez(path, images=letters.images, labels=letters.labels, styles=letters.styles)
    return path


def test_from_tasks_to_table_and_figure(tmp_path, small_letters):
    out = tmp_path / "out"
    options = ("--letters", small_letters, "--draws", 1, "--jobs", 1, "--output", out)
    methods = ("--methods", "pca,minsyn-vector,oracle")
    result = invoke(*options, "--task", "digits,genes", *methods)
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(out / "tasks.csv")
    assert sorted(set(frame.task)) == ["digits", "genes"] and len(frame) == 6
    of = frame.set_index(["task", "method"])
    for key in ("digits", "genes"):
        ratio = of.test_loss[key, "pca"] / of.test_loss[key, "oracle"]
        assert of.oracle_ratio[key, "pca"] == pytest.approx(ratio)
    assert of.n_groups["digits", "minsyn-vector"] >= 1
    text = (out / "tasks.md").read_text()
    assert f"studies.tasks --letters {small_letters} --draws 1 --seed 0 --task digits" in text
    assert (out / "tasks.png").exists() and (out / "tasks.pdf").exists()
    assert "Three-digit numbers" in result.output and "tasks.png" in result.output

    # The same again fits nothing again; what was not asked for is left out.
    again = invoke(*options, "--task", "digits", "--methods", "pca")
    assert "1 of 1 cells were finished before" in again.output
    assert "No figure" in again.output
    assert len(pd.read_csv(out / "tasks.csv")) == 1
    other = invoke(*options, "--task", "digits", "--methods", "pca", "--seed", 1)
    assert other.exit_code == 1 and "seed is 0 there and 1 here" in other.output


def test_a_method_that_fails_leaves_the_others(tmp_path, monkeypatch):
    def fit(self, X, y=None):
        raise FloatingPointError("no")

    monkeypatch.setattr(FastICA, "fit", fit)
    result = invoke(
        *("--task", "digits,genes", "--methods", "pca,ica", "--draws", 1, "--jobs", 1),
        *("--output", tmp_path),
    )
    assert result.exit_code == 1
    assert result.output.count("ICA failed in draw 1") == 2
    assert len(pd.read_csv(tmp_path / "tasks.csv")) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--task", "digit"), "did you mean 'digits'?"),
        (("--task", "digits", "--methods", "pcs"), "did you mean 'pca'?"),
        (("--task", "digits", "--draws", "0"), "draws: 0 must be at least 1"),
        (("--task", ","), "task: none given"),
    ],
)
def test_errors_are_one_line(tmp_path, options, message):
    result = invoke(*options, "--output", tmp_path)
    assert result.exit_code == 1
    assert message in result.output and "Traceback" not in result.output


def test_without_wordsegment_all_goes_on_and_a_request_does_not(tmp_path, monkeypatch):
    def missing():
        raise ImportError("no wordsegment")

    monkeypatch.setattr("minsyn.datasets.frequencies._wordsegment_counts", missing)
    monkeypatch.setattr("studies.tasks.__main__.TASKS", ("words-4", "digits"))
    options = ("--methods", "pca", "--draws", 1, "--jobs", 1, "--output", tmp_path)
    result = invoke(*options)
    assert result.exit_code == 0 and "Left out: task words-4" in result.output
    assert set(pd.read_csv(tmp_path / "tasks.csv").task) == {"digits"}
    asked = invoke(*options, "--task", "words-4")
    assert asked.exit_code == 1 and "minsyn[words]" in asked.output


def test_letters_that_vary_together_are_told_apart(real_data):
    """A letter begins as part of its neighbour, and its pixels move over in several rounds."""
    (task,) = find_tasks(load_letters(real_data("emnist_letters.npz")), ["words-4"])
    words = TaskExperiment(task, find_methods(["minsyn-vector"]), draws=4, seed=200).data(3)
    grouping = find_groups(words.train)
    varies = words.train.min(axis=0) != words.train.max(axis=0)
    assert group_agreement(grouping.groups[varies], words.groups[varies]).wrong_features == 0
    assert grouping.core.sum() == varies.sum()
