#include "roles/license-client/license_client.h"

#include "app/role_options.h"
#include "roles/license-client/client.h"

static const struct option options[] = {
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The vendor's public keys (vendor.jwks); needed"},
    {.key = "root",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .change = OPTION_RELOAD,
     .help = "The vendor's root keys; with them, signed key rings are taken over"},
    {.key = "nats.urls",
     .flag = "nats",
     .type = OPTION_LIST,
     .value_name = "URL",
     .fallback = "nats://127.0.0.1:4222",
     .help = "NATS server; may be repeated"},
    {.key = "http",
     .type = OPTION_ADDRESS,
     .fallback = "127.0.0.1:8002",
     .help = "Answer the application here"},
    {.key = "socket",
     .type = OPTION_PATH,
     .value_name = "PATH",
     .help = "Answer the application at this unix socket, too"},
    {.key = "heartbeat_timeout",
     .type = OPTION_DURATION,
     .fallback = "60s",
     .minimum = 500,
     .maximum = 86400000,
     .change = OPTION_RELOAD,
     .help = "Fall back to community after this time without a good heartbeat"},
    {.key = "pinning",
     .type = OPTION_ENUM,
     .choices = "open|strict",
     .fallback = "open",
     .change = OPTION_RELOAD,
     .help = "When the license names no servers: pin the first four that prove themselves, or "
             "only those that an operator added"},
    {.key = "on_change",
     .type = OPTION_TEXT,
     .value_name = "CMD",
     .help = "Run this program, without a shell, at each change; the state is in LICENSE_* "
             "variables"},
    {.key = "on_change_timeout",
     .type = OPTION_DURATION,
     .fallback = "30s",
     .minimum = 100,
     .maximum = 3600000,
     .help = "End the --on-change program after this time"},
    {.key = "status_file",
     .type = OPTION_PATH,
     .value_name = "PATH",
     .help = "Keep the state in this file, replaced atomically"},
    {0},
};

static const struct option *const shared[] = {process_options, store_options, http_options,
                                              nats_options, NULL};

const struct command license_client_command = {
    .name = "license-client",
    .summary = "follow the license servers and answer the application beside it",
    .group = COMMAND_ROLES,
    .description =
        "Follows license.status on NATS, believes only what it can verify with the vendor's\n"
        "keys, and answers the application beside it over HTTP on loopback, a unix socket, a\n"
        "file or a program that runs at each change. Without a good message it is the\n"
        "community edition, never an error.\n"
        "\n"
        "SIGHUP reads the key files and the reloadable options again.",
    .examples = "  lsys license-client --keys vendor.jwks --data-dir /var/lib/lsys-client\n"
                "  curl http://127.0.0.1:8002/v1/license\n"
                "  curl -i http://127.0.0.1:8002/v1/features/sso\n"
                "  curl -N http://127.0.0.1:8002/v1/events\n",
    .section = "license-client",
    .options = options,
    .shared = shared,
    .role = &license_client_role,
};
