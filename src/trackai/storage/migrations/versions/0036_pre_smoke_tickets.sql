-- The account of a ticket serves many runs, until its time is over; that of one run has none.
alter table smoke_runs add column kept_until timestamptz;
