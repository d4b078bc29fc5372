"""Measure informational synergy, and learn representations with as little of it as possible.

Names are loaded when they are first used: ``import minsyn`` alone imports neither torch nor
matplotlib.
"""

import lazy_loader as _lazy

from minsyn._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
__all__ += ["__version__"]
