/* The record of the role: name, options, help. */
#include "app/role.h"
#include "app/role_options.h"
#include "roles/license-server/license_server.h"
#include "roles/license-server/server.h"
#include "verifier/status_proof.h"

/* Below this a heartbeat is a load test; above, clients of the usual timeout would never be
 * content. */
#define HEARTBEAT_MIN_MS 100
#define HEARTBEAT_MAX_MS 3600000
_Static_assert(HEARTBEAT_MIN_MS >= STATUS_PROOF_HEARTBEAT_MIN_MS, "a proof can say it");
_Static_assert(HEARTBEAT_MAX_MS <= STATUS_PROOF_HEARTBEAT_MAX_MS, "a proof can say it");

static const struct option rows[] = {
    {.key = "license",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The license, in armour or as a bare token; watched, may come later"},
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .change = OPTION_RELOAD,
     .help = "The vendor's public keys"},
    {.key = "root",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .change = OPTION_RELOAD,
     .help = "The vendor's root keys, which sign key rings"},
    {.key = "keyring",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The vendor's key ring; once in force it replaces --keys"},
    {.key = "revocations",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The vendor's revocation list"},
    {.key = "deployment_id",
     .type = OPTION_TEXT,
     .value_name = "ID",
     .help = "What this deployment is called in licenses that are bound to one"},
    {.key = "fingerprint_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The host's fingerprint, from `lsys fingerprint --json`; for containers"},
    {.key = "server_id",
     .type = OPTION_TEXT,
     .value_name = "NAME",
     .help = "This server's name in its messages; host name and key by default"},
    {.key = "heartbeat_interval",
     .type = OPTION_DURATION,
     .fallback = "30s",
     .minimum = HEARTBEAT_MIN_MS,
     .maximum = HEARTBEAT_MAX_MS,
     .change = OPTION_RELOAD,
     .help = "Time between heartbeats; clients wait twice as long by default"},
    {.key = "http",
     .type = OPTION_ADDRESS,
     .fallback = "127.0.0.1:8001",
     .help = "Where to answer HTTP"},
    {.key = "nats.urls",
     .flag = "nats",
     .type = OPTION_LIST,
     .value_name = "URL",
     .fallback = "embedded",
     .help = "NATS servers, or `embedded` to bring one along; may be repeated"},
    {.key = "nats.listen",
     .type = OPTION_ADDRESS,
     .fallback = "127.0.0.1:4222",
     .help = "Where the embedded broker listens"},
    {.key = "nats.listen_tls",
     .type = OPTION_BOOLEAN,
     .help = "The embedded broker has TLS, with --tls-cert and --tls-key"},
    {.key = "nats.listen_users_file",
     .type = OPTION_PATH,
     .change = OPTION_RELOAD,
     .help = "Users of the embedded broker with their permissions, as JSON (mode 0600)"},
    {0},
};

static const struct option *const shared[] = {nats_options, http_options, store_options,
                                              process_options, NULL};

static const struct role role = {
    .wants_store = true,
    .least_persistence = PERSISTENCE_MEMORY,
    .start = server_start,
    .stop = server_stop,
    .reload = server_reload,
    .describe = server_describe,
};

const struct command license_server_command = {
    .name = "license-server",
    .summary = "verify the license and tell every instance over NATS",
    .group = COMMAND_ROLES,
    .description =
        "Reads the license, verifies it with the vendor's keys, and broadcasts its status on\n"
        "the NATS subject license.status: at once when something changes, and as a heartbeat.\n"
        "All files are watched; a good new license takes over within a second, a bad one is\n"
        "refused and the old one stays. The server starts without NATS and without files, in\n"
        "any order, and says what it waits for. Several servers may run at once.",
    .examples =
        "  lsys license-server --license acme.lic --keys vendor.jwks --data-dir /var/lib/lsys\n"
        "  lsys license-server --license acme.lic --keys vendor.jwks \\\n"
        "      --nats nats://10.0.0.5:4222 --nats nats://10.0.0.6:4222",
    .section = "license-server",
    .options = rows,
    .shared = shared,
    .role = &role,
};
