#include "app/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/memory.h"

/* Room for a file whose first line is the passphrase. */
#define FILE_LIMIT_BYTES (PASSPHRASE_LIMIT_BYTES + 4096)

bool passphrase_read_file(const char *path, struct buffer *out, struct status *status) {
    struct buffer file;
    buffer_init(&file, FILE_LIMIT_BYTES);
    bool read = file_read_secret(path, &file, status);
    if (read) {
        size_t length = strcspn(buffer_text(&file), "\r\n");
        buffer_append(out, file.data, length);
        read = buffer_check(out, "the passphrase", status);
        if (read && length == 0)
            read = status_fail(status, STATUS_CONFIG, "%s: the first line is empty", path);
    }
    buffer_wipe(&file);
    return read;
}

/* The terminal with echo switched off, and the signals that would leave it so held back
 * meanwhile. */
struct quiet_terminal {
    int file;
    struct termios before;
    sigset_t signals_before;
};

static bool quiet_open(struct quiet_terminal *terminal, struct status *status) {
    sigset_t held;
    terminal->file = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal->file < 0 || tcgetattr(terminal->file, &terminal->before) != 0) {
        if (terminal->file >= 0) close(terminal->file);
        return status_fail(status, STATUS_UNAVAILABLE,
                           "there is no terminal to ask for a passphrase: give --passphrase-file");
    }
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGQUIT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGTSTP);
    sigprocmask(SIG_BLOCK, &held, &terminal->signals_before);
    struct termios quiet = terminal->before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    tcsetattr(terminal->file, TCSAFLUSH, &quiet);
    return true;
}

static void quiet_close(struct quiet_terminal *terminal) {
    tcsetattr(terminal->file, TCSAFLUSH, &terminal->before);
    sigprocmask(SIG_SETMASK, &terminal->signals_before, NULL);
    close(terminal->file);
}

static void tell(int file, const char *text) {
    ssize_t written = write(file, text, strlen(text));
    (void)written; /* a terminal that shows nothing still takes the passphrase */
}

/* Ctrl-C, Ctrl-D and Ctrl-\ as the terminal sends them while signals are off. */
static bool is_interrupt(char character) {
    return character == 3 || character == 4 || character == 28;
}

static bool read_line(struct quiet_terminal *terminal, struct buffer *out, struct status *status) {
    char character;
    for (;;) {
        ssize_t got = read(terminal->file, &character, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || is_interrupt(character))
            return status_fail(status, STATUS_CANCELLED, "no passphrase was given");
        if (character == '\n' || character == '\r') break;
        if (!buffer_append(out, &character, 1)) return buffer_check(out, "the passphrase", status);
    }
    return true;
}

static bool ask(struct quiet_terminal *terminal, const char *question, struct buffer *out,
                struct status *status) {
    tell(terminal->file, question);
    bool read = read_line(terminal, out, status);
    tell(terminal->file, "\n");
    return read;
}

bool passphrase_prompt(const char *question, bool confirm, struct buffer *out,
                       struct status *status) {
    struct quiet_terminal terminal;
    struct buffer again;
    if (!quiet_open(&terminal, status)) return false;
    buffer_init(&again, PASSPHRASE_LIMIT_BYTES);
    bool read = ask(&terminal, question, out, status);
    if (read && confirm) {
        read = ask(&terminal, "The same again: ", &again, status);
        if (read && !bytes_equal(buffer_bytes(out), buffer_bytes(&again)))
            read = status_fail(status, STATUS_USAGE, "the two passphrases differ");
    }
    buffer_wipe(&again);
    quiet_close(&terminal);
    if (read && out->length == 0)
        return status_fail(status, STATUS_USAGE, "the passphrase is empty");
    return read;
}
