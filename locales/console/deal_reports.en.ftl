# Reports of deals.

reports-all = Overview
deal-reports = Reports of deals
deal-reports-funnel = Funnel
deal-reports-forecast = Forecast
deal-reports-outcomes = Won and lost
deal-reports-owners = By owner
deal-reports-reasons = By reason of the loss
deal-reports-about-funnel = Deals by the day they were added, and how far each has ever come. The age is the median time in a stage.
deal-reports-about-forecast = Deals by the day they are expected on. Weighted is each amount times its probability; committed is what has been won.
deal-reports-about-outcomes = Deals by the day they were won or lost.
deal-reports-about-owners = Deals that were won or lost, by who owns them now.
deal-reports-about-reasons = The most frequent reasons come first.
deal-report-beside = Compared with { $text }.
deal-report-before = { $text } before
deal-report-stage = Stage
deal-report-reached = Reached
deal-report-conversion = To the next stage
deal-report-age = Median time
deal-report-month = Month
deal-report-open = Open
deal-report-amount = Amount
deal-report-weighted = Weighted
deal-report-won = Won
deal-report-committed = Committed
deal-report-lost = Lost
deal-report-won-amount = Won amount
deal-report-lost-amount = Lost amount
deal-report-period = Period
deal-report-owner = Owner
deal-report-reason = Reason
deal-report-expected = Weighted and committed ({ $text })
deal-report-percent = { $text }%
deal-report-month-of = { $text }
deal-report-minutes = { $n ->
    [one] { $text } minute
   *[other] { $text } minutes
}
deal-report-hours = { $n ->
    [one] { $text } hour
   *[other] { $text } hours
}
deal-report-days = { $n ->
    [one] { $text } day
   *[other] { $text } days
}
fiscal-this-year = This fiscal year
fiscal-last-year = Last fiscal year
fiscal-quarter = Q{ $text }
