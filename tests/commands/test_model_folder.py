import errno

import pytest

from minsyn.commands._model_folder import save_model


class _TooLargeModel:
    def save(self, folder):
        folder.mkdir()
        raise OSError(errno.ENOSPC, "no room", str(folder / "model.json"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_names_the_folder_that_was_given(overwrite, tmp_path):
    with pytest.raises(OSError, match="no room") as error:
        save_model(_TooLargeModel(), None, tmp_path / "model", overwrite=overwrite)
    assert error.value.filename == str(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
