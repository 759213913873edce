#include "app/nats_credentials.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "codec/nats_creds.h"

bool nats_credentials_create(const struct nats_deployment *deployment, const char *account_name,
                             struct nats_user *user, const char *creds_path,
                             struct status *status) {
    char seed[NKEY_SEED_TEXT_BYTES];
    struct buffer token, creds;
    if (access(creds_path, F_OK) == 0)
        return status_fail(status, STATUS_BUSY, "%s exists already and is not overwritten",
                           creds_path);
    nkey_generate(NKEY_USER, seed, user->jwt.subject);
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    buffer_init(&creds, NATS_CREDS_BYTES_MAX);
    bool made = nats_deployment_write_user(deployment, account_name, user, &token, status);
    if (made) {
        nats_creds_write(buffer_bytes(&token), bytes_of_text(seed), &creds);
        made = buffer_check(&creds, creds_path, status) &&
               file_create(creds_path, buffer_bytes(&creds), 0600, status);
        if (!made) nats_deployment_remove_user(deployment, account_name, user->jwt.name);
    }
    memory_wipe(seed, sizeof seed);
    buffer_wipe(&creds);
    buffer_free(&token);
    return made;
}
