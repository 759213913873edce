/*
 * The documents that the client gives to the application: the state of the license (`GET
 * /v1/license`, each event of `GET /v1/events`, the status file) and the answer about one feature.
 * README.md in this folder describes the members for application developers.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_ANSWERS_H
#define LSYS_ROLES_LICENSE_CLIENT_ANSWERS_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "roles/license-client/follower.h"
#include "rules/degradation.h"

/* 256 features with names and texts of the largest size, shown twice, and the rest. */
#define ANSWER_BYTES_MAX ((size_t)256 * 1024)

/* Room for a sentence made of two: where the state is from, and what the license's time says. */
#define ANSWER_REASON_BYTES (CLIENT_REASON_BYTES + LICENSE_STATUS_TEXT_BYTES + STATUS_TEXT_BYTES)

/* The edition in force: the license's while it grants, else "community". */
const char *answer_edition(const struct follower_view *view);

/* Who gave the state: "license-server", or "none" in community. */
const char *answer_source(const struct follower_view *view);

/* Why the state is as it is, in one sentence without a period. */
void answer_reason(const struct follower_view *view, char out[ANSWER_REASON_BYTES]);

/* Appends the document of the state. False, here and below, when `out` cannot hold it all: its
 * content is of no use then. */
bool answer_write_license(const struct follower_view *view, struct buffer *out) MUST_CHECK;

/* Appends the features in force as one JSON object, {} when nothing is granted. */
bool answer_write_features(const struct follower_view *view, struct buffer *out) MUST_CHECK;

/* Decides about one feature; `*feature` gets the license's entry, or NULL. */
struct feature_answer answer_feature(const struct follower_view *view, const char *name,
                                     const struct license_feature **feature);

/* Appends the document of a feature that may be used (200). */
bool answer_write_feature(const struct follower_view *view, const char *name,
                          const struct license_feature *feature, struct feature_answer answer,
                          struct buffer *out) MUST_CHECK;

#endif
