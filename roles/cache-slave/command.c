/* The record of the role: name, options, help. */
#include "app/api_keys.h"
#include "app/change_hints.h"
#include "app/outbound_proxy.h"
#include "app/role.h"
#include "app/role_options.h"
#include "roles/cache-slave/cache_slave.h"
#include "roles/cache-slave/slave.h"

static const struct option rows[] = {
    {.key = "master",
     .type = OPTION_TEXT,
     .value_name = "URL",
     .help = "The cache-master, or a cache-slave in its place: http://HOST:PORT; \"embedded\": the "
             "one in this process, in lsys up"},
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .change = OPTION_RELOAD,
     .help = "The vendor's public keys; what they do not verify is never served"},
    {.key = "root",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .change = OPTION_RELOAD,
     .help = "The vendor's root keys, which sign key rings"},
    {.key = "enable_push",
     .type = OPTION_BOOLEAN,
     .fallback = "true",
     .help = "Have the master tell of changes at once, over a WebSocket"},
    {.key = "fallback_license",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The vendor's license with edition `development`, for outages past the grace"},
    {.key = "deployment_id",
     .type = OPTION_TEXT,
     .value_name = "ID",
     .help = "Which deployment's license is the current one; needed when there are several"},
    {.key = "fingerprint_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "The host's fingerprint, from `lsys fingerprint --json`; for containers"},
    {.key = "http",
     .type = OPTION_ADDRESS,
     .fallback = "127.0.0.1:8004",
     .help = "Where to answer HTTP"},
    {0},
};

static const struct option *const shared[] = {
    slave_setting_options, api_key_options, http_options,  https_options,   outbound_proxy_options,
    change_hints_options,  nats_options,    store_options, process_options, NULL};

static const struct role role = {
    .wants_store = true,
    .least_persistence = PERSISTENCE_MEMORY,
    .start = slave_start,
    .stop = slave_stop,
    .reload = slave_reload,
    .describe = slave_describe,
};

const struct command cache_slave_command = {
    .name = CACHE_SLAVE_NAME,
    .summary = "answer license checks at a site, also while the master is away",
    .group = COMMAND_ROLES,
    .description =
        "Keeps a verified copy of the master's licenses and answers checks from memory. Past\n"
        "LICENSE_CACHE_TTL it syncs in the background and still grants everything; past\n"
        "STALE_GRACE_PERIOD without a word from the master the vendor's development license\n"
        "stands in, or the community edition. Nothing is served that the vendor did not sign.\n"
        "A slave answers other slaves like a master, so that a site needs one link out.",
    .examples = "  lsys cache-slave --master http://127.0.0.1:8003 --keys vendor.jwks \\\n"
                "      --data-dir /var/lib/lsys-slave\n"
                "  curl http://127.0.0.1:8004/api/licenses/current\n"
                "  curl -X POST http://127.0.0.1:8004/api/licenses/manual-sync\n",
    .section = CACHE_SLAVE_NAME,
    .options = rows,
    .shared = shared,
    .role = &role,
};
