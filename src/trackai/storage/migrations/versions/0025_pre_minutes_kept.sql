-- Minutes stay an hour longer than two days, so that the 24 hours before the last 24 are there whole.

alter policy housekeeping_ages on rollup_sales using (
  grain = 'minute' and at < now() - interval '49 hours'
  or grain = 'hour' and at < now() - interval '92 days');
alter policy housekeeping_ages on rollup_dispatch using (
  grain = 'minute' and at < now() - interval '49 hours'
  or grain = 'hour' and at < now() - interval '92 days');
alter policy housekeeping_ages on rollup_latency using (
  grain = 'minute' and at < now() - interval '49 hours'
  or grain = 'hour' and at < now() - interval '92 days');
alter policy housekeeping_ages on rollup_campaigns using (
  grain = 'minute' and at < now() - interval '49 hours'
  or grain = 'hour' and at < now() - interval '92 days');
alter policy housekeeping_ages on rollup_totals using (
  grain = 'minute' and at < now() - interval '49 hours'
  or grain = 'hour' and at < now() - interval '92 days');
