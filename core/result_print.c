/* SPDX-License-Identifier: Apache-2.0 */
/* A result for people: what was decided, by which checks, and what would have to change. */
#include "core/engine.h"
#include "core/result.h"

#include "core/encoding.h"

#include <string.h>

struct paper {
    struct attestd_text *out;
    bool colour, verbose;
};

static const char red[] = "\033[31m", green[] = "\033[32m", yellow[] = "\033[33m", dim[] = "\033[2m", bold[] = "\033[1m";

static void coloured(const struct paper *paper, const char *colour, const char *text)
{
    if (paper->colour)
        attestd_text_puts(paper->out, colour);
    attestd_text_puts(paper->out, text);
    if (paper->colour)
        attestd_text_puts(paper->out, "\033[0m");
}

static const char *verdict_colour(enum attestd_verdict verdict)
{
    if (verdict == ATTESTD_AFFIRMING)
        return green;
    return verdict == ATTESTD_WARNING ? yellow : red;
}

struct mark {
    const char *text, *colour;
};

static struct mark mark_of(const struct attestd_check_result *item)
{
    if (item->mode == ATTESTD_DISABLED)
        return (struct mark){"  off ", dim};
    switch (item->outcome) {
    case ATTESTD_PASS:
        return (struct mark){"   ok ", green};
    case ATTESTD_SKIPPED:
        return (struct mark){" skip ", yellow};
    case ATTESTD_UNAVAILABLE:
        return (struct mark){" lack ", item->mode == ATTESTD_WARN ? yellow : red};
    default:
        return item->mode == ATTESTD_WARN ? (struct mark){" warn ", yellow} : (struct mark){" FAIL ", red};
    }
}

/* Evidence chooses some of these bytes: no control characters reach a terminal. */
static void plain(const struct paper *paper, const char *text, size_t max)
{
    size_t len = strlen(text), shown = len > max ? max : len;

    while (shown < len && shown > 0 && ((uint8_t)text[shown] & 0xc0) == 0x80)
        shown--; /* not inside a UTF-8 character */
    for (size_t i = 0; i < shown; i++) {
        uint8_t c = (uint8_t)text[i];
        bool c1 = c == 0xc2 && i + 1 < shown && (uint8_t)text[i + 1] < 0xa0; /* U+0080 to U+009F */
        attestd_text_add(paper->out, c < 0x20 || c == 0x7f || c1 ? "?" : &text[i], 1);
        i += c1;
    }
    if (shown < len)
        attestd_text_puts(paper->out, "...");
}

static void print_detail(const struct paper *paper, const char *name, const char *text)
{
    if (text == NULL)
        return;
    attestd_text_printf(paper->out, "        %-9s ", name);
    plain(paper, text, paper->verbose ? SIZE_MAX : 160);
    attestd_text_puts(paper->out, "\n");
}

static void print_check(const struct paper *paper, const struct attestd_check_result *item)
{
    struct mark mark = mark_of(item);
    bool passed = item->outcome == ATTESTD_PASS;

    coloured(paper, mark.colour, mark.text);
    attestd_text_printf(paper->out, "%-28s ", item->check->id);
    if (passed)
        attestd_text_puts(paper->out, item->check->title);
    else
        coloured(paper, mark.colour, item->code != NULL ? item->code : "not checked");
    attestd_text_puts(paper->out, "\n");
    if (passed && !paper->verbose)
        return;
    if (!passed)
        print_detail(paper, "should be", item->check->title);
    print_detail(paper, "observed", item->observed);
    print_detail(paper, "expected", item->expected);
    print_detail(paper, "policy", item->policy_line);
    print_detail(paper, "remedy", item->remedy);
    if (paper->verbose)
        print_detail(paper, "see", item->check->reference);
}

static void print_list(const struct paper *paper, const struct attestd_check_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        print_check(paper, &list->items[i]);
}

static void print_malformed(const struct paper *paper, const struct attestd_piece *piece)
{
    attestd_text_printf(paper->out, "%s (%s): ", piece->label, piece->type);
    coloured(paper, red, piece->malformed_code);
    attestd_text_printf(paper->out, " at byte %zu of %s: ", piece->malformed_offset, piece->malformed_part);
    plain(paper, piece->malformed_detail, 240);
    attestd_text_puts(paper->out, "\n");
}

static void print_piece(const struct paper *paper, const struct attestd_piece *piece)
{
    attestd_text_printf(paper->out, "\n%s (%s): ", piece->label, piece->type);
    coloured(paper, verdict_colour(piece->verdict), attestd_verdict_name(piece->verdict));
    attestd_text_puts(paper->out, piece->authentic ? "\n" : ", not authentic\n");
    print_list(paper, &piece->checks);
    if (paper->verbose && piece->claims != NULL) {
        struct attestd_json_writer writer = attestd_json_writer_to(paper->out);
        attestd_text_puts(paper->out, piece->authentic ? "  claims " : "  unverified ");
        attestd_json_value(&writer, NULL, piece->claims);
        attestd_text_puts(paper->out, "\n");
    }
}

/* What stands in the way of affirming: one line for each check that lowered the verdict. */
static size_t print_remedies(const struct paper *paper, const struct attestd_check_list *list, const char *label, int mode)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct attestd_check_result *item = &list->items[i];
        bool lowered = item->outcome == ATTESTD_FAIL || item->outcome == ATTESTD_UNAVAILABLE;
        if (!lowered || item->mode != mode)
            continue;
        attestd_text_printf(paper->out, "  - %s%s%s: %s\n", label, label[0] != '\0' ? " " : "", item->code,
                            item->remedy != NULL ? item->remedy : item->check->title);
        count++;
    }
    return count;
}

static bool skipped(const struct attestd_result *result, const char *id)
{
    for (size_t i = 0; i < result->checks.count; i++)
        if (result->checks.items[i].check != NULL && result->checks.items[i].outcome == ATTESTD_SKIPPED &&
            strcmp(result->checks.items[i].check->id, id) == 0)
            return true;
    return false;
}

static void print_way_out(const struct paper *paper, const struct attestd_result *result)
{
    int mode = result->verdict == ATTESTD_CONTRAINDICATED ? ATTESTD_STRICT : ATTESTD_WARN;

    if (result->verdict == ATTESTD_AFFIRMING)
        return;
    attestd_text_puts(paper->out, result->verdict == ATTESTD_WARNING ? "\nto become affirming:\n" : "\nwhat would have made it pass:\n");
    for (size_t i = 0; i < result->piece_count; i++)
        print_remedies(paper, &result->pieces[i].checks, result->pieces[i].label, mode);
    print_remedies(paper, &result->checks, "", mode);
    if (skipped(result, "binding.nonce"))
        attestd_text_puts(paper->out, "  - give the nonce the evidence was collected with, so that binding and freshness are checked\n");
}

static void print_head(const struct paper *paper, const struct attestd_result *result)
{
    char time[ATTESTD_TIME_SIZE];

    attestd_time_format(result->time, time);
    if (skipped(result, "freshness.source"))
        coloured(paper, yellow, "freshness and binding were skipped, for want of a nonce: the verdict is at best a warning\n");
    if (result->simulated)
        coloured(paper, yellow, "SIMULATED evidence: a root made for development, not a vendor's\n");
    attestd_text_puts(paper->out, "verdict: ");
    if (result->unavailable)
        coloured(paper, red, "none, an endorsement could not be had");
    else
        coloured(paper, verdict_colour(result->verdict), attestd_verdict_name(result->verdict));
    attestd_text_puts(paper->out, "\n");
    if (result->policy_name != NULL) {
        attestd_text_puts(paper->out, "policy:  ");
        coloured(paper, bold, result->policy_name);
        attestd_text_printf(paper->out, " version %lld, score %d\n", (long long)result->policy_version, (int)result->score);
    }
    attestd_text_printf(paper->out, "time:    %s\n", time);
}

void attestd_result_print(struct attestd_text *out, const struct attestd_result *result, bool colour, bool verbose)
{
    struct paper paper = {out, colour, verbose};
    bool malformed = false;

    for (size_t i = 0; i < result->piece_count; i++)
        if (result->pieces[i].malformed_code != NULL) {
            print_malformed(&paper, &result->pieces[i]);
            malformed = true;
        }
    if (malformed)
        return;
    print_head(&paper, result);
    for (size_t i = 0; i < result->piece_count; i++)
        print_piece(&paper, &result->pieces[i]);
    if (result->checks.count > 0)
        attestd_text_puts(out, "\nacross pieces\n");
    print_list(&paper, &result->checks);
    print_way_out(&paper, result);
}
