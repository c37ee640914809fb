"""The embedded bus, across two processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from reference_services.common import diskqueue
from reference_services.common.diskqueue import DiskConsumer, DiskPublisher, open_queue
from reference_services.common.errors import BusError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PUBLISH = """
import sys
from reference_services.common.diskqueue import DiskPublisher
publisher = DiskPublisher(sys.argv[1], "q")
for number in range(int(sys.argv[2])):
    publisher.publish([f"{number}-a", f"{number}-b"])
"""


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[DiskConsumer]:
    """A consumer of an empty queue."""
    opened = DiskConsumer(str(tmp_path), "q")
    yield opened
    opened.close()


def test_every_message_of_another_process_arrives_once_and_in_order(consumer: DiskConsumer, tmp_path: Path) -> None:
    """A consumer that works while another process publishes gets each message exactly once, in order."""
    command = [sys.executable, "-c", PUBLISH, str(tmp_path), "200"]
    process = subprocess.Popen(command, cwd=ROOT)
    got: list[str] = []
    while len(got) < 400:
        batch = consumer.take(7, 30.0)
        assert batch, "no message came for half a minute"
        got += [delivery.body for delivery in batch]
        consumer.acknowledge(batch)
    assert process.wait() == 0
    assert got == [f"{number}-{half}" for number in range(200) for half in "ab"]
    assert consumer.depth() == 0


def test_the_oldest_message_is_as_old_as_it_waits_until_it_is_acknowledged(
    consumer: DiskConsumer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its age counts while it is handled, too; what is behind it is younger, and an empty queue has none."""
    assert consumer.age_ms() == 0
    clock = 1_000_000.0
    monkeypatch.setattr(diskqueue, "time", SimpleNamespace(time=lambda: clock, monotonic=time.monotonic))
    with closing(DiskPublisher(str(tmp_path), "q")) as publisher:
        publisher.publish(["one"])
        clock += 7
        publisher.publish(["two"])
        first, second = consumer.take(10, 1.0)
        clock += 3
        assert consumer.age_ms() == 10_000
        consumer.acknowledge([first])
        assert consumer.age_ms() == 3_000
        consumer.acknowledge([second])
        assert consumer.age_ms() == 0


def test_a_publisher_that_starts_gives_nothing_back(consumer: DiskConsumer, tmp_path: Path) -> None:
    """What the consumer is handling stays its own when a publisher opens the same queue."""
    DiskPublisher(str(tmp_path), "q").publish(["one"])
    (held,) = consumer.take(10, 1.0)
    DiskPublisher(str(tmp_path), "q").close()
    assert consumer.take(10, 0.0) == []
    assert consumer.depth() == 1
    consumer.acknowledge([held])
    assert consumer.depth() == 0


def test_a_successor_gets_what_was_not_acknowledged(consumer: DiskConsumer, tmp_path: Path) -> None:
    """The consumer that follows one that died handles what it left, and nothing that it acknowledged."""
    DiskPublisher(str(tmp_path), "q").publish(["one", "two"])
    one, _two = consumer.take(10, 1.0)
    consumer.acknowledge([one])
    successor = DiskConsumer(str(tmp_path), "q")
    assert [delivery.body for delivery in successor.take(10, 1.0)] == ["two"]
    successor.close()


def test_a_requeued_message_comes_again(consumer: DiskConsumer, tmp_path: Path) -> None:
    """A message that was put back is taken again."""
    DiskPublisher(str(tmp_path), "q").publish(["one"])
    consumer.requeue(consumer.take(1, 1.0))
    assert [delivery.body for delivery in consumer.take(1, 1.0)] == ["one"]


def test_a_buried_message_is_kept_with_its_reason(consumer: DiskConsumer, tmp_path: Path) -> None:
    """A dead letter leaves the queue and lies in the dead-letter queue, with why."""
    DiskPublisher(str(tmp_path), "q").publish(["nonsense"])
    (delivery,) = consumer.take(1, 1.0)
    consumer.bury(delivery, "is no JSON")
    assert consumer.depth() == 0
    dead = open_queue(str(tmp_path), "q.dead", resume=False)
    assert [letter for _, letter in dead.take_many(10)] == [{"reason": "is no JSON", "body": "nonsense"}]
    dead.close()


def test_what_the_file_does_not_take_now_is_written_later(consumer: DiskConsumer, tmp_path: Path) -> None:
    """When its disk is full, what was handled does not come again, and what was put back does, without a restart."""
    DiskPublisher(str(tmp_path), "q").publish(["done", "again"])
    done, again = consumer.take(10, 1.0)
    with closing(sqlite3.connect(tmp_path / "data.db")) as full:
        for change in ("UPDATE", "DELETE"):
            full.execute(
                f"CREATE TRIGGER no_{change} BEFORE {change} ON ack_queue_q BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        for say, delivery in ((consumer.acknowledge, done), (consumer.requeue, again)):
            with pytest.raises(BusError, match="full"):
                say([delivery])
        for change in ("UPDATE", "DELETE"):
            full.execute(f"DROP TRIGGER no_{change}")
    assert [delivery.body for delivery in consumer.take(10, 1.0)] == ["again"]
    assert consumer.depth() == 1
