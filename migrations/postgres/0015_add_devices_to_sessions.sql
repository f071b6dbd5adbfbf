-- What a session was opened by, and where its tokens were last obtained from. The sessions that are open now become those of
-- the API: whoever uses the console logs in once more.
ALTER TABLE sessions ADD COLUMN kind TEXT NOT NULL DEFAULT 'api';
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN agent TEXT;

CREATE INDEX sessions_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
