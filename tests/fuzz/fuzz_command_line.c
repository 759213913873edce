/* Any text as a command: its words, each in quotes, are the same words again. */
#include <stdlib.h>
#include <string.h>

#include "app/command_line.h"
#include "base/assertion.h"
#include "base/buffer.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Appends a word so that every character of it stands for itself. */
static void append_quoted(struct buffer *out, const char *word) {
    buffer_append_text(out, "\"");
    for (; *word; word++) {
        if (*word == '"' || *word == '\\') buffer_append_text(out, "\\");
        buffer_append(out, word, 1);
    }
    buffer_append_text(out, "\" ");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buffer quoted;
    char *line = memory_copy_bytes(data, size);
    struct status status = STATUS_INIT;
    char **words = command_line_split(line, &status);
    ASSERT((words != NULL) == status_is_ok(&status));
    if (words) {
        buffer_init(&quoted, 3 * size + 2 * COMMAND_LINE_WORDS + 3 * COMMAND_LINE_WORDS);
        for (size_t i = 0; words[i]; i++)
            append_quoted(&quoted, words[i]);
        char **again = command_line_split(buffer_text(&quoted), &status);
        ASSERT(again);
        for (size_t i = 0; words[i] || again[i]; i++)
            ASSERT(words[i] && again[i] && !strcmp(words[i], again[i]));
        command_line_free(again);
        buffer_free(&quoted);
    }
    command_line_free(words);
    free(line);
    return 0;
}
