# The web console's texts; the same keys as console.ja.ftl.

console-name = Sales support

# The frame: navigation, connection, forms.

nav-label = Main menu
nav-skip = Skip to content
nav-bell = Notifications ({ $text } unread)
nav-logout = Sign out
nav-customers = Customers
nav-meetings = Meetings
nav-tasks = Tasks
nav-approvals = Approvals
nav-deals = Deals
nav-notifications = Notifications
nav-reports = Reports
nav-sagas = Processes
nav-admin = Administration
nav-audit = Audit log
nav-security = Security log
live-lost = Connection lost. Reconnecting…
live-back = Connected again. Everything is up to date.
live-close = Close
list-separator = ,{" "}
name-deleted = { $text } (deleted)
name-system = System
form-required = required
form-choose = Please choose
form-more = More fields
form-cancel = Cancel
form-sending = Sending…
form-unsent = The server could not be reached, so this was not sent. What you typed is still here. Please send it again in a moment.
form-ended = Your session has ended, so this was not sent. What you typed is still here. Sign in in another tab, then send it again.
combo-by-name = Search by name
combo-toggle = Open the choices
combo-none = Nothing matches.
combo-found = { $text } choices. Use the up and down arrow keys.
combo-more = There are more. Keep typing to narrow them down.
combo-failed = The choices could not be loaded. Please try again.
session-ended = Your session has ended.
conflict-about = Somebody else saved first. Where you both changed a field, choose which to keep, then save again.
conflict-choose = Which one should be kept?
conflict-mine = What I typed
conflict-theirs = Their change:
conflict-taken-over = Changed by somebody else; their value was taken over.
again-signed-in = You are signed in again. What you typed has not been sent yet: please check it and send it again.
again-other-session = You have signed in again meanwhile, so this has not been sent yet. Please check what you typed and send it again.
login-ended = Your session has ended: it expired, or you signed out elsewhere. Please sign in again.
login-kept = Your session has ended, so nothing has been sent yet. What you typed is kept: sign in again to go on with it.
amount-hint = For example 1,250 or 1,250.50
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
confirm-delete = Delete this? It cannot be undone.
action-edit = Edit
action-delete = Delete

submit-create = Add
submit-save = Save
submit-record = Record
submit-add = Add
submit-request = Request
submit-change = Change

# What was done.

done-registered = The customer was added.
done-saved = Saved.
done-deleted = Deleted. The progress of the related records is shown below.
done-removed = Deleted.
done-recorded = The meeting was recorded.
done-added = Added.
done-completed = The task is done.
done-reopened = The task is open again.
done-postponed = The task was put off.
done-requested = The approval was requested.
done-approved = The request is approved.
done-rejected = The request is rejected.
done-cancelled = The request is cancelled.
done-reassigned = The approver is changed.
done-session = The session was ended.
done-password = The password was changed. Your other devices are signed out.
done-breaker-set = The circuit breaker is set.
done-redriven = It will be tried again now.
done-read = Marked as read.
done-archived = Archived.

# Signing in.

login-title = Sign in
login-submit = Sign in

# Errors. The API's text is shown for a code that is missing here.

refused-home = Go to customers
refused-invalid_fields = Please check what you entered.
refused-invalid_parameter = This filter is not valid. Please choose it again.
refused-invalid_cursor = This page does not exist. Please start from the first page.
refused-stale_version = Somebody else saved first. Check what it says now, then try again.
refused-request_in_flight = This form is already being processed. Please try again in a moment.
refused-duplicate_customer = There is already a customer with this e-mail address.
refused-too_many_attempts = Too many failed attempts. Please try again in { $seconds } seconds.
refused-overloaded = The server is busy. Please try again in { $seconds } seconds.
refused-unavailable = This is not available right now. Please try again in { $seconds } seconds.
refused-unsupported_media_type = This form could not be read. Please reload the page.
refused-body_too_large = This is too long.
refused-missing_token = Please sign in.
refused-attachment_too_large = The file is too large: at most 10 MiB.
refused-field-invalid_time = This is not a date and time.
refused-field-invalid_date = Please enter a date.
refused-field-invalid_number = Please enter a whole number.
refused-field-invalid_choice = Please choose from the list.
refused-field-invalid_amount = Enter an amount, such as 1,250.00.
refused-field-too_many_decimals = { $limit ->
    [0] This currency has no decimals.
    [1] This currency has one decimal.
   *[other] This currency has { $limit } decimals.
}
refused-field-choose_one = Choose one from the list.
refused-field-nobody_found = Nothing matches.
refused-field-too_small = Please enter at least { $limit }.
refused-field-too_large = Please enter at most { $limit }.
refused-field-password_too_small = Please use at least { $limit } characters.
refused-field-password_too_large = Please use at most { $limit } characters.

# Names of fields.

label-name = Name
label-kana = Reading (kana)
label-email = E-mail
label-company = Company
label-phone = Phone
label-status = Status
label-notes = Notes
label-owner-id = Owner
label-created-at = Added
label-updated-at = Changed
label-deleted-at = Deleted
label-customer-id = Customer
label-title = Title
label-met-at = Date and time
label-duration-minutes = Duration (minutes)
label-location = Place
label-outcome = Outcome
label-due-at = Due
label-due-before = Due before
label-created-from = Added from
label-created-to = Added before
label-from = From
label-to = Before
label-assignee-id = Assignee
label-completed-at = Completed
label-amount = Amount
label-currency = Currency
label-reason = Reason
label-stage = Stage
label-probability = Probability
label-expected-on = Expected on
label-expected-from = Expected from
label-expected-to = Expected to
label-lost-reason = Reason of the loss
label-closed-at = Closed
label-deal-id = Deal
label-approver-id = Approver
label-requester-id = Requester
label-requested-at = Requested
label-decided-by = Decided by
label-decided-at = Decided
label-comment = Comment
label-password = Password
label-current-password = Current password
label-new-password = New password (8 characters or more)
label-role = Role
label-manager-id = Manager
label-locale = Language
label-time-zone = Time zone
label-theme = Theme
label-muted-notifications = Muted notifications
label-actor-id = User
label-action = Action
none-customer-id = None
none-approver-id = My manager, or any manager
none-manager-id = None

role-SALES = Sales
role-MANAGER = Manager
role-ADMIN = Administrator
locale-ja = 日本語
locale-en = English
theme-SYSTEM = Same as device
theme-LIGHT = Light
theme-DARK = Dark

# Customers.

status-LEAD = Lead
status-ACTIVE = Active
status-DORMANT = Dormant
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
customers-new = Add customer
customers-total = { $text }
customers-search = Search name, kana, company, e-mail
customers-duplicate = There is already a customer with the address { $text }. It is shown below.
customers-duplicate-all = Show all { $n } of them
customers-duplicate-allow = Add another customer anyway
customers-duplicate-back = Back to the list
empty-customers = No customers yet. Add your first one.
empty-filtered = Nothing matches these filters. Try fewer of them.
customer-record = Record
record-history = History
customer-edit = Edit { $text }
customer-activity = Activity
customer-changed = changed: { $text }
customer-add-task = Add task
customer-add-meeting = Record meeting
customer-add-approval = Request approval
customer-removal = Delete { $text }
customer-removal-about = This also affects the customer's records: meetings and tasks are deleted, open deals are lost, pending approvals are cancelled, notifications are archived.
removal-nothing = There are no related records.
removal-heir = Who takes over
label-reassign-to = Who takes over
removal-approver = Who will decide on pending approvals:
removal-submit = Delete
counted-customers = Customers
counted-meetings = Meetings
counted-tasks = Tasks
counted-approvals = Approvals
counted-deals = Deals
counted-notifications = Notifications

# Meetings.

meetings-new = Record meeting
meetings-minutes = { $n } min
empty-meetings = No meetings yet. Record whom you met and what came of it.
none-meetings = No meetings yet.

# Tasks.

tasks-new = Add task
tasks-complete = Complete
tasks-reopen = Reopen
tasks-done-of = Done: “{ $text }”
tasks-completed-of = “{ $text }” is done.
tasks-reopened-of = “{ $text }” is open again.
tasks-postpone = Put off
tasks-postpone-of = Put off: “{ $text }”
tasks-postponed-of = “{ $text }” was put off.
postpone-tomorrow = Tomorrow
postpone-monday = Next Monday
postpone-next-week = In a week
task-OPEN = Open
task-DONE = Done
due-overdue = Overdue
due-soon = Due soon
due-done = Done
empty-tasks = You have no open tasks. Plan the next one.
empty-tasks-done = You have not completed a task yet.
none-tasks = No tasks yet.

# Approvals.

approvals-new = Request approval
approval-PENDING = Pending
approval-APPROVED = Approved
approval-REJECTED = Rejected
approval-CANCELLED = Cancelled
approval-decision = Decision
approval-comment-hint = required to reject
approval-approve = Approve
approval-reject = Reject
approval-cancel = Cancel the request
approval-cancel-confirm = Cancel the request “{ $text }”?
approval-reassign = Another approver
approval-reassign-submit = Change the approver
approver-everyone = Any manager
empty-approvals = No requests yet. Ask for approval of a discount or a contract.
none-approvals = No requests yet.

# Deals.

deals-new = Add deal
deals-board = Board
deals-list = List
deals-view = View
deals-of = { $n ->
    [one] { $n } deal
   *[other] { $n } deals
}
deals-none-here = No deals
deals-weighted = weighted { $text }
deals-more = All { $n } in the list
deals-move = Move “{ $text }” to
deals-move-submit = Move
deals-moved = “{ $text }” was moved.
deals-reason-ask = Why was “{ $text }” lost?
deals-keys = Drag a card to another column, or choose the stage on the card.
deals-no-day = No date
deals-overdue = Overdue
deals-closed-with-customer = The customer was deleted
deals-percent = { $n } %
deal-stage = Stage
deal-move = Move to another stage
deal-approvals = Approvals of this deal
deal-reason-hint = needed for “Lost”, and for no other stage
deal-probability-hint = in percent; empty: that of the stage
stage-QUALIFY = Qualify
stage-PROPOSE = Propose
stage-NEGOTIATE = Negotiate
stage-WON = Won
stage-LOST = Lost
empty-deals = No deals yet. Add the first one.
none-deals = No deals yet.
home-deals = My open deals
home-deals-none = You have no open deals.
home-deals-all = All open deals of mine
done-deal-added = The deal was added.
done-moved = The deal was moved.

# Deletions (sagas).

sagas-about = Deletions of customers and users, and changes of many entries, go on step by step. This page shows the progress.
sagas-progress = Progress
saga-user-deletion = Deletion of a user
saga-customers-change = Change of customers
saga-meetings-change = Change of meetings
saga-tasks-change = Change of tasks
saga-deals-change = Change of deals
saga-customers-import = Import of customers
saga-meetings-import = Import of meetings
saga-tasks-import = Import of tasks
saga-deals-import = Import of deals
saga-customer-deletion = Deletion of a customer
saga-status-running = Running
saga-status-completed = Completed
saga-status-failed = Failed
step-import-customers = Import customers
step-import-meetings = Import meetings
step-import-tasks = Import tasks
step-import-deals = Import deals
step-change-customers = Change customers
step-change-meetings = Change meetings
step-change-tasks = Change tasks
step-change-deals = Change deals
step-reassign-customers = Hand over customers
step-delete-tasks = Delete tasks
step-reassign-meetings = Hand over meetings
step-reassign-approvals = Hand over approvals
step-reassign-deals = Hand over deals
step-delete-meetings = Delete meetings
step-cancel-approvals = Cancel approvals
step-close-deals = Lose open deals
step-archive-notifications = Archive notifications
step-status-pending = Waiting
step-status-done = Done
step-status-failed = Failed
empty-sagas = Nothing yet. When you delete a customer or change many entries, the progress is shown here.

# Administration.

admin-operations = Operations
admin-users = Users
users-new = Add user
users-search = Search name, e-mail
user-edit = Edit { $text }
user-password-hint = leave empty to keep it
user-removal = Delete { $text }
user-removal-about = The user will no longer be able to sign in. Customers, meetings, deals and approvals are handed over; tasks are deleted.
admin-cluster = Cluster
admin-node = Node
admin-self = this one
admin-address = Address
admin-services = Services
admin-version = Version
admin-started = Started
admin-breakers = Circuit breakers
admin-name = Name
admin-calls = Calls
admin-failures = Failures
admin-retry-at = Next try
admin-rejected = Refused
admin-latency = p99, ms
admin-forced = (set by hand)
admin-force-open = Keep open
admin-force-closed = Keep closed
admin-force-none = Let it decide
breaker-closed = Closed
breaker-open = Open
breaker-half-open = Half open
admin-letters = Dead letters
admin-consumer = Consumer
admin-error = Error
admin-redrive = Try again
empty-letters = No dead letters.
admin-consumers = Consumers
admin-applied = Applied
admin-pending = Pending
admin-retrying = Retrying
admin-waiting = Waiting
admin-dead = Dead
admin-actors = Actors
admin-live = Live
admin-mailbox = Mailbox
admin-handled = Handled
admin-restarts = Restarts
admin-state = State
admin-fine = All is well
admin-fine-about = No problem was found.
admin-log = Events of the log
admin-events-hour = Events of the last hour
admin-nodes = Nodes
redis-connected = Connected
redis-away = Away
admin-pending-hour = Lag, last hour
admin-actors-about = The actors of this node. The lines are the messages of the last hour.
admin-live-count = { $text } live
admin-handled-hour = { $text } messages in the last hour
admin-handled-course = Messages, last hour
admin-group-services = Services
admin-group-records = Records
admin-group-consumers = Consumers
admin-group-breakers = Circuit breakers
admin-group-engine = Engine
spark-greatest = greatest { $text }
spark-last = latest { $text }
problem-not-whole = Not whole
problem-about-not-whole = Events were lost, doubled or applied out of order.
problem-dead-letters = Dead letters
problem-about-dead-letters = Events failed at every try and were not applied. Mend the cause, then try them again.
problem-breaker-open = Breaker open
problem-about-breaker-open = Calls to this service are refused at once.
problem-redis-away = Redis is away
problem-about-redis-away = Events of other nodes are read once a second meanwhile.
problem-retrying = Retrying
problem-about-retrying = Events that failed are tried again.
problem-lagging = Lagging
problem-about-lagging = It is behind the log.
problem-queueing = Queueing
problem-about-queueing = Messages wait to be handled.
problem-restarted = Started again
problem-about-restarted = The actor was started again within the last hour. The log says why.
problem-breaker-forced = Kept by hand
problem-about-breaker-forced = An administrator keeps this breaker as it is.
audit-type = Type of event
audit-event = Event
audit-time = Time
audit-who = Who
audit-record = Record
audit-subject = Id
audit-from = From
audit-to = To (inclusive)
audit-one-record = This record only
audit-facts = Event
audit-version = Version
audit-correlation = Request
audit-all-of-record = All events of this record
audit-cause = The event that caused it
audit-changes = What changed
audit-no-changes = No field of a record changed.
audit-field = Field
audit-was = Before
audit-is = After
audit-data = Data (JSON)
audit-group-user = Users
audit-group-customer = Customers
audit-group-meeting = Meetings
audit-group-task = Tasks
audit-group-approval = Approvals
audit-group-deal = Deals
audit-group-notification = Notifications
audit-group-saga = Deletions

# Settings.

offline-title = Out of reach
settings-title = Account
settings-account = Your details
settings-about = Ask an administrator to change these.
settings-profile = Name, language and time zone
settings-about-profile = This is how others see you, and how dates and texts are shown to you.
settings-password = Change password
settings-about-password = Your other devices will be signed out.
settings-preferences = Theme and notifications
settings-notifications = Notifications you want
settings-about-notifications = You will no longer get the kinds you clear. Notifications you already have stay.
sessions-title = Where you are signed in
sessions-about = End any you do not recognise, and change your password.
sessions-agent = Browser or app
sessions-address = Address
sessions-opened = Signed in
sessions-used = Last used
sessions-current = This one
sessions-all = Show all sessions
sessions-end = End
sessions-unknown = Unknown
session-kind-api = API
session-kind-console = Browser

# Events.

event-user-created = User added
event-user-updated = User changed
event-user-login = Sign-in
event-user-login-failed = Failed sign-in
event-user-deleted = User deleted
event-customer-created = Customer added
event-customer-updated = Customer changed
event-customer-deleted = Customer deleted
event-customers-imported = Customers imported
event-meetings-imported = Meetings imported
event-tasks-imported = Tasks imported
event-deals-imported = Deals imported
event-import-committed = File imported
event-import-undone = Import undone
event-customers-changed = Customers changed
event-meetings-changed = Meetings changed
event-tasks-changed = Tasks changed
event-customers-reassigned = Customers handed over
event-meeting-created = Meeting recorded
event-meeting-updated = Meeting changed
event-meeting-deleted = Meeting deleted
event-meetings-deleted = Meetings deleted
event-meetings-reassigned = Meetings handed over
event-task-created = Task added
event-task-updated = Task changed
event-task-completed = Task completed
event-task-deleted = Task deleted
event-tasks-deleted = Tasks deleted
event-task-due-soon = Task due soon
event-approval-requested = Approval requested
event-approval-approved = Request approved
event-approval-rejected = Request rejected
event-approval-cancelled = Request cancelled
event-approval-reassigned = Approver changed
event-approvals-cancelled = Requests cancelled
event-approvals-reassigned = Requests handed over
event-deal-created = Deal added
event-deal-updated = Deal changed
event-deal-won = Deal won
event-deal-lost = Deal lost
event-deal-deleted = Deal deleted
event-deals-closed = Deals lost
event-deals-reassigned = Deals handed over
event-deals-changed = Deals changed
event-comment-created = Comment posted
event-comment-updated = Comment edited
event-comment-deleted = Comment deleted
event-attachment-added = File attached
event-attachment-removed = File deleted
event-notification-created = Notification sent
event-notification-read = Notification read
event-notifications-archived = Notifications archived
event-saga-started = Deletion started
event-saga-step-completed = Step of a deletion completed
event-saga-completed = Deletion completed
event-saga-failed = Deletion failed

# Notifications.

notifications-unread = Unread
notifications-read = Mark as read
notifications-read-all = Mark all as read
notifications-archive = Archive
notifications-archived = Archived
empty-notifications = No notifications yet. New customers and decisions on your requests will appear here.

# Reports.

reports-from = From
reports-to = To
reports-show = Show
reports-spans = Periods
reports-span = { $n } days
reports-as-of = As of { $text }.
reports-unavailable = The figures of this service are not available at the moment. Please try again later.
reports-nothing = Nothing happened in this period.
reports-daily = Day by day
reports-line-total = { $text } in total
reports-line-greatest = { $text } on the busiest day
reports-table = Show the figures as a table
reports-day = Day
reports-zone = Days are those of { $text }.
reports-files = Export
reports-files-about = Saves every record you can see as a CSV file.
source-cached = Last known
source-unavailable = Unavailable
summary-total = Total
summary-new = New
summary-deleted = Deleted
summary-open = Open
summary-done = Done
summary-overdue = Overdue
summary-approved-amount = Approved amount
metric-logins = Sign-ins
metric-customers-created = Customers added
metric-customers-deleted = Customers deleted
metric-meetings-created = Meetings recorded
metric-tasks-completed = Tasks completed
metric-approvals-requested = Approvals requested
metric-approvals-approved = Requests approved
metric-approvals-rejected = Requests rejected
metric-deals-created = Deals added
metric-deals-won = Deals won
metric-deals-lost = Deals lost

# The security log.

security-what = What
security-who = User
security-count = Times
security-nobody = Nobody
security-signed-in = Signed in
security-sign-in-refused = Sign-in refused
security-sign-in-throttled = Sign-in held back after failures
security-password-refused = Wrong current password
security-password-changed = Password changed
security-password-set = Password set by an administrator
security-token-reused = Used token came again: session ended
security-token-misplaced = Token of another kind
security-signed-out = Signed out
security-session-ended = Session ended by its user
security-session-replaced = Session ended by a new sign-in
security-session-evicted = Session ended: too many

# The search of everything, and the keys.

type-customer = Customer
type-meeting = Meeting
type-task = Task
type-approval = Approval
type-deal = Deal
palette-open = Search
palette-label = Search and go to
palette-placeholder = Customers, deals, meetings, tasks, pages, actions…
palette-failed = The search did not answer. Please try again.
palette-recent = Opened recently
palette-records = Records
palette-actions = Actions
palette-pages = Pages
search-title = Search
search-label = Words of a customer, deal, meeting, task or approval
search-none = Nothing matches. Try other or fewer words.
search-missing = Not available right now: { $text }. Everything else was searched.
search-places = Pages and actions
shortcuts-title = Keyboard shortcuts
shortcuts-about = Single keys do nothing while you type, and can be switched off for this browser.
shortcuts-switch = Use single-key shortcuts
shortcut-palette = Search everything
shortcut-search = Go to the search of the page, or search everything
shortcut-create = Open the form of the page's new record
shortcut-help = List the shortcuts

# Home.

nav-home = Home
home-today = Due today and overdue
home-today-none = You have no tasks due today.
home-today-all = All my open tasks
home-awaiting = Waiting for my decision
home-awaiting-none = No requests are waiting for you.
home-awaiting-all = All pending requests
home-news = Changes by others to my records
home-news-none = Nothing new since you last looked.
home-news-more = There are older changes that are not shown here. Each customer's page has its whole history.
home-news-seen = Mark as seen
home-news-customers = To my customers
home-unavailable = This is not available right now. The rest of the page is up to date.
done-seen = Marked as seen.

# Comments.

comments-title = Comments
comments-of = Comments on “{ $text }”
comments-edit = Edit comment
comments-edited = edited
comments-submit = Post comment
comments-hint = “@” and a name mentions a person.
comments-named = The comment you followed a link to
comments-confirm-delete = Delete this comment? It cannot be undone.
none-comments = No comments yet.
mentions-label = People to mention
label-text = Your comment
done-commented = Comment posted.

# Attachments.

attachments-title = Attachments
attachments-of = Attachments of “{ $text }”
attachments-submit = Attach file
attachments-choose = File to attach
attachments-hint = Up to 10 MiB: PDF, images, Office and OpenDocument files, text, CSV, ZIP.
attachments-confirm-remove = Delete this file? It cannot be undone.
none-attachments = No files yet.
done-attached = File attached.

# The list of parts, which a demo alone has.

empty-tasks-open = See open tasks
empty-notifications-lead = Choose your notifications
design-title = Design system
design-about = The parts of the console, and the values that they are made of. A demo alone shows this page.
design-tokens = Tokens
design-colours = Colours
design-spaces = Spaces
design-types = Sizes of type
design-radii = Radii
design-shadows = Shadows
design-motions = Motion
design-icons = Icons
design-avatars = Avatars
design-statuses = Statuses
design-buttons = Buttons
design-fields = Fields
design-notices = Notices
design-empty = Empty lists
design-charts = Charts
design-cards = Fields of a record
design-example = Example
design-default = Default
design-main = Primary action
design-plain = Quiet
design-danger = Deleting and the like
design-small = Small
design-busy = Sending
design-disabled = Disabled

imports-title = Import
imports-about = Customers, meetings, tasks and deals come from a CSV or Excel file. You see what would change before anything is written.
imports-new = Choose a file
imports-choose = File
imports-hint = CSV or XLSX, up to 20 MiB and 100,000 rows, with headers in the first row
imports-submit = Read the file
imports-detect = Detect
empty-imports = You have not imported anything yet. Choose your first file.
refused-import_too_large = The file is too large: at most 20 MiB.
label-import-kind = Contents
label-encoding = Encoding
label-file-name = File
label-created-by = By
label-match-on = Find entries by
label-external-id = External ID
label-date-order = Order of dates
label-decimal = Decimals
label-owner-email = Owner's e-mail
label-assignee-email = Owner's e-mail
label-customer-email = Customer's e-mail
label-customer-external-id = Customer's external ID
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
