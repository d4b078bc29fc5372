import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minsyn.datasets import (
    PAPER_LETTERS,
    PAPER_WORDS,
    Vocabulary,
    combine,
    paper_vocabulary,
    top_letters,
)


def test_the_paper_vocabulary():
    combinations = {"".join(word) for word in itertools.product(*PAPER_LETTERS)}
    assert len(PAPER_WORDS) == len(set(PAPER_WORDS)) == 149
    assert set(PAPER_WORDS) < combinations
    vocabulary = paper_vocabulary()
    assert vocabulary.train == PAPER_WORDS
    assert set(vocabulary.test) == combinations - set(PAPER_WORDS)
    assert len(vocabulary.test) == 363
    assert vocabulary.letters == PAPER_LETTERS
    assert vocabulary.length == 3


def test_the_paper_letters_follow_from_the_300_commonest_words(real_data):
    words = real_data("top300_norvig_3letter.txt").read_text().split()
    assert top_letters(words, 8) == PAPER_LETTERS


@settings(deadline=None)
@given(st.lists(st.text("abcd", min_size=3, max_size=3), min_size=1, unique=True))
def test_combine_splits_all_combinations_by_validity(words):
    letters = top_letters(words, 1)
    vocabulary = combine(letters, [*words, "".join(letters), "longer", ""])
    assert vocabulary.words == ("".join(letters),)

    every = Vocabulary.from_words(words)
    vocabulary = combine(every.letters, words)
    assert set(vocabulary.train) == set(words)
    assert not set(vocabulary.train) & set(vocabulary.test)
    expected = len(every.letters[0]) * len(every.letters[1]) * len(every.letters[2])
    assert len(vocabulary.words) == expected
    assert list(vocabulary.train) == sorted(vocabulary.train)


def test_top_letters_breaks_ties_alphabetically():
    assert top_letters(["za", "yb", "xc", "zb"], 2) == ("xz", "ab")
    assert top_letters(["ca", "ba", "ab"], 2) == ("ab", "ab")


@pytest.mark.parametrize(
    ("letters", "train", "test", "message"),
    [
        (("ab",), (), (), "vocabulary is empty"),
        ((), ("",), (), "at least one position"),
        (("ab",), ("a", "a"), (), "words must be distinct; repeated: 'a'"),
        (("ab",), ("a",), ("a",), "words must be distinct"),
        (("ab", "ab"), ("ab", "a"), (), "must have 2 letters.*'a' has 1"),
        (("ab", "ab"), ("ab",), ("aba",), "'aba' has 3"),
        (("ab", "ab"), ("ac",), (), "'c' at position 1, where only 'ab'"),
        (("aa",), ("a",), (), "repeats a letter"),
    ],
)
def test_impossible_vocabularies(letters, train, test, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary(letters, train, test)


def test_words_of_unequal_length_are_named():
    with pytest.raises(ValueError, match="'an' has 2 letters and 'the' has 3"):
        Vocabulary.from_words(["an", "the"])
    with pytest.raises(ValueError, match="'an' has 2 letters and 'the' has 3"):
        top_letters(["an", "the"], 1)
    with pytest.raises(ValueError, match="empty"):
        Vocabulary.from_words([])


def test_impossible_requests():
    with pytest.raises(ValueError, match="only 1 at position 1"):
        top_letters(["ab", "cb"], 2)
    with pytest.raises(ValueError, match="at least 1, found 0"):
        top_letters(["ab"], 0)
    with pytest.raises(ValueError, match="none of the 4 combinations"):
        combine(["ab", "cd"], ["xy", "abc"])
    with pytest.raises(ValueError, match="at least one letter per position"):
        combine(["ab", ""], ["ab"])
    with pytest.raises(ValueError, match="at least one letter per position"):
        combine([], ["ab"])
    with pytest.raises(ValueError, match="words must be distinct"):
        combine(["aa", "b"], ["ab"])
    with pytest.raises(ValueError, match="use fewer letters"):
        combine(["abcdefghij"] * 7, ["abcdefg"])


def test_sample_holds_out_what_was_seen_apart():
    paper = paper_vocabulary()
    few = paper.sample(25, 100, random_state=1)
    assert len(few.train) == 25 and len(few.test) == 100
    assert set(few.train) <= set(paper.train) and set(few.test) <= set(paper.test)
    seen = [set(here) for here in zip(*few.train, strict=True)]
    assert any(len(here) < 8 for here in seen)  # so that the next line says something
    assert all(word[i] in seen[i] for word in few.test for i in range(3))
    assert few == paper.sample(25, 100, random_state=1) != paper.sample(25, 100, random_state=2)


def test_sample_of_everything_is_the_same():
    paper = paper_vocabulary()
    assert paper.sample() == paper.sample(149, 1000, random_state=0) == paper


@pytest.mark.parametrize(("n_train", "n_test"), [(0, None), (150, None), (None, -1)])
def test_sample_out_of_range(n_train, n_test):
    with pytest.raises(ValueError, match="must"):
        paper_vocabulary().sample(n_train, n_test)
