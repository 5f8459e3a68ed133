"""The table of the HTTP interface: the request and the answer of each operation, and their description."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

JSON, EVENTS, BYTES = "application/json", "text/event-stream", "application/octet-stream"
FORMATS = {
    "mid": "audio/midi", "musicxml": "application/vnd.recordare.musicxml+xml", "wav": "audio/wav",
    "flac": "audio/flac", "zip": "application/zip", "json": JSON,
}  # fmt: skip
"""The formats of an export, and their media types; json is the recipe."""
KINDS = ("sketch", "compose", "redo", "vary", "change", "perform", "learn", "doctor")
TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
ANY, TRUTH = {"type": "object"}, {"type": "boolean"}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [schema, {"type": "null"}]}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = required | (optional or {})
    return {"type": "object", "properties": properties, "required": list(required)}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


COLUMNS = _object(dict.fromkeys(("part", "pitch", "velocity", "onset_ticks", "duration_ticks"), _list(WHOLE)))
PART = _object({"name": TEXT, "program": WHOLE, "is_drums": TRUTH}, {"instrument": TEXT})
SCHEMAS: dict[str, dict[str, Any]] = {
    "Error": _object({"error": TEXT}),
    "State": _object(
        {
            "version": TEXT, "model": TEXT, "labels": _list(ANY), "options": ANY, "music": _list(TEXT),
            "soundfonts": _list(TEXT), "models": _list(TEXT), "queue_limit": WHOLE, "extras": ANY,
        }
    ),
    "Song": _object({"id": TEXT, "name": TEXT, "head": WHOLE, "changed_at": TEXT}),
    "NewSong": _object({"id": TEXT, "head": WHOLE}),
    "SongDetails": _object(
        {"id": TEXT, "name": TEXT, "head": WHOLE, "mixer": ANY, "locks": _list({}), "versions": _list(
            _object(
                {"version": WHOLE, "parent": _or_null(WHOLE), "made_at": TEXT, "action": TEXT,
                 "take": TRUTH, "originality": _or_null(_ref("Originality"))}
            )
        )}
    ),
    "SongChanges": _object({}, {"name": TEXT, "head": WHOLE, "mixer": ANY, "locks": _list({})}),
    "Originality": _object({"longest_run": WHOLE, "notes": WHOLE}, {"song": TEXT, "bars": _list(WHOLE),
                           "there": _list(WHOLE)}),
    "Version": _object(
        {"ticks_per_beat": WHOLE, "bars": _list(ANY), "tempos": _list(ANY), "key": _or_null(TEXT),
         "parts": _list(PART), "notes": COLUMNS, "chords": _list(ANY), "sections": _list(ANY),
         "textures": _list({}), "lock_bars": _list({}), "command": TEXT, "recipe": _or_null(ANY),
         "originality": _or_null(_ref("Originality"))}
    ),
    "Edit": _object({"parent": WHOLE, "action": TEXT, "notes": COLUMNS}, {"parts": _list(PART)}),
    "NewVersion": _object({"version": WHOLE, "head": WHOLE}),
    "JobRequest": _object(
        {"kind": {"type": "string", "enum": list(KINDS)}},
        {"song": TEXT, "parent": WHOLE, "options": ANY, "name": TEXT, "model": TEXT, "music": TEXT,
         "minutes": NUMBER},
    ),
    "NewJob": _object({"job": TEXT}),
    "Job": _object(
        {"job": TEXT, "kind": TEXT, "song": _or_null(TEXT), "state": TEXT, "done": _or_null(NUMBER),
         "total": _or_null(NUMBER), "left_s": _or_null(NUMBER), "error": _or_null(TEXT)}
    ),
}  # fmt: skip


class Operation(NamedTuple):
    """An operation of the HTTP interface.

    `function` is the method of `Api` that does it. A successful answer has `status`, one of the media types
    `answers`, and if it is JSON the `schema`. `body` is the schema of a JSON body, or BYTES. `errors` are the
    statuses of errors, besides 401, 403, 404, 405 and 500, which every operation can have.
    """

    method: str
    path: str
    function: str
    summary: str
    schema: dict[str, Any] | None = None
    status: int = 200
    answers: tuple[str, ...] = (JSON,)
    body: dict[str, Any] | str | None = None
    query: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()


_SONG, _VERSION = "/api/songs/{song}", "/api/songs/{song}/versions/{version}"
OPERATIONS = (
    Operation("GET", "/api/state", "state", "The version, the model's labels, and the options of jobs",
              _ref("State")),
    Operation("GET", "/api/openapi.json", "openapi", "This description", ANY),
    Operation("GET", "/api/songs", "songs", "All songs, the last changed one first",
              _list(_ref("Song"))),
    Operation("POST", "/api/songs", "import_song", "Import the bytes of a song file as a new song",
              _ref("NewSong"), 201, body=BYTES, query=("name",), errors=(400, 408, 413, 415, 429)),
    Operation("GET", _SONG, "song", "A song with its versions", _ref("SongDetails")),
    Operation("PATCH", _SONG, "update_song", "Change name, head (undo, redo, branches), mixer or locks",
              _ref("SongDetails"), body=_ref("SongChanges"), errors=(400, 408, 409, 413, 415)),
    Operation("DELETE", _SONG, "delete_song", "Move a song to the folder trash/", None, 204, ()),
    Operation("POST", f"{_SONG}/versions", "edit", "A new version with other notes, which becomes the head",
              _ref("NewVersion"), 201, body=_ref("Edit"), errors=(400, 408, 413, 415, 429)),
    Operation("GET", _VERSION, "version", "The notes, bars, parts and chords of a version", _ref("Version"),
              errors=(429,)),
    Operation("GET", f"{_VERSION}/originality", "originality",
              "The longest run of notes that a version shares with the training songs",
              _ref("Originality"), errors=(400, 429)),
    Operation("GET", f"{_VERSION}/sound/{{part}}/{{bar}}.wav", "sound",
              "The sound of one bar (from 0) of a part; all bars end to end are the part", None, 200,
              (FORMATS["wav"],), query=("soundfont",), errors=(400, 429)),
    Operation("GET", f"{_VERSION}/file.{{format}}", "export", "A version, or one of its parts, as a file",
              None, 200, tuple(FORMATS.values()), query=("part", "soundfont"), errors=(400, 429)),
    Operation("GET", "/api/jobs", "jobs", "The jobs that wait, run or have ended", _list(_ref("Job"))),
    Operation("POST", "/api/jobs", "add_job", "Queue a job", _ref("NewJob"), 202, body=_ref("JobRequest"),
              errors=(400, 408, 413, 415, 429)),
    Operation("GET", "/api/jobs/{job}", "job", "A job", _ref("Job")),
    Operation("DELETE", "/api/jobs/{job}", "cancel_job", "Cancel a job", _ref("Job")),
    Operation("GET", "/api/jobs/{job}/events", "events", "The events of a job, from the first one on", None,
              200, (EVENTS,)),
    Operation("GET", "/api/jobs/{job}/samples/{sample}.wav", "sample",
              "A song that was composed during the training of a job `learn`", None, 200, (FORMATS["wav"],),
              errors=(400, 429)),
)  # fmt: skip


def openapi(version: str) -> dict[str, Any]:
    """The description of the interface by OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    scheme = {"type": "http", "scheme": "bearer", "description": "The token of the address that is printed"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ritornello studio", "version": version},
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": {"token": scheme}},
        "security": [{"token": []}],
    }


def _described(operation: Operation) -> dict[str, Any]:
    """The description of an operation by OpenAPI."""
    error = {"content": {JSON: {"schema": _ref("Error")}}}
    content = {kind: {"schema": operation.schema} if operation.schema else {} for kind in operation.answers}
    answers: dict[str, Any] = {str(operation.status): {"description": "success", "content": content}}
    for status in (*operation.errors, 401, 403, 404, 500):
        answers[str(status)] = {"description": "refused" if status < 500 else "failed", **error}
    names, whole = re.findall(r"{(\w+)}", operation.path), ("version", "bar", "sample")
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": WHOLE if name in whole else TEXT}
        for name in names
    ]
    parameters += [{"name": name, "in": "query", "schema": TEXT} for name in operation.query]
    described: dict[str, Any] = {
        "operationId": operation.function,
        "summary": operation.summary,
        "responses": answers,
    }
    described["parameters"] = parameters
    if operation.body == BYTES:
        described["requestBody"] = {"required": True, "content": {BYTES: {}}}
    elif operation.body:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": operation.body}}}
    return described
