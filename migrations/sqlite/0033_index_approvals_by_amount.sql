-- With the users at the end: one user's approvals by amount are picked out of these, or sorted if they are few.
CREATE INDEX approvals_by_amount ON approvals (status, amount, id, requester_id, approver_id);
