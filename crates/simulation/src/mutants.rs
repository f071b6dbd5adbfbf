//! The program with one of its safety parts removed: that each is found shows that such a defect would be.

/// The mutants by name, and what each of them lacks.
pub const MUTANTS: [(&str, &str); 21] = [
    ("answers-before-commit", "the journal answers before it commits"),
    ("failed-commit-published", "a commit that failed is acknowledged and published"),
    ("no-version-fence", "a commit does not compare versions"),
    ("no-row-lock", "compared rows are not locked"),
    ("no-value-lock", "a value that must be absent is not locked"),
    ("no-unique-check", "a value that must be absent is not looked for"),
    ("no-live-check", "a row that must live is not looked for"),
    ("no-idempotency-claim", "the first answer is not stored with its effect"),
    ("old-state-decides", "a node decides that nothing changes by a state that may be old"),
    ("memory-answers", "a node of a cluster reads from its memory"),
    ("cursor-beside-effect", "an effect and its position are two commits"),
    ("no-cursor-fence", "a position moves whatever is stored"),
    ("resume-skips-one", "reading the log on skips an event"),
    ("gap-ignored", "a gap before a delivery is passed over"),
    ("parked-overtaken", "later events do not wait behind a parked one"),
    ("live-gap-ignored", "a live reader passes over a gap"),
    ("no-lease-fence", "a lease is taken over while it lasts"),
    ("schedule-without-claim", "a job runs though another node has claimed its occurrence"),
    ("call-repeated", "a call that comes twice is carried out twice"),
    ("late-answers-counted", "a breaker counts answers of before its last change"),
    ("command-retried", "a command to another node is retried"),
];
