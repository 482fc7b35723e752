/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/simulated.h"

#include "core/binding.h"
#include "core/digest.h"
#include "core/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(70);
}

static struct bench_endorsement endorsement(struct sim_bytes der)
{
    struct bench_endorsement made = {.der = der};
    bench_must(der.data != NULL, "simulating the vendor");
    attestd_sha256(der.data, der.len, made.sha256);
    return made;
}

void bench_vendor_open(struct bench_vendor *v, const char *folder)
{
    const int64_t now = (int64_t)time(NULL);
    const struct sim_snp_crl crl = {.this_update = now - 3600, .next_update = now + 30 * 86400, .number = 1};
    v->vendor = sim_snp_vendor_open(folder, SIM_SNP_GENOA);
    bench_must(v->vendor != NULL, "opening the simulated vendor");
    v->ark = endorsement(sim_snp_ark(v->vendor));
    v->ask = endorsement(sim_snp_ask(v->vendor));
    v->crl = endorsement(sim_snp_crl(v->vendor, &crl));
}

void bench_vendor_close(struct bench_vendor *v)
{
    free(v->ark.der.data);
    free(v->ask.der.data);
    free(v->crl.der.data);
    sim_snp_vendor_free(v->vendor);
}

static char *body_of(const struct bench_chip *chip)
{
    const struct attestd_request *r = &chip->request;
    struct attestd_text text = {0};
    struct attestd_json_writer w = attestd_json_writer_to(&text);
    attestd_json_open_map(&w, NULL);
    attestd_json_base64url(&w, "nonce", r->nonce.data, r->nonce.len);
    if (r->policy)
        attestd_json_text(&w, "policy", r->policy);
    if (r->audience)
        attestd_json_text(&w, "audience", r->audience);
    attestd_json_text(&w, "token", r->token);
    attestd_json_open_map(&w, "evidence");
    attestd_json_open_map(&w, "cpu0");
    attestd_json_text(&w, "type", "snp");
    attestd_json_base64(&w, "report", chip->report.data, chip->report.len);
    attestd_json_close_map(&w);
    attestd_json_close_map(&w);
    attestd_json_close_map(&w);
    return text.data;
}

void bench_chip_make(struct bench_chip *chip, const struct bench_vendor *v, unsigned number, const char *policy, const char *audience,
                     const char *token)
{
    struct sim_snp_guest guest;
    sim_snp_guest_default(&guest, SIM_SNP_GENOA);
    memcpy(chip->nonce, &number, sizeof number);
    memcpy(guest.chip_id, &number, sizeof number);
    memcpy(guest.cert_hwid, guest.chip_id, sizeof guest.chip_id);
    const struct attestd_bytes nonce = {chip->nonce, sizeof chip->nonce};
    attestd_binding_d(nonce, audience, NULL, NULL, 0, NULL, 0, guest.report_data);
    chip->report = sim_snp_report(v->vendor, &guest);
    chip->vek = endorsement(sim_snp_vek(v->vendor, &guest));
    bench_must(chip->report.data != NULL, "simulating a chip");
    chip->part = (struct attestd_part){"report", {chip->report.data, chip->report.len}};
    chip->piece = (struct attestd_piece_request){"cpu0", "snp", &chip->part, 1};
    chip->request = (struct attestd_request){.nonce = nonce,
                                             .freshness = ATTESTD_FRESH_EXTERNAL,
                                             .nonce_age = -1,
                                             .policy = policy,
                                             .audience = audience,
                                             .token = token,
                                             .layout = "attestd-v1",
                                             .pieces = &chip->piece,
                                             .piece_count = 1};
    chip->body = body_of(chip);
}

void bench_chip_free(struct bench_chip *chip)
{
    free(chip->report.data);
    free(chip->vek.der.data);
    free(chip->body);
}
