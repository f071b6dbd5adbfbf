# Customers, meetings, tasks, approvals, deals, comments, attachments.

# Customers.

status-LEAD = Lead
status-ACTIVE = Active
status-DORMANT = Dormant
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
deals-move-to = Move to…
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
home-deals-all = All my open deals
done-deal-added = The deal was added.
done-moved = The deal was moved.

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
