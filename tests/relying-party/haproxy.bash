#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# HAProxy (jwt_verify) as relying party: configuration as in docs/relying-party.md.
. "$(dirname "$0")/tokens.bash"
need haproxy curl node
tokens

# HAProxy wants the key as PEM.
node "$here/jwks-to-pem.mjs" "$work/jwks.json" >"$work/attestd.pem"
port=$(free_port)
url=http://127.0.0.1:$port/
fill haproxy.cfg "PORT=$port" "KEY=$work/attestd.pem" "ISSUER=$issuer" "AUDIENCE=$audience" >"$work/haproxy.cfg"
PATH=$PATH:/usr/sbin haproxy -c -f "$work/haproxy.cfg" >"$work/configuration.log" 2>&1 || fail "HAProxy refuses its configuration"
PATH=$PATH:/usr/sbin haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
pids+=($!)
started $! "$port" || fail "HAProxy did not start"
judge
