"""The description of the interface is what the server answers."""

from __future__ import annotations

from typing import Any

import pytest

from ritornello.studio.routes import EVENTS, JSON, OPERATIONS, SCHEMAS, Operation, openapi
from tests.studio.conftest import Studio

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
TYPES |= {"null": type(None)}


def faults(value: Any, schema: dict[str, Any], place: str = "answer") -> list[str]:
    """Where a JSON value is not what a schema says."""
    if "$ref" in schema:
        return faults(value, SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], place)
    if "oneOf" in schema:
        found = [faults(value, each, place) for each in schema["oneOf"]]
        return [] if [] in found else found[0]
    if "type" not in schema:
        return []
    if not isinstance(value, TYPES[schema["type"]]):
        return [f"{place}: {value!r:.40} is no {schema['type']}"]
    if schema["type"] == "array":
        return [
            line for n, each in enumerate(value) for line in faults(each, schema["items"], f"{place}[{n}]")
        ]
    missing = [f"{place} lacks {name}" for name in schema.get("required", ()) if name not in value]
    known = schema.get("properties", {})
    return missing + [line for name in known if name in (value if isinstance(value, dict) else ())
                      for line in faults(value[name], known[name], f"{place}.{name}")]  # fmt: skip


def test_a_wrong_answer_is_noticed() -> None:
    assert faults({"id": "x"}, SCHEMAS["NewSong"]) == ["answer lacks head"]
    assert faults({"id": "x", "head": "1"}, SCHEMAS["NewSong"]) == ["answer.head: '1' is no integer"]
    assert faults({"id": "x", "head": 1}, SCHEMAS["NewSong"]) == []


@pytest.fixture(scope="module")
def places(studio: Studio, tune_file: bytes) -> dict[str, str]:
    """What the paths name: a song, its version, a part, a bar, a format, a job."""
    song = studio.import_song(tune_file, "described.mid")
    job = studio.ask("POST", "/api/jobs", {"kind": "change", "song": song, "options": {"tempo": 99}}).json[
        "job"
    ]
    studio.events(job)
    return {"song": song, "version": "1", "part": "0", "bar": "0", "format": "mid", "job": job, "sample": "1"}


BODIES: dict[str, Any] = {"update_song": {"name": "other"}, "add_job": {"kind": "doctor", "music": "midi"}}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.function))
def test_each_operation_answers_as_it_is_described(
    studio: Studio, places: dict[str, str], tune_file: bytes, operation: Operation
) -> None:
    body = BODIES.get(operation.function)
    if operation.function == "import_song":
        body = tune_file
    if operation.function == "edit":
        view = studio.ask("GET", f"/api/songs/{places['song']}/versions/1").json
        body = {"parent": 1, "action": "edit", "notes": view["notes"]}
    if operation.function == "delete_song":
        places = places | {"song": studio.import_song(tune_file, "gone.mid")}
    answer = studio.ask(operation.method, operation.path.format(**places), body)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if operation.function == "sample":  # of a job that has none
        assert (answer.status, kind) == (404, JSON)
        return
    assert answer.status == operation.status, answer.body
    assert kind in operation.answers or (not operation.answers and not answer.body)
    if kind == JSON and operation.schema:
        assert faults(answer.json, operation.schema) == []
    assert (kind == EVENTS) == (operation.function == "events")
    if operation.body:
        wrong = studio.ask(operation.method, operation.path.format(**places), b"{")
        assert wrong.status in operation.errors
        assert faults(wrong.json, SCHEMAS["Error"]) == []


def test_the_description_that_is_served_is_that_of_the_table(studio: Studio) -> None:
    served = studio.ask("GET", "/api/openapi.json").json
    assert served == openapi(served["info"]["version"])
    described = {(method.upper(), path) for path, each in served["paths"].items() for method in each}
    assert described == {(each.method, each.path) for each in OPERATIONS}
    names = [operation["operationId"] for each in served["paths"].values() for operation in each.values()]
    assert len(names) == len(set(names))
    for path, each in served["paths"].items():
        for operation in each.values():
            in_path = {item["name"] for item in operation["parameters"] if item["in"] == "path"}
            assert in_path == {piece.split("}")[0] for piece in path.split("{")[1:]}, path


def test_what_is_not_described_is_not_answered(studio: Studio) -> None:
    paths = {operation.path for operation in OPERATIONS}
    for path in sorted(paths):
        allowed = {operation.method for operation in OPERATIONS if operation.path == path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
            example = path.replace("{", "").replace("}", "")
            assert studio.ask(method, example, b"{}", Content_Type=JSON).status in (404, 405), (method, path)
    assert studio.ask("GET", "/api/nothing").status == 404
