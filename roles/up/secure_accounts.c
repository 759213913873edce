#include "roles/up/secure_accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/nats_bootstrap.h"
#include "app/nats_credentials.h"
#include "app/nats_templates.h"
#include "base/clock.h"
#include "base/file.h"

#define OPERATOR_NAME "lsys-up"
#define ACCOUNT_NAME  "licensing"

/* Users, each with the rights of the template of its name. */
static const char *const users[] = {"license-server", "license-client", "cache-master",
                                    "cache-slave", "observer"};

static bool make_user(const struct nats_deployment *deployment, const struct nats_account *account,
                      const char *name, const char *folder, int64_t now_s, struct status *status) {
    struct nats_user user = {.jwt.issued_at_s = now_s,
                             .rights = {.subscriptions = NATS_NO_LIMIT,
                                        .data_bytes = NATS_NO_LIMIT,
                                        .payload_bytes = NATS_NO_LIMIT}};
    char file[64];
    snprintf(user.jwt.name, sizeof user.jwt.name, "%s", name);
    snprintf(file, sizeof file, "%s.creds", name);
    memcpy(user.issuer_account, account->jwt.subject, sizeof user.issuer_account);
    memcpy(user.jwt.issuer, nats_account_signer(account, NULL), sizeof user.jwt.issuer);
    char *creds = file_join(folder, file);
    bool made = nats_template_apply(name, &user.rights, status) &&
                nats_credentials_create(deployment, ACCOUNT_NAME, &user, creds, status);
    nats_user_free(&user);
    free(creds);
    return made;
}

static bool make_account(const struct nats_deployment *deployment, int64_t now_s,
                         struct status *status) {
    struct nats_signing_key signing = {0};
    struct nats_account account = {.jwt = {.name = ACCOUNT_NAME, .issued_at_s = now_s},
                                   .limits = nats_account_limits_default,
                                   .signing_keys = &signing,
                                   .signing_key_count = 1};
    return nats_deployment_make_account_keys(deployment->folder, ACCOUNT_NAME, account.jwt.subject,
                                             signing.key, status) &&
           nats_deployment_write_account(deployment, &account, status);
}

bool secure_accounts_make(const char *folder, struct status *status) {
    struct nats_deployment deployment = {0};
    char *nats_folder = file_join(folder, "nats");
    int64_t now_s = clock_wall_ms() / 1000;
    bool made = nats_bootstrap(nats_folder, OPERATOR_NAME, now_s, &deployment, status) &&
                make_account(&deployment, now_s, status);
    nats_deployment_close(&deployment);
    free(nats_folder);
    return made && secure_accounts_complete(folder, status);
}

static bool has_credentials(const char *folder, const char *user) {
    char file[64];
    snprintf(file, sizeof file, "%s.creds", user);
    char *path = file_join(folder, file);
    bool has = access(path, F_OK) == 0;
    free(path);
    return has;
}

static bool make_missing_users(const struct nats_deployment *deployment, const char *folder,
                               int64_t now_s, struct status *status) {
    struct nats_account account = {0};
    bool made =
        nats_deployment_read_account(deployment, ACCOUNT_NAME, now_s, NULL, &account, status);
    for (size_t i = 0; made && i < sizeof users / sizeof users[0]; i++)
        made = has_credentials(folder, users[i]) ||
               make_user(deployment, &account, users[i], folder, now_s, status);
    nats_account_free(&account);
    return made;
}

bool secure_accounts_complete(const char *folder, struct status *status) {
    struct nats_deployment deployment = {0};
    char *nats_folder = file_join(folder, "nats");
    bool complete = nats_deployment_open(nats_folder, &deployment, status) &&
                    make_missing_users(&deployment, folder, clock_wall_ms() / 1000, status);
    nats_deployment_close(&deployment);
    free(nats_folder);
    return complete;
}
