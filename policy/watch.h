/* SPDX-License-Identifier: Apache-2.0 */
/* Watching a policy directory: a thread that calls back once things have settled after a change. */
#ifndef ATTESTD_POLICY_WATCH_H
#define ATTESTD_POLICY_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct attestd_policy_watch;

/*
 * Calls changed(context) on the watch's own thread after any change below the directory: files written in place, renamed into place,
 * removed, and a ConfigMap's swap of ..data. Changes that come close together are one call, at most 300 ms after the first. Where the
 * kernel tells nothing (network file systems), a look every 500 ms finds the change. NULL and a phrase when the directory cannot be
 * watched; a directory that is removed and comes back is watched again.
 */
struct attestd_policy_watch *attestd_policy_watch_start(const char *directory, void (*changed)(void *context), void *context, char *error,
                                                        size_t error_size);
/* Ends the thread; changed() is not called any more once it returns. Not from inside changed(). NULL is allowed. */
void attestd_policy_watch_stop(struct attestd_policy_watch *);

#endif
