-- When the provider began to deny its list to who looks the part up, where it has done so ever since.
ALTER TABLE part ADD COLUMN denied_since INTEGER;

-- Parts that were refused because a limit was lowered, while they waited for it, seemed to wait for ever.
UPDATE part SET waits_for = NULL, waits_until = NULL
WHERE waits_for IS NOT NULL AND state NOT IN ('queued', 'ready');
