#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# attestctl token inspect, verify and rotate, with the keys from a file and by discovery.
. "$(dirname "$0")/tokens.bash"
need jq
attestctl=${ATTESTCTL:-$build/bin/attestctl}
[ -x "$attestctl" ] || fail "$attestctl is not built"

# The issuer is a static web server: its two documents are all that verification needs.
port=$(free_port)
issuer=http://127.0.0.1:$port
tokens
mkdir -p "$work/site/.well-known"
cp "$work/jwks.json" "$work/site/.well-known/"
printf '{"issuer":"%s","jwks_uri":"%s/.well-known/jwks.json"}' "$issuer" "$issuer" >"$work/site/.well-known/openid-configuration"
python3 -m http.server --bind 127.0.0.1 --directory "$work/site" "$port" >"$work/site.log" 2>&1 &
pids+=($!)
started $! "$port" || fail "the web server did not start"

verify() { # verify TOKENFILE [OPTION]...
    local token=$1
    shift
    "$attestctl" token verify --issuer "$issuer" --audience "$audience" "$@" "$token" 2>>"$work/verify.log"
}

status_of() { # status_of TOKENFILE [OPTION]...
    verify "$@" --json | jq -r .status || true
}

expect() { # expect WHAT STATUS TOKENFILE [OPTION]...
    local what=$1 wanted=$2 got
    shift 2
    got=$(status_of "$@")
    [ "$got" = "$wanted" ] || fail "$what: $got instead of $wanted"
    if [ "$wanted" = OK ]; then verify "$@" >/dev/null || fail "$what: exit $?"; elif verify "$@" >/dev/null; then fail "$what: exit 0"; fi
    echo "$what: $got"
}

good=$work/good.jwt
nonce=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
digest=sha256:$(printf '9f%.0s' $(seq 32))
expect "keys by discovery" OK "$good"
expect "keys from a file" OK "$good" --jwks "$work/jwks.json"
expect "keys from an address" OK "$good" --jwks "$issuer/.well-known/jwks.json"
expect "everything expected" OK "$good" --nonce $nonce --policy-digest sha256:00 --policy-digest "$digest"
expect "another nonce" NONCE "$good" --nonce "$nonce"x
expect "another policy" POLICY "$good" --policy-digest sha256:00
expect "a later time" EXPIRED "$good" --at 2100-01-01T00:00:00Z
expect "an earlier time" NOT_YET "$good" --at 2020-01-01T00:00:00Z
expect "another audience" AUDIENCE "$work/audience.jwt"
expect "an expired token" EXPIRED "$work/expired.jwt"
expect "another issuer" ISSUER "$work/issuer.jwt"
expect "a warning" NOT_AFFIRMING "$work/warning.jwt"
expect "a warning that is allowed" OK "$work/warning.jwt" --allow-warning
expect "a forged audience" SIGNATURE "$work/audience-forged.jwt"
expect "a flipped payload" SIGNATURE "$work/flipped-payload.jwt"
expect "a flipped signature" SIGNATURE "$work/flipped-signature.jwt"
expect "a key that is not published" KEY_UNKNOWN "$work/foreign-key.jwt"
expect "no keys" UNAVAILABLE "$good" --jwks "$issuer/nowhere"
expect "simulated evidence" SIMULATED "$work/simulated.jwt"
expect "simulated evidence that is allowed" OK "$work/simulated.jwt" --allow-simulated
jq -c .keys[0] "$work/jwks.json" >"$work/signing.jwk"
expect "a key that is not bound" KEY_BINDING "$good" --key "$work/signing.jwk"
"$attestctl" token inspect --json "$good" | jq -c .claims.cnf.jwk >"$work/bound.jwk"
expect "the bound key" OK "$good" --key "$work/bound.jwk"
mint --audience "$audience" --kind oidc >"$work/flat.jwt"
expect "the flat token" OK "$work/flat.jwt" --key "$work/bound.jwk" --policy-digest "$digest"

verify - --jwks "$work/jwks.json" <"$good" >/dev/null || fail "a token from standard input"
printf '%s\n' "$(cat "$good")" | verify - --jwks "$work/jwks.json" >/dev/null || fail "a token from a pipe"

sed -i 's|"issuer":"|&x|' "$work/site/.well-known/openid-configuration"
expect "the discovery document of another issuer" UNAVAILABLE "$good"

[ "$("$attestctl" token inspect --json "$work/flipped-signature.jwt" | jq -r '"\(.verified) \(.header.alg) \(.claims.aud)"')" = "false ES256 $audience" ] ||
    fail "token inspect --json"
case "$("$attestctl" token inspect "$good")" in *"not verified"*) ;; *) fail "token inspect says what it did not do" ;; esac
if "$attestctl" token inspect "$work/jwks.json" 2>>"$work/verify.log"; then fail "token inspect of what is no token"; fi
code=0
"$attestctl" token verify "$good" 2>/dev/null || code=$?
[ $code -eq 64 ] || fail "token verify without issuer and audience: exit $code"

# A rotation, seen by the next process that opens the keys: published beside the old one, not yet signing.
before=$(jq -r .keys[0].kid "$work/jwks.json")
"$attestctl" token rotate --overlap 1h "$work/keys" || fail "token rotate"
if "$attestctl" token rotate --overlap 1h "$work/keys" 2>/dev/null; then fail "a second rotation while a key waits"; fi
mint --audience "$audience" --jwks "$work/rotated.json" >"$work/after.jwt"
[ "$(jq -r '"\(.keys | length) \(.keys[0].kid)"' "$work/rotated.json")" = "2 $before" ] || fail "the JWKS after a rotation"
expect "a token signed during the overlap" OK "$work/after.jwt" --jwks "$work/jwks.json"
if "$attestctl" token rotate "$work/nowhere" 2>/dev/null || [ -e "$work/nowhere" ]; then fail "token rotate in a directory that is not there"; fi
