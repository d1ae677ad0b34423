from typing import Any

import pytest

from tests.support.front import RunningFront


@pytest.fixture
async def document(front: RunningFront) -> dict[str, Any]:
    async with front.http.get("/api/openapi.json") as response:
        assert response.status == 200
        document: dict[str, Any] = await response.json()
    return document


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        found = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return found + [one for value in node.values() for one in references(value)]
    if isinstance(node, list):
        return [one for value in node for one in references(value)]
    return []


async def test_every_route_of_the_router_is_described(
    front: RunningFront, document: dict[str, Any]
) -> None:
    assert document["openapi"] == "3.1.0"
    served = {
        (resource.canonical, route.method.lower())
        for route in front.front.app.router.routes()
        if (resource := route.resource) is not None
        and not resource.canonical.startswith(("/socket.io", "/{path"))
    }
    described = {
        (path, method) for path, methods in document["paths"].items() for method in methods
    }
    assert {(path, method) for path, method in served if method != "head"} == described


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    found = references(document)
    assert found
    assert all(one.rpartition("/")[2] in schemas for one in found)
    assert all(one.startswith("#/components/schemas/") for one in found)


def test_operations_are_told_apart_and_their_errors_are_problems(
    document: dict[str, Any],
) -> None:
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    ids = [one["operationId"] for one in operations]
    assert len(set(ids)) == len(ids)
    for operation in operations:
        assert operation["summary"]
        for status, response in operation["responses"].items():
            assert response["description"]
            kinds = set(response.get("content", {}))
            if status == "default" or (status[0] in "45" and "application/json" not in kinds):
                assert kinds == {"application/problem+json"}


async def test_answers_have_the_fields_that_are_promised(
    front: RunningFront, document: dict[str, Any]
) -> None:
    await front.joined("studio")
    schemas = document["components"]["schemas"]
    for path in ("/health", "/health/ready", "/api/stats", "/api/rooms", "/api/rooms/studio"):
        described = document["paths"][path.replace("studio", "{room_id}")]["get"]
        reference = described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        schema = schemas[reference.rpartition("/")[2]]
        async with front.http.get(path) as response:
            answer = await response.json()
        assert set(schema["required"]) <= set(answer) <= set(schema["properties"])
