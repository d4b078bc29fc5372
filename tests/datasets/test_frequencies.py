import importlib.util
import math
import sys

import pytest

from minsyn.datasets import PAPER_LETTERS, sample_counts, top_letters, top_words


def test_every_form_of_frequencies_gives_the_same_words(tmp_path):
    counts = {"the": 90, "no": 7, "an": 5.5, "ax": 5.5, "of": 30}
    ordered = ["the", "of", "no", "an", "ax"]
    plain, counted = tmp_path / "plain.txt", tmp_path / "counted.txt"
    plain.write_text("\n\n".join(ordered) + "\n")
    counted.write_text("\ufeff" + "\r\n".join(f"{word}\t{n}" for word, n in counts.items()))
    for frequencies in (counts, ordered, plain, counted, str(counted)):
        assert top_words(2, 4, frequencies) == ("of", "no", "an", "ax")


def test_any_length_and_alphabet():
    assert top_words(5, 1, ["λόγος", "μέτρον"]) == ("λόγος",)


def test_wordsegment_yields_the_papers_letters():
    pytest.importorskip("wordsegment")
    assert top_letters(top_words(3, 300), 8) == PAPER_LETTERS


@pytest.mark.skipif(importlib.util.find_spec("wordsegment") is None, reason="needs wordsegment")
def test_wordsegment_agrees_with_the_given_list(real_data):
    words = real_data("top300_norvig_3letter.txt").read_text().split()
    assert list(top_words(3, len(words))) == words


def test_without_wordsegment_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "wordsegment", None)
    with pytest.raises(ImportError, match=r"minsyn\[words\]"):
        top_words(3, 5)


def test_impossible_frequencies(tmp_path):
    with pytest.raises(ValueError, match="frequencies has only 1"):
        top_words(2, 2, ["an", "the"])
    with pytest.raises(ValueError, match="repeated: 'an'"):
        top_words(2, 1, ["an", "no", "an"])
    with pytest.raises(ValueError, match="count of 'an' is nan"):
        top_words(2, 1, {"an": math.nan, "no": 1})
    with pytest.raises(ValueError, match="found 0 and 1"):
        top_words(0, 1, ["an"])
    file = tmp_path / "mixed.txt"
    for text in ("an 3\nno\n", "an three\nno 2\n", "an 3 4\nno 2 1\n"):
        file.write_text(text)
        with pytest.raises(ValueError, match=r"every line of .*mixed\.txt"):
            top_words(2, 1, file)
    file.write_text("an 3\nan 2\n")
    with pytest.raises(ValueError, match=r"mixed\.txt.*repeated: 'an'"):
        top_words(2, 1, file)
    file.write_bytes(b"caf\xe9 3\n")
    with pytest.raises(ValueError, match=r"mixed\.txt is not UTF-8"):
        top_words(2, 1, file)
    with pytest.raises(FileNotFoundError):
        top_words(2, 1, tmp_path / "absent.txt")


def test_sample_counts_follow_the_frequencies():
    counts = sample_counts("abcd", {"a": 1, "b": 2.0, "c": 7, "d": 0, "e": 99}, 20_000)
    assert list(counts) == list("abcd")
    assert sum(counts.values()) == 20_000
    assert counts["d"] == 0
    for word, p in zip("abc", (0.1, 0.2, 0.7), strict=True):
        assert abs(counts[word] - 20_000 * p) < 5 * math.sqrt(20_000 * p * (1 - p))


def test_sample_counts_are_seeded():
    first, again, other = (
        sample_counts("abcd", dict.fromkeys("abcd", 1), 50, random_state=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize("bad", [{"a": 1}, {"a": 1, "b": -1}, {"a": 1, "b": math.nan}])
def test_sample_counts_refuses_what_is_no_frequency(bad):
    with pytest.raises(ValueError, match="frequencies"):
        sample_counts("ab", bad, 10)


def test_sample_counts_needs_samples_and_weight():
    with pytest.raises(ValueError, match="not all 0"):
        sample_counts("ab", {"a": 0, "b": 0}, 10)
    with pytest.raises(ValueError, match="not all 0"):
        sample_counts([], {"a": 1}, 10)
    with pytest.raises(ValueError, match="n_samples"):
        sample_counts("ab", {"a": 1, "b": 1}, 0)
