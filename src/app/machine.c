#include "app/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "codec/json.h"

/* A value from the kernel fits one page; the line of /proc/cpuinfo that we want is among the
 * first. */
#define SOURCE_BYTES 4096

/* What makers leave in DMI tables instead of a value of this one machine. */
static const char *const unfilled[] = {
    "to be filled by o.e.m.", "default string", "not specified", "none",    "n/a",
    "system serial number",   "unknown",        "not available", "invalid",
};

/* Reads the beginning of a file of /sys, /proc or /etc into `out`, without blanks at its end. These
 * are not regular files to file_read. */
static bool read_source(const char *path, char out[SOURCE_BYTES]) {
    FILE *file = fopen(path, "re");
    if (!file) return false;
    size_t length = fread(out, 1, SOURCE_BYTES - 1, file);
    fclose(file);
    while (length > 0 && isspace((unsigned char)out[length - 1]))
        length--;
    out[length] = '\0';
    return length > 0;
}

/* Zeros and letters F alone, with any separators, identify nothing. */
static bool is_filled(const char *value) {
    for (size_t i = 0; i < sizeof unfilled / sizeof unfilled[0]; i++)
        if (!strcasecmp(value, unfilled[i])) return false;
    return strspn(value, "0 -:.") != strlen(value) && strspn(value, "fF -:.") != strlen(value);
}

static bool add_from(struct fingerprint *out, const char *name, const char *path) {
    char value[SOURCE_BYTES];
    if (!read_source(path, value) || !is_filled(value)) return false;
    return fingerprint_add(out, name, bytes_of_text(value));
}

static void add_cpu(struct fingerprint *out) {
    char text[SOURCE_BYTES];
    if (!read_source("/proc/cpuinfo", text)) return;
    const char *line = strstr(text, "model name");
    const char *value = line ? strchr(line, ':') : NULL;
    if (!value) return;
    fingerprint_add(out, "cpu", bytes_of(value + 1, strcspn(value + 1, "\n")));
}

/* The disk under the root file system. A partition's folder lies inside its disk's. */
static void add_root_disk(struct fingerprint *out) {
    static const char *const files[] = {"device/serial", "device/wwid",      "wwid",
                                        "serial",        "../device/serial", "../device/wwid",
                                        "../wwid",       "../serial"};
    struct stat about;
    char link[64], folder[PATH_MAX], path[PATH_MAX + 32];
    if (stat("/", &about) != 0 || major(about.st_dev) == 0) return;
    snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(about.st_dev), minor(about.st_dev));
    if (!realpath(link, folder)) return;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        if (add_from(out, "root-disk", path)) return;
    }
}

static int is_card_name(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Physical cards only: bridges, tunnels and the ends of container networks have no device
 * behind. */
static void add_cards(struct fingerprint *out) {
    struct dirent **cards = NULL;
    int count = scandir("/sys/class/net", &cards, is_card_name, alphasort);
    for (int i = 0; i < count; i++) {
        char device[PATH_MAX], address[PATH_MAX], name[FINGERPRINT_NAME_BYTES];
        snprintf(device, sizeof device, "/sys/class/net/%s/device", cards[i]->d_name);
        snprintf(address, sizeof address, "/sys/class/net/%s/address", cards[i]->d_name);
        int length = snprintf(name, sizeof name, "mac-%s", cards[i]->d_name);
        if (length < (int)sizeof name && access(device, F_OK) == 0) add_from(out, name, address);
        free(cards[i]);
    }
    free(cards);
}

void machine_read(struct fingerprint *out) {
    memset(out, 0, sizeof *out);
    add_from(out, "machine-id", "/etc/machine-id");
    add_from(out, "product-uuid", "/sys/class/dmi/id/product_uuid");
    if (!add_from(out, "board-serial", "/sys/class/dmi/id/board_serial"))
        add_from(out, "board-serial", "/proc/device-tree/serial-number");
    add_root_disk(out);
    add_cards(out);
    add_cpu(out);
}

static bool take_component(const struct json_value *item, struct fingerprint *out,
                           struct status *status) {
    const char *name = json_member_text(item, "name");
    const char *digest = json_member_text(item, "digest");
    if (!name || !digest || strlen(name) >= FINGERPRINT_NAME_BYTES ||
        !fingerprint_digest_is_fit(digest))
        return status_fail(status, STATUS_MALFORMED,
                           "component %zu has no name or no digest of 43 characters", out->count);
    struct fingerprint_component *component = &out->components[out->count++];
    snprintf(component->name, sizeof component->name, "%s", name);
    snprintf(component->digest, sizeof component->digest, "%s", digest);
    return true;
}

static bool take_components(struct bytes text, struct fingerprint *out, struct status *status) {
    struct json_document *document = json_document_parse(text, MACHINE_FILE_BYTES, status);
    if (!document) return false;
    const struct json_value *components =
        json_value_member(json_document_root(document), "components");
    size_t count = json_value_count(components);
    bool taken = true;
    if (json_value_type(components) != JSON_TYPE_ARRAY || count == 0)
        taken = status_fail(status, STATUS_MALFORMED, "there is no list \"components\"");
    else if (count > FINGERPRINT_COMPONENTS_MAX)
        taken = status_fail(status, STATUS_TOO_LARGE, "more than %d components",
                            FINGERPRINT_COMPONENTS_MAX);
    for (size_t i = 0; taken && i < count; i++)
        taken = take_component(json_value_item(components, i), out, status);
    json_document_free(document);
    return taken;
}

bool machine_read_file(const char *path, struct fingerprint *out, struct status *status) {
    struct buffer text;
    memset(out, 0, sizeof *out);
    buffer_init(&text, MACHINE_FILE_BYTES);
    bool read = file_read(path, &text, status);
    if (read && !take_components(buffer_bytes(&text), out, status))
        read = status_context(status, "%s", path);
    buffer_free(&text);
    return read;
}

bool machine_is_container(void) {
    return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
           getenv("container") != NULL;
}
