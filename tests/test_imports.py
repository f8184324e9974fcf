"""The shape of the house: data flows one way, and light commands load nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import iwr

PACKAGE = Path(iwr.__file__).parent
STAGES = ["tasks", "inference", "judge", "metrics", "scores", "report"]
LEAVES = {"errors", "records", "runs", "config", "progress", "manifest", "version", "shards", "slurm", "browser"}
HEAVY = {"torch", "vllm", "transformers", "playwright", "cv2", "av", "easyocr", "rapidocr", "onnxruntime", "open_clip", "lpips"}


def imported_rooms(path: Path) -> set[str]:
    """Rooms of iwr that a module imports anywhere, inside functions too."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "iwr":
            parts = node.module.split(".")[1:]
            rooms.update([parts[0]] if parts else [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            rooms.update(alias.name.split(".")[1] for alias in node.names if alias.name.startswith("iwr."))
    return rooms


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_only_leaves_and_earlier_stages(stage):
    allowed = LEAVES | set(STAGES[: STAGES.index(stage) + 1])
    for path in (PACKAGE / stage).rglob("*.py"):
        assert imported_rooms(path) <= allowed, f"{path} imports a later stage"


@pytest.mark.parametrize("leaf", sorted(LEAVES))
def test_a_leaf_imports_only_leaves(leaf):
    paths = [PACKAGE / f"{leaf}.py"] if (PACKAGE / f"{leaf}.py").exists() else list((PACKAGE / leaf).rglob("*.py"))
    assert paths
    for path in paths:
        assert imported_rooms(path) <= LEAVES, f"{path} imports a stage"


def test_no_module_loads_a_heavy_library_when_it_is_imported():
    modules = sorted(".".join(("iwr", *p.relative_to(PACKAGE).with_suffix("").parts)) for p in PACKAGE.rglob("*.py")
                     if "samples" not in p.parts and p.name not in ("__init__.py", "guard.py"))
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_only_config_reads_the_environment():
    for path in PACKAGE.rglob("*.py"):
        if path.name != "config.py" and any(
            isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") for node in ast.walk(ast.parse(path.read_text()))
        ):
            pytest.fail(f"{path} reads environment variables; only iwr/config.py does")


def test_only_the_formula_file_has_weights():
    weights = {0.7, 0.3}
    for path in [*(PACKAGE / "scores").glob("*.py"), *(PACKAGE / "report").glob("*.py")]:
        if path.name in ("formula.py", "figure.py"):  # a figure has widths of bars
            continue
        found = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
                 and isinstance(node.value, float)}
        assert not weights & found, f"{path} has a weight of the score"
