#include "roles/up/up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/alerts.h"
#include "app/options.h"
#include "app/role.h"
#include "app/role_http.h"
#include "app/role_options.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "roles/up/client_feed.h"
#include "roles/up/demo.h"
#include "roles/up/history.h"
#include "roles/up/overview.h"
#include "roles/up/page.h"
#include "roles/up/secure.h"
#include "roles/up/stack.h"
#include "roles/up/terminal.h"
#include "roles/up/watch.h"
#include "store/store.h"

/* How often the roles' views are compared: a change is on the page within the blink of an eye. */
#define LOOK_INTERVAL_MS 200

/* How often the terminal is drawn anew without a change, for the ages in it. */
#define DRAW_INTERVAL_MS 1000

#define OWN_OVERRIDES 16

/* Certificates are looked at once a second at most; and what renews itself need not live for
 * years. */
#define CERTIFICATE_LIFE_MIN_MS 10000
#define CERTIFICATE_LIFE_MAX_MS (INT64_C(365) * 86400 * 1000)

/* Where cache-master listens unless told otherwise; the slave in the same process looks there. */
#define MASTER_ADDRESS "127.0.0.1:8003"

struct up {
    struct role_context *context;
    struct stack *stack;
    struct secure *secure;            /* NULL unless --secure */
    struct options *page_options;     /* owned; with --secure the page has a certificate */
    struct role_context page_context; /* as `context`, with those options */
    struct role_http *http;
    struct page *page;
    struct client_feed *feed; /* NULL until the client's address is known */
    struct terminal *terminal;
    struct timer *look;
    struct demo demo;
    struct stack_override overrides[OWN_OVERRIDES + SECURE_OVERRIDES];
    size_t override_count;
    char master_url[ROLE_HTTP_URL_BYTES]; /* of the cache-master, for the cache-slave */
    struct watch watch;
    struct history history;
    struct buffer overview; /* the last one written */
    int64_t drawn_ms;       /* monotonic */
    bool stopping;
    bool failed_start; /* nobody waits for `stopped` then */
    bool stack_is_down;
    bool http_is_down;
};

static const char *const default_roles[] = {"broker", "license-server", "license-client",
                                            "cache-master", "cache-slave"};

static const struct option up_options[] = {
    {.key = "http",
     .type = OPTION_ADDRESS,
     .fallback = "127.0.0.1:8080",
     .help = "Where the status page listens"},
    {.key = "listen",
     .type = OPTION_ADDRESS,
     .help = "Where the embedded broker listens; default: its own, 127.0.0.1:4222"},
    {.key = "server_http",
     .type = OPTION_ADDRESS,
     .help = "Where license-server answers HTTP; default: its own, 127.0.0.1:8001"},
    {.key = "client_http",
     .type = OPTION_ADDRESS,
     .help = "Where license-client answers HTTP; default: its own, 127.0.0.1:8002"},
    {.key = "master_http",
     .type = OPTION_ADDRESS,
     .help = "Where cache-master answers HTTP; default: its own, 127.0.0.1:8003"},
    {.key = "slave_http",
     .type = OPTION_ADDRESS,
     .help = "Where cache-slave answers HTTP; default: its own, 127.0.0.1:8004"},
    {.key = "license",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "License to broadcast; default: one that is made here for demonstration"},
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .help = "The vendor's public keys; default: those of the demonstration"},
    {.key = "secure",
     .type = OPTION_BOOLEAN,
     .help = "TLS everywhere, with a CA and NATS accounts that are made in the data folder"},
    {.key = "certificate_life",
     .type = OPTION_DURATION,
     .fallback = "30d",
     .minimum = CERTIFICATE_LIFE_MIN_MS,
     .maximum = CERTIFICATE_LIFE_MAX_MS,
     .help = "How long the certificates of --secure live; they renew themselves before two thirds"},
    {.key = "view",
     .type = OPTION_ENUM,
     .choices = "auto|plain",
     .fallback = "auto",
     .help = "auto draws the stack in place when stdout is a terminal; plain prints lines"},
    {0},
};

static struct overview see(struct up *up) {
    return (struct overview){
        .stack = up->stack,
        .license = client_feed_license(up->feed),
        .history = &up->history,
        .heartbeat = up->watch.heartbeat,
        .ca_path = up->secure ? secure_ca_path(up->secure) : NULL,
        .creds_path = up->secure ? secure_observer_path(up->secure) : NULL,
        .wall_ms = clock_wall_ms(),
        .monotonic_ms = loop_now_ms(up->context->loop),
    };
}

static struct bytes write_overview(void *owner) {
    struct up *up = owner;
    struct overview overview = see(up);
    struct status status = STATUS_INIT;
    buffer_clear(&up->overview);
    if (!overview_write(&overview, &up->overview, &status)) {
        log_event(LOG_ERROR, up->context->name, "the overview cannot be written", "why",
                  status.text, NULL);
        return bytes_of_text("{}");
    }
    return buffer_bytes(&up->overview);
}

static void show_on_terminal(struct up *up) {
    struct overview overview = see(up);
    terminal_show(up->terminal, &overview, role_http_url(up->http));
    up->drawn_ms = overview.monotonic_ms;
}

static void license_changed(void *context, const struct json_value *license) {
    struct up *up = context;
    (void)license; /* the overview asks for it */
    page_broadcast(up->page);
    show_on_terminal(up);
}

/* The client may listen only later, when its port was taken by nobody or chosen by the system. */
static void follow_client(struct up *up) {
    char url[ROLE_HTTP_URL_BYTES];
    const char *scheme = up->secure ? "https://" : "http://";
    struct tls_client_context *tls = up->secure ? secure_client(up->secure) : NULL;
    if (!up->feed &&
        overview_address(stack_find(up->stack, "license-client"), scheme, url, sizeof url))
        up->feed = client_feed_open(up->context->loop, url, tls, license_changed, up);
}

static void update_health(struct up *up) {
    for (size_t i = 0; i < stack_count(up->stack); i++) {
        const struct stack_member *member = stack_member(up->stack, i);
        health_set(up->context->health, member->command->name, health_is_ready(member->health),
                   health_first_reason(member->health));
    }
}

static void look_again(void *context) {
    struct up *up = context;
    bool changed = watch_look(&up->watch, up->stack, &up->history, clock_wall_ms());
    follow_client(up);
    update_health(up);
    if (changed) page_broadcast(up->page);
    if (changed || loop_now_ms(up->context->loop) - up->drawn_ms >= DRAW_INTERVAL_MS)
        show_on_terminal(up);
}

static void heard_alert(void *owner, const struct alert *alert) {
    struct up *up = owner;
    static const char *const levels[] = {"info", "warning", "error"};
    history_add(&up->history, alert->raised_ms, levels[alert->severity], alert->role, alert->text);
    page_broadcast(up->page);
}

/* ---- the end: members and page close side by side; what is shown goes last ---- */

static void finish_when_down(struct up *up) {
    if (!up->stack_is_down || !up->http_is_down) return;
    struct role_context *context = up->context;
    bool failed_start = up->failed_start;
    terminal_close(up->terminal);
    page_free(up->page);
    stack_free(up->stack);
    secure_close(up->secure);
    options_free(up->page_options);
    demo_free(&up->demo);
    buffer_free(&up->overview);
    free(up);
    context->state = NULL;
    if (!failed_start) context->stopped(context);
}

static void stack_is_down(void *owner) {
    struct up *up = owner;
    up->stack_is_down = true;
    finish_when_down(up);
}

static void http_is_down(void *owner) {
    struct up *up = owner;
    up->http_is_down = true;
    finish_when_down(up);
}

static void member_failed(void *owner, const struct status *status) {
    struct up *up = owner;
    up->context->failed(up->context, status);
}

static void begin_end(struct up *up) {
    if (up->stopping) return;
    up->stopping = true;
    alerts_unlisten(up->context->alerts, up);
    timer_close(up->look);
    client_feed_close(up->feed);
    up->feed = NULL;
    role_http_close(up->http, http_is_down, up);
    stack_stop(up->stack);
}

static void up_stop(struct role_context *context) {
    if (context->state) begin_end(context->state);
}

/* ---- the beginning ---- */

/* True when the first role starts, and before the second: what it listens on is known then. */
static bool has_before(const struct up *up, const char *first, const char *second) {
    bool seen = false;
    for (size_t i = 0; i < stack_count(up->stack); i++) {
        const char *name = stack_member(up->stack, i)->command->name;
        if (strcmp(name, second) == 0) return seen;
        if (strcmp(name, first) == 0) seen = true;
    }
    return false;
}

static void collect_overrides(struct up *up) {
    const struct options *options = up->context->options;
    bool own_license = options_text(options, "license") || options_text(options, "keys");
    const char *license = own_license ? options_text(options, "license") : up->demo.license_path;
    const char *keys = own_license ? options_text(options, "keys") : up->demo.jwks_path;
    const char *master = options_text(options, "master_http");
    snprintf(up->master_url, sizeof up->master_url, "http%s://%s", up->secure ? "s" : "",
             master ? master : MASTER_ADDRESS);
    const struct stack_override overrides[OWN_OVERRIDES] = {
        {"broker", "listen", "--listen", options_text(options, "listen"), false},
        {"license-server", "http", "--server-http", options_text(options, "server_http"), false},
        {"license-server", "license", "--license", license, !own_license},
        {"license-server", "keys", "--keys", keys, !own_license},
        {"license-server", "nats.urls", "up", "embedded", true},
        {"license-client", "http", "--client-http", options_text(options, "client_http"), false},
        {"license-client", "keys", "--keys", keys, !own_license},
        {"license-client", "nats.urls", "up", "embedded", true},
        {"cache-master", "http", "--master-http", master, false},
        {"cache-master", "keys", "--keys", keys, !own_license},
        {"cache-master", "import", "--license", license, !own_license},
        {"cache-slave", "http", "--slave-http", options_text(options, "slave_http"), false},
        {"cache-slave", "keys", "--keys", keys, !own_license},
        {"cache-slave", "master", "up",
         has_before(up, "cache-master", "cache-slave") ? "embedded" : up->master_url, true},
        {"cache-master", "nats.urls", "up",
         has_before(up, "broker", "cache-master") ? "embedded" : NULL, true},
        {"cache-slave", "nats.urls", "up",
         has_before(up, "broker", "cache-slave") ? "embedded" : NULL, true},
    };
    memcpy(up->overrides, overrides, sizeof overrides);
    up->override_count = OWN_OVERRIDES;
    if (up->secure)
        up->override_count += secure_overrides(up->secure, up->overrides + OWN_OVERRIDES);
}

static bool prepare_demo(struct up *up, struct status *status) {
    const struct options *options = up->context->options;
    if (options_text(options, "license") || options_text(options, "keys")) return true;
    if (!demo_prepare(store_folder(up->context->store), clock_wall_ms(), &up->demo, status))
        return status_context(status, "the demonstration license");
    if (up->demo.made_key)
        log_event(LOG_INFO, up->context->name, "made a demonstration vendor on this machine",
                  "private_key", up->demo.key_path, "public_keys", up->demo.jwks_path, NULL);
    if (up->demo.issued)
        log_event(LOG_INFO, up->context->name, "issued a demonstration license", "file",
                  up->demo.license_path, NULL);
    return true;
}

/* The roles to run. */
static size_t name_roles(const struct options *options, const char *roles[STACK_MEMBERS_MAX]) {
    size_t named = options_argument_count(options);
    size_t count = named ? named : sizeof default_roles / sizeof default_roles[0];
    for (size_t i = 0; i < count; i++)
        roles[i] = named ? options_argument(options, i) : default_roles[i];
    return count;
}

static bool open_secure(struct up *up, struct status *status) {
    static const char *const keys[] = {"http",        "listen",      "server_http",
                                       "client_http", "master_http", "slave_http"};
    const struct options *options = up->context->options;
    const char *roles[STACK_MEMBERS_MAX];
    struct address hosts[sizeof keys / sizeof keys[0]];
    size_t host_count = 0;
    if (!secure_check_roles(roles, name_roles(options, roles), status)) return false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (options_address(options, keys[i], &hosts[host_count])) host_count++;
    up->secure = secure_open(up->context, store_folder(up->context->store), hosts, host_count,
                             options_duration_ms(options, "certificate_life"), status);
    return up->secure != NULL;
}

/* The page has the same options as `up`, and with --secure the certificate. */
static bool open_page(struct up *up, struct status *status) {
    struct buffer needs_restart;
    up->page_context = *up->context;
    if (up->secure) {
        buffer_init(&needs_restart, STATUS_TEXT_BYTES);
        up->page_options = options_load_again(up->context->options, &needs_restart, status);
        buffer_free(&needs_restart);
        if (!up->page_options || !secure_page_options(up->secure, up->page_options, status))
            return false;
        up->page_context.options = up->page_options;
    }
    up->http = role_http_open(&up->page_context, "http", status);
    if (!up->http) return false;
    up->page = page_new(role_http_server(up->http), write_overview, up);
    return true;
}

static bool add_members(struct up *up, struct status *status) {
    const char *roles[STACK_MEMBERS_MAX];
    size_t count = name_roles(up->context->options, roles);
    for (size_t i = 0; i < count; i++)
        if (!stack_add(up->stack, roles[i], status)) return false;
    return true;
}

static bool open_view(struct up *up, struct status *status) {
    const struct options *options = up->context->options;
    char *log_path = file_join(store_folder(up->context->store), "up.log");
    bool live = options_text(options, "view")[0] == 'a';
    up->terminal = terminal_open(live, log_path, status);
    free(log_path);
    return up->terminal != NULL;
}

static bool start_everything(struct up *up, struct status *status) {
    bool is_secure = options_boolean(up->context->options, "secure");
    if (!is_secure && options_is_given(up->context->options, "certificate_life"))
        return status_fail(status, STATUS_USAGE,
                           "--certificate-life goes with --secure: without it there are none");
    /* The roles' names first: a typing error leaves nothing behind in the data folder. */
    if (!add_members(up, status) || (is_secure && !open_secure(up, status)) ||
        !open_page(up, status) || !prepare_demo(up, status))
        return false;
    collect_overrides(up);
    return stack_configure(up->stack, up->overrides, up->override_count, status) &&
           stack_start(up->stack, up->overrides, up->override_count, status) &&
           open_view(up, status);
}

static bool up_start(struct role_context *context, struct status *status) {
    struct up *up = memory_new(sizeof *up);
    up->context = context;
    context->state = up;
    buffer_init(&up->overview, OVERVIEW_BYTES_MAX);
    up->stack = stack_new(context, stack_is_down, member_failed, up);
    up->look = timer_open(context->loop, look_again, up);
    alerts_listen(context->alerts, heard_alert, up);
    if (!start_everything(up, status)) {
        up->failed_start = true;
        begin_end(up);
        return false;
    }
    timer_start_repeating(up->look, LOOK_INTERVAL_MS);
    look_again(up);
    return true;
}

static bool up_reload(struct role_context *context, const struct options *fresh,
                      struct status *status) {
    struct up *up = context->state;
    (void)fresh; /* every option of `up` itself needs a restart */
    return stack_reload(up->stack, status);
}

static void up_user_signal(struct role_context *context) {
    struct up *up = context->state;
    stack_user_signal(up->stack);
}

static void up_describe(const struct role_context *context, struct role_view *view) {
    const struct up *up = context->state;
    bool ready = health_is_ready(context->health);
    view->condition = ready ? ROLE_SERVING : ROLE_WAITING;
    snprintf(view->state, sizeof view->state, "%zu roles", stack_count(up->stack));
    snprintf(view->detail, sizeof view->detail, "%s", health_first_reason(context->health));
    snprintf(view->listens, sizeof view->listens, "%s", role_http_url(up->http));
}

static const struct role up_role = {
    .wants_store = true,
    .start = up_start,
    .stop = up_stop,
    .reload = up_reload,
    .user_signal = up_user_signal,
    .describe = up_describe,
};

static const struct option *const up_shared[] = {process_options, store_options, http_options,
                                                 NULL};

const struct command up_command = {
    .name = "up",
    .summary = "run the whole stack in one process, with a page that shows it",
    .group = COMMAND_ROLES,
    .arguments = "[ROLE...]",
    .arguments_maximum = STACK_MEMBERS_MAX,
    .description =
        "Starts the named roles in one process on one event loop; without names: broker,\n"
        "license-server, license-client, cache-master and cache-slave. They find each other by\n"
        "themselves. Each role reads its own section of conf.d and its own environment.\n\n"
        "Without --license, a vendor key and a license for demonstration are made in the data\n"
        "folder at the first start and kept. The page at --http shows the state of everything,\n"
        "live; a terminal shows the same. With --secure every connection is TLS and every NATS\n"
        "user has its own credentials. Ctrl-C stops all roles within two seconds.",
    .examples = "  lsys up\n"
                "  lsys up --secure\n"
                "  lsys up --data-dir /var/lib/lsys --http 127.0.0.1:9000\n"
                "  lsys up broker license-server --license acme.lic --keys vendor.jwks\n",
    .section = "up",
    .options = up_options,
    .shared = up_shared,
    .role = &up_role,
};
