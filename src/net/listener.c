#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "loop/loop_uv.h"
#include "loop/timer.h"
#include "net/stream_private.h"
#include "net/stream_tls.h"

struct listener {
    uv_poll_t readable;
    struct loop *loop;
    const struct listener_handlers *handlers;
    void *context;
    struct tls_server_context *tls; /* held; NULL: plain text */
    struct address address;
    int descriptor;
    int highest_descriptor; /* connections may have at most this number */
    bool is_exhausted;      /* accepting is paused until the timer fires */
    bool is_closing;
    struct timer *retry_timer;
    dev_t socket_file_device; /* of the unix socket file, to remove only our own */
    ino_t socket_file_inode;
};

static bool fail_listening(const struct address *address, const char *call, struct status *status) {
    int error = errno;
    char text[ADDRESS_TEXT_BYTES];
    address_format(address, text);
    switch (error) {
    case EADDRINUSE:
        return status_fail(status, STATUS_BUSY,
                           "cannot listen on %s: another program already listens there", text);
    case EADDRNOTAVAIL:
        return status_fail(status, STATUS_NOT_FOUND,
                           "cannot listen on %s: this machine does not have that address", text);
    case EACCES:
        if (address->kind == ADDRESS_TCP)
            return status_fail(status, STATUS_PERMISSION,
                               "cannot listen on %s: ports below 1024 need root or the capability "
                               "CAP_NET_BIND_SERVICE",
                               text);
        break;
    default: break;
    }
    return status_fail_errno(status, error, "cannot listen on %s: %s", text, call);
}

/* ---- unix socket files ---- */

/* Removes a socket file that a process left behind; false (BUSY, or not a socket) if it must
 * stay. */
static bool remove_stale_file(const struct address *address, const struct sockaddr_storage *where,
                              socklen_t length, struct status *status) {
    struct stat info;
    if (lstat(address->host, &info) != 0)
        return errno == ENOENT || fail_listening(address, "stat", status);
    if (!S_ISSOCK(info.st_mode))
        return status_fail(status, STATUS_BUSY,
                           "cannot listen on unix:%s: there is a file that is not a socket",
                           address->host);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return fail_listening(address, "socket", status);
    bool is_stale =
        connect(probe, (const struct sockaddr *)where, length) != 0 && errno == ECONNREFUSED;
    close(probe);
    errno = EADDRINUSE;
    if (!is_stale) return fail_listening(address, "connect", status);
    return unlink(address->host) == 0 || fail_listening(address, "unlink", status);
}

/* Before listen(), so that nobody connects while the mode is what the umask left. */
static bool set_file_mode(struct listener *listener, mode_t mode, struct status *status) {
    struct stat info;
    const char *path = listener->address.host;
    if (chmod(path, mode) != 0 || lstat(path, &info) != 0)
        return fail_listening(&listener->address, "chmod", status);
    listener->socket_file_device = info.st_dev;
    listener->socket_file_inode = info.st_ino;
    return true;
}

static void remove_own_file(const struct listener *listener) {
    struct stat info;
    if (listener->address.kind != ADDRESS_UNIX || listener->socket_file_inode == 0) return;
    if (lstat(listener->address.host, &info) == 0 && info.st_dev == listener->socket_file_device &&
        info.st_ino == listener->socket_file_inode)
        unlink(listener->address.host);
}

/* ---- accepting ---- */

static void socket_is_readable(uv_poll_t *handle, int error, int events);

static void pause_accepting(struct listener *listener, int error) {
    bool is_first = !listener->is_exhausted;
    listener->is_exhausted = true;
    uv_poll_stop(&listener->readable);
    timer_start(listener->retry_timer, LISTENER_RETRY_MS);
    if (!is_first || !listener->handlers->on_exhausted) return;
    struct status status = STATUS_INIT;
    char text[ADDRESS_TEXT_BYTES];
    address_format(&listener->address, text);
    status_fail_errno(&status, error, "connections to %s have to wait", text);
    listener->handlers->on_exhausted(listener->context, &status);
}

static void retry(void *context) {
    struct listener *listener = context;
    uv_poll_start(&listener->readable, UV_READABLE, socket_is_readable);
}

/* Accepts one connection; false when there is none or accepting has paused. */
static bool accept_one(struct listener *listener) {
    int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) return true;
        if (errno != EAGAIN) pause_accepting(listener, errno);
        return false;
    }
    if (descriptor > listener->highest_descriptor) {
        close(descriptor);
        pause_accepting(listener, EMFILE);
        return false;
    }
    listener->is_exhausted = false;
    struct status status = STATUS_INIT;
    struct stream *stream =
        stream_adopt(listener->loop, descriptor, listener->address.kind, &status);
    if (stream && listener->tls) stream_tls_accept(stream, listener->tls);
    if (stream) listener->handlers->on_accept(listener->context, stream);
    return !listener->is_closing;
}

static void socket_is_readable(uv_poll_t *handle, int error, int events) {
    struct listener *listener = handle->data;
    (void)events;
    (void)error; /* whatever it is, accept4 tells */
    for (int i = 0; i < LISTENER_ACCEPTS_PER_TURN; i++)
        if (!accept_one(listener)) return;
}

/* ---- opening and closing ---- */

size_t listener_limit_connections(size_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    return limit.rlim_cur / 2 < wanted ? (size_t)limit.rlim_cur / 2 : wanted;
}

/* The lowest free number is always taken, so a high number means that few are left. */
static int highest_connection_descriptor(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT32_MAX) return INT32_MAX;
    return (int)limit.rlim_cur - LISTENER_RESERVED_DESCRIPTORS - 1;
}

static bool set_socket_options(const struct listener *listener, int family, struct status *status) {
    int on = 1;
    if (family == AF_UNIX) return true;
    if (setsockopt(listener->descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return fail_listening(&listener->address, "SO_REUSEADDR", status);
    /* So that 0.0.0.0 and [::] can both be listened on, each meaning what it says. */
    if (family == AF_INET6 &&
        setsockopt(listener->descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return fail_listening(&listener->address, "IPV6_V6ONLY", status);
    return true;
}

/* Fills in the port that the kernel chose. */
static void read_port(struct listener *listener) {
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    struct address address;
    if (listener->address.kind != ADDRESS_TCP || listener->address.port != 0) return;
    if (getsockname(listener->descriptor, (struct sockaddr *)&bound, &length) != 0) return;
    address_of_socket(&bound, &address);
    listener->address.port = address.port;
}

static bool open_socket(struct listener *listener, mode_t unix_mode, struct status *status) {
    const struct address *address = &listener->address;
    struct sockaddr_storage where;
    socklen_t length;
    if (!address_to_socket(address, &where, &length))
        return status_fail(status, STATUS_USAGE,
                           "cannot listen on %s: an IP address of this machine is needed, as in "
                           "127.0.0.1:4222",
                           address->host);
    if (address->kind == ADDRESS_UNIX && !remove_stale_file(address, &where, length, status))
        return false;
    listener->descriptor = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->descriptor < 0) return fail_listening(address, "socket", status);
    if (!set_socket_options(listener, where.ss_family, status)) return false;
    if (bind(listener->descriptor, (struct sockaddr *)&where, length) != 0)
        return fail_listening(address, "bind", status);
    if (address->kind == ADDRESS_UNIX && !set_file_mode(listener, unix_mode, status)) return false;
    if (listen(listener->descriptor, LISTENER_BACKLOG) != 0)
        return fail_listening(address, "listen", status);
    read_port(listener);
    return true;
}

struct listener *listener_open(struct loop *loop, const struct address *address, mode_t unix_mode,
                               const struct listener_handlers *handlers, void *context,
                               struct status *status) {
    struct listener *listener = memory_new(sizeof *listener);
    listener->loop = loop;
    listener->handlers = handlers;
    listener->context = context;
    listener->address = *address;
    listener->descriptor = -1;
    listener->highest_descriptor = highest_connection_descriptor();
    if (address->kind == ADDRESS_TCP && strcasecmp(address->host, "localhost") == 0)
        strcpy(listener->address.host, "127.0.0.1");
    if (!open_socket(listener, unix_mode, status)) goto fail;
    int error = uv_poll_init(loop_uv(loop), &listener->readable, listener->descriptor);
    if (error) {
        loop_status_fail(status, error, "cannot watch a socket");
        goto fail;
    }
    listener->readable.data = listener;
    listener->retry_timer = timer_open(loop, retry, listener);
    uv_poll_start(&listener->readable, UV_READABLE, socket_is_readable);
    return listener;

fail:
    if (listener->descriptor >= 0) close(listener->descriptor);
    remove_own_file(listener);
    free(listener);
    return NULL;
}

void listener_use_tls(struct listener *listener, struct tls_server_context *context) {
    tls_server_context_release(listener->tls);
    listener->tls = tls_server_context_retain(context);
}

const struct address *listener_address(const struct listener *listener) {
    return &listener->address;
}

static void listener_closed(uv_handle_t *handle) {
    free(handle->data);
}

void listener_close(struct listener *listener) {
    if (!listener || listener->is_closing) return;
    listener->is_closing = true;
    uv_poll_stop(&listener->readable);
    remove_own_file(listener);
    close(listener->descriptor);
    tls_server_context_release(listener->tls);
    timer_close(listener->retry_timer);
    uv_close((uv_handle_t *)&listener->readable, listener_closed);
}
