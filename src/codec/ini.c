#include "codec/ini.h"

#include <ini.h>
#include <string.h>

/* libinih's lines hold their end and a NUL. */
#define LIBRARY_LINE_BYTES (INI_LINE_BYTES_MAX + 3)

struct reading {
    struct bytes rest; /* not yet read */
    int line;          /* of the line read last */
    ini_entry_function *on_entry;
    void *context;
    struct status *status;
    bool failed; /* `status` is set */
};

static int fail(struct reading *reading) {
    reading->failed = true;
    return 0;
}

/* libinih's idea of fgets: puts the next line, with its end, into `line`. */
static char *read_line(char *line, int capacity, void *stream) {
    struct reading *reading = stream;
    if (reading->failed || reading->rest.length == 0) return NULL;
    const uint8_t *start = reading->rest.data;
    const uint8_t *end = memchr(start, '\n', reading->rest.length);
    size_t length = end ? (size_t)(end - start) + 1 : reading->rest.length;
    reading->line++;
    reading->rest = bytes_of(start + length, reading->rest.length - length);

    struct bytes bytes = bytes_of(start, length);
    if (bytes_trim(bytes).length > INI_LINE_BYTES_MAX || length >= (size_t)capacity) {
        status_fail(reading->status, STATUS_CONFIG, "the line is longer than %d bytes",
                    INI_LINE_BYTES_MAX);
        fail(reading);
        return NULL;
    }
    if (memchr(start, '\0', length) || !bytes_are_utf8(bytes)) {
        status_fail(reading->status, STATUS_CONFIG, "the line is not UTF-8 text");
        fail(reading);
        return NULL;
    }
    memcpy(line, start, length);
    line[length] = '\0';
    return line;
}

static int on_library_entry(void *user, const char *section, const char *name, const char *value) {
    struct reading *reading = user;
    if (reading->failed) return 0;
    if (section[0] == '\0') {
        status_fail(reading->status, STATUS_CONFIG, "\"%s\" stands before any [section]", name);
        return fail(reading);
    }
    if (name[0] == '\0') {
        status_fail(reading->status, STATUS_CONFIG, "there is no key before '='");
        return fail(reading);
    }
    struct ini_entry entry = {
        .section = section, .key = name, .value = value, .line = reading->line};
    if (!reading->on_entry(reading->context, &entry, reading->status)) return fail(reading);
    return 1;
}

/* The Debian build has the library's compile-time options as variables. Always the same values, so
 * that it does not matter who sets them when. */
static void set_library_options(void) {
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_max_line = LIBRARY_LINE_BYTES;
    ini_initial_alloc = LIBRARY_LINE_BYTES;
    ini_allow_multiline = false;
    ini_stop_on_first_error = true;
}

bool ini_read(struct bytes text, const char *file_name, ini_entry_function *on_entry, void *context,
              struct status *status) {
    struct status own = STATUS_INIT;
    if (!status) status = &own;
    struct reading reading = {
        .rest = text, .on_entry = on_entry, .context = context, .status = status};
    set_library_options();
    int bad_line = ini_parse_stream(read_line, &reading, on_library_entry, &reading);
    if (!reading.failed && bad_line == 0) return true;
    if (!reading.failed && bad_line < 0)
        return status_fail(status, STATUS_NO_MEMORY, "%s: no memory to read it", file_name);
    if (!reading.failed)
        status_fail(status, STATUS_CONFIG, "neither [section], key = value nor a comment");
    return status_context(status, "%s:%d", file_name, reading.failed ? reading.line : bad_line);
}
