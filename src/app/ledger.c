#include "app/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ledger_records.h"
#include "base/log.h"
#include "base/memory.h"
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

/* The records of which there is one each. */
enum single { SINGLE_ANNOUNCED, SINGLE_PINS, SINGLE_CLOCK };
#define SINGLES 3

struct ledger {
    struct store *store;
    const char *role;
    struct line lines[LEDGER_LINES_MAX];
    uint64_t uses;
    struct document documents[LEDGER_DOCUMENTS];
    struct ledger_announcement announced;
    struct server_pins pins;
    struct clock_guard clock;
    bool clock_known;
    bool unwritten[SINGLES];
    bool complained;     /* the log was told that the disk refuses */
    uint64_t generation; /* of the store, when it was read */
};

static const char *const document_keys[LEDGER_DOCUMENTS] = {
    [LEDGER_KEYRING] = "keyring",
    [LEDGER_REVOCATIONS] = "revocations",
    [LEDGER_LICENSE] = "license",
};

static const char *const single_keys[SINGLES] = {
    [SINGLE_ANNOUNCED] = "announced",
    [SINGLE_PINS] = "pins",
    [SINGLE_CLOCK] = "clock",
};

/* ---- one record ---- */

/* Reads a record's text; false when there is none, or none that can be read. */
static bool fetch(struct ledger *ledger, const char *key, struct buffer *text) {
    struct status status = STATUS_INIT;
    buffer_init(text, LEDGER_RECORD_BYTES_MAX);
    if (!ledger->store) return false;
    if (store_get(ledger->store, ledger->role, key, text, &status)) return true;
    if (status.code != STATUS_NOT_FOUND)
        log_event(LOG_WARNING, ledger->role, "a record cannot be read and counts as absent",
                  "record", key, "why", status.text, NULL);
    return false;
}

/* False when the store has a file that was not merged yet: writing could take something back. */
static bool is_merged(const struct ledger *ledger) {
    return !ledger->store || ledger->generation == store_generation(ledger->store);
}

/* Writes a record's text and frees it; false when the disk refused, which is said once. */
static bool keep(struct ledger *ledger, const char *key, struct buffer *text) {
    struct status status = STATUS_INIT;
    if (!is_merged(ledger)) {
        buffer_free(text);
        return false;
    }
    bool kept = !ledger->store ||
                (buffer_check(text, key, &status) &&
                 store_put(ledger->store, ledger->role, key, buffer_bytes(text), &status));
    if (!kept && !ledger->complained)
        log_event(LOG_ERROR, ledger->role,
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

static void load_single(struct ledger *ledger, enum single single) {
    struct buffer text;
    if (fetch(ledger, single_keys[single], &text)) {
        struct bytes record = buffer_bytes(&text);
        switch (single) {
        case SINGLE_ANNOUNCED: ledger_record_read_announced(record, &ledger->announced); break;
        case SINGLE_PINS: ledger_record_read_pins(record, &ledger->pins); break;
        case SINGLE_CLOCK:
            ledger->clock_known = ledger_record_read_clock(record, &ledger->clock);
            break;
        }
    }
    buffer_free(&text);
}

struct ledger *ledger_open(struct store *store, const char *role) {
    struct ledger *ledger = memory_new(sizeof *ledger);
    ledger->store = store;
    ledger->role = role;
    ledger->generation = store ? store_generation(store) : 0;
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++)
        load_document(ledger, (enum ledger_document)i);
    for (size_t i = 0; i < SINGLES; i++)
        load_single(ledger, (enum single)i);
    return ledger;
}

void ledger_close(struct ledger *ledger) {
    if (!ledger) return;
    ledger_flush(ledger);
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++)
        buffer_free(&ledger->documents[i].token);
    free(ledger);
}

const char *ledger_role(const struct ledger *ledger) {
    return ledger->role;
}

/* ---- lines of serials ---- */

/* The key of a line's record. */
static void name_line(const char *name, char key[KEY_BYTES]) {
    snprintf(key, KEY_BYTES, "serial/%s", name);
}

static void write_line(struct ledger *ledger, struct line *line) {
    struct buffer text;
    char key[KEY_BYTES];
    name_line(line->name, key);
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
    name_line(name, key);
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
        /* What the disk has not taken yet is nowhere else. */
        bool kept = line->unwritten && !oldest->unwritten;
        bool safer = oldest->unwritten && !line->unwritten;
        if (!kept && (safer || line->used < oldest->used)) oldest = line;
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

/* ---- alerts, pins and clock ---- */

static void write_single(struct ledger *ledger, enum single single) {
    struct buffer text;
    buffer_init(&text, LEDGER_RECORD_BYTES_MAX);
    switch (single) {
    case SINGLE_ANNOUNCED: ledger_record_write_announced(&ledger->announced, &text); break;
    case SINGLE_PINS: ledger_record_write_pins(&ledger->pins, &text); break;
    case SINGLE_CLOCK: ledger_record_write_clock(&ledger->clock, &text); break;
    }
    ledger->unwritten[single] = !keep(ledger, single_keys[single], &text);
}

enum expiry_alert ledger_announced(const struct ledger *ledger, const char *license_digest) {
    return strcmp(ledger->announced.license_digest, license_digest) == 0 ? ledger->announced.alert
                                                                         : EXPIRY_ALERT_NONE;
}

void ledger_keep_announced(struct ledger *ledger, const char *license_digest,
                           enum expiry_alert alert) {
    snprintf(ledger->announced.license_digest, sizeof ledger->announced.license_digest, "%s",
             license_digest);
    ledger->announced.alert = alert;
    write_single(ledger, SINGLE_ANNOUNCED);
}

const struct server_pins *ledger_pins(const struct ledger *ledger) {
    return &ledger->pins;
}

void ledger_keep_pins(struct ledger *ledger, const struct server_pins *pins) {
    ledger->pins = *pins;
    write_single(ledger, SINGLE_PINS);
}

const struct clock_guard *ledger_clock(const struct ledger *ledger) {
    return ledger->clock_known ? &ledger->clock : NULL;
}

void ledger_keep_clock(struct ledger *ledger, const struct clock_guard *guard) {
    ledger->clock = *guard;
    ledger->clock_known = true;
    write_single(ledger, SINGLE_CLOCK);
}

bool ledger_is_saved(const struct ledger *ledger) {
    bool unwritten = false;
    for (size_t i = 0; i < LEDGER_LINES_MAX; i++)
        unwritten |= ledger->lines[i].unwritten;
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++)
        unwritten |= ledger->documents[i].unwritten;
    for (size_t i = 0; i < SINGLES; i++)
        unwritten |= ledger->unwritten[i];
    return !unwritten;
}

/* ---- another file behind the store ---- */

/* Takes the mark of the file when it is not behind ours; else ours is to be written. */
static void merge_line(struct ledger *ledger, struct line *line) {
    struct serial_mark saved = {0};
    struct buffer text;
    char key[KEY_BYTES];
    name_line(line->name, key);
    if (fetch(ledger, key, &text)) ledger_record_read_mark(buffer_bytes(&text), &saved, NULL);
    buffer_free(&text);
    line->unwritten = line->mark.seen && (!saved.seen || saved.serial < line->mark.serial);
    if (!line->unwritten) line->mark = saved;
}

static void merge_document(struct ledger *ledger, enum ledger_document document) {
    struct document ours = ledger->documents[document];
    struct document *entry = &ledger->documents[document];
    memset(entry, 0, sizeof *entry);
    load_document(ledger, document);
    bool behind = ours.mark.seen && (!entry->mark.seen || entry->mark.serial < ours.mark.serial);
    if (!behind) {
        buffer_free(&ours.token);
        return;
    }
    buffer_free(&entry->token);
    *entry = ours;
    entry->unwritten = true;
}

/* The guard of the file stands in the ledger afterwards: who runs a guard merges it, and keeps it
 * again. */
static void merge_singles(struct ledger *ledger) {
    struct ledger_announcement announced = ledger->announced;
    struct server_pins pins = ledger->pins;
    for (size_t i = 0; i < SINGLES; i++)
        load_single(ledger, (enum single)i);
    server_pins_merge(&ledger->pins, &pins);
    if (announced.license_digest[0]) ledger->announced = announced;
    ledger->unwritten[SINGLE_ANNOUNCED] = announced.license_digest[0] != '\0';
    ledger->unwritten[SINGLE_PINS] = pins.count > 0;
    ledger->unwritten[SINGLE_CLOCK] = false;
}

static void merge(struct ledger *ledger) {
    ledger->generation = store_generation(ledger->store);
    for (size_t i = 0; i < LEDGER_LINES_MAX; i++)
        if (ledger->lines[i].name[0]) merge_line(ledger, &ledger->lines[i]);
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++)
        merge_document(ledger, (enum ledger_document)i);
    merge_singles(ledger);
}

bool ledger_flush(struct ledger *ledger) {
    if (!is_merged(ledger)) merge(ledger);
    for (size_t i = 0; i < LEDGER_LINES_MAX; i++)
        if (ledger->lines[i].unwritten) write_line(ledger, &ledger->lines[i]);
    for (size_t i = 0; i < LEDGER_DOCUMENTS; i++)
        if (ledger->documents[i].unwritten) write_document(ledger, (enum ledger_document)i);
    for (size_t i = 0; i < SINGLES; i++)
        if (ledger->unwritten[i]) write_single(ledger, (enum single)i);
    return ledger_is_saved(ledger);
}

bool ledger_catch_up(struct ledger *ledger) {
    bool merges = !is_merged(ledger);
    if (merges || !ledger->store || store_persistence(ledger->store, NULL) == PERSISTENCE_DURABLE)
        ledger_flush(ledger);
    return merges;
}
