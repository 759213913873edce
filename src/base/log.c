#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"

/* A line longer than this is cut: a pipe writes up to PIPE_BUF (4,096) bytes in one piece. */
#define LINE_LIMIT_BYTES 4000

/* The one piece of process-wide state: where a line goes must not depend on who writes it. */
static _Atomic enum log_level lowest_level = LOG_INFO;
static _Atomic enum log_format line_format = LOG_LOGFMT;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_configure(enum log_level lowest, enum log_format format) {
    lowest_level = lowest;
    line_format = format;
}

static bool needs_quotes(const char *value) {
    if (*value == '\0') return true;
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == '"' || *at == '=' || *at == '\\' ||
            (unsigned char)*at >= 0x7f)
            return true;
    return false;
}

/* Escapes as a JSON string does; logfmt readers know the same escapes. Bytes that are not UTF-8 are
 * shown as \u00XX, so that every line is valid text whatever arrived. */
static void append_quoted(struct buffer *line, const char *value) {
    bool utf8 = bytes_are_utf8(bytes_of_text(value));
    buffer_append_text(line, "\"");
    for (const unsigned char *at = (const unsigned char *)value; *at; at++)
        if (*at == '"' || *at == '\\')
            buffer_append_format(line, "\\%c", *at);
        else if (*at == '\n')
            buffer_append_text(line, "\\n");
        else if (*at < ' ' || *at == 0x7f || (*at >= 0x80 && !utf8))
            buffer_append_format(line, "\\u%04x", *at);
        else
            buffer_append(line, at, 1);
    buffer_append_text(line, "\"");
}

static void append_field(struct buffer *line, enum log_format format, const char *name,
                         const char *value) {
    /* A field that does not fit is dropped whole, so that the line stays well-formed. */
    size_t before = line->length;
    buffer_append_text(line, before == 0 && format == LOG_JSON ? "{" : "");
    if (format == LOG_JSON) {
        buffer_append_format(line, "%s\"%s\":", before ? "," : "", name);
        append_quoted(line, value);
    } else {
        buffer_append_format(line, "%s%s=", before ? " " : "", name);
        if (needs_quotes(value))
            append_quoted(line, value);
        else
            buffer_append_text(line, value);
    }
    if (line->failed) {
        line->failed = false;
        line->length = before;
    }
}

static void format_time(char out[32]) {
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + length, 32 - length, ".%03dZ", (int)(now_ms % 1000));
}

static void write_line(struct buffer *line) {
    const char *at = buffer_text(line);
    size_t left = line->length;
    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, at, left);
        if (written <= 0) return; /* nobody reads: logging must not stop the work */
        at += written;
        left -= (size_t)written;
    }
}

void log_event(enum log_level level, const char *role, const char *text, ...) {
    if (level < lowest_level) return;
    enum log_format format = line_format;
    struct buffer line;
    char now[32];
    buffer_init(&line, LINE_LIMIT_BYTES);
    format_time(now);
    append_field(&line, format, "time", now);
    append_field(&line, format, "level", level_names[level]);
    append_field(&line, format, "role", role);
    append_field(&line, format, "msg", text);

    va_list fields;
    va_start(fields, text);
    for (const char *name = va_arg(fields, const char *); name;
         name = va_arg(fields, const char *)) {
        const char *value = va_arg(fields, const char *);
        if (value) append_field(&line, format, name, value);
    }
    va_end(fields);

    line.limit += 2; /* the end of the line always fits */
    buffer_append_text(&line, format == LOG_JSON ? "}\n" : "\n");
    write_line(&line);
    buffer_free(&line);
}

bool log_limiter_pass(struct log_limiter *limiter, long long now_ms, unsigned long *suppressed) {
    if (limiter->last_passed_ms != 0 && now_ms - limiter->last_passed_ms < limiter->interval_ms) {
        limiter->suppressed++;
        return false;
    }
    if (suppressed) *suppressed = limiter->suppressed;
    limiter->suppressed = 0;
    limiter->last_passed_ms = now_ms;
    return true;
}
