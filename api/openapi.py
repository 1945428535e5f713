"""The api's description of itself: what FastAPI makes of the code, completed.

Errors are described by one schema, and every answer shows an example, made of the examples that the
schemas carry.
"""

from typing import Any

from fastapi import FastAPI

from api.idempotency import HEADER, SAFE
from api.problem import Problem

_SCHEMAS = "#/components/schemas/"
_KEY: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A name of your own for this request: sent again with it, it is carried out once"
    " and answered as the first time",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


class DescribedApi(FastAPI):
    """A FastAPI whose OpenAPI has the shape of errors and an example for every answer."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            description = super().openapi()
            schemas = description["components"]["schemas"]
            problem = Problem.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
            schemas |= problem.pop("$defs", {})
            schemas["Problem"] = problem
            for operations in description["paths"].values():
                for method, operation in operations.items():
                    if method.upper() not in SAFE and "security" in operation:
                        operation.setdefault("parameters", []).append(_KEY)
                    _show_example(operation["responses"]["200"], schemas)
        return self.openapi_schema or {}


def _show_example(response: dict[str, Any], schemas: dict[str, Any]) -> None:
    answer = response.get("content", {}).get("application/json", {})
    schema = answer.get("schema", {})
    example = _example(schema, schemas)
    if example is not None:
        answer["example"] = _completed(example, schema, schemas)


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> object:
    """The example a schema carries; of a page, one item and no next page."""
    schema = _resolved(schema, schemas)
    if "example" in schema:
        return schema["example"]
    items = schema.get("properties", {}).get("items", {}).get("items")
    item = _example(items, schemas) if items else None
    return None if item is None else {"items": [item]}


def _completed(example: object, schema: dict[str, Any], schemas: dict[str, Any]) -> object:
    """An example with its nulls, which FastAPI leaves out of what it describes."""
    schema = _resolved(schema, schemas)
    if isinstance(example, list):
        return [_completed(one, schema.get("items", {}), schemas) for one in example]
    if not isinstance(example, dict) or "properties" not in schema:
        return example
    return {
        name: _completed(example.get(name), part, schemas)
        for name, part in schema["properties"].items()
    }


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, where it is named, or may be null."""
    for part in schema.get("anyOf", ()):
        if part != {"type": "null"}:
            return _resolved(part, schemas)
    if "$ref" in schema:
        named: dict[str, Any] = schemas[schema["$ref"].removeprefix(_SCHEMAS)]
        return named
    return schema
