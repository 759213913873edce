#include "app/nats_templates.h"

#include <string.h>

/* Subjects of one list, ended by NULL. */
#define SUBJECTS_MAX 6

struct template {
    const char *name;
    const char *publish_allow[SUBJECTS_MAX];
    const char *publish_deny[SUBJECTS_MAX];
    const char *subscribe_allow[SUBJECTS_MAX];
    int64_t responses_max; /* to each request; 0: may not answer */
};

static const struct template TEMPLATES[] = {
    /* Tells the status, answers who asks for it, and asks the other license servers. */
    {.name = "license-server",
     .publish_allow = {"license.status", "license.status.get", "license.alert"},
     .subscribe_allow = {"license.status", "license.status.get", "_INBOX.>"},
     .responses_max = 1},
    /* Hears the status and asks for it: the license client, and any application with a NATS
     * client. */
    {.name = "license-client",
     .publish_allow = {"license.status.get"},
     .subscribe_allow = {"license.status", "_INBOX.>"}},
    /* Hints at changes, and hears nothing. */
    {.name = "cache-master",
     .publish_allow = {"license.cache.changed"},
     .subscribe_allow = {"_INBOX.>"}},
    /* Hears these hints, and says nothing. */
    {.name = "cache-slave", .publish_deny = {">"}, .subscribe_allow = {"license.cache.changed"}},
    /* Hears the status, the alerts and the hints, and says nothing. */
    {.name = "observer",
     .publish_deny = {">"},
     .subscribe_allow = {"license.status", "license.alert", "license.cache.changed"}},
    /* Everything that its account has. */
    {.name = "all"},
};

static void add_all(struct nats_texts *texts, const char *const *subjects) {
    for (size_t i = 0; i < SUBJECTS_MAX && subjects[i]; i++)
        nats_texts_add(texts, subjects[i]);
}

bool nats_template_apply(const char *name, struct nats_rights *rights, struct status *status) {
    for (size_t i = 0; i < sizeof TEMPLATES / sizeof TEMPLATES[0]; i++) {
        const struct template *template = &TEMPLATES[i];
        if (strcmp(template->name, name) != 0) continue;
        add_all(&rights->publish_allow, template->publish_allow);
        add_all(&rights->publish_deny, template->publish_deny);
        add_all(&rights->subscribe_allow, template->subscribe_allow);
        if (template->responses_max == 0) return true;
        rights->allow_responses = true;
        rights->responses_max = template->responses_max;
        return true;
    }
    return status_fail(status, STATUS_USAGE, "--template: one of " NATS_TEMPLATE_NAMES);
}
