#include "loop/resolver.h"

#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "loop/loop_uv.h"

struct resolver_query {
    uv_getaddrinfo_t uv;
    resolver_callback *callback; /* NULL after resolver_cancel */
    void *context;
    char *host;
    int start_error; /* what uv_getaddrinfo itself refused, reported by the task */
    struct loop_task report;
};

static void free_query(struct resolver_query *query) {
    free(query->host);
    free(query);
}

static size_t copy_addresses(const struct addrinfo *first,
                             struct sockaddr_storage out[RESOLVER_ADDRESSES_MAX]) {
    size_t count = 0;
    for (const struct addrinfo *info = first; info && count < RESOLVER_ADDRESSES_MAX;
         info = info->ai_next) {
        if (info->ai_addrlen > sizeof out[count]) continue;
        memset(&out[count], 0, sizeof out[count]);
        memcpy(&out[count], info->ai_addr, info->ai_addrlen);
        count++;
    }
    return count;
}

static void report(struct resolver_query *query, int error, const struct addrinfo *first) {
    struct status status = STATUS_INIT;
    struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
    size_t count = error ? 0 : copy_addresses(first, addresses);
    if (error == UV_EAI_NONAME || error == UV_EAI_NODATA || error == UV_EINVAL)
        status_fail(&status, STATUS_NOT_FOUND, "the host name %s does not exist", query->host);
    else if (count == 0)
        status_fail(&status, STATUS_UNAVAILABLE, "the host name %s could not be looked up: %s",
                    query->host, error ? uv_strerror(error) : "no usable address");
    if (query->callback) query->callback(query->context, addresses, count, &status);
}

static void looked_up(uv_getaddrinfo_t *request, int error, struct addrinfo *first) {
    struct resolver_query *query = request->data;
    report(query, error, first);
    uv_freeaddrinfo(first);
    free_query(query);
}

static void report_start_error(struct loop_task *task) {
    struct resolver_query *query = LIST_ENTRY(task, struct resolver_query, report);
    report(query, query->start_error, NULL);
    free_query(query);
}

struct resolver_query *resolver_start(struct loop *loop, const char *host, uint16_t port,
                                      resolver_callback *callback, void *context) {
    struct resolver_query *query = memory_new(sizeof *query);
    query->uv.data = query;
    query->callback = callback;
    query->context = context;
    query->host = memory_copy_text(host);
    loop_task_init(&query->report, report_start_error);

    char service[8];
    snprintf(service, sizeof service, "%" PRIu16, port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    query->start_error =
        uv_getaddrinfo(loop_uv(loop), &query->uv, looked_up, host, service, &hints);
    if (query->start_error) loop_schedule(loop, &query->report);
    return query;
}

void resolver_cancel(struct resolver_query *query) {
    query->callback = NULL;
    /* Refused when the lookup has begun: its result is then ignored. */
    if (!query->start_error) uv_cancel((uv_req_t *)&query->uv);
}
