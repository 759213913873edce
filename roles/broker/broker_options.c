#include "roles/broker/broker_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Passwords and tokens: more is a wrong file. */
#define SECRET_BYTES 4096

const struct option broker_options_table[] = {
    {.key = "listen",
     .type = OPTION_LIST,
     .value_name = "ADDRESS",
     .fallback = "127.0.0.1:4222",
     .help = "Accept NATS clients here; may be repeated"},
    {.key = "http",
     .type = OPTION_ADDRESS,
     .help = "Serve /varz, /connz, /healthz, /readyz and /metrics here"},
    {.key = "websocket",
     .type = OPTION_ADDRESS,
     .help = "Accept browsers' NATS clients (nats.ws) here; wss with --tls-cert"},
    {.key = "websocket_origin",
     .type = OPTION_LIST,
     .value_name = "ORIGIN",
     .help = "Pages that may connect to --websocket: https://app.example, or * for all; may be "
             "repeated"},
    {.key = "name", .type = OPTION_TEXT, .help = "The server_name that clients are told"},
    {.key = "user",
     .type = OPTION_TEXT,
     .value_name = "NAME",
     .help = "Require this user, whose password is in --password-file"},
    {.key = "password_file",
     .type = OPTION_SECRET_FILE,
     .change = OPTION_RELOAD,
     .help = "The password of --user"},
    {.key = "token_file",
     .type = OPTION_SECRET_FILE,
     .change = OPTION_RELOAD,
     .help = "Require the token in this file"},
    {.key = "users_file",
     .type = OPTION_PATH,
     .change = OPTION_RELOAD,
     .help = "Users with their permissions, as JSON (mode 0600)"},
    {.key = "operator",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Operator mode: trust the accounts and users that this operator (JWT) has signed"},
    {.key = "resolver_dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .help = "The accounts of --operator, one JWT a file; watched, and written to by \"lsys nats "
             "push\""},
    {.key = "tls_first",
     .type = OPTION_BOOLEAN,
     .help = "Begin TLS at once, before INFO (clients call it handshake first)"},
    {.key = "max_payload",
     .type = OPTION_INTEGER,
     .value_name = "BYTES",
     .fallback = "1048576",
     .minimum = 1024,
     .maximum = 67108864,
     .help = "Largest message, headers included"},
    {.key = "max_connections",
     .type = OPTION_INTEGER,
     .fallback = "65536",
     .minimum = 1,
     .maximum = 1000000,
     .help = "Clients at the same time"},
    {.key = "max_subscriptions",
     .type = OPTION_INTEGER,
     .fallback = "100000",
     .minimum = 1,
     .maximum = 10000000,
     .help = "Subscriptions of one client"},
    {.key = "max_pending",
     .type = OPTION_INTEGER,
     .value_name = "BYTES",
     .fallback = "67108864",
     .minimum = 1024,
     .maximum = 1073741824,
     .help = "Output waiting for one client before it is cut off"},
    {.key = "max_pending_total",
     .type = OPTION_INTEGER,
     .value_name = "BYTES",
     .fallback = "268435456",
     .minimum = 1048576,
     .maximum = 17179869184,
     .help = "Output waiting for all clients before the slowest is cut off"},
    {.key = "write_deadline",
     .type = OPTION_DURATION,
     .fallback = "10s",
     .minimum = 100,
     .maximum = 600000,
     .help = "Cut a client off that does not take its output for so long"},
    {.key = "auth_timeout",
     .type = OPTION_DURATION,
     .fallback = "2s",
     .minimum = 100,
     .maximum = 60000,
     .help = "Time to send a good CONNECT, when credentials are required"},
    {.key = "ping_interval",
     .type = OPTION_DURATION,
     .fallback = "2m",
     .minimum = 100,
     .maximum = 3600000,
     .help = "Silence after which a client is sent PING"},
    {.key = "ping_max",
     .type = OPTION_INTEGER,
     .fallback = "2",
     .minimum = 1,
     .maximum = 100,
     .help = "PINGs without an answer before a client counts as gone"},
    {.key = "lame_duck_grace",
     .type = OPTION_DURATION,
     .fallback = "10s",
     .minimum = 1,
     .maximum = 3600000,
     .help = "Time for clients to move on by themselves in lame duck mode"},
    {.key = "lame_duck_duration",
     .type = OPTION_DURATION,
     .fallback = "2m",
     .minimum = 1,
     .maximum = 3600000,
     .help = "Time over which the remaining clients are then closed"},
    {.key = "pid_file",
     .type = OPTION_PATH,
     .help = "Locked while the broker runs, so that --drain finds it"},
    {.key = "drain",
     .type = OPTION_BOOLEAN,
     .flag_only = true,
     .help = "Tell the broker that holds --pid-file to go into lame duck mode"},
    {0},
};

/* ---- users ---- */

static bool add_password_user(const struct options *options, struct broker_users *users,
                              struct status *status) {
    const char *name = options_text(options, "user");
    struct buffer password;
    buffer_init(&password, SECRET_BYTES);
    bool given = options_secret(options, "password_file", &password, status);
    bool good = status_is_ok(status);
    if (good && given && name == NULL)
        good = status_fail(status, STATUS_CONFIG, "--password-file needs --user");
    if (good && !given && name != NULL)
        good = status_fail(status, STATUS_CONFIG, "--user needs --password-file");
    if (good && given)
        good = broker_users_add_password(users, name, buffer_bytes(&password), NULL, status);
    buffer_wipe(&password);
    return good;
}

static bool add_token(const struct options *options, struct broker_users *users,
                      struct status *status) {
    struct buffer token;
    buffer_init(&token, SECRET_BYTES);
    bool given = options_secret(options, "token_file", &token, status);
    bool good = status_is_ok(status);
    if (good && given) good = broker_users_add_token(users, buffer_bytes(&token), NULL, status);
    buffer_wipe(&token);
    return good;
}

bool broker_options_read_users(const struct options *options, struct broker_users **out,
                               struct status *status) {
    struct broker_users *users = broker_users_new();
    const char *file = options_text(options, "users_file");
    bool good = add_password_user(options, users, status) && add_token(options, users, status) &&
                (file == NULL || broker_users_add_file(users, file, status));
    *out = users;
    if (good && broker_users_count(users) > 0) return true;
    broker_users_free(users);
    *out = NULL;
    return good;
}

/* ---- operator mode ---- */

static bool open_trust(const struct options *options, bool has_users, struct broker_trust **out,
                       struct status *status) {
    const char *operator_file = options_text(options, "operator");
    const char *folder = options_text(options, "resolver_dir");
    *out = NULL;
    if (operator_file == NULL && folder == NULL) return true;
    if (operator_file == NULL || folder == NULL)
        return status_fail(
            status, STATUS_CONFIG,
            "--operator and --resolver-dir go together: who signs accounts, and where "
            "they are kept");
    if (has_users)
        return status_fail(
            status, STATUS_CONFIG,
            "--operator takes the place of users, passwords and tokens: it has its own");
    *out = broker_trust_open(operator_file, folder, status);
    return *out != NULL;
}

bool broker_options_read_login(const struct options *options, struct broker_options *out,
                               struct status *status) {
    if (!broker_options_read_users(options, &out->users, status)) return false;
    if (open_trust(options, out->users != NULL, &out->trust, status)) return true;
    broker_users_free(out->users);
    return false;
}

/* ---- the rest ---- */

void broker_options_read(const struct options *options, struct broker_options *out) {
    *out = (struct broker_options){
        .name = options_text(options, "name"),
        .max_payload_bytes = (size_t)options_integer(options, "max_payload"),
        .max_connections = (size_t)options_integer(options, "max_connections"),
        .max_subscriptions = (size_t)options_integer(options, "max_subscriptions"),
        .max_pending_bytes = (size_t)options_integer(options, "max_pending"),
        .max_pending_total_bytes = (size_t)options_integer(options, "max_pending_total"),
        .write_deadline_ms = options_duration_ms(options, "write_deadline"),
        .authentication_timeout_ms = options_duration_ms(options, "auth_timeout"),
        .ping_interval_ms = options_duration_ms(options, "ping_interval"),
        .pings_outstanding_max = (int)options_integer(options, "ping_max"),
        .lame_duck_grace_ms = options_duration_ms(options, "lame_duck_grace"),
        .lame_duck_spread_ms = options_duration_ms(options, "lame_duck_duration"),
    };
}
