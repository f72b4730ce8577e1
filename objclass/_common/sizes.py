"""Object sizes as users give them: in voxels, in physical units, or relative to the typical size."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from objclass._common.checks import Spacing, check_number, check_spacing, invalid

MICROMETRES = {"nm": 1e-3, "um": 1.0, "µm": 1.0, "μm": 1.0, "mm": 1e3}
_HINT = 'Pass voxels as 20, a volume as "4 um3", an area as "4 um2", or a share of the typical size as "10%".'


@dataclass(frozen=True)
class Size:
    """An object size.

    Parameters
    ----------
    value : float
        The number.
    unit : str
        "" for voxels, "%" for a share of the typical size, else a unit of length from `MICROMETRES`.
    power : int
        2 for an area, 3 for a volume.
    """

    value: float
    unit: str = ""
    power: int = 0

    def in_voxels(
        self,
        argument: str,
        spacing: Spacing,
        ndim: int,
        sizes: np.ndarray | None = None,
    ) -> float:
        """Return the size in voxels.

        Parameters
        ----------
        argument : str
            The name of the argument, for messages.
        spacing : float or sequence of float, optional
            The voxel size in micrometres.
        ndim : int
            2 or 3.
        sizes : array, optional
            Sizes of all objects in voxels, for a share of the typical size.
        """
        if self.unit == "":
            return self.value
        if self.unit == "%":
            usual = weighted_median(sizes, sizes) if sizes is not None else 0.0
            return self.value / 100 * usual
        if self.power != ndim:
            wanted = "an area, as in um2," if ndim == 2 else "a volume, as in um3,"
            raise invalid(argument, f"{wanted} for {ndim} axes", f"{self.value:g} {self.unit}{self.power}")
        voxel = check_spacing(spacing, ndim)
        if voxel is None:
            got = f"{self.value:g} {self.unit}{self.power} and no voxel size"
            raise invalid(argument, "a size in voxels if the voxel size is unknown", got, "Pass spacing=.")
        return self.value * MICROMETRES[self.unit] ** ndim / float(np.prod(voxel))


def parse_size(argument: str, value: float | str) -> Size:
    """Parse a size: a number of voxels, or a string such as "4 um3" or "10%".

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> parse_size("min_size", "4um3")
    Size(value=4.0, unit='um', power=3)
    >>> parse_size("min_size", "4um3").in_voxels("min_size", (2, 0.5, 0.5), 3)
    8.0
    """
    if not isinstance(value, str):
        return Size(check_number(argument, value, low=0))
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(?:(%)|(nm|um|µm|μm|mm)\^?([23²³]))?\s*", value)
    if not found:
        raise invalid(argument, "a size", value, _HINT)
    number, percent, unit, power = found.groups()
    if percent:
        return Size(check_number(argument, float(number), high=1000), "%")
    return Size(float(number), unit or "", {"2": 2, "²": 2, "3": 3, "³": 3}[power] if unit else 0)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted median: the smallest value at which half of the weight is reached; 0 if empty."""
    if not len(values):
        return 0.0
    order = np.argsort(values, kind="stable")
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])
