#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void) {
    return read_clock_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void) {
    return read_clock_ms(CLOCK_BOOTTIME);
}

void clock_boot_id(char boot_id[CLOCK_BOOT_ID_BYTES]) {
    boot_id[0] = '\0';
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t length = read(file, boot_id, CLOCK_BOOT_ID_BYTES - 1);
    close(file);
    boot_id[length > 0 ? length : 0] = '\0';
    boot_id[strcspn(boot_id, "\r\n")] = '\0';
}
