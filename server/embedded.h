/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the source tree that are part of the program (made by CMakeLists.txt). */
#ifndef ATTESTD_SERVER_EMBEDDED_H
#define ATTESTD_SERVER_EMBEDDED_H

#include <stddef.h>

extern const unsigned char embedded_config_schema[], embedded_openapi[];
extern const size_t embedded_config_schema_len, embedded_openapi_len;

#endif
