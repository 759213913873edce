/*
 * A NATS deployment as a folder: who the operator is, which accounts and users there are. Tokens
 * are public and say everything; what signs them lies in `keys`, which is for the owner alone.
 *
 *     operator.jwt                    keys/operator.nk          keys/operator.signing.nk
 *     accounts/NAME.jwt               keys/accounts/NAME.nk     keys/accounts/NAME.signing.nk
 *     users/ACCOUNT/NAME.jwt          keys/sys.creds
 *
 * The identity keys of the operator and of accounts are needed only here; accounts and users are
 * signed with the signing keys (the newest of them; nats_keys.h), so that the former can be kept
 * elsewhere. A user's seed is in its .creds file only.
 */
#ifndef LSYS_APP_NATS_DEPLOYMENT_H
#define LSYS_APP_NATS_DEPLOYMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"
#include "verifier/nats_jwt.h"

/* The system account, through which servers are told of accounts, and its user. */
#define NATS_DEPLOYMENT_SYSTEM_ACCOUNT "SYS"
#define NATS_DEPLOYMENT_SYSTEM_USER    "sys"
#define NATS_DEPLOYMENT_SYSTEM_CREDS   "keys/sys.creds"

/* Longest name of an account or user: it becomes a file's name. */
#define NATS_DEPLOYMENT_NAME_BYTES_MAX 64

/* Most accounts, and most users of one account, that are listed. */
#define NATS_DEPLOYMENT_NAMES_MAX 100000

struct nats_deployment {
    char *folder;
    struct buffer operator_token;
    struct nats_operator operator;
};

/* Reads and checks the operator in `folder`. The result is given to nats_deployment_close.
 * STATUS_NOT_FOUND says how to make one. */
bool nats_deployment_open(const char *folder, struct nats_deployment *out,
                          struct status *status) MUST_CHECK;
void nats_deployment_close(struct nats_deployment *deployment);

/* Makes an operator in `folder`, which has none: its keys and its token, named `name`, whose system
 * account is `system_account`. STATUS_BUSY when there is one already. */
bool nats_deployment_create(const char *folder, const char *name, const char *system_account,
                            int64_t now_s, struct status *status) MUST_CHECK;

/* Signs the operator's claims with its identity key and writes its token. */
bool nats_deployment_write_operator(struct nats_deployment *deployment,
                                    struct status *status) MUST_CHECK;

/* Makes one more signing key of the operator, which signs from now on, and signs every account with
 * it; writes the public one. */
bool nats_deployment_add_operator_key(struct nats_deployment *deployment, int64_t now_s,
                                      char key[NKEY_PUBLIC_TEXT_BYTES],
                                      struct status *status) MUST_CHECK;

/* Takes a signing key from the operator, once every account is signed with another; its file is
 * deleted. STATUS_NOT_FOUND, STATUS_USAGE for the last one. */
bool nats_deployment_remove_operator_key(struct nats_deployment *deployment, const char *key,
                                         int64_t now_s, struct status *status) MUST_CHECK;

/* True when the text may be the name of an account or user: letters, digits, '.', '_', '-', not '.'
 * first. */
bool nats_deployment_check_name(const char *what, const char *name,
                                struct status *status) MUST_CHECK;

/* Makes the keys of an account; writes the public ones. Overwrites nothing: STATUS_BUSY. */
bool nats_deployment_make_account_keys(const char *folder, const char *name,
                                       char identity[NKEY_PUBLIC_TEXT_BYTES],
                                       char signing[NKEY_PUBLIC_TEXT_BYTES],
                                       struct status *status) MUST_CHECK;

/* Makes the file of one more signing key of an account, and deletes one that no token names any
 * more. */
bool nats_deployment_add_account_key(const char *folder, const char *name,
                                     char key[NKEY_PUBLIC_TEXT_BYTES],
                                     struct status *status) MUST_CHECK;
void nats_deployment_forget_account_key(const char *folder, const char *name, const char *key);

/* Reads an account: its token (NULL: not wanted) and what it says, checked against the operator at
 * `now_s`. Given to nats_account_free. STATUS_NOT_FOUND when there is no such account. */
bool nats_deployment_read_account(const struct nats_deployment *deployment, const char *name,
                                  int64_t now_s, struct buffer *token, struct nats_account *out,
                                  struct status *status) MUST_CHECK;

/* Signs the account with the operator's newest signing key and writes its token. */
bool nats_deployment_write_account(const struct nats_deployment *deployment,
                                   struct nats_account *account, struct status *status) MUST_CHECK;

/* Deletes the tokens of an account and of its users. Its keys stay, so its name is not free.
 * STATUS_NOT_FOUND; STATUS_USAGE for the system account. */
bool nats_deployment_remove_account(const struct nats_deployment *deployment, const char *name,
                                    struct status *status) MUST_CHECK;

/* Signs a request to delete accounts with the operator's signing key and appends it to `token`. */
bool nats_deployment_sign_deletion(const struct nats_deployment *deployment,
                                   struct nats_deletion *deletion, struct buffer *token,
                                   struct status *status) MUST_CHECK;

/* Reads the last token of a user; not checked. Given to nats_user_free. STATUS_NOT_FOUND. */
bool nats_deployment_read_user(const struct nats_deployment *deployment, const char *account,
                               const char *name, struct nats_user *out,
                               struct status *status) MUST_CHECK;

/* Signs the user with the key of the account that `user->jwt.issuer` names and writes its token;
 * `token` gets it, too. */
bool nats_deployment_write_user(const struct nats_deployment *deployment, const char *account,
                                struct nats_user *user, struct buffer *token,
                                struct status *status) MUST_CHECK;

/* Signs an activation with the key of the account that `activation->jwt.issuer` names and appends
 * it to `token`. */
bool nats_deployment_sign_activation(const struct nats_deployment *deployment, const char *account,
                                     struct nats_activation *activation, struct buffer *token,
                                     struct status *status) MUST_CHECK;

/* Forgets the user whose token was just written, because its credentials could not be. */
void nats_deployment_remove_user(const struct nats_deployment *deployment, const char *account,
                                 const char *name);

/* The names of the accounts, or, with an account, of its users, in order. Given to nats_names_free.
 * A folder that is not there has none. */
struct nats_names {
    char **items;
    size_t count;
};

bool nats_deployment_list(const struct nats_deployment *deployment, const char *account,
                          struct nats_names *out, struct status *status) MUST_CHECK;
void nats_names_free(struct nats_names *names);

#endif
