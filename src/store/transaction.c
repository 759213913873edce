/* Transactions of the caller's, and scopes that join them. */
#include "base/assertion.h"
#include "store/store_private.h"

bool store_begin(struct store *store, struct status *status) {
    if (store->in_transaction)
        return status_fail(status, STATUS_INTERNAL, "a transaction of the state is already open");
    if (store->read_only)
        return status_fail(status, store->refusal.code, "%s", store->refusal.text);
    int code = sqlite3_exec(store->database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK) return store_write_failed(store, code, status);
    store->in_transaction = true;
    store->transaction_failed = false;
    return true;
}

void store_rollback(struct store *store) {
    if (!store->in_transaction) return;
    store->in_transaction = false;
    store->transaction_failed = false;
    database_roll_back(store->database);
}

bool store_commit(struct store *store, struct status *status) {
    ASSERT(store->in_transaction);
    if (store->transaction_failed) {
        store_rollback(store);
        return status_fail(status, STATUS_IO, "an earlier write of the transaction failed");
    }
    int code = sqlite3_exec(store->database, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        store_write_failed(store, code, status);
        store_rollback(store);
        return false;
    }
    store->in_transaction = false;
    store_write_worked(store);
    return true;
}

bool store_scope_begin(struct store_scope *scope, struct store *store, struct status *status) {
    scope->store = store;
    scope->own = !store->in_transaction;
    return !scope->own || store_begin(store, status);
}

bool store_scope_end(struct store_scope *scope, bool ok, struct status *status) {
    if (!scope->own) return ok;
    if (!ok) {
        store_rollback(scope->store);
        return false;
    }
    return store_commit(scope->store, status);
}
