"""Serves the console's files from memory; what a browser may keep, it never asks for again.

Every file but the first is addressed below a version made from the content of all of them. So a browser keeps them for
good, modules import one another by relative names, and a new release is a new address.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from aiohttp import ETag, web
from aiohttp.web_exceptions import HTTPNotFound

FOLDER: Final = Path(__file__).with_name("static")
MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
"""Written down, since the system's own table differs from machine to machine."""
VERSION_MARK: Final = b"{{version}}"
MODULES_MARK: Final = b"{{modules}}"
"""Where the page names all modules, so that a browser fetches them at once and not one import after the other."""
FOR_GOOD: Final = "public, max-age=31536000, immutable"
ASK_EACH_TIME: Final = "no-cache"


@dataclass(frozen=True)
class _File:
    body: bytes
    media_type: str
    etag: str

    @cached_property
    def compressed(self) -> bytes:
        """Made when a browser first asks: a service that starts has other things to do."""
        return gzip.compress(self.body, mtime=0)


def console_routes() -> list[web.AbstractRouteDef]:
    """`/console/` and its files. They hold no data, so that nobody needs to be signed in for them."""
    files = _read(FOLDER)
    version = _version(files)
    index = _index(files.pop("index.html").body, files, version)

    async def page(request: web.Request) -> web.Response:
        return _answer(request, index, ASK_EACH_TIME)

    async def asset(request: web.Request) -> web.Response:
        found = files.get(request.match_info["name"])
        if found is None:
            raise HTTPNotFound
        # A page that an older release drew asks by an older version: it gets what there is, but must not keep it.
        current = request.match_info["version"] == version
        return _answer(request, found, FOR_GOOD if current else ASK_EACH_TIME)

    return [web.get("/console/", page), web.get("/console/assets/{version}/{name:.+}", asset)]


def _index(template: bytes, files: dict[str, _File], version: str) -> _File:
    modules = "\n    ".join(
        f'<link rel="modulepreload" href="assets/{version}/{name}" />' for name in files if name.endswith(".js")
    )
    return _file(template.replace(MODULES_MARK, modules.encode()).replace(VERSION_MARK, version.encode()), ".html")


def _read(folder: Path) -> dict[str, _File]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in MEDIA_TYPES)
    return {path.relative_to(folder).as_posix(): _file(path.read_bytes(), path.suffix) for path in paths}


def _file(body: bytes, suffix: str) -> _File:
    return _File(body, MEDIA_TYPES[suffix], hashlib.sha256(body).hexdigest()[:32])


def _version(files: dict[str, _File]) -> str:
    names = "".join(f"{name} {file.etag}\n" for name, file in files.items())
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _answer(request: web.Request, file: _File, keep: str) -> web.Response:
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"}
    asked = request.if_none_match or ()
    if any(tag.value in (file.etag, "*") for tag in asked):
        response = web.Response(status=304, headers=headers)
    else:
        body = file.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = file.compressed, "gzip"
        response = web.Response(body=body, content_type=file.media_type, charset="utf-8", headers=headers)
    response.etag = ETag(file.etag, is_weak=True)  # compressed or not, the same content
    return response
