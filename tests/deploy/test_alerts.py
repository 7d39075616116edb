"""The alerts ask for metrics that exist, and each has its section in the runbook."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from metric_catalogue import CATALOGUE

from audit_schemas import metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = yaml.safe_load((DEPLOY / "alerts" / "auditlane.rules.yml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
HEADINGS = re.findall(r"^## (.+)$", (DEPLOY / "RUNBOOK.md").read_text(), re.MULTILINE)
LABELS = {series: {*entry.labels, "le"} for entry in CATALOGUE for series in entry.series}
DURATION = re.compile(r"\d+[smh]")
REFERENCE = re.compile(r"\$labels\.(\w+)")


def selectors(node: Any) -> Iterator[Any]:
    """Every selector of a metric in an expression."""
    if isinstance(node, promql.VectorSelector):
        yield node
    if isinstance(node, promql.MatrixSelector):
        yield node.vector_selector
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "args")]
    for part in parts:
        for inner in part if isinstance(part, list) else [part]:
            if isinstance(inner, promql.Expr):
                yield from selectors(inner)


def kept_labels(expression: str) -> set[str]:
    """The labels by which an expression aggregates: what its alert carries."""
    named = re.findall(r"by \(([^)]*)\)", expression)
    return {label.strip() for labels in named for label in labels.split(",")}


def used(alert: str) -> set[str]:
    return {selector.name for selector in selectors(promql.parse(ALERTS[alert]["expr"]))}


def test_an_unknown_metric_would_be_found() -> None:
    tricky = "a > 1 or b unless on () absent(c) and deriv(sum(d)[5m:1m]) > rate(e[5m]) + max by (x) (f)"
    assert {selector.name for selector in selectors(promql.parse(tricky))} == set("abcdef")


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_asks_for_metrics_and_labels_of_the_catalogue(alert: str) -> None:
    expression = ALERTS[alert]["expr"]
    assert used(alert) <= LABELS.keys()
    known = set.union(*(LABELS[name] for name in used(alert)))
    for selector in selectors(promql.parse(expression)):
        assert {matcher.name for matcher in selector.matchers.matchers} <= LABELS[selector.name]
    assert kept_labels(expression) <= known
    texts = " ".join(ALERTS[alert]["annotations"].values())
    assert set(REFERENCE.findall(texts)) <= kept_labels(expression)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_of_prometheus_form_and_leads_to_its_section(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert DURATION.fullmatch(rule.get("for", "0s"))
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"deploy/RUNBOOK.md#{alert.lower()}"


def test_every_alert_has_one_section_and_every_section_of_that_kind_an_alert() -> None:
    assert [heading for heading in HEADINGS if heading.startswith("Audit")] == list(ALERTS)


def test_every_metric_that_is_to_be_watched_has_an_alert_and_no_other() -> None:
    asked = set.union(*(used(alert) for alert in ALERTS))
    watched = {entry.name for entry in CATALOGUE if getattr(metrics, entry.constant) in metrics.ALERTED}
    assert {entry.name for entry in CATALOGUE if entry.series & asked} == watched
