/*
 * This machine's fingerprint: reads what identifies the machine (its machine id, board, root disk,
 * network cards, processor) and keeps a digest of each, so that no serial number leaves this
 * module. A container sees its host's hardware in part or not at all; there the fingerprint comes
 * from a file that `lsys fingerprint --json` wrote on the host.
 */
#ifndef LSYS_APP_MACHINE_H
#define LSYS_APP_MACHINE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"
#include "verifier/fingerprint.h"

/* Longest fingerprint file; ours have below 2 KiB. */
#define MACHINE_FILE_BYTES (64 * 1024)

/* Reads the components that this machine has and that we may read; some need root. Components:
 *
 *   machine-id     /etc/machine-id
 *   product-uuid   DMI product UUID (root only)
 *   board-serial   DMI board serial (root only), or the device tree's serial number
 *   root-disk      the serial number or WWN of the disk that holds /
 *   mac-NAME       hardware address of each physical network card
 *   cpu            the processor's model name
 *
 * Values that makers leave unfilled ("To Be Filled By O.E.M.", zeros) do not count. May find
 * none. */
void machine_read(struct fingerprint *out);

/* Reads a fingerprint from a file of `lsys fingerprint --json`: {"components":[{"name","digest"}]}.
 * STATUS_MALFORMED when a digest is not one, and the errors of file_read and the JSON reader. */
bool machine_read_file(const char *path, struct fingerprint *out, struct status *status) MUST_CHECK;

/* True when this process seems to run in a container, where machine_read is of little use. */
bool machine_is_container(void);

#endif
