import numpy as np
import pytest

from minsyn.benchmark import METHODS
from minsyn.datasets import Letters


def test_seeds_depend_on_what_they_should(tiny):
    few, more = tiny(["pca"]), tiny(["ica", "pca"], draws=7)
    pca, ica = METHODS["pca"], METHODS["ica"]
    assert few.random_state(pca, 1) == more.random_state(pca, 1)
    seeds = {more.random_state(method, draw) for method in (pca, ica) for draw in range(7)}
    assert len(seeds) == 14
    assert few.random_state(pca, 0) != tiny(["pca"], seed=1).random_state(pca, 0)


def test_words_depend_on_seed_and_draw_alone(tiny):
    one, other = tiny(["pca"]).data(1), tiny(["ica"], draws=5).data(1)
    np.testing.assert_array_equal(one.train, other.train)
    assert not np.array_equal(one.train, tiny().data(0).train)
    assert not np.array_equal(one.train, tiny(seed=1).data(1).train)


def test_methods_and_draws_are_no_settings(tiny):
    assert tiny(["pca"]).settings() == tiny(["ica", "pca"], draws=9).settings()


def test_settings_know_the_letters_themselves(tiny):
    experiment = tiny()
    images = experiment.letters.images.copy()
    images[0, 0, 0] ^= 1
    changed = Letters(
        images, experiment.letters.labels, experiment.letters.styles, experiment.letters.name
    )
    other = type(experiment)(
        changed, experiment.methods, vocabulary=experiment.vocabulary, n_components=2
    )
    old, new = experiment.settings(), other.settings()
    assert {key for key in old if old[key] != new[key]} == {"letters_sha256"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"draws": 0}, "draws: 0 must be at least 1"),
        ({"seed": -1}, "seed: -1 must be at least 0"),
        ({"samples_per_word": 0}, "samples_per_word: 0 must be at least 1"),
        ({"resample": "some"}, "resample: 'some' is not one of 'none', 'words', 'all'"),
        ({"n_components": 6}, "n_components: 6 must be from 1 to 5, as there are 5 word images"),
        ({"n_components": 0}, "n_components: 0 must be from 1"),
        ({"methods": ["pca", "pca"]}, None),
    ],
)
def test_bad_settings_are_named(tiny, settings, message):
    if message is None:  # find_methods drops repeats; an experiment of one's own may have them
        with pytest.raises(ValueError, match="methods: pca given twice"):
            tiny([METHODS["pca"], METHODS["pca"]])
        return
    with pytest.raises(ValueError, match=message):
        tiny(**settings)


def test_letter_without_image(tiny, tiny_letters):
    few = Letters(tiny_letters.images[:1], tiny_letters.labels[:1])
    with pytest.raises(ValueError, match="has no image of"):
        type(tiny())(few, vocabulary=tiny().vocabulary)
