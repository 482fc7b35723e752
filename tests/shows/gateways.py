#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a guest to real relying parties: `attest` inside a simulated guest gets a token of a running attestd, and HAProxy, Apache, jose and
`attestctl token verify` accept it, and refuse what attestd signed for another audience, what has expired, and what was altered."""
import base64
import json
import os
import subprocess
import time

from stage import BUILD, GUEST, ROOM, SOURCE, fresh, policy, run_all, server, until, verify

AUDIENCE = "https://kms.example"
ISSUER = "https://development.invalid"
POLICIES = {
    "test.yaml": policy(GUEST),
    "other.yaml": policy(GUEST, "other", audience=AUDIENCE + "/other").split("---")[0],
    "brief.yaml": policy(GUEST, "brief", audience="https://brief.example").split("---")[0].replace("ttl: 5m", "ttl: 10s").replace(
        "[https://brief.example]", f"[{AUDIENCE}]"),
}


def token_of(s, **more):
    status, answer = verify(s, fresh(s, **more))
    assert status == 200 and answer["verdict"] == "affirming" and "token" in answer, answer
    return answer["token"]


def expiry(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"]


def collected(s):
    """A token by the collector, which asks for the challenge, makes its own key and binds it."""
    root, out = os.path.join(ROOM, "root"), os.path.join(ROOM, "collected.jwt")
    os.makedirs(os.path.join(root, "sys/kernel/config/tsm/report"), exist_ok=True)
    environment = {**os.environ, "LD_PRELOAD": os.path.join(BUILD, "lib", "libattest-simulated-guest.so"), "ATTEST_SIMULATED_ROOT": root,
                   "ATTEST_SIMULATED_VENDOR": os.path.join(BUILD, "simulated-vendor"), "ATTEST_SIMULATED_PRODUCT": "genoa"}
    ended = subprocess.run([os.path.join(BUILD, "bin", "attest"), "token", "--root", root, "--url", f"https://127.0.0.1:{s.port}", "--ca",
                            os.path.join(s.state, "tls", "certificate.pem"), "--policy", "test", "--audience", AUDIENCE, "--out", out],
                           env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, (ended.returncode, ended.stdout, ended.stderr)
    with open(out) as file:
        return file.read().strip()


def put(name, text):
    path = os.path.join(ROOM, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def real_gateways_accept_the_token_of_a_running_attestd_alone():
    with server(policies=POLICIES) as s:
        token = collected(s)
        brief = token_of(s, policy="brief")
        bad = {"expired": brief, "another-audience": token_of(s, policy="other", audience=AUDIENCE + "/other")}
        good = put("good", token)
        for name, text in bad.items():
            put(f"bad/{name}.jwt", text)
        jwks = put("jwks.json", s.request("GET", "/.well-known/jwks.json").text.decode())
        until("the brief token has expired", lambda: time.time() > expiry(brief) + 1)
        verified = subprocess.run([os.path.join(BUILD, "bin", "attestctl"), "token", "verify", "--jwks", jwks, "--issuer", ISSUER, "--audience", AUDIENCE,
                                   "--allow-simulated", "--json", good], capture_output=True, text=True, timeout=60)
        assert verified.returncode == 0 and json.loads(verified.stdout)["valid"] is True, verified.stdout + verified.stderr
        environment = {**os.environ, "ATTESTD_BUILD": BUILD, "ATTESTD_TOKEN": good, "ATTESTD_JWKS": jwks, "ATTESTD_ISSUER": ISSUER,
                       "ATTESTD_AUDIENCE": AUDIENCE, "ATTESTD_ALLOW_SIMULATED": "1", "ATTESTD_BAD_TOKENS": os.path.join(ROOM, "bad")}
        notes = []
        for gateway in ("haproxy", "apache", "jose"):
            script = os.path.join(SOURCE, "tests", "relying-party", gateway + ".bash")
            ended = subprocess.run([script], env=environment, capture_output=True, text=True, timeout=180)
            said = ended.stdout + ended.stderr
            if ended.returncode == 77 or (ended.returncode == 0 and "NOT TESTED" in said.upper()):
                notes.append(f"{gateway}: *** NOT TESTED: {said.strip()[:200]}")
                continue
            assert ended.returncode == 0, (gateway, said)
            for name in ("expired", "another-audience", "audience-forged", "expiry-forged", "flipped-header", "flipped-payload", "flipped-signature"):
                assert name in said, (gateway, name, said)
            notes.append(gateway)
        return ", ".join(notes)


run_all(globals())
