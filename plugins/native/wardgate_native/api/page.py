"""The documentation page: the OpenAPI document as one static HTML page that needs nothing from any other host."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}
h2{margin-top:3rem;border-bottom:2px solid #ddd}h3{margin-top:2rem}code{background:#f2f2f2;padding:.1em .3em}
h3 code{font-size:1.1em}table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd}nav a{margin-right:1rem}
pre{background:#f2f2f2;padding:.6rem;overflow:auto}@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}
code,pre{background:#262626}a{color:#8ab4ff}th,td,h2{border-color:#444}}
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Its Content-Security-Policy: its own style, and nothing else."""


def render(document: Mapping[str, Any]) -> bytes:
    """The page of an OpenAPI document as :func:`wardgate_native.api.openapi.build` makes it."""
    info = document["info"]
    parts = [
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_prose(info['description'])}</p>",
        '<p>This page is made from <a href="openapi.json">the OpenAPI document</a>.</p>',
        f"<nav>{''.join(_link(tag['name']) for tag in document['tags'])}{_link('schemas')}</nav>",
    ]  # fmt: skip
    for tag in document["tags"]:
        parts.append(f'<h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2>')
        parts.extend(_operations(document, tag["name"]))
    parts.append('<h2 id="schemas">schemas</h2>')
    parts.extend(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    parts.append("</body></html>")
    return "\n".join(parts).encode()


def _operations(document: Mapping[str, Any], tag: str) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield _operation(document, path, method, operation)


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    parts = [
        f'<h3 id="{escape(operation["operationId"])}"><code>{method.upper()} {escape(path)}</code></h3>',
        f"<p>{_prose(operation['summary'])}</p>",
    ]
    parameters = [_resolved(document, one) for one in operation["parameters"]]
    parts.append(_table(("parameter", "in", ""), [_parameter(one) for one in parameters]))
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        parts.append(
            _table(("body", ""), [(f"<code>{escape(kind)}</code>", _type(of)) for kind, of in _types(content)])
        )
    parts.append(_table(("status", "", ""), [_response(*one) for one in operation["responses"].items()]))
    return "\n".join(parts)


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    text = _prose(parameter.get("description", ""))
    return f"<code>{escape(parameter['name'])}</code>", escape(parameter["in"]), f"{_type(parameter['schema'])} {text}"


def _response(status: str, response: Mapping[str, Any]) -> tuple[str, ...]:
    bodies = ", ".join(f"<code>{escape(kind)}</code> {_type(of)}" for kind, of in _types(response.get("content", {})))
    return escape(status), _prose(response["description"]), bodies


def _types(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((kind, media["schema"]) for kind, media in content.items())


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (f"<code>{escape(field)}</code>", "required" if field in required else "", _type(of))
        for field, of in schema.get("properties", {}).items()
    ]
    head = f'<h3 id="schema-{escape(name)}">{escape(name)}</h3><p>{_prose(schema["description"])}</p>'
    return head + _table(("", "", ""), rows)


def _type(schema: Mapping[str, Any]) -> str:
    """What a schema allows, in a few words; a named one as a link."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    facts = {key: value for key, value in schema.items() if key not in {"type", "description", "title", "default"}}
    facts = {key: value for key, value in facts.items() if not isinstance(value, dict)}
    limits = ", ".join(f"{key} {json.dumps(value)}" for key, value in facts.items())
    return escape(schema.get("type", "any")) + (f" <small>({escape(limits)})</small>" if limits else "")


def _resolved(document: Mapping[str, Any], found: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in found:
        return found
    resolved: Mapping[str, Any] = document["components"]["parameters"][found["$ref"].rpartition("/")[2]]
    return resolved


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = f"<tr>{''.join(f'<th>{name}</th>' for name in heads)}</tr>" if any(heads) else ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}{body}</table>"


def _link(name: str) -> str:
    return f'<a href="#{escape(name)}">{escape(name)}</a>'


def _prose(text: str) -> str:
    """Text with its code in backticks."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
