#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every real SEV-SNP report of the vectors' folder through `attestctl appraise`, offline, at a time within the validity of its certificate."""
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "server"))
from attestd_process import BUILD, SOURCE, run  # noqa: E402

VECTORS = os.path.join(os.environ.get("ATTESTD_VECTORS", os.path.join(SOURCE, "..", "shared", "vectors")), "snp")
ATTESTCTL = os.path.join(BUILD, "bin", "attestctl")
os.environ["ATTESTD_TRUST_ANCHORS"] = os.path.join(SOURCE, "trust-anchors")
ROOM = tempfile.TemporaryDirectory(prefix="attestd-shows-")
STRICT = """policy: strict-lists
version: 1
freshness: {challenge: none}
defaults: {mode: warn}
snp:
  guest_policy: {debug: any, migration_agent: any}
  vmpl: {allow: [0, 1, 2, 3]}
  revocation: {mode: strict}
"""


def scalar(text):
    text = text.strip()
    if text[:1] in "'\"":
        return text[1:-1]
    return {"true": True, "false": False, "null": None}.get(text, int(text) if re.fullmatch(r"-?(0|[1-9][0-9]*)", text) else text)


def manifest():
    """{file: entry} of the MANIFEST: block maps of scalars are all that is read of it."""
    files, stack = {}, []
    for line in open(os.path.join(VECTORS, "MANIFEST.yaml")):
        first = re.match(r"- file: (\S+)$", line)
        if first:
            entry = files.setdefault(first.group(1), {})
            stack = [(2, entry)]
            continue
        member = re.match(r"( +)([a-z0-9_]+):(?: (.*))?$", line)
        if not stack or not member:
            continue
        indent, name, value = len(member.group(1)), member.group(2), member.group(3)
        while stack and stack[-1][0] > indent:
            stack.pop()
        if not stack or stack[-1][0] != indent:
            continue
        if value is None:
            inner = stack[-1][1].setdefault(name, {})
            stack.append((indent + 2, inner))
        else:
            stack[-1][1][name] = scalar(value)
    return files


FILES = manifest() if os.path.exists(os.path.join(VECTORS, "MANIFEST.yaml")) else {}


def needs_vectors(test):
    def tested():
        if not FILES:
            return f"*** NOT TESTED: the VECTORS are not at {VECTORS}; set ATTESTD_VECTORS ***"
        return test()

    tested.__name__ = test.__name__
    return tested


def reports(verified=True):
    return [name for name, entry in FILES.items() if re.search(r"\.(report|hcl)\.bin$", name) and "version" in entry.get("expect", {})
            and (entry["expect"].get("signature_valid") is True) == verified]


def real():
    return [name for name in reports() if not name.startswith("synth-")]


def evidence(name):
    """The report's own file; the one inside an Azure HCL report is cut out of it."""
    path = os.path.join(VECTORS, name)
    if not name.endswith(".hcl.bin"):
        return path
    cut = os.path.join(ROOM.name, name)
    with open(path, "rb") as whole, open(cut, "wb") as out:
        out.write(whole.read()[0x20:0x20 + 1184])
    return cut


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def validity(name):
    certificate = FILES[FILES[name]["expect"]["verified_by"]]["cert"]
    return moment(certificate["not_before"]), moment(certificate["not_after"])


def inside(name):
    return validity(name)[0] + datetime.timedelta(days=30)


def appraise(*arguments, at, folder=True):
    command = [ATTESTCTL, "appraise", "--offline", *(["--endorsements", VECTORS] if folder else []), "--at", at.strftime("%Y-%m-%dT%H:%M:%SZ"), "--json"]
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
    return ended.returncode, json.loads(ended.stdout) if ended.stdout.startswith("{") else ended.stderr


def checks_of(answer):
    """{id: (outcome, code)}, of an answer or of the appraisal within a problem"""
    answer = answer.get("appraisal", answer)
    listed = [c for piece in answer["evidence"].values() for c in piece["checks"]] + answer["checks"]
    return {c["id"]: (c["outcome"], c.get("code")) for c in listed}


def fixed_checks():
    listed = json.loads(subprocess.run([ATTESTCTL, "checks", "--json"], capture_output=True, text=True, check=True).stdout)
    listed = listed if isinstance(listed, list) else listed["checks"]
    return {c["id"] for c in listed if c["fixed"]}


# --- claims: name in the answer, name in the MANIFEST
FLAGS = {
    "policy": {"smt_allowed": "smt", "migration_agent_allowed": "migrate_ma", "debug_allowed": "debug", "single_socket_required": "single_socket",
               "cxl_allowed": "cxl_allow", "memory_aes_256_xts_required": "mem_aes_256_xts", "rapl_disabled_required": "rapl_dis",
               "ciphertext_hiding_required": "ciphertext_hiding", "page_swap_disabled": "page_swap_disabled"},
    "platform": {"smt_enabled": "smt", "tsme_enabled": "tsme", "ecc_enabled": "ecc", "rapl_disabled": "rapl_dis",
                 "ciphertext_hiding_enabled": "ciphertext_hiding", "alias_check_complete": "alias_check", "iommu_write_safe": "bit6",
                 "tio_enabled": "tio"},
}
TCB = {"bootloader": "bl", "tee": "tee", "snp": "snp", "microcode": "ucode", "fmc": "fmc"}
HEX = ("measurement", "report_data", "host_data", "family_id", "image_id", "report_id", "report_id_ma", "id_key_digest")


def equal(where, got, wanted):
    if wanted == "all zero":
        wanted = "0" * len(got)
    assert got == wanted, f"{where}: {got!r}, and the MANIFEST says {wanted!r}"


def claims_equal(name, claims, wanted):
    equal(name, claims["report_version"], wanted["version"])
    equal(name, claims["product"], wanted["product"])
    equal(name, claims["signing_key"], wanted["signing_key"].lower())
    for member in ("vmpl", "guest_svn", "current_version", "committed_version"):
        equal(f"{name} {member}", claims[member], wanted[member])
    for member in HEX:
        equal(f"{name} {member}", claims[member], str(wanted[member]))
    for group, members in FLAGS.items():
        for claim, bit in members.items():
            equal(f"{name} {group}.{claim}", claims[group][claim], bool(wanted[group + "_bits"][bit]))
    for group in ("reported_tcb", "current_tcb", "committed_tcb", "launch_tcb"):
        for part, short in TCB.items():
            equal(f"{name} {group}.{part}", claims[group].get(part), wanted[group].get(short))
    equal(name, claims["author_key_enabled"], bool(wanted["author_key_en"]))
    equal(name, claims.get("author_key_digest"), str(wanted["author_key_digest"]) if wanted["author_key_en"] else None)
    equal(name, claims.get("chip_id"), None if wanted["chip_id_masked"] else wanted["chip_id"])
    if wanted["cpuid_fam_mod_step"]:
        equal(name, "{family:02x}/{model:02x}/{stepping:02x}".format(**claims["cpuid"]), wanted["cpuid_fam_mod_step"])
    for member in ("launch_mit_vector", "current_mit_vector"):
        if member in wanted:
            equal(f"{name} {member}", int(claims[member], 16), int(wanted[member], 16))


@needs_vectors
def every_real_report_verifies_and_its_claims_are_those_of_the_manifest():
    fixed, exits = fixed_checks(), []
    for name in real():
        wanted = FILES[name]["expect"]
        code, answer = appraise(evidence(name), at=inside(name))
        checks = checks_of(answer)
        failed = {id: c for id, c in checks.items() if id in fixed and c[0] in ("fail", "unavailable")}
        assert not failed, (name, failed)
        for id in ("snp.signature", "snp.chain", "snp.anchor", "snp.validity", "snp.tcb_binding"):
            assert checks[id][0] == "pass", (name, id, checks[id])
        debug = bool(wanted["policy_bits"]["debug"])
        assert code == (20 if debug else 10), (name, code, checks)
        if debug:
            assert checks["snp.debug"] == ("fail", "SNP_DEBUG_ALLOWED")
        claims_equal(name, answer["evidence"]["cpu0"]["claims"]["snp"], wanted)
        assert "unverified" not in answer["evidence"]["cpu0"] and answer["simulated"] is False
        exits.append(code)
    assert len(exits) >= 14 and exits.count(20) == 1, exits
    return f"{len(exits)} reports: {exits.count(10)} exit 10, {exits.count(20)} exit 20"


@needs_vectors
def strict_revocation_passes_with_a_list_of_its_time_and_exits_40_without():
    policy = os.path.join(ROOM.name, "strict.yaml")
    with open(policy, "w") as file:
        file.write(STRICT)
    lists = [(f["crl"]["issuer_cn"], moment(f["crl"]["this_update"]), moment(f["crl"]["next_update"])) for f in FILES.values() if "crl" in f]
    exits = []
    for name in real():
        root, (begin, end) = "ARK-" + FILES[name]["expect"]["product"], validity(name)
        times = [inside(name)] + [max(this, begin) + datetime.timedelta(days=1) for cn, this, until in lists
                                  if cn == root and max(this, begin) + datetime.timedelta(days=2) < min(until, end)]
        for at in times:
            listed = any(cn == root and this <= at < until for cn, this, until in lists)
            code, answer = appraise("--policy", policy, evidence(name), at=at)
            outcome = checks_of(answer)["snp.revocation"]
            assert (outcome[0] == "pass") == listed and (code in (0, 10)) == listed and code in (0, 10, 40), (name, at, code, outcome)
            exits.append(code)
    assert exits.count(40) > 0 and len(exits) - exits.count(40) >= 5, exits
    return f"{len(exits) - exits.count(40)} with a list of their time, {exits.count(40)} exit 40"


@needs_vectors
def look_alikes_are_refused_and_show_their_own_fault_under_their_own_root():
    faults = {"synth-good": None, "synth-debug": ("snp.debug", "SNP_DEBUG_ALLOWED"), "synth-policy-mbz": ("snp.reserved", "SNP_POLICY_RESERVED_BITS"),
              "synth-hwid-mismatch": ("snp.hwid", "SNP_HWID_MISMATCH"), "synth-no-hwid": ("snp.hwid", "SNP_HWID_MISSING")}
    found = {name.split(".")[0] for name in FILES if re.match(r"synth-.*\.report\.bin$", name)}
    assert found == set(faults), found
    for name, fault in faults.items():
        number = "-2" if name == "synth-no-hwid" else ""
        report, vcek = (os.path.join(VECTORS, name + end) for end in (".report.bin", ".vcek.der"))
        ask, ark = (os.path.join(VECTORS, f"synth-{kind}{number}.pem") for kind in ("ask", "ark"))
        at = inside(name + ".report.bin")
        # with its own certificates: complete, and not of AMD
        code, answer = appraise(report, vcek, ask, ark, at=at, folder=False)
        checks = checks_of(answer)
        assert code == 20 and "claims" not in answer["evidence"]["cpu0"], (name, code)
        if name != "synth-policy-mbz":  # refused before any certificate is asked for
            assert checks["snp.anchor"] == ("fail", "SNP_ANCHOR_UNKNOWN"), (name, checks)
        # the folder alone has AMD's own certificates of the same names as well
        code, answer = appraise(report, at=at)
        assert code in (20, 40) and "claims" not in answer.get("appraisal", answer)["evidence"]["cpu0"], (name, code)
        code, answer = appraise("--anchor", "snp/Genoa=" + ark, report, vcek, ask, ark, at=at, folder=False)
        checks = checks_of(answer)
        if fault:
            assert code == 20 and checks[fault[0]] == ("fail", fault[1]), (name, code, checks)
        else:
            assert code == 10 and checks["snp.anchor"][0] == "pass" and checks["snp.signature"][0] == "pass", (name, code, checks)
    return f"{len(faults)} look-alikes"


@needs_vectors
def reports_without_a_certificate_exit_40_or_say_why_there_is_none():
    at = datetime.datetime(2026, 11, 21)
    for name, wanted in (("milan-v4-gce-nocert.report.bin", (40, "unavailable", "SNP_VEK_UNAVAILABLE")),
                         ("genoa-v3-unmasked-nocert.report.bin", (40, "unavailable", "SNP_VEK_UNAVAILABLE")),
                         ("genoa-v3-maskedid-nocert.report.bin", (20, "fail", "SNP_VEK_OF_MASKED_CHIP"))):
        code, answer = appraise(evidence(name), at=at)
        assert (code, *checks_of(answer)["snp.vek"]) == wanted, (name, code, checks_of(answer)["snp.vek"])
    code, answer = appraise(evidence("milan-v3-vlek-vmpl1.report.bin"), at=at)
    assert code == 20 and checks_of(answer)["snp.validity"] == ("fail", "SNP_VEK_EXPIRED"), code
    code, answer = appraise(evidence("genoa-v3-certtable.report.bin"), os.path.join(VECTORS, "genoa-v3-certtable.certs.bin"),
                            at=inside("genoa-v3-certtable.report.bin"), folder=False)
    assert code == 10, "a real certificate table beside its report does not serve alone"


def each_fault_of_a_guest_has_its_own_code():
    """Simulated, where no real case exists."""
    wanted = {"hwid-mismatch": ("snp.hwid", "SNP_HWID_MISMATCH"), "no-hwid": ("snp.hwid", "SNP_HWID_MISSING"),
              "policy-mbz": ("snp.reserved", "SNP_POLICY_RESERVED_BITS"), "expired-vek": ("snp.validity", "SNP_VEK_EXPIRED"),
              "provisional": ("snp.provisional_firmware", "SNP_PROVISIONAL_FIRMWARE"), "masked-chip": ("snp.masked_chip_id", "SNP_CHIP_ID_MASKED"),
              "missing-spl": ("snp.tcb_binding", None), "revoked-ask": ("snp.not_revoked", "SNP_ASK_REVOKED"),
              "debug": ("snp.debug", "SNP_DEBUG_ALLOWED"), "wrong-root": ("snp.chain", "SNP_INTERMEDIATE_SIGNATURE")}
    at, codes = datetime.datetime.now(datetime.timezone.utc), {}
    vendor = os.path.join(BUILD, "simulated-vendor")
    for fault, (check, code) in {None: (None, None), **wanted}.items():
        out = os.path.join(ROOM.name, f"fault-{fault}")
        subprocess.run([ATTESTCTL, "simulate", "snp", "--vendor", vendor, "--product", "genoa", "--out", out, *(["--fault", fault] if fault else [])],
                       check=True, capture_output=True, timeout=60)
        root = os.path.join(ROOM.name, "fault-None", "ark.pem")
        enclosed = [os.path.join(out, name) for name in ("report.bin", "vek.der", "ask.pem", "ark.pem", "crl.der")]
        ended, answer = appraise("--development", "--anchor", "snp/Genoa=" + root, *enclosed, at=at, folder=False)
        if fault is None:
            assert ended == 10, (ended, answer)
            continue
        assert isinstance(answer, dict), (fault, ended, answer)
        got = checks_of(answer)[check]
        assert got[0] == "fail" and got[1] and (code is None or got[1] == code), (fault, got, checks_of(answer))
        assert ended == (10 if fault in ("provisional", "masked-chip") else 20), (fault, ended)
        codes[fault] = got[1]
    assert len(set(codes.values())) == len(codes), f"two faults share a code: {codes}"
    return f"{len(codes)} codes"


run([
    every_real_report_verifies_and_its_claims_are_those_of_the_manifest,
    strict_revocation_passes_with_a_list_of_its_time_and_exits_40_without,
    look_alikes_are_refused_and_show_their_own_fault_under_their_own_root,
    reports_without_a_certificate_exit_40_or_say_why_there_is_none,
    each_fault_of_a_guest_has_its_own_code,
])
