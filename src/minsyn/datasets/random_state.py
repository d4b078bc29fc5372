"""What every ``random_state`` argument takes."""

import numpy as np

#: A seed, or a source of random numbers, as :func:`numpy.random.default_rng` takes; None is fresh
#: entropy from the operating system.
RandomState = int | np.integer | np.random.SeedSequence | np.random.Generator | None
