#include "broker/trust_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "broker/hash.h"
#include "broker/resolver.h"
#include "broker/subscriptions.h"

const char *trust_role(const struct broker_trust *trust) {
    return trust->broker != NULL ? trust->broker->options.role : "broker";
}

/* ---- accounts ---- */

static struct account *account_of(struct name_link *link) {
    return LIST_ENTRY(link, struct account, link);
}

struct account *trust_find(const struct broker_trust *trust, const char *key) {
    struct bytes name = bytes_of_text(key);
    struct name_link *link =
        name_table_find(&trust->accounts, hash_name(name, trust->hash_key), name);
    return link != NULL ? account_of(link) : NULL;
}

struct account *trust_next(const struct broker_trust *trust, const struct account *previous) {
    struct name_link *link =
        name_table_next(&trust->accounts, previous != NULL ? &previous->link : NULL);
    return link != NULL ? account_of(link) : NULL;
}

/* Adds an account whose claims are there. */
static struct account *add_account(struct broker_trust *trust, const struct nats_account *claims) {
    struct account *account = memory_new(sizeof *account);
    memcpy(account->key, claims->jwt.subject, sizeof account->key);
    account->is_system = strcmp(account->key, trust->operator.system_account) == 0;
    account->link.name = bytes_of_text(account->key);
    account->link.hash = hash_name(account->link.name, trust->hash_key);
    buffer_init(&account->token, NATS_JWT_BYTES_MAX);
    name_table_add(&trust->accounts, &account->link);
    return account;
}

static void free_account(struct account *account) {
    links_free(account->links);
    subject_index_free(account->index);
    nats_account_free(&account->claims);
    buffer_free(&account->token);
    free(account->file);
    free(account);
}

/* ---- clients that are connected ---- */

void trust_note_expiry(struct broker_trust *trust, int64_t expires_at_s) {
    if (expires_at_s != 0 && expires_at_s < trust->next_expiry_s)
        trust->next_expiry_s = expires_at_s;
}

void trust_note_expiries(struct broker_trust *trust, const struct client *client) {
    trust_note_expiry(trust, client->identity->claims.jwt.expires_at_s);
    trust_note_expiry(trust, client->account->claims.jwt.expires_at_s);
}

/* The error that a connected client has to hear, or NULL when all is well. */
static const char *find_fault(const struct broker_trust *trust, const struct client *client) {
    const struct account *account = client->account;
    struct status verdict = STATUS_INIT;
    if (account->file == NULL) return "Authorization Violation";
    if (!nats_account_check(&account->claims, &trust->operator, trust_now_s(), &verdict))
        return verdict.code == STATUS_EXPIRED ? "Account Authentication Expired"
                                              : "Authorization Violation";
    if (nats_user_check(&client->identity->claims, &account->claims, &trust->operator,
                        trust_now_s(), &verdict))
        return NULL;
    if (verdict.code == STATUS_REVOKED) return "User Authentication Revoked";
    if (verdict.code == STATUS_EXPIRED) return "User Authentication Expired";
    return "Authorization Violation";
}

/* Drops the client if it may not stay; else applies what its account now says of it. */
static void check_client(struct broker_trust *trust, struct client *client, bool account_changed) {
    struct status status = STATUS_INIT;
    const char *fault = find_fault(trust, client);
    if (fault == NULL && account_changed &&
        !identity_renew(client->identity, client->account, &status))
        fault = "Authorization Violation";
    if (fault != NULL) {
        client_refuse(client, fault, fault);
        return;
    }
    trust_note_expiries(trust, client);
    if (account_changed) subscriptions_check(client);
}

void trust_check_clients(struct broker_trust *trust, const struct account *changed) {
    if (trust->broker == NULL) return;
    struct list *clients = &trust->broker->clients;
    for (struct list *link = clients->next; link != clients;) {
        struct client *client = LIST_ENTRY(link, struct client, link);
        link = link->next;
        if (client->is_closing || client->identity == NULL) continue;
        if (changed == NULL || client->account == changed)
            check_client(trust, client, changed != NULL);
    }
    broker_bury(trust->broker);
}

/* ---- tokens of accounts ---- */

static void log_problem(const struct broker_trust *trust, const char *file,
                        const struct status *status) {
    log_event(LOG_WARNING, trust_role(trust), "account not taken over", "file", file, "code",
              status_code_name(status->code), "why", status->text, NULL);
}

/* At the start all accounts are linked at once. */
static void note_change(struct broker_trust *trust, const struct account *account) {
    if (trust->broker == NULL) return;
    trust_note_expiry(trust, account->claims.jwt.expires_at_s);
    links_make(trust, account);
}

/* Puts claims into force that were checked; takes them over. `file` is where the token lies; it may
 * be the account's own text. */
static struct account *put_in_force(struct broker_trust *trust, struct nats_account *claims,
                                    struct bytes token, const char *file) {
    struct account *account = trust_find(trust, claims->jwt.subject);
    if (account == NULL) account = add_account(trust, claims);
    if (file != account->file) {
        free(account->file);
        account->file = memory_copy_text(file);
    }
    nats_account_free(&account->claims);
    account->claims = *claims;
    *claims = (struct nats_account){0};
    buffer_clear(&account->token);
    buffer_append(&account->token, token.data, token.length);
    /* At the start there may be thousands; their number is told then. */
    log_event(trust->broker != NULL ? LOG_INFO : LOG_DEBUG, trust_role(trust), "account in force",
              "account", account->claims.jwt.subject, "name", account->claims.jwt.name, "file",
              account->file, NULL);
    if (account->claims.has_mappings)
        log_event(LOG_WARNING, trust_role(trust),
                  "the account's subject mappings are not carried out: only nats-server does that",
                  "account", account->key, NULL);
    trust_check_clients(trust, account);
    note_change(trust, account);
    return account;
}

static bool read_account(const struct broker_trust *trust, struct bytes token,
                         struct nats_account *out, struct status *status) {
    if (!nats_account_read(token, out, status)) return false;
    bool good = nats_account_check(out, &trust->operator, trust_now_s(), status);
    if (good && out->has_authorization)
        good = status_fail(status, STATUS_CONFIG,
                           "its users are let in by a service (\"authorization\"), which only "
                           "nats-server asks");
    if (!good) nats_account_free(out);
    return good;
}

/* Of two files for one account the newer token counts; a file may go back to an older one. */
static void on_token(void *context, const char *file, struct bytes token) {
    struct broker_trust *trust = context;
    struct nats_account claims;
    struct status status = STATUS_INIT;
    if (!read_account(trust, token, &claims, &status)) {
        log_problem(trust, file, &status);
        return;
    }
    const struct account *known = trust_find(trust, claims.jwt.subject);
    bool same =
        known != NULL && known->file != NULL && bytes_equal(buffer_bytes(&known->token), token);
    bool older = known != NULL && known->file != NULL && strcmp(known->file, file) != 0 &&
                 claims.jwt.issued_at_s <= known->claims.jwt.issued_at_s;
    if (same || older)
        nats_account_free(&claims);
    else
        put_in_force(trust, &claims, token, file);
}

static void shut_account(struct broker_trust *trust, struct account *account) {
    log_event(LOG_WARNING, trust_role(trust), "account gone", "account", account->key, "file",
              account->file, NULL);
    free(account->file);
    account->file = NULL;
    trust_check_clients(trust, account);
    note_change(trust, account);
}

static void on_gone(void *context, const char *file) {
    struct broker_trust *trust = context;
    for (struct account *account = trust_next(trust, NULL); account != NULL;
         account = trust_next(trust, account))
        if (account->file != NULL && strcmp(account->file, file) == 0) shut_account(trust, account);
}

static void on_problem(void *context, const char *file, const struct status *status) {
    log_problem(context, file, status);
}

static const struct resolver_handlers RESOLVER_HANDLERS = {on_token, on_gone, on_problem};

bool trust_update(struct broker_trust *trust, struct bytes token, const struct account **account,
                  struct status *status) {
    struct nats_account claims;
    char file[NKEY_PUBLIC_TEXT_BYTES + sizeof ".jwt"];
    if (!read_account(trust, token, &claims, status)) return false;
    const struct account *known = trust_find(trust, claims.jwt.subject);
    bool stored = known == NULL || claims.jwt.issued_at_s >= known->claims.jwt.issued_at_s ||
                  status_fail(status, STATUS_OLD_SERIAL,
                              "the token of the account was issued before the one in force");
    snprintf(file, sizeof file, "%s.jwt", claims.jwt.subject);
    const char *place = known != NULL && known->file != NULL && known->file[0] ? known->file : file;
    stored = stored && resolver_store(trust->resolver, place, token, status);
    if (stored) *account = put_in_force(trust, &claims, token, place);
    nats_account_free(&claims);
    return stored;
}

static bool delete_account(struct broker_trust *trust, const char *key, struct status *status) {
    struct account *account = trust_find(trust, key);
    if (account == NULL || account->file == NULL)
        return status_fail(status, STATUS_NOT_FOUND, "the account %s is not known here", key);
    if (!resolver_set_aside(trust->resolver, account->file, status)) return false;
    shut_account(trust, account);
    return true;
}

bool trust_delete(struct broker_trust *trust, struct bytes token, size_t *deleted,
                  struct status *status) {
    struct nats_deletion deletion;
    *deleted = 0;
    if (!nats_deletion_read(token, &deletion, status)) return false;
    if (nats_deletion_check(&deletion, &trust->operator, trust_now_s(), status))
        for (size_t i = 0; i < deletion.accounts.count; i++)
            *deleted += delete_account(trust, deletion.accounts.items[i], status);
    nats_deletion_free(&deletion);
    return status_is_ok(status);
}

/* The operator's token names the system account: while no token of that is known, users whom its
 * key has signed may come in all the same, to push accounts into an empty folder. */
static void assume_system_account(struct broker_trust *trust) {
    const char *key = trust->operator.system_account;
    struct nats_account claims = {.limits = nats_account_limits_default};
    const struct nats_operator *signer = &trust->operator;
    if (key[0] == '\0' || trust_find(trust, key) != NULL) return;
    memcpy(claims.jwt.subject, key, sizeof claims.jwt.subject);
    snprintf(claims.jwt.issuer, sizeof claims.jwt.issuer, "%s",
             signer->strict_signing_keys && signer->signing_keys.count > 0
                 ? signer->signing_keys.items[0]
                 : signer->jwt.subject);
    struct account *account = add_account(trust, &claims);
    account->claims = claims;
    account->file = memory_copy_text("");
}

/* ---- life ---- */

struct broker_trust *broker_trust_open(const char *operator_path, const char *resolver_folder,
                                       struct status *status) {
    struct broker_trust *trust = memory_new(sizeof *trust);
    random_bytes(&trust->hash_key, sizeof trust->hash_key);
    trust->hash_key |= 1;
    trust->next_expiry_s = INT64_MAX;
    trust->operator_path = memory_copy_text(operator_path);
    file_stamp_read(operator_path, &trust->operator_stamp);
    if (trust_read_operator(trust, &trust->operator, status)) {
        trust->resolver = resolver_open(resolver_folder, &RESOLVER_HANDLERS, trust, status);
        if (trust->resolver == NULL) status_context(status, "--resolver-dir");
    }
    if (trust->resolver != NULL) {
        resolver_poll(trust->resolver);
        assume_system_account(trust);
        return trust;
    }
    broker_trust_free(trust);
    return NULL;
}

static void log_trust(const struct broker_trust *trust) {
    char accounts[24];
    snprintf(accounts, sizeof accounts, "%u", trust->accounts.count);
    log_event(LOG_INFO, trust_role(trust), "operator mode", "operator", trust->operator.jwt.subject,
              "name", trust->operator.jwt.name, "accounts", accounts, NULL);
}

static void tick(void *context) {
    struct broker_trust *trust = context;
    trust_look_at_operator(trust);
    resolver_poll(trust->resolver);
    if (trust_now_s() < trust->next_expiry_s) return;
    trust->next_expiry_s = INT64_MAX;
    trust_check_clients(trust, NULL);
    links_make(trust, NULL);
}

void trust_attach(struct broker_trust *trust, struct broker *broker) {
    trust->broker = broker;
    links_make(trust, NULL);
    trust->timer = timer_open(broker->loop, tick, trust);
    timer_start_repeating(trust->timer, RESOLVER_POLL_MS);
    log_trust(trust);
}

void trust_detach(struct broker_trust *trust) {
    if (trust == NULL || trust->timer == NULL) return;
    timer_close(trust->timer);
    trust->timer = NULL;
}

void broker_trust_free(struct broker_trust *trust) {
    if (trust == NULL) return;
    struct account *account = trust_next(trust, NULL);
    while (account != NULL) {
        struct account *next = trust_next(trust, account);
        name_table_remove(&trust->accounts, &account->link);
        free_account(account);
        account = next;
    }
    resolver_close(trust->resolver);
    nats_operator_free(&trust->operator);
    free(trust->operator_path);
    free(trust);
}
