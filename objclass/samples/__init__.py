"""Images to learn and test on: a synthetic embryo, synthetic cells, coins, the stack of a tutorial."""

from objclass.samples.cells import cells
from objclass.samples.datasets import Sample, coins, embryo, lund

__all__ = ["Sample", "cells", "coins", "embryo", "lund"]
