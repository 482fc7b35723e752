#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""POST /verify end to end, over TLS and HTTP, with a simulated guest: challenges, replay, policies, tokens, audit, operators, faults."""
import base64
import concurrent.futures
import json
import os
import shutil
import resource
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from attestd_process import BUILD, SOURCE, Attestd, run  # noqa: E402
from guest import AUDIENCE, Guest, binding, policy, unbase64  # noqa: E402

ROOM = tempfile.mkdtemp(prefix="attestd-verify-")
GUEST = Guest(ROOM)


def server(config=None, policies=None, development=True, certs_only=False, **more):
    folder = tempfile.mkdtemp(prefix="server-", dir=ROOM)
    directory = os.path.join(folder, "policies")
    os.mkdir(directory)
    for name, text in (policies or {"test.yaml": policy(GUEST)}).items():
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)
    whole = {
        "policy": {"directory": directory},
        "endorsements": {"offline": True, "directories": [] if certs_only else [os.path.join(ROOM, "endorsements")]},
        "records": {"keep": "all"},
        "development": {"anchors": [{"purpose": "snp/Genoa", "file": os.path.join(ROOM, "ark.pem")}]},
    }
    whole.update(config or {})
    made = Attestd(whole, ["--development"] if development else [], folder=folder, **more)
    made.policies = directory
    return made


def challenge(s):
    status, value = s.json("POST", "/challenge")
    assert status == 200
    return value


def verify(s, request, headers=None):
    return s.json("POST", "/verify", request, headers)


def expect(answer, status, code=None, verdict=None):
    assert answer[0] == status, answer
    if code:
        assert answer[1]["code"] == code, answer[1]
        assert answer[1]["type"] == "urn:attestd:problem:" + code.lower().replace("_", "-")
        assert answer[1]["request_id"].startswith("rq_")
    if verdict:
        assert answer[1]["verdict"] == verdict, json.dumps(answer[1], indent=1)
    return answer[1]


def failed(answer):
    return {c["id"]: c["code"] for piece in answer["evidence"].values() for c in piece["checks"] if c["outcome"] == "fail"} | {
        c["id"]: c["code"] for c in answer["checks"] if c["outcome"] == "fail"
    }


def part_of(token, index):
    return json.loads(unbase64(token.split(".")[index]))


def good_guest_is_affirmed_with_a_token_for_its_audience():
    with server() as s:
        c = challenge(s)
        answer = expect(verify(s, GUEST.request(c)), 200, verdict="affirming")
        assert answer["id"].startswith("ap_") and answer["simulated"] is True
        assert answer["evidence"]["cpu0"]["claims"]["snp"]["measurement"] == GUEST.measurement()
        assert answer["freshness"] in ("challenge", {"freshness": "challenge"}) or "challenge" in json.dumps(answer["freshness"])
        header, claims = part_of(answer["token"], 0), part_of(answer["token"], 1)
        assert header == {"alg": "ES256", "typ": "eat+jwt", "kid": header["kid"]}
        assert claims["iss"] == "https://development.invalid" and claims["aud"] == AUDIENCE and claims["jti"] == answer["id"]
        assert claims["eat_nonce"] == c["nonce"] and claims["simulated"] is True and claims["cnf"]["jwk"]["kty"] == "EC"
        assert claims["exp"] - claims["iat"] <= 300
        keys = s.json("GET", "/.well-known/jwks.json")[1]["keys"]
        assert header["kid"] in [k["kid"] for k in keys]


def accept_of_a_token_gives_the_bare_token_or_403():
    with server() as s:
        accept = {"accept": "application/eat+jwt"}
        answer = s.request("POST", "/verify", json.dumps(GUEST.request(challenge(s))), {"content-type": "application/json", **accept})
        assert answer.status == 200 and answer.headers["content-type"].startswith("application/eat+jwt"), answer.text
        assert answer.headers["cache-control"] == "no-store" and len(answer.text.split(b".")) == 3
        problem = expect(verify(s, GUEST.request(challenge(s), "debug"), accept), 403, "TOKEN_WITHHELD")
        assert problem["token_withheld"]["code"] == "TOKEN_VERDICT"
        expect(verify(s, GUEST.request(challenge(s)), {"accept": "text/html"}), 406, "NOT_ACCEPTABLE")


def debug_guest_is_denied_with_its_reason_and_no_token():
    with server() as s:
        answer = expect(verify(s, GUEST.request(challenge(s), "debug")), 200, verdict="contraindicated")
        assert failed(answer)["snp.debug"] == "SNP_DEBUG_ALLOWED"
        assert "token" not in answer and answer["token_withheld"] == {"code": "TOKEN_VERDICT"}


def of_thirty_two_submissions_of_one_challenge_one_is_answered():
    with server() as s:
        for _ in range(3):
            request = GUEST.request(challenge(s))
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                answers = list(pool.map(lambda _: verify(s, request), range(32)))
            statuses = sorted(status for status, _ in answers)
            assert statuses == [200] + [409] * 31, statuses
            assert all(body["code"] == "CHALLENGE_SPENT" for status, body in answers if status == 409)
        lines = [json.loads(line) for line in open(os.path.join(s.state, "audit.jsonl"))]
        assert len(lines) == 3, "a verdict without its audit line, or a line without its verdict"


def re_encoded_challenge_is_the_same_challenge():
    with server() as s:
        request = GUEST.request(challenge(s))
        expect(verify(s, request), 200)
        whole = unbase64(request["challenge"][3:])
        for text in (base64.b64encode(whole).decode(), base64.urlsafe_b64encode(whole).decode(),
                     base64.b64encode(whole).decode().rstrip("="), request["challenge"][3:]):
            expect(verify(s, {**request, "challenge": "c1." + text}), 409, "CHALLENGE_SPENT")
        for text in (" " + request["challenge"], request["challenge"] + "=", request["challenge"] + "AAAA", "c1." + base64.b64encode(
                whole + b"\0").decode(), "c2" + request["challenge"][2:]):
            expect(verify(s, {**request, "challenge": text}), 400, "CHALLENGE_MALFORMED")


def expired_challenge_is_gone():
    with server({"challenge": {"ttl": "1s"}}) as s:
        request = GUEST.request(challenge(s))
        time.sleep(1.1)
        expect(verify(s, request), 410, "CHALLENGE_EXPIRED")


def altered_and_foreign_challenges_are_refused():
    with server() as s, server() as other:
        request = GUEST.request(challenge(s))
        whole = bytearray(unbase64(request["challenge"][3:]))
        for at in (0, 31, 32, 40, 43, 44, 75):
            whole[at] ^= 1
            expect(verify(s, {**request, "challenge": "c1." + base64.urlsafe_b64encode(whole).decode().rstrip("=")}), 400, "CHALLENGE_FOREIGN")
            whole[at] ^= 1
        expect(verify(other, request), 400, "CHALLENGE_FOREIGN")
        expect(verify(s, request), 200)


def challenge_from_before_a_restart_is_foreign():
    s = server()
    with s:
        request = GUEST.request(challenge(s))
        s.stop()
        s.start()
        expect(verify(s, request), 400, "CHALLENGE_FOREIGN")


def what_ends_without_a_verdict_leaves_the_challenge_usable():
    with server() as s:
        request = GUEST.request(challenge(s))
        cut = {**request, "evidence": {"cpu0": {"type": "snp", "report": request["evidence"]["cpu0"]["report"][:400]}}}
        problem = expect(verify(s, cut), 400, "EVIDENCE_MALFORMED")
        assert "cpu0" in problem["detail"]
        expect(verify(s, {**request, "policy": "nothing"}), 404, "POLICY_UNKNOWN")
        expect(verify(s, {**request, "audience": "https://other.example"}), 400, "POLICY_NOT_NAMED")
        expect(verify(s, {**request, "policy": "test", "audience": "https://other.example"}), 403, "AUDIENCE_NOT_OF_POLICY")
        expect(verify(s, {**request, "surprise": 1}), 400, "MEMBER_UNKNOWN")
        expect(verify(s, {**request, "nonce": "AAAAAAAAAAAAAAAA"}), 400, "FRESHNESS_AMBIGUOUS")
        expect(verify(s, {**request, "evidence": {"cpu0": {"type": "tdx", "quote": "AAAA"}}}), 422, "EVIDENCE_TYPE_UNKNOWN")
        # another guest's evidence, or this one's over another nonce, is a verdict but does not spend
        other = GUEST.request(challenge(s))
        answer = expect(verify(s, {**other, "challenge": request["challenge"]}), 200, verdict="contraindicated")
        assert "binding.nonce" in failed(answer) or any(k.startswith("binding.") for k in failed(answer)), failed(answer)
        broken = bytearray(base64.b64decode(request["evidence"]["cpu0"]["report"]))
        broken[0x2A0] ^= 1
        forged = {**request, "evidence": {"cpu0": {"type": "snp", "report": base64.b64encode(broken).decode()}}}
        answer = expect(verify(s, forged), 200, verdict="contraindicated")
        assert "snp.signature" in failed(answer) and "unverified" in answer["evidence"]["cpu0"]
        expect(verify(s, request), 200, verdict="affirming")
        expect(verify(s, request), 409, "CHALLENGE_SPENT")


def missing_endorsement_is_424_and_spends_nothing():
    with server(certs_only=True) as s:
        request = GUEST.request(challenge(s))
        answer = s.request("POST", "/verify", json.dumps(request), {"content-type": "application/json"})
        problem = json.loads(answer.text)
        assert answer.status == 424 and problem["code"] == "ENDORSEMENT_UNOBTAINABLE" and problem["retryable"] is True, problem
        assert int(answer.headers["retry-after"]) > 0
        outcomes = {c["id"]: c["outcome"] for c in problem["appraisal"]["evidence"]["cpu0"]["checks"]}
        assert "unavailable" in outcomes.values() and "pass" in outcomes.values(), outcomes
        report = request["evidence"]["cpu0"]["report"]
        _, certs = GUEST.report(bytes(64), "certs")
        expect(verify(s, {**request, "evidence": {"cpu0": {"type": "snp", "report": report, "certs": certs}}}), 200, verdict="affirming")


def simulated_evidence_is_refused_without_development():
    with server(development=False, config={"token": {"issuer": "https://attestd.example"}}) as s:
        answer = expect(verify(s, GUEST.request(challenge(s), "certs")), 200, verdict="contraindicated")
        assert failed(answer).get("snp.anchor") is not None, failed(answer)
        assert "token" not in answer and answer["evidence"]["cpu0"].get("claims") in (None, {})
        assert "development_ignored" in s.log()


def freshness_follows_the_policy():
    policies = {
        "a.yaml": policy(GUEST),
        "b.yaml": policy(GUEST, "external", freshness="external", audience="https://b.example").split("---")[0],
        "c.yaml": policy(GUEST, "unfresh", freshness="none", audience="https://c.example").split("---")[0],
    }
    with server(policies=policies) as s:
        nonce = os.urandom(24)
        text = base64.b64encode(nonce).decode()

        def with_nonce(audience, **more):
            request = GUEST.request({"nonce": base64.urlsafe_b64encode(nonce).decode(), "challenge": None}, audience=audience)
            del request["challenge"]
            return {**request, **more}

        expect(verify(s, with_nonce(AUDIENCE)), 400, "FRESHNESS_MISSING")
        expect(verify(s, with_nonce(AUDIENCE, nonce=text)), 200, verdict="contraindicated")
        answer = expect(verify(s, with_nonce("https://b.example", nonce=text)), 200, verdict="affirming")
        assert part_of(answer["token"], 1)["eat_nonce"] == text and part_of(answer["token"], 1)["attestd_freshness"] == "external"
        for bad in ("AAAA", "A" * 100, "####", ""):
            expect(verify(s, with_nonce("https://b.example", nonce=bad)), 400, "NONCE_MALFORMED")
        request = GUEST.request({"nonce": "", "challenge": None}, audience="https://c.example")
        del request["challenge"]
        expect(verify(s, request), 200, verdict="affirming")


def raw_report_is_read_with_query_parameters():
    with server() as s:
        c = challenge(s)
        report = base64.b64decode(GUEST.report(binding(unbase64(c["nonce"])))[0])
        for kind in ("application/octet-stream", "application/vnd.attestd.snp-report"):
            answer = s.request("POST", f"/verify?challenge={c['challenge']}&policy=hardware-only", report, {"content-type": kind})
            answered = json.loads(answer.text)
            if kind == "application/octet-stream":
                assert answer.status == 200 and answered["verdict"] == "warning", answered
                assert answered["token_withheld"]["code"] in ("TOKEN_NO_AUDIENCE", "TOKEN_VERDICT")
            else:
                assert answer.status == 409
        for query, code in (("?surprise=1", "PARAMETER_UNKNOWN"), ("?nonce=AA", "NONCE_MALFORMED"), ("?policy=%zz", "PARAMETER_INVALID"),
                            ("?token=maybe", "PARAMETER_INVALID"), ("?policy=a&policy=b", "PARAMETER_INVALID")):
            answer = s.request("POST", "/verify" + query, report, {"content-type": "application/octet-stream"})
            assert answer.status == 400 and json.loads(answer.text)["code"] == code, (query, answer.text)
        answer = s.request("POST", "/verify", b"x", {"content-type": "text/plain"})
        assert answer.status == 415 and json.loads(answer.text)["code"] == "MEDIA_TYPE_UNKNOWN"
        assert c["challenge"] not in s.log(), "a query parameter was logged"


def audit_has_one_line_a_verdict_and_no_evidence():
    with server() as s:
        request = GUEST.request(challenge(s))
        good = expect(verify(s, request), 200)
        bad = expect(verify(s, GUEST.request(challenge(s), "debug")), 200)
        text = open(os.path.join(s.state, "audit.jsonl")).read()
        lines = [json.loads(line) for line in text.splitlines()]
        assert [line["id"] for line in lines] == [good["id"], bad["id"]]
        assert lines[0]["verdict"] == "affirming" and lines[0]["token"] == "ear"
        assert {"evidence": "cpu0", "check": "snp.debug", "code": "SNP_DEBUG_ALLOWED", "mode": "strict"} in lines[1]["codes"]
        assert lines[1]["token"] == "withheld" and all(line["simulated"] is True for line in lines)
        for secret in (request["evidence"]["cpu0"]["report"][:60], request["challenge"], good["token"][:60]):
            assert secret not in text and secret not in s.log()


def operators_need_their_key_and_its_role():
    routes = (("GET", "/v1/checks"), ("GET", "/v1/policies"), ("GET", "/v1/policies/test"), ("PUT", "/v1/policies/test"),
              ("POST", "/v1/policies/test/test"), ("GET", "/v1/appraisals"), ("GET", "/v1/appraisals/ap_x"), ("GET", "/v1/endorsements"),
              ("POST", "/v1/endorsements/refresh"), ("GET", "/v1/anchors"))
    with server() as s:
        for method, path in routes:
            status, problem = s.json(method, path)
            assert status == 403 and problem["code"] == "OPERATOR_ONLY", (path, status)
            status, problem = s.json(method, path, headers={"authorization": "Bearer anything"})
            assert status == 403, (path, status)
    import hashlib

    keys = [{"name": n, "role": r, "sha256": hashlib.sha256(k.encode()).hexdigest()} for n, r, k in
            (("reader", "read", "key-of-reader"), ("writer", "write", "key-of-writer"))]
    with server({"operators": {"keys": keys}}) as s:
        for method, path in routes:
            assert s.json(method, path)[1]["code"] == "OPERATOR_KEY_MISSING"
            for wrong in ("Bearer key-of-reade", "Bearer key-of-readerr", "Bearer ", "Basic key-of-reader"):
                status, problem = s.json(method, path, headers={"authorization": wrong})
                assert status == 401 and problem["code"] in ("OPERATOR_KEY_UNKNOWN", "OPERATOR_KEY_MISSING"), (path, wrong)
        reader, writer = {"authorization": "Bearer key-of-reader"}, {"authorization": "Bearer key-of-writer"}
        assert s.json("GET", "/v1/checks", headers=reader)[0] == 200
        assert s.json("POST", "/v1/endorsements/refresh", headers=reader)[1]["code"] == "OPERATOR_ROLE"
        assert s.json("POST", "/v1/endorsements/refresh", headers=writer)[0] == 200
        status, _, body = s.operator("GET", "/v1/anchors")
        assert status == 200 and any(a["simulated"] for a in json.loads(body)["anchors"])
        assert os.stat(os.path.join(s.state, "operator.sock")).st_mode & 0o777 == 0o600


def record_and_bundle_of_an_appraisal_can_be_read():
    with server() as s:
        answer = expect(verify(s, GUEST.request(challenge(s))), 200)
        for _ in range(100):
            status, _, body = s.operator("GET", "/v1/appraisals/" + answer["id"])
            if status == 200:
                break
            time.sleep(0.02)
        record = json.loads(body)
        assert status == 200 and record["id"] == answer["id"] and record["verdict"] == "affirming" and "token" not in record
        status, headers, body = s.operator("GET", f"/v1/appraisals/{answer['id']}/bundle")
        assert status == 200 and headers["content-type"] == "application/vnd.attestd.bundle+json" and json.loads(body)["bundle"] == 1
        program = os.path.join(BUILD, "bin", "attestctl")
        if os.path.exists(program):
            import subprocess

            path = os.path.join(ROOM, "bundle.json")
            with open(path, "wb") as file:
                file.write(body)
            replayed = subprocess.run([program, "replay", path], capture_output=True, text=True, timeout=60)
            assert replayed.returncode == 0, (replayed.returncode, replayed.stdout, replayed.stderr)
        second = expect(verify(s, GUEST.request(challenge(s))), 200)
        time.sleep(0.5)
        listed = json.loads(s.operator("GET", "/v1/appraisals?limit=1")[2])
        assert [r["id"] for r in listed["appraisals"]] == [answer["id"]] and listed["more"] is True
        listed = json.loads(s.operator("GET", "/v1/appraisals?after=" + answer["id"])[2])
        assert [r["id"] for r in listed["appraisals"]] == [second["id"]] and listed["more"] is False
        assert s.operator("GET", "/v1/appraisals/ap_0198-no")[0] == 404
        assert s.operator("GET", "/v1/appraisals?limit=0")[0] == 400


def edited_policy_is_active_within_a_second_and_a_broken_one_changes_nothing():
    with server() as s:
        path = os.path.join(s.policies, "test.yaml")

        def version():
            return expect(verify(s, GUEST.request(challenge(s))), 200)["policy"]["version"]

        assert version() == 1
        began = time.monotonic()
        with open(path, "w") as file:
            file.write(policy(GUEST, version=2))
        while version() != 2:
            assert time.monotonic() - began < 1, "not active within a second"
            time.sleep(0.02)
        took = time.monotonic() - began
        with open(path, "w") as file:
            file.write(policy(GUEST, version=3).replace("products", "produts"))
        time.sleep(1)
        assert version() == 2
        status, ready = s.json("GET", "/readyz")
        assert status == 200 and ready["degraded"] is True
        fault = [r["detail"] for r in ready["reasons"] if r["what"] == "policy"][0]
        assert "test.yaml:7:3" in fault and "products" in fault, fault
        assert s.metric("attestd_policy_faults") >= 1 and "policy_refused" in s.log()
        os.unlink(path)
        time.sleep(1)
        assert version() == 2, "an emptied directory was taken for a wish"
        # a start with the directory still broken goes on with what was last in force
        s.stop()
        s.start()
        assert version() == 2
        assert any("last good" in r["detail"] for r in s.json("GET", "/readyz")[1]["reasons"])
        with open(path, "w") as file:
            file.write(policy(GUEST, version=4))
        time.sleep(1)
        assert version() == 4 and s.json("GET", "/readyz")[1]["reasons"] == [r for r in s.json("GET", "/readyz")[1]["reasons"]
                                                                              if r["what"] != "policy"]
        return f"active after {took:.2f} s"


def policy_can_be_put_with_its_precondition():
    with server() as s:
        status, headers, body = s.operator("GET", "/v1/policies/test")
        tag = headers["etag"]
        assert status == 200 and json.loads(body)["version"] == 1 and "policy: test" in json.loads(body)["source"]
        new = policy(GUEST, version=2)
        assert s.operator("PUT", "/v1/policies/test", new)[0] == 428
        assert s.operator("PUT", "/v1/policies/test", new, {"if-match": '"00"'})[0] == 412
        assert s.operator("PUT", "/v1/policies/test", new, {"if-match": "*"})[0] == 412
        status, _, body = s.operator("PUT", "/v1/policies/test", new.replace("products", "produts"), {"if-match": tag})
        problem = json.loads(body)
        assert status == 422 and problem["code"] == "POLICY_REFUSED" and problem["faults"][0]["line"] == 7, problem
        status, _, body = s.operator("POST", "/v1/policies/test/test", new)
        assert status == 200 and json.loads(body)["good"] is True
        assert json.loads(s.operator("GET", "/v1/policies/test")[2])["version"] == 1
        status, headers, body = s.operator("PUT", "/v1/policies/test", new, {"if-match": tag})
        assert status == 200 and json.loads(body)["in_force"] is True and headers["etag"] != tag, body
        assert expect(verify(s, GUEST.request(challenge(s))), 200)["policy"]["version"] == 2
        assert s.operator("GET", "/v1/policies/none")[0] == 404
        for name in ("elsewhere", ".hidden", "hardware-only"):
            status, _, body = s.operator("PUT", "/v1/policies/" + name, policy(GUEST, "fourth", audience="https://f.example").split("---")[0],
                                         {"if-match": "*"})
            assert status in (412, 422), (name, body)
        other = policy(GUEST, "second", audience="https://second.example").split("---")[0]
        assert s.operator("PUT", "/v1/policies/second", other, {"if-match": "*"})[0] == 200
        names = [p["name"] for p in json.loads(s.operator("GET", "/v1/policies")[2])["policies"]]
        assert sorted(names) == ["second", "test"]


def without_a_policy_directory_hardware_only_serves_and_gives_no_token():
    folder = tempfile.mkdtemp(prefix="server-", dir=ROOM)
    config = {"endorsements": {"offline": True, "directories": [os.path.join(ROOM, "endorsements")]},
              "development": {"anchors": [{"purpose": "snp/Genoa", "file": os.path.join(ROOM, "ark.pem")}]}}
    with Attestd(config, ["--development"], folder=folder) as s:
        answer = expect(verify(s, GUEST.request(challenge(s), audience=None, key=None)), 200, verdict="warning")
        assert answer["policy"]["name"] == "hardware-only" and "token" not in answer
        expect(verify(s, GUEST.request(challenge(s))), 403, "AUDIENCE_NOT_OF_POLICY")


def malformed_requests_are_named():
    with server() as s:
        good = GUEST.request(challenge(s))
        report = good["evidence"]["cpu0"]["report"]

        def changed(**more):
            return json.dumps({**good, **more})

        def piece(**more):
            return {"cpu0": {"type": "snp", "report": report, **more}}

        private = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}
        table = [
            ("{", 400, "JSON_MALFORMED"),
            ("", 400, "JSON_MALFORMED"),
            ('{"evidence": {}, "evidence": {}}', 400, "JSON_MALFORMED"),
            ("[" * 40 + "]" * 40, 400, "JSON_MALFORMED"),
            ('"\\u0000"', 400, None),
            ("[]", 400, None),
            (json.dumps({}), 400, None),
            (changed(evidence={}), 400, "EVIDENCE_MISSING"),
            (changed(evidence=7), 400, "MEMBER_INVALID"),
            (changed(challenge=7), 400, "MEMBER_INVALID"),
            (changed(token="maybe"), 400, "MEMBER_INVALID"),
            (changed(evidence=piece(report="###")), 400, "BASE64_MALFORMED"),
            (changed(evidence={"CPU 0": {"type": "snp", "report": report}}), 400, "LABEL_INVALID"),
            (changed(evidence={f"cpu{i}": {"type": "snp", "report": report} for i in range(33)}), 413, "EVIDENCE_TOO_MANY"),
            (changed(evidence={"cpu0": {"report": "AAAA"}}), 422, "EVIDENCE_UNIDENTIFIED"),
            (changed(binding={"layout": "mine"}), 400, "LAYOUT_UNKNOWN"),
            (changed(binding={"layout": "raw", "data": {"a": "00"}}), 400, "LAYOUT_CANNOT_BIND"),
            (changed(binding={"layout": "attestd-v1", "cnf": {"jwk": private}}), 400, "KEY_REFUSED"),
            (changed(binding={"layout": "attestd-v1", "data": {"a": "xyz"}}), 400, "DATA_MALFORMED"),
        ]
        for body, status, code in table:
            answer = s.request("POST", "/verify", body, {"content-type": "application/json"})
            problem = json.loads(answer.text)
            assert answer.status == status and (code is None or problem["code"] == code), (body[:80], answer.status, problem)
        answer = s.request("POST", "/verify", "[1]", {"content-type": "application/cmw+json"})
        assert answer.status == 400 and json.loads(answer.text)["code"] == "CMW_MALFORMED", answer.text
        expect(verify(s, good), 200, verdict="affirming")


def full_queue_and_late_requests_are_told_so():
    if not shutil.which("h2load"):
        return "*** h2load is not installed: NOT tested"
    import subprocess

    policies = {"a.yaml": policy(GUEST, freshness="none")}
    config = {"threads": {"loops": 1, "workers": 1}, "queue": {"length": 20000, "deadline": "1s"}, "http": {"requests_per_second": 0}}
    request = GUEST.request({"nonce": "", "challenge": None})
    del request["challenge"]
    path = os.path.join(ROOM, "request.json")
    with open(path, "w") as file:
        json.dump(request, file)

    def load(s, count):
        subprocess.run(["h2load", "-n", str(count), "-c", "60", "-m", "100", "-d", path, "-H", "content-type: application/json",
                        f"https://127.0.0.1:{s.port}/verify"], check=True, capture_output=True)

    with server(config, policies) as s:
        load(s, 12000)
        assert s.metric('attestd_problems_total{code="DEADLINE"}') > 0
        expect(verify(s, request), 200)
    with server({**config, "queue": {"length": 16}}, policies) as s:
        load(s, 2000)
        refused = s.metric('attestd_problems_total{code="OVERLOADED"}')
        assert refused > 0 and s.metric('attestd_problems_total{code="INTERNAL"}') == 0
        expect(verify(s, request), 200)
        return f"{refused:.0f} of 2000 refused by a queue of 16"


def full_set_of_spent_challenges_accepts_nothing_more():
    with server({"challenge": {"capacity": 64}}) as s:
        answers = [verify(s, GUEST.request(challenge(s))) for _ in range(80)]
        assert {status for status, _ in answers} == {200, 503}
        assert all(body["code"] == "SPENT_SET_FULL" for status, body in answers if status == 503)
        assert sum(status == 200 for status, _ in answers) <= 64


def replicas_share_their_challenges_through_redis():
    if not shutil.which("redis-server"):
        return "*** redis-server is not installed: NOT tested"
    import subprocess

    socket_path = os.path.join(ROOM, "redis.sock")
    redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket_path, "--save", "", "--dir", ROOM],
                             stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(socket_path):
            time.sleep(0.02)
        key = os.path.join(ROOM, "challenge.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(32))
        shared = {"challenge": {"key_files": [key], "redis": {"socket": socket_path}}}
        with server(shared) as one, server(shared) as other:
            request = GUEST.request(challenge(one))
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                statuses = sorted(pool.map(lambda i: verify((one, other)[i % 2], request)[0], range(16)))
            assert statuses == [200] + [409] * 15, statuses
            one.stop()
            one.start()
            request = GUEST.request(challenge(other))
            expect(verify(one, request), 200)  # the key is shared: a restart voids nothing
            expect(verify(other, request), 409, "CHALLENGE_SPENT")
            redis.terminate()
            redis.wait()
            expect(verify(one, GUEST.request(challenge(one))), 503, "SPENT_SET_UNREACHABLE")
    finally:
        redis.terminate()
        redis.wait()


def stopping_server_refuses_new_work_and_reload_takes_a_new_certificate():
    import socket

    with server() as s:
        first = s.tls().wrap_socket(socket.create_connection(("127.0.0.1", s.port)), server_hostname="127.0.0.1").getpeercert()
        shutil.rmtree(os.path.join(s.state, "tls"))
        s.process.send_signal(1)
        for _ in range(100):
            if os.path.exists(os.path.join(s.state, "tls", "certificate.pem")) and s.log().count("reload") >= 1:
                break
            time.sleep(0.02)
        time.sleep(0.2)
        c = s.tls().wrap_socket(socket.create_connection(("127.0.0.1", s.port)), server_hostname="127.0.0.1")
        assert c.getpeercert()["serialNumber"] != first["serialNumber"]
        c.settimeout(10)
        c.sendall(b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
        time.sleep(0.2)
        s.process.terminate()
        time.sleep(0.2)
        c.sendall(b"}")
        answer = b""
        while not answer.endswith(b"}"):
            answer += c.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503") and b"SHUTTING_DOWN" in answer, answer
        assert s.stop() == 0


def caller_beyond_its_rate_is_told_when_to_come_again():
    with server({"http": {"requests_per_second": 1, "requests_burst": 3}}) as s:
        statuses = [s.request("POST", "/challenge").status for _ in range(6)]
        assert statuses[:3] == [200] * 3 and statuses[-1] == 429, statuses
        answer = s.request("POST", "/challenge")
        assert answer.status == 429 and int(answer.headers["retry-after"]) >= 1
        assert s.request("GET", "/livez").status == 200


def killed_under_load_it_starts_clean_and_accepts_nothing_twice():
    s = server()
    with s:
        answered, requests = [], []
        stop = threading.Event()

        def client():
            while not stop.is_set():
                try:
                    request = GUEST.request(challenge(s))
                    requests.append(request)
                    if verify(s, request)[0] == 200:
                        answered.append(request)
                except (OSError, AssertionError, ValueError):
                    return

        threads = [threading.Thread(target=client) for _ in range(4)]
        for t in threads:
            t.start()
        time.sleep(1.5)
        s.kill()
        stop.set()
        for t in threads:
            t.join()
        assert answered
        s.start()
        for request in requests[-8:]:
            expect(verify(s, request), 400, "CHALLENGE_FOREIGN")
        expect(verify(s, GUEST.request(challenge(s))), 200, verdict="affirming")
        lines = [json.loads(line) for line in open(os.path.join(s.state, "audit.jsonl")).read().splitlines()]
        assert len(lines) >= len(answered)
        return f"{len(answered)} verdicts before the end"


def full_disk_gives_no_verdict_and_heals():
    """A limit on file sizes stands for the full disk: audit and stores cannot grow."""

    def limits():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200000, resource.RLIM_INFINITY))

    s = server({"records": {"keep": "all"}}, limits=limits)
    with s:
        statuses = []
        for _ in range(400):
            statuses.append(verify(s, GUEST.request(challenge(s)))[0])
            if statuses[-1] == 503:
                break
        assert statuses[-1] == 503 and set(statuses) == {200, 503}, statuses[-5:]
        request = GUEST.request(challenge(s))
        expect(verify(s, request), 503, "AUDIT_UNAVAILABLE")
        status, ready = s.json("GET", "/readyz")
        assert status == 503 and ready["ready"] is False
        size = os.path.getsize(os.path.join(s.state, "audit.jsonl"))
        lines = open(os.path.join(s.state, "audit.jsonl")).read().splitlines()
        assert all(json.loads(line)["id"] for line in lines) and len(lines) == statuses.count(200), (size, len(lines))
        # the log is rotated away: room again
        os.rename(os.path.join(s.state, "audit.jsonl"), os.path.join(s.folder, "old"))
        s.process.send_signal(1)
        time.sleep(0.3)
        expect(verify(s, request), 200)  # what was refused for want of a log was not spent
        s.kill()
        s.limits = None
        s.start()
        expect(verify(s, GUEST.request(challenge(s))), 200, verdict="affirming")
        return f"{statuses.count(200)} verdicts before the disk was full"


def second_attestd_on_the_same_socket_is_refused():
    import subprocess

    with server() as s:
        program = os.environ.get("ATTESTD_PROGRAM", os.path.join(BUILD, "bin", "attestd"))
        ended = subprocess.run([program, "--config", os.path.join(s.folder, "attestd.yaml"), "--development"], capture_output=True, text=True,
                               timeout=20)
        assert ended.returncode != 0 and "operator.sock" in ended.stderr, ended.stderr
        assert s.operator("GET", "/v1/anchors")[0] == 200


def start_to_first_answer_is_short_with_key_and_state_in_place():
    s = server()
    with s:
        s.stop()
        times = []
        for _ in range(5):
            s.start()
            times.append(time.monotonic() - s.began)
            s.stop()
        s.start()
    return f"{sorted(times)[2] * 1000:.0f} ms in the middle of five, polling included"


def configuration_faults_end_the_start_with_place_and_code():
    import subprocess

    program = os.environ.get("ATTESTD_PROGRAM", os.path.join(BUILD, "bin", "attestd"))
    path = os.path.join(ROOM, "bad.yaml")
    for text, words in (("challenge: {ttl: never}\n", "bad.yaml:1:18:"), ("plugins: {load: [nothing]}\nstate: {directory: %s/x}\n" % ROOM, "nothing"),
                        ("policy: {directory: /nonexistent}\nstate: {directory: %s/x}\n" % ROOM, "/nonexistent"),
                        ("policy: {default: nowhere}\nstate: {directory: %s/x}\n" % ROOM, "no policy nowhere"),
                        ("audit: {file: /nonexistent/a}\nstate: {directory: %s/x}\n" % ROOM, "/nonexistent/a"),
                        ("listen: [{address: 198.51.100.1, tls: false}]\nhttp: {plain_outside_loopback: true}\nstate: {directory: %s/x}\n" % ROOM,
                         "cannot listen")):
        with open(path, "w") as file:
            file.write(text)
        environment = {**os.environ, "ATTESTD_TRUST_ANCHORS_DIRECTORY": os.path.join(SOURCE, "trust-anchors"),
                       "ATTESTD_PLUGINS_DIRECTORY": os.path.join(BUILD, "plugins")}
        ended = subprocess.run([program, "--config", path], capture_output=True, text=True, timeout=20, env=environment)
        assert ended.returncode != 0 and words in ended.stderr, (text, ended.returncode, ended.stderr)
    with open(path, "w") as file:
        file.write("state: {directory: %s/y}\n" % ROOM)
    ended = subprocess.run([program, "--config", path, "--check"], capture_output=True, text=True, timeout=20, env=environment)
    assert ended.returncode == 0, ended.stderr


try:
    run([value for name, value in list(globals().items()) if callable(value) and getattr(value, "__module__", "") == "__main__"
         and value.__code__.co_argcount == 0 and name not in ("run",)])
finally:
    GUEST.close()
    shutil.rmtree(ROOM, ignore_errors=True)
