"""`/api/openapi.json`: OpenAPI 3.1, made from the routes and the types that they answer with."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from webrtc.api.guard import Need
from webrtc.api.problems import CONTENT_TYPE, ProblemDetails
from webrtc.api.routes import Reply, Route, json_reply

_REF_TEMPLATE: Final = "#/components/schemas/{name}"


# "" is for callers without any: rooms stand open unless the operator wants tokens.
_SCHEMES: Final[dict[Need, tuple[str, ...]]] = {
    Need.NOBODYS: (),
    Need.OWN: ("", "joinToken"),
    Need.OPERATOR: ("", "joinToken", "operatorToken"),
    Need.LIST: ("", "joinToken", "operatorToken"),
    Need.MAKE: ("", "joinToken"),
    Need.ENTER: ("", "joinToken"),
    Need.LOOK: ("", "joinToken"),
    Need.HOST: ("hostKey", "joinToken"),
}


def openapi_route() -> Route:
    """Return the route of the document, which describes itself, too."""

    async def document(request: web.Request) -> web.Response:
        return json_reply(request.app[DOCUMENT])

    return Route(
        "GET",
        "/api/openapi.json",
        document,
        "This document.",
        {200: Reply("OpenAPI 3.1.", dict[str, Any])},
        need=Need.NOBODYS,
    )


DOCUMENT: Final = web.AppKey("openapi", dict[str, Any])


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`."""
    types = [ProblemDetails, *_types(routes)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF_TEMPLATE)
    schema_of = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, schema_of)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AG06 Mixer",
            "version": version,
            "description": "Rooms, health and figures. Sound and room events travel over "
            "WebRTC and Socket.IO, see docs/protocol.md.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "hostKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The host key that the creator of the room was told.",
                },
                "joinToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Wanted where the server checks join tokens.",
                },
                "operatorToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The operator's own token, where one is set.",
                },
                "resumeToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Of a participant who may do this in the room.",
                },
            },
        },
    }


def _types(routes: Sequence[Route]) -> list[Any]:
    types = [reply.body for route in routes for reply in route.replies.values()]
    types += [route.body for route in routes]
    return list({id(kind): kind for kind in types if kind is not None}.values())


def _operation(route: Route, schema_of: dict[int, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, reply in route.replies.items():
        responses[str(status)] = {"description": reply.meaning}
        if reply.body is not None:
            schema = schema_of[id(reply.body)]
            responses[str(status)]["content"] = {reply.content_type: {"schema": schema}}
    problems = {**route.problems}
    if route.body is not None or route.takes:
        problems |= {400: "The request is malformed.", 413: "The request is too large."}
    for status, meaning in problems.items():
        responses[str(status)] = _problem(meaning, schema_of)
    responses["default"] = _problem("Any other failure.", schema_of)
    name = route.handler.__qualname__.replace(".<locals>", "").replace(".", "_")
    operation: dict[str, Any] = {
        "operationId": route.operation or name,
        "summary": route.summary,
        "responses": responses,
    }
    names = re.findall(r"{(\w+)}", route.path)
    if names or route.query:
        operation["parameters"] = [
            *(_path_parameter(name) for name in names),
            *(_query_parameter(name, kind) for name, kind in route.query.items()),
        ]
    if route.body is not None:
        schema = schema_of[id(route.body)]
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    elif route.takes:
        operation["requestBody"] = {"content": {route.takes: {"schema": {"type": "string"}}}}
    schemes = _SCHEMES[route.need]
    if schemes:
        operation["security"] = [{scheme: []} if scheme else {} for scheme in schemes]
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(name: str, kind: type) -> dict[str, Any]:
    schema = {"type": "integer" if kind is int else "string"}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _problem(meaning: str, schema_of: dict[int, Any]) -> dict[str, Any]:
    content = {CONTENT_TYPE: {"schema": schema_of[id(ProblemDetails)]}}
    return {"description": meaning, "content": content}
