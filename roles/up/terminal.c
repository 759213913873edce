#include "roles/up/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "app/version.h"
#include "base/memory.h"
#include "base/text.h"

/* ECMA-48 sequences; the alternate screen keeps what the person had on the terminal before. */
#define ENTER_SCREEN "\x1b[?1049h\x1b[?25l"
#define LEAVE_SCREEN "\x1b[?25h\x1b[?1049l"
#define HOME         "\x1b[H"
#define CLEAR_LINE   "\x1b[K\r\n"
#define CLEAR_BELOW  "\x1b[J"
#define BOLD         "\x1b[1m"
#define DIM          "\x1b[2m"
#define GREEN        "\x1b[32m"
#define YELLOW       "\x1b[33m"
#define RED          "\x1b[31m"
#define PLAIN        "\x1b[0m"

#define FRAME_BYTES_MAX 65536
#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80

struct terminal {
    bool live;
    int saved_stderr;       /* -1: stderr was left alone */
    char *log_path;         /* owned */
    uint64_t changes_shown; /* of the history: what plain lines have printed */
};

static bool redirect_stderr(struct terminal *terminal, const char *log_path,
                            struct status *status) {
    if (!isatty(STDERR_FILENO)) return true;
    int file = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return status_fail_errno(status, errno, "cannot open %s", log_path);
    terminal->saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    dup2(file, STDERR_FILENO);
    close(file);
    return true;
}

static bool can_draw(void) {
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

static void put(const struct buffer *text) {
    fwrite(text->data, 1, text->length, stdout);
    fflush(stdout);
}

struct terminal *terminal_open(bool live, const char *log_path, struct status *status) {
    struct terminal *terminal = memory_new(sizeof *terminal);
    terminal->saved_stderr = -1;
    terminal->live = live && can_draw();
    terminal->log_path = memory_copy_text(log_path);
    if (terminal->live && !redirect_stderr(terminal, log_path, status)) {
        free(terminal->log_path);
        free(terminal);
        return NULL;
    }
    if (terminal->live) {
        fputs(ENTER_SCREEN, stdout);
        fflush(stdout);
    }
    return terminal;
}

void terminal_close(struct terminal *terminal) {
    if (!terminal) return;
    if (terminal->live) {
        fputs(LEAVE_SCREEN, stdout);
        fflush(stdout);
    }
    if (terminal->saved_stderr >= 0) {
        dup2(terminal->saved_stderr, STDERR_FILENO);
        close(terminal->saved_stderr);
    }
    free(terminal->log_path);
    free(terminal);
}

static const char *color_of_status(const char *word) {
    if (strcmp(word, "valid") == 0) return GREEN;
    if (strcmp(word, "expiring") == 0 || strcmp(word, "grace") == 0) return YELLOW;
    return RED;
}

static const char *color_of_level(const char *level) {
    if (strcmp(level, "error") == 0) return RED;
    return strcmp(level, "warning") == 0 ? YELLOW : "";
}

static void format_clock(int64_t wall_ms, char out[16]) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    localtime_r(&seconds, &parts);
    strftime(out, 16, "%H:%M:%S", &parts);
}

/* Appends at most `columns` characters of the text, without control characters: names in it come
 * from licenses. Bytes are counted as characters only where they begin one (UTF-8). */
static void append_clipped(struct buffer *frame, const char *text, size_t columns) {
    size_t shown = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool begins_character = (*at & 0xC0) != 0x80;
        if (begins_character && shown++ == columns) return;
        if (*at < ' ' || *at == 0x7f)
            buffer_append_text(frame, "?");
        else
            buffer_append(frame, at, 1);
    }
}

static const char *member_or(const struct json_value *object, const char *name,
                             const char *otherwise) {
    const char *text = json_member_text(object, name);
    return text ? text : otherwise;
}

static void draw_license(struct buffer *frame, const struct overview *overview, size_t columns) {
    const char *status = member_or(overview->license, "status", "missing");
    buffer_append_format(frame, "%s  %s", color_of_status(status), BOLD);
    append_clipped(frame, member_or(overview->license, "edition", "community"), columns / 2);
    buffer_append_format(frame, " edition%s  %s%s%s" CLEAR_LINE, PLAIN, color_of_status(status),
                         status, PLAIN);
    buffer_append_text(frame, "  ");
    append_clipped(frame,
                   member_or(overview->license, "reason", "no license-client has answered yet"),
                   columns - 4);
    buffer_append_text(frame, CLEAR_LINE);
    const char *expires = json_member_text(overview->license, "expires_at");
    if (expires) {
        buffer_append_text(frame, "  customer ");
        append_clipped(frame, member_or(overview->license, "customer", "-"), columns / 3);
        buffer_append_format(frame, "   expires %s" CLEAR_LINE, expires);
    }
}

static void draw_heartbeat(struct buffer *frame, const struct overview *overview) {
    const struct heartbeat_view *heartbeat = &overview->heartbeat;
    char timeout[TEXT_DURATION_BYTES];
    if (heartbeat->timeout_ms == 0) return;
    text_format_duration(heartbeat->timeout_ms, timeout);
    if (heartbeat->last_monotonic_ms == 0) {
        buffer_append_format(frame, "  no heartbeat yet (%s allowed)" CLEAR_LINE, timeout);
        return;
    }
    char age[TEXT_DURATION_BYTES];
    text_format_duration((overview->monotonic_ms - heartbeat->last_monotonic_ms) / 1000 * 1000,
                         age);
    buffer_append_format(frame, "  last heartbeat %s ago of %s allowed" CLEAR_LINE, age, timeout);
}

static const char *color_of_condition(enum role_condition condition) {
    switch (condition) {
    case ROLE_SERVING: return GREEN;
    case ROLE_STARTING:
    case ROLE_WAITING:
    case ROLE_DEGRADED: return YELLOW;
    case ROLE_STOPPED: return DIM;
    }
    return "";
}

static void draw_roles(struct buffer *frame, const struct overview *overview, size_t columns) {
    for (size_t i = 0; i < stack_count(overview->stack); i++) {
        const struct stack_member *member = stack_member(overview->stack, i);
        const struct role_view *view = &member->view;
        buffer_append_format(frame, "  %-16s %s%-9s%s ", member->command->name,
                             color_of_condition(view->condition),
                             role_condition_name(view->condition), PLAIN);
        append_clipped(frame, view->listens, columns > 34 ? columns - 34 : 0);
        buffer_append_text(frame, CLEAR_LINE);
        if (view->detail[0]) {
            buffer_append_format(frame, "  %-16s %s", "", DIM);
            append_clipped(frame, view->detail, columns > 24 ? columns - 24 : 0);
            buffer_append_text(frame, PLAIN CLEAR_LINE);
        }
    }
}

static void draw_events(struct buffer *frame, const struct history *history, size_t columns,
                        size_t rows) {
    for (size_t age = 0; age < history->count && age < rows; age++) {
        const struct history_event *event = history_event(history, age);
        char when[16];
        format_clock(event->happened_ms, when);
        buffer_append_format(frame, "  %s%s%s %-16s %s", DIM, when, PLAIN, event->role,
                             color_of_level(event->level));
        append_clipped(frame, event->text, columns > 30 ? columns - 30 : 0);
        buffer_append_text(frame, PLAIN CLEAR_LINE);
    }
}

static size_t count_lines(const struct buffer *frame) {
    size_t lines = 0;
    for (size_t i = 0; i < frame->length; i++)
        lines += frame->data[i] == '\n';
    return lines;
}

static void draw(const struct terminal *terminal, const struct overview *overview,
                 const char *page_url) {
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    size_t rows = size.ws_row ? size.ws_row : DEFAULT_ROWS;
    size_t columns = size.ws_col ? size.ws_col : DEFAULT_COLUMNS;

    struct buffer frame;
    buffer_init(&frame, FRAME_BYTES_MAX);
    buffer_append_format(&frame, HOME "%slsys%s %s   %s   Ctrl-C stops" CLEAR_LINE CLEAR_LINE, BOLD,
                         PLAIN, lsys_version(), page_url);
    draw_license(&frame, overview, columns);
    draw_heartbeat(&frame, overview);
    buffer_append_text(&frame, CLEAR_LINE);
    draw_roles(&frame, overview, columns);
    buffer_append_text(&frame, CLEAR_LINE);
    size_t used = count_lines(&frame) + 2;
    draw_events(&frame, overview->history, columns, rows > used ? rows - used : 0);
    if (terminal->saved_stderr >= 0)
        buffer_append_format(&frame, "  %slog: %s%s", DIM, terminal->log_path, PLAIN);
    buffer_append_text(&frame, CLEAR_BELOW);
    if (!frame.failed) put(&frame);
    buffer_free(&frame);
}

static void print_new_events(struct terminal *terminal, const struct history *history) {
    uint64_t fresh = history->changes - terminal->changes_shown;
    size_t age = fresh > history->count ? history->count : (size_t)fresh;
    struct buffer lines;
    buffer_init(&lines, FRAME_BYTES_MAX);
    while (age-- > 0) {
        const struct history_event *event = history_event(history, age);
        char when[16];
        format_clock(event->happened_ms, when);
        buffer_append_format(&lines, "%s %s: ", when, event->role);
        append_clipped(&lines, event->text, HISTORY_TEXT_BYTES);
        buffer_append_text(&lines, "\n");
    }
    if (lines.length) put(&lines);
    buffer_free(&lines);
    terminal->changes_shown = history->changes;
}

void terminal_show(struct terminal *terminal, const struct overview *overview,
                   const char *page_url) {
    if (terminal->live)
        draw(terminal, overview, page_url);
    else
        print_new_events(terminal, overview->history);
}
