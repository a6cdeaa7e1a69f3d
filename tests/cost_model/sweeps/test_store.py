"""The file of results: it keeps all it is given, and survives what may happen to it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from multipede.cost_model.sweeps import store as store_module
from multipede.cost_model.sweeps.question import Answer
from multipede.cost_model.sweeps.store import SCHEMA, Store, StoreError
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from multipede.toolchain.cost import Cost, CostMethod


def answer(key="k", value=12.5, *, spec=None, target="n28", error=""):
    spec = spec or LMul()
    costs = [
        Cost(
            quantity=quantity,
            value=value,
            unit=unit,
            target=target,
            method=CostMethod.SYNTHESISED,
            source="a test",
            tools={"yosys": "0.70"},
            relative_error=0.1,
        )
        for quantity, unit in (("area", "um2"), ("delay", "ps"))
    ]
    return Answer(
        key=key,
        spec=spec.to_dict(),
        fingerprint=spec.fingerprint,
        target=target,
        options={"energy": False, "constraints": {"clock_period": 1.5}},
        costs=() if error else tuple(costs),
        error=error,
        seconds=1.25,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.sqlite"


class TestKeeps:
    def test_what_it_is_given(self, path):
        given = [answer("a"), answer("b", 3.0), answer("c", error="it crashed")]
        with Store(path) as store:
            store.add_all(given)
            assert list(store.answers(["c", "a", "b", "x"]).values()) == given
        with Store(path, read_only=True) as again:
            assert again.all() == given

    def test_parameters_in_their_order(self, path):
        """Which is that of the columns of tables."""
        given = answer(spec=MixPE())
        with Store(path) as store:
            store.add(given)
            (kept,) = store.all()
        names = list(kept.spec["parameters"])
        assert names == list(given.spec["parameters"]) != sorted(names)

    def test_the_newest_of_a_key(self, path):
        with Store(path) as store:
            store.add(answer("a", error="it crashed"))
            store.add(answer("a", 2.0))
            store.add(answer("a", 3.0))
            assert store.all() == [answer("a", 3.0)]

    def test_the_newest_last(self, path):
        """Of answers to one question, by different code, whatever their keys."""
        with Store(path) as store:
            for key in ("z", "a", "m"):
                store.add(answer(key))
            assert [one.key for one in store.all()] == ["z", "a", "m"]

    def test_more_keys_than_one_query_takes(self, path):
        given = [answer(f"k{index:04}") for index in range(1203)]
        with Store(path) as store:
            store.add_all(given)
            assert len(store.answers(one.key for one in given)) == 1203

    def test_filters(self, path):
        given = [answer("a"), answer("b", target="ecp5"), answer("c", spec=MixPE())]
        with Store(path) as store:
            store.add_all(given)
            assert store.all(unit="lmul") == [given[1], given[0]]
            assert store.all(unit="lmul", target="ecp5") == [given[1]]
            assert store.all(unit="x") == []


class TestSharing:
    def test_two_writers_and_a_reader(self, path):
        def write(who):
            with Store(path) as store:
                for index in range(60):
                    store.add(answer(f"{who}{index}"))

        with Store(path), ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(write, who) for who in "ab"]
            with Store(path, read_only=True) as reader:
                while not all(job.done() for job in jobs):
                    assert all(one.costs for one in reader.all())
            for job in jobs:
                job.result()
        with Store(path) as store:
            assert len(store.all()) == 120

    def test_a_writer_that_is_killed(self, path):
        """At several moments: what was committed is there, whole, and the file can be written."""
        program = (
            "import sys\n"
            "from tests.cost_model.sweeps.test_store import Store, answer\n"
            "store = Store(sys.argv[1])\n"
            "for index in range(100000):\n"
            "    store.add(answer(f'{sys.argv[2]}-{index}'))\n"
            "    print(index, flush=True)\n"
        )
        for kill, moment in enumerate((0.05, 0.15, 0.31)):
            with subprocess.Popen(
                [sys.executable, "-c", program, str(path), str(kill)],
                stdout=subprocess.PIPE,
                text=True,
            ) as writer:
                assert writer.stdout.readline() == "0\n"
                time.sleep(moment)
                os.kill(writer.pid, signal.SIGKILL)
                told = [0, *map(int, writer.stdout.read().split())]
            with Store(path) as store:
                mine = [one for one in store.all() if one.key.startswith(f"{kill}-")]
                # At most the one that was in flight is there without having been told.
                assert 0 <= len(mine) - len(told) <= 1
                assert all(len(one.costs) == 2 for one in mine)
                (sound,) = store._file.execute("PRAGMA integrity_check").fetchone()
                assert sound == "ok"


class TestWhatCannotBeUsed:
    def test_no_file(self, tmp_path):
        with pytest.raises(StoreError, match="no such file"):
            Store(tmp_path / "x.sqlite", read_only=True)
        with pytest.raises(StoreError, match="no such file or directory"):
            Store(tmp_path / "x" / "x.sqlite")
        with pytest.raises(StoreError, match="this is a directory"):
            Store(tmp_path)

    def test_something_else(self, path):
        path.write_text("area,delay\n" * 200)
        before = path.read_bytes()
        with pytest.raises(StoreError, match="it is no file of results, or damaged"):
            Store(path)
        assert path.read_bytes() == before

    def test_another_programs(self, path):
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE songs (title)")
        before = path.read_bytes()
        with pytest.raises(StoreError, match="another program's SQLite file"):
            Store(path)
        assert path.read_bytes() == before

    def test_a_newer_version(self, path):
        Store(path).close()
        with sqlite3.connect(path) as newer:
            newer.execute(f"PRAGMA user_version = {SCHEMA + 1}")
        for read_only in (False, True):
            with pytest.raises(StoreError, match=f"its version is {SCHEMA + 1}.* a newer one"):
                Store(path, read_only=read_only)

    def test_a_truncated_one(self, path):
        with Store(path) as store:
            store.add_all(answer(f"k{index}") for index in range(500))
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(StoreError, match="damaged"), Store(path) as store:
            store.all()

    @pytest.mark.parametrize("missing", [1, 480, 4095])
    def test_one_without_the_end_of_its_last_page(self, path, missing):
        with Store(path) as store:
            store.add(answer("k"))
        content = path.read_bytes()[:-missing]
        path.write_bytes(content)
        for read_only in (True, False):
            with pytest.raises(StoreError, match=r"damaged: .* bytes are there"):
                Store(path, read_only=read_only)
        assert path.read_bytes() == content

    def test_a_full_disk(self, path):
        """SQLite is told a number of pages that the file may have."""
        with Store(path) as store:
            store.add(answer("before"))
            store._file.execute("PRAGMA max_page_count = 12")
            with pytest.raises(StoreError, match="the disk is full; what was written before is"):
                store.add_all(answer(f"k{index}") for index in range(500))
            assert [one.key for one in store.all()] == ["before"]

    def test_a_read_only_one(self, path, monkeypatch):
        """Root may write everywhere, so that SQLite is told that the file is read-only."""
        Store(path).close()
        connect = sqlite3.connect
        monkeypatch.setattr(
            sqlite3, "connect", lambda address, **o: connect(address.replace("rwc", "ro"), **o)
        )
        with pytest.raises(StoreError, match="read-only"):
            Store(path)

    def test_on_a_read_only_disk(self, path, monkeypatch):
        """Nothing is put beside it then, as SQLite would even to read."""
        with Store(path) as store:
            store.add(answer("k"))
        monkeypatch.setattr("os.access", lambda *_: False)
        with Store(path, read_only=True) as store:
            assert store.all() == [answer("k")]
            assert list(path.parent.iterdir()) == [path]

    def test_an_empty_one(self, path):
        path.touch()
        with pytest.raises(StoreError, match="it is empty"):
            Store(path, read_only=True)

    @pytest.mark.parametrize("wrong", ["{}", "no JSON"])
    def test_a_damaged_answer(self, path, wrong):
        with Store(path) as store:
            store.add(answer("k"))
            store._file.execute("UPDATE costs SET record = ?", (wrong,))
            with pytest.raises(StoreError, match=r"results.sqlite: the answer k is damaged"):
                store.all()

    def test_nothing_is_kept_of_what_cannot_be(self, path):
        broken = replace(answer("b"), costs=(answer().costs[0],) * 2)
        with Store(path) as store:
            with pytest.raises(StoreError, match="UNIQUE"):
                store.add_all([answer("a"), broken])
            assert store.all() == []


class TestMigration:
    def test_an_older_file_is_brought_up_to_date(self, path, monkeypatch):
        with Store(path) as store:
            store.add(answer("a"))
        added = "ALTER TABLE answers ADD COLUMN host TEXT NOT NULL DEFAULT ''"
        monkeypatch.setattr(store_module, "_MIGRATIONS", (*store_module._MIGRATIONS, added))
        monkeypatch.setattr(store_module, "SCHEMA", SCHEMA + 1)
        with pytest.raises(StoreError, match=f"its version is {SCHEMA}, .*bring it up to date"):
            Store(path, read_only=True)
        with Store(path) as store:
            assert store.all() == [answer("a")]
            assert store._file.execute("SELECT host FROM answers").fetchone() == ("",)
        Store(path, read_only=True).close()


def test_records_are_json(path):
    """So that other programs can read them."""
    with Store(path) as store:
        store.add(answer("a"))
    with sqlite3.connect(path) as other:
        (record,) = other.execute("SELECT record FROM costs WHERE quantity = 'area'").fetchone()
    assert json.loads(record) == answer().costs[0].to_dict()
