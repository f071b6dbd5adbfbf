# Lists: filters, order, columns, views, changes of many records.

filter-all = All
filter-sort = Order
filter-submit = Filter
filter-clear = Clear the filter
filter-remove = Remove the filter “{ $text }”
filter-words = Search title, notes, customer
pager-label = Pages
pager-first = First page
views-label = Saved views
views-title = Views
views-all = All
views-name = Name of this view
views-new-name = Name of the new view
views-default = Open the list with this view
views-keep = Save the changes to this view
views-remove = Delete this view
views-remove-confirm = Delete the view “{ $text }”?
views-about = Keeps the current filters, order, columns and page size, for you alone.
views-save = Save as a new view
done-view-saved = The view was saved.
done-view-removed = The view was deleted.
columns-title = Columns
columns-about = Columns to show
columns-submit = Show
bulk-title-customers = Change several customers
bulk-title-meetings = Change several meetings
bulk-title-tasks = Change several tasks
bulk-title-deals = Change several deals
bulk-none = Nothing is selected. Go back and select what to change.
bulk-all-about = All entries of the list, on every page.
bulk-deleted = Will be deleted
bulk-changed = Will be changed
bulk-unchanged = Already have these values
bulk-refused = Missing, or not yours to change
bulk-with = Deleted, cancelled or archived with them:
bulk-preview-delete = Preview deletion
bulk-preview-change = Preview change
bulk-selected = Change selected…
bulk-all = Change the whole list…
bulk-tick-all = Select all on this page
bulk-tick = Select { $text }
bulk-count = { $text } selected
bulk-total = Entries
bulk-were-changed = Changed
bulk-were-deleted = Deleted
bulk-were-refused = Refused
done-bulk-started = The change has started and will finish on its own.
bulk-ticked = { $n ->
    [one] { $text } selected entry.
   *[other] { $text } selected entries.
}
bulk-apply = { $n ->
    [one] Change { $text } entry
   *[other] Change { $text } entries
}
bulk-delete = { $n ->
    [one] Delete { $text } entry
   *[other] Delete { $text } entries
}
none-status = Leave as it is
none-stage = Leave as it is
none-owner-id = Leave as it is
none-assignee-id = Leave as it is
list-file = Download CSV
list-rows = { $n ->
    [0] No entries
    [one] { $text } entry
   *[other] { $text } entries
}
list-more = { $text } entries and more
pager-prev = Previous page
pager-rows = Rows per page
pager-next = Next page
pager-older = Earlier activity

sort--created-at = Newest first
sort-created-at = Oldest first
sort-name = Name A–Z
sort--name = Name Z–A
sort--met-at = Latest first
sort-met-at = Earliest first
sort-due-at = First due first
sort--due-at = Last due first
sort--amount = Largest amount first
sort-amount = Smallest amount first
sort-expected-on = First expected first
sort--expected-on = Last expected first
sort-updated-at = Longest unchanged
sort--updated-at = Recently changed
filter-yes = Yes
