/*
 * Rows of options that all roles have, so that they are spelled alike everywhere. A role names the
 * tables it wants in its command's `shared` list.
 */
#ifndef LSYS_APP_ROLE_OPTIONS_H
#define LSYS_APP_ROLE_OPTIONS_H

#include "app/options.h"

/* config_dir (a flag), and in section [log]: level, format. Every role has these. */
extern const struct option process_options[];

/* data_dir: the folder of the state. For roles that want a store. */
extern const struct option store_options[];

/* http_allowed_hosts, tls_cert, tls_key, tls_client_ca, insecure_listen. The row `http` itself (an
 * ADDRESS) is the role's own, because its default port is; app/role_http.h makes the server. */
extern const struct option http_options[];

/* https_ca, https_cert, https_key: for those who call others; app/https_client.h reads them. */
extern const struct option https_options[];

/* nats.user, nats.password_file, nats.token_file, nats.nkey_file, nats.creds, with flags
 * --nats-user and so on; nats.tls_ca, nats.tls_cert, nats.tls_key with --nats-ca, --nats-cert,
 * --nats-key. The row `nats.urls` (flag --nats, a LIST) is the role's own, because its default
 * differs; app/nats_login.h reads them all. */
extern const struct option nats_options[];

#endif
