# SPDX-License-Identifier: Apache-2.0
"""A simulated guest for the end-to-end tests: reports over any challenge, and the binding of layout attestd-v1 as docs/binding.md says."""
import base64
import hashlib
import json
import os
import struct
import subprocess
import threading

from attestd_process import BUILD

AUDIENCE = "https://kms.example"
KEY = {  # RFC 7517, appendix A.1
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def framed(data):
    return struct.pack(">I", len(data)) + data


def thumbprint(key):
    return hashlib.sha256(json.dumps({k: key[k] for k in sorted(key)}, separators=(",", ":")).encode()).digest()


def binding(nonce, audience="", key=None, data=None):
    whole = b"attestd-binding-v1\n" + framed(nonce) + framed(audience.encode()) + framed(thumbprint(key) if key else b"")
    whole += struct.pack(">I", len(data or {}))
    for name in sorted(data or {}):
        whole += framed(name.encode()) + framed(data[name])
    return hashlib.sha512(whole + struct.pack(">I", 0)).digest()


class Guest:
    """out: folder that gets ark.pem and endorsements/."""

    def __init__(self, out):
        self.lock = threading.Lock()
        self.out = out
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "bin", "test-server-mint"), os.path.join(BUILD, "simulated-vendor"), out],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def report(self, report_data, *words):
        """(report, certificate table or None) in base64"""
        with self.lock:
            print(report_data.hex(), *words, file=self.process.stdin, flush=True)
            parts = self.process.stdout.readline().split()
        return parts[0], parts[1] if len(parts) > 1 else None

    def measurement(self):
        return base64.b64decode(self.report(bytes(64))[0])[0x90:0xC0].hex()

    def request(self, challenge, *words, audience=AUDIENCE, key=KEY, data=None, **more):
        """A /verify request over a challenge as POST /challenge gave it."""
        field = binding(unbase64(challenge["nonce"]), audience or "", key, data)
        report, certs = self.report(field, *words)
        piece = {"type": "snp", "report": report, **({"certs": certs} if certs else {})}
        request = {"challenge": challenge["challenge"], "evidence": {"cpu0": piece}, "binding": {"layout": "attestd-v1"}}
        if audience:
            request["audience"] = audience
        if key:
            request["binding"]["cnf"] = {"jwk": key}
        if data:
            request["binding"]["data"] = {name: value.hex() for name, value in data.items()}
        request.update(more)
        return request


POLICY = """policy: {name}
version: {version}
description: of the end-to-end tests
freshness: {{challenge: {freshness}{age}}}
binding: {{layouts: [attestd-v1]}}
snp:
  products: [Genoa]
  measurement: {{in: images}}
  tcb: {{floor: {{Genoa: {{snp: 1}}}}}}
  revocation: {{mode: {revocation}}}
token: {{audiences: [{audience}], issue_on: [affirming], ttl: 5m}}
{more}---
reference_set: images
source: tests
values:
  - {{label: simulated, snp.measurement: [{measurement}]}}
"""


def policy(guest, name="test", version=1, freshness="required", revocation="disabled", audience=AUDIENCE, more="", measurement=None):
    age = ", max_age: 120s" if freshness == "required" else ""
    return POLICY.format(age=age, name=name, version=version, freshness=freshness, revocation=revocation, audience=audience, more=more,
                         measurement=measurement or guest.measurement())
