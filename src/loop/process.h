/*
 * Child processes without a shell: a program, its arguments, some bytes on standard input, its
 * standard output collected up to a limit, and a deadline. For external signers and --on-change.
 */
#ifndef LSYS_LOOP_PROCESS_H
#define LSYS_LOOP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "loop/loop.h"

struct process;

struct process_result {
    int exit_status;       /* what it gave to exit(); meaningless when a signal ended it */
    int term_signal;       /* the signal that ended it, or 0 */
    bool timed_out;        /* the deadline passed and it was killed */
    bool output_too_large; /* it printed more than the limit and was killed */
    struct bytes output;   /* standard output, at most the limit; valid during the callback */
};

/* Called once, when the program has ended and its output is read (or half a second later, if a
 * grandchild keeps the output open). */
typedef void process_callback(void *context, const struct process_result *result);

struct process_options {
    /* NULL-terminated; the first is the program, sought in PATH if it has no slash. */
    const char *const *arguments;
    /* NULL-terminated NAME=value texts, added to (and overriding) our environment, of which LSYS_*
     * and SECRET_* are not passed on; may be NULL. */
    const char *const *environment;
    struct bytes input;        /* given on standard input, which is then closed */
    size_t output_limit_bytes; /* 0: standard output goes to /dev/null */
    int64_t timeout_ms;        /* SIGTERM after this, SIGKILL one second later; at least 1 */
    process_callback *callback;
    void *context;
};

/* Starts the program. It runs in a session of its own, so that a kill reaches its children too,
 * with our standard error and no other descriptor of ours. Everything in `options` is copied.
 * Returns NULL with STATUS_NOT_FOUND, STATUS_PERMISSION or STATUS_IO, naming the program, when it
 * cannot start. */
struct process *process_start(struct loop *loop, const struct process_options *options,
                              struct status *status) MUST_CHECK;

/* The process id, for logs. */
int process_pid(const struct process *process);

/* Kills the program and its session and forgets it: the callback does not come. For shutdown. Not
 * needed after the callback: by then the process is freed and the pointer invalid. */
void process_close(struct process *process);

#endif
