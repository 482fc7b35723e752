/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATTESTD_SERVER_RECEIVED_BYTES_H
#define ATTESTD_SERVER_RECEIVED_BYTES_H

#include <stdint.h>

/* Bytes of payload the kernel has received on a TCP connection since its beginning; 0 for other sockets. */
uint64_t received_bytes(int fd);

#endif
