#include "loop/timer.h"

#include <stdlib.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "loop/loop_uv.h"

struct timer {
    uv_timer_t uv;
    timer_callback *callback;
    void *context;
};

static void timer_fired(uv_timer_t *handle) {
    struct timer *timer = handle->data;
    timer->callback(timer->context);
}

static void timer_closed(uv_handle_t *handle) {
    free(handle->data);
}

struct timer *timer_open(struct loop *loop, timer_callback *callback, void *context) {
    struct timer *timer = memory_new(sizeof *timer);
    uv_timer_init(loop_uv(loop), &timer->uv);
    timer->uv.data = timer;
    timer->callback = callback;
    timer->context = context;
    return timer;
}

/* libuv counts from the beginning of the turn, which in a long turn would be too early. */
static void start(struct timer *timer, uint64_t delay_ms, uint64_t interval_ms) {
    ASSERT(!uv_is_closing((uv_handle_t *)&timer->uv));
    uv_update_time(timer->uv.loop);
    uv_timer_start(&timer->uv, timer_fired, delay_ms, interval_ms);
}

void timer_start(struct timer *timer, int64_t delay_ms) {
    /* Both ends are rounded down to milliseconds; one more makes sure that it is never early. */
    start(timer, delay_ms > 0 ? (uint64_t)delay_ms + 1 : 0, 0);
}

void timer_start_repeating(struct timer *timer, int64_t interval_ms) {
    ASSERT(interval_ms >= 1);
    start(timer, (uint64_t)interval_ms, (uint64_t)interval_ms);
}

void timer_stop(struct timer *timer) {
    uv_timer_stop(&timer->uv);
}

bool timer_is_running(const struct timer *timer) {
    return uv_is_active((const uv_handle_t *)&timer->uv);
}

void timer_unref(struct timer *timer) {
    uv_unref((uv_handle_t *)&timer->uv);
}

void timer_close(struct timer *timer) {
    if (!timer || uv_is_closing((uv_handle_t *)&timer->uv)) return;
    uv_close((uv_handle_t *)&timer->uv, timer_closed);
}
