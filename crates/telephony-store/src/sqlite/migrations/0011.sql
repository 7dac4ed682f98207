-- Outgoing calls of the last day, for the limits on calls. A call that is deleted stays here, because a purge must not
-- allow more calls.
CREATE TABLE call_spent (
    call      INTEGER PRIMARY KEY, -- its id is never used twice
    placed_at INTEGER NOT NULL,
    seconds   INTEGER NOT NULL     -- its maximum until it ends, then the time from answer to end
) STRICT;
INSERT INTO call_spent (call, placed_at, seconds)
SELECT k.id, k.created_at,
       CASE WHEN k.ended_at IS NULL THEN k.machine ->> '$.plan.max_duration.secs'
            ELSE coalesce(max(k.ended_at - (k.machine ->> '$.answered'), 0) / 1000, 0) END
FROM call AS k JOIN outgoing_call AS o ON o.call = k.id WHERE o.state <> 'not-dialed';
