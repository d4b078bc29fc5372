import numpy as np
import pytest

from minsyn.datasets import (
    Letters,
    Vocabulary,
    load_typewriter,
    make_word_images,
    paper_vocabulary,
    sample_counts,
)

PIPS = Vocabulary.from_words(["pip", "pop"], ["ipo"])


@pytest.fixture(scope="module")
def hands():
    """Many images a letter, each recognisable: pixel 0 tells the letter, pixel 1 the image."""
    labels = np.array(list("iop") * 40)
    images = np.zeros((120, 2, 3), np.uint8)
    images[:, 0, 0] = [ord(label) for label in labels]
    images[:, 0, 1] = np.arange(120)
    return Letters(images, labels, name="hands")


def shown(rows, image_shape, pixel):
    """The value of one pixel of each letter, in the units of the letters' images."""
    height, width = image_shape
    letters = rows.reshape(len(rows), height, width // 3, 3)
    return np.rint(letters[:, 0, :, pixel] * 255).astype(int)


@pytest.mark.parametrize("resample", ["none", "words", "all"])
def test_each_word_shows_its_letters_in_their_places(hands, resample):
    words = make_word_images(PIPS, hands, resample=resample, samples_per_word=3, random_state=0)
    for rows, names in ((words.train, words.train_words), (words.test, words.test_words)):
        codes = shown(rows, words.image_shape, 0)
        assert ["".join(map(chr, row)) for row in codes] == names.tolist()
    assert words.train_words.tolist() == ["pip"] * 3 + ["pop"] * 3
    assert words.train.dtype == np.float32
    assert words.source == "hands"


def test_none_uses_one_image_of_each_letter_everywhere(hands):
    words = make_word_images(PIPS, hands, samples_per_word=5, random_state=0)
    images = shown(np.vstack([words.train, words.test]), words.image_shape, 1)
    assert len(np.unique(images)) == 3


def test_words_uses_one_image_of_each_letter_in_a_row(hands):
    words = make_word_images(PIPS, hands, resample="words", samples_per_word=50, random_state=0)
    images = shown(words.train, words.image_shape, 1)
    np.testing.assert_array_equal(images[:, 0], images[:, 2])
    assert len(np.unique(images[:, 0])) > 20


def test_all_draws_every_character_anew(hands):
    words = make_word_images(PIPS, hands, resample="all", samples_per_word=50, random_state=0)
    images = shown(words.train, words.image_shape, 1)
    assert np.mean(images[:, 0] != images[:, 2]) > 0.9


def test_a_row_is_in_one_font_unless_all_is_resampled():
    letters = load_typewriter()
    style_of = {
        image.tobytes(): style for image, style in zip(letters.images, letters.styles, strict=True)
    }

    def fonts(resample):
        words = make_word_images(letters=letters, resample=resample, random_state=0)
        rows = np.rint(words.train.reshape(-1, 28, 3, 28) * 255).astype(np.uint8)
        return [{style_of[row[:, k].tobytes()] for k in range(3)} for row in rows]

    assert len(set.union(*fonts("none"))) == 1
    assert np.mean([len(row) for row in fonts("words")]) < 1.1
    assert len(set.union(*fonts("words"))) > 15
    assert np.mean([len(row) for row in fonts("all")]) > 2.5


def test_groups_tell_the_position_of_each_pixel(hands):
    words = make_word_images(PIPS, hands)
    assert words.image_shape == (2, 9)
    expected = [[0, 0, 0, 1, 1, 1, 2, 2, 2]] * 2
    assert words.groups.reshape(words.image_shape).tolist() == expected


def test_factors_are_the_letters():
    vocabulary = paper_vocabulary()
    words = make_word_images(vocabulary, random_state=0)
    for factors, names in (
        (words.train_factors, words.train_words),
        (words.test_factors, words.test_words),
    ):
        spelled = [
            "".join(here[code] for here, code in zip(vocabulary.letters, row, strict=True))
            for row in factors
        ]
        assert spelled == names.tolist()
    assert words.train_factors.max() == 7


def test_letter_factors_determine_the_image_when_nothing_is_resampled():
    words = make_word_images(random_state=0)
    blocks = words.train.reshape(-1, 28, 3, 28)
    for position in range(3):
        for code in range(8):
            same = blocks[words.train_factors[:, position] == code, :, position]
            assert np.all(same == same[0])


@pytest.mark.parametrize("resample", ["none", "words", "all"])
def test_seeds_decide_every_bit(hands, resample):
    def draw(seed):
        words = make_word_images(
            PIPS, hands, resample=resample, samples_per_word=4, random_state=seed
        )
        return words.train.tobytes() + words.test.tobytes()

    assert draw(7) == draw(7) == draw(np.int64(7)) == draw(np.random.default_rng(7))
    assert draw(np.random.SeedSequence(7)) == draw(7)
    assert draw(7) != draw(8)
    assert draw(None) != draw(None)


def test_samples_follow_counts(hands):
    counts = sample_counts(PIPS.train, {"pip": 3, "pop": 1}, 40, random_state=0)
    words = make_word_images(PIPS, hands, resample="all", samples_per_word=counts)
    assert words.train_words.tolist().count("pip") == counts["pip"]
    assert len(words.train) == 40
    assert words.test_words.tolist() == ["ipo"]
    words = make_word_images(PIPS, hands, samples_per_word={"pip": 0, "pop": 2, "ipo": 3})
    assert words.train_words.tolist() == ["pop"] * 2
    assert words.test_words.tolist() == ["ipo"] * 3


def test_without_held_out_words_the_test_part_is_empty(hands):
    words = make_word_images(Vocabulary.from_words(["pip"]), hands, resample="all")
    assert words.test.shape == (0, 18)
    assert words.test_factors.shape == (0, 3)


@pytest.mark.parametrize("word", ["7", "2718", "31415926"])
def test_any_length_alphabet_and_size(word):
    letters = load_typewriter("0123456789", size=12, fonts=("DejaVuSans",))
    words = make_word_images(Vocabulary.from_words([word]), letters)
    assert words.image_shape == (12, 12 * len(word))
    picture = words.train[0].reshape(words.image_shape)
    for position, digit in enumerate(word):
        here = picture[:, 12 * position : 12 * (position + 1)]
        np.testing.assert_allclose(here * 255, letters.images[int(digit)], rtol=1e-6)


@pytest.fixture(scope="module")
def dashes():
    """Letters of one image each: a grey dash, and black ones of two and three pixels."""
    images = np.zeros((3, 5, 8), np.uint8)
    images[0, 2, 3:6], images[1, 2, 3:5], images[2, 2, 3:6] = 102, 255, 255
    return Letters(images, np.array(list("iop")), name="dashes")


def test_jitter_moves_each_letter_of_each_image_by_itself(dashes):
    words = make_word_images(PIPS, dashes, samples_per_word=200, jitter=2, random_state=0)
    assert words.image_shape == (5, 24)
    cells = words.train.reshape(400, 5, 3, 8).transpose(0, 2, 3, 1)
    # The shift of each letter, from its first pixel with ink.
    shifts = [[np.argwhere(cell)[0] - [3, 2] for cell in word] for word in cells]
    shifts = np.reshape(shifts, (400, 6))
    every = np.unique(shifts.reshape(-1, 2), axis=0)
    assert every.tolist() == [[x, y] for x in range(-2, 3) for y in range(-2, 3)]
    assert np.abs(np.corrcoef(shifts.T) - np.eye(6)).max() < 0.2
    ink = cells.sum(axis=(2, 3))
    np.testing.assert_allclose(ink[:, 1], np.repeat([1.2, 2], 200), rtol=1e-6)
    np.testing.assert_array_equal(ink[:, [0, 2]], 3)
    parents = words.parents.reshape(3, 5, 24)
    assert np.flatnonzero(parents[0].any(axis=0)).tolist() == list(range(1, 8))
    assert np.flatnonzero(parents[1].any(axis=0)).tolist() == list(range(9, 16))


def test_where_letters_overlap_the_darker_one_is_seen(dashes):
    words = make_word_images(Vocabulary.from_words(["pip", "iip", "pop"]), dashes, overlap=0.7)
    assert words.image_shape == (5, 12)
    lines = words.train.reshape(-1, 5, 12)[:, 2]
    drawn = ["".join(" .#"[int(2 * ink + 0.5)] for ink in line) for line in lines]
    assert drawn == ["   ###.###  ", "   ....###  ", "   #######  "]
    parents = words.parents.reshape(3, 5, 12)
    assert not parents[:, [0, 1, 3, 4]].any()
    assert [np.flatnonzero(row).tolist() for row in parents[:, 2]] == [[3, 4, 5], [5, 6, 7], []]
    assert words.groups.reshape(5, 12)[0].tolist() == [0] * 5 + [1] * 2 + [2] * 5


def test_scale_resizes_letters_around_their_centres():
    images = np.zeros((1, 21, 21), np.uint8)
    images[0, 7:14, 7:14] = 255
    letters = Letters(images, np.array(["o"]), name="squares")
    vocabulary = Vocabulary.from_words(["oo"])
    words = make_word_images(vocabulary, letters, samples_per_word=200, scale=0.5, random_state=0)
    squares = words.train.reshape(200, 21, 2, 21).swapaxes(1, 2).reshape(400, 21, 21)
    assert 0 <= squares.min() <= squares.max() <= 1
    np.testing.assert_allclose(squares, squares[:, ::-1, ::-1], atol=1e-6)
    sides = np.sqrt(squares.sum(axis=(1, 2)))
    assert 3.3 < sides.min() < 3.8
    assert 10.2 < sides.max() < 10.8
    np.testing.assert_allclose(sides.mean(), 7, atol=0.35)
    # A size of 1 is no change.
    same = make_word_images(vocabulary, letters, scale=1e-12).train
    np.testing.assert_allclose(same, make_word_images(vocabulary, letters).train, atol=1e-6)


def test_placement_does_not_change_which_letters_are_drawn(hands):
    plain = make_word_images(PIPS, hands, resample="all", samples_per_word=4, random_state=0)
    placed = make_word_images(
        PIPS, hands, resample="all", samples_per_word=4, overlap=0.5, random_state=0
    )
    left = plain.train.reshape(8, 2, 9)[:, :, :2]
    np.testing.assert_array_equal(placed.train.reshape(8, 2, -1)[:, :, :1], left[:, :, :1])
    assert make_word_images(PIPS, hands, jitter=1, random_state=5).train.tobytes() == (
        make_word_images(PIPS, hands, jitter=1, random_state=5).train.tobytes()
    )


def test_bad_requests_say_what_to_do(hands):
    with pytest.raises(ValueError, match="'hands' has no image of 'n'; it has 'iop'"):
        make_word_images(Vocabulary.from_words(["pin"]), hands)
    with pytest.raises(ValueError, match="'some' is not one of 'none', 'words', 'all'"):
        make_word_images(PIPS, hands, resample="some")
    with pytest.raises(ValueError, match="no count for 'pop'"):
        make_word_images(PIPS, hands, samples_per_word={"pip": 1})
    with pytest.raises(ValueError, match="'pup' not in the vocabulary"):
        make_word_images(PIPS, hands, samples_per_word={"pip": 1, "pop": 1, "pup": 1})
    for counts in (0, -1, {"pip": 0, "pop": 0}, {"pip": 2, "pop": -1}):
        with pytest.raises(ValueError, match="must leave at least one training row"):
            make_word_images(PIPS, hands, samples_per_word=counts)
    for wrong in ({"jitter": 2}, {"jitter": -1}, {"overlap": 0.9}, {"scale": -0.1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            make_word_images(PIPS, hands, **wrong)
    for wrong in ({"jitter": 0.5}, {"overlap": "half"}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            make_word_images(PIPS, hands, **wrong)
    with pytest.raises(FileNotFoundError, match="'typewriter', 'emnist'"):
        make_word_images(PIPS, "handwriting")


def test_paper_words_in_real_handwriting(real_data):
    words = make_word_images(letters=real_data("emnist_letters.npz"), random_state=0)
    assert words.train.shape == (149, 2352)
    assert words.test.shape == (363, 2352)
    assert 0.1 < words.train.mean() < 0.25
    assert words.train.min() == 0
    assert words.train.max() == 1
