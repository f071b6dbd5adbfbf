# Customers that may be one, and their merge.

duplicates-title = Possible duplicates
duplicates-about = These customers have something in common and may be one and the same. Compare two of them and merge them.
duplicates-by = Compared by
duplicates-none = No two customers have this in common.
duplicates-compare = Compare and merge
duplicates-count = { $n ->
    [one] { $text } customer
   *[other] { $text } customers
}
matches-title = Possible duplicates
matches-hint = There may be this customer already:
match-email = E-mail address
match-phone = Telephone number
match-name = Name
match-kana = Kana
match-domain = Domain of the address
list-comma = {", "}
merge-title = Merge with another customer
merge-about = The other customer goes into this one: meetings, tasks, approvals, deals and notifications move to it. You can undo this.
merge-choose = Show what that does
merge-submit = Merge
merge-this = This one
merge-other = The other one
merge-field = Field
merge-keep = { $text }: which value is kept
merge-moves = Moves to this customer
merge-moves-nothing = Nothing refers to the other customer.
merge-empty = None
action-merge = Merge
done-merged = The customers are merged.
