"""Paint a few scribbles, get objects, measure them, find out which kinds there are."""

import lazy_loader as _lazy


def __getattr__(name: str) -> object:
    """Load a public name when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    return _load(name)


_load, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
