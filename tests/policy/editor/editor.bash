#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The schema for editors, written by test-policy-snp, under npm's ajv. The packages lie in the build folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${ATTESTD_BUILD:?names the build folder}
for tool in node npm; do
    command -v $tool >/dev/null || { echo "editor: $tool is missing (scripts/install-packages check)" >&2; exit 1; }
done
packages=$build/policy-editor-packages
mkdir -p "$packages"
cp "$here/package.json" "$here/schema.mjs" "$packages/"
if [ ! -d "$packages/node_modules/ajv" ] || [ ! -d "$packages/node_modules/yaml" ]; then
    (cd "$packages" && npm install --no-package-lock --ignore-scripts --no-audit --no-fund) >"$packages/npm.log" 2>&1 ||
        { cat "$packages/npm.log" >&2; exit 1; }
fi
node "$packages/schema.mjs" "$build/policy.schema.json" "$here/../../../examples/policies"
