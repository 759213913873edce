/* The record of the role: name, options, help. */
#include "app/api_keys.h"
#include "app/change_hints.h"
#include "app/role.h"
#include "app/role_options.h"
#include "roles/cache-master/cache_master.h"
#include "roles/cache-master/master.h"

static const struct option rows[] = {
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .change = OPTION_RELOAD,
     .help = "The vendor's public keys; what they do not verify is never stored"},
    {.key = "root",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .change = OPTION_RELOAD,
     .help = "The vendor's root keys, which sign key rings"},
    {.key = "keyring",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The vendor's key ring, passed on to the slaves"},
    {.key = "revocations",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The vendor's revocation list, passed on to the slaves"},
    {.key = "import",
     .type = OPTION_LIST,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help =
         "Add this license, or those in this folder, now and when they change; may be repeated"},
    {.key = "rate_limit",
     .type = OPTION_INTEGER,
     .fallback = "200",
     .minimum = 1,
     .maximum = RATE_LIMIT_MAX_PER_SECOND / 100,
     .help = "Requests a second from one address, and with the key of one slave"},
    {.key = "session_lifetime",
     .type = OPTION_DURATION,
     .fallback = "15m",
     .minimum = 1000,
     .maximum = 86400000,
     .bare_unit_ms = 1000,
     .change = OPTION_RELOAD,
     .help = "How long a session lasts, which a slave makes so that its key travels rarely"},
    {.key = "http",
     .type = OPTION_ADDRESS,
     .fallback = "127.0.0.1:8003",
     .help = "Where to answer HTTP"},
    {0},
};

static const struct option *const shared[] = {
    api_key_options, change_hints_options, nats_options, http_options,
    store_options,   process_options,      NULL};

static const struct role role = {
    .wants_store = true,
    .least_persistence = PERSISTENCE_READ_ONLY,
    .start = cache_master_start,
    .stop = cache_master_stop,
    .reload = cache_master_reload,
    .describe = cache_master_describe,
};

const struct command cache_master_command = {
    .name = CACHE_MASTER_NAME,
    .summary = "hold the licenses of many sites, and tell their caches what is new",
    .group = COMMAND_ROLES,
    .description =
        "Keeps licenses that the vendor signed, and answers cache-slaves which ask what is new.\n"
        "Licenses are added with `lsys licenses` or the admin API; a token that the vendor's keys\n"
        "do not verify is never stored, and every change is in the audit log. Slaves show the key\n"
        "in SECRET_INTERNAL_API_KEY or --api-key-file; without one, a key is made in the data\n"
        "folder at the first start.",
    .examples = "  lsys cache-master --keys vendor.jwks --data-dir /var/lib/lsys-master\n"
                "  lsys licenses add acme.lic --data-dir /var/lib/lsys-master\n",
    .section = CACHE_MASTER_NAME,
    .options = rows,
    .shared = shared,
    .role = &role,
};
