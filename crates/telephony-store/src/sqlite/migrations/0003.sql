-- When the provider began to deny its list to who looks the part up, where it has done so ever since.
ALTER TABLE part ADD COLUMN denied_since INTEGER;
