#include "roles/license-client/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "roles/license-client/ledger_records.h"
#include "store/store.h"

/* A key in the store: "serial/" and a digest. */
#define KEY_BYTES 64

struct line {
    char name[SHA256_TEXT_BYTES]; /* "" while unused */
    struct serial_mark mark;
    uint64_t used; /* rises with each use: the smallest was used longest ago */
    bool unwritten;
};

struct document {
    struct serial_mark mark;
    struct buffer token;
    bool unwritten;
};

struct ledger {
    struct store *store;
    struct line lines[LEDGER_LINES_MAX];
    uint64_t uses;
    struct document documents[LEDGER_DOCUMENTS];
    struct server_pins pins;
    bool pins_unwritten;
    struct clock_guard clock;
    bool clock_known;
    bool clock_unwritten;
    bool complained; /* the log was told that the disk refuses */
};

static const char *const document_keys[LEDGER_DOCUMENTS] = {
    [LEDGER_KEYRING] = "keyring",
    [LEDGER_REVOCATIONS] = "revocations",
    [LEDGER_LICENSE] = "license",
};

/* ---- one record ---- */

/* Reads a record's text; false when there is none, or none that can be read. */
static bool fetch(struct ledger *ledger, const char *key, struct buffer *text) {
    struct status status = STATUS_INIT;
    buffer_init(text, LEDGER_RECORD_BYTES_MAX);
    if (!ledger->store) return false;
    if (store_get(ledger->store, LICENSE_CLIENT_NAME, key, text, &status)) return true;
    if (status.code != STATUS_NOT_FOUND)
        log_event(LOG_WARNING, LICENSE_CLIENT_NAME, "a record cannot be read and counts as absent",
                  "record", key, "why", status.text, NULL);
    return false;
}

/* Writes a record's text and frees it; false when the disk refused, which is said once. */
static bool keep(struct ledger *ledger, const char *key, struct buffer *text) {
    struct status status = STATUS_INIT;
    bool kept = !ledger->store ||
                (buffer_check(text, key, &status) &&
                 store_put(ledger->store, LICENSE_CLIENT_NAME, key, buffer_bytes(text), &status));
    if (!kept && !ledger->complained)
        log_event(LOG_ERROR, LICENSE_CLIENT_NAME,
                  "the state cannot be saved; it counts until the next restart and is tried again",
                  "record", key, "why", status.text, NULL);
    ledger->complained = !kept;
    buffer_free(text);
    return kept;
}

/* ---- opening and closing ---- */

static void load_document(struct ledger *ledger, enum ledger_document document) {
    struct document *entry = &ledger->documents[document];
    struct buffer text;
    buffer_init(&entry->token, LEDGER_RECORD_BYTES_MAX);
    if (fetch(ledger, document_keys[document], &text) &&
        !ledger_record_read_mark(buffer_bytes(&text), &entry->mark, &entry->token))
        buffer_clear(&entry->token);
    buffer_free(&text);
}

struct ledger *ledger_open(struct store *store) {
    struct ledger *ledger = memory_new(sizeof *ledger);
    struct buffer text;
    ledger->store = store;
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++)
        load_document(ledger, (enum ledger_document)i);
    if (fetch(ledger, LEDGER_PINS_KEY, &text))
        ledger_record_read_pins(buffer_bytes(&text), &ledger->pins);
    buffer_free(&text);
    if (fetch(ledger, "clock", &text))
        ledger->clock_known = ledger_record_read_clock(buffer_bytes(&text), &ledger->clock);
    buffer_free(&text);
    return ledger;
}

void ledger_close(struct ledger *ledger) {
    if (!ledger) return;
    ledger_flush(ledger);
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++)
        buffer_free(&ledger->documents[i].token);
    free(ledger);
}

/* ---- lines of serials ---- */

static void write_line(struct ledger *ledger, struct line *line) {
    struct buffer text;
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "serial/%s", line->name);
    buffer_init(&text, LEDGER_RECORD_BYTES_MAX);
    ledger_record_write_mark(&line->mark, bytes_of(NULL, 0), &text);
    line->unwritten = !keep(ledger, key, &text);
}

static void load_line(struct ledger *ledger, struct line *line, const char *name) {
    struct buffer text;
    char key[KEY_BYTES];
    if (line->unwritten) write_line(ledger, line);
    memset(line, 0, sizeof *line);
    snprintf(line->name, sizeof line->name, "%s", name);
    snprintf(key, sizeof key, "serial/%s", name);
    if (fetch(ledger, key, &text)) ledger_record_read_mark(buffer_bytes(&text), &line->mark, NULL);
    buffer_free(&text);
}

/* The line of that name, read from the store when it is not in memory. */
static struct line *find_line(struct ledger *ledger, const char *name) {
    struct line *oldest = &ledger->lines[0];
    for (size_t i = 0; i < LEDGER_LINES_MAX; i++) {
        struct line *line = &ledger->lines[i];
        if (strcmp(line->name, name) == 0) {
            line->used = ++ledger->uses;
            return line;
        }
        if (line->used < oldest->used) oldest = line;
    }
    load_line(ledger, oldest, name);
    oldest->used = ++ledger->uses;
    return oldest;
}

const struct serial_mark *ledger_mark(struct ledger *ledger, const char *line) {
    return &find_line(ledger, line)->mark;
}

void ledger_advance(struct ledger *ledger, const char *line, int64_t serial, const char *digest) {
    struct line *entry = find_line(ledger, line);
    if (serial_guard_advance(&entry->mark, serial, digest)) write_line(ledger, entry);
}

/* ---- documents ---- */

const struct serial_mark *ledger_document_mark(const struct ledger *ledger,
                                               enum ledger_document document) {
    return &ledger->documents[document].mark;
}

struct bytes ledger_document_token(const struct ledger *ledger, enum ledger_document document) {
    return buffer_bytes(&ledger->documents[document].token);
}

static void write_document(struct ledger *ledger, enum ledger_document document) {
    struct document *entry = &ledger->documents[document];
    struct buffer text;
    buffer_init(&text, LEDGER_RECORD_BYTES_MAX);
    ledger_record_write_mark(&entry->mark, buffer_bytes(&entry->token), &text);
    entry->unwritten = !keep(ledger, document_keys[document], &text);
}

void ledger_keep_document(struct ledger *ledger, enum ledger_document document, int64_t serial,
                          struct bytes token) {
    struct document *entry = &ledger->documents[document];
    if (bytes_equal(buffer_bytes(&entry->token), token)) return;
    entry->mark.seen = true;
    entry->mark.serial = serial;
    sha256_digest_text(token, entry->mark.digest);
    buffer_clear(&entry->token);
    buffer_append(&entry->token, token.data, token.length);
    write_document(ledger, document);
}

/* ---- pins and clock ---- */

const struct server_pins *ledger_pins(const struct ledger *ledger) {
    return &ledger->pins;
}

static void write_pins(struct ledger *ledger) {
    struct buffer text;
    buffer_init(&text, LEDGER_RECORD_BYTES_MAX);
    ledger_record_write_pins(&ledger->pins, &text);
    ledger->pins_unwritten = !keep(ledger, LEDGER_PINS_KEY, &text);
}

void ledger_keep_pins(struct ledger *ledger, const struct server_pins *pins) {
    ledger->pins = *pins;
    write_pins(ledger);
}

const struct clock_guard *ledger_clock(const struct ledger *ledger) {
    return ledger->clock_known ? &ledger->clock : NULL;
}

static void write_clock(struct ledger *ledger) {
    struct buffer text;
    buffer_init(&text, LEDGER_RECORD_BYTES_MAX);
    ledger_record_write_clock(&ledger->clock, &text);
    ledger->clock_unwritten = !keep(ledger, "clock", &text);
}

void ledger_keep_clock(struct ledger *ledger, const struct clock_guard *guard) {
    ledger->clock = *guard;
    ledger->clock_known = true;
    write_clock(ledger);
}

bool ledger_flush(struct ledger *ledger) {
    bool all = true;
    for (size_t i = 0; i < LEDGER_LINES_MAX; i++) {
        if (ledger->lines[i].unwritten) write_line(ledger, &ledger->lines[i]);
        all = all && !ledger->lines[i].unwritten;
    }
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++) {
        if (ledger->documents[i].unwritten) write_document(ledger, (enum ledger_document)i);
        all = all && !ledger->documents[i].unwritten;
    }
    if (ledger->pins_unwritten) write_pins(ledger);
    if (ledger->clock_unwritten) write_clock(ledger);
    return all && !ledger->pins_unwritten && !ledger->clock_unwritten;
}
