/*
 * Jobs on a worker thread, for what takes long: password hashing, loading a system's certificate
 * bundle, copying a database. At most four run at once; others wait in line.
 */
#ifndef LSYS_LOOP_WORKER_H
#define LSYS_LOOP_WORKER_H

#include <stdbool.h>

#include "loop/loop.h"

struct worker_job;

/* Runs on a worker thread. Touches nothing but what `context` lends it until `done` is called. */
typedef void worker_work(void *context);

/* Runs on the loop thread after the work, or, with `cancelled` true, in place of it. Always
 * comes. */
typedef void worker_done(void *context, bool cancelled);

/* Queues a job. It is freed after `done`, when the pointer becomes invalid. Keeps the loop
 * running. */
struct worker_job *worker_start(struct loop *loop, worker_work *work, worker_done *done,
                                void *context);

/* Asks for a job to be dropped: if no thread has begun it, `done` comes with `cancelled`; otherwise
 * the work runs to its end and `done` comes with `cancelled` false. Harmless twice. */
void worker_cancel(struct worker_job *job);

#endif
