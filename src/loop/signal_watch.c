#include "loop/signal_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "loop/loop_uv.h"

struct signal_watch {
    uv_signal_t uv;
    signal_callback *callback;
    void *context;
};

static void signal_came(uv_signal_t *handle, int signal_number) {
    struct signal_watch *watch = handle->data;
    watch->callback(watch->context, signal_number);
}

static void watch_closed(uv_handle_t *handle) {
    free(handle->data);
}

struct signal_watch *signal_watch_open(struct loop *loop, int signal_number,
                                       signal_callback *callback, void *context,
                                       struct status *status) {
    struct signal_watch *watch = memory_new(sizeof *watch);
    int error = uv_signal_init(loop_uv(loop), &watch->uv);
    if (error) {
        free(watch);
        loop_status_fail(status, error, "cannot watch signals");
        return NULL;
    }
    watch->uv.data = watch;
    watch->callback = callback;
    watch->context = context;
    error = uv_signal_start(&watch->uv, signal_came, signal_number);
    if (error) {
        signal_watch_close(watch);
        loop_status_fail(status, error, "cannot watch signal %d (%s)", signal_number,
                         strsignal(signal_number));
        return NULL;
    }
    return watch;
}

void signal_watch_close(struct signal_watch *watch) {
    if (!watch || uv_is_closing((uv_handle_t *)&watch->uv)) return;
    uv_close((uv_handle_t *)&watch->uv, watch_closed);
}
