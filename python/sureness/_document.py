"""Analyses as data, and how they show themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import _sureness


@dataclass(frozen=True)
class Figure:
    """A figure with its interval. Shares are fractions.

    Attributes:
        value: the figure.
        low: lower end of the interval; None without one.
        high: upper end of the interval; None without one.
        why: why there is no interval where one is to be expected: "too few" or "full sets".
    """

    value: float
    low: float | None = None
    high: float | None = None
    why: str | None = None

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"
        return f"{self.value:.4g}" if self.why is None else f"{self.value:.4g} ({self.why})"

    def negated(self) -> Figure:
        """The same with the opposite sign: second minus first of a difference."""
        low = None if self.high is None else -self.high
        high = None if self.low is None else -self.low
        return Figure(-self.value, low, high, self.why)


Cell = Figure | str | None


def _cell(data: Any) -> Cell:
    if data == "empty":
        return None
    if "text" in data:
        return str(data["text"])
    figure = data["figure"]
    value = figure["value"]
    return Figure(
        float("nan") if value is None else value, figure.get("low"), figure.get("high"), figure.get("no_interval")
    )


class Table:
    """A table of an analysis: rows of figures, by the keys of their columns."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.id: str = data["id"]
        self.title: str = data["title"]
        self.caption: str = data["caption"]
        #: Keys of the columns.
        self.columns: list[str] = [column["key"] for column in data["columns"]]
        #: A dictionary per row.
        self.rows: list[dict[str, Cell]] = [
            dict(zip(self.columns, map(_cell, row), strict=True)) for row in data["rows"]
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Cell]]:
        return iter(self.rows)

    def to_dicts(self) -> list[dict[str, float | str | None]]:
        """Plain rows for a data frame: values, with the ends of intervals as `KEY_low` and `KEY_high`."""
        return [self._plain(row) for row in self.rows]

    def _plain(self, row: dict[str, Cell]) -> dict[str, float | str | None]:
        plain: dict[str, float | str | None] = {}
        for key, cell in row.items():
            plain[key] = cell.value if isinstance(cell, Figure) else cell
            if self._has_intervals(key):
                ends = (cell.low, cell.high) if isinstance(cell, Figure) else (None, None)
                plain[f"{key}_low"], plain[f"{key}_high"] = ends
        return plain

    def _has_intervals(self, key: str) -> bool:
        cells = (row[key] for row in self.rows)
        return any(isinstance(cell, Figure) and cell.low is not None for cell in cells)

    def __repr__(self) -> str:
        return f"<Table {self.id!r}: {len(self.rows)} rows, columns {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        return _sureness.render(_around([{**_EMPTY, "tables": [self._data]}]), "html")


class Chart:
    """A chart, which a notebook draws."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.id: str = data["id"]
        self.title: str = data["title"]

    def svg(self, *, dark: bool = False) -> str:
        """The chart as SVG."""
        return _sureness.chart(json.dumps(self._data), dark)

    def __repr__(self) -> str:
        return f"<Chart {self.id!r}: {self.title}>"

    def _repr_svg_(self) -> str:
        return self.svg()


class Section:
    """One part of an analysis: sentences, tables and charts."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.id: str = data["id"]
        self.title: str = data["title"]
        self.text: list[str] = data["text"]
        self.notes: list[str] = data["notes"]
        self.tables = [Table(table) for table in data["tables"]]
        self.charts = [Chart(chart) for chart in data["charts"]]

    def table(self, id: str) -> Table:
        """The table of this id."""
        return _named(self.tables, id, "table")

    def chart(self, id: str) -> Chart:
        """The chart of this id."""
        return _named(self.charts, id, "chart")

    def __repr__(self) -> str:
        return f"<Section {self.id!r}: {self.title}>"

    def _repr_html_(self) -> str:
        return _sureness.render(_around([self._data]), "html")


class Analysis:
    """The findings of an analysis, section by section; a notebook shows tables and charts."""

    def __init__(self, document: str) -> None:
        self._document = document
        data = json.loads(document)
        self.title: str = data["title"]
        #: How the figures were made, in a line.
        self.method: str = data["method"] if "method" in data else ""
        #: The findings in a few sentences, the most important first.
        self.summary: list[str] = data["summary"]
        self.sections = [Section(section) for section in data["sections"]]
        #: Protocol, seeds, sources: what is needed to repeat it.
        self.settings: dict[str, Any] = data["settings"]

    def section(self, id: str) -> Section:
        """The section of this id, such as "basic"."""
        return _named(self.sections, id, "section")

    def table(self, id: str) -> Table:
        """The table of this id, in whichever section."""
        return _named([table for section in self.sections for table in section.tables], id, "table")

    def to_json(self) -> str:
        """The document by the published JSON Schema."""
        return self._document

    def to(self, format: Literal["text", "markdown", "latex", "html"]) -> str:
        """The document in another format; "html" is a part of a page."""
        return _sureness.render(self._document, format)

    def __repr__(self) -> str:
        return f"<Analysis {self.title!r}: {', '.join(section.id for section in self.sections)}>"

    def __str__(self) -> str:
        return self.to("text")

    def _repr_html_(self) -> str:
        return self.to("html")


_EMPTY: dict[str, Any] = {"id": "", "title": "", "text": [], "tables": [], "charts": [], "notes": []}


def _around(sections: list[dict[str, Any]]) -> str:
    document = {"version": 1, "program": "", "title": "", "summary": [], "sections": sections, "settings": None}
    return json.dumps(document)


_Part = TypeVar("_Part", Table, Chart, Section)


def _named(items: list[_Part], id: str, what: str) -> _Part:
    for item in items:
        if item.id == id:
            return item
    ids = ", ".join(item.id for item in items) or "none"
    raise KeyError(f"no {what} {id!r}; there are {ids}")
