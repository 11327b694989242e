import socket
import sys
from pathlib import Path

import pytest

from libs.embedded import ports


def test_every_name_gets_a_port_of_its_own() -> None:
    names = [str(number) for number in range(50)]
    assert len(set(ports.choose(names, {}).values())) == 50


def test_a_remembered_port_is_taken_again_when_it_is_free() -> None:
    first = ports.choose(["temporal", "nats"], {})
    assert ports.choose(["temporal", "nats"], first) == first


def test_a_remembered_port_that_somebody_took_is_replaced() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.choose(["nats"], {"nats": port})["nats"] != port


@pytest.mark.skipif(sys.platform != "linux", reason="what the kernel does with such ports is Linux's own")
def test_a_chosen_port_is_given_to_nobody_before_its_server_starts() -> None:
    chosen = ports.choose([str(number) for number in range(5)], {})
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    waiting = {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "06"}
    assert set(chosen.values()) <= waiting
    assert all(ports.is_free(port) for port in chosen.values())


def test_the_next_free_port_is_behind_the_taken_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert ports.next_free(port) > port
        with pytest.raises(OSError, match="set JDI_PORT"):
            ports.next_free(port, tries=1)
