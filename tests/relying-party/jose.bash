#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# npm's jose as relying party, keys by JWKS URI: jose 4, and jose 6 where node is new enough for it. The packages lie in the build folder.
. "$(dirname "$0")/tokens.bash"
need node npm
tokens

packages=$build/relying-party-packages
mkdir -p "$packages"
cp "$here/package.json" "$here/jose.mjs" "$packages/"
if [ ! -d "$packages/node_modules/jose" ] || [ ! -d "$packages/node_modules/jose-4" ]; then
    (cd "$packages" && npm install --no-package-lock --ignore-scripts --no-audit --no-fund) >"$work/npm.log" 2>&1 ||
        fail "npm could not install jose"
fi
versions=jose-4
[ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ] || versions="jose-4 jose"
for version in $versions; do
    node "$packages/jose.mjs" "$version" "$work/jwks.json" "$issuer" "$audience" good "$work/good.jwt" $(
        for name in $(bad_tokens); do printf '%s %s ' "$name" "$work/$name.jwt"; done
    ) || fail "$version"
done
