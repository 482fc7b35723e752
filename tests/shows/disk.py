#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is really full: the state lies on a small file system in memory, mounted in a name space of the test's own."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SIZE = 4 << 20


def in_own_mounts(arguments):
    """Starts this script again where it may mount; the mounts end with it."""
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        command = ["unshare", *options, "--propagation", "private"]
        probe = command + ["mount", "-t", "tmpfs", "none", "/mnt"]
        if shutil.which("unshare") and subprocess.run(probe, capture_output=True).returncode == 0:
            os.execvp(command[0], [*command, sys.executable, *arguments, "--mounted"])
    print("*** NOT TESTED: a full disk; this machine lets nobody mount a file system (server.verify does it with a limit on file sizes)")
    sys.exit(0)


if "--mounted" not in sys.argv:
    in_own_mounts(sys.argv)
sys.argv.remove("--mounted")

from stage import GUEST, ROOM, affirmed, fresh, policy, run_all, server, until, verify, write  # noqa: E402


def disk():
    folder = tempfile.mkdtemp(prefix="disk-", dir=ROOM)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "none", folder], check=True)
    return folder


def fill(folder):
    with open(os.path.join(folder, "ballast"), "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def full_disk_gives_no_verdict_loses_no_policy_and_the_next_start_is_clean():
    folder = disk()
    config = {"state": {"directory": os.path.join(folder, "state")}, "operators": {"socket": ""}}
    s = server(config)
    s.state = config["state"]["directory"]
    path = os.path.join(s.policies, "test.yaml")
    with s:
        write(path, policy(GUEST, version=2))
        until("version 2", lambda: affirmed(s)["policy"]["version"] == 2)
        fill(folder)
        statuses, spent = [], []
        for _ in range(3000):
            request = fresh(s)
            status, answer = verify(s, request)
            statuses.append(status)
            if status == 503:
                assert answer["code"] == "AUDIT_UNAVAILABLE", answer
                break
            spent.append((request, answer["id"]))
        assert statuses[-1] == 503 and set(statuses) <= {200, 503}, statuses[-5:]
        assert s.request("GET", "/livez").status == 200
        status, ready = s.json("GET", "/readyz")
        assert status == 503 and ready["ready"] is False, ready
        # a policy that cannot be written down serves, or is reported: nothing falls over
        write(path, policy(GUEST, version=3))
        until("version 3 is looked at", lambda: s.log().count("policies_in_force") + s.log().count("policy_refused") >= 3)
        assert verify(s, fresh(s))[0] == 503
        s.kill()
        # with the disk still full: it starts, or ends with a line that says why
        try:
            s.start()
            assert verify(s, fresh(s))[0] in (200, 503)
            s.kill()
        except AssertionError as refused:
            assert s.process.returncode is not None and s.process.returncode > 0, refused
        os.unlink(os.path.join(folder, "ballast"))
        os.rename(s.policies, s.policies + "-lost")
        os.mkdir(s.policies)
        s.start()
        kept = affirmed(s)["policy"]["version"]
        assert kept in (2, 3), f"version {kept} came back"
        for request, _ in spent[-8:]:
            status, problem = verify(s, request)
            assert status == 400 and problem["code"] == "CHALLENGE_FOREIGN", (status, problem)
        with open(os.path.join(s.state, "audit.jsonl")) as file:
            ids = [json.loads(line)["id"] for line in file]
        assert len(ids) == len(set(ids)) and {id for _, id in spent} <= set(ids), "an answer without its audit line"
        return f"{len(spent)} verdicts on the last page, then 503; version {kept} came back"


run_all(globals())
