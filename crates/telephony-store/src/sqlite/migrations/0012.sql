-- Notices are values in JSON. Those of older versions stay plain texts.
ALTER TABLE notice RENAME COLUMN text TO value;
