-- Notices are values in JSON. Those of older versions stay the texts that they were.
ALTER TABLE notice RENAME COLUMN text TO value;
