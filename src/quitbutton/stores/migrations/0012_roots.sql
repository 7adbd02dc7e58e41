-- Whose conversations are whose is known from the turns that grow from a root: every turn paid for an index that erasure alone read.
DROP INDEX conversations_root;
