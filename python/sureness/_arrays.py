"""Arrays in and out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _sureness

#: Whatever NumPy can read (its own arrays, pandas, PyTorch on the CPU, lists), and tables and columns of Arrow.
ArrayLike = Any

Protocol = Literal["standard", "paper"]
Score = Literal["lac", "aps"]
Covers = Literal["any", "all"]

#: Names of questions or of clusters: numbers, texts, or digests of 32 bytes, also as 64 hexadecimal digits.
Names = Iterable[int | str | bytes]


def softmax(logits: ArrayLike, *, protocol: Protocol = "standard") -> npt.NDArray[np.floating[Any]]:
    """Probabilities of logits or log-probabilities, row by row.

    Args:
        logits: one row per question and one column per option, all finite.
        protocol: "standard" computes in float64; "paper" in float32 as the published script does, with
            the same last bit of every exponential.

    Raises:
        ValueError: the array has other than two dimensions, other than 2 to 26 columns, or a score
            that is NaN or infinite.
    """
    return _sureness.softmax(logits, protocol)


def names_as_bytes(names: Names | None) -> list[bytes] | None:
    """The names as the native half takes them; equal names have equal bytes."""
    if names is None:
        return None
    found = list(names)
    # A run whose clusters are unknown has a column without values.
    if found and all(name is None for name in found):
        return None
    return [_bytes(name) for name in found]


def _bytes(name: object) -> bytes:
    if isinstance(name, bytes):
        return name
    # NumPy's whole numbers are the same name as Python's.
    if isinstance(name, np.generic):
        name = name.item()
    # A digest as a run's table writes it.
    if isinstance(name, str) and re.fullmatch("[0-9a-f]{64}", name):
        return bytes.fromhex(name)
    if isinstance(name, (int, str)):
        return str(name).encode()
    raise ValueError(f"{name!r} is not a name\nhint: give whole numbers, texts, or digests as bytes")


def settings_json(settings: object) -> str:
    """Settings as the native half takes them, where NumPy's numbers are numbers."""

    def number(value: object) -> object:
        if isinstance(value, np.generic):
            return value.item()
        raise TypeError(f"{value!r} is not a setting")

    return json.dumps(settings, default=number)


def strings(names: Sequence[object] | ArrayLike | None) -> list[str | None] | None:
    """Names of categories as texts; None, NaN and pandas.NA are those of questions without one."""
    return None if names is None else [None if _is_missing(name) else str(name) for name in names]


def _is_missing(name: object) -> bool:
    # NaN alone is not equal to itself, and pandas.NA is neither equal nor unequal.
    return name is None or type(name).__name__ in ("NAType", "NaTType") or name != name
