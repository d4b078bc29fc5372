from miniature import cell, own_method, tiny, tiny_letters  # noqa: F401
