#include "app/command_line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool is_blank(char character) {
    return character == ' ' || character == '\t' || character == '\n';
}

/* Copies one word that begins at `*line` to `out`, which has room for the rest of the line, and
 * moves `*line` behind it. False when a quote is not closed or a backslash ends the line. */
static bool copy_word(const char **line, char *out) {
    const char *in = *line;
    char quote = '\0';
    for (; *in && (quote || !is_blank(*in)); in++) {
        if (!quote && (*in == '\'' || *in == '"')) {
            quote = *in;
        } else if (*in == quote) {
            quote = '\0';
        } else if (*in == '\\' && (!quote || (quote == '"' && (in[1] == '"' || in[1] == '\\')))) {
            if (!*++in) return false;
            *out++ = *in;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    *line = in;
    return quote == '\0';
}

char **command_line_split(const char *line, struct status *status) {
    char **words = memory_new_array(COMMAND_LINE_WORDS + 1, sizeof *words);
    size_t count = 0;
    for (;;) {
        while (is_blank(*line))
            line++;
        if (!*line) break;
        if (count == COMMAND_LINE_WORDS) {
            status_fail(status, STATUS_CONFIG, "a command of more than %d words",
                        COMMAND_LINE_WORDS);
            goto failed;
        }
        words[count] = memory_new(strlen(line) + 1);
        if (!copy_word(&line, words[count++])) {
            status_fail(status, STATUS_CONFIG,
                        "a quote or a backslash at the end of the command "
                        "has no partner");
            goto failed;
        }
    }
    if (count > 0) return words;
    status_fail(status, STATUS_CONFIG, "the command is empty");
failed:
    command_line_free(words);
    return NULL;
}

void command_line_free(char **words) {
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}
