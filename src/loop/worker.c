#include "loop/worker.h"

#include <stdlib.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "loop/loop_uv.h"

struct worker_job {
    uv_work_t uv;
    worker_work *work;
    worker_done *done;
    void *context;
};

static void run_on_thread(uv_work_t *request) {
    struct worker_job *job = request->data;
    job->work(job->context);
}

static void finished(uv_work_t *request, int error) {
    struct worker_job *job = request->data;
    job->done(job->context, error == UV_ECANCELED);
    free(job);
}

struct worker_job *worker_start(struct loop *loop, worker_work *work, worker_done *done,
                                void *context) {
    struct worker_job *job = memory_new(sizeof *job);
    job->uv.data = job;
    job->work = work;
    job->done = done;
    job->context = context;
    /* Its only error is a missing work function. */
    ASSERT(uv_queue_work(loop_uv(loop), &job->uv, run_on_thread, finished) == 0);
    return job;
}

void worker_cancel(struct worker_job *job) {
    /* Refused when a thread has begun the job: then it just ends as usual. */
    uv_cancel((uv_req_t *)&job->uv);
}
