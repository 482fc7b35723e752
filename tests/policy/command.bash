#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# attestctl policy: what operators type, over simulated evidence. Exit codes: 0 good, 1 not, 64 usage.
set -euo pipefail
build=${ATTESTD_BUILD:?names the build folder}
source=${ATTESTD_SOURCE:?names the source folder}
export ATTESTD_TRUST_ANCHORS=$source/trust-anchors ATTESTD_PLUGIN_DIR=$build/plugins
ctl=$build/bin/attestctl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# expect CODE WORDS COMMAND...: the exit code, and words of the output
expect() {
    local code=$1 words=$2 got=0
    shift 2
    "$@" >"$work/out" 2>&1 || got=$?
    if [ "$got" != "$code" ] || { [ -n "$words" ] && ! grep -qF -- "$words" "$work/out"; }; then
        printf 'expected %s and "%s" from: %s\ngot %s:\n' "$code" "$words" "$*" "$got" >&2
        cat "$work/out" >&2
        exit 1
    fi
}

$ctl simulate snp --vendor "$build/simulated-vendor" --product genoa --out "$work/guest" >/dev/null
evidence=$work/guest/report.bin
[ -f "$evidence" ] || evidence=$(ls "$work"/guest/*report* | head -n 1)
trust=(--anchor "snp/Genoa=$work/guest/ark.pem" --development --endorsements "$work/guest/endorsements" --offline)

# a starter is a policy, and takes the evidence it was made from
$ctl policy init --name fleet "${trust[@]}" "$evidence" >"$work/fleet.yaml"
expect 0 "fleet, version 1, sha256:" $ctl policy lint "$work/fleet.yaml"
expect 10 "snp.measurement" $ctl appraise --verbose --policy "$work/fleet.yaml" "${trust[@]}" "$evidence"
expect 1 "SNP_ANCHOR_UNKNOWN" $ctl policy init --offline --endorsements "$work/guest/endorsements" "$evidence"

# a bundle becomes a test
$ctl appraise --policy "$work/fleet.yaml" --bundle "$work/good.bundle" "${trust[@]}" "$evidence" >/dev/null || [ $? = 10 ]
expect 0 "reproduced byte for byte" $ctl replay "$work/good.bundle" # modes and their lines come back from the canonical form
mkdir "$work/policies"
{ cat "$work/fleet.yaml"; echo 'tests: [{name: good node, evidence: ../good.bundle, expect: warning}]'; } >"$work/policies/fleet.yaml"
expect 1 "POLICY_TEST_FIXTURE" $ctl policy test "$work/policies"
cp "$work/good.bundle" "$work/policies/"
sed -i 's|\.\./good|good|' "$work/policies/fleet.yaml"
expect 0 "1 policies, 1 tests, all as expected" $ctl policy test "$work/policies"
sed -i 's|expect: warning|expect: affirming|' "$work/policies/fleet.yaml"
expect 1 "POLICY_TEST_FAILED: test \`good node\`: expected affirming, got warning" $ctl policy test "$work/policies"
expect 0 "1 tests" $ctl policy lint "$work/policies"

# what is wrong has its place
printf 'policy: a\nsnp: {mesurement: [aa]}\n---\npolicy: b\nchecks: {snp.signature: warn}\n' >"$work/bad.yaml"
expect 1 "bad.yaml:2:7: POLICY_UNKNOWN_KEY: \`mesurement\` is not known here; did you mean \`measurement\`?" $ctl policy lint "$work/bad.yaml"
expect 1 "bad.yaml:5:10: POLICY_FIXED_CHECK" $ctl policy lint "$work/bad.yaml"
expect 1 "POLICY_DIRECTORY_EMPTY" $ctl policy lint "$work/guest"

# comparing, explaining, what ends soon
sed 's/^version: 1$/version: 2/' "$work/fleet.yaml" >"$work/fleet2.yaml"
expect 0 "" $ctl policy diff "$work/fleet.yaml" "$work/fleet.yaml"
expect 1 "policy.version: 1 -> 2" $ctl policy diff "$work/fleet.yaml" "$work/fleet2.yaml"
expect 0 "snp.measurement: 1 listed value" $ctl policy explain "$work/fleet.yaml"
expect 0 "NOTHING_COMPARED" $ctl policy explain hardware-only
expect 0 "" $ctl policy expiring --at 2026-11-20T00:00:00Z --within 1d "$source/examples/policies"
expect 1 "snp.revocation, ops@example.org, KDS mirror moves" $ctl policy expiring --at 2026-12-10T00:00:00Z --within 14d "$source/examples/policies"
expect 0 '"$schema"' $ctl policy schema

# usage
expect 64 "wants an EVIDENCE file" $ctl policy init
expect 64 "wants BEFORE and AFTER" $ctl policy diff "$work/fleet.yaml"
expect 64 "there is no such subcommand" $ctl policy frobnicate
expect 0 "usage: attestctl policy lint" $ctl policy lint --help
echo "attestctl policy does what it says"
