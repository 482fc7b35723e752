# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: a folder of tokens, good and bad, and how a real relying party answers each.
#
#   tokens            makes $work with jwks.json and good, audience, expired, flipped-*, warning .jwt
#   need TOOL...      ends with 1 and says so when a tool is missing
#   free_port         prints a port of 127.0.0.1 that nobody listens on
#   started PID PORT  waits until something listens; false when PID ends before
#   expect NAME CODE  asks $url with the token and compares the HTTP status
#
# ATTESTD_BUILD is the build folder. ATTESTD_TOKEN and ATTESTD_JWKS (files), when set, are a token of a running attestd and its keys, used in
# place of minted ones; ATTESTD_ISSUER and ATTESTD_AUDIENCE then say whose it is and for whom, and ATTESTD_ALLOW_SIMULATED=1 lets a token over
# simulated evidence pass, which the configurations refuse. ATTESTD_BAD_TOKENS: a folder of tokens (*.jwt) that are to be refused as well.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${ATTESTD_BUILD:-$here/../../build/release}
issuer=${ATTESTD_ISSUER:-https://attestd.example}
audience=${ATTESTD_AUDIENCE:-https://kms.example}
work=$(mktemp -d)
chmod 755 "$work"
pids=()

finish() {
    local code=$? pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    if [ $code -ne 0 ]; then
        for log in "$work"/*.log; do
            [ ! -s "$log" ] || { echo "--- $(basename "$log")"; tail -n 40 "$log"; }
        done
    fi
    rm -rf "$work"
    exit $code
}
trap finish EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

need() {
    local tool
    for tool in "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || fail "$tool is not installed (scripts/install-packages check)"
    done
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

started() {
    local pid=$1 port=$2 try
    for try in $(seq 100); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

mint() {
    "$build/bin/mint_token" --keys "$work/keys" --issuer "$issuer" "$@"
}

# One bit of the byte that the part's middle character carries.
flip() { # flip FILE PART(1 header, 2 payload, 3 signature)
    python3 - "$1" "$2" <<'PYTHON'
import base64, sys
parts = open(sys.argv[1]).read().strip().split(".")
part = int(sys.argv[2]) - 1
raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=" * (-len(parts[part]) % 4)))
raw[len(raw) // 2] ^= 1
parts[part] = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
print(".".join(parts))
PYTHON
}

# The payload with one member changed, under the old signature.
reword() { # reword FILE MEMBER JSON
    python3 - "$1" "$2" "$3" <<'PYTHON'
import base64, json, sys
parts = open(sys.argv[1]).read().strip().split(".")
claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
claims[sys.argv[2]] = json.loads(sys.argv[3])
parts[1] = base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=").decode()
print(".".join(parts))
PYTHON
}

tokens() {
    need python3
    if [ -n "${ATTESTD_TOKEN:-}" ]; then
        tr -d '\n' <"$ATTESTD_TOKEN" >"$work/good.jwt"
        cp "$ATTESTD_JWKS" "$work/jwks.json"
        [ -z "${ATTESTD_BAD_TOKENS:-}" ] || cp "$ATTESTD_BAD_TOKENS"/*.jwt "$work/"
    else
        [ -x "$build/bin/mint_token" ] || fail "$build/bin/mint_token is not built"
        mint --audience "$audience" --gpus 1 --jwks "$work/jwks.json" >"$work/good.jwt"
        mint --audience "$audience/other" >"$work/audience.jwt"
        mint --audience "$audience" --expires-in -120 >"$work/expired.jwt"
        mint --audience "$audience" --warning >"$work/warning.jwt"
        mint --audience "$audience" --simulated >"$work/simulated.jwt"
        mint --audience "$audience" --issuer "$issuer/other" >"$work/issuer.jwt"
        "$build/bin/mint_token" --keys "$work/other-keys" --issuer "$issuer" --audience "$audience" >"$work/foreign-key.jwt"
    fi
    reword "$work/good.jwt" aud "\"$audience/other\"" >"$work/audience-forged.jwt"
    reword "$work/good.jwt" exp 4102444800 >"$work/expiry-forged.jwt"
    flip "$work/good.jwt" 1 >"$work/flipped-header.jwt"
    flip "$work/good.jwt" 2 >"$work/flipped-payload.jwt"
    flip "$work/good.jwt" 3 >"$work/flipped-signature.jwt"
    chmod 644 "$work"/*.jwt "$work/jwks.json"
}

# A configuration of this folder with its @NAME@s filled in: fill FILE NAME=VALUE...
fill() {
    local file=$1 pair script=()
    shift
    for pair in "$@"; do script+=(-e "s|@${pair%%=*}@|${pair#*=}|g"); done
    [ -z "${ATTESTD_ALLOW_SIMULATED:-}" ] || script+=(-e '/simulated/d')
    sed "${script[@]}" "$here/$file"
}

# Names of the tokens that must be refused.
bad_tokens() {
    local file
    for file in "$work"/*.jwt; do
        [ "$file" = "$work/good.jwt" ] || basename "$file" .jwt
    done
}

ask() { # ask TOKENFILE: prints the HTTP status
    curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$1")" "$url"
}

judge() { # the good token passes, before and after all bad ones are refused; none at all is refused
    local name code
    [ "$(ask "$work/good.jwt")" = 200 ] || fail "the good token got $(ask "$work/good.jwt")"
    for name in $(bad_tokens); do
        code=$(ask "$work/$name.jwt")
        case "$code" in
        401 | 403) echo "refused with $code: $name" ;;
        *) fail "$name got $code" ;;
        esac
    done
    code=$(curl -s -o /dev/null -w '%{http_code}' "$url")
    [ "$code" = 401 ] || fail "no token at all got $code"
    [ "$(ask "$work/good.jwt")" = 200 ] || fail "the good token was refused after the bad ones"
    echo "accepted: good"
}
