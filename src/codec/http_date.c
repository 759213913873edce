#include "codec/http_date.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/rfc3339.h"

/* The longest form: "Wednesday, 06-Nov-94 08:49:37 GMT". */
#define HTTP_DATE_BYTES_MAX 33

/* What the three forms have in common. */
struct date {
    int year, month, day;
    int hour, minute, second;
};

/* Reads the text along a pattern, whose small letters stand for one digit each ('y' of the year,
 * 'd' of the day, 'h', 'm', 's') or, 'b', for the three letters of a month; '_' is a blank or a
 * digit of the day, and all else stands for itself. */
static bool read_along(const char *text, const char *pattern, struct date *date) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    memset(date, 0, sizeof *date);
    for (; *pattern; pattern++, text++) {
        int *number = *pattern == 'y'                      ? &date->year
                      : *pattern == 'd' || *pattern == '_' ? &date->day
                      : *pattern == 'h'                    ? &date->hour
                      : *pattern == 'm'                    ? &date->minute
                      : *pattern == 's'                    ? &date->second
                                                           : NULL;
        if (number && *text >= '0' && *text <= '9') {
            *number = *number * 10 + *text - '0';
        } else if (*pattern == 'b') {
            for (int i = 0; i < 12 && date->month == 0; i++)
                if (strncmp(text, months + 3 * i, 3) == 0) date->month = i + 1;
            if (date->month == 0) return false;
            text += 2;
        } else if (*text != (*pattern == '_' ? ' ' : *pattern) || (number && *pattern != '_')) {
            return false;
        }
    }
    return *text == '\0';
}

/* The name of a day is at the beginning, in full or its three letters. Returns what follows it, or
 * NULL. */
static const char *skip_day_name(const char *text, bool *in_full) {
    static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        *in_full = strncmp(text, names[i], length) == 0;
        if (*in_full) return text + length;
        if (strncmp(text, names[i], 3) == 0) return text + 3;
    }
    return NULL;
}

static bool to_ms(const struct date *date, int64_t *out_ms) {
    char text[80];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", date->year, date->month,
             date->day, date->hour, date->minute, date->second);
    return rfc3339_parse(bytes_of_text(text), out_ms);
}

/* Two digits: the latest such year that is not more than 50 years ahead. */
static bool to_ms_of_century(struct date *date, int64_t now_ms, int64_t *out_ms) {
    char now[RFC3339_BYTES];
    int64_t this_year;
    rfc3339_format(now_ms, now);
    if (!text_read_integer(bytes_of(now, 4), &this_year)) return false;
    date->year += (int)((this_year + 50) / 100 * 100);
    if (date->year > this_year + 50) date->year -= 100;
    return to_ms(date, out_ms);
}

bool http_date_parse(struct bytes bytes, int64_t now_ms, int64_t *out_ms) {
    char text[HTTP_DATE_BYTES_MAX + 1];
    struct date date;
    bool in_full;
    if (bytes.length == 0 || bytes.length > HTTP_DATE_BYTES_MAX) return false;
    memcpy(text, bytes.data, bytes.length);
    text[bytes.length] = '\0';
    if (strlen(text) != bytes.length) return false;
    const char *rest = skip_day_name(text, &in_full);
    if (!rest) return false;
    if (in_full)
        return read_along(rest, ", dd-b-yy hh:mm:ss GMT", &date) &&
               to_ms_of_century(&date, now_ms, out_ms);
    return (read_along(rest, ", dd b yyyy hh:mm:ss GMT", &date) ||
            read_along(rest, " b _d hh:mm:ss yyyy", &date)) &&
           to_ms(&date, out_ms);
}
