/* The loop itself: tasks, timers, signals, wakeups from threads, worker jobs, name lookups. */
#include "tests/lib/unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "loop/resolver.h"
#include "loop/shared_memory.h"
#include "loop/signal_watch.h"
#include "loop/timer.h"
#include "loop/wakeup.h"
#include "loop/worker.h"
#include "tests/lib/loop_wait.h"

static struct loop *new_loop(void) {
    struct status status = STATUS_INIT;
    struct loop *loop = loop_create(&status);
    assert_non_null(loop);
    return loop;
}

static void count_up(void *context) {
    ++*(int *)context;
}

static void an_empty_loop_ends_at_once(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    loop_run(loop);
    loop_destroy(loop);
    loop_destroy(NULL);
}

/* ---- tasks ---- */

struct chain {
    struct loop_task task;
    struct loop *loop;
    int runs;
};

static void run_three_times(struct loop_task *task) {
    struct chain *chain = LIST_ENTRY(task, struct chain, task);
    if (++chain->runs < 3) loop_schedule(chain->loop, task);
}

static void tasks_run_once_each_schedule_and_may_schedule_again(void **state) {
    (void)state;
    struct chain chain = {.loop = new_loop()};
    loop_task_init(&chain.task, run_three_times);
    loop_schedule(chain.loop, &chain.task);
    loop_schedule(chain.loop, &chain.task);
    loop_run(chain.loop);
    assert_int_equal(chain.runs, 3);

    loop_schedule(chain.loop, &chain.task);
    loop_unschedule(&chain.task);
    loop_unschedule(&chain.task);
    loop_run(chain.loop);
    assert_int_equal(chain.runs, 3);
    loop_destroy(chain.loop);
}

struct rivals {
    struct loop_task first;
    struct loop_task second;
    int runs;
};

static void first_unschedules_second(struct loop_task *task) {
    struct rivals *rivals = LIST_ENTRY(task, struct rivals, first);
    rivals->runs++;
    loop_unschedule(&rivals->second);
}

static void second_must_not_run(struct loop_task *task) {
    (void)task;
    fail();
}

/* Many costly tasks, and a common one that sees each turn. */
struct crowd {
    struct loop *loop;
    struct loop_task costly[50];
    struct loop_task each_turn;
    int runs;
    int runs_before;
    int most_in_a_turn;
    int turns;
};

static struct crowd *the_crowd;

static void count_costly(struct loop_task *task) {
    (void)task;
    the_crowd->runs++;
}

static void look_at_turn(struct loop_task *task) {
    int here = the_crowd->runs - the_crowd->runs_before;
    if (here > the_crowd->most_in_a_turn) the_crowd->most_in_a_turn = here;
    the_crowd->runs_before = the_crowd->runs;
    the_crowd->turns++;
    if (the_crowd->runs < (int)COUNT_OF(the_crowd->costly)) loop_schedule(the_crowd->loop, task);
}

static void costly_tasks_take_turns(void **state) {
    struct status status = STATUS_INIT;
    struct crowd crowd = {.loop = loop_create(&status)};
    (void)state;
    the_crowd = &crowd;
    for (size_t i = 0; i < COUNT_OF(crowd.costly); i++) {
        loop_task_init(&crowd.costly[i], count_costly);
        loop_schedule_costly(crowd.loop, &crowd.costly[i]);
    }
    loop_task_init(&crowd.each_turn, look_at_turn);
    loop_schedule(crowd.loop, &crowd.each_turn);
    loop_run(crowd.loop);
    assert_int_equal(crowd.runs, COUNT_OF(crowd.costly));
    assert_int_equal(crowd.most_in_a_turn, LOOP_COSTLY_TASKS_PER_TURN);
    assert_true(crowd.turns >= 50 / LOOP_COSTLY_TASKS_PER_TURN);
    loop_destroy(crowd.loop);
}

static void a_task_can_take_back_another_of_the_same_turn(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct rivals rivals = {.runs = 0};
    loop_task_init(&rivals.first, first_unschedules_second);
    loop_task_init(&rivals.second, second_must_not_run);
    loop_schedule(loop, &rivals.first);
    loop_schedule(loop, &rivals.second);
    loop_run(loop);
    assert_int_equal(rivals.runs, 1);
    loop_destroy(loop);
}

/* ---- timers ---- */

static void a_timer_fires_once_and_never_early(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    int fired = 0;
    struct timer *timer = timer_open(loop, count_up, &fired);
    for (int round = 1; round <= 20; round++) {
        int64_t before_ms = clock_monotonic_ms();
        timer_start(timer, 7);
        assert_true(timer_is_running(timer));
        loop_run(loop);
        assert_true(clock_monotonic_ms() - before_ms >= 7);
        assert_int_equal(fired, round);
        assert_false(timer_is_running(timer));
    }
    timer_close(timer);
    timer_close(timer);
    timer_close(NULL);
    loop_wait_end(loop);
}

static void a_timer_started_late_in_a_long_turn_is_not_early(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    int fired = 0;
    struct timer *timer = timer_open(loop, count_up, &fired);
    loop_run(loop);
    usleep(30000); /* a long turn: the loop's own time now lags behind */
    int64_t before_ms = clock_monotonic_ms();
    timer_start(timer, 20);
    loop_run(loop);
    assert_true(clock_monotonic_ms() - before_ms >= 20);
    timer_close(timer);
    loop_wait_end(loop);
}

static void a_repeating_timer_goes_on_until_stopped(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    int fired = 0;
    struct timer *timer = timer_open(loop, count_up, &fired);
    timer_start_repeating(timer, 2);
    assert_true(loop_wait_count(loop, &fired, 5));
    timer_stop(timer);
    int fired_before = fired;
    loop_wait_ms(loop, 20);
    assert_int_equal(fired, fired_before);
    timer_close(timer);
    loop_wait_end(loop);
}

static void delays_of_years_do_not_overflow(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    int fired = 0;
    struct timer *timer = timer_open(loop, count_up, &fired);
    const int64_t delays_ms[] = {(int64_t)1 << 31, (int64_t)1 << 32, INT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        timer_start(timer, delays_ms[i]);
        loop_wait_ms(loop, 5);
        assert_int_equal(fired, 0);
    }
    timer_start(timer, -5); /* in the past: now */
    assert_true(loop_wait_count(loop, &fired, 1));
    timer_close(timer);
    loop_wait_end(loop);
}

static void an_unreferenced_timer_does_not_hold_the_loop(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    int fired = 0;
    struct timer *timer = timer_open(loop, count_up, &fired);
    timer_unref(timer);
    timer_start(timer, 60000);
    loop_run(loop);
    assert_int_equal(fired, 0);
    timer_close(timer);
    loop_wait_end(loop);
}

static void now_follows_the_monotonic_clock(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    int64_t first_ms = loop_now_ms(loop);
    assert_in_range(clock_monotonic_ms() - first_ms, 0, 5000);
    loop_wait_ms(loop, 20);
    assert_true(loop_now_ms(loop) - first_ms >= 19);
    loop_wait_end(loop);
}

/* ---- signals and wakeups ---- */

static void note_signal(void *context, int signal_number) {
    *(int *)context = signal_number;
}

static void a_signal_becomes_a_callback(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct status status = STATUS_INIT;
    int received = 0;
    struct signal_watch *watch = signal_watch_open(loop, SIGUSR2, note_signal, &received, &status);
    assert_non_null(watch);
    kill(getpid(), SIGUSR2);
    assert_true(loop_wait_count(loop, &received, SIGUSR2));
    signal_watch_close(watch);
    signal_watch_close(watch);

    assert_null(signal_watch_open(loop, SIGKILL, note_signal, &received, &status));
    assert_int_equal(status.code, STATUS_IO);
    loop_wait_end(loop);
}

static void *wake_from_thread(void *wakeup) {
    for (int i = 0; i < 1000; i++)
        wakeup_send(wakeup);
    return NULL;
}

static void another_thread_wakes_the_loop(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct status status = STATUS_INIT;
    int woken = 0;
    struct wakeup *wakeup = wakeup_open(loop, count_up, &woken, &status);
    assert_non_null(wakeup);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_from_thread, wakeup), 0);
    assert_true(loop_wait_count(loop, &woken, 1));
    pthread_join(thread, NULL);
    wakeup_close(wakeup);
    wakeup_close(wakeup);
    loop_wait_end(loop);
}

/* ---- worker jobs ---- */

struct job {
    pthread_t worked_on;
    int done;
    int cancelled;
};

static void work(void *context) {
    struct job *job = context;
    job->worked_on = pthread_self();
}

static void work_slowly(void *context) {
    (void)context;
    usleep(100000);
}

static void work_done(void *context, bool cancelled) {
    struct job *job = context;
    job->done++;
    job->cancelled += cancelled;
}

static void a_job_works_elsewhere_and_is_done_here(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct job job = {.done = 0};
    assert_non_null(worker_start(loop, work, work_done, &job));
    loop_run(loop);
    assert_int_equal(job.done, 1);
    assert_int_equal(job.cancelled, 0);
    assert_false(pthread_equal(job.worked_on, pthread_self()));
    loop_destroy(loop);
}

static void a_waiting_job_can_be_cancelled(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct job busy = {.done = 0};
    struct job waiting = {.done = 0};
    for (int i = 0; i < 4; i++)
        worker_start(loop, work_slowly, work_done, &busy);
    struct worker_job *job = worker_start(loop, work, work_done, &waiting);
    worker_cancel(job);
    worker_cancel(job);
    loop_run(loop);
    assert_int_equal(busy.done, 4);
    assert_int_equal(waiting.done, 1);
    assert_int_equal(waiting.cancelled, 1);
    loop_destroy(loop);
}

/* ---- names ---- */

struct answer {
    int count;
    int calls;
    enum status_code code;
    struct sockaddr_storage first;
};

static void note_answer(void *context, const struct sockaddr_storage *addresses, size_t count,
                        const struct status *status) {
    struct answer *answer = context;
    answer->calls++;
    answer->count = (int)count;
    answer->code = status->code;
    if (count) answer->first = addresses[0];
}

static void a_numeric_address_is_looked_up_with_its_port(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct answer answer = {.count = 0};
    resolver_start(loop, "127.0.0.9", 4222, note_answer, &answer);
    loop_run(loop);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.code, STATUS_OK);
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&answer.first;
    assert_int_equal(ipv4->sin_family, AF_INET);
    assert_int_equal(ntohs(ipv4->sin_port), 4222);
    loop_destroy(loop);
}

static void impossible_names_are_not_found(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    char too_long[2000];
    memset(too_long, 'a', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    const char *names[] = {"", "two words", too_long};
    for (size_t i = 0; i < 3; i++) {
        struct answer answer = {.count = -1};
        resolver_start(loop, names[i], 1, note_answer, &answer);
        loop_run(loop);
        assert_int_equal(answer.calls, 1);
        assert_int_equal(answer.count, 0);
        assert_int_not_equal(answer.code, STATUS_OK);
    }
    loop_destroy(loop);
}

static void a_cancelled_lookup_is_silent(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct answer answer = {.count = 0};
    resolver_cancel(resolver_start(loop, "127.0.0.1", 1, note_answer, &answer));
    resolver_cancel(resolver_start(loop, "", 1, note_answer, &answer));
    loop_run(loop);
    assert_int_equal(answer.calls, 0);
    loop_destroy(loop);
}

/* ---- chunks ---- */

static void chunks_are_reused_and_excess_is_freed(void **state) {
    (void)state;
    struct loop *loop = new_loop();
    struct loop_chunk *lent[LOOP_CHUNKS_BUSY + 1];
    for (size_t i = 0; i <= LOOP_CHUNKS_BUSY; i++) {
        assert_int_equal(loop_chunks_are_scarce(loop), false);
        lent[i] = loop_chunk_take(loop);
    }
    assert_true(loop_chunks_are_scarce(loop));
    for (size_t i = 0; i <= LOOP_CHUNKS_BUSY; i++)
        loop_chunk_give(loop, lent[i]);
    struct loop_chunk *again = loop_chunk_take(loop);
    assert_ptr_equal(again, lent[LOOP_CHUNKS_BUSY - 1]);
    assert_int_equal(again->start, 0);
    assert_int_equal(again->end, 0);
    loop_chunk_give(loop, again);
    loop_wait_ms(loop, 2200); /* two ticks of the trimming */
    loop_wait_end(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_loop_ends_at_once),
        cmocka_unit_test(tasks_run_once_each_schedule_and_may_schedule_again),
        cmocka_unit_test(a_task_can_take_back_another_of_the_same_turn),
        cmocka_unit_test(costly_tasks_take_turns),
        cmocka_unit_test(a_timer_fires_once_and_never_early),
        cmocka_unit_test(a_timer_started_late_in_a_long_turn_is_not_early),
        cmocka_unit_test(a_repeating_timer_goes_on_until_stopped),
        cmocka_unit_test(delays_of_years_do_not_overflow),
        cmocka_unit_test(an_unreferenced_timer_does_not_hold_the_loop),
        cmocka_unit_test(now_follows_the_monotonic_clock),
        cmocka_unit_test(a_signal_becomes_a_callback),
        cmocka_unit_test(another_thread_wakes_the_loop),
        cmocka_unit_test(a_job_works_elsewhere_and_is_done_here),
        cmocka_unit_test(a_waiting_job_can_be_cancelled),
        cmocka_unit_test(a_numeric_address_is_looked_up_with_its_port),
        cmocka_unit_test(impossible_names_are_not_found),
        cmocka_unit_test(a_cancelled_lookup_is_silent),
        cmocka_unit_test(chunks_are_reused_and_excess_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
