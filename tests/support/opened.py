"""Every column of every table, raw and with what is sealed opened: what a database really holds."""

from hashlib import md5, sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import asyncpg

if TYPE_CHECKING:
    from trackai.sandbox.platforms import Person
    from trackai.storage.envelope import Envelope

COLUMNS = """
select c.table_name, c.column_name, c.column_name = any(coalesce(k.names, '{}')) as is_key
from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
left join lateral (
  select array_agg(u.column_name::text) as names
  from information_schema.table_constraints p
  join information_schema.key_column_usage u using (constraint_schema, constraint_name)
  where p.constraint_type = 'PRIMARY KEY' and p.table_schema = c.table_schema
    and p.table_name = c.table_name
) k on true
join pg_class p on p.relname = c.table_name and p.relnamespace = 'public'::regnamespace
where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and not p.relispartition
order by c.table_name, c.ordinal_position
"""

# (table, its key's values) -> column -> value as stored
Raw = dict[tuple[str, tuple[object, ...]], dict[str, object]]


async def raw_rows(url: str) -> Raw:
    """Return all rows of all tables as they are stored."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        tables: dict[str, list[str]] = {}
        for row in await connection.fetch(COLUMNS):
            keys = tables.setdefault(row["table_name"], [])
            if row["is_key"]:
                keys.append(row["column_name"])
        found: Raw = {}
        for table, keys in tables.items():
            for row in await connection.fetch(f"select * from {table}"):  # noqa: S608 - as listed
                found[table, tuple(row[key] for key in keys)] = dict(row)
        return found
    finally:
        await connection.close()


def opened(rows: Raw, envelope: "Envelope") -> dict[tuple[str, tuple[object, ...], str], bytes]:
    """Return the bytes of every value, what is sealed opened."""
    return {
        (table, key, column): _bytes(envelope, table, row, column)
        for (table, key), row in rows.items()
        for column in row
    }


def _bytes(envelope: "Envelope", table: str, row: dict[str, Any], column: str) -> bytes:
    value = row[column]
    if column.endswith("_sealed") and value is not None:
        return envelope.open(value, table=table, tenant_id=row["tenant_id"])
    return value if isinstance(value, bytes) else str(value).encode()


def traces(person: "Person", *more: str) -> list[bytes]:
    """Return everything by which a person could be known: values, forms and hashes of both."""
    national = person.phone.removeprefix("55")
    area, local = national[:2], national[2:]
    phones = [
        *(person.phone, national, local, f"{local[:-4]}-{local[-4:]}"),
        *(f"55{area}{local[1:]}", f"{area}{local[1:]}", local[1:]),
    ]
    values = [
        *(person.email, person.document, person.client_ip, person.user_agent, *phones, *more),
        *(person.first_name, person.last_name, person.zip_code, person.zip_code.replace("-", "")),
    ]
    plain = {
        form for value in values for form in (value, value.lower(), value.upper(), quote(value))
    }
    hashes = [
        digest
        for value in [person.email, *phones, person.document, *more]
        for digest in (sha256(value.encode()), md5(value.encode(), usedforsecurity=False))
    ]
    return [
        *(value.encode() for value in plain),
        *(one.digest() for one in hashes),
        *(one.hexdigest().encode() for one in hashes),
        *(one.hexdigest().upper().encode() for one in hashes),
    ]
