#include "tests/lib/loop_wait.h"

#include "loop/timer.h"

struct wait {
    struct loop *loop;
    bool (*condition)(void *context);
    void *context;
    bool is_met;
};

static void check_condition(void *context) {
    struct wait *wait = context;
    wait->is_met = wait->condition(wait->context);
    if (wait->is_met) loop_stop(wait->loop);
}

static void stop_loop(void *context) {
    loop_stop(context);
}

bool loop_wait(struct loop *loop, bool (*condition)(void *context), void *context) {
    struct wait wait = {.loop = loop, .condition = condition, .context = context};
    struct timer *often = timer_open(loop, check_condition, &wait);
    struct timer *limit = timer_open(loop, stop_loop, loop);
    timer_start_repeating(often, 1);
    timer_start(limit, LOOP_WAIT_LIMIT_MS);
    loop_run(loop);
    timer_close(often);
    timer_close(limit);
    return wait.is_met;
}

struct count {
    const int *counter;
    int value;
};

static bool count_is_reached(void *context) {
    const struct count *count = context;
    return *count->counter >= count->value;
}

bool loop_wait_count(struct loop *loop, const int *counter, int value) {
    struct count count = {.counter = counter, .value = value};
    return loop_wait(loop, count_is_reached, &count);
}

void loop_wait_ms(struct loop *loop, int64_t duration_ms) {
    struct timer *limit = timer_open(loop, stop_loop, loop);
    timer_start(limit, duration_ms);
    loop_run(loop);
    timer_close(limit);
}

void loop_wait_end(struct loop *loop) {
    loop_run(loop);
    loop_destroy(loop);
}
