-- Words of ads that name a person: e-mails in any spelling, digests, phones and CPFs with what people put
-- between their digits. Google's numbers of campaigns have as many digits as a phone, and are words.

-- Eleven digits that are a CPF: the last two follow from the nine before (weights 10 to 2, 11 to 2).
create function trackai_is_cpf(digits text)
returns boolean language sql immutable parallel safe
return digits ~ '^[0-9]{11}$' and (
  select sum(substr(digits, n, 1)::int * (11 - n)) * 10 % 11 % 10 = substr(digits, 10, 1)::int
  from generate_series(1, 9) n
) and (
  select sum(substr(digits, n, 1)::int * (12 - n)) * 10 % 11 % 10 = substr(digits, 11, 1)::int
  from generate_series(1, 10) n
);

-- A word of nothing but digits and what stands between those of a phone or a CPF. `digits`: it without.
create function trackai_numbers_person(said text, digits text)
returns boolean language sql immutable parallel safe
return case
  when said ~* '^\s*(\+|%2b|tel:|whatsapp:|\(|00)' then length(digits) between 8 and 15
  when said ~ '^\s*[0-9]{3}\.[0-9]{3}\.[0-9]{3}[- /.]?[0-9]{2}\s*$' then true
  -- Of Brazil: a mobile phone of any area, and with the country before it a fixed one.
  when digits ~ '^(55)?([14689][1-9]|2[12478]|3[1-578]|5[1345]|7[134579])9[0-9]{8}$' then true
  when digits ~ '^55[1-9][1-9][2-5][0-9]{7}$' then true
  when length(digits) = 11 then trackai_is_cpf(digits)
  else length(digits) between 12 and 13
end;

create or replace function trackai_campaign_word(said text)
returns text language sql immutable parallel safe
return case
  when said is null then ''
  when said ~* '[@＠﹫]|%(25)*40|%(25)*ef%(25)*bc%(25)*a0' then ''
  when said ~* '[0-9a-f]{64}|(^|[^0-9a-z])([0-9a-f]{32}|[0-9a-f]{40})([^0-9a-z]|$)' then ''
  when said ~* '^(tel:|whatsapp:|%20|%2b|[0-9\s().+/-]){8,}$' and trackai_numbers_person(said,
    regexp_replace(said, '%20|%2b|[^0-9]', '', 'gi')) then ''
  else said
end;

-- What was stored of them goes; what it was counted under stays.
update campaigns set source = trackai_campaign_word(source), medium = trackai_campaign_word(medium),
  campaign = trackai_campaign_word(campaign), content = trackai_campaign_word(content)
where trackai_campaign_word(source) <> source or trackai_campaign_word(medium) <> medium
  or trackai_campaign_word(campaign) <> campaign or trackai_campaign_word(content) <> content;
