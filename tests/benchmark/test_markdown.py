import pytest

from minsyn.benchmark import markdown_page, markdown_table


def test_labels_are_left_and_numbers_right():
    table = markdown_table(["A", "B", "Loss"], [["x", "y", "1"], ["z", "", "2"]], n_labels=2)
    assert table.splitlines() == [
        "| A | B | Loss |",
        "|:--|:--|--:|",
        "| x | y | 1 |",
        "| z |  | 2 |",
    ]


@pytest.mark.parametrize("cells", [["PCA"], ["PCA", "1", "2"]])
def test_rows_have_as_many_cells_as_the_header(cells):
    with pytest.raises(ValueError, match=f"rows: {len(cells)} cells found in a table of 2 columns"):
        markdown_table(["Method", "Loss"], [cells])


def test_blocks_are_paragraphs():
    assert markdown_page("table", "", "note", command="run it") == (
        "table\n\nnote\n\nMade by `run it`.\n"
    )
    assert markdown_page("table") == "table\n"
