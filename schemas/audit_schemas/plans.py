"""Which of the logs an account has by its plan, as data: the file `plans.toml`, or an operator's own."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit_schemas.toml_files import TomlFile
from audit_schemas.types import Key


class Log(StrEnum):
    """What is sold: three logs that are read in different ways."""

    BASIC = "basic"
    """Sign-ins."""
    ADVANCED = "advanced"
    """All modules."""
    CONTACT = "contact"
    """Each contact's activity."""


class Plans(BaseModel):
    """The plans, and which of them has which log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plans: tuple[Key, ...] = Field(min_length=1)
    logs: Mapping[Log, Literal["all"] | tuple[Key, ...]]

    @model_validator(mode="after")
    def _names_agree(self) -> "Plans":
        if missing := set(Log) - self.logs.keys():
            raise ValueError(f"logs: {', '.join(sorted(missing))} is missing")
        known = {_folded(plan) for plan in self.plans}
        for log, sold_with in self.logs.items():
            for plan in () if sold_with == "all" else sold_with:
                if _folded(plan) not in known:
                    raise ValueError(f"logs.{log}: {plan!r} is not among the plans")
        return self

    def knows(self, plan: str) -> bool:
        """Whether this is one of the plans."""
        return _folded(plan) in map(_folded, self.plans)

    def has(self, plan: str, log: Log) -> bool:
        """Whether an account with this plan has a log.

        A plan that is not known has the basic log. An account without a plan has all: whoever names
        none sells none.
        """
        if not plan:
            return True
        if not self.knows(plan):
            return log is Log.BASIC
        return _folded(plan) in map(_folded, self.with_log(log))

    def with_log(self, log: Log) -> tuple[str, ...]:
        """The plans that have a log."""
        sold_with = self.logs[log]
        return self.plans if sold_with == "all" else sold_with


def _folded(plan: str) -> str:
    return " ".join(plan.casefold().split())


@cache
def read_plans(path: Path | None = None) -> Plans:
    """The plans of an operator's file, or those that come with Auditlane.

    Raises:
        Misconfigured: the file cannot be read, or is none of plans; names file, line and key.
    """
    if path is None:
        return Plans.model_validate(
            tomllib.loads(files("audit_schemas").joinpath("plans.toml").read_text("utf-8"))
        )
    return TomlFile.read(path, "mend the file, or unset AUDIT_PLANS").read_as(Plans)
