"""Cron expressions of five fields, made up: most would be taken, some would not."""

from __future__ import annotations

from hypothesis import strategies as st

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@st.composite
def expressions(draw: st.DrawFn) -> str:
    minute, hour = draw(_field(0, 59)), draw(_field(0, 23))
    month = draw(st.just("*") | _field(1, 12, MONTHS))
    day, weekday = draw(
        st.just(("*", "*")) | st.tuples(_field(1, 31), st.just("*")) | st.tuples(st.just("*"), _field(0, 7, WEEKDAYS))
    )
    return f"{minute} {hour} {day} {month} {weekday}"


@st.composite
def _field(draw: st.DrawFn, lowest: int, highest: int, names: tuple[str, ...] = ()) -> str:
    parts = draw(st.lists(_part(lowest, highest, names), min_size=1, max_size=3))
    return "*" if any(part == "*" for part in parts) else ",".join(parts)


@st.composite
def _part(draw: st.DrawFn, lowest: int, highest: int, names: tuple[str, ...]) -> str:
    first = draw(st.integers(lowest, highest - 1))
    last = draw(st.integers(first + 1, highest))
    step = draw(st.integers(1, max(2, (highest - lowest) // 2)))
    named = names[first - lowest].lower() if draw(st.booleans()) and names else str(first)
    return draw(
        st.sampled_from(
            ("*", named, f"{named}-{last}", f"*/{step}", f"{named}-{last}/{step}", f"{named}/{step}", f"{first:02}")
        )
    )
