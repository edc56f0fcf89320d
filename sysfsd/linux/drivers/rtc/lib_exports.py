"""Dates as clocks of the hardware have them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/rtc/lib.c")

_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_DAY: Final = 86400

#: Days from 1 March of the year 0 to 1 January 1970, and in 400 years.
_EPOCH, _ERA = 719468, 146097

_THURSDAY: Final = 4


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@export("int rtc_month_days(unsigned int month, unsigned int year)")
def rtc_month_days(kernel: Kernel, month: int, year: int) -> int:
    return _DAYS[month] + (month == 1 and _is_leap(year))


@export("int rtc_year_days(unsigned int day, unsigned int month, unsigned int year)")
def rtc_year_days(kernel: Kernel, day: int, month: int, year: int) -> int:
    return sum(_DAYS[:month]) + (month > 1 and _is_leap(year)) + day - 1


@export("void rtc_time64_to_tm(time64_t time, struct rtc_time *tm)")
def rtc_time64_to_tm(kernel: Kernel, time: int, tm: StructView) -> None:
    days, seconds = divmod(time, _DAY)
    era, rest = divmod(days + _EPOCH, _ERA)
    # Years that begin in March end with the day that not all of them have.
    year = (rest - rest // 1460 + rest // 36524 - rest // (_ERA - 1)) // 365
    day = rest - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    tm["tm_mday"] = day - (153 * month + 2) // 5 + 1
    number = month + 2 if month < 10 else month - 10
    year += 400 * era + (number < 2)
    tm["tm_mon"], tm["tm_year"] = number, year - 1900
    tm["tm_wday"] = (days + _THURSDAY) % 7
    tm["tm_yday"] = rtc_year_days(kernel, tm["tm_mday"], number, year) + 1
    tm["tm_hour"], tm["tm_min"], tm["tm_sec"] = seconds // 3600, seconds // 60 % 60, seconds % 60
    tm["tm_isdst"] = 0


@export("int rtc_valid_tm(struct rtc_time *tm)")
def rtc_valid_tm(kernel: Kernel, tm: StructView) -> int:
    if (
        tm["tm_year"] < 70
        or tm["tm_year"] > (1 << 31) - 1 - 1900
        or not 0 <= tm["tm_mon"] < 12
        or not 1 <= tm["tm_mday"] <= rtc_month_days(kernel, tm["tm_mon"], tm["tm_year"] + 1900)
        or not 0 <= tm["tm_hour"] < 24
        or not 0 <= tm["tm_min"] < 60
        or not 0 <= tm["tm_sec"] < 60
    ):
        raise err(errno.EINVAL)
    return 0


@export("time64_t rtc_tm_to_time64(struct rtc_time *tm)")
def rtc_tm_to_time64(kernel: Kernel, tm: StructView) -> int:
    """``mktime64()``."""
    year, month = (tm["tm_year"] + 1900) & 0xFFFFFFFF, tm["tm_mon"] + 1
    if month > 2:
        month -= 2
    else:
        month, year = month + 10, year - 1
    days = year // 4 - year // 100 + year // 400 + 367 * month // 12 + tm["tm_mday"] + year * 365 - 719499
    return int(((days * 24 + tm["tm_hour"]) * 60 + tm["tm_min"]) * 60 + tm["tm_sec"])
