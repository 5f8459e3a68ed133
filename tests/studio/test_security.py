"""What the studio refuses: other hosts, origins and sites, no token, paths, too large or too slow bodies."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ritornello.studio.security import MAX_BODY_BYTES
from tests.scores import midi_file, track
from tests.studio.conftest import Studio

SECRET = "a file outside"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}"]
)
def test_a_name_that_was_pointed_to_this_machine_is_refused(studio: Studio, host: str) -> None:
    answer = studio.ask("GET", "/api/songs", host=host.format(port=studio.port))
    assert answer.status == 403
    assert answer.json["error"].startswith("host: must be")


def test_both_names_of_this_machine_are_known(studio: Studio) -> None:
    assert studio.ask("GET", "/api/songs", host=f"localhost:{studio.port}").status == 200


@pytest.mark.parametrize(
    "token", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "ritornello-{port}=wrong"}]
)
@pytest.mark.parametrize(
    "path", ["/", "/api/songs", "/api/state", "/studio.css", "/?token=wrong", "/nothing"]
)
def test_nothing_is_told_without_the_token(studio: Studio, path: str, token: dict[str, str]) -> None:
    headers = {name: value.format(port=studio.port) for name, value in token.items()}
    answer = studio.ask("GET", path, token=False, **headers)
    assert answer.status == 401
    assert "token" in answer.json["error"]


def cookie(studio: Studio) -> str:
    """The cookie that the address with the token sets."""
    answer = studio.ask("GET", f"/?token={studio.token}", token=False)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    found = answer.headers["set-cookie"]
    assert "HttpOnly" in found and "SameSite=Strict" in found
    return found.partition(";")[0]


def test_the_cookie_opens_the_page_and_a_post_needs_the_origin_too(studio: Studio) -> None:
    own = {"Cookie": cookie(studio)}
    assert studio.ask("GET", "/", token=False, **own).headers["content-type"].startswith("text/html")
    job = {"kind": "nothing"}
    refused = studio.ask("POST", "/api/jobs", job, token=False, **own)
    assert (refused.status, refused.json["error"][:7]) == (403, "origin:")
    origin = f"http://127.0.0.1:{studio.port}"
    assert studio.ask("POST", "/api/jobs", job, token=False, Origin=origin, **own).status == 400


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_pages_of_other_sites_are_refused(studio: Studio, origin: str) -> None:
    headers = {"Cookie": cookie(studio), "Origin": origin.format(port=studio.port)}
    for method, path in (("POST", "/api/songs"), ("GET", "/api/songs"), ("DELETE", "/api/songs/x")):
        answer = studio.ask(method, path, b"x" if method == "POST" else None, token=False, **headers)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_embed_what_the_api_answers(studio: Studio, site: str) -> None:
    answer = studio.ask("GET", "/api/songs", token=False, Cookie=cookie(studio), Sec_Fetch_Site=site)
    assert answer.status == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_bodies_of_forms_are_refused(studio: Studio, kind: str) -> None:
    for path in ("/api/jobs", "/api/songs") if "form" in kind else ("/api/jobs",):
        answer = studio.ask("POST", path, b'{"kind": "sketch"}', Content_Type=kind)
        assert answer.status == 415


def test_every_answer_has_the_headers(studio: Studio) -> None:
    answers = [studio.ask("GET", path) for path in ("/", "/api/songs", "/nothing")]
    answers.append(studio.ask("GET", "/", token=False))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


PATHS = [
    "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/page/../app.py", "/app.py",
    "/%2fetc%2fpasswd", "//etc/passwd", "/api/songs/..", "/api/songs/%2e%2e",
    "/api/songs/..%2f..%2fsecret.txt",
    "/api/songs/x/versions/..%2f..%2f1/file.mid", "/api/songs/trash", "/api/songs/models",
    "/index.html%00.js", "/\\..\\secret.txt",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_folder(studio: Studio, path: str) -> None:
    (studio.songs.parent / "secret.txt").write_text(SECRET)
    for method in ("GET", "DELETE"):
        answer = studio.ask(method, path)
        assert answer.status in (400, 404, 405)
        assert SECRET.encode() not in answer.body
    assert (studio.songs.parent / "secret.txt").is_file()


OPTIONS = [
    {"melody": "/etc/passwd"}, {"melody": "../x/1"}, {"prompt": "tune/../../1"}, {"chords": "/etc/a.txt"},
    {"chords_from": "secret.txt"}, {"sketch": "/etc/passwd"}, {"genre": ["x"]}, {"bars": "8"}, {"bars": True},
    {"nothing": 1}, {"bars": 0}, {"tempo": 1e9}, {"seed": -1}, {"sketch": {"bars": 3}},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_cannot_name_files_and_are_checked(studio: Studio, options: dict[str, object]) -> None:
    job = {"kind": "compose", "options": options}
    answer = studio.ask("POST", "/api/jobs", job)
    if answer.status == 202:  # the process that composes refuses it
        event, data = studio.events(answer.json["job"])[-1]
        assert event == "failed"
        assert "\n" not in data["error"] and next(iter(options)) in data["error"]
    else:
        assert answer.status in (400, 404)


def test_only_the_folders_named_at_the_start_are_learnt_from_and_none_is_written_to(studio: Studio) -> None:
    folder = studio.songs.parent / "midi"
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    for music in ("/etc", "..", str(folder), None):
        answer = studio.ask("POST", "/api/jobs", {"kind": "doctor", "music": music})
        assert answer.status == 400
    event, data = studio.do(kind="doctor", music="midi")[-1]
    assert (event, data["report"]["files"]) == ("done", 6)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(studio: Studio) -> None:
    with socket.create_connection(("127.0.0.1", studio.port), 20) as connection:
        head = f"POST /api/songs HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n"
        head += f"Authorization: Bearer {studio.token}\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_in_pieces_is_refused_where_it_passes_the_limit(studio: Studio) -> None:
    with socket.create_connection(("127.0.0.1", studio.port), 20) as connection:
        head = f"POST /api/songs HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n"
        head += f"Authorization: Bearer {studio.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
        try:
            for _ in range(MAX_BODY_BYTES // (1 << 20) + 2):
                connection.sendall(piece)
        except OSError:
            pass  # it closed the connection
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_slow_requests_are_ended_and_others_need_not_wait(studio: Studio) -> None:
    head = f"POST /api/songs HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n"
    head += f"Authorization: Bearer {studio.token}\r\nContent-Length: 100\r\n\r\n"
    start_s = time.monotonic()
    with ExitStack() as stack:
        place = ("127.0.0.1", studio.port)
        slow = [stack.enter_context(socket.create_connection(place, 30)) for _ in range(3)]
        for connection, sent in zip(slow, (b"", head[:40].encode(), (head + "half").encode()), strict=True):
            connection.sendall(sent)
        assert studio.ask("GET", "/api/songs").status == 200
        answers = [read_to_the_end(connection) for connection in slow]
    assert time.monotonic() - start_s > 9
    assert [answer[:12] for answer in answers] == [b"", b"", b"HTTP/1.1 408"]


def read_to_the_end(connection: socket.socket) -> bytes:
    """All that a connection receives until it is closed."""
    found = b""
    while data := connection.recv(1000):
        found += data
    return found


HOSTILE = {
    "no MIDI": b"hello",
    "nothing": b"",
    "half": b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\xff\xff\0",
    "a billion tracks": b"MThd\0\0\0\6\0\1\xff\xff\0\x60",
    "no notes": midi_file(track("00 ff 2f 00")),
    "endless length": midi_file(track("ff ff ff 7f 90 3c 40", "ff ff ff 7f 80 3c 40") * 40),
    "a zip bomb": b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0" * 100,
    "no zip": b"PK\3\4" + b"\0" * 60,
    "deep XML": b"<score-partwise>" * 100_000,
    "an entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><score-partwise>&b;</score-partwise>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_line(studio: Studio, name: str) -> None:
    ending = "musicxml" if b"score-partwise" in HOSTILE[name] else "mid"
    answer = studio.ask("POST", f"/api/songs?name=../../x.{ending}", HOSTILE[name])
    assert answer.status in (400, 413)
    assert "\n" not in answer.json["error"] and "root:" not in answer.json["error"]
    assert not [song for song in studio.ask("GET", "/api/songs").json if song["id"].startswith("x")]


def test_the_name_of_an_import_is_only_a_name(studio: Studio, tune_file: bytes) -> None:
    song = studio.import_song(tune_file, "..%2F..%2F%3Cscript%3E.mid")
    assert Path(studio.songs / song / "song.json").is_file()
    assert song == "script"
