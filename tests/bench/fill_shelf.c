/*
 * Puts licenses on a shelf without the years that a site takes for it: reads bare tokens, one a
 * line, from stdin, and writes them into a data folder as cache-master and cache-slave do, without
 * verifying them, which is the measured program's work.
 *
 *     fill_shelf DATA-DIR cache-master|cache-slave <TOKENS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/license_shelf.h"
#include "store/store.h"
#include "verifier/jws.h"
#include "verifier/license.h"

/* In one transaction: the disk is waited for once. */
#define BATCH_CHANGES 500

struct batch {
    struct shelf_change changes[BATCH_CHANGES];
    struct license *licenses[BATCH_CHANGES];
    char *tokens[BATCH_CHANGES];
    size_t count;
};

static struct license *read_license(struct bytes token, struct status *status) {
    struct jws jws;
    struct license *license = NULL;
    if (!jws_parse(token, &jws, status)) return NULL;
    const struct json_value *claims = jws_claims(&jws, status);
    if (claims) license = license_read_claims(claims, status);
    jws_free(&jws);
    return license;
}

/* Takes ownership of the line. */
static bool add(struct batch *batch, char *line, struct status *status) {
    line[strcspn(line, "\n")] = '\0';
    struct bytes token = bytes_of_text(line);
    struct license *license = read_license(token, status);
    if (!license) {
        free(line);
        return false;
    }
    batch->tokens[batch->count] = line;
    batch->licenses[batch->count] = license;
    batch->changes[batch->count] = (struct shelf_change){
        .act = SHELF_PUT, .license_id = license->license_id, .license = license, .token = token};
    batch->count++;
    return true;
}

static bool put(struct license_shelf *shelf, struct batch *batch, struct status *status) {
    bool done =
        license_shelf_apply(shelf, batch->changes, batch->count, SHELF_DURABLE, NULL, status);
    for (size_t i = 0; i < batch->count; i++) {
        license_free(batch->licenses[i]);
        free(batch->tokens[i]);
    }
    batch->count = 0;
    return done;
}

static bool fill(struct license_shelf *shelf, struct batch *batch, struct status *status) {
    for (;;) {
        char *line = NULL;
        size_t capacity = 0;
        if (getline(&line, &capacity, stdin) < 0) {
            free(line);
            return put(shelf, batch, status);
        }
        if (!add(batch, line, status)) return false;
        if (batch->count == BATCH_CHANGES && !put(shelf, batch, status)) return false;
    }
}

int main(int argc, char **argv) {
    static struct batch batch;
    struct status status = STATUS_INIT;
    struct store *store = NULL;
    struct license_shelf *shelf = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: fill_shelf DATA-DIR cache-master|cache-slave <TOKENS\n");
        return 64;
    }
    bool done = store_open(argv[1], &store, NULL, &status) &&
                (shelf = license_shelf_open(store, argv[2], &status)) &&
                fill(shelf, &batch, &status);
    if (!done) fprintf(stderr, "fill_shelf: %s\n", status.text);
    license_shelf_close(shelf);
    store_close(store);
    return done ? 0 : 1;
}
