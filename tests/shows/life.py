#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of a policy on disk, and what a kill -9 under load leaves behind."""
import json
import os
import random
import threading
import time

from stage import GUEST, affirmed, fresh, policy, run_all, server, until, verify, write


def faults(s):
    return [r["detail"] for r in s.json("GET", "/readyz")[1]["reasons"] if r["what"] == "policy"]


def version(s):
    return affirmed(s)["policy"]["version"]


def bundle_of(s, request):
    status, answer = verify(s, request)
    assert status == 200
    return until("the record is written", lambda: (lambda r: r[2] if r[0] == 200 else None)(s.operator("GET", f"/v1/appraisals/{answer['id']}/bundle")))


def refused(s, text, *words):
    """The directory with this text is refused: named with words in log and /readyz, and what was in force stays in force."""
    before = version(s)
    write(os.path.join(s.policies, "test.yaml"), text)
    found = until(f"a fault that says {words}", lambda: [f for f in faults(s) if all(w in f for w in words)])
    assert all(w in s.log() for w in words) and "policy_refused" in s.log()
    assert s.json("GET", "/readyz")[0] == 200 and version(s) == before, "a refused policy changed something"
    return found[0]


def accepted(s, number, text):
    """Seconds until the version is in force."""
    began = time.monotonic()
    write(os.path.join(s.policies, "test.yaml"), text)
    until(f"version {number}", lambda: version(s) == number)
    return time.monotonic() - began


def broken_policies_change_nothing_and_are_reported_with_line_and_column():
    with server() as s:
        good = policy(GUEST, version=2)
        for text, *words in (
            (good.replace("products", "produts"), "test.yaml:7:3", "products"),
            (good.replace("version: 2", "version: two"), "test.yaml:2:10"),
            (good.replace("  products", "\tproducts"), "test.yaml:7:"),
            (good + "values: [", "test.yaml:"),
        ):
            refused(s, text, *words)
        took = accepted(s, 2, good)
        assert not faults(s)
        return f"the mended one is active after {took:.2f} s"


def policy_that_touches_a_fixed_check_is_refused_with_its_line():
    with server() as s:
        for mode in ("warn", "disabled"):
            refused(s, policy(GUEST, version=2, more=f"checks: {{snp.signature: {mode}}}\n"), "test.yaml:12:", "snp.signature", "fixed")
        refused(s, policy(GUEST, version=2, more="weights: {snp.signature: 1}\n"), "test.yaml:12:", "snp.signature")
        assert accepted(s, 2, policy(GUEST, version=2)) is not None


def policy_whose_embedded_test_is_red_is_not_activated():
    with server() as s:
        for name, words in (("good", ()), ("debug", ("debug",))):
            with open(os.path.join(s.policies, "fixtures", name + ".bundle"), "wb") as file:
                file.write(bundle_of(s, fresh(s, *words)))

        def tested(number, expected):
            return policy(GUEST, version=number, more="tests:\n  - {name: good guest, evidence: fixtures/good.bundle, expect: affirming}\n"
                          f"  - {{name: debug guest, evidence: fixtures/debug.bundle, expect: {expected}, codes: [SNP_DEBUG_ALLOWED]}}\n")

        refused(s, tested(2, "affirming"), "test.yaml:14:", "debug guest", "contraindicated")
        took = accepted(s, 3, tested(3, "contraindicated"))
        return f"with green tests it is active after {took:.2f} s"


def edit_is_active_within_a_second():
    with server() as s:
        times = sorted(accepted(s, number, policy(GUEST, version=number)) for number in range(2, 9))
        assert times[3] < 1, times
        return f"{times[3] * 1000:.0f} ms in the middle, {times[-1] * 1000:.0f} ms at worst"


def killed_under_load_it_starts_clean_accepts_nothing_twice_and_keeps_its_policy():
    """Four callers, and an operator who writes a policy all the while."""
    s, number, total = server(), 1, 0
    with s:
        for round in range(3):
            stop, answered, asked = threading.Event(), [], []

            def caller():
                while not stop.is_set():
                    try:
                        request = fresh(s)
                        asked.append(request)
                        status, answer = verify(s, request)
                        if status == 200:
                            answered.append((request, answer))
                    except (OSError, AssertionError, ValueError):
                        return

            threads = [threading.Thread(target=caller) for _ in range(4)]
            for t in threads:
                t.start()
            ends = time.monotonic() + 0.5 + random.random()
            while time.monotonic() < ends or len(answered) < 20:
                number += 1
                write(os.path.join(s.policies, "test.yaml"), policy(GUEST, version=number))
                time.sleep(0.05)
            s.kill()
            stop.set()
            for t in threads:
                t.join()
            seen = max(answer["policy"]["version"] for _, answer in answered)
            # the directory is lost as well: what state.mdb keeps must do
            os.rename(s.policies, s.policies + "-lost")
            os.mkdir(s.policies)
            s.start()
            kept = version(s)
            assert seen <= kept <= number, f"version {kept} after the kill, and {seen} had answered of {number}"
            os.rmdir(s.policies)
            os.rename(s.policies + "-lost", s.policies)
            s.process.send_signal(1)
            until("the directory's version", lambda: version(s) == number)
            for request in [r for r, _ in answered[-20:]] + asked[-8:]:
                status, problem = verify(s, request)
                assert status == 400 and problem["code"] == "CHALLENGE_FOREIGN", (status, problem)
            with open(os.path.join(s.state, "audit.jsonl")) as file:
                ids = [json.loads(line)["id"] for line in file]
            assert len(ids) == len(set(ids)) and {answer["id"] for _, answer in answered} <= set(ids), "an answer without its audit line"
            total += len(answered)
    return f"{total} verdicts and {number} policies in three lives"


run_all(globals())
