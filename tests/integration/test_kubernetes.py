"""The Kubernetes manifests without a cluster: Kubernetes' own schemas, and the lab's own command line, read them."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import kubernetes_validate
import pytest
import typer.main
import yaml

import cli
from lab import catalogue, targets
from lab.model import crew
from lab.settings import VARIABLES
from tests.containers import DOCKER, sh, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = DOCKER / "kubernetes"
RUN: Final = ("config.yaml", "runs.yaml", "master.yaml", "workers.yaml")
ASIDE: Final = ("fetch.yaml",)
VERSIONS: Final = [f"1.{minor}" for minor in range(29, 38)]
"""From the first in which a worker of an indexed job may fail alone, to the newest that there are schemas of."""
DOCUMENT: Final = (DOCKER.parent / "docs/kubernetes.md").read_text(encoding="utf-8")
COMMANDS: Final[dict[str, Any]] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of a manifest: whose it is, its labels, and its specification."""

    owner: str
    labels: dict[str, str]
    spec: dict[str, Any]

    def containers(self) -> list[dict[str, Any]]:
        """Give all its containers, in the order in which they run."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def resources(*files: str) -> list[Resource]:
    """Read what these files describe."""
    return [found for name in files for found in yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))]


def resource(kind: str, name: str) -> Resource:
    """Give one of the run's resources."""
    (found,) = (one for one in resources(*RUN) if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


def pods() -> list[Pod]:
    """Give every pod that the manifests make."""
    made = [
        one["spec"]["template"] | {"owner": one["metadata"]["name"]} for one in resources(*RUN) if one["kind"] == "Job"
    ]
    made += [one | {"owner": one["metadata"]["name"]} for one in resources(*ASIDE)]
    return [Pod(one["owner"], one["metadata"]["labels"], one["spec"]) for one in made]


def pod(owner: str) -> Pod:
    """Give the pod of this owner."""
    (found,) = (one for one in pods() if one.owner == owner)
    return found


MASTER: Final = "airbourne-master"
WORKERS: Final = "airbourne-workers"
CONFIG: Final[dict[str, str]] = resource("ConfigMap", "airbourne-config")["data"]


def containers() -> Iterator[tuple[Pod, dict[str, Any]]]:
    """Give every container, with its pod."""
    for one in pods():
        for container in one.containers():
            yield one, container


def options(container: dict[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    """Give the command and the options that the lab reads when a container starts, its variables put in place."""
    known = {given["name"]: CONFIG[given["valueFrom"]["configMapKeyRef"]["key"]] for given in from_config(container)}
    words = [re.sub(r"\$\((\w+)\)", lambda found: known[found[1]], word) for word in container["args"]]
    stand_in(folder, "airbourne-lab")
    done = sh("lab.sh", *words, env={"PATH": f"{folder}:{os.environ['PATH']}"})
    name, *told = done.stdout.splitlines()
    command = COMMANDS[name]
    return name, command.make_context(name, list(told)).params


def from_config(container: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the variables of a container that are taken from the ConfigMap."""
    return [given for given in container.get("env", []) if "configMapKeyRef" in given.get("valueFrom", {})]


@pytest.fixture
def seeded(tmp_path: Path) -> dict[str, Any]:
    """Give the options of the container that fills the platform."""
    name, found = options(pod(MASTER).spec["initContainers"][0], tmp_path)
    assert name == "seed"
    return found


@pytest.fixture
def led(tmp_path: Path) -> dict[str, Any]:
    """Give the options of the master."""
    name, found = options(pod(MASTER).spec["containers"][0], tmp_path)
    assert name == "run"
    return found


@pytest.fixture
def worked(tmp_path: Path) -> dict[str, Any]:
    """Give the options of a worker."""
    name, found = options(pod(WORKERS).spec["containers"][0], tmp_path)
    assert name == "worker"
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_understands_every_manifest(version: str) -> None:
    """Each resource has the fields of Kubernetes' own schema and no others, in every version from the oldest on."""
    assert f"{VERSIONS[0]} or newer" in DOCUMENT
    for found in resources(*RUN, *ASIDE):
        assert kubernetes_validate.validate(found, version, strict=True) == version


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("spec", "paralelism"), 2),
        (("spec", "template", "spec", "containers", 0, "resources", "limit"), {"cpu": "1"}),
        (("spec", "completionMode"), 1),
    ],
)
def test_a_mistake_in_a_manifest_would_be_found(place: tuple[str | int, ...], value: object) -> None:
    """The schemas that ship with the tests refuse a mistyped field, at the top and far below, and a wrong type."""
    wrong = resource("Job", WORKERS)
    *way, last = place
    inner: Any = wrong
    for step in way:
        inner = inner[step]
    inner[last] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_kustomize_takes_what_belongs_to_a_run() -> None:
    """`kubectl apply -k` takes every manifest of a run, each from a file that is there, and none that is left over."""
    (found,) = resources("kustomization.yaml")
    assert (found["apiVersion"], found["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    assert found["resources"] == list(RUN)
    assert {path.name for path in FOLDER.iterdir()} == {"kustomization.yaml", *RUN, *ASIDE}
    assert not [one for one in resources(*RUN, *ASIDE) if "namespace" in one["metadata"]]


def test_the_master_waits_for_as_many_workers_as_are_started(led: dict[str, Any]) -> None:
    """--expect-workers, and how many pods the job of the workers runs at once and in all, are one number."""
    job = resource("Job", WORKERS)["spec"]
    assert led["master"]
    assert led["expect_workers"] == job["parallelism"] == job["completions"]


def test_workers_find_the_master(led: dict[str, Any], worked: dict[str, Any]) -> None:
    """They call the Service by its name and port, which leads to the master's pod, and there to the master's port."""
    service = resource("Service", MASTER)["spec"]
    (port,) = service["ports"]
    assert crew.address(worked["master"]) == (MASTER, port["port"])
    (opened,) = pod(MASTER).spec["containers"][0]["ports"]
    assert port["targetPort"] == opened["name"]
    assert opened["containerPort"] == led["master_port"]
    assert [one.owner for one in pods() if service["selector"].items() <= one.labels.items()] == [MASTER]


def test_the_master_may_listen_to_them(led: dict[str, Any]) -> None:
    """It binds to the pod's address, which the lab allows with a key only, and waits less long than they do."""
    asked = crew.planned(
        master=led["master"],
        expect=led["expect_workers"],
        timeout=led["expect_timeout"],
        bind=led["bind"],
        key="k" * 12,
    )
    assert asked.size == led["expect_workers"]
    assert not crew.is_loopback(led["bind"])


def test_workers_wait_longer_than_the_master(led: dict[str, Any], worked: dict[str, Any]) -> None:
    """Whoever came early is still there when the platform is filled and the last worker has come."""
    assert worked["wait"] > led["expect_timeout"]


def test_the_platform_gets_what_the_scenario_needs(seeded: dict[str, Any], led: dict[str, Any]) -> None:
    """The scenario is one that ships, and the seeded flights and users are enough for it."""
    scenario = catalogue.load(led["scenario"], cli.SCENARIOS)
    assert seeded["flights"] >= scenario.data.flights
    assert seeded["users"] >= scenario.data.users
    assert led["label"] == CONFIG["LABEL"]


def test_both_go_to_the_target_of_the_configuration(
    seeded: dict[str, Any], led: dict[str, Any], tmp_path: Path
) -> None:
    """Seeder and master read the mounted file, the lab understands it, and it names all five services."""
    place = Path(led["target"])
    assert seeded["target"] == str(place)
    for container in pod(MASTER).containers():
        assert mounts(pod(MASTER), container)[str(place.parent)] == {"configMap": {"name": "airbourne-config"}}
    (tmp_path / place.name).write_text(CONFIG[place.name], encoding="utf-8")
    found = targets.load(str(tmp_path / place.name), tmp_path, {})
    assert found.hosts() == {"gateway", "auth", "flights", "booking", "reminder"}


def mounts(owner: Pod, container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give what a container has mounted, by its place: the volume without its name."""
    volumes = {
        one["name"]: {key: value for key, value in one.items() if key != "name"} for one in owner.spec["volumes"]
    }
    return {one["mountPath"]: volumes[one["name"]] for one in container["volumeMounts"]}


def test_runs_outlive_their_job(led: dict[str, Any]) -> None:
    """The master writes to the claimed volume, and the pod that runs are fetched from reads the same one."""
    claim = resource("PersistentVolumeClaim", "airbourne-runs")["metadata"]["name"]
    place = str(Path("/lab") / led["out"])
    (master,) = pod(MASTER).spec["containers"]
    (fetch,) = pod("airbourne-fetch").containers()
    assert mounts(pod(MASTER), master)[place] == {"persistentVolumeClaim": {"claimName": claim}}
    assert mounts(pod("airbourne-fetch"), fetch)[place]["persistentVolumeClaim"]["claimName"] == claim
    assert f"kubectl cp airbourne-fetch:{place} runs" in DOCUMENT


def test_what_is_written_is_on_a_volume() -> None:
    """The image's file system is read-only: temporary files and, where data is kept, the lab's folder are volumes."""
    for owner, container in containers():
        places = mounts(owner, container)
        assert "command" in container or "/tmp" in places, container["name"]  # noqa: S108 - in the container
        assert (str(Path("/lab") / cli.ROOT) in places) == (owner.owner == MASTER), container["name"]


def test_no_job_is_made_again_by_itself() -> None:
    """A run is not repeated behind anybody's back, and one worker that fails leaves the others at work."""
    master, workers = (resource("Job", name)["spec"] for name in (MASTER, WORKERS))
    assert master["backoffLimit"] == workers["backoffLimitPerIndex"] == 0
    assert "backoffLimit" not in workers
    assert workers["completionMode"] == "Indexed"
    assert {one.spec["restartPolicy"] for one in pods()} == {"Never"}


def test_no_secret_stands_in_a_manifest() -> None:
    """The workers' key comes from a secret that the document makes beforehand; nothing else is one."""
    assert "Secret" not in {one["kind"] for one in resources(*RUN, *ASIDE)}
    key = {"secretKeyRef": {"name": "airbourne-worker-key", "key": crew.KEY_VARIABLE}}
    holders = defaultdict(list)
    for owner, container in containers():
        for given in container.get("env", []):
            assert "value" not in given, given
            holders[given["name"]].append((owner.owner, given["valueFrom"]))
    assert holders.pop(crew.KEY_VARIABLE) == [(MASTER, key), (WORKERS, key)]
    assert set(holders) <= set(CONFIG)
    assert not [name for name in CONFIG if re.search("key|token|passw|secret", name, re.IGNORECASE)]
    assert "@" not in CONFIG["target.toml"]
    made = re.findall(r"kubectl create secret generic (\S+) --from-literal=(\w+)=\"\$\(openssl", DOCUMENT)
    assert made == [("airbourne-worker-key", crew.KEY_VARIABLE)]


def test_metrics_go_to_influxdb_where_a_secret_says_so() -> None:
    """The master alone takes a secret that need not be there; the document makes it of variables that the lab has."""
    given = {(owner.owner, container["name"]): container.get("envFrom") for owner, container in containers()}
    secret = {"secretRef": {"name": "airbourne-influxdb", "optional": True}}
    assert {who: what for who, what in given.items() if what} == {(MASTER, "master"): [secret]}
    line = re.search(r"kubectl create secret generic airbourne-influxdb ((?:.*\\\n)*.*)", DOCUMENT)
    assert line
    assert set(re.findall(r"--from-literal=(\w+)=", line[1])) <= set(VARIABLES.values())


def test_no_pod_may_do_more_than_it_must() -> None:
    """No root, no way to it, no capability, no writing to the image, no account of the cluster, none of its names."""
    for owner, container in containers():
        spec = owner.spec
        assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False, owner.owner
        assert spec["securityContext"]["runAsNonRoot"] is True, owner.owner
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, owner.owner
        assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & set(spec), owner.owner
        assert not [one for one in spec["volumes"] if "hostPath" in one], owner.owner
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, container["name"]


def test_pods_run_as_the_images_own_user() -> None:
    """User and group are those that the image is made for, and the volumes are that group's."""
    dockerfile = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    ((user, group),) = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    for one in pods():
        security = one.spec["securityContext"]
        assert (security["runAsUser"], security["runAsGroup"]) == (int(user), int(group)), one.owner
        assert one.owner == WORKERS or security["fsGroup"] == int(group), one.owner


def test_every_container_is_the_image_of_the_compose_file() -> None:
    """The manifests run what docker/Dockerfile makes, by the name that the compose file gives it."""
    composed = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    (image,) = set(re.findall(r"image: (airbourne-lab:\S+)", composed))
    assert {container["image"] for _, container in containers()} == {image}


def test_every_container_says_what_it_needs() -> None:
    """Each asks for CPU and memory and has a limit of both; a worker asks for the core that it fills."""
    for _, container in containers():
        asked, limit = (container["resources"][name] for name in ("requests", "limits"))
        assert set(asked) == set(limit) == {"cpu", "memory"}, container["name"]
    (worker,) = pod(WORKERS).spec["containers"]
    assert worker["resources"]["requests"]["cpu"] == "1"
