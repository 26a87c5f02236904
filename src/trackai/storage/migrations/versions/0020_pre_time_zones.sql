-- The zone that a tenant wants; a task counts its days anew and then sets it. Null: as it is.
alter table tenants add column next_time_zone text;
grant update (time_zone, next_time_zone) on tenants to trackai_pipeline;
grant delete on rollup_peaks to trackai_pipeline;
