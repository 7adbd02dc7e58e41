"""The files that deploy the gateway name what there is: settings, routes, times. Helm renders where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import fields
from importlib.util import find_spec
from typing import Any

import pytest
import yaml

from quitbutton.observing.catalogue import METRICS, Kind
from quitbutton.settings.installation import Settings
from tests.conftest import ROOT

PACKAGING, CHART = ROOT / "packaging", ROOT / "packaging" / "helm" / "quitbutton"


def test_every_variable_that_they_set_is_a_setting() -> None:
    known = {f"QUITBUTTON_{one.name.upper()}" for one in fields(Settings)}
    files = [ROOT / "Dockerfile", ROOT / "compose.yaml", *(path for path in PACKAGING.rglob("*") if path.is_file())]
    for file in files:
        named = set(re.findall(r"QUITBUTTON_[A-Z_]+", file.read_text("utf-8")))
        assert named <= known, file


def test_times_to_stop_are_over_the_times_to_finish() -> None:
    unit = (PACKAGING / "systemd" / "quitbutton.service").read_text("utf-8")
    grace = int(re.findall(r"QUITBUTTON_SHUTDOWN_GRACE=(\d+)", unit)[0])
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) >= grace + 10
    gateway = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["gateway"]
    assert (
        int(gateway["stop_grace_period"].rstrip("s")) >= int(gateway["environment"]["QUITBUTTON_SHUTDOWN_GRACE"]) + 10
    )


def test_nginx_and_the_chart_keep_the_limits_of_the_gateway() -> None:
    settings = Settings()
    nginx = (PACKAGING / "nginx" / "nginx.conf").read_text("utf-8")
    assert re.findall(r"client_header_timeout (\d+)s", nginx) == [f"{settings.header_timeout:g}"]
    assert re.findall(r"send_timeout (\d+)s", nginx)[0] == f"{settings.write_timeout:g}"
    assert float(re.findall(r"client_body_timeout (\d+)s", nginx)[0]) <= settings.body_timeout
    number, size = map(int, re.findall(r"large_client_header_buffers (\d+) (\d+)k", nginx)[0])
    assert number * size * 1024 == settings.max_header_bytes
    limits = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["limits"]
    kept = (settings.header_timeout, settings.body_timeout, settings.write_timeout, settings.max_unknown_connections)
    assert (
        limits["headerTimeout"],
        limits["bodyTimeout"],
        limits["writeTimeout"],
        limits["unknownConnections"],
    ) == kept
    template = (CHART / "templates" / "deployment.yaml").read_text("utf-8")
    assert all(f".Values.limits.{name} " in template for name in limits)


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    text = (PACKAGING / "grafana" / "quitbutton.json").read_text("utf-8")
    suffixes = ("", "_bucket", "_sum", "_count")
    known = {one.name + suffix for one in METRICS for suffix in suffixes if not suffix or one.kind is Kind.HISTOGRAM}
    asks = [target["expr"] for one in json.loads(text)["panels"] for target in one["targets"]]
    asked = {name for ask in asks for name in re.findall(r"quitbutton_\w+", ask)}
    assert asked <= known
    assert len(asked) > 15


def test_the_version_of_the_chart_is_that_of_the_package() -> None:
    import quitbutton

    assert yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["appVersion"] == quitbutton.__version__


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit() -> None:
    unit = str(PACKAGING / "systemd" / "quitbutton.service")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert told == [], "the program is not installed here; nothing else may be wrong"


def rendered(**values: Any) -> dict[str, dict[str, Any]]:
    """The chart's objects by kind, by Helm's own engine, from `helm` or the package `helm-python-sdk`."""
    if shutil.which("helm"):
        file = CHART / "values.yaml"
        given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
        command = ["helm", "template", "qb", str(CHART), "-f", str(file), *given]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    elif find_spec("helm_python"):
        from helm_python import Chart, lint  # type: ignore[import-not-found]

        problems = [one for one in lint(str(CHART))["messages"] if one["severity"] not in ("info", "INFO", 1)]
        assert problems == []
        parts = Chart.load(str(CHART)).render(values, name="qb", namespace="chat")
        text = "\n---\n".join(part for name, part in parts.items() if name.endswith(".yaml"))
    else:
        pytest.skip("neither helm nor helm-python-sdk is installed")
    return {one["kind"]: one for one in yaml.safe_load_all(text) if one}


def test_the_chart_renders_with_its_defaults() -> None:
    found = rendered()
    assert set(found) == {"ConfigMap", "Deployment", "Service", "PodDisruptionBudget"}
    pod = found["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["terminationGracePeriodSeconds"] == 135
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness", "startup")}
    assert paths == {"liveness": "/livez", "readiness": "/readyz", "startup": "/livez"}
    assert container["envFrom"] == [{"secretRef": {"name": "quitbutton"}}]
    assert 'store = "postgresql://' in found["ConfigMap"]["data"]["quitbutton.toml"]
    wanted = found["Deployment"]["spec"]["selector"]["matchLabels"]
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert wanted.items() <= labels.items()
    assert found["Service"]["spec"]["selector"] == wanted


def test_the_chart_renders_with_everything_on_and_without_a_budget_for_one_pod() -> None:
    on = {"enabled": True}
    found = rendered(autoscaling=on, serviceMonitor=on, networkPolicy=on)
    assert {"HorizontalPodAutoscaler", "ServiceMonitor", "NetworkPolicy"} <= set(found)
    assert "replicas" not in found["Deployment"]["spec"]
    assert "PodDisruptionBudget" not in rendered(replicas=1)
