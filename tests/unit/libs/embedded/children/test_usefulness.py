"""What follows from looks at a server that lives: nothing, a word, or a new start."""

from __future__ import annotations

from libs.embedded.children.usefulness import FIRST_DELAY, Decision, Usefulness

FULL = "the disk is full"
WAITS = Decision(f"does not work: no write; {FULL}; it is started again when there is room")
STARTS = Decision("does not work: no write; it is started again", restart=True)


def test_it_is_started_again_after_its_patience_and_not_before() -> None:
    child = Usefulness(patience=3)
    assert [child.judge(now, "no write", None) for now in (0.0, 2.9)] == [Decision(), Decision()]
    assert child.judge(3.0, "no write", None) == STARTS
    assert child.judge(4.0, None, None) == Decision("works again")
    assert child.judge(5.0, None, None) == Decision()


def test_what_it_cannot_recover_from_needs_no_patience_but_has_its_pauses() -> None:
    child = Usefulness(patience=3600)
    starts = [now for now in range(100) if child.judge(float(now), "no write", None, lost=True).restart]
    assert starts[0] == 0
    assert starts[1] >= FIRST_DELAY


def test_a_short_trouble_is_not_spoken_of() -> None:
    child = Usefulness(patience=3)
    assert [child.judge(0.0, "no write", None), child.judge(1.0, None, None)] == [Decision(), Decision()]


def test_without_room_it_is_said_once_and_nothing_is_started() -> None:
    child = Usefulness(patience=3)
    said = [child.judge(float(now), "no write", FULL) for now in range(100)]
    assert said == [WAITS] + [Decision()] * 99
    assert child.judge(100.0, "no write", None) == Decision()  # it may recover by itself
    assert child.judge(103.0, "no write", None) == STARTS


def test_new_starts_that_do_not_help_become_rare() -> None:
    child = Usefulness(patience=0)
    starts = [now for now in range(600) if child.judge(float(now), "no write", None).restart]
    assert starts[1] - starts[0] >= FIRST_DELAY
    assert starts[-1] - starts[-2] >= 60
    assert len(starts) < 15
