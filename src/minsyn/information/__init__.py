"""What synergy is: measures of distributions and of samples. Needs neither torch nor matplotlib.

Names are loaded when they are first used. The measures of one kind of input stand in a module of
their own (``discrete``: arrays of probabilities, ``gaussian``: correlations), since several exist
for more than one kind; ``synergy`` asks for them from samples.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
