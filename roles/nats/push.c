/*
 * lsys nats push: gives the accounts to servers with a full resolver, as the system account's user,
 * on $SYS.REQ.CLAIMS.UPDATE. Every server of a cluster answers for itself, so answers are collected
 * until the time is over. A server says 200 also to an account that it does not trust, and tells
 * only its log: so each is checked here before it is sent.
 */
#include <stdlib.h>
#include <string.h>

#include "app/nats_deployment.h"
#include "app/nats_login.h"
#include "base/file.h"
#include "base/memory.h"
#include "bus/bus.h"
#include "loop/timer.h"
#include "roles/nats/actions.h"
#include "roles/nats/answer.h"
#include "roles/nats/prune.h"

#define UPDATE_SUBJECT "$SYS.REQ.CLAIMS.UPDATE"

/* Accounts that no server has answered yet: a server that writes each to its disk keeps up. */
#define UNANSWERED_MAX 8

/* Requests that are kept open for the answers of further servers; below BUS_REQUESTS_MAX. */
#define OPEN_MAX 2048

struct pushing;

/* One account on its way. */
struct parcel {
    struct pushing *pushing;
    char *name;
    struct buffer token;
    struct bus_request *request; /* NULL: not sent, or ended */
    size_t good, refused;        /* answers */
};

struct pushing {
    struct loop *loop;
    struct bus *bus;
    struct timer *deadline; /* for the connection */
    int64_t timeout_ms;
    struct parcel *parcels;
    size_t count;
    size_t next;       /* the first that is not sent */
    size_t open;       /* requests that have not ended */
    size_t unanswered; /* of these, by any server */
    bool begun;
    bool with_prune;
    struct prune_plan plan;
    struct prune *prune; /* NULL: not begun */
    struct status *status;
};

static void finish(void *context) {
    struct pushing *pushing = context;
    timer_stop(pushing->deadline);
    bus_stop(pushing->bus);
}

/* ---- answers ---- */

static size_t answers_to(const struct parcel *parcel) {
    return parcel->good + parcel->refused;
}

static void send_more(struct pushing *pushing);

static void on_reply(void *context, const struct bus_message *reply) {
    struct parcel *parcel = context;
    if (answers_to(parcel) == 0) parcel->pushing->unanswered--;
    if (answer_print(parcel->name, reply->data))
        parcel->good++;
    else
        parcel->refused++;
    send_more(parcel->pushing);
}

/* All accounts are told. */
static void go_on(struct pushing *pushing) {
    if (pushing->with_prune && status_is_ok(pushing->status))
        pushing->prune =
            prune_start(pushing->bus, &pushing->plan, finish, pushing, pushing->status);
    if (!pushing->prune) finish(pushing);
}

/* Nobody answered: then the others are not tried. */
static void note_silence(struct pushing *pushing, const struct parcel *parcel,
                         const struct status *status) {
    pushing->unanswered--;
    pushing->next = pushing->count;
    if (bus_condition(pushing->bus)->state != BUS_CONNECTED)
        status_fail(pushing->status, STATUS_UNAVAILABLE, "the connection to the server was lost");
    else if (status->code == STATUS_UNAVAILABLE)
        status_fail(
            pushing->status, STATUS_UNAVAILABLE,
            "no server takes accounts: push is for servers with \"resolver: {type: full}\", "
            "as \"lsys nats config\" writes it");
    else
        status_fail(pushing->status, STATUS_TIMEOUT, "no server answered for the account \"%s\"",
                    parcel->name);
}

static void on_end(void *context, const struct status *status) {
    struct parcel *parcel = context;
    struct pushing *pushing = parcel->pushing;
    parcel->request = NULL;
    pushing->open--;
    if (answers_to(parcel) == 0) note_silence(pushing, parcel, status);
    if (parcel->refused > 0)
        status_fail(pushing->status, STATUS_FORBIDDEN, "a server refused the account \"%s\"",
                    parcel->name);
    send_more(pushing);
}

/* ---- the connection ---- */

static bool send_one(struct pushing *pushing) {
    static const struct bus_request_callbacks callbacks = {on_reply, on_end};
    struct parcel *parcel = &pushing->parcels[pushing->next++];
    parcel->request =
        bus_request(pushing->bus, UPDATE_SUBJECT, buffer_bytes(&parcel->token), pushing->timeout_ms,
                    BUS_ALL_REPLIES, &callbacks, parcel, pushing->status);
    if (!parcel->request) return false;
    pushing->open++;
    pushing->unanswered++;
    return true;
}

/* Sends what may be on its way, and goes on when all is said. */
static void send_more(struct pushing *pushing) {
    while (pushing->next < pushing->count && pushing->unanswered < UNANSWERED_MAX &&
           pushing->open < OPEN_MAX)
        if (!send_one(pushing)) pushing->next = pushing->count;
    if (pushing->open == 0) go_on(pushing);
}

static void on_state(void *context, const struct bus_condition *condition) {
    struct pushing *pushing = context;
    if (condition->state != BUS_CONNECTED || pushing->begun) return;
    pushing->begun = true;
    timer_stop(pushing->deadline);
    send_more(pushing);
}

static void on_closed(void *context) {
    struct pushing *pushing = context;
    timer_close(pushing->deadline);
}

static const struct bus_callbacks BUS_CALLBACKS = {on_state, on_closed};

static void connect_too_long(void *context) {
    struct pushing *pushing = context;
    const struct bus_condition *condition = bus_condition(pushing->bus);
    if (status_is_ok(&condition->reason))
        status_fail(pushing->status, STATUS_UNAVAILABLE, "no NATS server answers");
    else
        status_fail(pushing->status, condition->reason.code, "%s", condition->reason.text);
    finish(pushing);
}

static bool run(struct pushing *pushing, const struct nats_login *login) {
    pushing->loop = loop_create(pushing->status);
    if (!pushing->loop) return false;
    pushing->bus = bus_create(pushing->loop, &login->bus, &BUS_CALLBACKS, pushing, pushing->status);
    if (pushing->bus) {
        pushing->deadline = timer_open(pushing->loop, connect_too_long, pushing);
        timer_start(pushing->deadline, pushing->timeout_ms);
    }
    loop_run(pushing->loop);
    loop_destroy(pushing->loop);
    return status_is_ok(pushing->status);
}

/* ---- what is sent, and as whom ---- */

/* Without another credential, the system account's user. */
static bool read_login(const struct nats_deployment *deployment, const struct options *options,
                       struct nats_login *login, struct status *status) {
    if (!nats_login_read(options, "lsys nats push", NULL, login, status)) return false;
    const struct bus_options *bus = &login->bus;
    if (bus->credentials || bus->password || bus->token || bus->nkey_seed) return true;
    char *path = file_join(deployment->folder, NATS_DEPLOYMENT_SYSTEM_CREDS);
    bool read = file_read_secret(path, &login->secret, status);
    login->bus.credentials = buffer_text(&login->secret);
    free(path);
    return read;
}

static bool load(struct pushing *pushing, const struct nats_deployment *deployment,
                 const struct nats_names *names, struct status *status) {
    pushing->parcels = memory_new_array(names->count + 1, sizeof *pushing->parcels);
    for (size_t i = 0; i < names->count; i++) {
        struct nats_account account;
        struct parcel *parcel = &pushing->parcels[pushing->count++];
        parcel->pushing = pushing;
        parcel->name = memory_copy_text(names->items[i]);
        buffer_init(&parcel->token, NATS_JWT_BYTES_MAX);
        if (!nats_deployment_read_account(deployment, parcel->name, nats_now_s(), &parcel->token,
                                          &account, status))
            return false;
        nats_texts_add(&pushing->plan.kept, account.jwt.subject);
        nats_account_free(&account);
    }
    return true;
}

static void unload(struct pushing *pushing) {
    for (size_t i = 0; i < pushing->count; i++) {
        free(pushing->parcels[i].name);
        buffer_free(&pushing->parcels[i].token);
    }
    free(pushing->parcels);
    nats_texts_free(&pushing->plan.kept);
    prune_free(pushing->prune);
}

bool nats_push(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    struct nats_names names = {0};
    struct nats_login login = {0};
    int64_t timeout_ms = options_duration_ms(call->options, "timeout");
    struct pushing pushing = {
        .timeout_ms = timeout_ms,
        .with_prune = options_boolean(call->options, "prune"),
        .plan = {.deployment = &deployment, .timeout_ms = timeout_ms},
        .status = status,
    };
    if (!nats_deployment_open(nats_folder(call->options), &deployment, status)) return false;
    bool pushed = nats_deployment_list(&deployment, NULL, &names, status) &&
                  load(&pushing, &deployment, &names, status) &&
                  read_login(&deployment, call->options, &login, status) && run(&pushing, &login);
    nats_login_wipe(&login);
    unload(&pushing);
    nats_names_free(&names);
    nats_deployment_close(&deployment);
    return pushed;
}
