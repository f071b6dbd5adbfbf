-- What a user has unread about a record: it is read when the user has dealt with the record.
CREATE INDEX notifications_subject ON notifications (subject_id, user_id, created_at, id)
    WHERE read_at IS NULL AND archived_at IS NULL;
