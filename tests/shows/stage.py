# SPDX-License-Identifier: Apache-2.0
"""A simulated guest and an attestd with a policy for it: what the scripts of this folder play on."""
import atexit
import json
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "server"))
from attestd_process import BUILD, SOURCE, Attestd, run  # noqa: E402,F401
from guest import Guest, policy  # noqa: E402

ROOM = tempfile.mkdtemp(prefix="attestd-shows-")
os.chmod(ROOM, 0o755)
GUEST = Guest(ROOM)


def clear():
    GUEST.close()
    shutil.rmtree(ROOM, ignore_errors=True)


atexit.register(clear)


def write(path, text):
    """As an editor that is careful: whole or not at all."""
    with open(path + "~", "w") as file:
        file.write(text)
    os.rename(path + "~", path)


def server(config=None, policies=None, folder=None, **more):
    folder = folder or tempfile.mkdtemp(prefix="server-", dir=ROOM)
    directory = os.path.join(folder, "policies")
    os.makedirs(os.path.join(directory, "fixtures"), exist_ok=True)
    for name, text in (policies or {"test.yaml": policy(GUEST)}).items():
        write(os.path.join(directory, name), text)
    whole = {
        "policy": {"directory": directory},
        "endorsements": {"offline": True, "directories": [os.path.join(ROOM, "endorsements")]},
        "records": {"keep": "all"},
        "development": {"anchors": [{"purpose": "snp/Genoa", "file": os.path.join(ROOM, "ark.pem")}]},
        **(config or {}),
    }
    made = Attestd(whole, ["--development"], folder=folder, **more)
    made.policies = directory
    return made


def fresh(s, *words, **more):
    """A request over a new challenge."""
    status, challenge = s.json("POST", "/challenge")
    assert status == 200, challenge
    return GUEST.request(challenge, *words, **more)


def verify(s, request):
    return s.json("POST", "/verify", request)


def affirmed(s, request=None, **more):
    status, answer = verify(s, request or fresh(s, **more))
    assert status == 200 and answer["verdict"] == "affirming", (status, json.dumps(answer)[:3000])
    return answer


def until(what, holds, seconds=20):
    """Waits until holds() gives something; gives it."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        got = holds()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def run_all(names):
    """The functions without arguments that the script defines for itself, in order."""
    run([f for n, f in names.items() if "_" in n and callable(f) and getattr(f, "__module__", "") == "__main__" and f.__code__.co_argcount == 0])
