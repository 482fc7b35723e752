/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka wants these before its own header. */
#ifndef TESTS_CORE_CMOCKA_INCLUDES_H
#define TESTS_CORE_CMOCKA_INCLUDES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
