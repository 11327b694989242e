from dataclasses import dataclass
from pathlib import Path

import pytest

from libs.runtime import Secret, SettingsError, addresses, read_settings, setting


@dataclass(frozen=True, kw_only=True)
class Sample:
    port: int = setting("PORT", 8080, unit="TCP port", why="the door")
    ratio: float = setting("RATIO", 0.5, why="half")
    loud: bool = setting("LOUD", False, why="noise")
    names: tuple[str, ...] = setting("NAMES", (), why="who")
    folder: Path | None = setting("FOLDER", None, why="where")
    token: Secret = setting("TOKEN", why="guards the door")


def test_values_are_read_by_type() -> None:
    environ = {"PORT": "1", "RATIO": "2.5", "LOUD": "yes", "NAMES": "a, b,,", "FOLDER": "/x", "TOKEN": "hush"}
    read = read_settings(Sample, environ)
    assert read == Sample(port=1, ratio=2.5, loud=True, names=("a", "b"), folder=Path("/x"), token=Secret("hush"))


def test_unset_and_empty_variables_take_the_default() -> None:
    read = read_settings(Sample, {"TOKEN": "hush", "PORT": "", "NAMES": "  "})
    assert read == Sample(token=Secret("hush"))


def test_every_bad_value_has_a_line_that_names_variable_unit_and_reason() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(Sample, {"PORT": "many", "LOUD": "maybe"})
    assert caught.value.lines == (
        "PORT: 'many' is not a whole number (TCP port); the door",
        "LOUD: 'maybe' is not true or false; noise",
        "TOKEN is not set; guards the door",
    )


def test_a_value_comes_from_a_file_when_the_variable_itself_is_unset(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file\n")
    assert read_settings(Sample, {"TOKEN_FILE": str(tmp_path / "token")}).token == "from file"
    assert read_settings(Sample, {"TOKEN": "direct", "TOKEN_FILE": str(tmp_path / "token")}).token == "direct"


def test_an_unreadable_file_is_a_line() -> None:
    with pytest.raises(SettingsError, match="TOKEN_FILE=/nowhere/token cannot be read: No such file"):
        read_settings(Sample, {"TOKEN_FILE": "/nowhere/token"})


def test_a_secret_does_not_show_in_the_repr_of_its_settings() -> None:
    assert "hush" not in repr(read_settings(Sample, {"TOKEN": "hush"}))


@dataclass(frozen=True, kw_only=True)
class Range:
    low: int = setting("LOW", 1, why="")
    high: int = setting("HIGH", 2, why="")

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("LOW is above HIGH; swap them")


def test_a_comparison_between_values_is_a_settings_error_too() -> None:
    with pytest.raises(SettingsError, match="LOW is above HIGH"):
        read_settings(Range, {"LOW": "3"})


@dataclass(frozen=True, kw_only=True)
class Places:
    data_dir: Path = addresses.data_dir()
    database_url: str = addresses.database_url()
    site: str = addresses.site()


def test_the_database_follows_from_the_data_folder() -> None:
    read = read_settings(Places, {"JDI_DATA_DIR": "/data", "JIRA_SITE": "acme"})
    assert read == Places(data_dir=Path("/data"), database_url="sqlite:////data/jdi.db", site="acme")


@pytest.mark.parametrize(
    ("base_url", "site"),
    [
        ("https://acme.atlassian.net", "acme"),
        ("https://Acme.atlassian.net/", "acme"),
        ("http://127.0.0.1:8095", "127-0-0-1-8095"),
        ("https://jira.example.com/base", "jira-example-com"),
    ],
)
def test_the_site_follows_from_the_base_url(base_url: str, site: str) -> None:
    assert addresses.site_of({"JIRA_BASE_URL": base_url}) == site


def test_a_site_with_other_characters_is_refused() -> None:
    with pytest.raises(SettingsError, match="'My Site' is not a site name"):
        read_settings(Places, {"JIRA_SITE": "My Site"})


def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match="'mysql' is not supported"):
        read_settings(Places, {"JIRA_SITE": "acme", "DATABASE_URL": "mysql://host/db"})
