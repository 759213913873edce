#include "app/role_options.h"

const struct option process_options[] = {
    {.key = "config_dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .environment = "LSYS_CONFIG_DIR",
     .flag_only = true,
     .help = "Read *.conf from here instead of /etc/lsys/conf.d or ./conf.d"},
    {.key = "level",
     .flag = "log-level",
     .section = "log",
     .type = OPTION_ENUM,
     .choices = "debug|info|warning|error",
     .fallback = "info",
     .change = OPTION_RELOAD,
     .help = "The least important events that are logged"},
    {.key = "format",
     .flag = "log-format",
     .section = "log",
     .type = OPTION_ENUM,
     .choices = "logfmt|json",
     .fallback = "logfmt",
     .change = OPTION_RELOAD,
     .help = "How a log line is written"},
    {0},
};

const struct option store_options[] = {
    {.key = "data_dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .fallback = "lsys-data",
     .help = "Folder of the state; made when missing, used by one process at a time"},
    {0},
};

const struct option http_options[] = {
    {.key = "http_allowed_hosts",
     .type = OPTION_LIST,
     .flag = "http-allowed-host",
     .value_name = "HOST",
     .help = "Accept this Host header beside the listener's own names; may be repeated"},
    {.key = "insecure_listen",
     .type = OPTION_BOOLEAN,
     .help = "Allow listening off loopback without TLS and a credential"},
    {0},
};

const struct option nats_options[] = {
    {.key = "nats.user", .type = OPTION_TEXT, .value_name = "NAME", .help = "User name for NATS"},
    {.key = "nats.password_file",
     .type = OPTION_SECRET_FILE,
     .environment = "LSYS_NATS_PASSWORD",
     .help = "The password of --nats-user"},
    {.key = "nats.token_file",
     .type = OPTION_SECRET_FILE,
     .environment = "LSYS_NATS_TOKEN",
     .help = "A token for NATS"},
    {.key = "nats.nkey_file",
     .type = OPTION_SECRET_FILE,
     .environment = "LSYS_NATS_NKEY_SEED",
     .help = "The NKey seed (\"SU...\") to sign in with"},
    {.key = "nats.creds", .type = OPTION_SECRET_FILE, .help = "A .creds file (user JWT and seed)"},
    {0},
};
