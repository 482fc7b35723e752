/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/harness.h"

#include "core/cbor.h"
#include <string.h>

/* What was read whole can be walked whole. Returns the number of items. */
static size_t walk(const struct attestd_cbor *item, unsigned depth)
{
    PROMISE(depth <= 17);
    PROMISE(item->type != ATTESTD_CBOR_INVALID && item->whole.len > 0);
    PROMISE(item->bytes.len <= item->whole.len);
    struct attestd_cbor child;
    size_t at = 0, children = 0, all = 1;
    while (attestd_cbor_next(item, &at, &child)) {
        children++;
        all += walk(&child, depth + 1);
    }
    if (item->type == ATTESTD_CBOR_LIST)
        PROMISE(children == attestd_cbor_count(item));
    if (item->type == ATTESTD_CBOR_MAP)
        PROMISE(children == 2 * attestd_cbor_count(item));
    if (item->type == ATTESTD_CBOR_TAG)
        PROMISE(children == 1);
    if (item->type == ATTESTD_CBOR_BYTES || item->type == ATTESTD_CBOR_TEXT) {
        uint8_t *copy = malloc(item->whole.len);
        size_t len;
        PROMISE(copy && attestd_cbor_copy(item, copy, item->whole.len, &len) && len < item->whole.len);
        free(copy);
    }
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    for (unsigned flags = 0; flags < 8; flags++) {
        struct attestd_cbor root, value;
        const char *error = NULL;
        size_t offset = 0, used = 0;
        if (!attestd_cbor_read(bytes, len, flags, &root, &error, &offset)) {
            PROMISE(error && offset <= len && root.type == ATTESTD_CBOR_INVALID);
        } else {
            PROMISE(root.whole.len == len && walk(&root, 0) <= len);
            attestd_cbor_map_text(&root, "module_id", &value);
            attestd_cbor_map_number(&root, -1, &value);
        }
        if (attestd_cbor_read_first(bytes, len, flags, &root, &used, NULL, NULL))
            PROMISE(used > 0 && used <= len);
    }
    return 0;
}
