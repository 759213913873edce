#include "loop/process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "loop/timer.h"

/* Between SIGTERM and SIGKILL: time to remove a lock file or close a smart card session. */
#define KILL_DELAY_MS 1000

/* After the program's end, for output still in the pipe or held by a grandchild. */
#define OUTPUT_DELAY_MS 500

#define READ_BYTES 4096

struct process {
    struct loop *loop;
    process_callback *callback; /* NULL once it was called or the owner closed */
    void *context;

    uv_process_t child;
    bool child_is_open;
    uv_pipe_t input_pipe;
    uv_pipe_t output_pipe;
    int open_handles; /* of the three above; memory is freed with the last */
    uv_write_t input_write;
    char *input;
    size_t input_bytes;
    struct timer *timer; /* deadline, then SIGKILL, then the wait for the rest of the output */

    bool has_exited;
    bool output_has_ended;
    struct buffer output;
    struct process_result result;
    uint8_t read_buffer[READ_BYTES];
};

static void handle_closed(uv_handle_t *handle) {
    struct process *process = handle->data;
    if (--process->open_handles > 0) return;
    buffer_wipe(&process->output);
    if (process->input) memory_wipe(process->input, process->input_bytes);
    free(process->input);
    free(process);
}

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, handle_closed);
}

static void close_all(struct process *process) {
    timer_close(process->timer);
    close_handle((uv_handle_t *)&process->input_pipe);
    close_handle((uv_handle_t *)&process->output_pipe);
    if (process->child_is_open) close_handle((uv_handle_t *)&process->child);
}

/* The program leads a session and process group of its own, with its id. */
static void signal_group(const struct process *process, int signal_number) {
    if (process->child.pid > 0) kill(-process->child.pid, signal_number);
}

static void finish(struct process *process) {
    process_callback *callback = process->callback;
    process->callback = NULL;
    process->result.output = buffer_bytes(&process->output);
    if (callback) callback(process->context, &process->result);
    close_all(process);
}

static void finish_if_complete(struct process *process) {
    if (!process->has_exited) return;
    if (process->output_has_ended)
        finish(process);
    else
        timer_start(process->timer, OUTPUT_DELAY_MS);
}

static void child_exited(uv_process_t *child, int64_t exit_status, int term_signal) {
    struct process *process = child->data;
    process->has_exited = true;
    process->result.exit_status = (int)exit_status;
    process->result.term_signal = term_signal;
    if (process->callback)
        finish_if_complete(process);
    else
        close_all(process);
}

/* The one timer means: the deadline, then that SIGTERM was not enough, then that the output is not
 * going to end. */
static void time_is_up(void *context) {
    struct process *process = context;
    if (process->has_exited) {
        finish(process);
    } else if (process->result.timed_out) {
        signal_group(process, SIGKILL);
    } else {
        process->result.timed_out = true;
        signal_group(process, SIGTERM);
        timer_start(process->timer, KILL_DELAY_MS);
    }
}

static void lend_read_buffer(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out) {
    struct process *process = handle->data;
    (void)suggested_bytes;
    *out = uv_buf_init((char *)process->read_buffer, sizeof process->read_buffer);
}

static void output_came(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes) {
    struct process *process = stream->data;
    if (length > 0 && !buffer_append(&process->output, bytes->base, (size_t)length)) {
        process->result.output_too_large = true;
        signal_group(process, SIGKILL);
        length = UV_EOF;
    }
    if (length >= 0) return;
    uv_read_stop(stream);
    process->output_has_ended = true;
    if (process->callback) finish_if_complete(process);
}

/* Also when the program did not want to read it: that is its own affair. */
static void input_written(uv_write_t *request, int error) {
    struct process *process = request->data;
    (void)error;
    close_handle((uv_handle_t *)&process->input_pipe);
}

static bool is_overridden(const char *entry, const char *const *extra) {
    size_t name_length = strcspn(entry, "=") + 1;
    for (size_t i = 0; extra && extra[i]; i++)
        if (strncmp(extra[i], entry, name_length) == 0) return true;
    return false;
}

/* Where our configuration comes from, secrets like $LSYS_NATS_TOKEN among it: a hook that prints
 * its environment into a log must not find any. */
static bool is_configuration(const char *entry) {
    return strncmp(entry, "LSYS_", 5) == 0 || strncmp(entry, "SECRET_", 7) == 0;
}

/* Our environment but for our configuration, with `extra` on top. The array is the caller's, the
 * texts are not. */
static char **merge_environment(const char *const *extra) {
    size_t count = 0;
    for (size_t i = 0; environ[i]; i++)
        count++;
    for (size_t i = 0; extra && extra[i]; i++)
        count++;
    char **merged = memory_new_array(count + 1, sizeof *merged);
    size_t used = 0;
    for (size_t i = 0; environ[i]; i++)
        if (!is_configuration(environ[i]) && !is_overridden(environ[i], extra))
            merged[used++] = environ[i];
    for (size_t i = 0; extra && extra[i]; i++)
        merged[used++] = (char *)extra[i];
    return merged;
}

static void init_handles(struct process *process) {
    uv_pipe_init(loop_uv(process->loop), &process->input_pipe, 0);
    uv_pipe_init(loop_uv(process->loop), &process->output_pipe, 0);
    process->input_pipe.data = process;
    process->output_pipe.data = process;
    process->child.data = process;
    process->open_handles = 2;
    process->timer = timer_open(process->loop, time_is_up, process);
}

/* Connects one standard descriptor of the program with `ours` by a pipe. (libuv's UV_CREATE_PIPE
 * makes socket pairs, and a script that opens /dev/stdin fails on those.) The caller closes
 * `*theirs`. */
static int open_pipe(uv_pipe_t *ours, bool program_reads, uv_stdio_container_t *stdio,
                     uv_file *theirs) {
    uv_file ends[2]; /* to read, to write */
    int error = uv_pipe(ends, 0, 0);
    if (error) return error;
    *theirs = ends[program_reads ? 0 : 1];
    stdio->flags = UV_INHERIT_FD;
    stdio->data.fd = *theirs;
    uv_file kept = ends[program_reads ? 1 : 0];
    error = uv_pipe_open(ours, kept);
    if (error) close(kept);
    return error;
}

static int spawn_with(struct process *process, const struct process_options *options,
                      uv_stdio_container_t stdio[3]) {
    char **environment = merge_environment(options->environment);
    uv_process_options_t spawn_options = {
        .exit_cb = child_exited,
        .file = options->arguments[0],
        .args = (char **)options->arguments,
        .env = environment,
        .flags = UV_PROCESS_DETACHED, /* setsid: a session of its own */
        .stdio_count = 3,
        .stdio = stdio,
    };
    int error = uv_spawn(loop_uv(process->loop), &process->child, &spawn_options);
    /* A handle to be closed, also when it failed. */
    process->child_is_open = true;
    process->open_handles++;
    free(environment);
    return error;
}

/* Runs the program with pipes where they are wanted; returns an error of libuv or 0. */
static int spawn(struct process *process, const struct process_options *options) {
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_file theirs[2] = {-1, -1};
    int error = 0;
    if (options->input.length) error = open_pipe(&process->input_pipe, true, &stdio[0], &theirs[0]);
    if (!error && options->output_limit_bytes)
        error = open_pipe(&process->output_pipe, false, &stdio[1], &theirs[1]);
    if (!error) error = spawn_with(process, options, stdio);
    for (size_t i = 0; i < 2; i++)
        if (theirs[i] >= 0) close(theirs[i]);
    return error;
}

static void start_pipes(struct process *process, const struct process_options *options) {
    if (options->input.length) {
        process->input = memory_copy_bytes(options->input.data, options->input.length);
        process->input_bytes = options->input.length;
        uv_buf_t bytes = uv_buf_init(process->input, (unsigned)process->input_bytes);
        process->input_write.data = process;
        if (uv_write(&process->input_write, (uv_stream_t *)&process->input_pipe, &bytes, 1,
                     input_written) != 0)
            close_handle((uv_handle_t *)&process->input_pipe);
    }
    process->output_has_ended =
        options->output_limit_bytes == 0 ||
        uv_read_start((uv_stream_t *)&process->output_pipe, lend_read_buffer, output_came) != 0;
}

struct process *process_start(struct loop *loop, const struct process_options *options,
                              struct status *status) {
    ASSERT(options->arguments[0] && options->callback && options->timeout_ms >= 1);
    ASSERT(options->input.length <= UINT32_MAX);
    struct process *process = memory_new(sizeof *process);
    process->loop = loop;
    process->callback = options->callback;
    process->context = options->context;
    buffer_init(&process->output, options->output_limit_bytes);
    init_handles(process);
    int error = spawn(process, options);
    if (error) {
        close_all(process);
        loop_status_fail(status, error, "cannot start %s", options->arguments[0]);
        return NULL;
    }
    start_pipes(process, options);
    timer_start(process->timer, options->timeout_ms);
    return process;
}

int process_pid(const struct process *process) {
    return process->child.pid;
}

void process_close(struct process *process) {
    if (!process || !process->callback) return;
    process->callback = NULL;
    timer_stop(process->timer);
    close_handle((uv_handle_t *)&process->input_pipe);
    close_handle((uv_handle_t *)&process->output_pipe);
    /* The handle of the child stays until its end is known, or it would remain a zombie. */
    if (process->has_exited)
        close_all(process);
    else
        signal_group(process, SIGKILL);
}
