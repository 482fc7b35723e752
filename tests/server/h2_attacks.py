#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a hostile client can do to the transport: each attack must end with its connections closed and the server's memory bounded, while
another client is served. HTTP/2 frames are written by hand (RFC 9113, RFC 7541)."""
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from attestd_process import SANITIZED, Attestd, run  # noqa: E402

TIMEOUT = 3  # http.request_timeout of the server under attack, seconds
MEMORY = 200 * (4 if SANITIZED else 1)  # MiB that an attack may cost

HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION, DATA = 1, 3, 4, 6, 9, 0
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(text):
    return bytes([len(text)]) + text.encode()


def head(path, method):
    # static table: :method GET 2, POST 3; :scheme https 7; :path 4, :authority 1 as literals that are not indexed
    return bytes([0x82 if method == "GET" else 0x83, 0x87, 0x04]) + literal(path) + b"\x01" + literal("localhost")


def connect(server, alpn="h2"):
    context = server.tls()
    if alpn:
        context.set_alpn_protocols([alpn])
    s = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=10), server_hostname="127.0.0.1")
    s.settimeout(5)
    return s


def h2(server, settings=b""):
    s = connect(server)
    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings) + frame(SETTINGS, ACK, 0))
    return s


def drain(s):
    """Reads what is there. False: the connection has ended."""
    s.setblocking(False)
    try:
        while True:
            if not s.recv(65536):
                return False
    except (ssl.SSLWantReadError, BlockingIOError):
        return True
    except OSError:
        return False
    finally:
        s.settimeout(5)


def closed_within(s, seconds, feed=None):
    """Seconds until the server closes; None when it does not. feed() is called four times a second."""
    began = time.monotonic()
    s.settimeout(0.25)
    while time.monotonic() - began < seconds:
        try:
            if feed:
                feed()
            if not s.recv(65536):
                return time.monotonic() - began
        except (TimeoutError, socket.timeout, ssl.SSLWantReadError):
            pass
        except OSError:
            return time.monotonic() - began
    return None


class Bystander:
    """Another client, on new connections, all the while."""

    def __init__(self, server):
        self.server, self.worst, self.count, self.stop, self.error = server, 0.0, 0, False, None
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while not self.stop:
            began = time.monotonic()
            try:
                if self.server.request("GET", "/livez", timeout=5).status != 200:
                    self.error = "not 200"
            except OSError as error:
                self.error = error
            self.worst = max(self.worst, time.monotonic() - began)
            self.count += 1
            time.sleep(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        assert self.error is None, f"another client was not served: {self.error}"
        assert self.count > 0 and self.worst < 3, f"another client waited {self.worst:.1f} s"


def attacked(attack, config=None, memory=MEMORY):
    with Attestd({"http": {"request_timeout": f"{TIMEOUT}s", **(config or {})}}) as server:
        before = server.memory()
        peak = [before]
        done = threading.Event()

        def watch():
            while not done.wait(0.02):
                peak[0] = max(peak[0], server.memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            with Bystander(server) as bystander:
                note = attack(server)
        finally:
            done.set()
            watcher.join()
        assert peak[0] - before < memory, f"memory grew from {before} to {peak[0]} MiB"
        assert server.answers()
        return f"{note}; memory {before} -> {peak[0]} MiB; another client: {bystander.count} requests, worst {bystander.worst * 1000:.0f} ms"


def rapid_reset_ends_the_connection():
    def attack(server):
        s, stream, sent, began = h2(server), 1, 0, time.monotonic()
        try:
            while time.monotonic() - began < 5:
                block = b""
                for _ in range(100):
                    block += frame(HEADERS, END_STREAM | END_HEADERS, stream, head("/verify", "POST"))
                    block += frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
                    stream, sent = stream + 2, sent + 1
                s.sendall(block)
                if not drain(s):
                    break
        except OSError:
            pass
        took = time.monotonic() - began
        assert took < 4, "the connection was not closed"
        return f"closed after {sent} resets, {took:.2f} s"

    return attacked(attack)


def header_bomb_ends_the_connection():
    """One entry in the dynamic table, then a byte for each of 368,000 headers, on a request left open."""

    def attack(server):
        s, stream, sent = h2(server), 1, 0
        try:
            for k in range(8):
                block = head("/verify", "POST") + (b"\x40" + literal("a") + literal("") if k == 0 else b"")
                s.sendall(frame(HEADERS, 0, stream, block + b"\xbe" * 16000))
                for c in range(22):
                    s.sendall(frame(CONTINUATION, END_HEADERS if c == 21 else 0, stream, b"\xbe" * 16000))
                    sent += 16000
                stream += 2
        except OSError:
            pass
        took = closed_within(s, TIMEOUT + 2)
        assert took is not None, "the connection was not closed"
        return f"closed {took:.2f} s after {sent / 1e6:.1f} MB"

    return attacked(attack)


def many_header_bombs_at_once_stay_bounded():
    def attack(server):
        def one():
            try:
                s = h2(server)
                s.sendall(frame(HEADERS, 0, 1, head("/verify", "POST") + b"\x40" + literal("a") + literal("") + b"\xbe" * 16000))
                for c in range(22):
                    s.sendall(frame(CONTINUATION, END_HEADERS if c == 21 else 0, 1, b"\xbe" * 16000))
                assert closed_within(s, TIMEOUT + 2) is not None
            except OSError:
                pass

        threads = [threading.Thread(target=one) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return "16 connections"

    return attacked(attack)


def header_bomb_behind_a_waiting_body_ends_the_connection():
    """While a body is awaited its bytes cannot be told from a header block's: the block is let in, and ends the connection then."""

    def attack(server):
        s = h2(server)
        try:
            s.sendall(frame(HEADERS, END_HEADERS, 1, head("/verify", "POST")) + frame(DATA, 0, 1, b"x"))
            time.sleep(0.1)
            s.sendall(frame(HEADERS, 0, 3, head("/verify", "POST") + b"\x40" + literal("a") + literal("") + b"\xbe" * 16000))
            for c in range(22):
                s.sendall(frame(CONTINUATION, END_HEADERS if c == 21 else 0, 3, b"\xbe" * 16000))
        except OSError:
            pass
        took = closed_within(s, TIMEOUT + 2)
        assert took is not None, "the connection was not closed"
        return f"closed after {took:.2f} s"

    return attacked(attack)


def too_many_headers_end_the_connection():
    def attack(server):
        s = h2(server)
        block = head("/livez", "GET") + b"".join(b"\x00" + literal(f"x-{i}") + literal("v") for i in range(80))
        s.sendall(frame(HEADERS, END_STREAM | END_HEADERS, 1, block))
        took = closed_within(s, TIMEOUT + 2)
        assert took is not None
        return f"closed after {took:.2f} s"

    return attacked(attack)


def stalled_window_ends_the_connection():
    def attack(server):
        s = h2(server, struct.pack(">HI", 4, 0))  # SETTINGS_INITIAL_WINDOW_SIZE 0: nothing can be sent to us
        for i in range(50):
            s.sendall(frame(HEADERS, END_STREAM | END_HEADERS, 1 + 2 * i, head("/livez", "GET")))
        # pings keep it from being idle
        took = closed_within(s, TIMEOUT + 4, lambda: s.sendall(frame(PING, 0, 0, b"12345678")))
        assert took is not None, "the connection was not closed"
        return f"closed after {took:.1f} s"

    return attacked(attack)


def slow_body_ends_the_connection():
    def attack(server):
        s = h2(server)
        s.sendall(frame(HEADERS, END_HEADERS, 1, head("/verify", "POST")))
        took = closed_within(s, TIMEOUT + 4, lambda: s.sendall(frame(DATA, 0, 1, b"x")))
        assert took is not None, "the connection was not closed"
        return f"closed after {took:.1f} s"

    return attacked(attack)


def parked_bodies_stay_within_the_bound():
    """Forty connections, each with bodies of 3.9 MiB on ten streams, none of which ends: 1.6 GB if all were kept."""

    def attack(server):
        ended = []

        def one():
            s, took = h2(server), None
            try:
                for stream in range(1, 21, 2):
                    s.sendall(frame(HEADERS, END_HEADERS, stream, head("/verify", "POST")))
                    for _ in range(240):
                        s.sendall(frame(DATA, 0, stream, b"p" * 16384))
                        drain(s)
                took = closed_within(s, TIMEOUT + 4)
            except OSError:
                took = 0
            ended.append(took is not None)
            s.close()

        threads = [threading.Thread(target=one) for _ in range(40)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert all(ended), "a connection was not closed"
        return "40 connections closed"

    return attacked(attack, config={"bodies_in_all": "64MiB"}, memory=300 * (4 if SANITIZED else 1))


def flood(server, block, read):
    s, began, sent = h2(server), time.monotonic(), 0
    s.settimeout(1)
    try:
        while time.monotonic() - began < 3:
            s.sendall(block)
            sent += len(block)
            if read and not drain(s):
                break
    except OSError:
        pass
    return s, f"{sent / 1e6:.0f} MB sent"


def ping_flood_costs_no_memory():
    return attacked(lambda server: flood(server, frame(PING, 0, 0, b"12345678") * 500, True)[1])


def ping_flood_whose_answers_are_not_read_costs_no_memory():
    def attack(server):
        s, note = flood(server, frame(PING, 0, 0, b"12345678") * 500, False)
        return note

    return attacked(attack)


def settings_flood_costs_no_memory():
    return attacked(lambda server: flood(server, frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)) * 500, False)[1])


def http1_slow_body_and_slow_head_end_the_connection():
    def attack(server):
        s = connect(server, None)
        s.sendall(b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
        body = closed_within(s, TIMEOUT + 4, lambda: s.sendall(b"x"))
        s = connect(server, None)
        s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        header = closed_within(s, 3 * TIMEOUT + 4, lambda: s.sendall(b"x: y\r\n"))
        assert body is not None and header is not None, f"not closed: body {body}, head {header}"
        return f"body closed after {body:.1f} s, head after {header:.1f} s"

    return attacked(attack)


def connection_without_a_handshake_is_closed():
    def attack(server):
        s = socket.create_connection(("127.0.0.1", server.port))
        took = closed_within(s, 10)
        assert took is not None
        return f"closed after {took:.1f} s"

    return attacked(attack)


def connections_of_one_address_are_limited():
    def attack(server):
        sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
        time.sleep(0.3)
        open_ones = sum(drain(s) for s in sockets)
        assert open_ones <= 40, f"{open_ones} are open"
        for s in sockets:
            s.close()
        time.sleep(0.3)
        assert server.answers()
        return f"{open_ones} of 60 stayed"

    with Attestd({"http": {"connections_per_address": 40, "request_timeout": "3s"}}) as server:
        return attack(server)


def body_over_the_limit_is_answered_with_a_problem():
    with Attestd() as server:
        for size, in_time in ((4 * 1024 * 1024 + 1, True), (12 * 1024 * 1024, True)):
            answer = server.request("POST", "/verify", b"x" * size, {"content-type": "application/json"}, timeout=20)
            assert answer.status == 413 and b"BODY_TOO_LARGE" in answer.text, (answer.status, answer.text)
        answer = server.request("POST", "/verify", b"x" * (4 * 1024 * 1024), {"content-type": "application/json"}, timeout=20)
        assert answer.status == 400 and b"JSON_MALFORMED" in answer.text, (answer.status, answer.text)


def http1_is_refused_when_only_http2_is_served():
    with Attestd() as first:  # makes the certificate
        folder = first.folder
        first.config["http"] = {"http2_only": True}
        first.stop()
        first.answers = lambda: True
        first.start()
        context = first.tls()
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", first.port)), server_hostname="127.0.0.1")
        s.settimeout(5)
        s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while True:
            part = s.recv(65536)
            if not part:
                break
            answer += part
        assert answer.startswith(b"HTTP/1.1 505") and answer.count(b"HTTP/1.1") == 1, answer
        s = h2(first)
        s.sendall(frame(HEADERS, END_STREAM | END_HEADERS, 1, head("/livez", "GET")))
        answer, began = b"", time.monotonic()
        while b'{"live":true}' not in answer:
            answer += s.recv(65536)
            assert time.monotonic() - began < 5
    return folder and ""


def curl_is_served_over_both_versions_and_the_socket():
    if not shutil.which("curl"):
        return "*** curl is not installed: NOT tested"
    with Attestd() as server:
        ca, url = os.path.join(server.state, "tls", "certificate.pem"), f"https://localhost:{server.port}/v1/challenge"
        big = os.path.join(server.folder, "big")
        with open(big, "wb") as file:
            file.write(b"x" * (4 * 1024 * 1024 + 1))

        def curl(*arguments):
            ended = subprocess.run(["curl", "-sS", "-w", "\n%{http_version} %{http_code}", *arguments], capture_output=True, text=True,
                                   timeout=20)
            assert ended.returncode == 0, ended.stderr
            return ended.stdout.rsplit("\n", 1)

        assert curl("--cacert", ca, "-X", "POST", url)[1] == "2 200"
        assert curl("--cacert", ca, "--http1.1", "-X", "POST", url)[1] == "1.1 200"
        assert curl("--cacert", ca, "--tlsv1.3", "-I", url.replace("/v1/challenge", "/livez"))[1] == "2 200"
        assert subprocess.run(["curl", "-sS", "--cacert", ca, "--tls-max", "1.2", url], capture_output=True).returncode == 35
        body, status = curl("--cacert", ca, "--data-binary", "@" + big, "-H", "content-type: application/json",
                            url.replace("/v1/challenge", "/verify"))
        assert status == "2 413" and "BODY_TOO_LARGE" in body  # not a reset that a client would try again
        assert curl("--unix-socket", os.path.join(server.state, "operator.sock"), "http://attestd/v1/checks")[1] == "1.1 200"
    with Attestd({"tls": {"minimum": "1.2"}, "listen": [{"address": "127.0.0.1", "port": 0}, {"address": "::1", "port": 0}]}) as server:
        ca = os.path.join(server.state, "tls", "certificate.pem")
        assert subprocess.run(["curl", "-sS", "--cacert", ca, "--tls-max", "1.2", f"https://127.0.0.1:{server.port}/livez"],
                              capture_output=True).returncode == 0


def paths_and_methods_are_exact():
    with Attestd() as server:
        for path in ("/livez/", "/livez/x", "//livez", "/LIVEZ", "/v1//livez", "/v1/livez/..", "/%6civez", "/", "/v1", "/v1/", "/v2/livez",
                     "/livez;x", "/checks", "/policies"):
            status, problem = server.json("GET", path)
            assert status == 404 and problem["code"] == "NOT_FOUND", (path, status)
        for path in ("/livez", "/v1/livez", "/readyz", "/v1/.well-known/jwks.json", "/openapi.yaml", "/metrics", "/livez?x=1"):
            assert server.request("GET", path).status == 200, path
        answer = server.request("DELETE", "/challenge")
        assert answer.status == 405 and answer.headers["allow"] == "POST"
        answer = server.request("HEAD", "/livez")
        assert answer.status == 200 and answer.headers["content-length"] == "13" and answer.text == b""
        answer = server.request("OPTIONS", "/livez")
        assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD"


def stopping_lets_an_open_request_end():
    with Attestd() as server:
        s = connect(server, None)
        s.sendall(b"POST /v1/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
        time.sleep(0.2)
        server.process.terminate()
        time.sleep(0.2)
        s.sendall(b"abcd")
        answer = s.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        began = time.monotonic()
        assert server.stop() == 0
        return f"ended {time.monotonic() - began:.1f} s after its last answer"


run([
    curl_is_served_over_both_versions_and_the_socket,
    paths_and_methods_are_exact,
    body_over_the_limit_is_answered_with_a_problem,
    http1_is_refused_when_only_http2_is_served,
    stopping_lets_an_open_request_end,
    rapid_reset_ends_the_connection,
    header_bomb_ends_the_connection,
    many_header_bombs_at_once_stay_bounded,
    header_bomb_behind_a_waiting_body_ends_the_connection,
    too_many_headers_end_the_connection,
    stalled_window_ends_the_connection,
    slow_body_ends_the_connection,
    parked_bodies_stay_within_the_bound,
    ping_flood_costs_no_memory,
    ping_flood_whose_answers_are_not_read_costs_no_memory,
    settings_flood_costs_no_memory,
    http1_slow_body_and_slow_head_end_the_connection,
    connection_without_a_handshake_is_closed,
    connections_of_one_address_are_limited,
])
