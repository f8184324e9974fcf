"""A Hugging Face hub on this machine that speaks the real protocol."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from iwr.tasks.load import samples_root

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = os.urandom(24_000_000)
BROKEN = 15_000_000  # bytes of a file after which the hub does what `trouble` says


class Hub(ThreadingHTTPServer):
    """Repositories by address: api/models/org/name and api/datasets/org/data."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        root = samples_root()
        sample = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.glob("data/film-rating/**/*")
            if path.is_file()
        }
        line = next(
            line
            for line in (root / "data.jsonl").read_text().splitlines()
            if '"film-rating"' in line
        )
        self.files = {
            "models/org/name": {"config.json": b"{}", "model.safetensors": WEIGHTS},
            "datasets/org/data": {"data.jsonl": line.encode(), **sample},
            "datasets/org/packed": {"data.zip": b"PK"},
        }
        self.trouble = ""  # hang | drop: once, in the middle of a large file
        self.hung, self.release = threading.Event(), threading.Event()
        self.ranges: list[str] = []
        self.downloads = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def environment(self, cache):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return plain | {
            "HF_ENDPOINT": f"http://127.0.0.1:{self.server_port}",
            "HF_HUB_CACHE": str(cache),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DOWNLOAD_TIMEOUT": "5",
            "NO_PROXY": "127.0.0.1",
        }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.split("?")[0].strip("/")
        if path.startswith("api/"):
            name = "/".join(path.split("/")[1:4])
            files = self.server.files.get(name)
            if files is None:
                return self.answer(404, b"{}", X_Error_Code="RepoNotFound")
            tree = [
                {"type": "file", "path": file, "size": len(content), "oid": "0" * 40}
                for file, content in files.items()
            ]
            siblings = [{"rfilename": file} for file in files]
            info = {
                "id": name.partition("/")[2],
                "sha": COMMIT,
                "siblings": siblings,
                "tags": [],
                "downloads": 0,
                "private": False,
            }
            return self.answer(
                200,
                json.dumps(tree if "/tree/" in path else info).encode(),
                Content_Type="application/json",
            )
        kind, rest = (
            ("datasets", path.removeprefix("datasets/"))
            if path.startswith("datasets/")
            else ("models", path)
        )
        repository, _, file = rest.partition("/resolve/")
        content = self.server.files[f"{kind}/{repository}"].get(file.partition("/")[2])
        if content is None:
            return self.answer(404, X_Error_Code="EntryNotFound")
        return self.content(content)

    def content(self, content):
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X_Repo_Commit": COMMIT,
            "Accept_Ranges": "bytes",
        }
        requested = self.headers.get("Range")
        if self.command == "HEAD":
            self.send_response(200)
            for name, value in {**headers, "Content_Length": str(len(content))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            return None
        self.server.downloads += 1
        if requested:
            self.server.ranges.append(requested)
            start = int(requested.removeprefix("bytes=").split("-")[0])
            return self.answer(
                206,
                content[start:],
                **headers,
                Content_Range=f"bytes {start}-{len(content) - 1}/{len(content)}",
            )
        if self.server.trouble and len(content) > BROKEN:
            return self.broken(content, headers)
        return self.answer(200, content, **headers)

    def broken(self, content, headers):
        trouble, self.server.trouble = self.server.trouble, ""
        self.send_response(200)
        for name, value in {**headers, "Content_Length": str(len(content))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content[:BROKEN])
        self.wfile.flush()
        if trouble == "hang":  # silent until the test has killed the client
            self.server.hung.set()
            self.server.release.wait(60)
        self.close_connection = True
