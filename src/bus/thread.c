#include "bus/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/random.h"
#include "bus/connection.h"
#include "rules/backoff.h"

/* The first wait is short, since most interruptions are a restart; the cap keeps a site's thousand
 * clients from hammering a server that comes back, and a person from waiting long for it. */
#define FIRST_WAIT_MS   100
#define LONGEST_WAIT_MS 5000

/* A connection that held this long was a good one: the next failure starts with a short wait again.
 * A server that accepts and drops us at once is not asked ten times a second. */
#define STEADY_AFTER_MS 10000

/* A subscription that outlives connections. */
struct interest {
    struct list link;
    struct bus_order *order;                          /* the order to subscribe; owned */
    struct bus_connection_subscription *subscription; /* NULL while there is no connection */
};

struct worker {
    struct bus_link *link;
    struct bus_server_list servers;
    struct bus_identity identity;
    struct backoff backoff;
    struct list interests;
    struct bus_connection *connection; /* NULL while there is none */
    uint64_t session;                  /* of the connection, 0 while there is none */
    bool broken;                       /* it failed: what is still queued for it is not tried */
    size_t server;                     /* the one in use or tried next */
};

/* ---- Orders ---- */

/* Says so to whoever waits on the link. */
static void give_up_connection(struct worker *worker) {
    worker->broken = true;
    bus_link_lost(worker->link, worker->session);
}

static void publish(struct worker *worker, const struct bus_order *order) {
    bool meant_for_this =
        worker->connection != NULL && order->session == worker->session && !worker->broken;
    bool lost = false;
    bool published = meant_for_this && bus_connection_publish(worker->connection, order->subject,
                                                              order->other, order->data, &lost);
    bus_link_count_publish(worker->link, published);
    if (lost) give_up_connection(worker);
}

static void attach(struct worker *worker, struct interest *interest) {
    interest->subscription =
        bus_connection_subscribe(worker->connection, interest->order->subscription,
                                 interest->order->subject, interest->order->other);
    if (interest->subscription == NULL) give_up_connection(worker);
}

/* Takes over the order. */
static void subscribe(struct worker *worker, struct bus_order *order) {
    struct interest *interest = memory_new(sizeof *interest);
    interest->order = order;
    list_append(&worker->interests, &interest->link);
    if (worker->connection != NULL) attach(worker, interest);
}

static void drop_interest(struct interest *interest) {
    bus_connection_unsubscribe(interest->subscription);
    list_remove(&interest->link);
    free(interest->order);
    free(interest);
}

static void unsubscribe(struct worker *worker, uint64_t number) {
    for (struct list *at = worker->interests.next; at != &worker->interests; at = at->next) {
        struct interest *interest = LIST_ENTRY(at, struct interest, link);
        if (interest->order->subscription == number) {
            drop_interest(interest);
            return;
        }
    }
}

static void carry_out(struct worker *worker, struct list *orders) {
    while (!list_is_empty(orders)) {
        struct bus_order *order = LIST_ENTRY(orders->next, struct bus_order, link);
        list_remove(&order->link);
        switch (order->kind) {
        case BUS_ORDER_SUBSCRIBE: subscribe(worker, order); continue;
        case BUS_ORDER_UNSUBSCRIBE: unsubscribe(worker, order->subscription); break;
        case BUS_ORDER_PUBLISH: publish(worker, order); break;
        }
        free(order);
    }
}

/* Carries out orders until the time is over (negative: never), the connection is lost, or the
 * end. */
static enum bus_wait_result serve(struct worker *worker, int64_t timeout_ms) {
    for (;;) {
        struct list orders;
        enum bus_wait_result result =
            bus_link_wait(worker->link, worker->session, timeout_ms, &orders);
        if (result != BUS_WAIT_ORDERS) return result;
        carry_out(worker, &orders);
    }
}

/* ---- Connecting ---- */

static void connect_next(struct worker *worker, struct status *status) {
    const struct bus_server *server = &worker->servers.servers[worker->server];
    uint64_t session = bus_link_session(worker->link) + 1;
    worker->connection =
        bus_connection_open(server, &worker->identity, worker->link, session, status);
    if (worker->connection == NULL) {
        worker->server = (worker->server + 1) % worker->servers.count;
        return;
    }
    worker->session = session;
    worker->broken = false;
    for (struct list *at = worker->interests.next; at != &worker->interests; at = at->next)
        attach(worker, LIST_ENTRY(at, struct interest, link));
    bus_link_connected(worker->link, server->text);
}

static void disconnect(struct worker *worker) {
    if (worker->connection == NULL) return;
    bus_connection_shut(worker->connection);
    for (struct list *at = worker->interests.next; at != &worker->interests; at = at->next) {
        struct interest *interest = LIST_ENTRY(at, struct interest, link);
        bus_connection_unsubscribe(interest->subscription);
        interest->subscription = NULL;
    }
    bus_connection_free(worker->connection);
    worker->connection = NULL;
    worker->session = 0;
}

/* Waits before the next attempt, carrying out orders meanwhile. False at the end. */
static bool pause_after(struct worker *worker, const char *server, const struct status *reason,
                        int64_t wait_ms, bool attempted) {
    bus_link_disconnected(worker->link, server, reason, wait_ms, attempted);
    return serve(worker, wait_ms) != BUS_WAIT_STOP;
}

/* Tries the servers in turn until one takes us. False at the end. */
static bool connect_any(struct worker *worker) {
    for (size_t attempt = 1; worker->connection == NULL; attempt++) {
        const char *server = worker->servers.servers[worker->server].text;
        struct status reason = STATUS_INIT;
        connect_next(worker, &reason);
        if (worker->connection != NULL) break;
        int64_t wait_ms = 0;
        if (attempt % worker->servers.count == 0) {
            uint64_t random;
            random_bytes(&random, sizeof random);
            wait_ms = backoff_failed(&worker->backoff, random);
        }
        if (!pause_after(worker, server, &reason, wait_ms, true)) return false;
    }
    return true;
}

/* Serves the connection until it is lost, and cleans up after it. False at the end. */
static bool serve_connection(struct worker *worker) {
    enum bus_wait_result result = serve(worker, STEADY_AFTER_MS);
    if (result == BUS_WAIT_TIMEOUT) {
        backoff_succeeded(&worker->backoff);
        result = serve(worker, -1);
    }
    struct status reason = STATUS_INIT;
    bus_connection_reason(worker->connection, &reason);
    disconnect(worker);
    if (result == BUS_WAIT_STOP) return false;
    const char *server = worker->servers.servers[worker->server].text;
    worker->server = (worker->server + 1) % worker->servers.count;
    uint64_t random;
    random_bytes(&random, sizeof random);
    return pause_after(worker, server, &reason, backoff_failed(&worker->backoff, random), false);
}

/* ---- The thread ---- */

static void free_worker(struct worker *worker) {
    while (!list_is_empty(&worker->interests))
        drop_interest(LIST_ENTRY(worker->interests.next, struct interest, link));
    bus_server_list_free(&worker->servers);
    free(worker->identity.name);
    free(worker->identity.user);
    memory_free_secret(worker->identity.password);
    memory_free_secret(worker->identity.token);
    memory_free_secret(worker->identity.credentials);
    memory_free_secret(worker->identity.nkey_seed);
    free(worker->identity.tls_ca_file);
    free(worker->identity.tls_certificate_file);
    free(worker->identity.tls_key_file);
    bus_link_release(worker->link);
    free(worker);
}

static void *run(void *argument) {
    struct worker *worker = argument;
    bus_connection_enter_thread();
    while (connect_any(worker) && serve_connection(worker)) {
    }
    disconnect(worker);
    bus_connection_leave_thread();
    bus_link_end(worker->link);
    free_worker(worker);
    return NULL;
}

/* Signals are for the loop: the thread, and those that nats.c makes from it, block them all. */
static int start_with_signals_blocked(pthread_t *thread, struct worker *worker) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bool bus_thread_start(struct bus_link *link, struct bus_server_list *servers,
                      const struct bus_options *options, pthread_t *thread, struct status *status) {
    struct worker *worker = memory_new(sizeof *worker);
    worker->link = link;
    bus_link_retain(link);
    worker->servers = *servers;
    *servers = (struct bus_server_list){0};
    worker->server = (size_t)random_below(worker->servers.count);
    worker->identity = (struct bus_identity){
        .name = memory_copy_text(options->name),
        .user = memory_copy_text(options->user),
        .password = memory_copy_text(options->password),
        .token = memory_copy_text(options->token),
        .credentials = memory_copy_text(options->credentials),
        .nkey_seed = memory_copy_text(options->nkey_seed),
        .tls_ca_file = memory_copy_text(options->tls_ca_file),
        .tls_certificate_file = memory_copy_text(options->tls_certificate_file),
        .tls_key_file = memory_copy_text(options->tls_key_file),
    };
    list_init(&worker->interests);
    backoff_init(&worker->backoff, FIRST_WAIT_MS, LONGEST_WAIT_MS);
    int error = start_with_signals_blocked(thread, worker);
    if (error != 0) {
        free_worker(worker);
        return status_fail_errno(status, error, "cannot start the thread of the NATS client");
    }
    pthread_setname_np(*thread, "lsys-bus");
    return true;
}
