# SPDX-License-Identifier: Apache-2.0
"""An attestd of the build under test, on loopback, started and stopped by the test."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("ATTESTD_BUILD", "build/debug"))
SOURCE = os.path.abspath(os.environ.get("ATTESTD_SOURCE", "."))
SANITIZED = "asan" in BUILD or "tsan" in BUILD
os.environ.setdefault("LSAN_OPTIONS", "suppressions=" + os.path.join(SOURCE, "tests", "lsan.supp"))


class Attestd:
    """config: a dict merged over a minimal configuration. folder: kept across starts when given."""

    def __init__(self, config=None, arguments=(), folder=None, environment=None, limits=None):
        self.own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="attestd-test-")
        self.state = os.path.join(self.folder, "state")
        self.config = {
            "listen": [{"address": "127.0.0.1", "port": 0}],
            "state": {"directory": self.state},
            "plugins": {"directory": os.path.join(BUILD, "plugins"), "load": ["snp"]},
            "trust_anchors": {"directory": os.path.join(SOURCE, "trust-anchors")},
            "endorsements": {"offline": True},
        }
        self.config.update(config or {})
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.limits = limits
        self.process = None

    def start(self):
        path = os.path.join(self.folder, "attestd.yaml")
        with open(path, "w") as file:
            json.dump(self.config, file)  # JSON is YAML
        self.log_path = os.path.join(self.folder, "log")
        log = open(self.log_path, "w")
        program = os.environ.get("ATTESTD_PROGRAM", os.path.join(BUILD, "bin", "attestd"))
        self.process = subprocess.Popen(
            [program, "--config", path, *self.arguments],
            stderr=log,
            env={**os.environ, **self.environment},
            preexec_fn=self.limits,
        )
        log.close()
        self.began = time.monotonic()
        while time.monotonic() - self.began < 30:
            found = re.search(r'"message":"https?://[^"]*:(\d+)"', self.log())
            if found:
                self.port = int(found.group(1))
                if self.answers():
                    return self
            if self.process.poll() is not None:
                raise AssertionError(f"attestd ended with {self.process.returncode}: {self.log()}")
            time.sleep(0.005)
        raise AssertionError(f"attestd does not answer: {self.log()}")

    def answers(self):
        try:
            return self.request("GET", "/livez", timeout=5).status == 200
        except OSError:
            return False

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def tls(self):
        context = ssl.create_default_context(cafile=os.path.join(self.state, "tls", "certificate.pem"))
        return context

    def request(self, method, path, body=None, headers=None, timeout=10):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls())
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            answer.text = answer.read()
            return answer
        finally:
            connection.close()

    def json(self, method, path, value=None, headers=None):
        body = json.dumps(value) if value is not None else None
        answer = self.request(method, path, body, {"content-type": "application/json", **(headers or {})})
        return answer.status, json.loads(answer.text) if answer.text else None

    def operator(self, method, path, body=None, headers=None):
        """Through the unix socket. (status, headers, bytes)"""
        connection = http.client.HTTPConnection("attestd", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(os.path.join(self.state, "operator.sock"))
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def memory(self):
        """Resident anonymous memory, MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1)) // 1024

    def metric(self, name):
        text = self.request("GET", "/metrics").text.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found.group(1)) if found else 0.0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=20):
        """SIGTERM; the exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"attestd did not end after SIGTERM: {self.log()[-2000:]}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            code = self.stop()
            if code not in (0, -signal.SIGKILL):
                raise AssertionError(f"attestd ended with {code}: {self.log()[-3000:]}")
        finally:
            if self.own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)


def run(tests):
    """Runs functions whose names say what holds; exits 1 when one does not."""
    import sys
    import traceback

    failed = 0
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            note = test() or ""
            print(f"ok     {test.__name__} ({time.monotonic() - began:.1f} s) {note}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {test.__name__}", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)
