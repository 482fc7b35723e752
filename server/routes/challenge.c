/* SPDX-License-Identifier: Apache-2.0 */
/* POST /challenge: {challenge, nonce, expires}. Nothing is remembered of it until it is spent. */
#include "core/encoding.h"
#include "server/replies.h"
#include "server/routes.h"
#include <time.h>

static void post_challenge(struct service *s, struct exchange *e)
{
    char text[CHALLENGE_TEXT_SIZE];
    uint8_t nonce[CHALLENGE_NONCE];
    if (!challenge_issue(s->challenges, text, nonce)) {
        reply_problem(s, e, "INTERNAL", "no randomness");
        return;
    }
    struct attestd_json_writer w = attestd_json_writer_to(&e->answer);
    attestd_json_open_map(&w, NULL);
    attestd_json_text(&w, "challenge", text);
    attestd_json_base64url(&w, "nonce", nonce, sizeof nonce);
    attestd_json_time(&w, "expires", (int64_t)time(NULL) + challenges_ttl(s->challenges));
    attestd_json_close_map(&w);
    metrics_challenge_issued(s->metrics);
    reply_json(s, e);
}

const struct route route_challenge = {"/challenge", true, {{"POST", post_challenge, ACCESS_LIMITED}}};
