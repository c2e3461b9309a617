"""Import rules: data flows one way, the engine has no web code, and the web process never loads torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

FLOW = (
    ("base", "modules that every unit may import: see BASE"),
    ("images corruptions", "files to pixels; image corruptions"),
    ("detection", "pixels to face boxes"),
    ("data", "datasets: import, index, splits, quality, imbalance"),
    ("models", "networks"),
    ("runs", "run folders"),
    ("training", "datasets and networks to runs"),
    ("comparison", "comparison of runs"),
    ("evaluation", "predictions to reports, calibration, robustness"),
    ("bundles", "models as folders"),
    ("inference", "photos to predictions"),
    ("jobs live", "background jobs; webcam video"),
    ("experiment doctor", "a whole run; checks of the installation"),
    ("cli", "commands"),
    ("__main__", "python -m fer_core"),
    ("fer_ui", "page components"),
    ("pages", "one folder per page"),
    ("app", "router"),
)
"""Units in the order of the data flow: each imports only itself and units above it, not those in the same row."""
BASE = {"", "calibration", "contract", "errors", "faces", "files", "ids", "intervals", "labels", "markdown", "metrics"}
BASE |= {"logit_adjustment", "progress", "settings", "system", "text"}

FILE_LINES_MAX, FOLDER_FILES_MAX = 300, 20
FOLDERS = ("fer_core", "fer_ui", "pages", "tests", "bench", "data_manifests", "docs")

RANKS = {unit: rank for rank, (units, _) in enumerate(FLOW) for unit in units.split()}
JOBS_MAY_IMPORT = (
    "fer_core.runs.folder",
    "fer_core.runs.title",
    "fer_core.training.config.train_config",
    "fer_core.training.estimate_report",
)
"""Additional modules for jobs: a job is a command in another process, so the supervisor needs little."""


@dataclass(frozen=True)
class Import:
    """The dotted name of an imported object; `lazy` if the import is inside a function."""

    target: str
    lazy: bool


def imports_of(source: str) -> Iterator[Import]:
    """Yield the imports of a module; `from a import b` gives `a.b`, which can be a module or an object in `a`."""

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, lazy) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, "imports are absolute"
                yield from (Import(f"{child.module}.{alias.name}", lazy) for alias in child.names)
            yield from walk(child, lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))

    yield from walk(ast.parse(source), False)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def _read_modules() -> dict[str, list[Import]]:
    paths = [PROJECT / "app.py", *(p for top in ("fer_core", "fer_ui", "pages") for p in (PROJECT / top).rglob("*.py"))]
    return {module_name(path): list(imports_of(path.read_text())) for path in paths}


MODULES = _read_modules()


def resolve(target: str, modules: Iterable[str] = MODULES) -> str | None:
    """The module of this project with that name; None for other packages."""
    for name in (target, target.rpartition(".")[0]):
        if name in modules:
            return name
    return None


def unit(module: str) -> str:
    top, _, rest = module.partition(".")
    if top != "fer_core":
        return top
    inner = rest.split(".")[0]
    return "base" if inner in BASE else inner


def find_violations(modules: dict[str, list[Import]]) -> list[str]:
    """List the imports against the data flow."""
    violations = []
    for module, imports in modules.items():
        for target in filter(None, (resolve(entry.target, modules) for entry in imports)):
            source, imported = unit(module), unit(target)
            is_backward = source != imported and RANKS[imported] >= RANKS[source]
            is_heavy = source == "jobs" and imported not in ("jobs", "base") and target not in JOBS_MAY_IMPORT
            if is_backward or is_heavy:
                violations.append(f"{module} imports {target}")
    return violations


def loaded_modules(module: str, modules: dict[str, list[Import]] = MODULES) -> dict[str, str]:
    """Map each module that importing `module` loads to its importer; other packages by their top-level name."""
    loaded = {module: ""}
    stack = [module]
    while stack:
        importer = stack.pop()
        for each in modules.get(importer, []):
            if each.lazy:
                continue
            inside = resolve(each.target, modules)
            parents = [inside.rsplit(".", up)[0] for up in range(inside.count(".") + 1)] if inside else []
            for name in parents or [each.target.split(".")[0]]:
                if name not in loaded:
                    loaded[name] = importer
                    stack.append(name)
    return loaded


def importers(*packages: str) -> set[str]:
    """Find the modules that import one of these packages, also inside functions."""
    return {module for module, found in MODULES.items() for each in found if each.target.split(".")[0] in packages}


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_modules_are_found() -> None:
    assert len(MODULES) > 60
    assert {unit(module) for module in MODULES} >= {"base", "data", "training", "inference", "jobs", "cli", "fer_ui"}
    assert "torch" in loaded_modules("fer_core.experiment")
    assert "fer_core.data.splits.split" in loaded_modules("fer_core.jobs.submit")


def test_every_module_is_in_the_flow() -> None:
    assert {unit(module) for module in MODULES} <= set(RANKS)


def test_imports_follow_the_flow() -> None:
    assert find_violations(MODULES) == []


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("fer_core.labels", "import fer_core.data.index.builder"),
        ("fer_core.data.index.builder", "from fer_core.runs.folder import Run"),
        ("fer_core.training.trainer", "def f():\n    from fer_core.bundles import bundle"),
        ("fer_core.jobs.store", "from fer_core.data import index"),
        ("fer_core.jobs.store", "from fer_core.training import trainer"),
        ("fer_core.doctor", "from fer_core import experiment"),
        ("fer_core.bundles.bundle", "from fer_ui import theme"),
    ],
)
def test_a_violation_is_found(module: str, statement: str) -> None:
    modules = {**MODULES, module: list(imports_of(statement))}
    assert len(find_violations(modules)) == 1


def test_there_are_no_import_cycles() -> None:
    graph = {
        module: {found for each in imports if not each.lazy and (found := resolve(each.target))} - {module}
        for module, imports in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        pytest.fail(f"import cycle: {' -> '.join(exc.args[1])}")


def test_the_engine_imports_neither_streamlit_nor_plotly() -> None:
    web = importers("streamlit", "streamlit_webrtc", "plotly")
    assert web
    assert [module for module in web if module.startswith("fer_core")] == []


def test_only_the_web_side_of_the_project_imports_streamlit() -> None:
    allowed = ("fer_ui", "pages", "app.py", "tests", "bench", ".venv")
    others = [path for path in PROJECT.rglob("*.py") if path.relative_to(PROJECT).parts[0] not in allowed]
    assert others
    for path in others:
        assert "streamlit" not in {each.target.split(".")[0] for each in imports_of(path.read_text())}, path


def test_pages_import_no_torch_opencv_or_scikit_learn() -> None:
    heavy = importers("torch", "torchvision", "cv2", "sklearn")
    assert heavy
    assert [module for module in heavy if unit(module) in ("pages", "app")] == []


def test_pages_do_not_import_each_other() -> None:
    assert not [m for m, found in MODULES.items() if any(i.target.split(".")[0] == "pages" for i in found)]


def test_importing_the_web_side_does_not_lead_to_torch() -> None:
    for module in MODULES:
        if unit(module) in ("fer_ui", "pages", "app"):
            loaded = loaded_modules(module)
            assert "torch" not in loaded, f"{module} loads torch through {loaded.get('torch')}"


def test_pages_are_folders() -> None:
    """Streamlit would turn a `.py` file directly in `pages/` into a second page."""
    assert sorted((PROJECT / "pages").glob("*.py")) == []


def test_files_and_folders_are_small() -> None:
    paths = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*")]
    files = [path for path in paths if path.suffix in (".py", ".md", ".yaml")]
    lines = {path: path.read_text().count("\n") for path in files if path.suffix == ".py"}
    assert len(lines) > 400
    assert {path: count for path, count in lines.items() if count > FILE_LINES_MAX} == {}
    sizes = Counter(path.parent for path in files)
    assert {folder: count for folder, count in sizes.items() if count > FOLDER_FILES_MAX} == {}


def test_importing_the_engine_is_cheap() -> None:
    loaded = run_python("import fer_core, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))").split()
    assert "fer_core" in loaded
    assert not {"torch", "cv2", "numpy", "pandas", "pydantic"} & set(loaded)


def test_importing_the_web_side_loads_no_torch() -> None:
    names = sorted(module for module in MODULES if unit(module) == "fer_ui")
    code = f"import importlib, sys\nfor name in {[*names, 'fer_core.jobs.submit']!r}: importlib.import_module(name)\n"
    assert run_python(code + "print(len(sys.modules) > 100, 'torch' in sys.modules)") == "True False"
