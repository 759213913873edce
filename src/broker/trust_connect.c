/* CONNECT in operator mode: from a token and a signature to an account, permissions and limits. */
#include "broker/trust_state.h"

static bool refuse(struct client *client, const char *reason) {
    client->broker->counters.authentication_failures++;
    client_refuse(client, "Authorization Violation", reason);
    return false;
}

static bool has_signed(const struct client *client, const struct nats_user *user,
                       const struct nats_rights *rights, const char *signature) {
    uint8_t bytes[SIGNATURE_BYTES];
    if (rights->bearer_token) return true;
    return signature != NULL && client->nonce[0] != '\0' &&
           broker_signature_read(bytes_of_text(signature), bytes) &&
           nkey_verify(bytes_of_text(user->jwt.subject), bytes_of_text(client->nonce), bytes);
}

/* All that the tokens say about whether this client may come in. */
static bool check_user(const struct client *client, const struct nats_user *user,
                       const struct account *account, const char *signature,
                       struct status *status) {
    const struct broker_trust *trust = client->broker->trust;
    if (account == NULL || account->file == NULL)
        return status_fail(status, STATUS_UNKNOWN_ISSUER, "the account %s is not known here",
                           nats_user_account(user));
    if (!nats_account_check(&account->claims, &trust->operator, trust_now_s(), status) ||
        !nats_user_check(user, &account->claims, &trust->operator, trust_now_s(), status))
        return false;
    const struct nats_rights *rights = nats_user_rights(user, &account->claims);
    if (rights->bearer_token && account->claims.limits.disallow_bearer)
        return status_fail(status, STATUS_FORBIDDEN, "the account allows no bearer tokens");
    unsigned way = client->is_websocket ? NATS_CONNECTION_WEBSOCKET : NATS_CONNECTION_STANDARD;
    if (rights->connection_types != 0 && !(rights->connection_types & way))
        return status_fail(status, STATUS_FORBIDDEN, "the user may not connect in this way");
    if (!has_signed(client, user, rights, signature))
        return status_fail(status, STATUS_BAD_SIGNATURE, "the nonce was not signed by the user");
    return true;
}

static size_t smaller(size_t limit, int64_t other) {
    return other < 0 || (uint64_t)other > limit ? limit : (size_t)other;
}

/* Clients that understand it are told of a smaller payload in a second INFO. */
static void apply_limits(struct client *client) {
    const struct nats_account_limits *limits = &client->account->claims.limits;
    const struct nats_rights *rights =
        nats_user_rights(&client->identity->claims, &client->account->claims);
    size_t before = client->parser.max_payload_bytes;
    size_t payload = smaller(smaller(before, limits->payload_bytes), rights->payload_bytes);
    client->max_subscriptions = smaller(client->max_subscriptions, rights->subscriptions);
    client->parser.max_payload_bytes = payload;
    if (payload != before && client->options.protocol > 0) client_send_info(client, false);
}

static bool enter(struct client *client, struct account *account, struct identity *identity) {
    int64_t connections = account->claims.limits.connections;
    if (connections >= 0 && account->client_count >= (size_t)connections) {
        identity_free(identity);
        client_refuse(client, "maximum account active connections exceeded",
                      "its account has too many connections");
        return false;
    }
    account_open(account);
    account->client_count++;
    client->account = account;
    client->identity = identity;
    client->user = &identity->user;
    apply_limits(client);
    trust_note_expiries(client->broker->trust, client);
    return true;
}

bool trust_authenticate(struct client *client, const char *token, const char *signature) {
    struct broker_trust *trust = client->broker->trust;
    struct status status = STATUS_INIT;
    struct nats_user user;
    /* Who the client is was settled by its first CONNECT. */
    if (client->identity != NULL) return true;
    if (token == NULL) return refuse(client, "no user's token, as operator mode needs it");
    if (!nats_user_read(bytes_of_text(token), &user, &status)) return refuse(client, status.text);
    struct account *account = trust_find(trust, nats_user_account(&user));
    struct identity *identity = NULL;
    if (check_user(client, &user, account, signature, &status))
        identity = identity_new(&user, account, &status);
    nats_user_free(&user);
    if (identity == NULL) return refuse(client, status.text);
    return enter(client, account, identity);
}

void trust_forget(struct client *client) {
    if (client->identity == NULL || client->has_left_account) return;
    client->has_left_account = true;
    client->account->client_count--;
}
