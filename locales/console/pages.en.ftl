# Settings, notifications, reports, search, home, the list of parts.

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
sessions-current = This device
sessions-all = Show all sessions
sessions-end = End
sessions-unknown = Unknown
session-kind-api = API
session-kind-console = Browser

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
reports-zone = Days begin at midnight in { $text }.
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
search-label = Search customers, deals, meetings, tasks and approvals
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
home-news-customers = See my customers
home-unavailable = This is not available right now. The rest of the page is up to date.
done-seen = Marked as seen.

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
