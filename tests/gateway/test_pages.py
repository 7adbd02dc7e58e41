"""The chat page's files: what is vendored is what was recorded, and every answer carries the strict policy."""

import base64
import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from quitbutton.gateway.pages import CONTENT_SECURITY_POLICY, WEB, load_assets, page_routes

VENDOR = Path(__file__).parents[2] / "vendor"


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=page_routes()))


def test_vendored_files_are_the_ones_that_were_recorded() -> None:
    recorded = tomllib.loads((VENDOR / "vendor.toml").read_text())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (WEB / "vendor").iterdir()}
    assert found == {Path(entry["path"]).name: entry["sha256"] for entry in recorded["file"]}


def test_vendored_packages_are_the_locked_ones_and_bring_their_licences() -> None:
    recorded = tomllib.loads((VENDOR / "vendor.toml").read_text())["package"]
    lock = json.loads((VENDOR / "package-lock.json").read_text())["packages"]
    wanted = json.loads((VENDOR / "package.json").read_text())["dependencies"]
    assert {entry["name"]: entry["version"] for entry in recorded} == wanted
    licences = (WEB / "vendor" / "LICENSES.txt").read_text()
    for entry in recorded:
        assert lock[f"node_modules/{entry['name']}"]["integrity"] == entry["integrity"]
        assert len(base64.b64decode(entry["integrity"].removeprefix("sha512-"))) == 64
        assert f"{entry['name']} {entry['version']} (" in licences
    assert not any("resolved" in entry for entry in lock.values())


@pytest.mark.parametrize("path", ["/", "/web/main.js", "/web/styles/base.css", "/web/favicon.svg", "/web/nothing"])
def test_every_answer_carries_the_strict_policy(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "permissions-policy" in headers


def test_the_policy_lets_nothing_in_that_is_not_ours() -> None:
    directives = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


def test_an_unchanged_file_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/web/main.js")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/web/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/web/main.js", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_client_without_gzip_gets_the_plain_file(client: TestClient) -> None:
    plain = client.get("/web/main.js", headers={"Accept-Encoding": "identity"})
    zipped = client.get("/web/main.js", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert plain.content == zipped.content == (WEB / "main.js").read_bytes()
    assert plain.headers["etag"] != zipped.headers["etag"]


@pytest.mark.parametrize("path", ["/web/../pages.py", "/web/%2e%2e/pages.py", "/web/", "/web//etc/passwd"])
def test_nothing_outside_the_folder_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_every_module_that_is_imported_is_served() -> None:
    assets = load_assets()
    for name in assets:
        if not name.endswith(".js") or name.startswith("vendor/"):
            continue
        text = (WEB / name).read_text()
        for target in re.findall(r'from "(\.[^"]+)"', text):
            resolved = (WEB / name).parent.joinpath(target).resolve().relative_to(WEB.resolve()).as_posix()
            assert resolved in assets, f"{name} imports {target}"


def test_own_modules_are_small_and_say_what_they_are_for() -> None:
    for name in load_assets():
        if name.endswith(".js") and not name.startswith("vendor/"):
            lines = (WEB / name).read_text().splitlines()
            assert lines[0].startswith("// "), name
            assert len(lines) < 200, name
            assert max(map(len, lines)) <= 300, name
