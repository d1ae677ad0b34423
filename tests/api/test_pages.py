import gzip
import os
from pathlib import Path

import pytest

from tests.support.front import RunningFront, running_front
from webrtc.api.pages import VENDOR_FILES, page_files
from webrtc.api.static_files import StaticFiles, VendorMissingError


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    root = tmp_path / "static"
    (root / "client").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>" + "x" * 1000)
    (root / "client" / "a.js").write_text("export {};")
    (root / ".hidden.js").write_text("secret")
    (root / "notes.py").write_text("secret")
    (tmp_path / "outside.js").write_text("secret")
    (root / "link.js").symlink_to(tmp_path / "outside.js")
    (tmp_path / "package.js").write_text("export default 1;")
    return StaticFiles(
        root,
        {"/vendor/there.js": tmp_path / "package.js", "/vendor/missing.js": tmp_path / "no.js"},
    )


def test_what_the_page_imports_of_npm_packages_is_served_as_scripts(tmp_path: Path) -> None:
    for path in VENDOR_FILES.values():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    files = page_files(tmp_path)
    for url in ("/vendor/socket.io.esm.min.js", "/vendor/libopus.js"):
        script = files.find(url)
        assert script is not None
        assert script.content_type.startswith("text/javascript")


def test_files_are_found_by_their_paths(files: StaticFiles) -> None:
    page = files.find("/")
    assert page is not None
    assert page == files.find("/index.html")
    assert page.is_page
    script = files.find("/client/a.js")
    assert script is not None
    assert (script.body, script.content_type) == (
        b"export {};",
        "text/javascript; charset=utf-8",
    )
    vendor = files.find("/vendor/there.js")
    assert vendor is not None
    assert vendor.body == b"export default 1;"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/client",
        "/client/",
        "/.hidden.js",
        "/notes.py",
        "/../outside.js",
        "/client/../../outside.js",
        "/..\\outside.js",
        "/link.js",
        "/client/a.js/",
        "/client/a.js/x",
        "/a\x00.js",
        "//etc/passwd",
        "/" + "x" * 5000 + ".js",
        "/vendor/other.js",
        "/node_modules/x.js",
    ],
)
def test_nothing_else_is_found(files: StaticFiles, path: str) -> None:
    found = files.find(path)
    assert found is None or found == files.find("/client/a.js")
    assert found is None or path == "/client/a.js/"


def test_a_missing_package_is_not_a_missing_page(files: StaticFiles) -> None:
    with pytest.raises(VendorMissingError):
        files.find("/vendor/missing.js")


def test_compression_is_done_where_it_helps_and_is_the_same_content(files: StaticFiles) -> None:
    page, script = files.find("/"), files.find("/client/a.js")
    assert page is not None
    assert page.compressed is not None
    assert gzip.decompress(page.compressed) == page.body
    assert script is not None
    assert script.compressed is None


def test_a_changed_file_is_read_again(files: StaticFiles, tmp_path: Path) -> None:
    before = files.find("/client/a.js")
    assert files.find("/client/a.js") is before
    path = tmp_path / "static" / "client" / "a.js"
    path.write_text("export {}; // changed")
    os.utime(path, ns=(1, 1))
    after = files.find("/client/a.js")
    assert after is not None
    assert before is not None
    assert after.body.endswith(b"changed")
    assert after.digest != before.digest


async def test_the_page_is_isolated_and_what_it_loads_may_be_loaded_from_elsewhere(
    front: RunningFront,
) -> None:
    async with front.http.get("/") as response:
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    async with front.http.get("/client/playout/frames_worker.js") as response:
        assert "Cross-Origin-Opener-Policy" not in response.headers
        assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_the_page_is_revalidated_by_its_content(front: RunningFront) -> None:
    async with front.http.get("/") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in response.headers["Vary"]
        etag = response.headers["ETag"]
    for value in (etag, f'"other", {etag}', "*"):
        async with front.http.get("/", headers={"If-None-Match": value}) as response:
            assert response.status == 304
            assert await response.read() == b""
            assert response.headers["ETag"] == etag
    plain = {"Accept-Encoding": "identity", "If-None-Match": etag}
    async with front.http.get("/", headers=plain) as response:
        assert response.status == 200
        assert "Content-Encoding" not in response.headers
        assert response.headers["ETag"] != etag
    async with front.http.head("/") as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 0


@pytest.mark.parametrize("value", ["gzip;q=0", "br", "", "gzip;q=0.0, identity"])
async def test_who_does_not_want_gzip_gets_none(front: RunningFront, value: str) -> None:
    async with front.http.get("/", headers={"Accept-Encoding": value}) as response:
        assert "Content-Encoding" not in response.headers


async def test_the_policy_lets_only_own_files_run_and_both_ports_be_called(
    tmp_path: Path,
) -> None:
    async with (
        running_front(tmp_path, static_port=4321) as front,
        front.http.get("/") as response,
    ):
        policy = dict(
            directive.split(" ", 1)
            for directive in response.headers["Content-Security-Policy"].split("; ")
        )
        port = front.url.rpartition(":")[2]
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["style-src"] == "'self'"
    assert policy["worker-src"] == "'self' blob:"
    assert "unsafe" not in str(policy).replace("'wasm-unsafe-eval'", "")
    connect = policy["connect-src"].split()
    for source in ("'self'", f"ws://127.0.0.1:{port}", "ws://127.0.0.1:4321"):
        assert source in connect


async def test_the_page_has_nothing_inline(front: RunningFront) -> None:
    async with front.http.get("/") as response:
        page = await response.text()
    assert "<style" not in page
    assert " style=" not in page
    assert "javascript:" not in page
    for tag in page.split("<script")[1:]:
        assert " src=" in tag.split(">")[0]


async def test_the_client_may_be_loaded_by_any_page(front: RunningFront) -> None:
    foreign = {"Origin": "https://example.org"}
    async with front.http.get("/webrtc_client.js", headers=foreign) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_only_a_versioned_vendor_file_is_kept_for_ever(
    front: RunningFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "socket.io.js"
    package.write_text("export {};")
    pages = next(
        route.handler.__self__._files  # type: ignore[attr-defined]
        for route in front.front.app.router.routes()
        if getattr(route.resource, "canonical", "") == "/{path}"
    )
    monkeypatch.setitem(pages._vendor, "/vendor/socket.io.esm.min.js", package)
    async with front.http.get("/vendor/socket.io.esm.min.js?v=4.8.1") as response:
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    async with front.http.get("/vendor/socket.io.esm.min.js") as response:
        assert response.headers["Cache-Control"] == "no-cache"
    package.unlink()
    async with front.http.get("/vendor/socket.io.esm.min.js") as response:
        assert response.status == 503
        assert "make run" in await response.text()
