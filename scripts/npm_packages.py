"""Make one self-contained page from a wrapper that names files of npm packages.

    <link rel="stylesheet" href="npm:bootstrap@5.3.8/dist/css/bootstrap.min.css">
    <script src="npm:vue@3.5.45/dist/vue.global.prod.js"></script>
    <script bundle>import "npm:@shoelace-style/shoelace@2.20.1/cdn/shoelace.js";</script>
    <img src="npm:leaflet@1.9.4/dist/images/layers.png">

Packages are downloaded with `npm pack` and kept in a folder. Styles and scripts become a part
of the page, images become data: URLs, fonts are dropped unless they are data: URLs already.
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
"""Package with its version, then the path of a file in it."""
STYLE = re.compile(rf'<link rel="stylesheet" href="{NAME}">')
SCRIPT = re.compile(rf'<script src="{NAME}"></script>')
BUNDLE = re.compile(r"<script bundle>(.*?)</script>", re.DOTALL)
FILE = re.compile(NAME)

IMPORT = re.compile(r"@import[^;]+;")
URL = re.compile(r"""url\(\s*(["']?)(?!data:|#)([^"')]+)\1\s*\)""")
QUERY = re.compile(r"[?#].*")
END_OF_SCRIPT = re.compile("</(script)", re.IGNORECASE)
IMAGES = (".png", ".gif", ".svg", ".jpg", ".jpeg", ".webp")
BUNDLE_OPTIONS = ("--bundle", "--minify", "--format=iife", "--charset=utf8")


class Packages:
    """Files of npm packages, downloaded into `cache` on first use."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)

    def page(self, wrapper: str) -> str:
        """Return `wrapper` with everything it names from packages inside it.

        Raises FileNotFoundError for a file that a package lacks, CalledProcessError when npm fails.
        """
        page = BUNDLE.sub(self._bundle_element, wrapper)
        page = STYLE.sub(self._style_element, page)
        page = SCRIPT.sub(self._script_element, page)
        return FILE.sub(self._file_url, page)

    def file(self, package: str, path: str) -> Path:
        """Return where a file of `package` (name@version) is on disk. Raises FileNotFoundError."""
        file = self._folder(package) / path
        if not file.is_file():
            raise FileNotFoundError(f"{package} has no file {path}")
        return file

    def _folder(self, package: str) -> Path:
        name = package.replace("/", "+")
        folder = self.cache / name
        if folder.is_dir():
            return folder
        archive = (
            self.cache / _output("npm", "pack", "--silent", package, folder=self.cache).strip()
        )
        unpacked = self.cache / f".{name}"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        archive.unlink()
        (root,) = unpacked.iterdir()
        root.rename(folder)
        unpacked.rmdir()
        return folder

    def _named_file(self, match: re.Match[str]) -> Path:
        package, path = match.groups()
        return self.file(package, path)

    def _file_url(self, match: re.Match[str]) -> str:
        return _data_url(self._named_file(match))

    def _script_element(self, match: re.Match[str]) -> str:
        file = self._named_file(match)
        return _script(file.read_text(encoding="utf-8"))

    def _style_element(self, match: re.Match[str]) -> str:
        file = self._named_file(match)
        text = file.read_text(encoding="utf-8")
        text = IMPORT.sub("", text)

        def embedded(url: re.Match[str]) -> str:
            path = QUERY.sub("", url[2])
            image = file.parent / path
            if image.suffix in IMAGES and image.is_file():
                return f'url("{_data_url(image)}")'
            return "none"

        text = URL.sub(embedded, text)
        return f"<style>\n{text}\n</style>"

    def _bundle_element(self, match: re.Match[str]) -> str:
        """Return the modules that a script imports as one classic script."""
        program = self.cache / "node_modules" / ".bin" / "esbuild"
        if not program.exists():
            prefix = ("--prefix", str(self.cache))
            _output("npm", "install", "--silent", "--no-save", *prefix, ESBUILD, folder=self.cache)

        def absolute(name: re.Match[str]) -> str:
            return str(self._named_file(name).resolve())

        entry = FILE.sub(absolute, match[1])
        code = _output(str(program.resolve()), *BUNDLE_OPTIONS, folder=self.cache, stdin=entry)
        return _script(code)


def _output(*command: str, folder: Path, stdin: str = "") -> str:
    """Run a command in `folder` and return what it prints. Raises CalledProcessError."""
    result = subprocess.run(
        command,
        cwd=folder,
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return result.stdout


def _script(code: str) -> str:
    """Return a script element in which nothing ends the element early."""
    code = END_OF_SCRIPT.sub(r"<\\/\1", code)
    code = code.replace("<!--", "<\\!--")
    return f"<script>\n{code}\n</script>"


def _data_url(file: Path) -> str:
    kind, _ = mimetypes.guess_type(file.name)
    content = base64.b64encode(file.read_bytes())
    return f"data:{kind};base64,{content.decode()}"
