#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an outsider may send to /verify: reports with a byte altered, cut, extended, with impossible signatures. Never affirming, never a 5xx."""
import base64

from stage import GUEST, affirmed, fresh, run_all, server, verify

R, S, END = 0x2A0, 0x2E8, 0x4A0
ORDER = int("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)  # of P-384


def sent(s, request, report):
    """(status, code or verdict) of the request with another report."""
    status, answer = verify(s, {**request, "evidence": {"cpu0": {"type": "snp", "report": base64.b64encode(report).decode()}}})
    assert status < 500, (status, answer)
    assert answer.get("verdict") in (None, "contraindicated"), (status, answer.get("verdict"))
    assert "token" not in answer and "claims" not in answer.get("evidence", {}).get("cpu0", {}), answer
    return status, answer.get("verdict") or answer["code"]


def altered_reports_never_pass_and_leave_the_challenge_usable():
    with server() as s:
        request = fresh(s)
        report = base64.b64decode(request["evidence"]["cpu0"]["report"])
        assert len(report) == END
        kinds = {}
        places = list(range(0, END, 16)) + [END - 1]
        for at in places:
            broken = bytearray(report)
            broken[at] ^= 1 << at // 16 % 8
            kind = sent(s, request, bytes(broken))
            kinds[kind] = kinds.get(kind, 0) + 1
        affirmed(s, request)
        return f"{len(places)} bytes: {kinds}"


def impossible_signatures_and_sizes_are_refused():
    with server() as s:
        request = fresh(s)
        report = base64.b64decode(request["evidence"]["cpu0"]["report"])

        def with_field(at, value):
            return report[:at] + value + report[at + len(value):]

        def number(value):
            return value.to_bytes(72, "little")

        refused = {
            "r 0": with_field(R, number(0)), "s 0": with_field(S, number(0)), "r n": with_field(R, number(ORDER)), "s n": with_field(S, number(ORDER)),
            "r above n": with_field(R, number(ORDER + 1)), "both 0": with_field(R, bytes(144)),
            "r big-endian": with_field(R, report[R:R + 48][::-1]), "r and s swapped": with_field(R, report[S:S + 72] + report[R:R + 72]),
            "padding of r": with_field(R + 48, b"\1"), "padding of s": with_field(S + 48, b"\1"), "after the signature": with_field(0x330, b"\1"),
            "last byte": with_field(END - 1, b"\1"), "cut": report[:-1], "long": report + b"\0", "empty": b"", "one byte": b"\2", "text": b"report" * 200,
            "twice": report * 2, "large": report + bytes(1 << 20),
        }
        statuses = {name: sent(s, request, bytes_) for name, bytes_ in refused.items()}
        affirmed(s, request)
        return str(statuses)


def another_guests_report_gets_no_token():
    with server() as s:
        request, other = fresh(s), fresh(s)
        status, answer = verify(s, {**request, "evidence": other["evidence"]})
        assert status == 200 and answer["verdict"] == "contraindicated" and "token" not in answer
        status, answer = verify(s, fresh(s, "debug"))
        assert status == 200 and answer["verdict"] == "contraindicated" and answer["token_withheld"] == {"code": "TOKEN_VERDICT"}, answer
        status, answer = verify(s, fresh(s, policy="hardware-only", audience=None, key=None))
        assert status == 200 and answer["verdict"] == "warning" and "token" not in answer and answer["token_withheld"], answer
        status, answer = verify(s, fresh(s, policy="test", audience="https://stranger.example"))
        assert status == 403 and answer["code"] == "AUDIENCE_NOT_OF_POLICY", answer
        affirmed(s, request)


run_all(globals())
