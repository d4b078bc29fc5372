from miniature import cell, tiny, tiny_letters  # noqa: F401
