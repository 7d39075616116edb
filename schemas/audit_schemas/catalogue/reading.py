"""Reading the catalogue: the release's files, and what an operator lays over them in a file of his own.

    catalogue.toml, modules/*.toml ──┐
                                     ├─ merged key by key ──▶ Catalogue
    the operator's file ─────────────┘

A catalogue's version is the release's, times a thousand, and the revision of the operator's file: so
either of them makes it newer, and `audit reenrich` finds the rows that an earlier one has worded.
"""

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as Constraint

from audit_schemas.catalogue.model import Catalogue, contradictions
from audit_schemas.settings import Settings
from audit_schemas.toml_files import TomlFile

REVISIONS = 1000
"""So many revisions of an operator's file fit between two releases."""

_REMEDY = "check it with: audit schema check --catalogue FILE"
Document = dict[str, Any]


class CatalogueSettings(Settings):
    """Which catalogue is used, for whoever words events or shows titles."""

    catalogue: Annotated[Path | None, BeforeValidator(lambda it: None if it in ("", "none") else it)] = None
    """An operator's own file, or `none`; laid over the release's catalogue, and read once, at the start."""


class _Head(BaseModel):
    """What an operator's file says of itself."""

    model_config = ConfigDict(extra="ignore")

    revision: int = Constraint(ge=1, lt=REVISIONS)
    """To be raised with each change of the file."""


@cache
def catalogue(file: Path | None = None) -> Catalogue:
    """The catalogue that comes with Auditlane, under what an operator's file adds to it or says otherwise.

    Raises:
        Misconfigured: the file cannot be read, or naming file, line and key of each thing that is wrong.
    """
    return _release() if file is None else _extended(file)


def differences(file: Path) -> list[str]:
    """What an operator's file adds to the release's catalogue (+) and what it overrules (~), key by key."""
    before, after = (_leaves(_spelled_out(it)) for it in (release_document(), extended_document(file)))
    return [
        f"~ {path}: {before[path]!r} -> {value!r}" if path in before else f"+ {path}: {value!r}"
        for path, value in sorted(after.items())
        if before.get(path) != value and path != "version"
    ]


@cache
def first_catalogue() -> Catalogue:
    """Catalogue 1: its rules tell who decided the module of rows that do not say so themselves."""
    return Catalogue.model_validate(_packaged("earlier/1.toml"))


@cache
def release_document() -> Document:
    """The release's files as one document, with a `version`; not to be changed."""
    document = _packaged("catalogue.toml")
    document["version"] = document.pop("release") * REVISIONS
    targets = document["targets"] = {}
    for module in document["modules"]:
        for name, target in _packaged(f"modules/{module}.toml")["targets"].items():
            if name in targets:
                raise ValueError(f"the target type {name!r} stands in two modules' files")
            targets[name] = {"module": module, **target}
    return document


def extended_document(file: Path) -> Document:
    """The release's document under an operator's file; lists are replaced, but rules go before the release's.

    Raises:
        Misconfigured: see `catalogue`.
    """
    return _laid_over(TomlFile.read(file, _REMEDY))


def _laid_over(file: TomlFile) -> Document:
    own, revision = file.document, file.read_as(_Head).revision
    base = release_document()
    if "version" in own:
        raise file.wrong([(("version",), "unknown key: raise the `revision`")])
    given = {key: value for key, value in own.items() if key != "revision"}
    if isinstance(given.get("rules"), list):
        given["rules"] = [*given["rules"], *base["rules"]]
    return {**merged(_spelled_out(base), _spelled_out(given)), "version": base["version"] + revision}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Document:
    """Two documents as one: tables key by key, and of all else the second one's."""
    both = dict(base)
    for key, value in over.items():
        there = base.get(key)
        both[key] = merged(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return both


@cache
def _release() -> Catalogue:
    made = Catalogue.model_validate(release_document())
    if wrong := list(contradictions(made)):
        raise ValueError(str(wrong))
    return made


def _extended(file: Path) -> Catalogue:
    own = TomlFile.read(file, _REMEDY)
    made = replace(own, document=_laid_over(own)).read_as(Catalogue)
    if wrong := list(contradictions(made)):
        raise own.wrong(wrong)
    return made


def _packaged(name: str) -> Document:
    return tomllib.loads(files("audit_schemas.catalogue").joinpath(name).read_text("utf-8"))


def _leaves(document: Mapping[str, Any], path: str = "") -> Document:
    """A document's values by the path of their keys; a rule is one value, whatever its number."""
    leaves: Document = {}
    for key, value in document.items():
        if isinstance(value, dict):
            leaves |= _leaves(value, f"{path}{key}.")
        elif key == "rules":
            leaves |= {f"rule {rule}": rule["module"] for rule in value}
        else:
            leaves[path + key] = value
    return leaves


def _spelled_out(document: Mapping[str, Any]) -> Document:
    """A document in which each field is a table, so that two of them can be merged."""
    copy = deepcopy(dict(document))
    targets = copy.get("targets")
    for owner in (copy, *(targets.values() if isinstance(targets, dict) else ())):
        fields = owner.get("fields") if isinstance(owner, dict) else None
        if isinstance(fields, dict):
            fields.update({name: {"label": it} for name, it in fields.items() if isinstance(it, str)})
    return copy
