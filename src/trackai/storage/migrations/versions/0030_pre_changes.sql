-- A fourth deed: to tell that another release runs.
alter table alarm_calls drop constraint alarm_calls_deed_check;
alter table alarm_calls add constraint alarm_calls_deed_check
  check (deed in ('trigger', 'acknowledge', 'resolve', 'change'));
