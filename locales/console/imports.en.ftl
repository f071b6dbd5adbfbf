# Imports of files.

imports-title = Import
imports-about = Customers, meetings, tasks and deals come from a CSV or Excel file. You see what would change before anything is written.
imports-new = Choose a file
imports-choose = File
imports-hint = CSV or XLSX, up to 20 MiB and 100,000 rows, with headers in the first row
imports-submit = Read the file
imports-detect = Detect
empty-imports = You have not imported anything yet. Choose your first file.
refused-import_too_large = The file is too large: at most 20 MiB.
date-order-ymd = Year first (2026/11/5)
date-order-dmy = Day first (5/11/2026)
date-order-mdy = Month first (11/5/2026)
import-status-previewed = Not started
import-status-committing = Running
import-status-committed = Completed
import-status-undone = Undone
import-outcome = Result
import-outcome-new = New
import-outcome-changed = Changed
import-outcome-same = Unchanged
import-outcome-wrong = With errors
import-commit = { $n ->
    [one] Import { $text } row
   *[other] Import { $text } rows
}
import-confirm = { $n ->
    [one] Import { $text } row now?
   *[other] Import { $text } rows now?
}
import-of-another = Somebody else read this file. Read it again to import it with your own rights.
import-nothing = There is nothing to import: no row is new or changed.
import-reading = Columns and format
import-reading-about = Each choice applies at once. An empty cell leaves what is there.
import-passed-over = Leave out
import-read-again = Read again
import-rows = Rows
import-row = Row
import-row-what = What happens
import-no-rows = There are no such rows.
import-more = { $n ->
    [one] { $text } more row is not shown.
   *[other] { $text } more rows are not shown.
}
import-written = Written
import-refused-rows = Rows that no longer fit:
import-saga = Progress
import-link = Import
done-import-read = The file was read again.
done-import-started = The import has started and will finish on its own.
