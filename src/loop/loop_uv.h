/*
 * The inside of a loop, for src/loop and src/net only: both hang libuv handles on it.
 */
#ifndef LSYS_LOOP_LOOP_UV_H
#define LSYS_LOOP_LOOP_UV_H

#include <uv.h>

#include "base/status.h"
#include "loop/loop.h"

/* The libuv loop inside, valid as long as the loop is. Its `data` is the struct loop. */
uv_loop_t *loop_uv(struct loop *loop);

/* The loop that a libuv handle hangs on. */
struct loop *loop_of_handle(const uv_handle_t *handle);

/* As status_fail_errno for an error code of libuv (negative errno, or its own such as UV_EOF). */
bool loop_status_fail(struct status *status, int uv_error, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
