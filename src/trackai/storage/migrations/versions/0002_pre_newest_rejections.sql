-- Anybody who knows a tenant's id can send webhooks to the address without a key: what they leave
-- must not push out what came to the address that only the platform knows.
alter table webhook_rejections add column keyless boolean not null default false;

grant delete on webhook_rejections to trackai_ingest;
