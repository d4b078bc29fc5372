"""Random numbers from whatever ``random_state`` scikit-learn's users give."""

import numpy as np

from minsyn.information._options import generator

#: A seed, or a source of random numbers; None is fresh entropy from the operating system.
RandomState = int | np.integer | np.random.Generator | np.random.RandomState | None


def as_generator(random_state: RandomState) -> np.random.Generator:
    """A generator seeded by, or drawing from, what was given."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(np.iinfo(np.int32).max))
    return generator(random_state)
