"""The shape of the house: data flows one way, and light commands load nothing heavy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import iwr

PACKAGE = Path(iwr.__file__).parent
LAYERS = [
    {"version", "errors", "stats", "console", "repeats", "digests"},
    {"records", "progress"},
    {"config"},
    {"runs"},
    {"browser"},
    {"contract"},
    {"tasks"},
    {"inference"},
    {"judge"},
    {"metrics"},
    {"scores"},
    {"report"},
    {"doctor"},
    {"pipeline"},
    {"cli", "api"},
    {"__main__"},
]
"""Rooms, the lowest first: a module imports from its own room and from those above it."""
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
HEAVY = {
    "torch",
    "vllm",
    "transformers",
    "playwright",
    "cv2",
    "av",
    "easyocr",
    "rapidocr",
    "onnxruntime",
    "open_clip",
    "lpips",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not {"samples", "configs"} & set(path.relative_to(PACKAGE).parts)
}


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the modules of iwr that a file imports anywhere: in functions and for types too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in submodules]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "iwr")


def room_of(module: str) -> str:
    return module.split(".")[1]


GRAPH = {
    name: set(imported_modules(path)) - {name, "iwr"}
    for name, path in MODULES.items()
    if name != "iwr"
}


def test_every_module_is_in_a_room_and_imports_only_from_rooms_before_it():
    strangers = {room_of(name) for name in GRAPH} - RANK.keys()
    assert not strangers, f"in no room of LAYERS: {strangers}"
    against = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if RANK[room_of(other)] > RANK[room_of(name)]
        or (room_of(other) != room_of(name) and RANK[room_of(other)] == RANK[room_of(name)])
    ]
    assert not against


def test_no_two_modules_import_each_other_by_any_way_round():
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_nobody_imports_private_names_of_a_neighbour():
    private = [
        f"{name}: {node.module}.{alias.name}"
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert not private


def test_no_module_loads_a_heavy_library_when_it_is_imported():
    modules = sorted(GRAPH.keys() - {"iwr.__main__"})
    code = (
        f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == ""


def test_only_one_module_reads_the_environment():
    readers = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers == {"iwr.config.environment"}


def test_only_the_formula_file_has_weights():
    weights = {0.7, 0.3}
    for path in [*(PACKAGE / "scores").glob("*.py"), *(PACKAGE / "report").glob("*.py")]:
        if path.name in ("formula.py", "figure.py"):  # a figure has widths of bars
            continue
        numbers = {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, float)
        }
        assert not weights & numbers, f"{path} has a weight of the score"
