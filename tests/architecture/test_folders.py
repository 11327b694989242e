"""What the tree promises to a newcomer: small folders, each says what lives there; no names that say nothing."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPS = ("services", "libs", "tests", "benchmarks")
MOST_NAMES = 14
EMPTY_WORDS = {"utils", "util", "common", "helpers", "helper", "manager", "misc", "base"}


def packages() -> list[Path]:
    return sorted(init.parent for top in TOPS for init in (ROOT / top).rglob("__init__.py"))


def names(package: Path) -> list[str]:
    """What a folder shows: its modules and the folders with modules in them."""
    modules = [path.stem for path in package.glob("*.py") if path.name != "__init__.py"]
    return modules + [folder.name for folder in package.iterdir() if folder.is_dir() and any(folder.rglob("*.py"))]


@pytest.mark.parametrize("package", packages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_shows_a_dozen_names_or_little_more(package: Path) -> None:
    assert len(names(package)) <= MOST_NAMES, sorted(names(package))
    assert not EMPTY_WORDS & set(names(package))


@pytest.mark.parametrize(
    "package",
    [package for package in packages() if package.relative_to(ROOT).parts[0] in ("services", "libs")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_package_says_what_lives_there(package: Path) -> None:
    assert (package / "__init__.py").read_text().startswith('"""')
