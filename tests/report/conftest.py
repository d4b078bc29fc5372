import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pixels():
    """A figure as an array of pixels."""

    def draw(figure):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        return np.asarray(Image.open(buffer).convert("RGB")).astype(int)

    return draw
