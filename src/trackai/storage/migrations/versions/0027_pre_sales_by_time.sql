-- A page of sales goes on from a sale to those that were made before it, or after.
create index conversions_by_sale on conversions (tenant_id, sold_at desc, id desc);
