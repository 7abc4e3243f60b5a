"""Metrics as Prometheus reads them: the numbers of all processes of the host, merged."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from wardgate import __version__
from wardgate.telemetry.cells import Page
from wardgate.telemetry.metrics import BUILD, METRICS, Metric, split

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's text format."""

Series = Mapping[tuple[str, ...], list[float]]


def merged(page: Page) -> dict[str, dict[tuple[str, ...], list[float]]]:
    """The numbers of every metric by its labels' values: sums over all processes."""
    found: dict[str, dict[tuple[str, ...], list[float]]] = {metric.name: {} for metric in METRICS}
    for number in range(page.parts):
        for group, numbers in page.part(number).read():
            name, labels = split(group)
            before = found[name].get(labels)
            found[name][labels] = numbers if before is None else [a + b for a, b in zip(before, numbers, strict=True)]
    for metric in METRICS:
        if not metric.labels:
            found[metric.name].setdefault((), [0.0] * metric.numbers)
    found[BUILD.name] = {(__version__, platform.python_version()): [1.0]}
    return found


def exposition(page: Page) -> bytes:
    """All metrics of the host, in Prometheus's text format."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415  # only who is asked for metrics needs it
    from prometheus_client.exposition import generate_latest  # noqa: PLC0415
    from prometheus_client.registry import Collector  # noqa: PLC0415

    class Merged(Collector):
        def collect(self) -> Iterator[Family]:
            found = merged(page)
            return (_family(metric, found[metric.name]) for metric in METRICS)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Merged())
    return generate_latest(registry)


def _family(metric: Metric, series: Series) -> Family:
    from prometheus_client import core  # noqa: PLC0415

    if metric.kind == "histogram":
        histogram = core.HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, numbers in sorted(series.items()):
            histogram.add_metric(labels, _cumulated(metric.bounds, numbers), sum_value=numbers[-1])
        return histogram
    kind = core.CounterMetricFamily if metric.kind == "counter" else core.GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, numbers in sorted(series.items()):
        family.add_metric(labels, numbers[0])
    return family


def _cumulated(bounds: tuple[float, ...], numbers: list[float]) -> list[tuple[str, float]]:
    buckets, total = [], 0.0
    for bound, count in zip([*map(str, bounds), "+Inf"], numbers, strict=False):
        total += count
        buckets.append((bound, total))
    return buckets
