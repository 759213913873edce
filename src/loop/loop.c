#include "loop/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/memory.h"
#include "loop/loop_private.h"
#include "loop/loop_uv.h"

/* Moves all links of `from` to the empty list `to`. */
static void move_list(struct list *from, struct list *to) {
    list_init(to);
    if (list_is_empty(from)) return;
    to->next = from->next;
    to->previous = from->previous;
    to->next->previous = to;
    to->previous->next = to;
    list_init(from);
}

static void run_first(struct list *tasks) {
    struct loop_task *task = LIST_ENTRY(tasks->next, struct loop_task, link);
    list_remove(&task->link);
    task->run(task);
}

/* Runs what was scheduled up to now; what these tasks schedule waits for the next turn, so that
 * input and timers are not starved by tasks that schedule each other. */
static void run_tasks(uv_prepare_t *handle) {
    struct loop *loop = loop_of_handle((const uv_handle_t *)handle);
    struct list batch;
    move_list(&loop->tasks, &batch);
    while (!list_is_empty(&batch))
        run_first(&batch);
    for (int i = 0; i < LOOP_COSTLY_TASKS_PER_TURN && !list_is_empty(&loop->costly_tasks); i++)
        run_first(&loop->costly_tasks);
    if (list_is_empty(&loop->tasks) && list_is_empty(&loop->costly_tasks))
        uv_idle_stop(&loop->has_tasks);
}

/* Its being active is all that matters. */
static void stay_awake(uv_idle_t *handle) {
    (void)handle;
}

struct loop *loop_create(struct status *status) {
    struct loop *loop = memory_new(sizeof *loop);
    int error = uv_loop_init(&loop->uv);
    if (error) {
        free(loop);
        loop_status_fail(status, error, "cannot make an event loop");
        return NULL;
    }
    loop->uv.data = loop;
    list_init(&loop->tasks);
    list_init(&loop->costly_tasks);
    uv_prepare_init(&loop->uv, &loop->before_waiting);
    uv_prepare_start(&loop->before_waiting, run_tasks);
    uv_unref((uv_handle_t *)&loop->before_waiting);
    uv_idle_init(&loop->uv, &loop->has_tasks);
    shared_memory_init(loop);
    signal(SIGPIPE, SIG_IGN);
    return loop;
}

void loop_run(struct loop *loop) {
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop) {
    uv_stop(&loop->uv);
}

static bool is_own_handle(const struct loop *loop, const uv_handle_t *handle) {
    return handle == (const uv_handle_t *)&loop->before_waiting ||
           handle == (const uv_handle_t *)&loop->has_tasks ||
           handle == (const uv_handle_t *)&loop->memory.trim_timer;
}

static void report_open_handle(uv_handle_t *handle, void *counter) {
    size_t *open_count = counter;
    if (is_own_handle(loop_of_handle(handle), handle)) return;
    fprintf(stderr, "lsys: loop_destroy: a %s is still open%s\n",
            uv_handle_type_name(uv_handle_get_type(handle)),
            uv_is_closing(handle) ? " (closing: loop_run was not called again)" : "");
    ++*open_count;
}

void loop_destroy(struct loop *loop) {
    if (!loop) return;
    size_t open_count = 0;
    uv_walk(&loop->uv, report_open_handle, &open_count);
    ASSERT(open_count == 0);
    ASSERT(list_is_empty(&loop->tasks) && list_is_empty(&loop->costly_tasks));

    uv_close((uv_handle_t *)&loop->before_waiting, NULL);
    uv_close((uv_handle_t *)&loop->has_tasks, NULL);
    shared_memory_close(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    /* Fails if a worker job or a name lookup was not waited for. */
    ASSERT(uv_loop_close(&loop->uv) == 0);
    shared_memory_free(loop);
    free(loop);
}

int64_t loop_now_ms(struct loop *loop) {
    uint64_t turn_ms = uv_now(&loop->uv);
    if (turn_ms != loop->turn_ms || loop->now_ms == 0) {
        loop->turn_ms = turn_ms;
        loop->now_ms = clock_monotonic_ms();
    }
    return loop->now_ms;
}

void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task)) {
    list_init(&task->link);
    task->run = run;
}

static void schedule(struct loop *loop, struct list *tasks, struct loop_task *task) {
    if (!list_is_empty(&task->link)) return;
    uv_idle_start(&loop->has_tasks, stay_awake); /* does nothing when it is active already */
    list_append(tasks, &task->link);
}

void loop_schedule(struct loop *loop, struct loop_task *task) {
    schedule(loop, &loop->tasks, task);
}

void loop_schedule_costly(struct loop *loop, struct loop_task *task) {
    schedule(loop, &loop->costly_tasks, task);
}

void loop_unschedule(struct loop_task *task) {
    list_remove(&task->link);
}

uv_loop_t *loop_uv(struct loop *loop) {
    return &loop->uv;
}

struct loop *loop_of_handle(const uv_handle_t *handle) {
    return handle->loop->data;
}

bool loop_status_fail(struct status *status, int uv_error, const char *format, ...) {
    char doing[STATUS_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(doing, sizeof doing, format, arguments);
    va_end(arguments);
    /* On Unix libuv's codes are negated errno values; its own ones lie beyond -3000. */
    if (uv_error > -3000) return status_fail_errno(status, -uv_error, "%s", doing);
    return status_fail(status, STATUS_IO, "%s: %s", doing, uv_strerror(uv_error));
}
