"""Figures, tables for a terminal, and pages of HTML, each a pure function of its data.

Names are loaded when they are first used; a figure does not import torch unless its data needs it.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
