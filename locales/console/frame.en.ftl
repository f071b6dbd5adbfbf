# The frame, what was done, signing in, errors.

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
