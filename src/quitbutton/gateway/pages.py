"""The pages: static files from `web/`, served from memory under a strict Content-Security-Policy."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

WEB = Path(__file__).parent / "web"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page, ready to be sent plain or compressed."""

    content: bytes
    compressed: bytes
    content_type: str
    etag: str


def load_assets(folder: Path = WEB) -> dict[str, Asset]:
    """Every servable file under `folder`, by its path relative to it."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in CONTENT_TYPES and path.is_file())
    return {path.relative_to(folder).as_posix(): _asset(path) for path in found}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        content_type=CONTENT_TYPES[path.suffix],
        etag=hashlib.sha256(content).hexdigest()[:32],
    )


def page_routes() -> list[BaseRoute]:
    """The chat page, statements, the console, the API reference, and their modules, styles and pictures under `/web/`."""
    assets = load_assets()

    async def index(request: Request) -> Response:
        return _answer(request, assets["index.html"])

    async def web(request: Request) -> Response:
        asset = assets.get(request.path_params["path"])
        if asset is None:
            return PlainTextResponse("There is no such page.", status_code=404, headers=SECURITY_HEADERS)
        return _answer(request, asset)

    async def reference(request: Request) -> Response:
        return _answer(request, assets["reference.html"])

    async def statement(request: Request) -> Response:
        return _answer(request, assets["statement.html"])

    async def console(request: Request) -> Response:
        return _answer(request, assets["console.html"])

    return [
        Route("/", index, methods=["GET"]),
        Route("/console", console, methods=["GET"]),
        Route("/ends/{end_id}", statement, methods=["GET"]),
        Route("/reference", reference, methods=["GET"]),
        Route("/web/{path:path}", web, methods=["GET"]),
    ]


def _answer(request: Request, asset: Asset) -> Response:
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{asset.etag}{"-gz" if zipped else ""}"'
    headers = {**SECURITY_HEADERS, "ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
    content = asset.compressed if zipped else asset.content
    return Response(content, media_type=asset.content_type, headers=headers)
