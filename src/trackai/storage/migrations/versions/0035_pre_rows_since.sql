-- Rows that went because a tenant kept them for less than it does now: before this moment not all are
-- there. Null: it never kept less.
alter table tenants add column rows_since timestamptz;
