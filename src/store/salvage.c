/*
 * Rescues what is provably intact from a damaged state file into a fresh one. Records prove
 * themselves by their checksum; entries of the audit log by its chain, later.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/store_private.h"

/* Where the header, on the first page, has the number of pages and the list of free ones (SQLite
 * file format 1.3). */
#define PAGE_COUNT_OFFSET 28
#define FREE_LIST_OFFSET  32

/* A damaged tree could lead a scan in circles; no honest file has more rows. */
#define SALVAGE_ROWS_MAX 4000000

/* ---- Copying ---- */

struct salvage {
    sqlite3 *from;
    sqlite3 *into;
    sqlite3_stmt *insert;
    size_t damaged; /* records seen whose checksum does not fit, in this pass */
    size_t rows_seen;
    bool schema_read; /* all tables could be found */
    bool unwritable;  /* nothing can be written beside the file */
};

/* Copies the columns of a row as they are; a row that is there already stays. */
static void copy_row(struct salvage *salvage, sqlite3_stmt *row) {
    for (int i = 0; i < sqlite3_column_count(row); i++)
        sqlite3_bind_value(salvage->insert, i + 1, sqlite3_column_value(row, i));
    sqlite3_step(salvage->insert);
    sqlite3_reset(salvage->insert);
    sqlite3_clear_bindings(salvage->insert);
}

/* Scans as far as the file can be read; true when that was to the end. */
static bool scan(struct salvage *salvage, const char *select, bool are_records) {
    sqlite3_stmt *rows = NULL;
    size_t damaged = 0;
    if (sqlite3_prepare_v2(salvage->from, select, -1, &rows, NULL) != SQLITE_OK) {
        salvage->schema_read = false;
        return true;
    }
    int code = SQLITE_ROW;
    while (salvage->rows_seen++ < SALVAGE_ROWS_MAX && (code = sqlite3_step(rows)) == SQLITE_ROW)
        if (are_records && !record_is_intact(rows, 0))
            damaged++;
        else
            copy_row(salvage, rows);
    sqlite3_finalize(rows);
    /* Several passes may see the same ones. */
    salvage->damaged = damaged > salvage->damaged ? damaged : salvage->damaged;
    return code == SQLITE_DONE;
}

/* Scans a table from its front and, when that stops at a bad page, from its back. A page that is
 * bad in the middle so costs its own rows only, as far as their order leads around it. */
static void salvage_table(struct salvage *salvage, const char *insert, const char *forward,
                          const char *backward, bool are_records) {
    if (sqlite3_prepare_v2(salvage->into, insert, -1, &salvage->insert, NULL) != SQLITE_OK) return;
    if (!scan(salvage, forward, are_records)) scan(salvage, backward, are_records);
    sqlite3_finalize(salvage->insert);
}

/* Salvages both tables of one file; false when its schema cannot be read. */
static bool salvage_file(struct salvage *salvage, const char *path) {
    if (!database_open(path, salvage->unwritable ? DATABASE_UNWRITABLE : DATABASE_READ_ONLY,
                       &salvage->from, NULL))
        return false;
    salvage->schema_read = true;
    salvage_table(salvage,
                  "INSERT OR IGNORE INTO record (name_space, key, value, checksum)"
                  " VALUES (?1,?2,?3,?4)",
                  "SELECT name_space, key, value, checksum FROM record"
                  " ORDER BY name_space, key",
                  "SELECT name_space, key, value, checksum FROM record"
                  " ORDER BY name_space DESC, key DESC",
                  true);
    salvage_table(salvage,
                  "INSERT OR IGNORE INTO audit (number, time_ms, actor, action, detail, hash)"
                  " VALUES (?1,?2,?3,?4,?5,?6)",
                  "SELECT number, time_ms, actor, action, detail, hash FROM audit"
                  " ORDER BY number",
                  "SELECT number, time_ms, actor, action, detail, hash FROM audit"
                  " ORDER BY number DESC",
                  false);
    sqlite3_close(salvage->from);
    return salvage->schema_read;
}

/* ---- A damaged first page ---- */

static void put_big_endian(uint8_t *out, uint32_t number) {
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Copies all bytes of a file behind its first page. */
static bool copy_rest(int from, int to, off_t *size) {
    uint8_t page[DATABASE_PAGE_BYTES];
    ssize_t got;
    for (*size = DATABASE_PAGE_BYTES; (got = pread(from, page, sizeof page, *size)) > 0;
         *size += got)
        if (pwrite(to, page, (size_t)got, *size) != got) return false;
    return got == 0;
}

/* Without its first page SQLite reads nothing of a file. That page is nearly the same in all our
 * files, so a copy of the damaged one gets the fresh one's. Should the tables lie elsewhere after
 * all, then the checksums of what is found there do not fit. */
static bool copy_with_first_page_of(const char *fresh, const char *damaged, const char *repaired) {
    uint8_t page[DATABASE_PAGE_BYTES];
    off_t size = 0;
    bool ok = false;
    int first = open(fresh, O_RDONLY | O_CLOEXEC);
    int from = open(damaged, O_RDONLY | O_CLOEXEC);
    int to = open(repaired, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (first >= 0 && from >= 0 && to >= 0 &&
        pread(first, page, sizeof page, 0) == DATABASE_PAGE_BYTES && copy_rest(from, to, &size)) {
        put_big_endian(page + PAGE_COUNT_OFFSET, (uint32_t)(size / DATABASE_PAGE_BYTES));
        memset(page + FREE_LIST_OFFSET, 0, 8);
        ok = pwrite(to, page, sizeof page, 0) == DATABASE_PAGE_BYTES;
    }
    close(first);
    close(from);
    close(to);
    return ok;
}

void salvage_copy(const char *damaged, const char *fresh, sqlite3 *into, size_t *salvaged,
                  size_t *lost) {
    struct salvage salvage = {.into = into, .unwritable = fresh == NULL};
    sqlite3_int64 changes = sqlite3_total_changes64(into);
    if (!salvage_file(&salvage, damaged) && fresh != NULL) {
        char repaired[STORE_PATH_BYTES];
        snprintf(repaired, sizeof repaired, "%s.repair", damaged);
        if (copy_with_first_page_of(fresh, damaged, repaired)) salvage_file(&salvage, repaired);
        unlink(repaired);
    }
    *salvaged = (size_t)(sqlite3_total_changes64(into) - changes);
    *lost = salvage.damaged;
}
