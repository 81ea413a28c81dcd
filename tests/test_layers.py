"""Imports point one way, and each heavy library has one module that owns it."""

import ast
import subprocess
import sys
from collections import defaultdict

import pytest

from conftest import REPOSITORY

# From the lowest up; a layer imports itself and those before it.
LAYERS = ("corpus", "indexer", "service", "eval", "footnote")
OWNED = {
    "faiss": "indexer/vectors.py",
    "openvino": "indexer/encoders/minilm.py",
    "pypdfium2": "corpus/readers/pdf.py",
    "sentence_transformers": "indexer/encoders/sentence_transformer.py",
    "tantivy": "indexer/lexical.py",
    "tiktoken": "indexer/tokens.py",
}
MODULES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for layer in LAYERS
    for path in (REPOSITORY / layer).rglob("*.py")
)


def imported_names(source: str, module: str) -> set[str]:
    """Return the dotted names a module imports, wherever in it the import stands."""
    package = module.removesuffix(".py").split("/")[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            names.add(".".join([*above, *([node.module] if node.module else [])]))
    return names


def upward_imports(module: str, names: set[str]) -> set[str]:
    """Return the imported names that belong to a layer above the module's."""
    own = LAYERS.index(module.split("/")[0])
    return {name for name in names if name.split(".")[0] in LAYERS[own + 1 :]}


def test_an_arrow_that_points_up_is_noticed() -> None:
    # The check itself: absolute, inside a function, and relative imports all count.
    source = "def late():\n    import service.app\nfrom eval.suite import run\nfrom . import tokens"
    names = imported_names(source, "indexer/vectors.py")
    assert names == {"service.app", "eval.suite", "indexer"}
    assert upward_imports("indexer/vectors.py", names) == {"service.app", "eval.suite"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    names = imported_names((REPOSITORY / module).read_text(encoding="utf-8"), module)
    assert not upward_imports(module, names)


def test_each_heavy_library_is_imported_in_one_module() -> None:
    owners = defaultdict(set)
    for module in MODULES:
        names = imported_names((REPOSITORY / module).read_text(encoding="utf-8"), module)
        for name in names:
            owners[name.split(".")[0]].add(module)
    assert {library: owners[library] for library in OWNED} == {
        library: {module} for library, module in OWNED.items()
    }


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules in memory after a fresh Python has run some code."""
    script = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_serving_imports_neither_torch_nor_transformers() -> None:
    loaded = loaded_after(
        "import service.app\n"
        "from indexer.encoders import load_encoder\n"
        "load_encoder(threads=1).encode(['a text'])"
    )
    assert {"fastapi", "openvino", "faiss", "tantivy"} <= loaded
    assert not loaded & {"torch", "transformers", "sentence_transformers", "scipy"}


def test_help_loads_no_heavy_library() -> None:
    loaded = loaded_after("import footnote.cli")
    assert not loaded & {*OWNED, "numpy", "pydantic", "fastapi", "uvicorn", "torch"}
