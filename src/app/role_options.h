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

/* http_allowed_hosts, http_token_file, http_tls_certificate, http_tls_key, insecure_listen. The row
 * `http` itself (an ADDRESS) is the role's own, because its default port is. */
extern const struct option http_options[];

/* nats_user, nats_password_file, nats_token_file, nats_nkey_file, nats_credentials_file,
 * nats_tls_ca. The row `nats.urls` (flag --nats, a LIST) is the role's own, because its default
 * differs. */
extern const struct option nats_options[];

#endif
