"""Converts RGB to the inks of a printer (contract: letters 3.4, 4.4).

This package has no colour profile. It uses curves through measurements of the one that the contract describes: black,
white and every neutral colour print with black ink only, other colours with the inks they are mixed from, and black
for their darkness.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFilter import Color3DLUT

_STRONGEST: Final = 0.945
_INK_POWER: Final = 1.12
_GREY_POWER: Final = 0.648
_GRID: Final = 17


class Inks(NamedTuple):
    """Cyan, magenta, yellow and black, from 0 to 1."""

    cyan: float
    magenta: float
    yellow: float
    black: float


def grey_of(value: float) -> float:
    """The lightness of a neutral RGB colour in print, from 0 (black) to 1 (white)."""
    linear = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
    return float(linear**_GREY_POWER)


def inks_of(red: float, green: float, blue: float) -> Inks:
    """The inks of an RGB colour, whose components are from 0 to 1."""
    red, green, blue = (min(max(part, 0.0), 1.0) for part in (red, green, blue))
    lightest, darkest = max(red, green, blue), min(red, green, blue)
    if lightest == 0:
        return Inks(0, 0, 0, 1)
    strength = (lightest - darkest) / lightest
    neutral = 1 - grey_of(lightest)
    black = (1 - lightest) + (neutral - (1 - lightest)) * (1 - strength) ** 3
    amounts = (_STRONGEST * ((lightest - part) / lightest) ** _INK_POWER for part in (red, green, blue))
    cyan, magenta, yellow = amounts
    return Inks(cyan, magenta, yellow, black)


def converted(picture: Image) -> Image:
    """An RGB picture converted to CMYK, or to grey if all of it is neutral."""
    from PIL import ImageChops

    red, green, blue = picture.split()
    if ImageChops.difference(red, green).getbbox() is None and ImageChops.difference(red, blue).getbbox() is None:
        return red.point([round(grey_of(value / 255) * 255) for value in range(256)])
    return picture.filter(_table())


@cache
def _table() -> Color3DLUT:
    from PIL.ImageFilter import Color3DLUT

    return Color3DLUT.generate(_GRID, inks_of, channels=4, target_mode="CMYK")
