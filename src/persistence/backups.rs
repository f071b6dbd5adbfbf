//! What a backup has of the schema.

use store::backup::Contents;

/// A new table is in every backup, unless it is named here.
pub const CONTENTS: Contents = Contents {
    left_out: &[
        // Counts, and what waits to be added to them: triggers append it again when the records are restored.
        "tallies",
        "tally_changes",
        "tally_folds",
        // Indexes of texts, which the folder makes of the records.
        "customer_texts",
        "meeting_texts",
        "task_texts",
        "approval_texts",
        "deal_texts",
        "customer_grams_end",
        "customer_gram_changes",
        "meeting_gram_changes",
        "task_gram_changes",
        "approval_gram_changes",
        "deal_gram_changes",
        // They hold for the servers that run: a restored database is another cluster and another log.
        "nodes",
        "cluster",
        "write_checks",
        // A session that was ended after the backup must not be valid again.
        "sessions",
    ],
    of_one_kind: &["customers.number"],
    in_use: &["users", "events"],
};
