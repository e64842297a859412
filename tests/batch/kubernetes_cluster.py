"""As much of a Kubernetes API as Snakemake asks for, on this machine: it keeps the manifests, refuses what a cluster would
refuse, and runs each job's container as a process in an empty folder, as its pod would.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]


@dataclass
class Cluster:
    """What the API was given. `jobs`: manifests by name; `environment`: what a process needs to find the API."""

    folder: Path
    runs: bool
    jobs: dict[str, Manifest] = field(default_factory=dict)
    pods: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def create(self, manifest: Manifest) -> str:
        """Take a job, and run it if the cluster runs any; return why it is refused, "" if it is not."""
        name, (container,) = manifest["metadata"]["name"], manifest["spec"]["template"]["spec"]["containers"]
        if problem := refused(manifest):
            return problem
        self.jobs[name] = manifest
        if self.runs:
            folder = self.folder / name
            folder.mkdir()
            with (self.folder / f"{name}.log").open("wb") as log:
                path = f"{self.folder}:{Path(sys.executable).parent}:/usr/bin:/bin"
                own = {"PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1"}
                self.pods[name] = subprocess.Popen(
                    [*container["command"], *container["args"]], cwd=folder, env=own, stdout=log, stderr=log
                )
        return ""

    def status(self, name: str) -> Manifest:
        """Say how a job fares; where nothing runs, it is done at once."""
        code = self.pods[name].poll() if name in self.pods else 0
        if code is None:
            return {"active": 1}
        return {"failed": 1} if code else {"succeeded": 1}


def refused(manifest: Manifest) -> str:
    """Return why the API server would not take a job, "" if it would."""
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    requests, limits = (container["resources"].get(name) or {} for name in ("requests", "limits"))
    for name, amount in requests.items():
        if "/" in name and limits.get(name) != amount:  # devices cannot be overcommitted
            return f"Invalid value: {name}: Limit must be set for non overcommitable resources"
    volumes = {volume["name"] for volume in pod["volumes"]}
    for name in volumes:
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
            return f"Invalid value: {name}: a lowercase RFC 1123 label must consist of lower case letters"
    for mount in container["volumeMounts"]:
        if mount["name"] not in volumes:
            return f"Not found: volume {mount['name']}"
    return "" if container.get("image") else "Required value: image"


def _handler(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: Manifest, code: int = 200) -> None:
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            problem = cluster.create(body) if self.path.endswith("/jobs") else ""
            self.answer({"message": problem} if problem else body, 422 if problem else 201)

        def do_GET(self) -> None:
            if found := re.search(r"/jobs/([^/]+)/status", self.path):
                self.answer({"metadata": {"name": found[1]}, "status": cluster.status(found[1])})
            else:
                self.answer({"items": []})

        def do_DELETE(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.answer({})

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextlib.contextmanager
def kubernetes_cluster(folder: Path, runs: bool = False) -> Iterator[Cluster]:
    """Answer as a cluster does until the block ends.

    Args:
        folder: for the pods' folders and logs.
        runs: run the containers; otherwise each job is done as soon as it is taken.
    """
    cluster = Cluster(folder, runs)
    (folder / "pip").write_text("#!/bin/sh\necho as if installed: $@\n")  # of the image: the plugin is there already
    (folder / "pip").chmod(0o755)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    (folder / "kubeconfig").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "me", "user": {}}],
            }
        )
    )
    cluster.environment = os.environ | {"KUBECONFIG": str(folder / "kubeconfig"), "NO_PROXY": "127.0.0.1"}
    try:
        yield cluster
    finally:
        server.shutdown()
        for pod in cluster.pods.values():
            pod.kill()
            pod.wait()
