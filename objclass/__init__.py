"""Annotate an image with a few scribbles, segment its objects, measure, cluster and classify them."""

import lazy_loader as _lazy


def __getattr__(name: str) -> object:
    """Import a public name on first access."""
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    return _load(name)


_load, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
