/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/budget.h"

#include <stdlib.h>

struct purse {
    double left;
    uint64_t filled; /* monotonic milliseconds */
};

struct budget {
    double per_minute;
    struct recent *callers;
    struct purse purses[BUDGET_CALLERS];
};

struct budget *budget_new(unsigned per_minute)
{
    struct budget *budget = calloc(1, sizeof *budget);
    if (budget == NULL)
        return NULL;
    budget->per_minute = per_minute;
    budget->callers = recent_new(BUDGET_CALLERS);
    if (budget->callers == NULL) {
        budget_free(budget);
        return NULL;
    }
    return budget;
}

void budget_free(struct budget *budget)
{
    if (budget == NULL)
        return;
    recent_free(budget->callers);
    free(budget);
}

unsigned budget_take(struct budget *budget, const uint8_t caller[RECENT_DIGEST], uint64_t now)
{
    bool fresh;
    struct purse *purse = &budget->purses[recent_take(budget->callers, caller, &fresh)];
    if (fresh)
        *purse = (struct purse){budget->per_minute, now};
    purse->left += (double)(now - purse->filled) * budget->per_minute / 60000.0;
    purse->filled = now;
    if (purse->left > budget->per_minute)
        purse->left = budget->per_minute;
    if (purse->left < 1)
        return 1 + (unsigned)((1 - purse->left) * 60.0 / budget->per_minute);
    purse->left -= 1;
    return 0;
}
