"""Transformation matrices of PDF: six numbers that convert coordinates of one system into those of another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from notify.letters.precompiled.areas import Box


class Matrix(NamedTuple):
    """x' = a x + c y + e, y' = b x + d y + f."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def then(self, other: Matrix) -> Matrix:
        """This transformation followed by the other."""
        return Matrix(
            self.a * other.a + self.b * other.c,
            self.a * other.b + self.b * other.d,
            self.c * other.a + self.d * other.c,
            self.c * other.b + self.d * other.d,
            self.e * other.a + self.f * other.c + other.e,
            self.e * other.b + self.f * other.d + other.f,
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point after the transformation."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def box(self, box: Box) -> Box:
        """The smallest upright box around a box after the transformation."""
        corners = ((box.x, box.y), (box.x2, box.y), (box.x, box.y2), (box.x2, box.y2))
        return around(self.point(x, y) for x, y in corners)


IDENTITY: Final = Matrix()


def matrix_of(numbers: Iterable[Any]) -> Matrix:
    """A matrix from the six numbers of a PDF. Raises `ValueError`."""
    values = [float(number) for number in numbers]
    if len(values) != 6:
        raise ValueError("a matrix has six numbers")
    return Matrix(*values)


def around(points: Iterable[tuple[float, float]]) -> Box:
    """The smallest box around points."""
    xs, ys = zip(*points, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))
