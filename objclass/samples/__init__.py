"""Sample images: a synthetic embryo, synthetic cells, coins, and a published light-sheet stack."""

from objclass.samples.cells import cells
from objclass.samples.datasets import Sample, coins, embryo, lund

__all__ = ["Sample", "cells", "coins", "embryo", "lund"]
