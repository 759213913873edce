#include "codec/rfc3339.h"

#include <stddef.h>

#define MS_PER_SECOND      INT64_C(1000)
#define MS_PER_MINUTE      (60 * MS_PER_SECOND)
#define MS_PER_HOUR        (60 * MS_PER_MINUTE)
#define MS_PER_DAY         (24 * MS_PER_HOUR)
#define DAYS_PER_400_YEARS 146097

/* Days from 0000-03-01 to 1970-01-01. Years that begin in March have their leap day last, which
 * makes both directions plain arithmetic. */
#define DAYS_MARCH_0_TO_1970 719468

#define FRACTION_DIGITS_MAX 9

struct date {
    int64_t year;
    int month; /* 1 .. 12 */
    int day;   /* 1 .. 31 */
};

static int64_t floor_divide(int64_t number, int64_t by) {
    return number / by - (number % by < 0 ? 1 : 0);
}

/* The day of the year, counted from March, on which a month begins: 0, 31, 61, 92 ... */
static int month_start(int months_since_march) {
    return (153 * months_since_march + 2) / 5;
}

static int64_t days_of_date(struct date date) {
    int64_t year = date.month > 2 ? date.year : date.year - 1;
    int months_since_march = (date.month + 9) % 12;
    return 365 * year + floor_divide(year, 4) - floor_divide(year, 100) + floor_divide(year, 400) +
           month_start(months_since_march) + date.day - 1 - DAYS_MARCH_0_TO_1970;
}

static struct date date_of_days(int64_t days_since_1970) {
    int64_t days = days_since_1970 + DAYS_MARCH_0_TO_1970;
    int64_t era = floor_divide(days, DAYS_PER_400_YEARS);
    int64_t day_of_era = days - era * DAYS_PER_400_YEARS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = (int)(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
    int months_since_march = (5 * day_of_year + 2) / 153;
    int month = months_since_march < 10 ? months_since_march + 3 : months_since_march - 9;
    return (struct date){
        .year = era * 400 + year_of_era + (month <= 2 ? 1 : 0),
        .month = month,
        .day = day_of_year - month_start(months_since_march) + 1,
    };
}

static int days_in_month(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Writes `number` with leading zeros and `end` behind it; returns where to go on. Every answer
 * holds times, and snprintf takes ten times as long. */
static char *put(char *at, int digits, int number, char end) {
    for (int i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[digits] = end;
    return at + digits + 1;
}

void rfc3339_format(int64_t unix_ms, char out[RFC3339_BYTES]) {
    if (unix_ms < RFC3339_MIN_MS) unix_ms = RFC3339_MIN_MS;
    if (unix_ms > RFC3339_MAX_MS) unix_ms = RFC3339_MAX_MS;
    int64_t days = floor_divide(unix_ms, MS_PER_DAY);
    int ms = (int)(unix_ms - days * MS_PER_DAY);
    struct date date = date_of_days(days);
    out = put(out, 4, (int)date.year, '-');
    out = put(out, 2, date.month, '-');
    out = put(out, 2, date.day, 'T');
    out = put(out, 2, ms / (int)MS_PER_HOUR, ':');
    out = put(out, 2, ms / (int)MS_PER_MINUTE % 60, ':');
    out = put(out, 2, ms / (int)MS_PER_SECOND % 60, '.');
    out = put(out, 3, ms % (int)MS_PER_SECOND, 'Z');
    *out = '\0';
}

/* Takes exactly `digits` digits off the text as a number within lowest .. highest. */
static bool take_number(struct bytes *text, size_t digits, int lowest, int highest, int *out) {
    if (text->length < digits) return false;
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') return false;
        number = number * 10 + (text->data[i] - '0');
    }
    *text = bytes_of(text->data + digits, text->length - digits);
    *out = number;
    return number >= lowest && number <= highest;
}

/* Takes one character off the text when it is `character`, a capital letter in either case. */
static bool take_character(struct bytes *text, char character) {
    if (text->length == 0) return false;
    uint8_t first = text->data[0];
    bool is_letter = character >= 'A' && character <= 'Z';
    if (first != (uint8_t)character && !(is_letter && first == (uint8_t)(character + ('a' - 'A'))))
        return false;
    *text = bytes_of(text->data + 1, text->length - 1);
    return true;
}

static bool take_date(struct bytes *text, int64_t *out_ms) {
    int year, month, day;
    if (!take_number(text, 4, 0, 9999, &year) || !take_character(text, '-') ||
        !take_number(text, 2, 1, 12, &month) || !take_character(text, '-') ||
        !take_number(text, 2, 1, days_in_month(year, month), &day))
        return false;
    *out_ms = days_of_date((struct date){.year = year, .month = month, .day = day}) * MS_PER_DAY;
    return true;
}

/* Takes the digits after a decimal point; those past milliseconds are cut off. */
static bool take_fraction(struct bytes *text, int64_t *out_ms) {
    int64_t weight = MS_PER_SECOND / 10;
    size_t digits = 0;
    while (digits < text->length && text->data[digits] >= '0' && text->data[digits] <= '9') {
        *out_ms += (text->data[digits] - '0') * weight;
        weight /= 10;
        digits++;
    }
    *text = bytes_of(text->data + digits, text->length - digits);
    return digits >= 1 && digits <= FRACTION_DIGITS_MAX;
}

/* Takes 'Z' or "+hh:mm": what has to be subtracted to come to UTC. */
static bool take_offset(struct bytes *text, int64_t *out_ms) {
    *out_ms = 0;
    if (take_character(text, 'Z')) return true;
    int64_t sign = take_character(text, '+') ? 1 : take_character(text, '-') ? -1 : 0;
    int hours, minutes;
    if (sign == 0 || !take_number(text, 2, 0, 23, &hours) || !take_character(text, ':') ||
        !take_number(text, 2, 0, 59, &minutes))
        return false;
    *out_ms = sign * (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE);
    return true;
}

bool rfc3339_parse(struct bytes text, int64_t *out_ms) {
    int64_t date_ms = 0, fraction_ms = 0, offset_ms = 0;
    int hour, minute, second;
    if (!take_date(&text, &date_ms) || !take_character(&text, 'T') ||
        !take_number(&text, 2, 0, 23, &hour) || !take_character(&text, ':') ||
        !take_number(&text, 2, 0, 59, &minute) || !take_character(&text, ':') ||
        !take_number(&text, 2, 0, 59, &second))
        return false;
    if (take_character(&text, '.') && !take_fraction(&text, &fraction_ms)) return false;
    if (!take_offset(&text, &offset_ms) || text.length > 0) return false;
    int64_t unix_ms = date_ms + hour * MS_PER_HOUR + minute * MS_PER_MINUTE +
                      second * MS_PER_SECOND + fraction_ms - offset_ms;
    if (unix_ms < RFC3339_MIN_MS || unix_ms > RFC3339_MAX_MS) return false;
    *out_ms = unix_ms;
    return true;
}

bool rfc3339_parse_date_or_time(struct bytes text, int64_t *out_ms) {
    struct bytes rest = text;
    int64_t date_ms = 0;
    if (take_date(&rest, &date_ms) && rest.length == 0) {
        *out_ms = date_ms;
        return true;
    }
    return rfc3339_parse(text, out_ms);
}
