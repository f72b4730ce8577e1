"""Images to learn and test on: a synthetic embryo, coins, and the stack of a published tutorial."""

from objclass.samples.datasets import Sample, coins, embryo, lund

__all__ = ["Sample", "coins", "embryo", "lund"]
