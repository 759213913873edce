/*
 * lsys nats push: gives the accounts to servers with a full resolver, as the system account's user,
 * on $SYS.REQ.CLAIMS.UPDATE. Every server of a cluster answers for itself, so answers are collected
 * until the time is over. A server says 200 also to an account that it does not trust, and tells
 * only its log: so each is checked here before it is sent.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/nats_deployment.h"
#include "app/nats_login.h"
#include "app/printable.h"
#include "base/file.h"
#include "base/memory.h"
#include "bus/bus.h"
#include "codec/json.h"
#include "loop/timer.h"
#include "roles/nats/actions.h"

#define UPDATE_SUBJECT "$SYS.REQ.CLAIMS.UPDATE"

/* Longest answer that is looked at; servers send some 400 bytes. */
#define ANSWER_BYTES_MAX 65536

#define CODE_GOOD 200

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
    size_t open; /* requests that have not ended */
    bool sent;
    struct status *status;
};

static void finish(struct pushing *pushing) {
    timer_stop(pushing->deadline);
    bus_stop(pushing->bus);
}

/* ---- answers ---- */

static void print_answer(const struct parcel *parcel, const struct json_value *server, int64_t code,
                         const char *text) {
    const char *name = json_member_text(server, "name");
    printf("%-20s ", parcel->name);
    printable_write(stdout, name ? name : "?");
    printf(": %" PRId64 " ", code);
    printable_write(stdout, text ? text : "no text");
    putchar('\n');
}

static void on_reply(void *context, const struct bus_message *reply) {
    struct parcel *parcel = context;
    struct json_document *document = json_document_parse(reply->data, ANSWER_BYTES_MAX, NULL);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const struct json_value *data = json_value_member(root, "data");
    const struct json_value *error = json_value_member(root, "error");
    const struct json_value *said = error ? error : data;
    int64_t code = 0;
    json_member_integer(said, "code", &code);
    bool good = !error && code == CODE_GOOD;
    print_answer(parcel, json_value_member(root, "server"), code,
                 json_member_text(said, error ? "description" : "message"));
    if (good)
        parcel->good++;
    else
        parcel->refused++;
    json_document_free(document);
}

static void on_end(void *context, const struct status *status) {
    struct parcel *parcel = context;
    struct pushing *pushing = parcel->pushing;
    parcel->request = NULL;
    pushing->open--;
    if (status->code == STATUS_UNAVAILABLE && parcel->good + parcel->refused == 0)
        status_fail(
            pushing->status, STATUS_UNAVAILABLE,
            "no server takes accounts: push is for servers with \"resolver: {type: full}\", "
            "see \"lsys nats config --resolver full\"");
    else if (parcel->good == 0 && parcel->refused == 0)
        status_fail(pushing->status, STATUS_TIMEOUT, "no server answered for the account \"%s\"",
                    parcel->name);
    if (parcel->refused > 0)
        status_fail(pushing->status, STATUS_FORBIDDEN, "a server refused the account \"%s\"",
                    parcel->name);
    if (pushing->open == 0) finish(pushing);
}

static const struct bus_request_callbacks REQUEST_CALLBACKS = {on_reply, on_end};

/* ---- the connection ---- */

static void send_all(struct pushing *pushing) {
    pushing->sent = true;
    timer_stop(pushing->deadline);
    for (size_t i = 0; i < pushing->count; i++) {
        struct parcel *parcel = &pushing->parcels[i];
        parcel->request = bus_request(pushing->bus, UPDATE_SUBJECT, buffer_bytes(&parcel->token),
                                      pushing->timeout_ms, BUS_ALL_REPLIES, &REQUEST_CALLBACKS,
                                      parcel, pushing->status);
        if (parcel->request) pushing->open++;
    }
    if (pushing->open == 0) finish(pushing);
}

static void on_state(void *context, const struct bus_condition *condition) {
    struct pushing *pushing = context;
    if (condition->state == BUS_CONNECTED && !pushing->sent) send_all(pushing);
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
}

bool nats_push(const struct nats_action_call *call, struct status *status) {
    struct nats_deployment deployment;
    struct nats_names names = {0};
    struct nats_login login = {0};
    struct pushing pushing = {.timeout_ms = options_duration_ms(call->options, "timeout"),
                              .status = status};
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
