"""The kinds of columns the tables are made of: each call makes a fresh one."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, String, Text


class Moment(String):
    """Text in UTC with milliseconds: `2026-01-02T03:04:05.678Z`."""


def key(name: str) -> "Column[str]":
    """A part of the primary key."""
    return Column(name, String, primary_key=True)


def string(name: str) -> "Column[str]":
    return Column(name, String, nullable=False)


def optional(name: str) -> "Column[str | None]":
    return Column(name, String, nullable=True)


def time(name: str) -> "Column[str]":
    return Column(name, Moment, nullable=False)


def optional_time(name: str) -> "Column[str | None]":
    return Column(name, Moment, nullable=True)


def text(name: str) -> "Column[str]":
    """Prose or JSON of any length; empty when there is none."""
    return Column(name, Text, nullable=False)


def optional_text(name: str) -> "Column[str | None]":
    return Column(name, Text, nullable=True)


def flag(name: str) -> "Column[bool]":
    return Column(name, Boolean(create_constraint=False), nullable=False)


def number(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False)


def optional_seconds(name: str) -> "Column[float | None]":
    return Column(name, Double, nullable=True)


def optional_number(name: str) -> "Column[int | None]":
    return Column(name, BigInteger, nullable=True)


def position(name: str = "position", **options: Any) -> "Column[int]":
    """A position in the event log."""
    return Column(name, BigInteger, nullable=False, **options)


def version(name: str = "version") -> "Column[int]":
    """The version of the stream that the row was last made of; 0 when no event of that stream has been seen."""
    return Column(name, Integer, nullable=False)
