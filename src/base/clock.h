/*
 * The machine's clocks. Validity of licenses is judged by wall time, through rules/clock_guard;
 * every wait and every age is measured by monotonic time, which no operator can set. Rules never
 * call these: they are given the time. There is no way to set a clock from inside the program;
 * tests shift it from outside, or link their own clock.c.
 */
#ifndef LSYS_BASE_CLOCK_H
#define LSYS_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Enough for the kernel's boot id, a UUID in text, and its NUL. */
#define CLOCK_BOOT_ID_BYTES 37

/* Milliseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME). */
int64_t clock_wall_ms(void);

/* Milliseconds since some point in the past, counting time in suspend (CLOCK_BOOTTIME): a laptop
 * that slept for an hour has a license that is an hour older. Never goes back. */
int64_t clock_monotonic_ms(void);

/* Writes the kernel's boot id, which tells whether two monotonic readings may be compared, or ""
 * where the kernel does not tell. */
void clock_boot_id(char boot_id[CLOCK_BOOT_ID_BYTES]);

#endif
