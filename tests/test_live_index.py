"""The served index: it follows CURRENT, refuses bad generations and keeps what is in use."""

import gc
import shutil
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import write_shelf
from indexer.build import build_index
from indexer.encoders import Encoder
from indexer.errors import IndexDamaged, IndexMismatch, IndexNotFound
from service.live_index import LiveIndex
from service.retriever import SearchQuery
from service.settings import ServiceSettings
from service.staleness import StalenessCheck, find_new_sources

_NEVER_S = 3600.0  # a poll that never comes: the tests call refresh()


@pytest.fixture
def settings(tmp_path: Path, small_index: ServiceSettings) -> ServiceSettings:
    """An index of one's own, and its shelf."""
    shutil.copytree(small_index.index_dir, tmp_path / "index")
    shelf = write_shelf(tmp_path / "shelf")
    return ServiceSettings(index_dir=tmp_path / "index", shelves=[shelf])


@contextmanager
def serving(
    settings: ServiceSettings, encoder: Encoder, *, poll_s: float = _NEVER_S
) -> Iterator[LiveIndex]:
    live = LiveIndex(settings, encoder, poll_s=poll_s)
    try:
        yield live
    finally:
        live.close()


def add_report(settings: ServiceSettings, name: str = "ice-roads.md") -> None:
    report = "# Ice roads\n\nThe ice road opens when the ice is 40 centimetres thick.\n"
    (settings.shelves[0] / name).write_text(report, encoding="utf-8")


def generation_file(settings: ServiceSettings, generation: str, name: str) -> Path:
    return settings.index_dir / "generations" / generation / name


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def wait_until(true: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_new_generation_takes_over_without_being_asked(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    with serving(settings, encoder, poll_s=0.02) as live:
        assert live.snapshot().index.name == "000001"
        add_report(settings)
        build_index(settings, encoder)
        wait_until(lambda: live.snapshot().index.name == "000002")
        hits = live.snapshot().retriever.search(SearchQuery("ice road thickness")).hits
        assert hits[0].passage.document_id == "ice-roads"


def test_request_in_flight_keeps_its_snapshot_when_its_files_are_removed(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    query = SearchQuery("how many hives were counted")
    short = settings.model_copy(update={"keep_generations": 1})
    with serving(short, encoder) as live:
        held = live.snapshot()
        before = held.answerer.answer(query)
        for number in range(2):
            add_report(settings, f"ice-roads-{number}.md")
            (settings.shelves[0] / f"ice-roads-{number}.md").write_text(f"# Road {number}\n\nIce.")
            build_index(short, encoder)
            live.refresh()
        assert live.snapshot().index.name == "000003"
        assert not generation_file(settings, "000001", "manifest.json").exists()
        after = held.answerer.answer(query)
        assert (after.text, after.citations) == (before.text, before.citations)


def test_old_generation_is_freed_once_no_request_holds_it(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    with serving(settings, encoder, poll_s=0.02) as live:
        live.snapshot().retriever.search(SearchQuery("hives"))
        old = weakref.ref(live.snapshot().retriever)
        add_report(settings)
        build_index(settings, encoder)
        gc.disable()  # so that only the live index itself can have freed it
        try:
            wait_until(lambda: old() is None)
        finally:
            gc.enable()


def test_damaged_new_generation_is_refused_and_the_old_one_serves(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    with serving(settings, encoder) as live:
        add_report(settings)
        build_index(settings, encoder)
        file = generation_file(settings, "000002", "vectors.faiss")
        whole = file.read_bytes()
        flip_a_bit(file)
        live.refresh()
        assert live.snapshot().index.name == "000001"
        assert str(file) in live.problems[0]
        assert live.snapshot().retriever.search(SearchQuery("hives")).hits

        live.refresh()  # Not looked at again at once: checking a large index takes seconds.
        assert str(file) in live.problems[0]
        file.write_bytes(whole)
        live.refresh(force=True)
        assert (live.snapshot().index.name, live.problems) == ("000002", ())


@pytest.mark.parametrize(
    "name", ["token_vectors.npy", "passages.json", "documents.jsonl", "lexical/meta.json"]
)
def test_damaged_newest_generation_is_refused_at_the_start(
    settings: ServiceSettings, encoder: Encoder, name: str
) -> None:
    add_report(settings)
    build_index(settings, encoder)
    flip_a_bit(generation_file(settings, "000002", name))
    with serving(settings, encoder) as live:
        assert live.snapshot().index.name == "000001"
        assert name in live.problems[0]


def test_index_with_no_whole_generation_is_refused_and_the_file_named(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    flip_a_bit(generation_file(settings, "000001", "passages.npy"))
    with serving(settings, encoder) as live:
        with pytest.raises(IndexDamaged, match=r"passages\.npy"):
            live.snapshot()
        assert "passages.npy" in live.problems[0]


def test_generation_of_another_encoder_is_refused(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    manifest = generation_file(settings, "000001", "manifest.json")
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(encoder.fingerprint, "bge-small@3c9f31"), encoding="utf-8")
    with serving(settings, encoder) as live:
        with pytest.raises(IndexMismatch, match=r"built with encoder bge-small@3c9f31"):
            live.snapshot()
        manifest.write_text(text, encoding="utf-8")
        live.refresh(force=True)
        assert live.snapshot().index.name == "000001"


def test_service_without_an_index_begins_to_serve_when_one_is_made(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    index = settings.index_dir
    index.rename(index.with_name("elsewhere"))
    with serving(settings, encoder, poll_s=0.02) as live:
        with pytest.raises(IndexNotFound, match="footnote index"):
            live.snapshot()
        assert live.problems == ()
        index.with_name("elsewhere").rename(index)
        wait_until(lambda: not _raises(live.snapshot))


def test_index_that_vanishes_goes_on_serving_and_says_so(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    with serving(settings, encoder) as live:
        (settings.index_dir / "CURRENT").unlink()
        live.refresh()
        assert live.snapshot().index.name == "000001"
        assert "there is no index" in live.problems[0]


def test_index_deleted_and_made_anew_is_noticed_although_its_name_is_the_same(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    with serving(settings, encoder) as live:
        add_report(settings)
        shutil.rmtree(settings.index_dir / "generations")
        (settings.index_dir / "CURRENT").unlink()
        build_index(settings, encoder)
        live.refresh()
        assert live.snapshot().index.name == "000001"
        assert live.snapshot().index.documents.get("ice-roads") is not None


def test_rollback_is_followed(settings: ServiceSettings, encoder: Encoder) -> None:
    add_report(settings)
    build_index(settings, encoder)
    with serving(settings, encoder) as live:
        assert live.snapshot().index.name == "000002"
        (settings.index_dir / "CURRENT").write_text("000001\n", encoding="ascii")
        live.refresh()
        assert live.snapshot().index.name == "000001"


def test_changed_and_missing_sources_are_stale_and_new_ones_are_found(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    shelf = settings.shelves[0]
    build_index(settings, encoder)
    with serving(settings, encoder) as live:
        index = live.snapshot().index
        check = StalenessCheck(kept_s=0.0)
        assert check.check(index).document_ids == []

        (shelf / "bee-census.md").touch()  # another time, the same bytes
        assert check.check(index).document_ids == []
        assert find_new_sources(index) == []

        text = (shelf / "bee-census.md").read_text(encoding="utf-8")
        (shelf / "bee-census.md").write_text(text.replace("41,300", "41,400"), encoding="utf-8")
        (shelf / "reading-rooms.txt").unlink()
        add_report(settings)
        staleness = check.check(index)
        assert staleness.changed == ("bee-census",)
        assert staleness.missing == ("reading-rooms",)
        assert find_new_sources(index) == ["ice-roads.md"]


def test_staleness_is_looked_up_once_in_a_while_not_for_each_request(
    settings: ServiceSettings, encoder: Encoder
) -> None:
    build_index(settings, encoder)
    with serving(settings, encoder) as live:
        index = live.snapshot().index
        check = StalenessCheck(kept_s=60.0)
        assert check.check(index).document_ids == []
        (settings.shelves[0] / "bee-census.md").unlink()
        assert check.check(index).document_ids == []
        assert StalenessCheck().check(index).document_ids == ["bee-census"]


def _raises(call: Callable[[], object]) -> bool:
    try:
        call()
    except IndexNotFound:
        return True
    return False
