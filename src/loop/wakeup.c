#include "loop/wakeup.h"

#include <stdlib.h>

#include "base/memory.h"
#include "loop/loop_uv.h"

struct wakeup {
    uv_async_t uv;
    wakeup_callback *callback;
    void *context;
};

static void woken(uv_async_t *handle) {
    struct wakeup *wakeup = handle->data;
    wakeup->callback(wakeup->context);
}

static void wakeup_closed(uv_handle_t *handle) {
    free(handle->data);
}

struct wakeup *wakeup_open(struct loop *loop, wakeup_callback *callback, void *context,
                           struct status *status) {
    struct wakeup *wakeup = memory_new(sizeof *wakeup);
    int error = uv_async_init(loop_uv(loop), &wakeup->uv, woken);
    if (error) {
        free(wakeup);
        loop_status_fail(status, error, "cannot make a wakeup for the loop");
        return NULL;
    }
    wakeup->uv.data = wakeup;
    wakeup->callback = callback;
    wakeup->context = context;
    return wakeup;
}

void wakeup_send(struct wakeup *wakeup) {
    uv_async_send(&wakeup->uv);
}

void wakeup_close(struct wakeup *wakeup) {
    if (!wakeup || uv_is_closing((uv_handle_t *)&wakeup->uv)) return;
    uv_close((uv_handle_t *)&wakeup->uv, wakeup_closed);
}
