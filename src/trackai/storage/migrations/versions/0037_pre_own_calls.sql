-- Under which key the tenant's own routes were called for an incident; null: under the incident's own.
alter table alarm_signals add column own_call_key text;
