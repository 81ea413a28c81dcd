"""What several test modules share."""

import os
from pathlib import Path

import pytest

from indexer.build import build_index
from indexer.encoders import Encoder, load_encoder
from service.settings import ServiceSettings

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave slow tests to CI, and to whoever asks for them."""
    if os.environ.get("CI") or os.environ.get("FOOTNOTE_SLOW"):
        return
    skip = pytest.mark.skip(reason="slow; set FOOTNOTE_SLOW=1 to run it")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real reports and collections; skips, saying so, where it is absent."""
    folder = Path(os.environ.get("FOOTNOTE_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "reports").is_dir():
        pytest.skip(f"no shared data at {folder}; set FOOTNOTE_SHARED to run this test")
    return folder


# Small reports with known words, one of them with pages; tests quote them.
SMALL_SHELF = {
    "harbour-safety.md": """\
---
title: Harbour Safety Review
publisher: Port Authority
date: "2024-05-31"
pinpoints: page
notices:
  - Preliminary, do not cite.
---

# Harbour Safety Review

The review looks at twelve harbours and how they keep ships and people safe. (p. 1)

## Tugs and pilots

Every tanker above 20,000 tonnes needs two tugs within the breakwater. \
Pilots board three miles from the harbour mouth, and no tanker may pass without one. (p. 5)

## Lighthouses

The keeper inspects the lamp of the lighthouse each evening at sunset. (p. 9)

Seven of the twelve lighthouses were automated between 1994 and 2003. (p. 10)
""",
    "bee-census.md": """\
---
title: National Bee Census
publisher: Bureau of Insects
date: "2023"
---

# National Bee Census

The census counted 41,300 hives in the spring of 2023, four per cent more than the year before.

## Losses in winter

Beekeepers lost 18 per cent of their colonies in winter, mostly to mites and to hunger.

| Region | Hives | Losses |
| --- | --- | --- |
| North | 9,800 | 21 % |
| South | 31,500 | 17 % |

## Advice

- Treat colonies against mites in August.
- Leave at least twelve kilograms of honey in each hive.
""",
    "night-trains/sleeper-study.md": """\
---
title: Sleeper Train Study
publisher: Railway Institute
date: "2022-11"
family: sleeper-study
---

# Sleeper Train Study

Night trains carried 5.4 million passengers across the border in 2021.

## What keeps passengers away

Travellers named the price of a berth first, the hour of arrival second and noise third.

## What operators plan

Three operators plan to order 48 sleeping cars; the first are to run from 2026.
""",
    "reading-rooms.txt": """\
Reading Rooms in Public Libraries

A reading room is a quiet room in which anyone may read without borrowing.
[[page 1]]

Opening hours

Libraries in small towns open their reading rooms for 23 hours a week on average.
[[page 2]]
""",
    "shelf.csv": """\
file,title,publisher,date
reading-rooms.txt,Reading Rooms in Public Libraries,Library Council,2021-03-15
""",
}


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The built-in encoder, loaded once."""
    return load_encoder(threads=1)


def write_shelf(folder: Path) -> Path:
    """Write the small reports into a folder and return it."""
    for name, text in SMALL_SHELF.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reports of SMALL_SHELF; read only, copy it to change it."""
    return write_shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def small_index(
    tmp_path_factory: pytest.TempPathFactory, small_shelf: Path, encoder: Encoder
) -> ServiceSettings:
    """The settings of an index of `small_shelf`; read only, copy its `index_dir` to change it."""
    settings = ServiceSettings(
        index_dir=tmp_path_factory.mktemp("small") / "index", shelves=[small_shelf]
    )
    report = build_index(settings, encoder)
    assert not report.failed
    return settings
