"""Make one self-contained page from a wrapper that names files of npm packages.

    <link rel="stylesheet" href="npm:bootstrap@5.3.8/dist/css/bootstrap.min.css">
    <script src="npm:vue@3.5.45/dist/vue.global.prod.js"></script>
    <script bundle>import "npm:@shoelace-style/shoelace@2.20.1/cdn/components/tab/tab.js";</script>
    <img src="npm:leaflet@1.9.4/dist/images/layers.png">

Packages are downloaded with `npm pack` and kept in a folder. Styles and scripts become a part of the page, images
become data: URLs, fonts are dropped.
"""

from __future__ import annotations

import base64
import mimetypes
import re
import subprocess
import tarfile
from pathlib import Path

ESBUILD = "esbuild@0.25.10"
NAME = r"npm:((?:@[\w.-]+/)?[\w.-]+@[\w.-]+)/([\w./@-]+)"
STYLE = re.compile(rf'<link rel="stylesheet" href="{NAME}">')
SCRIPT = re.compile(rf'<script src="{NAME}"></script>')
BUNDLE = re.compile(r"<script bundle>(.*?)</script>", re.DOTALL)
FILE = re.compile(NAME)
URL = re.compile(r"""url\(\s*(["']?)(?!data:|#)([^"')]+)\1\s*\)""")
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
IMPORT = re.compile(r"@import[^;]+;")
IMAGES = (".png", ".gif", ".svg", ".jpg", ".jpeg", ".webp")


class Packages:
    """Files of npm packages, downloaded into `cache` on first use."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)

    def page(self, wrapper: str) -> str:
        """Return `wrapper` with everything it names from packages inside it.

        Raises FileNotFoundError for a file that a package lacks, CalledProcessError when npm fails.
        """
        page = BUNDLE.sub(lambda match: _script(self._bundle(match[1])), wrapper)
        page = STYLE.sub(lambda match: self._style(self.file(match[1], match[2])), page)
        page = SCRIPT.sub(lambda match: self._inline_script(match[1], match[2]), page)
        return FILE.sub(lambda match: _data_url(self.file(match[1], match[2])), page)

    def file(self, package: str, path: str) -> Path:
        """Return the place of a file of `package` (name@version) on disk."""
        file = self._folder(package) / path
        if not file.is_file():
            raise FileNotFoundError(f"{package} has no file {path}")
        return file

    def _folder(self, package: str) -> Path:
        folder = self.cache / package.replace("/", "+")
        if not folder.is_dir():
            archive = self._download(package)
            unpacked = folder.with_name(f".{folder.name}")
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, filter="data")
            (root,) = unpacked.iterdir()
            root.rename(folder)
            unpacked.rmdir()
            archive.unlink()
        return folder

    def _download(self, package: str) -> Path:
        command = ["npm", "pack", "--silent", package]
        result = subprocess.run(
            command, cwd=self.cache, check=True, stdout=subprocess.PIPE, text=True
        )
        return self.cache / result.stdout.strip()

    def _inline_script(self, package: str, path: str) -> str:
        return _script(self.file(package, path).read_text(encoding="utf-8"))

    def _style(self, file: Path) -> str:
        def embedded(match: re.Match[str]) -> str:
            image = file.parent / re.split("[?#]", match[2])[0]
            if image.suffix not in IMAGES or not image.is_file():
                return "none"
            return f'url("{_data_url(image)}")'

        text = file.read_text(encoding="utf-8")
        text = IMPORT.sub("", FONT_FACE.sub("", text))
        return f"<style>\n{URL.sub(embedded, text)}\n</style>"

    def _bundle(self, source: str) -> str:
        """Return the modules that `source` imports as one classic script."""
        program = self.cache / "node_modules" / ".bin" / "esbuild"
        if not program.exists():
            install = ["npm", "install", "--silent", "--no-save", "--prefix", self.cache, ESBUILD]
            subprocess.run(install, check=True)
        entry = FILE.sub(lambda match: str(self.file(match[1], match[2]).resolve()), source)
        command = [program, "--bundle", "--minify", "--format=iife", "--charset=utf8"]
        result = subprocess.run(
            command, cwd=self.cache, input=entry, check=True, stdout=subprocess.PIPE, text=True
        )
        return result.stdout


def _script(code: str) -> str:
    """Return a script element; what would end it early is written another way."""
    code = re.sub("</(script)", r"<\\/\1", code, flags=re.IGNORECASE)
    code = code.replace("<!--", "<\\!--")
    return f"<script>\n{code}\n</script>"


def _data_url(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
