"""`make reference`: docs/reference/*.json, what the program's two OpenAPI documents say.

They are committed, so that a change of the API is seen where it is reviewed; a test holds them to
the program. The site shows them as pages (tools/site.py).
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from trackai.api.app import OPENAPI, create_api
from trackai.api.tools import ApiTools
from trackai.ingest.openapi import openapi_document

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
TITLES = {
    "edge": "What pages and payment platforms send",
    "api": "What a tenant's programs ask",
}

Json = Mapping[str, Any]


def documents() -> dict[str, Json]:
    """Return both documents as the program makes them."""
    return {"edge": json.loads(openapi_document()), "api": asyncio.run(_api_document())}


async def _api_document() -> Json:
    # The document needs none of the tools.
    app, body = create_api(cast("ApiTools", None)), bytearray()
    scope = {"type": "http", "method": "GET", "path": OPENAPI, "raw_path": OPENAPI.encode()}
    scope |= {"query_string": b"", "headers": [], "root_path": "", "scheme": "http"}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return cast("Json", json.loads(body))


def text_of(document: Json) -> str:
    """Return a document as it is committed."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def page_of(name: str, document: Json) -> str:
    """Return a document as a page."""
    lines = [f"# {TITLES[name]}", "", f"The same for programs: [{name}.json]({name}.json).", ""]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += _operation(f"{method.upper()} {path}", operation)
    lines += ["## Shapes", ""]
    for schema_name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
        lines += _schema(schema_name, schema)
    return "\n".join(lines)


def _operation(title: str, operation: Json) -> Iterator[str]:
    yield from (f"## `{title}`", "")
    for key in ("summary", "description"):
        if operation.get(key):
            yield from (str(operation[key]), "")
    if operation.get("parameters"):
        yield from ("| parameter | in | type | |", "|---|---|---|---|")
        for one in operation["parameters"]:
            name = f"`{one['name']}`{' (required)' if one.get('required') else ''}"
            yield f"| {name} | {one['in']} | {_type(one.get('schema', {}))} | {_cell(one)} |"
        yield ""
    for kind, one in operation.get("requestBody", {}).get("content", {}).items():
        yield from (f"Body, `{kind}`: {_type(one.get('schema', {}))}", "")
    yield from ("| answer | | |", "|---|---|---|")
    for status, answer in operation["responses"].items():
        shapes = {_type(one.get("schema", {})) for one in answer.get("content", {}).values()}
        yield f"| {status} | {_cell(answer)} | {', '.join(sorted(shapes))} |"
    yield ""


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield from (f"### {name}", "")
    if schema.get("description"):
        yield from (str(schema["description"]), "")
    if "enum" in schema:
        yield from (_type(schema), "")
    if schema.get("properties"):
        required = schema.get("required", [])
        yield from ("| field | type | |", "|---|---|---|")
        for field, one in schema["properties"].items():
            name = f"`{field}`{' (required)' if field in required else ''}"
            yield f"| {name} | {_type(one)} | {_cell(one)} |"
        yield ""


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[key]))
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    kind = schema.get("type", "any")
    form = f", {schema['format']}" if "format" in schema else ""
    return f"{' or '.join(kind) if isinstance(kind, list) else kind}{form}"


def _cell(one: Json) -> str:
    return " ".join(str(one.get("description", "")).split()).replace("|", "\\|")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name_, document_ in documents().items():
        (FOLDER / f"{name_}.json").write_text(text_of(document_), "utf-8")
        print(f"docs/reference/{name_}.json: {len(document_['paths'])} addresses")
