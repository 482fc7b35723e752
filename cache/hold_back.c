/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/hold_back.h"

#include <stdlib.h>

struct sentence {
    uint64_t until; /* monotonic milliseconds */
    uint32_t length;
    enum fetch_outcome outcome;
    const char *detail;
};

struct hold_back {
    struct recent *keys;
    struct sentence sentences[HOLD_BACK_KEYS];
};

struct hold_back *hold_back_new(void)
{
    struct hold_back *hold_back = calloc(1, sizeof *hold_back);
    if (hold_back == NULL)
        return NULL;
    hold_back->keys = recent_new(HOLD_BACK_KEYS);
    if (hold_back->keys == NULL) {
        hold_back_free(hold_back);
        return NULL;
    }
    return hold_back;
}

void hold_back_free(struct hold_back *hold_back)
{
    if (hold_back == NULL)
        return;
    recent_free(hold_back->keys);
    free(hold_back);
}

static unsigned seconds_left(const struct sentence *sentence, uint64_t now)
{
    return (unsigned)((sentence->until - now + 999) / 1000);
}

unsigned hold_back_add(struct hold_back *hold_back, const uint8_t digest[RECENT_DIGEST], enum fetch_outcome outcome, const char *detail,
                       uint64_t now)
{
    bool fresh;
    struct sentence *sentence = &hold_back->sentences[recent_take(hold_back->keys, digest, &fresh)];
    if (!fresh && now < sentence->until)
        return seconds_left(sentence, now); /* the same answer, judged by several jobs */
    uint32_t length = HOLD_BACK_FIRST_MS;
    if (!fresh && now - sentence->until < HOLD_BACK_LONGEST_MS)
        length = sentence->length < HOLD_BACK_LONGEST_MS / 2 ? sentence->length * 2 : HOLD_BACK_LONGEST_MS;
    *sentence = (struct sentence){now + length, length, outcome, detail};
    return length / 1000;
}

bool hold_back_find(struct hold_back *hold_back, const uint8_t digest[RECENT_DIGEST], uint64_t now, struct held *held)
{
    uint32_t at = recent_find(hold_back->keys, digest);
    if (at == RECENT_NONE || now >= hold_back->sentences[at].until)
        return false;
    const struct sentence *sentence = &hold_back->sentences[at];
    *held = (struct held){sentence->outcome, sentence->detail, seconds_left(sentence, now)};
    return true;
}
