//! Cells in columns: how wide they are, and how they are drawn.

use std::collections::HashSet;

use super::wrap::{GLUE, longest_word, width, wrap};
use crate::format::Shown;

/// Spaces between columns.
const GAP: usize = 2;

/// A column of a grid.
#[derive(Clone)]
pub(super) struct GridColumn {
    heading: String,
    /// Whether it holds words, aligned to the left, rather than figures.
    pub(super) words: bool,
    /// Whether it stays beside the column before it, as a p-value does.
    pub(super) glued: bool,
    bodies: Vec<Body>,
    /// The widest value with its mark, interval and number of figures.
    parts: [usize; 3],
}

/// A cell below the heading.
#[derive(Clone)]
pub(super) struct Body {
    value: String,
    interval: String,
    n: String,
    figure: bool,
}

impl Body {
    /// Words, or a number that is ready to be shown.
    pub(super) fn text(value: String) -> Self {
        Self {
            value,
            interval: String::new(),
            n: String::new(),
            figure: false,
        }
    }

    /// A figure, marked where it is the best of its column.
    pub(super) fn figure(shown: Shown, best: bool) -> Self {
        Self {
            value: shown.value + if best { "*" } else { "" },
            interval: shown.interval.unwrap_or_default(),
            n: shown.n.unwrap_or_default(),
            figure: true,
        }
    }
}

impl GridColumn {
    pub(super) fn new(heading: &str, words: bool, mut bodies: Vec<Body>) -> Self {
        // Where a value has a mark, the others have a space, so that digits stand below digits.
        if bodies
            .iter()
            .any(|body| body.figure && body.value.ends_with('*'))
        {
            for body in &mut bodies {
                if !(body.figure && body.value.ends_with('*')) {
                    body.value.push(' ');
                }
            }
        }
        let widest = |part: fn(&Body) -> &str| {
            let figures = bodies.iter().filter(|body| body.figure);
            figures.map(|body| width(part(body))).max().unwrap_or(0)
        };
        let parts = [
            widest(|b| b.value.as_str()),
            widest(|b| b.interval.as_str()),
            widest(|b| b.n.as_str()),
        ];
        Self {
            // Unit and direction stay beside the last word.
            heading: [" %", " pp", " ↑", " ↓"]
                .into_iter()
                .fold(heading.to_owned(), |text, unit| {
                    text.replace(unit, &unit.replace(' ', GLUE))
                }),
            words,
            glued: false,
            bodies,
            parts,
        }
    }

    /// The same, beside the column before it.
    pub(super) fn glued(mut self, glued: bool) -> Self {
        self.glued = glued;
        self
    }

    /// The columns in one, for a narrow terminal.
    pub(super) fn merged(columns: &[Self]) -> Self {
        const BETWEEN: &str = " · ";
        let rows = columns.iter().map(|c| c.bodies.len()).max().unwrap_or(0);
        let headings: Vec<&str> = columns.iter().map(|c| c.heading.as_str()).collect();
        let bodies = (0..rows).map(|row| Body::text(Self::names(columns, row).join(BETWEEN)));
        Self::new(&headings.join(BETWEEN), true, bodies.collect())
    }

    /// Whether no two rows have the same names in these columns.
    pub(super) fn tell_rows_apart(columns: &[Self]) -> bool {
        let rows = columns.iter().map(|c| c.bodies.len()).max().unwrap_or(0);
        let mut seen = HashSet::new();
        (0..rows).all(|row| seen.insert(Self::names(columns, row)))
    }

    /// What the columns say of a row.
    fn names(columns: &[Self], row: usize) -> Vec<&str> {
        let bodies = columns.iter().filter_map(|column| column.bodies.get(row));
        bodies
            .map(|body| body.value.trim())
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// The lines of a cell, not yet padded to the column's width.
    fn lines(&self, body: &Body, beside: bool, limit: usize) -> Vec<String> {
        if !body.figure {
            return if self.words {
                wrap(&body.value, limit)
            } else {
                vec![body.value.clone()]
            };
        }
        let parts = [&body.value, &body.interval, &body.n];
        let padded = parts.into_iter().zip(self.parts);
        let mut parts = padded.map(|(part, width)| right(part, width));
        if beside {
            let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
            return vec![parts.join(" ")];
        }
        let value = parts.next().unwrap_or_default();
        let below = parts.filter(|part| !part.trim().is_empty());
        std::iter::once(value).chain(below).collect()
    }

    /// The width that the cells take with nothing wrapped.
    fn natural(&self, beside: bool) -> usize {
        let lines = self
            .bodies
            .iter()
            .flat_map(|body| self.lines(body, beside, usize::MAX));
        lines.map(|line| width(&line)).max().unwrap_or(0)
    }
}

/// Columns side by side.
pub(super) struct Grid<'a> {
    columns: &'a [GridColumn],
    widths: Vec<usize>,
    beside: bool,
}

impl<'a> Grid<'a> {
    /// Finds the widths: columns of words give way, the widest first and none below `least`, until
    /// all fit into `limit`. Whether they do is for the caller to see.
    pub(super) fn new(columns: &'a [GridColumn], beside: bool, least: usize, limit: usize) -> Self {
        let mut widths: Vec<usize> = columns
            .iter()
            .map(|column| column.natural(beside).max(longest_word(&column.heading)))
            .collect();
        let can_give = |at: usize, widths: &[usize]| {
            let floor = least.max(longest_word(&columns[at].heading));
            columns[at].words && widths[at] > floor
        };
        while total(&widths) > limit {
            let giving = (0..widths.len()).filter(|&at| can_give(at, &widths));
            let Some(widest) = giving.max_by_key(|&at| widths[at]) else {
                break;
            };
            widths[widest] -= 1;
        }
        Self {
            columns,
            widths,
            beside,
        }
    }

    pub(super) fn width(&self) -> usize {
        total(&self.widths)
    }

    /// The grid as lines; a rule below the heading, where there is one, and below the rows in
    /// `rules_after`.
    pub(super) fn draw(&self, rules_after: &[usize]) -> String {
        let rule = "─".repeat(self.width());
        let headings = self.columns.iter().zip(&self.widths);
        let mut headings: Vec<_> = headings
            .map(|(column, &width)| wrap(&column.heading, width))
            .collect();
        // Short headings stand on the rule, not above it.
        let height = headings.iter().map(Vec::len).max().unwrap_or(0);
        for heading in &mut headings {
            let blank = vec![String::new(); height - heading.len()];
            heading.splice(0..0, blank);
        }
        let mut out = String::new();
        if self.columns.iter().any(|column| !column.heading.is_empty()) {
            out = self.row(&headings) + &rule + "\n";
        }
        let rows = self
            .columns
            .iter()
            .map(|c| c.bodies.len())
            .max()
            .unwrap_or(0);
        for row in 0..rows {
            let cell = |(column, &width): (&GridColumn, &usize)| {
                let body = column.bodies.get(row);
                body.map_or_else(Vec::new, |body| column.lines(body, self.beside, width))
            };
            let cells: Vec<_> = self.columns.iter().zip(&self.widths).map(cell).collect();
            out.push_str(&self.row(&cells));
            if rules_after.contains(&row) && row + 1 < rows {
                out.push_str(&format!("{rule}\n"));
            }
        }
        out
    }

    /// One row, as many lines high as its highest cell.
    fn row(&self, cells: &[Vec<String>]) -> String {
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let mut out = String::new();
        for at in 0..height {
            let mut line = String::new();
            for (place, (cell, (column, &width))) in cells
                .iter()
                .zip(self.columns.iter().zip(&self.widths))
                .enumerate()
            {
                let text = cell.get(at).map_or("", String::as_str);
                let padded = if column.words {
                    left(text, width)
                } else {
                    right(text, width)
                };
                line.push_str(&" ".repeat(if place == 0 { 0 } else { GAP }));
                line.push_str(&padded);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

fn right(text: &str, to: usize) -> String {
    " ".repeat(to.saturating_sub(width(text))) + text
}

fn left(text: &str, to: usize) -> String {
    text.to_owned() + &" ".repeat(to.saturating_sub(width(text)))
}
