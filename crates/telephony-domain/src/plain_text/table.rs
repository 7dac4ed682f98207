//! Tables: one line for each row, without outer pipes and padding; the delimiter row is removed.

use std::ops::Range;

use super::edits::Edits;

/// The state of the walk through a table.
#[derive(Default)]
pub(super) struct TableWalk {
    /// End of the latest row, including its line break.
    row_end: usize,
    /// End of the latest row's content.
    content_end: usize,
    /// End of the latest cell's content, or the start of the row.
    cell_end: usize,
    /// Cells of the row so far.
    cells: usize,
}

impl TableWalk {
    pub(super) fn at(start: usize) -> Self {
        Self { row_end: start, ..Self::default() }
    }

    pub(super) fn open_row(&mut self, row: Range<usize>, edits: &mut Edits<'_>) {
        edits.remove(self.row_end..row.start);
        let content_end = row.start + edits.text[row.clone()].trim_end().len();
        *self = Self { row_end: row.end, content_end, cell_end: row.start, cells: 0 };
    }

    pub(super) fn take_cell(&mut self, cell: Range<usize>, edits: &mut Edits<'_>) {
        if cell.start >= self.content_end {
            return; // The row is shorter than the header: there is no such cell.
        }
        let padded = &edits.text[cell.clone()];
        let start = cell.start + (padded.len() - padded.trim_start().len());
        edits.replace(self.cell_end..start, if self.cells == 0 { "" } else { " | " });
        self.cell_end = start + padded.trim().len();
        self.cells += 1;
    }

    pub(super) fn close_row(&mut self, edits: &mut Edits<'_>) {
        let rest = self.cell_end..self.content_end.max(self.cell_end);
        // A row longer than the header keeps the cells that the parser ignores.
        if edits.text[rest.clone()].trim_matches(['|', ' ', '\t']).is_empty() {
            edits.remove(rest);
        }
    }

    pub(super) fn close(&mut self, end: usize, edits: &mut Edits<'_>) {
        edits.remove(self.row_end..end.max(self.row_end));
    }
}
