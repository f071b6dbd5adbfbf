-- The SALES users who may see an event of a customer's timeline: the owner of its record, and the owner until this event.
ALTER TABLE customer_activity ADD COLUMN owner_id TEXT;
ALTER TABLE customer_activity ADD COLUMN previous_owner_id TEXT;

UPDATE customer_activity SET
    owner_id = coalesce(
        e.data ->> '$.customer.owner_id', e.data ->> '$.meeting.owner_id',
        e.data ->> '$.task.assignee_id', e.data ->> '$.approval.requester_id'),
    previous_owner_id = coalesce(
        e.data ->> '$.previous_owner_id', e.data ->> '$.previous_assignee_id', e.data ->> '$.previous_requester_id')
FROM events AS e WHERE e.id = customer_activity.id;
