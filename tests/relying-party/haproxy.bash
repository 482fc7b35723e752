#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# HAProxy (jwt_verify) as relying party: configuration as in docs/relying-party.md.
. "$(dirname "$0")/tokens.bash"
need haproxy curl node
# Ubuntu 22.04 has 2.4, which does not know jwt_verify (2.5).
version=$(PATH=$PATH:/usr/sbin haproxy -v | sed -n 's/^HAProxy version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p; s/^HA-Proxy version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
read -r major minor <<<"${version:-0 0}"
if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 5 ]; }; then
    echo "SKIPPED: HAProxy $major.$minor has no jwt_verify"
    exit 77
fi
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
