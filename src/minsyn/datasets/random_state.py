"""Type of every ``random_state`` argument."""

import numpy as np

#: A seed or generator for :func:`numpy.random.default_rng`. None takes a seed from the operating
#: system.
RandomState = int | np.integer | np.random.SeedSequence | np.random.Generator | None
