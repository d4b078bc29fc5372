"""Measures of synergy, of distributions and of samples. Needs neither torch nor Matplotlib.

Names are loaded when they are first used. Measures of one kind of input have a module of their
own: `discrete` takes arrays of probabilities, `gaussian` correlations, `gaussian_vectors` the
covariance of vector sources and a vector target. `synergy` measures samples,
`synergy_from_statistics` their means and covariances. `measures` is the registry of all.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
