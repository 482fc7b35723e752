#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What callers see of a vendor: nginx stands in for AMD's KDS, under its paths, with the simulator's certificates."""
import concurrent.futures
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from attestd_process import Attestd, run  # noqa: E402
from guest import Guest, policy  # noqa: E402

ROOM = tempfile.mkdtemp(prefix="attestd-vendor-")
os.chmod(ROOM, 0o755)
GUEST = Guest(ROOM)


class Kds:
    """nginx over the simulator's folder. extra: lines for the server block."""

    def __init__(self, extra=""):
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.folder = tempfile.mkdtemp(prefix="nginx-", dir=ROOM)
        self.extra = extra

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, extra=None):
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w") as file:
            file.write(f"""daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log; worker_processes 1; user root;
events {{}}
http {{
  access_log {self.folder}/access.log; default_type application/octet-stream;
  client_body_temp_path {self.folder}/1; proxy_temp_path {self.folder}/2; fastcgi_temp_path {self.folder}/3; uwsgi_temp_path {self.folder}/4;
  scgi_temp_path {self.folder}/5;
  server {{ listen 127.0.0.1:{self.port}; root {ROOM}/kds; {self.extra if extra is None else extra} }}
}}
""")
        self.process = subprocess.Popen(["nginx", "-c", config, "-e", os.path.join(self.folder, "error.log")], stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("nginx does not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def requests(self, what="/vcek/v1/Genoa/"):
        """Requests for certificates of chips."""
        with open(os.path.join(self.folder, "access.log")) as file:
            paths = [line.split('"')[1].split()[1] for line in file if line.count('"') > 2]
        return [p for p in paths if p.startswith(what) and "cert_chain" not in p and "crl" not in p]


def server(kds, config=None, folder=None):
    folder = folder or tempfile.mkdtemp(prefix="server-", dir=ROOM)
    directory = os.path.join(folder, "policies")
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "test.yaml"), "w") as file:
        file.write(policy(GUEST, revocation="strict"))
    whole = {
        "policy": {"directory": directory},
        "endorsements": {"vendors": [{"vendor": "amd-kds", "url": f"http://127.0.0.1:{kds.port}"}], "unseen_per_minute": 1000,
                         "requests_per_second": 1000, **(config or {})},
        "development": {"anchors": [{"purpose": "snp/Genoa", "file": os.path.join(ROOM, "ark.pem")}]},
    }
    return Attestd(whole, ["--development"], folder=folder)


def submit(s, request, address="127.0.0.1"):
    """(status, body, Retry-After, seconds)"""
    began = time.monotonic()
    connection = http.client.HTTPSConnection("127.0.0.1", s.port, timeout=20, context=s.tls(), source_address=(address, 0))
    try:
        connection.request("POST", "/verify", json.dumps(request), {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers["retry-after"], time.monotonic() - began
    finally:
        connection.close()


def fresh(s, chip=0):
    return GUEST.request(s.json("POST", "/challenge")[1], f"chip={chip}")


def sixty_four_requests_for_an_unseen_chip_ask_the_vendor_once():
    with Kds() as kds, server(kds) as s:
        requests = [fresh(s, 1) for _ in range(64)]
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda r: submit(s, r), requests))
        assert [a[0] for a in answers] == [200] * 64, [a[1].get("code") for a in answers if a[0] != 200]
        assert all(a[1]["verdict"] == "affirming" for a in answers), answers[0][1]
        assert len(kds.requests()) == 1, kds.requests()


def warm_chips_outlive_the_vendor_and_unseen_ones_wait_for_it():
    with Kds() as kds, server(kds) as s:
        assert submit(s, fresh(s, 1))[0] == 200
        kds.stop()
        status, answer, _, _ = submit(s, fresh(s, 1))
        assert status == 200 and answer["verdict"] == "affirming", answer
        unseen = fresh(s, 2)
        status, problem, retry_after, took = submit(s, unseen)
        assert status == 424 and problem["code"] == "ENDORSEMENT_UNOBTAINABLE" and int(retry_after) > 0, problem
        assert took < 5.5, f"{took:.1f} s"
        # over a restart too: the cache is on disk
        s.stop()
        s.start()
        status, answer, _, _ = submit(s, fresh(s, 1))
        sources = {e["kind"]: e["source"] for e in answer["endorsements"]}
        assert status == 200 and sources["snp.vcek"] == "cache", (status, answer)
        before = len(kds.requests())
        kds.start()
        unseen, ended = fresh(s, 2), None
        for _ in range(80):
            ended = submit(s, unseen)
            if ended[0] == 200:
                break
            time.sleep(0.5)
        assert ended[0] == 200 and ended[1]["verdict"] == "affirming", ended
        assert len(kds.requests()) - before == 1, kds.requests()


def answers_that_are_not_the_certificate_store_nothing():
    chip = 'location ~ "^/vcek/v1/Genoa/[0-9a-f]{128}" '
    good = [os.path.join(ROOM, "kds", "vcek", "v1", "Genoa", f) for f in sorted(os.listdir(os.path.join(ROOM, "kds", "vcek", "v1", "Genoa")))]
    certificate = next(f for f in good if len(os.path.basename(f)) == 128)
    os.makedirs(os.path.join(ROOM, "kds", "bad"), exist_ok=True)
    with open(certificate, "rb") as file:
        whole = file.read()
    with open(os.path.join(ROOM, "kds", "bad", "cut"), "wb") as file:
        file.write(whole[:700])
    shutil.copy(certificate, os.path.join(ROOM, "kds", "bad", "another"))
    faults = {
        "429": chip + "{ return 429; }",
        "500": chip + "{ return 500; }",
        "html": chip + '{ default_type text/html; return 200 "<html>maintenance</html>"; }',
        "truncated": chip + "{ rewrite ^ /bad/cut last; }",
        "another chip's": chip + "{ rewrite ^ /bad/another last; }",
        "elsewhere": chip + "{ return 302 http://127.0.0.1:9/; }",
    }
    for name, extra in faults.items():
        with Kds(extra) as kds, server(kds) as s:
            chip_number = 5 if not certificate.endswith("05") else 6
            status, problem, retry_after, took = submit(s, fresh(s, chip_number))
            assert status == 424 and int(retry_after) > 0 and took < 5.5, (name, status, problem, took)
            stored = json.loads(s.operator("GET", "/v1/endorsements")[2])["endorsements"]
            assert not any(e["kind"] == "snp.vcek" for e in stored), (name, stored)


def a_strangers_flood_of_chips_does_not_stop_a_known_caller():
    with Kds() as kds, server(kds, {"unseen_per_minute": 4}) as s:
        statuses = [submit(s, fresh(s, chip), "127.0.0.2")[0] for chip in range(1, 13)]
        served = statuses.count(200)
        assert 1 <= served <= 4 and statuses == [200] * served + [424] * (12 - served), statuses
        assert len(kds.requests()) == served, kds.requests()
        status, answer, _, took = submit(s, fresh(s, 20), "127.0.0.3")
        assert status == 200 and answer["verdict"] == "affirming" and took < 2, (status, took)
        # what the stranger had us fetch serves everybody
        assert submit(s, fresh(s, 1), "127.0.0.3")[0] == 200 and len(kds.requests()) == served + 1


def stopping_while_a_vendor_is_silent_ends_in_time():
    """The vendor takes the connection and says nothing."""
    silent = socket.create_server(("127.0.0.1", 0))

    class Silent:
        port = silent.getsockname()[1]

    with server(Silent) as s:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(submit, s, fresh(s, i)) for i in range(1, 5)]
            time.sleep(0.5)
            assert s.metric("attestd_verifications_open") == 4
            assert s.request("GET", "/livez").status == 200
            began = time.monotonic()
            s.process.terminate()
            answers = [w.result() for w in waiting]
            assert [a[0] for a in answers] == [424] * 4 and max(a[3] for a in answers) < 5.5, answers
            assert s.stop() == 0
            return f"ended {time.monotonic() - began:.1f} s after the signal, answers within {max(a[3] for a in answers):.1f} s"
    silent.close()


if not shutil.which("nginx"):
    print("*** nginx is not installed: the vendor's stand-in cannot run, and what callers see of a vendor is NOT tested")
    GUEST.close()
    sys.exit(0)
try:
    run([
        sixty_four_requests_for_an_unseen_chip_ask_the_vendor_once,
        warm_chips_outlive_the_vendor_and_unseen_ones_wait_for_it,
        answers_that_are_not_the_certificate_store_nothing,
        a_strangers_flood_of_chips_does_not_stop_a_known_caller,
        stopping_while_a_vendor_is_silent_ends_in_time,
    ])
finally:
    GUEST.close()
    shutil.rmtree(ROOM, ignore_errors=True)
