#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Apache with mod_auth_openidc (oauth20, keys by JWKS URI) as relying party: configuration as in docs/relying-party.md.
. "$(dirname "$0")/tokens.bash"
need apache2 curl openssl
modules=/usr/lib/apache2/modules
[ -e "$modules/mod_auth_openidc.so" ] || fail "mod_auth_openidc is not installed (scripts/install-packages check)"
tokens

mkdir -p "$work/site" "$work/keys-site/.well-known"
echo attested >"$work/site/index.html"
cp "$work/jwks.json" "$work/keys-site/.well-known/jwks.json"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$work/tls.key" -out "$work/tls.crt" 2>"$work/openssl.log"
port=$(free_port)
keys_port=$(free_port)
url=http://127.0.0.1:$port/
fill apache.conf "PORT=$port" "KEYS_PORT=$keys_port" "WORK=$work" "MODULES=$modules" "ISSUER=$issuer" "AUDIENCE=$audience" >"$work/apache.conf"
[ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n' >>"$work/apache.conf"
PATH=$PATH:/usr/sbin apache2 -X -DFOREGROUND -f "$work/apache.conf" >"$work/start.log" 2>&1 &
pids+=($!)
started $! "$port" || fail "Apache did not start"
judge
