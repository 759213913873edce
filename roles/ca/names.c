#include <stdlib.h>

#include "base/memory.h"
#include "roles/ca/actions.h"

bool ca_names_from_flags(const struct options *options, struct certificate_names *out,
                         struct status *status) {
    size_t sans = options_count(options, "san");
    const char *name = ca_need(options, "name", "the host's name or address", status);
    if (!name) return false;
    const char **texts = memory_new_array(sans + 1, sizeof *texts);
    texts[0] = name;
    for (size_t i = 0; i < sans; i++)
        texts[i + 1] = options_item(options, "san", i);
    bool read = certificate_names_from_texts(texts, sans + 1, out, status);
    free(texts);
    return read;
}
