"""What is published: archives of the same bytes, all files in them, versions that agree."""

import io
import os
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.version import Version

import minsyn

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPE = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))

#: Names that conda-forge gives to distributions of PyPI.
CONDA_NAMES = {
    "lightning-fabric": "pytorch-lightning",
    "matplotlib": "matplotlib-base",
    "torch": "pytorch",
}


def build(folder, into):
    """Bytes of sdist and wheel."""
    archives = {}
    for builder in (SdistBuilder, WheelBuilder):
        for path in builder(str(folder)).build(directory=str(into), versions=["standard"]):
            archives[Path(path).name] = Path(path).read_bytes()
    return archives


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def archive(archives, ending):
    (content,) = (content for name, content in archives.items() if name.endswith(ending))
    return io.BytesIO(content)


def test_archives_are_the_same_bytes_from_another_folder(archives, tmp_path):
    with tarfile.open(fileobj=archive(archives, ".tar.gz")) as tar:
        tar.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    for path in folder.rglob("*"):  # a checkout of another day and umask
        os.utime(path, (1e9, 1e9))
        path.chmod(path.stat().st_mode & 0o700)
    again = build(folder, tmp_path / "dist")
    assert [name for name in archives if archives[name] != again.get(name)] == []


def test_wheel_holds_types_scripts_and_styles(archives):
    with zipfile.ZipFile(archive(archives, ".whl")) as wheel:
        names = set(wheel.namelist())
    source = ROOT / "src"
    files = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    files = {name for name in files if "__pycache__" not in name and ".egg-info" not in name}
    assert {"minsyn/py.typed", "minsyn/__init__.pyi", "minsyn/report/page.css"} <= files
    assert files == {name for name in names if ".dist-info/" not in name}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_sdist_holds_what_every_command_needs(archives):
    with tarfile.open(fileobj=archive(archives, ".tar.gz")) as tar:
        names = {name.split("/")[1] for name in tar.getnames()}
    expected = {
        ".ci",
        ".github",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "benchmarks",
        "constraints-oldest.txt",
        "constraints.txt",
        "docs",
        "examples",
        "pyproject.toml",
        "recipe",
        "src",
        "studies",
        "tests",
    }
    assert expected - names == set()
    assert names & {".git", ".venv", "runs", "dist"} == set()


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == RECIPE["package"]["version"] == minsyn.__version__
    assert f"## {minsyn.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_recipe_has_the_dependencies_of_the_project():
    expected = {f"python {PROJECT['requires-python']}"}
    for line in PROJECT["dependencies"]:
        dependency = Requirement(line)
        name = CONDA_NAMES.get(dependency.name, dependency.name)
        expected.add(f"{name} {dependency.specifier}")
    assert set(RECIPE["requirements"]["run"]) == expected
    (script,) = PROJECT["scripts"].items()
    assert RECIPE["build"]["python"]["entry_points"] == [" = ".join(script)]


def constraints(file):
    """Name -> version that a file of constraints pins."""
    text = (ROOT / file).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    return {name.lower().replace("_", "-"): Version(version) for name, version in pins}


def requirements(*extras):
    lines = [*PROJECT["dependencies"]]
    lines += [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    found = [Requirement(line) for line in lines]
    return [requirement for requirement in found if requirement.name != "minsyn"]


def test_pinned_versions_are_allowed():
    pins = constraints("constraints.txt")
    for requirement in requirements(*PROJECT["optional-dependencies"]):
        assert requirement.specifier.contains(pins[requirement.name.lower()]), requirement


def test_oldest_versions_are_the_lower_bounds():
    pins = constraints("constraints-oldest.txt")
    for requirement in requirements("anndata", "excel", "infomax", "parquet", "tables", "words"):
        (bound,) = requirement.specifier
        assert bound.operator == ">=", requirement
        if requirement.name == "torch":  # the file says why it is pinned higher
            assert pins["torch"] > Version(bound.version)
        else:
            n_parts = len(Version(bound.version).release)
            oldest = pins[requirement.name].release
            assert oldest[:n_parts] == Version(bound.version).release, requirement
            assert not any(oldest[n_parts:]), f"{requirement}: pinned {oldest}"
